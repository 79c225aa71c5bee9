import type { HtmlTagDescriptor, Plugin } from 'vite';

import { describeProblems, type Environment, type EnvironmentResult, isLoopback, SETTING_NAMES } from '../src/config/env.ts';

/**
 * Ties a build to its deployment, and refuses to build for none: a page that can reach no API must not look like success.
 *
 * The development server starts all the same; there the page itself says what is missing. It injects inline styles,
 * so the policy is for built pages only.
 *
 * @param variables names of all variables that the build could put into the public files
 */
export function deployment(settings: EnvironmentResult, variables: readonly string[] = []): Plugin {
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
      if (this.environment.mode !== 'build') {
        return;
      }
      if (!settings.ok) {
        this.error({ message: describeProblems(settings.problems), stack: '' });
      }
      const strangers = variables.filter((name) => !SETTING_NAMES.some((known) => known === name));
      if (strangers.length > 0) {
        this.error({ message: describeStrangers(strangers), stack: '' });
      }
    },
  };
}

/** Whatever begins with VITE_ is meant for the public; a name that nobody documented may be a secret by mistake. */
function describeStrangers(names: readonly string[]): string {
  return (
    `${names.join(', ')}: expected only ${SETTING_NAMES.join(', ')}. Variables that begin with VITE_ can end up in the ` +
    'public bundle. Rename what is not for the page; document in frontend/.env.example and src/config/env.ts what is.'
  );
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
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' data: ${images.join(' ')}`,
    // The API, and the images once more: saving one under a name of its own means fetching it. Own files are no more
    // than what scripts may come from already; auditors fetch robots.txt from within the page.
    `connect-src 'self' ${[api, ...images].join(' ')}`,
    "object-src 'none'",
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
