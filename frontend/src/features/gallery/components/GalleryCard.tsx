import { useState } from 'preact/hooks';

import type { GallerySummary } from '../../../api/contract';
import { unit } from '../../../shared/time';

/** One gallery: its first image, its prompt, and when it was made. */
export function GalleryCard({ gallery }: { readonly gallery: GallerySummary }) {
  const [broken, setBroken] = useState(false);
  return (
    <li class="card">
      <div class="card__picture">
        {broken ? (
          <p class="card__missing">Preview not available</p>
        ) : (
          <img
            src={gallery.previewUrl}
            alt={`Preview for: ${gallery.prompt}`}
            width={512}
            height={512}
            loading="lazy"
            decoding="async"
            onError={() => {
              setBroken(true);
            }}
          />
        )}
      </div>
      <h3 class="card__prompt">{gallery.prompt}</h3>
      <p class="card__facts">
        <time dateTime={gallery.createdAt}>{moment(gallery.createdAt)}</time>
        <span>{unit(gallery.imageCount, 'image')}</span>
      </p>
    </li>
  );
}

/** A moment as the reader's language writes it; what is no date stays as it was sent. */
function moment(text: string): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) {
    return text;
  }
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}
