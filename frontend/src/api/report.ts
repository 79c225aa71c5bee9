import type { Client } from './client';
import type { LogRequest } from './contract';
import { newCorrelationId } from './correlation';

/** What went wrong in the browser, and in which region of the page. */
export interface Failure {
  readonly error: unknown;
  readonly region: string;
}

/** Sends a failure to the service's log and returns the id under which it stands there. Never raises. */
export type Reporter = (failure: Failure) => string;

/** A page that fails in a loop must not spend the visitor's request allowance. */
export const MAX_REPORTS = 5;

const MAX_MESSAGE = 500;
const MAX_STACK = 4000;

/**
 * Makes the reporter for this page.
 *
 * It carries the id of the last call to the API, because that call usually brought what could not be shown. The same
 * failure is sent once.
 */
export function createReporter(client: Client): Reporter {
  const sent = new Map<string, string>();

  return ({ error, region }) => {
    const message = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, MAX_MESSAGE);
    const key = `${region}\n${message}`;
    const earlier = sent.get(key);
    if (earlier !== undefined) {
      return earlier;
    }
    const correlationId = client.lastCorrelationId() ?? newCorrelationId();
    if (sent.size >= MAX_REPORTS) {
      return correlationId;
    }
    sent.set(key, correlationId);
    const body: LogRequest = {
      level: 'error',
      message,
      correlationId,
      url: `${location.origin}${location.pathname}`,
      context: { region },
    };
    if (error instanceof Error && error.stack !== undefined) {
      body.stack = error.stack.slice(0, MAX_STACK);
    }
    client
      .call({
        method: 'POST',
        path: '/log',
        body,
        decode: () => undefined,
        correlationId,
        keepalive: true,
      })
      .catch((problem: unknown) => {
        // The log itself is out of reach: the console is the last place left.
        console.error('This failure could not be reported.', correlationId, error, problem);
      });
    return correlationId;
  };
}

/** Reports what no boundary sees: errors in event handlers and promises that nobody awaited. Returns how to stop. */
export function reportUncaught(report: Reporter, target: Window = window): () => void {
  const onError = (event: ErrorEvent): void => {
    report({ error: event.error ?? event.message, region: 'page' });
  };
  const onRejection = (event: PromiseRejectionEvent): void => {
    report({ error: event.reason, region: 'page' });
  };
  target.addEventListener('error', onError);
  target.addEventListener('unhandledrejection', onRejection);
  return () => {
    target.removeEventListener('error', onError);
    target.removeEventListener('unhandledrejection', onRejection);
  };
}
