import type { GenerateAccepted, GenerateRequest, JobStatus, ModelState } from '../../api/contract';
import { UNTOUCHED } from '../../shared/draft';
import type { Problem } from '../../shared/problem';

/** One model's place in the grid; its name is unknown until the first status arrives. */
export interface Tile {
  readonly model: string | undefined;
  readonly state: ModelState;
  readonly imageUrl: string | undefined;
  readonly error: string | undefined;
  readonly durationMs: number | undefined;
}

export interface Job {
  readonly id: string;
  /** What was asked for; unknown when the job was opened from somebody else's link. */
  readonly request: GenerateRequest | undefined;
  /** Under which the service's log tells of it. */
  readonly correlationId: string;
  /** Zero until the service has said how many models there are. */
  readonly total: number;
  readonly tiles: readonly Tile[];
  /** By model, the latest last: what became of asking it again. Each is a job of its own, of that model alone. */
  readonly retries: ReadonlyMap<string, Generation>;
  /** Milliseconds since the epoch; unknown when somebody else started it, or when it had ended before it was opened. */
  readonly startedAt: number | undefined;
  /** When a model last finished; in milliseconds too. */
  readonly changedAt: number;
}

/** Where a generation stands. Each phase holds exactly what can be shown in it. */
export type Generation =
  | { readonly phase: 'idle' }
  | { readonly phase: 'submitting'; readonly earlier: Job | undefined }
  | { readonly phase: 'refused'; readonly problem: Problem; readonly earlier: Job | undefined }
  | { readonly phase: 'following'; readonly job: Job; readonly trouble: Problem | undefined }
  | { readonly phase: 'lost'; readonly job: Job; readonly problem: Problem; readonly endedAt: number }
  | { readonly phase: 'ended'; readonly job: Job; readonly endedAt: number };

export type GenerationEvent =
  | { readonly type: 'submitted' }
  | { readonly type: 'refused'; readonly problem: Problem }
  | { readonly type: 'accepted'; readonly accepted: GenerateAccepted; readonly request: GenerateRequest; readonly correlationId: string; readonly at: number }
  | { readonly type: 'opened'; readonly id: string; readonly request: GenerateRequest | undefined; readonly correlationId: string; readonly startedAt: number | undefined; readonly at: number }
  | { readonly type: 'recalled'; readonly prompt: string }
  | { readonly type: 'left' }
  | { readonly type: 'status'; readonly status: JobStatus; readonly at: number }
  | { readonly type: 'trouble'; readonly problem: Problem }
  | { readonly type: 'lost'; readonly problem: Problem; readonly at: number }
  | { readonly type: 'resumed' }
  | { readonly type: 'ended'; readonly at: number }
  /** Something happened to the retry of one model of the job on screen. */
  | { readonly type: 'retry'; readonly of: string; readonly model: string; readonly event: GenerationEvent };

export const IDLE: Generation = { phase: 'idle' };

/** The generation after an event; an event that does not belong to the present phase changes nothing. */
export function advance(state: Generation, event: GenerationEvent): Generation {
  switch (event.type) {
    case 'submitted':
      return { phase: 'submitting', earlier: jobOf(state) };
    case 'refused':
      return { phase: 'refused', problem: event.problem, earlier: jobOf(state) };
    case 'accepted':
      return {
        phase: 'following',
        trouble: undefined,
        job: {
          id: event.accepted.jobId,
          request: event.request,
          correlationId: event.correlationId,
          total: event.accepted.totalModels,
          tiles: fill([], event.accepted.totalModels),
          retries: new Map(),
          startedAt: event.at,
          changedAt: event.at,
        },
      };
    case 'opened':
      return {
        phase: 'following',
        trouble: undefined,
        job: {
          id: event.id,
          request: event.request,
          correlationId: event.correlationId,
          total: 0,
          tiles: [],
          retries: new Map(),
          startedAt: event.startedAt,
          changedAt: event.at,
        },
      };
    case 'recalled':
      return 'job' in state && state.job.request === undefined
        ? { ...state, job: { ...state.job, request: { prompt: event.prompt, steps: UNTOUCHED.steps, guidance: UNTOUCHED.guidance } } }
        : state;
    case 'left':
      return IDLE;
    case 'status':
      return state.phase === 'following'
        ? { ...state, trouble: undefined, job: withStatus(state.job, event.status, event.at) }
        : state;
    case 'trouble':
      return state.phase === 'following' ? { ...state, trouble: event.problem } : state;
    case 'lost':
      return state.phase === 'following'
        ? { phase: 'lost', job: state.job, problem: event.problem, endedAt: event.at }
        : state;
    case 'resumed':
      return state.phase === 'lost' ? { phase: 'following', job: state.job, trouble: undefined } : state;
    case 'ended':
      return state.phase === 'following'
        ? { phase: 'ended', job: { ...state.job, tiles: state.job.tiles.map(settle) }, endedAt: event.at }
        : state;
    case 'retry': {
      const job = jobOf(state);
      if (job?.id !== event.of) {
        return state;
      }
      const retries = new Map(job.retries);
      retries.delete(event.model);
      retries.set(event.model, advance(job.retries.get(event.model) ?? IDLE, event.event));
      const next = { ...job, retries };
      return 'job' in state ? { ...state, job: next } : 'earlier' in state ? { ...state, earlier: next } : state;
    }
  }
}

