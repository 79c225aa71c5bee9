import type { components } from './schema';

// The contract's words, from the types that `npm run api:generate` makes of backend/openapi.yaml, less what the page
// does not show: what is not read cannot break it.
type Schemas = components['schemas'];

export type NamedModel = Pick<Schemas['Model'], 'id' | 'name'>;
export interface Registry {
  models: NamedModel[];
}

export type GenerateRequest = Omit<Schemas['GenerateRequest'], 'verification'>;
export type GenerateAccepted = Schemas['GenerateAccepted'];

export type ModelFailure = Pick<Schemas['ModelError'], 'message'>;
export type ModelResult = Omit<Schemas['Result'], 'error'> & { error?: ModelFailure };
export type ModelState = ModelResult['status'];
export type JobStatus = Omit<Schemas['JobStatus'], 'results'> & { results: ModelResult[] };

export type Enhanced = Schemas['Enhanced'];

export type GallerySummary = Schemas['GallerySummary'];
export type GalleryPage = Schemas['GalleryPage'];
export type GalleryImage = Schemas['GalleryImage'];
export type Gallery = Schemas['Gallery'];

export type LogRequest = Schemas['LogRequest'];
