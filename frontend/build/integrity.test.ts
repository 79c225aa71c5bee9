// @vitest-environment node
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { integrity, withIntegrity } from './integrity.ts';
import { JSX, opening } from './opening.ts';

const folder = mkdtempSync(join(tmpdir(), 'integrity-'));
let tags: string[];

beforeAll(async () => {
  await build({
    root: new URL('..', import.meta.url).pathname,
    configFile: false,
    logLevel: 'silent',
    oxc: JSX,
    plugins: [opening(), integrity()],
    build: { outDir: folder, emptyOutDir: true },
  });
  tags = readFileSync(join(folder, 'index.html'), 'utf8').match(/<(?:script|link)\b[^>]*\/assets\/[^>]*>/g) ?? [];
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('integrity', () => {
  it('is that of every script and style that the page loads, as they are written', () => {
    const hashOf = (tag: string): string =>
      createHash('sha384')
        .update(readFileSync(join(folder, /\/(assets\/[^"]+)/.exec(tag)?.[1] ?? '')))
        .digest('base64');

    expect(tags.filter((tag) => !tag.includes(` integrity="sha384-${hashOf(tag)}"`))).toEqual([]);
    for (const kind of [/^<script src=/, /^<script type="module"/, /^<link rel="stylesheet"/]) {
      expect(tags.some((tag) => kind.test(tag))).toBe(true);
    }
  });

  it('leaves alone what is no code', () => {
    expect(withIntegrity('<link rel="icon" href="/favicon.svg" />', {})).toBe('<link rel="icon" href="/favicon.svg" />');
  });

  it('refuses a page that loads what was not built', () => {
    expect(() => withIntegrity('<script type="module" src="/lost.js"></script>', {})).toThrow(/loads \/lost\.js/);
  });
});
