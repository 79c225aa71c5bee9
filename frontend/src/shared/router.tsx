import { type ComponentChildren, createContext } from 'preact';
import { useCallback, useContext, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import { parseRoute, type Route } from './route';

interface Location {
  readonly path: string;
  /** False on the page that was loaded; true once the person went on from there. */
  readonly moved: boolean;
  /** Where the page stood when it was left; zero where nobody has been. */
  readonly scroll: number;
}

export interface Router {
  readonly route: Route;
  readonly path: string;
  readonly moved: boolean;
  readonly scroll: number;
  readonly navigate: (path: string, how?: 'push' | 'replace') => void;
}

const RouterContext = createContext<Router | undefined>(undefined);

/** The present place, and the way to others. Raises when no RouterProvider stands above. */
export function useRouter(): Router {
  const router = useContext(RouterContext);
  if (router === undefined) {
    throw new Error('useRouter needs a RouterProvider above it');
  }
  return router;
}

interface RouterProviderProps {
  /** Where to begin; given where there is no browser to ask. */
  readonly at?: string;
  readonly children: ComponentChildren;
}

/** Follows the browser's history: addresses can be copied, and its buttons work. */
export function RouterProvider({ at, children }: RouterProviderProps) {
  const [location, setLocation] = useState<Location>(() => ({ path: at ?? window.location.pathname, moved: false, scroll: 0 }));

  useEffect(() => {
    const onPop = (event: PopStateEvent): void => {
      setLocation({ path: window.location.pathname, moved: true, scroll: scrollOf(event.state) });
    };
    window.addEventListener('popstate', onPop);
    return () => {
      window.removeEventListener('popstate', onPop);
    };
  }, []);

  const navigate = useCallback((path: string, how: 'push' | 'replace' = 'push') => {
    if (how === 'push') {
      history.replaceState({ scroll: window.scrollY }, '');
      history.pushState(null, '', path);
    } else {
      history.replaceState(null, '', path);
    }
    setLocation({ path: new URL(path, window.location.href).pathname, moved: true, scroll: 0 });
  }, []);

  const router = useMemo(() => ({ ...location, route: parseRoute(location.path), navigate }), [location, navigate]);
  return <RouterContext.Provider value={router}>{children}</RouterContext.Provider>;
}

function scrollOf(state: unknown): number {
  const scroll = typeof state === 'object' && state !== null && 'scroll' in state ? state.scroll : 0;
  return typeof scroll === 'number' ? scroll : 0;
}

interface LinkProps {
  readonly to: string;
  readonly class?: string;
  readonly current?: boolean;
  readonly onFollow?: () => void;
  readonly children: ComponentChildren;
}

/** A link within the page; with a key held down, or another button, the browser does what it always does. */
export function Link({ to, current = false, onFollow, children, ...rest }: LinkProps) {
  const { navigate } = useRouter();
  return (
    <a
      href={to}
      aria-current={current ? 'page' : undefined}
      class={rest.class}
      onClick={(event) => {
        if (event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
          event.preventDefault();
          onFollow?.();
          navigate(to);
        }
      }}
    >
      {children}
    </a>
  );
}

interface PageHeadingProps {
  /** What the tab is called, without the product's name; left out where something else names it. */
  readonly title?: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/**
 * A page's first heading. It names the tab, and takes the focus when somebody comes from another page, so that a
 * screen reader says where they are and the keyboard goes on from there.
 */
export function PageHeading({ title, children, ...rest }: PageHeadingProps) {
  const { moved, scroll } = useRouter();
  const heading = useRef<HTMLHeadingElement>(null);
  const arrival = useRef({ moved, scroll });

  useLayoutEffect(() => {
    if (arrival.current.moved) {
      window.scrollTo(0, arrival.current.scroll);
      heading.current?.focus({ preventScroll: true });
    }
  }, []);
  useTitle(title);

  return (
    <h1 ref={heading} tabIndex={-1} class={rest.class}>
      {children}
    </h1>
  );
}

export const PRODUCT = 'Pixel Prompt';

/** Names the tab; the product's own name comes last, because tabs are narrow. */
export function useTitle(title: string | undefined): void {
  useLayoutEffect(() => {
    if (title === undefined) {
      return;
    }
    document.title = title.startsWith(PRODUCT) ? title : `${title} · ${PRODUCT}`;
  }, [title]);
}
