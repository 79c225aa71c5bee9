import { describe, expect, it, vi } from 'vitest';

import { ApiError } from '../api/errors';
import { DEFAULT_WAIT_SECONDS, describeProblem } from './problem';

describe('describeProblem', () => {
  it('has words for what is no API error', () => {
    expect(describeProblem(new Error('x'))).toMatchObject({ title: 'Something went wrong', correlationId: undefined });
  });

  it('waits a while when a limit does not say how long', () => {
    vi.useFakeTimers({ now: 0, toFake: ['Date'] });
    const error = new ApiError({ kind: 'rate_limited', message: 'Slow down', correlationId: 'c' });

    expect(describeProblem(error).retryAt).toBe(DEFAULT_WAIT_SECONDS * 1000);
    expect(describeProblem(error).advice).toContain('Slow down. ');
  });
});
