import { useEffect, useMemo, useState } from 'preact/hooks';

import type { Gallery, NamedModel } from '../../api/contract';
import { CopyLink } from '../../shared/CopyLink';
import { isolated } from '../../shared/direction';
import { draft } from '../../shared/draft';
import { Figure } from '../../shared/Figure';
import { Notice } from '../../shared/Notice';
import { describeProblem, type Problem } from '../../shared/problem';
import { Prompt } from '../../shared/Prompt';
import { CREATE_PATH, entryPath, GALLERY_PATH } from '../../shared/route';
import { Link, PageHeading } from '../../shared/router';
import { useServices } from '../../shared/services';
import { unit } from '../../shared/time';
import { useLightbox } from '../../shared/useLightbox';
import { imageText, moment, shorten } from '../../shared/words';
import { createGalleryApi } from './api';
import '../../shared/tiles.css';
import './gallery.css';

type EntryState =
  | { readonly phase: 'loading' }
  | { readonly phase: 'failed'; readonly problem: Problem }
  | { readonly phase: 'ready'; readonly entry: Gallery };

export interface EntryPageProps {
  readonly id: string;
}

/** One prompt and what every model made of it. */
export function EntryPage({ id }: EntryPageProps) {
  const { state, names, reload } = useEntry(id);
  return (
    <div class="entry" aria-busy={state.phase === 'loading'}>
      <p class="entry__back">
        <Link to={GALLERY_PATH}>
          <span aria-hidden="true">← </span>All of the gallery
        </Link>
      </p>
      {state.phase === 'ready' ? (
        <Entry entry={state.entry} names={names} />
      ) : (
        <>
          <PageHeading title="Gallery entry">{state.phase === 'loading' ? 'Loading…' : 'Gallery entry'}</PageHeading>
          {state.phase === 'loading' ? (
            <div class="grid" aria-hidden="true">
              {Array.from({ length: 9 }, (_, index) => (
                <div key={index} class="tile__frame" />
              ))}
            </div>
          ) : (
            <Notice problem={state.problem}>
              <button type="button" class="button" onClick={reload}>
                Load again
              </button>
            </Notice>
          )}
        </>
      )}
    </div>
  );
}

function Entry({ entry, names }: { readonly entry: Gallery; readonly names: readonly NamedModel[] }) {
  const images = useMemo(
    () =>
      entry.images.map(({ model, imageUrl }) => {
        const name = names.find(({ id }) => id === model)?.name ?? model;
        return { url: imageUrl, model: name, text: imageText(entry.prompt, name) };
      }),
    [entry, names],
  );
  const { open, view } = useLightbox(images);
  return (
    <>
      <PageHeading title={isolated(shorten(entry.prompt, 60))} class="entry__prompt">
        <Prompt text={entry.prompt} />
      </PageHeading>
      <div class="entry__bar">
        <p class="card__facts">
          <time dateTime={entry.createdAt}>{moment(entry.createdAt)}</time>
          <span>{unit(entry.images.length, 'image')}</span>
        </p>
        <div class="actions">
          <CopyLink address={entryPath(entry.id)} />
          <Link
            to={CREATE_PATH}
            class="button button--small"
            onFollow={() => {
              draft.write({ ...draft.read(), prompt: entry.prompt });
            }}
          >
            Use this prompt
          </Link>
        </div>
      </div>
      <ul class="grid" aria-label="Images by model">
        {images.map(({ url, model, text }) => (
          <li key={url} class="tile">
            <div class="tile__frame">
              <Figure url={url} text={text} model={model} lazily onOpen={() => { open(url); }} />
            </div>
            <h2 class="tile__model">{model}</h2>
          </li>
        ))}
      </ul>
      {view}
    </>
  );
}

function useEntry(id: string) {
  const { client, environment } = useServices();
  const [state, setState] = useState<EntryState>({ phase: 'loading' });
  const [names, setNames] = useState<readonly NamedModel[]>([]);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const api = createGalleryApi(client, environment.imageHost);
    const controller = new AbortController();
    setState({ phase: 'loading' });
    api.entry(id, controller.signal).then(
      (entry) => {
        setState({ phase: 'ready', entry });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) {
          setState({ phase: 'failed', problem: describeProblem(error) });
        }
      },
    );
    // Without the names the ids are shown.
    api.models(controller.signal).then(setNames, () => undefined);
    return () => {
      controller.abort();
    };
  }, [client, environment, id, attempt]);

  return {
    state,
    names,
    reload: () => {
      setAttempt(attempt + 1);
    },
  };
}
