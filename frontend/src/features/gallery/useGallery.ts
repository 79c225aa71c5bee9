import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';

import type { GallerySummary } from '../../api/contract';
import { describeProblem, type Problem } from '../../shared/problem';
import { useServices } from '../../shared/services';
import { createGalleryApi } from './api';

export type GalleryState =
  | { readonly phase: 'loading' }
  | { readonly phase: 'failed'; readonly problem: Problem }
  | { readonly phase: 'ready'; readonly galleries: readonly GallerySummary[] };

/**
 * The newest galleries; read anew whenever `version` changes.
 *
 * What is on screen stays there while a newer list is on its way.
 */
export function useGallery(version: number): { readonly state: GalleryState; readonly reload: () => void } {
  const { client, environment } = useServices();
  const api = useMemo(() => createGalleryApi(client, environment.imageHost), [client, environment]);
  const [state, setState] = useState<GalleryState>({ phase: 'loading' });
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const controller = new AbortController();
    api.list(controller.signal).then(
      ({ galleries }) => {
        setState({ phase: 'ready', galleries });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) {
          setState({ phase: 'failed', problem: describeProblem(error) });
        }
      },
    );
    return () => {
      controller.abort();
    };
  }, [api, version, attempt]);

  const reload = useCallback(() => {
    setState({ phase: 'loading' });
    setAttempt((earlier) => earlier + 1);
  }, []);

  return { state, reload };
}
