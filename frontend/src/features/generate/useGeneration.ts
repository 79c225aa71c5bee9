import { useCallback, useEffect, useReducer, useRef } from 'preact/hooks';

import type { GenerateRequest } from '../../api/contract';
import { newCorrelationId } from '../../api/correlation';
import { describeProblem, type Problem } from '../../shared/problem';
import { useTask } from '../../shared/useTask';
import type { GenerateApi } from './api';
import { followJob, JobOverdue } from './followJob';
import { advance, type Generation, type GenerationEvent, IDLE, jobOf, underWay } from './generation';
import { markEnded, recallJob, recallRetries, rememberJob } from './jobMemory';

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
  /** Asks one model of the job on screen again; where its last retry was lost, looks again at that. */
  readonly retry: (model: string) => void;
}

type Tell = (event: GenerationEvent) => void;

/**
 * Runs one generation at a time, from the request to the last image, and any number of retries beside it.
 *
 * A job that the address names is followed, whoever started it and when: a link can be copied, and a reload loses
 * nothing.
 */
export function useGeneration({ api, jobId, onAccepted, onEnded }: GenerationOptions): GenerationControl {
  const [generation, dispatch] = useReducer<Generation, GenerationEvent>(advance, IDLE);
  const { begin } = useTask();
  // The retries go with the job on screen, whatever becomes of the next request.
  const { begin: beginRetries } = useTask();
  const shown = useRef<{ readonly jobId: string | undefined; readonly retries: AbortSignal } | undefined>(undefined);
  const told = useRef({ onAccepted, onEnded });
  told.current = { onAccepted, onEnded };

  const show = useCallback(
    (id: string | undefined): AbortSignal => {
      shown.current = { jobId: id, retries: beginRetries() };
      return shown.current.retries;
    },
    [beginRetries],
  );

  const follow = useCallback(
    async (id: string, correlationId: string, tell: Tell, signal: AbortSignal): Promise<void> => {
      try {
        await followJob({
          read: (inner) => api.status(id, correlationId, inner),
          onStatus: (status) => {
            tell({ type: 'status', status, at: Date.now() });
          },
          onTrouble: (error) => {
            tell({ type: 'trouble', problem: describeProblem(error) });
          },
          signal,
        });
        markEnded(id);
        tell({ type: 'ended', at: Date.now() });
        told.current.onEnded();
        if (recallJob(id) === undefined) {
          await recallPrompt(api, id, signal, tell);
        }
      } catch (error) {
        if (!signal.aborted) {
          tell({ type: 'lost', problem: describeLoss(error, correlationId), at: Date.now() });
        }
      }
    },
    [api],
  );

  const open = useCallback(
    (id: string, tell: Tell, signal: AbortSignal): void => {
      const known = recallJob(id);
      const correlationId = known?.correlationId ?? newCorrelationId();
      // A finished job's clock would show how long ago it was, so only one that may still run keeps its beginning.
      const startedAt = known === undefined || known.ended ? undefined : known.startedAt;
      tell({ type: 'opened', id, request: known?.request, correlationId, startedAt, at: Date.now() });
      void follow(id, correlationId, tell, signal);
    },
    [follow],
  );

  const ask = async (
    request: GenerateRequest,
    retryOf: string | undefined,
    tell: Tell,
    signal: AbortSignal,
    onJob?: (id: string) => void,
  ): Promise<void> => {
    const correlationId = newCorrelationId();
    tell({ type: 'submitted' });
    try {
      const accepted = await api.start(request, correlationId, signal);
      const at = Date.now();
      const id = accepted.jobId;
      rememberJob({ id, request, correlationId, startedAt: at, ended: false, retryOf });
      tell({ type: 'accepted', accepted, request, correlationId, at });
      onJob?.(id);
      await follow(id, correlationId, tell, signal);
    } catch (error) {
      if (!signal.aborted) {
        tell({ type: 'refused', problem: describeProblem(error) });
      }
    }
  };

  useEffect(() => {
    if (jobId === shown.current?.jobId) {
      return;
    }
    const signal = begin();
    const retries = show(jobId);
    if (jobId === undefined) {
      dispatch({ type: 'left' });
      return;
    }
    open(jobId, dispatch, signal);
    for (const [model, id] of recallRetries(jobId)) {
      open(id, tellOfRetry(jobId, model, dispatch), retries);
    }
  }, [jobId, begin, show, open]);

  const start = (request: GenerateRequest): void => {
    void ask(request, undefined, dispatch, begin(), (id) => {
      show(id);
      told.current.onAccepted(id);
    });
  };

  const resume = (): void => {
    if (generation.phase === 'lost') {
      dispatch({ type: 'resumed' });
      void follow(generation.job.id, generation.job.correlationId, dispatch, begin());
    }
  };

  const retry = (model: string): void => {
    const job = jobOf(generation);
    const signal = shown.current?.retries;
    if (job?.request === undefined || signal === undefined) {
      return;
    }
    const tell = tellOfRetry(job.id, model, dispatch);
    const earlier = job.retries.get(model);
    if (earlier?.phase === 'lost') {
      tell({ type: 'resumed' });
      void follow(earlier.job.id, earlier.job.correlationId, tell, signal);
    } else if (earlier === undefined || !underWay(earlier)) {
      void ask({ ...job.request, models: [model] }, job.id, tell, signal);
    }
  };

  return { generation, start, resume, retry };
}

function tellOfRetry(of: string, model: string, dispatch: Tell): Tell {
  return (event) => {
    dispatch({ type: 'retry', of, model, event });
  };
}

/** The prompt of somebody else's job. Without it the images are still there, so a failure disturbs nobody. */
async function recallPrompt(
  api: GenerateApi,
  id: string,
  signal: AbortSignal,
  tell: Tell,
): Promise<void> {
  try {
    tell({ type: 'recalled', prompt: await api.promptOf(id, signal) });
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
