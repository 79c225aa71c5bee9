import { useCallback, useEffect, useReducer, useRef } from 'preact/hooks';

import type { GenerateRequest } from '../../api/contract';
import { newCorrelationId } from '../../api/correlation';
import { describeProblem, type Problem } from '../../shared/problem';
import type { GenerateApi } from './api';
import { followJob, JobOverdue } from './followJob';
import { advance, type Generation, type GenerationEvent, IDLE } from './generation';

export interface GenerationControl {
  readonly generation: Generation;
  readonly start: (request: GenerateRequest) => void;
  /** Looks again at a job that was lost. */
  readonly resume: () => void;
}

/** Runs one generation at a time, from the request to the last image. */
export function useGeneration(api: GenerateApi, onEnded: () => void): GenerationControl {
  const [generation, dispatch] = useReducer<Generation, GenerationEvent>(advance, IDLE);
  const running = useRef<AbortController | undefined>(undefined);
  const followed = useRef<{ readonly jobId: string; readonly correlationId: string } | undefined>(undefined);
  const ended = useRef(onEnded);
  ended.current = onEnded;

  useEffect(
    () => () => {
      running.current?.abort();
    },
    [],
  );

  /** A new task replaces the one before it. */
  const begin = useCallback((): AbortSignal => {
    running.current?.abort();
    running.current = new AbortController();
    return running.current.signal;
  }, []);

  const follow = useCallback(
    async (jobId: string, correlationId: string, signal: AbortSignal): Promise<void> => {
      followed.current = { jobId, correlationId };
      try {
        await followJob({
          read: (inner) => api.status(jobId, correlationId, inner),
          onStatus: (status) => {
            dispatch({ type: 'status', status, at: Date.now() });
          },
          onTrouble: (error) => {
            dispatch({ type: 'trouble', problem: describeProblem(error) });
          },
          signal,
        });
        dispatch({ type: 'ended', at: Date.now() });
        ended.current();
      } catch (error) {
        if (!signal.aborted) {
          dispatch({ type: 'lost', problem: describeLoss(error, correlationId), at: Date.now() });
        }
      }
    },
    [api],
  );

  const start = useCallback(
    (request: GenerateRequest): void => {
      const signal = begin();
      const correlationId = newCorrelationId();
      dispatch({ type: 'submitted' });
      api.start(request, correlationId, signal).then(
        (accepted) => {
          dispatch({ type: 'accepted', accepted, prompt: request.prompt, at: Date.now() });
          return follow(accepted.jobId, correlationId, signal);
        },
        (error: unknown) => {
          if (!signal.aborted) {
            dispatch({ type: 'refused', problem: describeProblem(error) });
          }
        },
      );
    },
    [api, begin, follow],
  );

  const resume = useCallback((): void => {
    if (followed.current !== undefined) {
      dispatch({ type: 'resumed' });
      void follow(followed.current.jobId, followed.current.correlationId, begin());
    }
  }, [begin, follow]);

  return { generation, start, resume };
}

function describeLoss(error: unknown, correlationId: string): Problem {
  if (error instanceof JobOverdue) {
    return {
      title: 'The job takes longer than expected',
      advice: 'Images that are ready are shown here and in the gallery.',
      correlationId,
      retryAt: undefined,
    };
  }
  return describeProblem(error);
}
