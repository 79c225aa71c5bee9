import { ApiError, type ApiErrorKind } from '../api/errors';

/** A failure in the words of the page: what happened, what to do, and the id to quote. */
export interface Problem {
  readonly title: string;
  readonly advice: string;
  readonly correlationId: string | undefined;
  /** When the service accepts the call again, in milliseconds since the epoch. */
  readonly retryAt: number | undefined;
}

/** Used when a refusal does not say how long it lasts. */
export const DEFAULT_WAIT_SECONDS = 60;

const TITLES: Record<ApiErrorKind, string> = {
  network: 'The service cannot be reached',
  timeout: 'The service took too long to answer',
  invalid: 'The request was not accepted',
  not_found: 'Nothing was found there',
  rate_limited: 'The limit is reached',
  server: 'The service has a problem',
  malformed: 'The answer could not be understood',
};

const ADVICE: Record<ApiErrorKind, string> = {
  network: 'Check your connection, then try again.',
  timeout: 'Your connection may be slow. Try again in a moment.',
  invalid: 'Change the prompt or the settings, then try again.',
  not_found: 'It may have expired: images are kept for a limited time.',
  rate_limited: 'Each address may make a limited number of requests.',
  server: 'It is not your doing. Try again in a moment.',
  malformed: 'The page may be out of date. Reload it, then try again.',
};

/** Puts any failure into words; a service's own explanation is used where it was written for the person asking. */
export function describeProblem(error: unknown): Problem {
  if (!(error instanceof ApiError)) {
    return { title: 'Something went wrong', advice: 'Try again.', correlationId: undefined, retryAt: undefined };
  }
  const explained = error.kind === 'invalid' || error.kind === 'rate_limited';
  return {
    title: TITLES[error.kind],
    advice: explained && error.message !== '' ? `${sentence(error.message)} ${ADVICE[error.kind]}` : ADVICE[error.kind],
    correlationId: error.correlationId,
    retryAt:
      error.kind === 'rate_limited'
        ? Date.now() + (error.retryAfterSeconds ?? DEFAULT_WAIT_SECONDS) * 1000
        : undefined,
  };
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
