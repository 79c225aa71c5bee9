import { useCallback, useEffect, useReducer, useRef } from 'preact/hooks';

import type { GenerateRequest } from '../../api/contract';
import { newCorrelationId } from '../../api/correlation';
import { describeProblem, type Problem } from '../../shared/problem';
import { useTask } from '../../shared/useTask';
import type { GenerateApi } from './api';
import { followJob, JobOverdue } from './followJob';
import { advance, type Generation, type GenerationEvent, IDLE } from './generation';
import { markEnded, recallJob, rememberJob } from './jobMemory';

interface GenerationOptions {
  readonly api: GenerateApi;
  /** The job that the page's address names, if it names one. */
  readonly jobId: string | undefined;
  /** A job was accepted under this id; from now on the address should name it. */
  readonly onAccepted: (jobId: string) => void;
  readonly onEnded: () => void;
}

export interface GenerationControl {
  readonly generation: Generation;
  readonly start: (request: GenerateRequest) => void;
  /** Looks again at a job that was lost. */
  readonly resume: () => void;
}

/**
 * Runs one generation at a time, from the request to the last image.
 *
 * A job that the address names is followed, whoever started it and when: a link can be copied, and a reload loses
 * nothing.
 */
export function useGeneration({ api, jobId, onAccepted, onEnded }: GenerationOptions): GenerationControl {
  const [generation, dispatch] = useReducer<Generation, GenerationEvent>(advance, IDLE);
  const { begin } = useTask();
  const followed = useRef<{ readonly jobId: string; readonly correlationId: string } | undefined>(undefined);
  const told = useRef({ onAccepted, onEnded });
  told.current = { onAccepted, onEnded };

  const follow = useCallback(
    async (id: string, correlationId: string, signal: AbortSignal): Promise<void> => {
      followed.current = { jobId: id, correlationId };
      try {
        await followJob({
          read: (inner) => api.status(id, correlationId, inner),
          onStatus: (status) => {
            dispatch({ type: 'status', status, at: Date.now() });
          },
          onTrouble: (error) => {
            dispatch({ type: 'trouble', problem: describeProblem(error) });
          },
          signal,
        });
        markEnded(id);
        dispatch({ type: 'ended', at: Date.now() });
        told.current.onEnded();
        if (recallJob(id) === undefined) {
          await recallPrompt(api, id, signal, dispatch);
        }
      } catch (error) {
        if (!signal.aborted) {
          dispatch({ type: 'lost', problem: describeLoss(error, correlationId), at: Date.now() });
        }
      }
    },
    [api],
  );

  useEffect(() => {
    if (jobId === followed.current?.jobId) {
      return;
    }
    const signal = begin();
    if (jobId === undefined) {
      followed.current = undefined;
      dispatch({ type: 'left' });
      return;
    }
    const known = recallJob(jobId);
    // A finished job's clock would show how long ago it was, so only one that may still run keeps its beginning.
    const startedAt = known === undefined || known.ended ? undefined : known.startedAt;
    dispatch({ type: 'opened', id: jobId, request: known?.request, startedAt, at: Date.now() });
    void follow(jobId, known?.correlationId ?? newCorrelationId(), signal);
  }, [jobId, begin, follow]);

  const start = useCallback(
    (request: GenerateRequest): void => {
      const signal = begin();
      const correlationId = newCorrelationId();
      dispatch({ type: 'submitted' });
      api.start(request, correlationId, signal).then(
        (accepted) => {
          const at = Date.now();
          const id = accepted.jobId;
          rememberJob({ id, request, correlationId, startedAt: at, ended: false });
          dispatch({ type: 'accepted', accepted, request, at });
          const following = follow(id, correlationId, signal);
          told.current.onAccepted(id);
          return following;
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

/** The prompt of somebody else's job. Without it the images are still there, so a failure disturbs nobody. */
async function recallPrompt(
  api: GenerateApi,
  id: string,
  signal: AbortSignal,
  dispatch: (event: GenerationEvent) => void,
): Promise<void> {
  try {
    dispatch({ type: 'recalled', prompt: await api.promptOf(id, signal) });
  } catch {
    // The grid speaks for itself.
  }
}

function describeLoss(error: unknown, correlationId: string): Problem {
  if (error instanceof JobOverdue) {
    return {
      title: 'The job takes longer than expected',
      advice: 'It has probably stopped. Images that are ready are shown here and in the gallery; you can look again, or start anew.',
      correlationId,
      retryAt: undefined,
    };
  }
  return describeProblem(error);
}
