import { describe, expect, it, vi } from 'vitest';

import { ENVIRONMENT, FakeService, unreachable } from '../testing/fakeService';
import { createClient } from './client';
import { createReporter, MAX_REPORTS, reportUncaught } from './report';

function setUp() {
  const service = new FakeService();
  const client = createClient(ENVIRONMENT.apiEndpoint, service.fetch);
  return { service, client, report: createReporter(client) };
}

describe('createReporter', () => {
  it('sends what went wrong, where, and the id of the call before it', async () => {
    const { service, client, report } = setUp();
    await client.call({ method: 'GET', path: '/health', decode: () => undefined });
    const before = client.lastCorrelationId();

    const reference = report({ error: new TypeError('no map'), region: 'The gallery' });

    await vi.waitFor(() => {
      expect(service.asked('POST /log')).toHaveLength(1);
    });
    expect(reference).toBe(before);
    expect(service.asked('POST /log')[0]).toMatchObject({
      correlationId: before,
      body: {
        level: 'error',
        message: 'TypeError: no map',
        correlationId: before,
        url: 'http://localhost:3000/',
        context: { region: 'The gallery' },
      },
    });
  });

  it('sends the same failure once and stops after a few', () => {
    const { service, report } = setUp();
    const first = report({ error: 'one', region: 'page' });

    expect(report({ error: 'one', region: 'page' })).toBe(first);
    for (let index = 0; index < MAX_REPORTS + 3; index += 1) {
      report({ error: `other ${String(index)}`, region: 'page' });
    }
    expect(service.asked('POST /log')).toHaveLength(MAX_REPORTS);
  });

  it('falls back on the console when the log cannot be reached', async () => {
    const { service, report } = setUp();
    service.on('POST /log', unreachable);
    const written = vi.spyOn(console, 'error').mockImplementation(() => undefined);

    report({ error: new Error('x'), region: 'page' });

    await vi.waitFor(() => {
      expect(written).toHaveBeenCalled();
    });
  });
});

describe('reportUncaught', () => {
  it('hears errors and rejections until it is stopped', () => {
    const report = vi.fn(() => 'id');
    const stop = reportUncaught(report);
    const rejection = Object.assign(new Event('unhandledrejection'), { reason: 'nobody awaited' });

    window.dispatchEvent(new ErrorEvent('error', { message: 'a handler', error: undefined }));
    window.dispatchEvent(rejection);
    stop();
    window.dispatchEvent(rejection);

    expect(report.mock.calls).toEqual([
      [{ error: 'a handler', region: 'page' }],
      [{ error: 'nobody awaited', region: 'page' }],
    ]);
  });
});
