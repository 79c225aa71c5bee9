import { newCorrelationId } from './correlation';
import type { Decoder } from './decode';
import { ApiError, type ApiErrorKind, MalformedAnswer } from './errors';

/** How long a call may take before it is given up: above what the API itself allows an answer to take on a slow line. */
export const DEFAULT_TIMEOUT_MS = 20_000;

export interface Call<T> {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly decode: Decoder<T>;
  /** Ties several calls to one action of the user; a new one is made when it is left out. */
  readonly correlationId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /** Lets the call outlive the page, for reports that are sent as it closes. */
  readonly keepalive?: boolean | undefined;
}

export interface Client {
  /** Calls the API and checks its answer. Raises ApiError, or the signal's reason when the caller aborts. */
  call<T>(call: Call<T>): Promise<T>;
  /** The id of the call made last, by which a report can be matched with the service's log. */
  lastCorrelationId(): string | undefined;
}

type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/**
 * Makes the only object that talks to the API.
 *
 * @param endpoint base address without a trailing slash
 * @param send what performs a request; the browser's `fetch` unless a test says otherwise
 */
export function createClient(endpoint: string, send: Fetch = (input, init) => fetch(input, init)): Client {
  let last: string | undefined;

  async function call<T>(options: Call<T>): Promise<T> {
    const correlationId = options.correlationId ?? newCorrelationId();
    last = correlationId;
    const deadline = withDeadline(options.signal, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    try {
      const response = await send(`${endpoint}${options.path}`, requestInit(options, correlationId, deadline.signal));
      const answer = await readJson(response);
      if (!response.ok) {
        throw refusal(response, answer, correlationId);
      }
      return options.decode(answer, 'answer');
    } catch (error) {
      throw asApiError(error, correlationId, deadline.expired(), options.signal);
    } finally {
      deadline.clear();
    }
  }

  return { call, lastCorrelationId: () => last };
}

function requestInit(options: Call<unknown>, correlationId: string, signal: AbortSignal): RequestInit {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-Correlation-ID': correlationId };
  const init: RequestInit = { method: options.method, headers, signal, credentials: 'omit', cache: 'no-store' };
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }
  if (options.keepalive === true) {
    init.keepalive = true;
  }
  return init;
}

interface Deadline {
  readonly signal: AbortSignal;
  expired(): boolean;
  clear(): void;
}

function withDeadline(outer: AbortSignal | undefined, timeoutMs: number): Deadline {
  const controller = new AbortController();
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    controller.abort();
  }, timeoutMs);
  const forward = (): void => {
    controller.abort(outer?.reason);
  };
  if (outer?.aborted === true) {
    forward();
  }
  outer?.addEventListener('abort', forward);
  return {
    signal: controller.signal,
    expired: () => expired,
    clear: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', forward);
    },
  };
}

/** The answer's body; undefined when it is not JSON, which no decoder accepts. */
async function readJson(response: Response): Promise<unknown> {
  const body = await response.text();
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function refusal(response: Response, answer: unknown, sentId: string): ApiError {
  const { message, correlationId } = errorFields(answer);
  const kind = kindOfStatus(response.status);
  return new ApiError({
    kind,
    status: response.status,
    message: message ?? `The service answered with status ${String(response.status)}.`,
    correlationId: correlationId ?? response.headers.get('X-Correlation-ID') ?? sentId,
    retryAfterSeconds: kind === 'rate_limited' ? retryAfter(response.headers.get('Retry-After')) : undefined,
  });
}

/** The contract's error fields, if they are there: a gateway in front of the service has a shape of its own. */
function errorFields(answer: unknown): { message?: string | undefined; correlationId?: string | undefined } {
  const error = field(answer, 'error');
  const message = field(error, 'message');
  const correlationId = field(error, 'correlationId');
  return {
    message: typeof message === 'string' && message !== '' ? message : undefined,
    correlationId: typeof correlationId === 'string' && correlationId !== '' ? correlationId : undefined,
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function kindOfStatus(status: number): ApiErrorKind {
  if (status === 429) {
    return 'rate_limited';
  }
  if (status === 404) {
    return 'not_found';
  }
  return status >= 400 && status < 500 ? 'invalid' : 'server';
}

/** Seconds until `Retry-After`, which is a number of seconds or a date. */
function retryAfter(header: string | null): number | undefined {
  if (header === null || header.trim() === '') {
    return undefined;
  }
  const seconds = Number(header);
  if (Number.isFinite(seconds)) {
    return Math.max(0, Math.ceil(seconds));
  }
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

function asApiError(error: unknown, correlationId: string, expired: boolean, signal: AbortSignal | undefined): unknown {
  if (error instanceof ApiError) {
    return error;
  }
  if (signal?.aborted === true) {
    return signal.reason;
  }
  if (expired) {
    return new ApiError({ kind: 'timeout', message: 'The service took too long to answer.', correlationId, cause: error });
  }
  if (error instanceof MalformedAnswer) {
    return new ApiError({ kind: 'malformed', message: error.message, correlationId, cause: error });
  }
  return new ApiError({ kind: 'network', message: 'The service could not be reached.', correlationId, cause: error });
}
