// @vitest-environment node
import { build } from 'vite';
import { describe, expect, it } from 'vitest';

import { readEnvironment, type Settings } from '../src/config/env.ts';
import { deployment, headTags } from './deployment.ts';

function policyOf(imageHost: string): string {
  const [policy] = headTags({ apiEndpoint: 'https://api.example.com/v1', imageHost, name: 'prod' });
  return String(policy?.attrs?.['content']);
}

describe('headTags', () => {
  it('allows exactly the deployment, and nothing inline', () => {
    const policy = policyOf('d111.cloudfront.net');

    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self' https://api.example.com;");
    expect(policy).toContain("img-src 'self' https://d111.cloudfront.net;");
    expect(policy).not.toContain('unsafe');
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

  async function builtPage(settings: Settings): Promise<string> {
    const result = await build({
      root: new URL('..', import.meta.url).pathname,
      configFile: false,
      logLevel: 'silent',
      plugins: [deployment(readEnvironment(settings))],
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
});
