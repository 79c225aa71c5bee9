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
  /** The job that it asks one model of again, if it does. */
  readonly retryOf?: string | undefined;
}

/** Retries count as well, up to nine a job. */
const MOST = 40;

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
        models: optional(list(text)),
      }),
      correlationId: text,
      startedAt: amount,
      ended: (value) => value === true,
      retryOf: optional(text),
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

/** By model: the newest job that asked it again for another job. */
export function recallRetries(of: string): ReadonlyMap<string, string> {
  const retries = memory.read().filter(({ retryOf }) => retryOf === of);
  return new Map(retries.reverse().flatMap(({ id, request }) => (request.models ?? []).map((model) => [model, id])));
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
