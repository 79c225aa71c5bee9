import { useLayoutEffect, useRef } from 'preact/hooks';

import type { Decoder } from '../api/decode';
import { forGood, kept } from './storage';

/** The keys that stand alone, with what they do: the one list that the help shows. */
export const SHORTCUTS = [
  { key: '/', does: 'Go to the prompt' },
  { key: 'r', does: 'Put in a random prompt' },
  { key: 'c', does: 'Open the page Create' },
  { key: 'g', does: 'Open the page Gallery' },
  { key: '?', does: 'Show these shortcuts' },
] as const;

export type ShortcutKey = (typeof SHORTCUTS)[number]['key'];

const yesOrNo: Decoder<boolean> = (value) => value === true;

/** Single keys can be turned off: speech input types them by accident. */
export const shortcutsOn = kept(forGood, 'shortcuts', yesOrNo, true);

/** Does something when a single key is pressed, outside of text fields and dialogs, while shortcuts are on. */
export function useShortcut(key: ShortcutKey, action: () => void): void {
  const run = useRef(action);
  run.current = action;

  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const held = event.ctrlKey || event.metaKey || event.altKey;
      if (event.key === key && !held && !event.defaultPrevented && !isBusy(event.target) && shortcutsOn.read()) {
        event.preventDefault();
        run.current();
      }
    };
    document.addEventListener('keydown', onKeyDown);
    return () => {
      document.removeEventListener('keydown', onKeyDown);
    };
  }, [key]);
}

/** True where a key means something else already. */
function isBusy(target: EventTarget | null): boolean {
  const typing = target instanceof Element && target.closest('input:not([type=range]), textarea, select, [contenteditable]') !== null;
  return typing || document.querySelector('dialog[open]') !== null;
}
