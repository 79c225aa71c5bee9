import type { JobStatus } from '../../api/contract';
import { ApiError } from '../../api/errors';

/** How often a job is looked at; every time in milliseconds. */
export const PACE = {
  first: 1000,
  factor: 1.5,
  slowest: 5000,
  afterTrouble: 2000,
  slowestAfterTrouble: 15_000,
  /** Failed looks in a row after which the job is called lost. */
  patience: 6,
  /** A worker ends after 15 minutes; a job that still runs later never will. */
  deadline: 16 * 60_000,
} as const;

export interface FollowOptions {
  readonly read: (signal: AbortSignal) => Promise<JobStatus>;
  readonly onStatus: (status: JobStatus) => void;
  /** A look failed; another follows by itself. */
  readonly onTrouble: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Raised when a job takes longer than any worker may run. */
export class JobOverdue extends Error {
  constructor() {
    super('The job took longer than a worker may run.');
    this.name = 'JobOverdue';
  }
}

/**
 * Looks at a job until it has ended, and returns its last status.
 *
 * The pause grows while nothing happens and shrinks when something did. Nothing is asked while the tab is hidden or
 * the machine is offline. A
 * failed look is tried again more slowly. Raises the last error when there have been too many, JobOverdue after the
 * deadline, and the signal's reason when the caller has lost interest.
 */
export async function followJob({ read, onStatus, onTrouble, signal }: FollowOptions): Promise<JobStatus> {
  const started = Date.now();
  let pause: number = PACE.first;
  let failures = 0;
  let progress = -1;

  for (;;) {
    await awake(signal);
    try {
      const status = await read(signal);
      failures = 0;
      onStatus(status);
      if (hasEnded(status)) {
        return status;
      }
      const now = progressOf(status);
      pause = now > progress ? PACE.first : Math.min(pause * PACE.factor, PACE.slowest);
      progress = now;
    } catch (error) {
      signal.throwIfAborted();
      failures += 1;
      if (failures >= PACE.patience || !mayPass(error)) {
        throw error;
      }
      onTrouble(error);
      pause = pauseAfter(error, failures);
    }
    if (Date.now() - started > PACE.deadline) {
      throw new JobOverdue();
    }
    await sleep(pause, signal);
  }
}

export function hasEnded({ status }: JobStatus): boolean {
  return status === 'completed' || status === 'partial' || status === 'failed';
}

/** Any change counts as progress: a model that starts, one that ends. */
function progressOf({ results }: JobStatus): number {
  return results.reduce((sum, { status }) => sum + (status === 'pending' ? 0 : status === 'running' ? 1 : 2), 0);
}

/** A job that is unknown, or a question that is refused, stays so. */
function mayPass(error: unknown): boolean {
  return error instanceof ApiError && error.kind !== 'not_found' && error.kind !== 'invalid';
}

function pauseAfter(error: unknown, failures: number): number {
  if (error instanceof ApiError && error.retryAfterSeconds !== undefined) {
    return Math.max(error.retryAfterSeconds * 1000, PACE.first);
  }
  return Math.min(PACE.afterTrouble * 2 ** (failures - 1), PACE.slowestAfterTrouble);
}

/** Resolves as soon as the tab can be seen and the machine has a network. */
function awake(signal: AbortSignal): Promise<void> {
  const isAwake = (): boolean => document.visibilityState !== 'hidden' && navigator.onLine;
  return until(signal, (done) => {
    if (isAwake()) {
      done();
      return () => undefined;
    }
    const look = (): void => {
      if (isAwake()) {
        done();
      }
    };
    document.addEventListener('visibilitychange', look);
    window.addEventListener('online', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('online', look);
    };
  });
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return until(signal, (done) => {
    const timer = setTimeout(done, milliseconds);
    return () => {
      clearTimeout(timer);
    };
  });
}

/** A wait that an abort ends early, leaving no timer or listener behind. */
function until(signal: AbortSignal, start: (done: () => void) => () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    let stop = (): void => undefined;
    const abort = (): void => {
      stop();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    stop = start(() => {
      signal.removeEventListener('abort', abort);
      stop();
      resolve();
    });
  });
}
