import type { GenerateRequest } from '../../api/contract';
import { duration as amount, list, object, optional, text } from '../../api/decode';
import { forGood, kept } from '../../shared/storage';

/** What the service does not tell about a job later: who asks again after a reload gets it from here. */
export interface RememberedJob {
  readonly id: string;
  readonly request: GenerateRequest;
  readonly correlationId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly ended: boolean;
}

const MOST = 20;

const memory = kept<readonly RememberedJob[]>(
  forGood,
  'jobs',
  list(
    object<RememberedJob>({
      id: text,
      request: object<GenerateRequest>({
        prompt: text,
        steps: amount,
        guidance: amount,
        seed: optional(amount),
      }),
      correlationId: text,
      startedAt: amount,
      ended: (value) => value === true,
    }),
  ),
  [],
);

export function recallJob(id: string): RememberedJob | undefined {
  return memory.read().find((job) => job.id === id);
}

export function rememberJob(job: RememberedJob): void {
  memory.write([job, ...memory.read().filter(({ id }) => id !== job.id)].slice(0, MOST));
}

export function markEnded(id: string): void {
  const job = recallJob(id);
  if (job !== undefined) {
    rememberJob({ ...job, ended: true });
  }
}

/** The newest job that may still run, so that somebody who went away finds it again. */
export function unfinishedJob(now: number, longest: number): RememberedJob | undefined {
  return memory.read().find(({ ended, startedAt }) => !ended && now - startedAt < longest);
}
