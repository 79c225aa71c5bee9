import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { JobStatus } from '../../api/contract';
import { ApiError, type ApiErrorKind } from '../../api/errors';
import { pass, setVisibility } from '../../testing/page';
import { followJob, PACE } from './followJob';

function status(state: JobStatus['status'], ...models: JobStatus['results'][number]['status'][]): JobStatus {
  return {
    jobId: 'j',
    status: state,
    completed: 0,
    total: models.length,
    results: models.map((model, index) => ({ model: String(index), status: model })),
  };
}

function trouble(kind: ApiErrorKind, retryAfterSeconds?: number): ApiError {
  return new ApiError({ kind, message: kind, correlationId: 'c', retryAfterSeconds });
}

let controller: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  controller = new AbortController();
});

afterEach(() => {
  controller.abort(new Error('test over'));
});

function follow(read: () => Promise<JobStatus>) {
  const looks: number[] = [];
  const started = Date.now();
  const onStatus = vi.fn();
  const onTrouble = vi.fn();
  const outcome = followJob({
    read: () => {
      looks.push(Date.now() - started);
      return read();
    },
    onStatus,
    onTrouble,
    signal: controller.signal,
  });
  const settled = outcome.then(
    (last) => last.status,
    (error: unknown) => error,
  );
  return { looks, onStatus, onTrouble, settled };
}

describe('followJob', () => {
  it.each(['completed', 'partial', 'failed'] as const)('stops when the job is %s', async (state) => {
    const { looks, settled, onStatus } = follow(() => Promise.resolve(status(state, 'completed')));

    expect(await settled).toBe(state);
    await pass(60_000);
    expect(looks).toHaveLength(1);
    expect(onStatus).toHaveBeenCalledOnce();
  });

  it('slows down while nothing happens, up to a bound', async () => {
    const { looks } = follow(() => Promise.resolve(status('running', 'running', 'pending')));
    await pass(40_000);

    const pauses = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
    expect(pauses.slice(0, 3)).toEqual([1000, 1500, 2250]);
    expect(Math.max(...pauses)).toBe(PACE.slowest);
    expect(pauses.at(-1)).toBe(PACE.slowest);
  });

  it('is quick again as soon as a model moves', async () => {
    let answer = status('running', 'running', 'pending');
    const { looks } = follow(() => Promise.resolve(answer));
    await pass(20_000);
    answer = status('running', 'completed', 'pending');
    const before = looks.length;
    await pass(PACE.slowest + PACE.first);

    const [changed = 0, next = 0] = looks.slice(before);
    expect(next - changed).toBe(PACE.first);
  });

  it('asks nothing while the tab is hidden, and at once when it is seen again', async () => {
    const { looks } = follow(() => Promise.resolve(status('running', 'running')));
    await pass(500);
    setVisibility('hidden');
    await pass(120_000);
    expect(looks).toHaveLength(1);

    setVisibility('visible');
    await pass(0);
    expect(looks).toHaveLength(2);
  });

  it('asks nothing while there is no network, and goes on when it is back', async () => {
    const line = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    const { looks } = follow(() => Promise.resolve(status('running', 'running')));
    await pass(120_000);
    expect(looks).toHaveLength(0);

    line.mockReturnValue(true);
    window.dispatchEvent(new Event('online'));
    await pass(0);
    expect(looks).toHaveLength(1);
  });

  it('survives trouble, more slowly each time', async () => {
    const read = vi
      .fn<() => Promise<JobStatus>>()
      .mockRejectedValueOnce(trouble('network'))
      .mockRejectedValueOnce(trouble('server'))
      .mockResolvedValue(status('completed', 'completed'));
    const { looks, onTrouble, settled } = follow(read);
    await pass(10_000);

    expect(await settled).toBe('completed');
    expect(looks).toEqual([0, PACE.afterTrouble, PACE.afterTrouble * 3]);
    expect(onTrouble).toHaveBeenCalledTimes(2);
  });

  it('waits as long as a limit says', async () => {
    const read = vi
      .fn<() => Promise<JobStatus>>()
      .mockRejectedValueOnce(trouble('rate_limited', 30))
      .mockResolvedValue(status('completed', 'completed'));
    const { looks } = follow(read);
    await pass(29_000);
    expect(looks).toEqual([0]);
    await pass(1000);
    expect(looks).toEqual([0, 30_000]);
  });

  it('gives up after too many failures in a row', async () => {
    const { looks, settled } = follow(() => Promise.reject(trouble('timeout')));
    await pass(10 * 60_000);

    expect(await settled).toMatchObject({ kind: 'timeout' });
    expect(looks).toHaveLength(PACE.patience);
  });

  it.each(['not_found', 'invalid'] as const)('gives up at once on %s', async (kind) => {
    const { looks, settled } = follow(() => Promise.reject(trouble(kind)));
    await pass(60_000);

    expect(await settled).toMatchObject({ kind });
    expect(looks).toHaveLength(1);
  });

  it('calls a job overdue that outlives every worker', async () => {
    const { settled } = follow(() => Promise.resolve(status('running', 'running')));
    await pass(PACE.deadline + PACE.slowest);

    expect(await settled).toMatchObject({ name: 'JobOverdue' });
  });

  it.each([true, false])('ends with the interest of the caller (tab hidden: %s)', async (hidden) => {
    setVisibility(hidden ? 'hidden' : 'visible');
    const { looks, settled } = follow(() => Promise.resolve(status('running', 'running')));
    await pass(10);
    controller.abort(new Error('unmounted'));
    await pass(60_000);

    expect(await settled).toMatchObject({ message: 'unmounted' });
    expect(looks).toHaveLength(hidden ? 0 : 1);
  });
});
