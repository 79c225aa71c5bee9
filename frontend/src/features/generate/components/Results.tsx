import { useEffect, useMemo, useRef } from 'preact/hooks';

import type { GenerateRequest, NamedModel } from '../../../api/contract';
import { CopyLink } from '../../../shared/CopyLink';
import { Icon } from '../../../shared/Icon';
import { Notice } from '../../../shared/Notice';
import { Prompt } from '../../../shared/Prompt';
import { jobPath } from '../../../shared/route';
import { unit } from '../../../shared/time';
import { useBarred } from '../../../shared/useBarred';
import { useLightbox } from '../../../shared/useLightbox';
import { imageText } from '../../../shared/words';
import { type Generation, type Job, jobOf, retryOf, tally, type Tile, tilesOf } from '../generation';
import { ModelTile } from './ModelTile';
import { Progress } from './Progress';
import '../../../shared/tiles.css';
import './results.css';

interface ResultsProps {
  readonly generation: Generation;
  readonly models: readonly NamedModel[];
  readonly onResume: () => void;
  /** Asks one model again. */
  readonly onRetry: (model: string) => void;
  /** Starts the same prompt again as a new job. */
  readonly onRunAgain: (request: GenerateRequest) => void;
}

/** The images of the present job, or what will stand in their place. */
export function Results({ generation, models, onResume, onRetry, onRunAgain }: ResultsProps) {
  const job = generation.phase === 'submitting' ? undefined : jobOf(generation);
  const title = useSeen(generation.phase === 'submitting' ? 'submitting' : undefined);
  const shown = useMemo(() => (job === undefined ? [] : describeTiles(job, models)), [job, models]);
  const { open, view } = useLightbox(shown.flatMap(({ image }) => (image === undefined ? [] : [image])));
  const over = generation.phase === 'ended' || generation.phase === 'lost' || generation.phase === 'refused';
  const request = job?.request;
  const again =
    over && request !== undefined
      ? () => {
          onRunAgain(request);
        }
      : undefined;
  const retries = job === undefined ? [] : [...job.retries.values()];
  const unable = retries.findLast((retry) => 'problem' in retry)?.problem;
  const barred = useBarred(unable);
  const trouble = [generation, ...retries].map((one) => (one.phase === 'following' ? one.trouble : undefined)).find(Boolean);

  return (
    <section class="results" aria-labelledby="results-title">
      <div class="results__head">
        <h2 id="results-title" ref={title}>
          Results
        </h2>
        <Progress generation={generation} />
      </div>
      {job === undefined ? null : (
        <div class="results__job">
          <p class="results__prompt">{job.request === undefined ? 'Opened from a link.' : <Prompt text={job.request.prompt} />}</p>
          <CopyLink address={jobPath(job.id)} />
        </div>
      )}
      {trouble === undefined ? null : <p class="results__trouble">{trouble.title}. Trying again by itself.</p>}
      {generation.phase === 'lost' ? (
        <Notice problem={generation.problem}>
          <button type="button" class="button" onClick={onResume}>
            Look again
          </button>
          {again === undefined ? null : (
            <button type="button" class="button button--quiet" onClick={again}>
              Run the prompt again
            </button>
          )}
        </Notice>
      ) : null}
      {generation.phase === 'ended' ? <Outcome job={generation.job} onRunAgain={again} /> : null}
      {unable === undefined ? null : <Notice problem={unable} />}
      {job === undefined || shown.length === 0 ? (
        <Empty
          title={
            generation.phase === 'submitting'
              ? 'Handing your prompt over'
              : generation.phase === 'following'
                ? 'Opening the job'
                : 'Your images will appear here'
          }
          busy={generation.phase === 'submitting' || generation.phase === 'following'}
          models={models}
        />
      ) : (
        <ul class="grid" aria-label="Images by model">
          {shown.map(({ tile, retry, name, text }, index) => (
            <ModelTile
              key={tile.model ?? index}
              tile={tile}
              name={name}
              text={text}
              lost={generation.phase === 'lost' && retry === undefined}
              remedy={retry?.phase === 'lost' ? 'Look again' : 'Try again'}
              barred={barred}
              onOpen={open}
              onRetry={
                tile.model === undefined || request === undefined ? undefined : onRetry.bind(undefined, tile.model)
              }
            />
          ))}
        </ul>
      )}
      {view}
    </section>
  );
}

function describeTiles(job: Job, models: readonly NamedModel[]) {
  return tilesOf(job).map((tile, index) => {
    const retry = retryOf(tile, job);
    const name = nameOf(tile, index, models);
    const text = imageText(job.request?.prompt ?? '', name);
    const ready = tile.state === 'completed' && tile.imageUrl !== undefined;
    return { tile, retry, name, text, image: ready ? { url: tile.imageUrl, model: name, text } : undefined };
  });
}

function Outcome({ job, onRunAgain }: { readonly job: Job; readonly onRunAgain: (() => void) | undefined }) {
  const { total, done, failed } = tally(job);
  if (failed === 0) {
    return null;
  }
  if (failed < total) {
    return (
      <p class="results__trouble">
        {unit(done, 'image')} of {total} {done === 1 ? 'is' : 'are'} ready; {unit(failed, 'model')} failed.{' '}
        <span class="hint">Trying again asks that model alone.</span>
      </p>
    );
  }
  return (
    <div class="results__outcome">
      <p class="results__trouble">No model brought an image. Run the prompt again, or change it.</p>
      {onRunAgain === undefined ? null : (
        <button type="button" class="button" onClick={onRunAgain}>
          <Icon name="again" />
          Run the prompt again
        </button>
      )}
    </div>
  );
}

/** Brings the heading into sight when a job is sent: on a phone the results stand below the screen's edge. */
function useSeen(moment: string | undefined) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (moment !== undefined && (heading.current?.getBoundingClientRect().top ?? 0) > window.innerHeight / 2) {
      heading.current?.scrollIntoView({ block: 'start' });
    }
  }, [moment]);
  return heading;
}

/** A tile without a result yet takes the name at its place: results come in the registry's order. */
function nameOf(tile: Tile, index: number, models: readonly NamedModel[]): string {
  const known = tile.model === undefined ? models[index] : models.find(({ id }) => id === tile.model);
  return known?.name ?? tile.model ?? `Model ${String(index + 1)}`;
}

interface EmptyProps {
  readonly title: string;
  readonly busy: boolean;
  readonly models: readonly NamedModel[];
}

function Empty({ title, busy, models }: EmptyProps) {
  return (
    <div class={busy ? 'empty empty--starting' : 'empty'}>
      <div class="empty__mosaic" aria-hidden="true">
        {Array.from({ length: 9 }, (_, index) => (
          <span key={index} />
        ))}
      </div>
      <p class="empty__title">{title}</p>
      <p class="empty__text">
        {busy ? 'This takes a moment.' : 'Every model paints the same prompt, and each fills its own frame.'}
      </p>
      <p class="empty__models">{models.map(({ name }) => name.replaceAll(' ', '\u00a0')).join('\u00a0· ')}</p>
    </div>
  );
}
