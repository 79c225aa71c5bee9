import { useCallback, useState } from 'preact/hooks';

import { Gallery } from '../features/gallery/Gallery';
import { Generate } from '../features/generate/Generate';
import { ErrorBoundary } from '../shared/ErrorBoundary';
import { type Services, ServicesContext } from '../shared/services';
import { Masthead } from './Masthead';

/** The page: the only place that knows both features. */
export function App({ services }: { readonly services: Services }) {
  const [galleryVersion, setGalleryVersion] = useState(0);
  const renewGallery = useCallback(() => {
    setGalleryVersion((version) => version + 1);
  }, []);

  return (
    <ServicesContext.Provider value={services}>
      <ErrorBoundary region="The page" report={services.report}>
        <a class="skip-link" href="#main">
          Skip to the prompt
        </a>
        <Masthead environment={services.environment.name} />
        <main id="main" class="page" tabIndex={-1}>
          <div class="intro">
            <h1>Say it once. See it many ways.</h1>
            <p class="intro__text">One prompt goes to every image model at the same time. Compare what each makes of it.</p>
          </div>
          <ErrorBoundary region="The generator" report={services.report}>
            <Generate onEnded={renewGallery} />
          </ErrorBoundary>
          <ErrorBoundary region="The gallery" report={services.report}>
            <Gallery version={galleryVersion} />
          </ErrorBoundary>
        </main>
        <footer class="footer">
          <p>Images are made by AI models and kept for 30 days.</p>
        </footer>
      </ErrorBoundary>
    </ServicesContext.Provider>
  );
}
