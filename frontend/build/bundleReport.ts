import { mkdirSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { gzipSync } from 'node:zlib';

import type { Plugin, Rolldown } from 'vite';

/** What everything that the first view loads may weigh, compressed, in bytes. */
export const FIRST_VIEW_BUDGET = 45 * 1024;

type Bundle = Rolldown.OutputBundle;

export interface BundleFile {
  readonly name: string;
  readonly bytes: number;
  readonly gzip: number;
  /** True for what the browser fetches before anybody has done anything. */
  readonly firstView: boolean;
  /** The modules inside, largest first; none for what is no script. */
  readonly modules: readonly { readonly name: string; readonly bytes: number }[];
}

/**
 * Measures every build, and refuses one whose first view is too heavy.
 *
 * @param written writes the whole table into `report/`, beside the build and never inside it
 */
export function bundleReport(written: boolean): Plugin {
  let root = '';
  return {
    name: 'pixel-prompt:bundle-report',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      root = config.root;
    },
    writeBundle(_options, bundle) {
      const files = measure(bundle, root);
      const total = firstViewBytes(files);
      if (written) {
        mkdirSync(`${root}/report`, { recursive: true });
        writeFileSync(`${root}/report/bundle.md`, describe(files));
        writeFileSync(`${root}/report/bundle.json`, `${JSON.stringify({ firstViewGzip: total, files }, null, 2)}\n`);
        this.info(`report/bundle.md: first view ${kilobytes(total)} of ${kilobytes(FIRST_VIEW_BUDGET)}, gzip`);
      }
      if (total > FIRST_VIEW_BUDGET) {
        this.error({
          message:
            `The first view weighs ${kilobytes(total)} compressed; expected at most ${kilobytes(FIRST_VIEW_BUDGET)}. ` +
            'See which module grew with: npm run report',
          stack: '',
        });
      }
    },
  };
}

export function measure(bundle: Bundle, root: string): BundleFile[] {
  const first = firstViewNames(bundle);
  return Object.values(bundle)
    .map((file) => {
      const content = file.type === 'chunk' ? file.code : file.source;
      const modules =
        file.type === 'chunk'
          ? Object.entries(file.modules)
              .map(([id, { renderedLength }]) => ({ name: moduleName(id, root), bytes: renderedLength }))
              .filter(({ bytes }) => bytes > 0)
              .sort((a, b) => b.bytes - a.bytes)
          : [];
      return {
        name: file.fileName,
        bytes: Buffer.byteLength(content),
        gzip: gzipSync(content).length,
        firstView: first.has(file.fileName),
        modules,
      };
    })
    .sort((a, b) => Number(b.firstView) - Number(a.firstView) || b.gzip - a.gzip);
}

/** A module's path; the builder marks those that are no files with a zero character. */
function moduleName(id: string, root: string): string {
  return id.startsWith('\0') ? id.slice(1) : relative(root, id);
}

/** The page, and what it names or its script imports at once. */
function firstViewNames(bundle: Bundle): Set<string> {
  const names = new Set<string>();
  const visit = (name: string): void => {
    const file = bundle[name];
    if (file === undefined || names.has(name)) {
      return;
    }
    names.add(name);
    if (file.type === 'chunk') {
      file.imports.forEach(visit);
    }
  };
  const page = bundle['index.html'];
  if (page?.type === 'asset') {
    names.add('index.html');
    for (const name of Object.keys(bundle)) {
      if (String(page.source).includes(`/${name}"`)) {
        visit(name);
      }
    }
  }
  return names;
}

export function firstViewBytes(files: readonly BundleFile[]): number {
  return files.reduce((sum, { firstView, gzip }) => sum + (firstView ? gzip : 0), 0);
}

export function describe(files: readonly BundleFile[]): string {
  const lines = ['# Bundle', '', '| file | when | bytes | gzip |', '|---|---|--:|--:|'];
  for (const { name, bytes, gzip, firstView } of files) {
    lines.push(`| ${name} | ${firstView ? 'first view' : 'later'} | ${String(bytes)} | ${String(gzip)} |`);
  }
  const total = firstViewBytes(files);
  lines.push('', `First view: ${String(total)} bytes gzip, of ${String(FIRST_VIEW_BUDGET)} allowed.`, '');
  for (const { name, modules } of files.filter((file) => file.modules.length > 0)) {
    lines.push(`## ${name}`, '', '| module | bytes |', '|---|--:|');
    lines.push(...modules.map((module) => `| ${module.name} | ${String(module.bytes)} |`), '');
  }
  return lines.join('\n');
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
