import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';

const TYPES: Record<string, string> = {
  css: 'text/css',
  js: 'text/javascript',
  svg: 'image/svg+xml',
  webmanifest: 'application/manifest+json',
};

/** Lets the preview answer compressed, as the distribution does: figures measured without it would be those of nobody's page. */
export function compressedPreview(): Plugin {
  return {
    name: 'pixel-prompt:compressed-preview',
    configurePreviewServer(server) {
      const folder = join(server.config.root, server.config.build.outDir);
      server.middlewares.use((request, response, next) => {
        const path = new URL(request.url ?? '/', 'http://preview').pathname;
        const type = TYPES[/^\/(?:assets\/)?[\w-]+\.(\w+)$/.exec(path)?.[1] ?? ''];
        const accepts = request.headers['accept-encoding']?.includes('gzip') === true;
        const content = type === undefined || !accepts ? undefined : contentOf(join(folder, path));
        if (type === undefined || content === undefined) {
          next();
          return;
        }
        response.setHeader('Content-Type', type);
        response.setHeader('Content-Encoding', 'gzip');
        response.setHeader('Vary', 'Accept-Encoding');
        response.setHeader('Cache-Control', path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
        response.end(gzipSync(content));
      });
    },
  };
}

/** A file that is not there is the preview's own to answer. */
function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
