import { duration as amount, object, text } from '../api/decode';
import { forThisTab, kept } from './storage';

/** What stands in the form; kept for the tab, so that neither a reload nor a look at the gallery loses it. */
export interface Draft {
  readonly prompt: string;
  readonly steps: number;
  readonly guidance: number;
  /** As it was typed; empty for none. */
  readonly seed: string;
}

export const UNTOUCHED: Draft = { prompt: '', steps: 28, guidance: 7, seed: '' };

export const draft = kept<Draft>(
  forThisTab,
  'draft',
  object<Draft>({ prompt: text, steps: amount, guidance: amount, seed: text }),
  UNTOUCHED,
);
