import { describe, expect, it } from 'vitest';

import { describeProblems, readEnvironment } from './env';

const GOOD = {
  VITE_API_ENDPOINT: 'https://abc123.execute-api.us-east-1.amazonaws.com',
  VITE_CLOUDFRONT_DOMAIN: 'd111111abcdef8.cloudfront.net',
  VITE_ENVIRONMENT: 'staging',
};

function problemsOf(settings: Parameters<typeof readEnvironment>[0]): string[] {
  const result = readEnvironment(settings);
  return result.ok ? [] : result.problems.map(({ name }) => name);
}

describe('readEnvironment', () => {
  it('accepts a complete deployment', () => {
    expect(readEnvironment(GOOD)).toEqual({
      ok: true,
      environment: {
        apiEndpoint: GOOD.VITE_API_ENDPOINT,
        imageHost: GOOD.VITE_CLOUDFRONT_DOMAIN,
        name: 'staging',
      },
    });
  });

  it('drops a trailing slash, so that paths can be appended', () => {
    const result = readEnvironment({ ...GOOD, VITE_API_ENDPOINT: ' https://api.example.com/ ' });

    expect(result.ok && result.environment.apiEndpoint).toBe('https://api.example.com');
  });

  it('names every setting that is missing at once', () => {
    expect(problemsOf({})).toEqual(['VITE_API_ENDPOINT', 'VITE_CLOUDFRONT_DOMAIN', 'VITE_ENVIRONMENT']);
  });

  it.each(['not an address', 'ftp://api.example.com', 'http://api.example.com', 'https://u:p@api.example.com', 'https://a.b/?x=1'])(
    'refuses %s as the API',
    (endpoint) => {
      expect(problemsOf({ ...GOOD, VITE_API_ENDPOINT: endpoint })).toEqual(['VITE_API_ENDPOINT']);
    },
  );

  it.each(['http://127.0.0.1:4000', 'http://localhost:4000', 'https://127.0.0.1:4000'])('accepts %s on this machine', (endpoint) => {
    expect(problemsOf({ ...GOOD, VITE_API_ENDPOINT: endpoint })).toEqual([]);
  });

  it.each(['https://d111.cloudfront.net', 'd111.cloudfront.net/images', "x'; script-src *", ''])(
    'refuses %j as the image host: it becomes part of the security policy',
    (host) => {
      expect(problemsOf({ ...GOOD, VITE_CLOUDFRONT_DOMAIN: host })).toEqual(['VITE_CLOUDFRONT_DOMAIN']);
    },
  );

  it('accepts an image host with a port', () => {
    expect(problemsOf({ ...GOOD, VITE_CLOUDFRONT_DOMAIN: '127.0.0.1:4001' })).toEqual([]);
  });

  it('refuses an unknown environment', () => {
    expect(problemsOf({ ...GOOD, VITE_ENVIRONMENT: 'production' })).toEqual(['VITE_ENVIRONMENT']);
  });
});

describe('describeProblems', () => {
  it('says what was expected, what was found and what to do', () => {
    const text = describeProblems([{ name: 'VITE_ENVIRONMENT', expected: 'one of local, dev', found: 'moon' }]);

    expect(text).toContain('VITE_ENVIRONMENT: expected one of local, dev; found moon');
    expect(text).toContain('deploy.sh');
  });
});
