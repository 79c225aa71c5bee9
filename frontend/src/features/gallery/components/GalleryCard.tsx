import { useState } from 'preact/hooks';

import type { GallerySummary } from '../../../api/contract';
import { Prompt } from '../../../shared/Prompt';
import { entryPath } from '../../../shared/route';
import { Link } from '../../../shared/router';
import { unit } from '../../../shared/time';
import { moment } from '../../../shared/words';

interface GalleryCardProps {
  readonly gallery: GallerySummary;
  readonly level: 2 | 3;
}

/** One gallery: its first image, its prompt as the link to it, and when it was made. */
export function GalleryCard({ gallery, level }: GalleryCardProps) {
  const [broken, setBroken] = useState(false);
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <li class="card">
      <div class="card__picture">
        {broken ? (
          <p class="card__missing">Preview not available</p>
        ) : (
          <img
            src={gallery.previewUrl}
            alt=""
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
      <Heading class="card__prompt">
        <Link to={entryPath(gallery.id)} class="card__link">
          <Prompt text={gallery.prompt} />
        </Link>
      </Heading>
      <p class="card__facts">
        <time dateTime={gallery.createdAt}>{moment(gallery.createdAt)}</time>
        <span>{unit(gallery.imageCount, 'image')}</span>
      </p>
    </li>
  );
}
