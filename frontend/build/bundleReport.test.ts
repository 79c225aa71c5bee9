// @vitest-environment node
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'vite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { bundleReport, FIRST_VIEW_BUDGET } from './bundleReport.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bundle-'));
  writeFileSync(join(root, 'index.html'), '<!doctype html><script type="module" src="/main.js"></script>');
  writeFileSync(join(root, 'later.js'), 'export const later = "later";');
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

async function buildWith(main: string, written: boolean): Promise<void> {
  writeFileSync(join(root, 'main.js'), main);
  await build({ root, configFile: false, logLevel: 'silent', plugins: [bundleReport(written)] });
}

describe('bundleReport', () => {
  it('tells the first view from what comes later, outside of the build', async () => {
    await buildWith('import("./later.js").then((m) => console.error(m.later));', true);
    const report = readFileSync(join(root, 'report', 'bundle.md'), 'utf8');

    expect(report).toMatch(/\| assets\/index-.*\.js \| first view \|/);
    expect(report).toMatch(/\| index\.html \| first view \|/);
    expect(report).toMatch(/\| assets\/later-.*\.js \| later \|/);
    expect(report).toMatch(/\| main\.js \| \d+ \|/);
    expect(existsSync(join(root, 'dist', 'report'))).toBe(false);
  });

  it('refuses a first view that is too heavy, and leaves no report unasked', async () => {
    const ballast = randomBytes(FIRST_VIEW_BUDGET).toString('base64');

    await expect(buildWith(`console.error("${ballast}");`, false)).rejects.toThrow(/first view weighs .* expected at most 45\.0 KB/);
    expect(existsSync(join(root, 'report'))).toBe(false);
  });
});
