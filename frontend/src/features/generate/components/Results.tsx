import { useEffect, useRef } from 'preact/hooks';

import type { NamedModel } from '../../../api/contract';
import { Notice } from '../../../shared/Notice';
import { unit } from '../../../shared/time';
import { type Generation, type Job, tally, type Tile } from '../generation';
import { ModelTile } from './ModelTile';
import { Progress } from './Progress';
import './results.css';

interface ResultsProps {
  readonly generation: Generation;
  readonly models: readonly NamedModel[];
  readonly onResume: () => void;
}

/** The images of the present job, or what will stand in their place. */
export function Results({ generation, models, onResume }: ResultsProps) {
  const job = 'job' in generation ? generation.job : undefined;
  const title = useSeen(job?.id);
  return (
    <section class="results" aria-labelledby="results-title">
      <div class="results__head">
        <h2 id="results-title" ref={title}>
          Results
        </h2>
        <Progress generation={generation} />
      </div>
      {job === undefined ? null : <p class="results__prompt">{job.prompt}</p>}
      {generation.phase === 'following' && generation.trouble !== undefined ? (
        <p class="results__trouble">{generation.trouble.title}. Trying again by itself.</p>
      ) : null}
      {generation.phase === 'lost' ? (
        <Notice problem={generation.problem}>
          <button type="button" class="button" onClick={onResume}>
            Look again
          </button>
        </Notice>
      ) : null}
      {generation.phase === 'ended' ? <Outcome job={generation.job} /> : null}
      {job === undefined ? (
        <Empty starting={generation.phase === 'submitting'} models={models} />
      ) : (
        <ul class="grid" aria-label="Images by model">
          {job.tiles.map((tile, index) => (
            <ModelTile
              key={tile.model ?? index}
              tile={tile}
              name={nameOf(tile, index, models)}
              prompt={job.prompt}
              lost={generation.phase === 'lost'}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function Outcome({ job }: { readonly job: Job }) {
  const { total, done, failed } = tally(job);
  if (failed === 0) {
    return null;
  }
  return (
    <p class="results__trouble">
      {done === 0
        ? 'No model brought an image. Try again, or change the prompt.'
        : `${unit(done, 'image')} of ${String(total)} are ready; ${unit(failed, 'model')} failed, for the reason on its tile.`}
    </p>
  );
}

/** Brings the heading into sight when a job starts: on a phone the results stand below the screen's edge. */
function useSeen(jobId: string | undefined) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (jobId !== undefined && (heading.current?.getBoundingClientRect().top ?? 0) > window.innerHeight / 2) {
      heading.current?.scrollIntoView({ block: 'start' });
    }
  }, [jobId]);
  return heading;
}

/** A tile without a result yet takes the name at its place: results come in the registry's order. */
function nameOf(tile: Tile, index: number, models: readonly NamedModel[]): string {
  const known = tile.model === undefined ? models[index] : models.find(({ id }) => id === tile.model);
  return known?.name ?? tile.model ?? `Model ${String(index + 1)}`;
}

interface EmptyProps {
  readonly starting: boolean;
  readonly models: readonly NamedModel[];
}

function Empty({ starting, models }: EmptyProps) {
  return (
    <div class={starting ? 'empty empty--starting' : 'empty'}>
      <div class="empty__mosaic" aria-hidden="true">
        {Array.from({ length: 9 }, (_, index) => (
          <span key={index} />
        ))}
      </div>
      <p class="empty__title">{starting ? 'Handing your prompt over' : 'Your images will appear here'}</p>
      <p class="empty__text">
        {starting ? 'This takes a moment.' : 'Every model paints the same prompt, and each fills its own frame.'}
      </p>
      <p class="empty__models">{models.map(({ name }) => name).join(' · ')}</p>
    </div>
  );
}
