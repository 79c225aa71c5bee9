import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import type { EnvironmentName } from '../config/env';
import { Icon } from '../shared/Icon';
import { CREATE_PATH, GALLERY_PATH } from '../shared/route';
import { Link, PRODUCT, useRouter } from '../shared/router';
import { chooseTheme, presentTheme } from './theme';

/** The page's head: the way to its pages, and beside it what needs the page's script. */
export function Masthead({ children }: { readonly children?: ComponentChildren }) {
  const { route } = useRouter();
  return (
    <header class="masthead">
      <Brand />
      <nav class="masthead__nav" aria-label="Main">
        <Link to={CREATE_PATH} current={route.page === 'create'}>
          Create
        </Link>
        <Link to={GALLERY_PATH} current={route.page === 'gallery' || route.page === 'entry'}>
          Gallery
        </Link>
      </nav>
      {children}
    </header>
  );
}

/** Everything but production says where it is, so that nobody mistakes it. */
export function EnvironmentBadge({ name }: { readonly name: EnvironmentName }) {
  return name === 'prod' ? null : (
    <p class="masthead__environment">
      <span class="visually-hidden">Environment: </span>
      {name}
    </p>
  );
}

export function Tools({ onHelp }: { readonly onHelp: () => void }) {
  return (
    <div class="masthead__tools">
      <button
        type="button"
        class="button button--icon masthead__help"
        aria-label="Keyboard shortcuts"
        aria-haspopup="dialog"
        onClick={onHelp}
      >
        <Icon name="keyboard" />
      </button>
      <ThemeSwitch />
    </div>
  );
}

export function Brand() {
  return (
    <p class="masthead__name">
      <img src="/favicon.svg" alt="" width={32} height={32} />
      <span>{PRODUCT}</span>
    </p>
  );
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(presentTheme);
  return (
    <button
      type="button"
      role="switch"
      class="button button--icon"
      aria-label="Dark theme"
      aria-checked={theme === 'dark'}
      onClick={() => {
        const next = theme === 'dark' ? 'light' : 'dark';
        chooseTheme(next);
        setTheme(next);
      }}
    >
      <Icon name={theme === 'dark' ? 'moon' : 'sun'} />
    </button>
  );
}
