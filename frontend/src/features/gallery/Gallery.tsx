import { Notice } from '../../shared/Notice';
import { GalleryCard } from './components/GalleryCard';
import { useGallery } from './useGallery';
import './gallery.css';

interface GalleryProps {
  /** Raised by whoever knows that there is something new. */
  readonly version: number;
}

/** What was generated lately, by anyone. */
export function Gallery({ version }: GalleryProps) {
  const { state, reload } = useGallery(version);
  return (
    <section class="gallery" aria-labelledby="gallery-title" aria-busy={state.phase === 'loading'}>
      <h2 id="gallery-title">Recent gallery</h2>
      {state.phase === 'loading' ? (
        <>
          <p class="visually-hidden">Loading the gallery</p>
          <div class="gallery__list" aria-hidden="true">
            {Array.from({ length: 4 }, (_, index) => (
              <div key={index} class="card card--ghost">
                <div class="card__picture" />
                <div class="card__line" />
                <div class="card__line card__line--short" />
              </div>
            ))}
          </div>
        </>
      ) : state.phase === 'failed' ? (
        <Notice problem={state.problem}>
          <button type="button" class="button" onClick={reload}>
            Load the gallery again
          </button>
        </Notice>
      ) : state.galleries.length === 0 ? (
        <p class="gallery__empty">Nothing here yet. The first images you generate will open the gallery.</p>
      ) : (
        <ul class="gallery__list" aria-label="Galleries, newest first">
          {state.galleries.map((gallery) => (
            <GalleryCard key={gallery.id} gallery={gallery} />
          ))}
        </ul>
      )}
    </section>
  );
}
