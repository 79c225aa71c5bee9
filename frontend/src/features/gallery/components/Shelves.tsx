import type { ComponentChildren } from 'preact';

import type { GallerySummary } from '../../../api/contract';
import { Notice } from '../../../shared/Notice';
import type { GalleryState } from '../useGalleries';
import { GalleryCard } from './GalleryCard';
import '../gallery.css';

interface ShelvesProps {
  readonly state: GalleryState;
  readonly level: 2 | 3;
  readonly ghosts: number;
  readonly onReload: () => void;
  /** Stands in the place of a gallery that holds nothing. */
  readonly children: ComponentChildren;
}

/** The list of galleries, or what stands in its place. */
export function Shelves({ state, level, ghosts, onReload, children }: ShelvesProps) {
  if (state.phase === 'loading') {
    return (
      <>
        <p role="status" class="visually-hidden">
          Loading the gallery
        </p>
        <div class="gallery__list" aria-hidden="true">
          {Array.from({ length: ghosts }, (_, index) => (
            <div key={index} class="card card--ghost">
              <div class="card__picture" />
              <div class="card__line" />
              <div class="card__line card__line--short" />
            </div>
          ))}
        </div>
      </>
    );
  }
  if (state.phase === 'failed') {
    return (
      <Notice problem={state.problem}>
        <button type="button" class="button" onClick={onReload}>
          Load the gallery again
        </button>
      </Notice>
    );
  }
  if (state.galleries.length === 0) {
    return <div class="gallery__empty">{children}</div>;
  }
  return (
    <ul class="gallery__list" aria-label="Galleries, newest first">
      {state.galleries.map((gallery: GallerySummary) => (
        <GalleryCard key={gallery.id} gallery={gallery} level={level} />
      ))}
    </ul>
  );
}
