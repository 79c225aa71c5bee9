import { useCallback, useEffect, useState } from 'preact/hooks';

import type { Client } from '../../api/client';
import type { GallerySummary } from '../../api/contract';
import { describeProblem, type Problem } from '../../shared/problem';
import { useServices } from '../../shared/services';
import { useTask } from '../../shared/useTask';
import { createGalleryApi } from './api';

export interface Shelf {
  readonly galleries: readonly GallerySummary[];
  readonly cursor: string | undefined;
}

export type GalleryState =
  | { readonly phase: 'loading' }
  | { readonly phase: 'failed'; readonly problem: Problem }
  | ({ readonly phase: 'ready'; readonly more: More } & Shelf);

/** How it stands with the next page. */
export type More =
  | { readonly state: 'idle' | 'loading' }
  | { readonly state: 'failed'; readonly problem: Problem };

export interface Galleries {
  readonly state: GalleryState;
  readonly reload: () => void;
  readonly showMore: () => void;
}

/** What was on screen when somebody went on to an entry: coming back, they find their place again. */
const shelves = new WeakMap<Client, Shelf>();

/**
 * The newest galleries, page by page; read anew whenever `version` changes.
 *
 * What is on screen stays there while a newer list is on its way, and when that cannot be had.
 *
 * @param remember keeps the pages for the next visit
 */
export function useGalleries(limit: number, version: number, remember: boolean): Galleries {
  const { client, environment } = useServices();
  const [api] = useState(() => createGalleryApi(client, environment.imageHost));
  const [state, setState] = useState<GalleryState>(() => {
    const shelf = remember ? shelves.get(client) : undefined;
    return shelf === undefined ? { phase: 'loading' } : { phase: 'ready', more: { state: 'idle' }, ...shelf };
  });
  const { begin } = useTask();

  const show = useCallback(
    (shelf: Shelf): void => {
      if (remember) {
        shelves.set(client, shelf);
      }
      setState({ phase: 'ready', more: { state: 'idle' }, ...shelf });
    },
    [client, remember],
  );

  const load = useCallback((): void => {
    const signal = begin();
    api.list({ limit }, signal).then(
      ({ galleries, nextCursor }) => {
        const before = remember ? shelves.get(client) : undefined;
        // Nothing new since the last visit: the pages that were opened then stay open.
        const same = before !== undefined && before.galleries[0]?.id === galleries[0]?.id;
        show(same ? before : { galleries, cursor: nextCursor });
      },
      (error: unknown) => {
        if (!signal.aborted) {
          const problem = describeProblem(error);
          setState((shown) => (shown.phase === 'ready' ? { ...shown, more: { state: 'failed', problem } } : { phase: 'failed', problem }));
        }
      },
    );
  }, [api, begin, client, limit, remember, show]);

  useEffect(() => {
    load();
  }, [load, version]);

  const reload = useCallback(() => {
    setState({ phase: 'loading' });
    load();
  }, [load]);

  const showMore = useCallback(() => {
    if (state.phase !== 'ready' || state.more.state === 'loading' || state.cursor === undefined) {
      return;
    }
    const signal = begin();
    const { galleries: shown } = state;
    setState({ ...state, more: { state: 'loading' } });
    api.list({ limit, cursor: state.cursor }, signal).then(
      ({ galleries, nextCursor }) => {
        const known = new Set(shown.map(({ id }) => id));
        show({ galleries: [...shown, ...galleries.filter(({ id }) => !known.has(id))], cursor: nextCursor });
      },
      (error: unknown) => {
        if (!signal.aborted) {
          setState({ ...state, more: { state: 'failed', problem: describeProblem(error) } });
        }
      },
    );
  }, [api, begin, limit, show, state]);

  return { state, reload, showMore };
}
