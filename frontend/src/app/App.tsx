import { useState } from 'preact/hooks';

import type { EntryPageProps } from '../features/gallery/EntryPage';
import { ErrorBoundary } from '../shared/ErrorBoundary';
import { lazy } from '../shared/lazy';
import { CREATE_PATH, GALLERY_PATH, type Route } from '../shared/route';
import { RouterProvider, useRouter } from '../shared/router';
import { type Services, ServicesContext, useServices } from '../shared/services';
import { useShortcut } from '../shared/shortcuts';
import type { HelpProps } from './Help';
import { HomePage } from './HomePage';
import { EnvironmentBadge, Masthead, Tools } from './Masthead';
import { OfflineBanner } from './OfflineBanner';
import { SkipLink } from './SkipLink';

// The first page comes with the frame, so that it needs one trip less; everything else has files of its own.
const GalleryPage = lazy(() => import('../features/gallery/GalleryPage').then((part) => part.GalleryPage));
const EntryPage = lazy<EntryPageProps>(() => import('../features/gallery/EntryPage').then((part) => part.EntryPage));
const NotFoundPage = lazy(() => import('./NotFoundPage').then((part) => part.NotFoundPage));
const Help = lazy<HelpProps>(
  () => import('./Help').then((part) => part.Help),
  () => null,
);

/** The page: the only place that knows both features. */
export function App({ services }: { readonly services: Services }) {
  return (
    <ServicesContext.Provider value={services}>
      <ErrorBoundary region="The page" level={1} report={services.report}>
        <RouterProvider>
          <Frame />
        </RouterProvider>
      </ErrorBoundary>
    </ServicesContext.Provider>
  );
}

function Frame() {
  const { report, environment } = useServices();
  const { route, navigate } = useRouter();
  const [help, setHelp] = useState(false);
  useShortcut('c', () => {
    navigate(CREATE_PATH);
  });
  useShortcut('g', () => {
    navigate(GALLERY_PATH);
  });
  useShortcut('?', () => {
    setHelp(true);
  });
  return (
    <>
      <SkipLink />
      <ErrorBoundary region="The header" report={report}>
        <Masthead>
          <EnvironmentBadge name={environment.name} />
          <Tools
            onHelp={() => {
              setHelp(true);
            }}
          />
        </Masthead>
      </ErrorBoundary>
      <OfflineBanner />
      <main id="main" class="page" tabIndex={-1}>
        <ErrorBoundary key={route.page} region={REGIONS[route.page]} level={1} report={report}>
          <Page route={route} />
        </ErrorBoundary>
      </main>
      <footer class="footer">
        <p>Images are made by AI models and kept for 30 days.</p>
      </footer>
      {help ? (
        <ErrorBoundary region="The shortcuts" report={report}>
          <Help
            onClose={() => {
              setHelp(false);
            }}
          />
        </ErrorBoundary>
      ) : null}
    </>
  );
}

const REGIONS: Record<Route['page'], string> = {
  create: 'The page',
  gallery: 'The gallery',
  entry: 'The gallery entry',
  unknown: 'The page',
};

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case 'create':
      return <HomePage jobId={route.jobId} />;
    case 'gallery':
      return <GalleryPage />;
    case 'entry':
      return <EntryPage key={route.id} id={route.id} />;
    case 'unknown':
      return <NotFoundPage />;
  }
}
