import type { Client } from '../../api/client';
import type {
  Enhanced,
  Gallery,
  GenerateAccepted,
  GenerateRequest,
  JobStatus,
  ModelFailure,
  ModelResult,
  NamedModel,
  Registry,
} from '../../api/contract';
import { count, type Decoder, duration, list, object, oneOf, optional, text } from '../../api/decode';
import { imageUrlOn } from '../../shared/imageUrl';

const registry: Decoder<Registry> = object<Registry>({
  models: list(object<NamedModel>({ id: text, name: text })),
});

const accepted: Decoder<GenerateAccepted> = object<GenerateAccepted>({ jobId: text, totalModels: count });

const enhanced: Decoder<Enhanced> = object<Enhanced>({ enhancedPrompt: text });

const asked: Decoder<Pick<Gallery, 'prompt'>> = object<Pick<Gallery, 'prompt'>>({ prompt: text });

function jobStatus(imageHost: string): Decoder<JobStatus> {
  return object<JobStatus>({
    jobId: text,
    status: oneOf('pending', 'running', 'completed', 'partial', 'failed'),
    completed: count,
    total: count,
    results: list(
      object<ModelResult>({
        model: text,
        status: oneOf('pending', 'running', 'completed', 'failed'),
        imageUrl: optional(imageUrlOn(imageHost)),
        error: optional(object<ModelFailure>({ message: text })),
        durationMs: optional(duration),
      }),
    ),
  });
}

/** The calls of one generation; start and status carry one correlation id, so that the service's log tells one story. */
export interface GenerateApi {
  /** The models that a prompt goes to, in the order of a job's results. */
  models(signal: AbortSignal): Promise<readonly NamedModel[]>;
  start(request: GenerateRequest, correlationId: string, signal: AbortSignal): Promise<GenerateAccepted>;
  status(jobId: string, correlationId: string, signal: AbortSignal): Promise<JobStatus>;
  /** A richer prompt with the same subject. */
  enhance(prompt: string, signal: AbortSignal): Promise<string>;
  /** What a job was asked for, as its gallery knows it; the job itself does not say. */
  promptOf(jobId: string, signal: AbortSignal): Promise<string>;
}

export function createGenerateApi(client: Client, imageHost: string): GenerateApi {
  const decodeStatus = jobStatus(imageHost);
  return {
    models: async (signal) => (await client.call({ method: 'GET', path: '/health', decode: registry, signal })).models,
    start: (body, correlationId, signal) =>
      client.call({ method: 'POST', path: '/generate', body, decode: accepted, correlationId, signal }),
    status: (jobId, correlationId, signal) =>
      client.call({
        method: 'GET',
        path: `/status/${encodeURIComponent(jobId)}`,
        decode: decodeStatus,
        correlationId,
        signal,
      }),
    enhance: async (prompt, signal) =>
      (await client.call({ method: 'POST', path: '/enhance', body: { prompt }, decode: enhanced, signal })).enhancedPrompt,
    promptOf: async (jobId, signal) =>
      (await client.call({ method: 'GET', path: `/gallery/${encodeURIComponent(jobId)}`, decode: asked, signal })).prompt,
  };
}
