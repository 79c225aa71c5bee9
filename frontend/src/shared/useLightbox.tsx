import { useState } from 'preact/hooks';

import { ErrorBoundary } from './ErrorBoundary';
import { lazy } from './lazy';
import type { LargeImage, LightboxProps } from './Lightbox';
import { useServices } from './services';

const Lightbox = lazy<LightboxProps>(
  () => import('./Lightbox').then((part) => part.Lightbox),
  () => null,
);

/** The large view of some images: how to open it, and where it stands once it is open. */
export function useLightbox(images: readonly LargeImage[]) {
  const { report } = useServices();
  const [opened, setOpened] = useState<string | undefined>(undefined);
  const view =
    opened === undefined ? null : (
      <ErrorBoundary region="The large view" report={report}>
        <Lightbox
          images={images}
          first={opened}
          onClose={() => {
            setOpened(undefined);
          }}
        />
      </ErrorBoundary>
    );
  return { open: setOpened, view };
}
