import { oneOf, optional } from '../api/decode';
import { forGood, kept } from '../shared/storage';

export type Theme = 'light' | 'dark';

const chosen = kept<Theme | undefined>(forGood, 'theme', optional(oneOf('light', 'dark')), undefined);

/** The theme that was chosen on an earlier visit. */
export const chosenTheme = chosen.read;

/** The theme on screen: the one that was chosen here, else the system's. */
export function presentTheme(): Theme {
  return chosen.read() ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
}

/** Shows the theme that was chosen on an earlier visit, if any; called before the first render. */
export function restoreTheme(): void {
  const theme = chosen.read();
  if (theme !== undefined) {
    show(theme);
  }
}

export function chooseTheme(theme: Theme): void {
  chosen.write(theme);
  show(theme);
}

function show(theme: Theme): void {
  const root = document.documentElement;
  root.dataset['theme'] = theme;
  // The browser's own frame takes the page's colour.
  const paper = getComputedStyle(document.body).backgroundColor;
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    meta.content = paper === '' ? meta.content : paper;
  }
}
