import { useCallback, useEffect, useRef } from 'preact/hooks';

export interface Task {
  /** Starts the next task, in place of the one before it. */
  readonly begin: () => AbortSignal;
  /** Gives up whatever is under way. */
  readonly stop: () => void;
}

/** One task at a time: a new one, and the end of the component, abort the one under way. */
export function useTask(): Task {
  const running = useRef<AbortController | undefined>(undefined);

  const stop = useCallback((): void => {
    running.current?.abort();
  }, []);

  const begin = useCallback((): AbortSignal => {
    stop();
    running.current = new AbortController();
    return running.current.signal;
  }, [stop]);

  useEffect(() => stop, [stop]);

  return { begin, stop };
}
