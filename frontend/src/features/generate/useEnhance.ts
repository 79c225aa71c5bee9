import { useCallback, useRef, useState } from 'preact/hooks';

import { describeProblem, type Problem } from '../../shared/problem';
import { useTask } from '../../shared/useTask';
import type { GenerateApi } from './api';

export type Enhancement =
  | { readonly phase: 'idle' | 'busy' }
  | { readonly phase: 'done'; readonly before: string }
  | { readonly phase: 'failed'; readonly problem: Problem };

interface EnhanceControl {
  readonly enhancement: Enhancement;
  readonly enhance: (prompt: string) => void;
  readonly undo: () => void;
  /** The prompt is a new one: there is nothing to take back any more. */
  readonly forget: () => void;
}

/** Asks for a richer prompt, puts it in place, and can take it back. */
export function useEnhance(api: GenerateApi, onPrompt: (prompt: string) => void): EnhanceControl {
  const [enhancement, setEnhancement] = useState<Enhancement>({ phase: 'idle' });
  const { begin, stop } = useTask();
  const put = useRef(onPrompt);
  put.current = onPrompt;

  const forget = useCallback(() => {
    stop();
    setEnhancement({ phase: 'idle' });
  }, [stop]);

  const enhance = useCallback(
    (prompt: string) => {
      const signal = begin();
      setEnhancement({ phase: 'busy' });
      api.enhance(prompt.trim(), signal).then(
        (richer) => {
          // Given up meanwhile, in favour of what was typed since.
          if (!signal.aborted) {
            setEnhancement({ phase: 'done', before: prompt });
            put.current(richer);
          }
        },
        (error: unknown) => {
          if (!signal.aborted) {
            setEnhancement({ phase: 'failed', problem: describeProblem(error) });
          }
        },
      );
    },
    [api, begin],
  );

  const undo = useCallback(() => {
    if (enhancement.phase === 'done') {
      put.current(enhancement.before);
      setEnhancement({ phase: 'idle' });
    }
  }, [enhancement]);

  return { enhancement, enhance, undo, forget };
}
