/** Why a call to the API did not yield an answer, in the kinds that a person is told about differently. */
export type ApiErrorKind =
  | 'network'
  | 'timeout'
  | 'invalid'
  | 'not_found'
  | 'rate_limited'
  | 'server'
  | 'malformed';

interface ApiErrorDetails {
  readonly kind: ApiErrorKind;
  readonly message: string;
  readonly correlationId: string;
  readonly status?: number | undefined;
  /** Seconds until the service accepts the call again; only with `rate_limited`. */
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** The one error that the API client raises; an abort by the caller is passed on as it is. */
export class ApiError extends Error {
  readonly kind: ApiErrorKind;
  readonly correlationId: string;
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(details: ApiErrorDetails) {
    super(details.message, { cause: details.cause });
    this.name = 'ApiError';
    this.kind = details.kind;
    this.correlationId = details.correlationId;
    this.status = details.status;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** An answer that is not what the contract promises, with the place where it departs. */
export class MalformedAnswer extends Error {
  constructor(path: string, expected: string, found: unknown) {
    super(`${path}: expected ${expected}, found ${kindOf(found)}`);
    this.name = 'MalformedAnswer';
  }
}

function kindOf(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  return Array.isArray(value) ? 'an array' : typeof value;
}
