import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import type { RecentGalleryProps } from '../features/gallery/RecentGallery';
import { Generate } from '../features/generate/Generate';
import { ErrorBoundary } from '../shared/ErrorBoundary';
import { lazy } from '../shared/lazy';
import { useServices } from '../shared/services';
import { Intro } from './Intro';

const RecentGallery = lazy<RecentGalleryProps>(
  () => import('../features/gallery/RecentGallery').then((part) => part.RecentGallery),
  () => null,
);

/** Where images are made, with what was made lately below. */
export function HomePage({ jobId }: { readonly jobId: string | undefined }) {
  const { report } = useServices();
  const [version, setVersion] = useState(0);
  const renew = useCallback(() => {
    setVersion((earlier) => earlier + 1);
  }, []);
  const { near, place } = useNear();
  return (
    <>
      <Intro />
      <Generate jobId={jobId} onEnded={renew} />
      <div ref={place} class="recent">
        <ErrorBoundary region="The recent gallery" report={report}>
          {near ? <RecentGallery version={version} /> : null}
        </ErrorBoundary>
      </div>
    </>
  );
}

/** True once a place is about to come into sight: what nobody scrolls to need not be loaded. */
function useNear() {
  const place = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(() => !('IntersectionObserver' in window));
  useEffect(() => {
    if (near || place.current === null) {
      return undefined;
    }
    const observer = new IntersectionObserver(
      (entries) => {
        setNear(entries.some(({ isIntersecting }) => isIntersecting));
      },
      { rootMargin: '150px' },
    );
    observer.observe(place.current);
    return () => {
      observer.disconnect();
    };
  }, [near]);
  return { near, place };
}
