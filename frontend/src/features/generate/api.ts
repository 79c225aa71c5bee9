import type { Client } from '../../api/client';
import type {
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
  };
}
