import type { HtmlTagDescriptor, Plugin } from 'vite';

import { describeProblems, type Environment, type EnvironmentResult, isLoopback } from '../src/config/env.ts';

/**
 * Ties a build to its deployment, and refuses to build for none: a page that can reach no API must not look like success.
 *
 * The development server starts all the same; there the page itself says what is missing. It injects inline styles,
 * so the policy is for built pages only.
 */
export function deployment(settings: EnvironmentResult): Plugin {
  return {
    name: 'pixel-prompt:deployment',
    configureServer(server) {
      if (!settings.ok) {
        server.config.logger.warn(describeProblems(settings.problems));
      }
    },
    transformIndexHtml: {
      order: 'pre',
      handler: (_html, { server }) => (settings.ok && server === undefined ? headTags(settings.environment) : []),
    },
    buildStart() {
      if (!settings.ok && this.environment.mode === 'build') {
        this.error({ message: describeProblems(settings.problems), stack: '' });
      }
    },
  };
}

/**
 * A content security policy for exactly this deployment, and early connections to it.
 *
 * The policy stands in the page, so that it holds wherever the files are hosted, and first: it covers only what
 * follows it. A host that can set headers adds `frame-ancestors`, which a page cannot say about itself.
 */
export function headTags(environment: Environment): HtmlTagDescriptor[] {
  const api = new URL(environment.apiEndpoint).origin;
  const images = imageOrigins(environment.imageHost);
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' ${images.join(' ')}`,
    `connect-src 'self' ${api}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ');
  return [
    { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' },
    { tag: 'link', attrs: { rel: 'preconnect', href: api, crossorigin: '' }, injectTo: 'head' },
    { tag: 'link', attrs: { rel: 'preconnect', href: images[0] ?? '' }, injectTo: 'head' },
  ];
}

function imageOrigins(host: string): string[] {
  const secure = `https://${host}`;
  return isLoopback(new URL(secure).hostname) ? [secure, `http://${host}`] : [secure];
}
