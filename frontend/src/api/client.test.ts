import { describe, expect, it, vi } from 'vitest';

import { type Answer, FakeService, json, refusal, silence, unreachable } from '../testing/fakeService';
import { type Call, createClient, DEFAULT_TIMEOUT_MS } from './client';
import { object, text } from './decode';
import { ApiError } from './errors';

const decode = object<{ word: string }>({ word: text });

function ask(answer: Answer, options: Partial<Call<{ word: string }>> = {}) {
  const service = new FakeService().on('GET /thing', answer);
  const client = createClient('https://api.example.com', service.fetch);
  return { service, client, answer: client.call({ method: 'GET', path: '/thing', decode, ...options }) };
}

async function errorOf(answer: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) {
    throw new Error(`expected an ApiError, found ${String(error)}`);
  }
  return error;
}

describe('createClient', () => {
  it('returns the checked answer and sends a correlation id that the service accepts', async () => {
    const { service, client, answer } = ask(json(200, { word: 'yes', extra: 1 }));

    await expect(answer).resolves.toEqual({ word: 'yes' });
    const sent = service.asked('GET /thing')[0]?.correlationId;
    expect(sent).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(client.lastCorrelationId()).toBe(sent);
  });

  it.each([
    [404, 'not_found'],
    [413, 'invalid'],
    [422, 'invalid'],
    [429, 'rate_limited'],
    [500, 'server'],
    [503, 'server'],
  ])('tells a %d apart as %s, with the message and the id of the answer', async (status, kind) => {
    const error = await errorOf(ask(refusal(status, 'code', 'In words.'), { correlationId: 'mine-1234' }).answer);

    expect(error).toMatchObject({ kind, status, message: 'In words.', correlationId: 'mine-1234' });
  });

  it('understands a gateway that answers in its own shape', async () => {
    const error = await errorOf(ask(json(429, { message: 'Too Many Requests' })).answer);

    expect(error).toMatchObject({ kind: 'rate_limited', retryAfterSeconds: undefined });
    expect(error.message).toContain('429');
  });

  it('reads Retry-After as seconds and as a date', async () => {
    vi.useFakeTimers({ now: new Date('2026-01-31T12:00:00Z'), toFake: ['Date'] });
    const seconds = await errorOf(ask(refusal(429, 'c', 'm', { 'Retry-After': '90' })).answer);
    const date = await errorOf(ask(refusal(429, 'c', 'm', { 'Retry-After': 'Sat, 31 Jan 2026 12:01:00 GMT' })).answer);
    const nonsense = await errorOf(ask(refusal(429, 'c', 'm', { 'Retry-After': 'soon' })).answer);

    expect(seconds.retryAfterSeconds).toBe(90);
    expect(date.retryAfterSeconds).toBe(60);
    expect(nonsense.retryAfterSeconds).toBeUndefined();
  });

  it.each([
    ['another type', json(200, { word: 7 }), 'answer.word: expected text, found number'],
    ['an array', json(200, []), 'answer: expected an object, found an array'],
    ['null', json(200, null), 'answer: expected an object, found null'],
    ['no JSON', () => new Response('<html>'), 'answer: expected an object, found undefined'],
  ] satisfies [string, Answer, string][])('calls %s malformed and says where', async (_name, answer, message) => {
    const error = await errorOf(ask(answer).answer);

    expect(error).toMatchObject({ kind: 'malformed', message });
  });

  it('calls a failed connection a network problem', async () => {
    expect(await errorOf(ask(unreachable).answer)).toMatchObject({ kind: 'network' });
  });

  it('gives up a call that is not answered in time', async () => {
    vi.useFakeTimers();
    const failure = errorOf(ask(silence).answer);
    await vi.advanceTimersByTimeAsync(DEFAULT_TIMEOUT_MS);

    expect(await failure).toMatchObject({ kind: 'timeout' });
  });

  it("passes the caller's own abort on", async () => {
    const controller = new AbortController();
    const { answer } = ask(silence, { signal: controller.signal });
    controller.abort(new Error('gone'));

    await expect(answer).rejects.toThrow('gone');
    await expect(ask(silence, { signal: controller.signal }).answer).rejects.toThrow('gone');
  });
});
