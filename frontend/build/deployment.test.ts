// @vitest-environment node
import { readFileSync } from 'node:fs';

import { build } from 'vite';
import { describe, expect, it } from 'vitest';

import { readEnvironment, SETTING_NAMES, type Settings } from '../src/config/env.ts';
import { deployment, headTags } from './deployment.ts';

function policyOf(imageHost: string): string {
  const [policy] = headTags({ apiEndpoint: 'https://api.example.com/v1', imageHost, name: 'prod' });
  return String(policy?.attrs?.['content']);
}

describe('headTags', () => {
  it('allows exactly the deployment, and nothing inline', () => {
    const policy = policyOf('d111.cloudfront.net');

    expect(policy.split('; ')).toEqual([
      "default-src 'self'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data: https://d111.cloudfront.net",
      "connect-src 'self' https://api.example.com https://d111.cloudfront.net",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'self'",
    ]);
  });

  it('lets images come over plain http from this machine only', () => {
    expect(policyOf('127.0.0.1:4001')).toContain('http://127.0.0.1:4001');
    expect(policyOf('d111.cloudfront.net')).not.toContain('http://');
  });
});

describe('deployment', () => {
  const SETTINGS = {
    VITE_API_ENDPOINT: 'https://api.example.com',
    VITE_CLOUDFRONT_DOMAIN: 'd111.cloudfront.net',
    VITE_ENVIRONMENT: 'dev',
  };

  async function builtPage(settings: Settings & Record<string, string | undefined>): Promise<string> {
    const result = await build({
      root: new URL('..', import.meta.url).pathname,
      configFile: false,
      logLevel: 'silent',
      plugins: [deployment(readEnvironment(settings), Object.keys(settings))],
      build: { write: false },
    });
    const files = 'output' in result ? result.output : [];
    const page = files.find(({ fileName }) => fileName === 'index.html');
    return page?.type === 'asset' ? String(page.source) : '';
  }

  it('puts the policy into the page, before anything that it covers', async () => {
    const page = await builtPage(SETTINGS);

    expect(page).toContain('Content-Security-Policy');
    expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<script'));
    expect(page).not.toMatch(/<style|<script(?![^>]*src=)/);
  });

  it('refuses to build a page that could reach no API', async () => {
    await expect(builtPage({ ...SETTINGS, VITE_API_ENDPOINT: undefined })).rejects.toThrow(
      /VITE_API_ENDPOINT: expected .*; found nothing/,
    );
  });

  it('refuses a variable that nobody documented', async () => {
    await expect(builtPage({ ...SETTINGS, VITE_STRIPE: 'x' })).rejects.toThrow(
      /^[^]*VITE_STRIPE: expected only VITE_API_ENDPOINT, VITE_CLOUDFRONT_DOMAIN, VITE_ENVIRONMENT/,
    );
  });

  it('knows the variables that .env.example documents', () => {
    const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');

    expect([...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)).toEqual([...SETTING_NAMES]);
  });
});
