import type { Decoder } from '../api/decode';

/**
 * Something small that the browser keeps for this page.
 *
 * Storage can be full, switched off or hold what an older version wrote; none of that may disturb anybody, so reading
 * then yields the fallback and writing does nothing.
 */
export interface Kept<T> {
  readonly read: () => T;
  readonly write: (value: T) => void;
}

/**
 * @param area gives the storage; asked for each time, because merely naming it can raise
 * @param decode what a kept value must look like
 */
export function kept<T>(area: () => Storage, key: string, decode: Decoder<T>, fallback: T): Kept<T> {
  const name = `pixel-prompt.${key}`;
  return {
    read: () => {
      try {
        const text = area().getItem(name);
        return text === null ? fallback : decode(JSON.parse(text), key);
      } catch {
        return fallback;
      }
    },
    write: (value) => {
      try {
        area().setItem(name, JSON.stringify(value));
      } catch {
        // Nothing is lost but the memory of it.
      }
    },
  };
}

export const forGood = (): Storage => localStorage;
export const forThisTab = (): Storage => sessionStorage;
