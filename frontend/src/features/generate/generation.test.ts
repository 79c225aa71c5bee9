import { describe, expect, it } from 'vitest';

import { advance, type GenerationEvent, IDLE } from './generation';

const problem = { title: 'T', advice: 'A', correlationId: undefined, retryAt: undefined };

describe('advance', () => {
  it.each<GenerationEvent>([
    { type: 'status', at: 1, status: { jobId: 'j', status: 'running', completed: 0, total: 1, results: [] } },
    { type: 'trouble', problem },
    { type: 'lost', problem, at: 1 },
    { type: 'resumed' },
    { type: 'ended', at: 1 },
    { type: 'retry', of: 'j', model: 'm', event: { type: 'submitted' } },
  ])('ignores $type when no job is followed', (event) => {
    expect(advance(IDLE, event)).toBe(IDLE);
  });
});
