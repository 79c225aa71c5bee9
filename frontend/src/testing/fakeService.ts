import type { Environment } from '../config/env';

export const IMAGE_HOST = 'images.example.com';

export const ENVIRONMENT: Environment = {
  apiEndpoint: 'https://api.example.com',
  imageHost: IMAGE_HOST,
  name: 'staging',
};

export const JOB_ID = '0198c0de-5f3a-4c1b-9d6e-2b7a4f1c8e90';
/** A job that asks one model of that one again. */
export const RETRY_ID = '0198c0de-5f3a-4c1b-9d6e-2b7a4f1c8e91';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly correlationId: string;
  readonly body: unknown;
}

export type Answer = (request: SeenRequest, init: RequestInit) => Response | Promise<Response>;

/** Stands in for the service behind `fetch`: answers by method and path, and remembers what was asked. */
export class FakeService {
  readonly requests: SeenRequest[] = [];
  private readonly answers = new Map<string, Answer[]>();

  constructor() {
    this.on('GET /health', json(200, { status: 'ok', environment: 'staging', version: '1.0.0', models: MODELS }));
    this.on('GET /gallery/list', json(200, { galleries: [] }));
    this.on('POST /log', json(202, { status: 'logged' }));
  }

  /** Sets the answers to one route: each is given once, the last one ever after. */
  on(route: string, ...answers: readonly Answer[]): this {
    this.answers.set(route, [...answers]);
    return this;
  }

  asked(route: string): SeenRequest[] {
    return this.requests.filter(({ method, path }) => `${method} ${path}` === route);
  }

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    const request: SeenRequest = {
      method: init.method ?? 'GET',
      path: url.pathname,
      correlationId: new Headers(init.headers).get('X-Correlation-ID') ?? '',
      body: typeof init.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined,
    };
    this.requests.push(request);
    const route = `${request.method} ${request.path}`;
    const answers = this.answers.get(route);
    const answer = answers !== undefined && answers.length > 1 ? answers.shift() : answers?.[0];
    if (answer === undefined) {
      throw new Error(`no answer is set for ${route}`);
    }
    return answer(request, init);
  };
}

export const MODELS = [
  { id: 'gpt-image-2', name: 'GPT Image 2', vendor: 'openai' },
  { id: 'stable-image-core', name: 'Stable Image Core', vendor: 'bedrock' },
  { id: 'recraft-v4.1', name: 'Recraft V4.1', vendor: 'recraft' },
];

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return () => new Response(JSON.stringify(body), { status, headers });
}

/** The contract's error answer, with the id that was sent. */
export function refusal(status: number, code: string, message: string, headers: Record<string, string> = {}): Answer {
  return ({ correlationId }) =>
    new Response(JSON.stringify({ error: { code, message, correlationId } }), { status, headers });
}

export const unreachable: Answer = () => {
  throw new TypeError('Failed to fetch');
};

/** Never answers; ends only when the caller gives up. */
export const silence: Answer = (_request, init) =>
  new Promise((_resolve, reject) => {
    const abort = (): void => {
      reject(new DOMException('aborted', 'AbortError'));
    };
    if (init.signal?.aborted === true) {
      abort();
    }
    init.signal?.addEventListener('abort', abort);
  });

export const accepted = json(202, { jobId: JOB_ID, totalModels: 3 });

export function imageUrl(model: string, id = JOB_ID): string {
  return `https://${IMAGE_HOST}/images/${id}/${model}.png`;
}

export interface FakeResult {
  readonly model: string;
  readonly status: 'pending' | 'running' | 'completed' | 'failed';
  readonly imageUrl?: string;
  readonly durationMs?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

export const waiting = (model: string): FakeResult => ({ model, status: 'pending' });
export const running = (model: string): FakeResult => ({ model, status: 'running' });
export const done = (model: string, id = JOB_ID): FakeResult => ({
  model,
  status: 'completed',
  imageUrl: imageUrl(model, id),
  durationMs: 4200,
});
export const failed = (model: string, message: string): FakeResult => ({
  model,
  status: 'failed',
  error: { code: 'unavailable', message },
});

export function job(status: string, results: readonly FakeResult[], id = JOB_ID): Answer {
  const completed = results.filter((result) => result.status === 'completed' || result.status === 'failed').length;
  return json(200, { jobId: id, status, completed, total: results.length, results });
}
