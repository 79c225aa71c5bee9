import { CREATE_PATH, GALLERY_PATH } from '../shared/route';
import { Link, PageHeading } from '../shared/router';

/** For addresses that lead nowhere: where one can go instead. */
export function NotFoundPage() {
  return (
    <div class="intro intro--page lost">
      <PageHeading title="Not found">There is no such page</PageHeading>
      <p class="intro__text">The link may be incomplete, or older than the 30 days for which images are kept.</p>
      <p class="actions">
        <Link to={CREATE_PATH} class="button button--primary">
          Create images
        </Link>
        <Link to={GALLERY_PATH} class="button">
          Browse the gallery
        </Link>
      </p>
    </div>
  );
}
