import { useLayoutEffect, useRef } from 'preact/hooks';

import { Notice } from '../../shared/Notice';
import { CREATE_PATH } from '../../shared/route';
import { Link, PageHeading } from '../../shared/router';
import { unit } from '../../shared/time';
import { Shelves } from './components/Shelves';
import { useGalleries } from './useGalleries';

const PAGE_SIZE = 20;

/** Everything that is kept, newest first, a page at a time. */
export function GalleryPage() {
  const { state, reload, showMore } = useGalleries(PAGE_SIZE, 0, true);
  const shown = state.phase === 'ready' ? state.galleries.length : 0;
  const list = useArrivals(shown);
  const more = state.phase === 'ready' ? state.more : undefined;
  const further = state.phase === 'ready' && state.cursor !== undefined;

  return (
    <div class="gallery" aria-busy={state.phase === 'loading'} ref={list}>
      <div class="intro intro--page">
        <PageHeading title="Gallery">Gallery</PageHeading>
        <p class="intro__text">One prompt, many hands. Everything that was made in the last 30 days, newest first.</p>
      </div>
      <Shelves state={state} level={2} ghosts={8} onReload={reload}>
        <p class="empty__title">Nothing here yet</p>
        <p>The first images that somebody generates open the gallery.</p>
        <Link to={CREATE_PATH} class="button button--primary">
          Create the first
        </Link>
      </Shelves>
      <p role="status" class="visually-hidden">
        {shown === 0 ? '' : `${unit(shown, 'prompt')} shown${further ? '' : ', all there are'}`}
      </p>
      {more?.state === 'failed' ? <Notice problem={more.problem} /> : null}
      {further ? (
        <button
          type="button"
          class="button gallery__more"
          aria-disabled={more?.state === 'loading'}
          onClick={showMore}
        >
          {more?.state === 'loading' ? 'Loading more' : 'Show more'}
        </button>
      ) : null}
    </div>
  );
}

/** After a further page the focus goes to its first entry: what was asked for begins there. */
function useArrivals(shown: number) {
  const list = useRef<HTMLDivElement>(null);
  const before = useRef(shown);
  useLayoutEffect(() => {
    const arrived = before.current > 0 && shown > before.current;
    const links = list.current?.querySelectorAll<HTMLAnchorElement>('li a');
    if (arrived) {
      links?.[before.current]?.focus();
    }
    before.current = shown;
  }, [shown]);
  return list;
}
