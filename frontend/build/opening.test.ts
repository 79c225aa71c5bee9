// @vitest-environment node
import { runInNewContext } from 'node:vm';

import { build } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';

import { JSX, opening } from './opening.ts';

let page: string;
let early: string;

beforeAll(async () => {
  const result = await build({
    root: new URL('..', import.meta.url).pathname,
    configFile: false,
    logLevel: 'silent',
    oxc: JSX,
    plugins: [opening()],
    build: { write: false },
  });
  const files = 'output' in result ? result.output : [];
  const text = (wanted: RegExp): string => {
    const file = files.find(({ fileName }) => wanted.test(fileName));
    return file?.type === 'asset' ? String(file.source) : '';
  };
  page = text(/^index\.html$/);
  early = text(/^assets\/early-.*\.js$/);
});

interface Visitor {
  readonly path: string;
  readonly kept?: string;
}

/** What the early script makes of the document's root, for somebody who opens `path`. */
function marked({ path, kept }: Visitor): Record<string, string> {
  const root = { dataset: {} };
  runInNewContext(early, {
    document: { documentElement: root },
    location: { pathname: path },
    localStorage: { getItem: () => kept ?? null },
  });
  return root.dataset;
}

describe('opening', () => {
  it('is in the page before any script has run, and needs none', () => {
    const body = page.slice(page.indexOf('<body'));

    expect(body).toMatch(/<h1[^>]*>Say it once\. See it many ways\.<\/h1>/);
    expect(body).toContain('href="/gallery"');
    expect(body).toMatch(/<noscript><p>Pixel Prompt needs JavaScript/);
    expect(body).not.toMatch(/<(input|textarea|script|style)|style=|aria-current/);
    expect(body.match(/<button/g)).toHaveLength(1);
  });

  it('has its early script before the styles, and the page behind them', () => {
    const places = [/<script src="\/assets\/early-/, /<script type="module" fetchpriority="low"/, /<link rel="stylesheet"/];

    expect(places.map((place) => page.search(place))).toEqual(places.map((place) => page.search(place)).sort((a, b) => a - b));
    expect(places.filter((place) => !place.test(page))).toEqual([]);
    expect(page).not.toMatch(/rel="modulepreload" (?!fetchpriority="low")/);
  });

  it('looks as its visitor chose', () => {
    expect(marked({ path: '/', kept: '"dark"' })).toEqual({ theme: 'dark' });
    expect(marked({ path: '/' })).toEqual({});
    expect(marked({ path: '/', kept: 'no JSON' })).toEqual({});
  });

  it('does not speak for other pages', () => {
    expect(marked({ path: '/job/00000000-0000-4000-8000-000000000000' })).toEqual({});
    expect(marked({ path: '/gallery' })).toEqual({ elsewhere: '' });
    expect(marked({ path: '/no-such-page' })).toEqual({ elsewhere: '' });
  });

  it('refuses a page that has no place for it', async () => {
    const handler = Reflect.get(opening().transformIndexHtml ?? {}, 'handler') as (html: string, context: object) => Promise<string>;

    await expect(handler('<main></main>', {})).rejects.toThrow(/expected <div id="app"><\/div>/);
  });
});