/** The job whose images are on screen, if any: a refusal does not take those of the job before away. */
export function jobOf(state: Generation): Job | undefined {
  return 'job' in state ? state.job : 'earlier' in state ? state.earlier : undefined;
}

/** Whether the service has been asked for something that has not ended. */
export function underWay({ phase }: Generation): boolean {
  return phase === 'submitting' || phase === 'following';
}

/** What each model's place shows: what its latest retry brought, else what the job itself did. */
export function tilesOf(job: Job): Tile[] {
  return job.tiles.map((tile) => {
    const retry = retryOf(tile, job);
    return retry === undefined ? tile : retried(tile, retry);
  });
}

export function retryOf({ model }: Tile, { retries }: Job): Generation | undefined {
  return model === undefined ? undefined : retries.get(model);
}

function retried(tile: Tile, retry: Generation): Tile {
  const waiting = { ...tile, state: 'pending' as const, error: undefined };
  const latest = jobOf(retry)?.tiles.find(({ model }) => model === tile.model) ?? waiting;
  switch (retry.phase) {
    case 'idle':
      return tile;
    case 'submitting':
      return waiting;
    case 'refused':
    case 'lost':
      return { ...tile, state: 'failed', error: `${retry.problem.title}.` };
    case 'following':
      return latest;
    case 'ended':
      return settle(latest);
  }
}

export interface Tally {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
}

export function tally(job: Job): Tally {
  const tiles = tilesOf(job);
  const inState = (state: ModelState): number => tiles.filter((tile) => tile.state === state).length;
  return { total: job.total, done: inState('completed'), failed: inState('failed') };
}

function finished(job: Job): number {
  const { done, failed } = tally(job);
  return done + failed;
}

function withStatus(job: Job, status: JobStatus, at: number): Job {
  const tiles = status.results.map((result) => ({
    model: result.model,
    state: result.status,
    imageUrl: result.imageUrl,
    error: result.error?.message,
    durationMs: result.durationMs,
  }));
  const total = Math.max(status.total, tiles.length);
  const next = { ...job, total, tiles: fill(tiles, total) };
  return finished(next) === finished(job) ? next : { ...next, changedAt: at };
}

/** Every model has its place from the start, so that nothing moves when results arrive. */
function fill(tiles: readonly Tile[], total: number): Tile[] {
  const missing = Array.from({ length: Math.max(0, total - tiles.length) }, () => ({
    model: undefined,
    state: 'pending' as const,
    imageUrl: undefined,
    error: undefined,
    durationMs: undefined,
  }));
  return [...tiles, ...missing];
}

/** After a job's end nothing waits or runs: what brought no result has failed. */
function settle(tile: Tile): Tile {
  if (tile.state === 'failed' || (tile.state === 'completed' && tile.imageUrl !== undefined)) {
    return tile;
  }
  return { ...tile, state: 'failed', error: tile.error ?? 'This model brought no image.' };
}
