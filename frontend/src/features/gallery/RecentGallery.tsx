import { GALLERY_PATH } from '../../shared/route';
import { Link } from '../../shared/router';
import { Shelves } from './components/Shelves';
import { useGalleries } from './useGalleries';

export interface RecentGalleryProps {
  /** Raised by whoever knows that there is something new. */
  readonly version: number;
}

const SHOWN = 5;

/** What was generated lately, by anyone. */
export function RecentGallery({ version }: RecentGalleryProps) {
  const { state, reload } = useGalleries(SHOWN, version, false);
  return (
    <section class="gallery gallery--recent" aria-labelledby="recent-title" aria-busy={state.phase === 'loading'}>
      <div class="gallery__head">
        <h2 id="recent-title">Recent gallery</h2>
        <Link to={GALLERY_PATH} class="more-link">
          See the whole gallery
        </Link>
      </div>
      <Shelves state={state} level={3} ghosts={SHOWN} onReload={reload}>
        <p>Nothing here yet. The first images you generate will open the gallery.</p>
      </Shelves>
    </section>
  );
}
