import { join } from 'node:path';

import { build, runnerImport, type InlineConfig, type Plugin } from 'vite';

/** How this page's JSX is compiled, in whichever way it is built. */
export const JSX = { jsx: { runtime: 'automatic', importSource: 'preact' } } as const satisfies InlineConfig['oxc'];

const PLACE = '<div id="app"></div>';
const EARLY = 'early.js';

/**
 * Writes the opening into index.html, and before it the script that fits it to its visitor.
 *
 * A page that only its script fills stays empty until the last file has come. Neither part is inline, as the
 * content security policy allows nothing inline: the opening is text with classes, and the script is a file, loaded
 * beside the styles that the first paint waits for anyway.
 */
export function opening(): Plugin {
  let root = '';
  return {
    name: 'pixel-prompt:opening',
    configResolved(config) {
      root = config.root;
    },
    async buildStart() {
      if (this.environment.mode === 'build') {
        this.emitFile({ type: 'asset', name: EARLY, source: await earlyScript(root) });
      }
    },
    transformIndexHtml: {
      order: 'post',
      async handler(page, { bundle }) {
        const { module } = await runnerImport<{ openingMarkup: () => string }>(join(root, 'src/app/Opening.tsx'), {
          root,
          configFile: false,
          logLevel: 'silent',
          oxc: JSX,
        });
        const early = Object.values(bundle ?? {}).find((file) => file.type === 'asset' && file.names.includes(EARLY));
        const opened = replaced(page, PLACE, `<div id="app">${module.openingMarkup()}</div>`);
        // The development server does without the early script. It stands before the styles, for which it would wait
        // otherwise; the page's own scripts give way to both on a narrow line.
        return early === undefined
          ? opened
          : replaced(opened, '<script', `<script src="/${early.fileName}"></script>\n    <script`)
              .replaceAll('<script type="module"', '<script type="module" fetchpriority="low"')
              .replaceAll('<link rel="modulepreload"', '<link rel="modulepreload" fetchpriority="low"');
      },
    },
  };
}

function replaced(page: string, place: string, content: string): string {
  if (!page.includes(place)) {
    throw new Error(`index.html: expected ${place}, to put the opening there; found none`);
  }
  return page.replace(place, () => content);
}

/** A script on its own, that imports nothing: whatever is shared with the page would be one more trip before the paint. */
async function earlyScript(root: string): Promise<string> {
  const result = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    publicDir: false,
    build: {
      write: false,
      target: 'es2023',
      modulePreload: false,
      rolldownOptions: { input: join(root, 'src/early.ts'), output: { format: 'iife' } },
    },
  });
  const files = Array.isArray(result) ? result.flatMap(({ output }) => output) : 'output' in result ? result.output : [];
  const [script, ...others] = files;
  if (script?.type !== 'chunk' || others.length > 0) {
    throw new Error(`src/early.ts has to become one script; found ${files.map(({ fileName }) => fileName).join(', ')}`);
  }
  return script.code;
}
