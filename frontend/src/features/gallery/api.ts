import type { Client } from '../../api/client';
import type { Gallery, GalleryImage, GalleryPage, GallerySummary, NamedModel, Registry } from '../../api/contract';
import { count, type Decoder, list, object, optional, text } from '../../api/decode';
import { imageUrlOn } from '../../shared/imageUrl';

export interface GalleryApi {
  /** The newest galleries first; with a cursor, those after the page that gave it. */
  list(page: { readonly limit: number; readonly cursor?: string | undefined }, signal: AbortSignal): Promise<GalleryPage>;
  entry(id: string, signal: AbortSignal): Promise<Gallery>;
  /** What the models are called; images carry their ids. */
  models(signal: AbortSignal): Promise<readonly NamedModel[]>;
}

const registry: Decoder<Registry> = object<Registry>({ models: list(object<NamedModel>({ id: text, name: text })) });

export function createGalleryApi(client: Client, imageHost: string): GalleryApi {
  const imageUrl = imageUrlOn(imageHost);
  const facts = { id: text, createdAt: text, prompt: text, previewUrl: imageUrl, imageCount: count };
  const page: Decoder<GalleryPage> = object<GalleryPage>({
    galleries: list(object<GallerySummary>(facts)),
    nextCursor: optional(text),
  });
  const entry: Decoder<Gallery> = object<Gallery>({
    ...facts,
    images: list(object<GalleryImage>({ model: text, imageUrl })),
  });
  return {
    list: ({ limit, cursor }, signal) => {
      const query = new URLSearchParams({ limit: String(limit), ...(cursor === undefined ? {} : { cursor }) });
      return client.call({ method: 'GET', path: `/gallery/list?${query.toString()}`, decode: page, signal });
    },
    entry: (id, signal) =>
      client.call({ method: 'GET', path: `/gallery/${encodeURIComponent(id)}`, decode: entry, signal }),
    models: async (signal) => (await client.call({ method: 'GET', path: '/health', decode: registry, signal })).models,
  };
}
