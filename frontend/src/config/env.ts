/** What the page must know about its deployment, validated once at the start. */
export interface Environment {
  /** Base address of the HTTP API, without a trailing slash. */
  readonly apiEndpoint: string;
  /** Host (and port, if any) of the distribution that serves the images. */
  readonly imageHost: string;
  readonly name: EnvironmentName;
}

export const ENVIRONMENT_NAMES = ['local', 'dev', 'staging', 'prod'] as const;
export type EnvironmentName = (typeof ENVIRONMENT_NAMES)[number];

/** One setting that cannot be used: what was expected and what was found. */
export interface SettingProblem {
  readonly name: string;
  readonly expected: string;
  readonly found: string;
}

export type EnvironmentResult =
  | { readonly ok: true; readonly environment: Environment }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/** The settings as text, exactly as the build inlined them. */
export interface Settings {
  readonly VITE_API_ENDPOINT?: string | undefined;
  readonly VITE_CLOUDFRONT_DOMAIN?: string | undefined;
  readonly VITE_ENVIRONMENT?: string | undefined;
}

/** Every setting there is; the build takes no other variable that begins with VITE_. */
export const SETTING_NAMES = [
  'VITE_API_ENDPOINT',
  'VITE_CLOUDFRONT_DOMAIN',
  'VITE_ENVIRONMENT',
] as const satisfies readonly (keyof Settings)[];

export const NEXT_STEP = 'Run ./scripts/deploy.sh <environment>, or copy frontend/.env.example to frontend/.env.';

const HOST = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/i;

/**
 * Validates the three settings together, so that one look shows everything that is wrong.
 *
 * A page without its API's address would be useless, and a mistyped one fails in ways that look like an outage.
 */
export function readEnvironment(settings: Settings): EnvironmentResult {
  const problems: SettingProblem[] = [];
  const refuse = (name: keyof Settings, expected: string): void => {
    const found = settings[name]?.trim() ?? '';
    problems.push({ name, expected, found: found === '' ? 'nothing' : found });
  };

  const apiEndpoint = parseEndpoint(settings.VITE_API_ENDPOINT);
  if (apiEndpoint === undefined) {
    refuse('VITE_API_ENDPOINT', "the API's https address, such as https://abc123.execute-api.us-east-1.amazonaws.com");
  }
  const imageHost = parseHost(settings.VITE_CLOUDFRONT_DOMAIN);
  if (imageHost === undefined) {
    refuse('VITE_CLOUDFRONT_DOMAIN', "the image host's name without a scheme, such as d111111abcdef8.cloudfront.net");
  }
  const name = ENVIRONMENT_NAMES.find((known) => known === settings.VITE_ENVIRONMENT?.trim());
  if (name === undefined) {
    refuse('VITE_ENVIRONMENT', `one of ${ENVIRONMENT_NAMES.join(', ')}`);
  }

  if (apiEndpoint === undefined || imageHost === undefined || name === undefined) {
    return { ok: false, problems };
  }
  return { ok: true, environment: { apiEndpoint, imageHost, name } };
}

/** Says for a terminal what the page says on screen. */
export function describeProblems(problems: readonly SettingProblem[]): string {
  const lines = problems.map(({ name, expected, found }) => `  ${name}: expected ${expected}; found ${found}`);
  return ['Pixel Prompt is not configured:', ...lines, NEXT_STEP].join('\n');
}

/** True for an address of this machine, where plain http is no risk. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}

function parseEndpoint(text: string | undefined): string | undefined {
  const url = URL.parse(text?.trim() ?? '');
  if (url === null) {
    return undefined;
  }
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return secure && plain ? url.href.replace(/\/+$/, '') : undefined;
}

function parseHost(text: string | undefined): string | undefined {
  const host = text?.trim().toLowerCase() ?? '';
  return HOST.test(host) ? host : undefined;
}
