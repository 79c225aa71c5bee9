// @vitest-environment node
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { preview, type PreviewServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { compressedPreview } from './compressedPreview.ts';

let root: string;
let server: PreviewServer;
let address: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'preview-'));
  mkdirSync(join(root, 'dist', 'assets'), { recursive: true });
  writeFileSync(join(root, 'dist', 'index.html'), '<!doctype html><p>page</p>');
  writeFileSync(join(root, 'dist', 'assets', 'a-b.js'), 'export const a = 1;');
  server = await preview({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [compressedPreview()],
    preview: { host: '127.0.0.1', port: 0 },
  });
  address = server.resolvedUrls?.local[0] ?? '';
});

afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

describe('compressedPreview', () => {
  it('sends what is text compressed, and to be kept', async () => {
    const answer = await fetch(`${address}assets/a-b.js`);

    expect(answer.headers.get('Content-Encoding')).toBe('gzip');
    expect(answer.headers.get('Content-Type')).toBe('text/javascript');
    expect(answer.headers.get('Cache-Control')).toContain('immutable');
    expect(await answer.text()).toBe('export const a = 1;');
  });

  it('leaves the rest to the preview', async () => {
    const plain = await fetch(`${address}assets/a-b.js`, { headers: { 'Accept-Encoding': 'identity' } });
    expect(plain.headers.get('Content-Encoding')).toBeNull();
    expect(await (await fetch(`${address}gallery`)).text()).toContain('page');
    expect((await fetch(`${address}assets/gone.js`)).headers.get('Content-Encoding')).toBeNull();
  });
});
