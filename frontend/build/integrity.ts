import { createHash } from 'node:crypto';

import type { Plugin, Rolldown } from 'vite';

const LOADED = /<(?:script|link rel="(?:modulepreload|stylesheet)")[^>]*? (?:src|href)="\/([^"]+)"/g;

/**
 * Gives each script and style in index.html the hash of its content, so that browsers refuse one that was changed later.
 *
 * It covers what index.html names. What a script imports later would need an import map, which has to be inline, and the
 * content security policy allows nothing inline. It runs last: the builder changes its files until then.
 */
export function integrity(): Plugin {
  return {
    name: 'pixel-prompt:integrity',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const page = bundle['index.html'];
        if (page?.type === 'asset') {
          page.source = withIntegrity(String(page.source), bundle);
        }
      },
    },
  };
}

export function withIntegrity(page: string, bundle: Rolldown.OutputBundle): string {
  return page.replaceAll(LOADED, (tag: string, name: string) => {
    const file = bundle[name];
    if (file === undefined) {
      throw new Error(`index.html loads /${name}, which this build did not make; import it from src/main.tsx instead`);
    }
    const content = file.type === 'chunk' ? file.code : file.source;
    return `${tag} integrity="sha384-${createHash('sha384').update(content).digest('base64')}"`;
  });
}
