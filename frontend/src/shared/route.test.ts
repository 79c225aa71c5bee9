import { describe, expect, it } from 'vitest';

import { entryPath, jobPath, parseRoute } from './route';

const ID = '0198c0de-5f3a-4c1b-9d6e-2b7a4f1c8e90';

describe('parseRoute', () => {
  it.each([
    ['/', { page: 'create', jobId: undefined }],
    ['/index.html', { page: 'create', jobId: undefined }],
    [jobPath(ID), { page: 'create', jobId: ID }],
    ['/gallery', { page: 'gallery' }],
    ['/gallery/', { page: 'gallery' }],
    [entryPath(ID), { page: 'entry', id: ID }],
  ])('knows %s', (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  it.each(['/job', '/job/7', '/gallery/..%2f', `/gallery/${ID}/x`, `/${ID}`, '/index.html/x', '/Gallery'])(
    'knows nothing of %s',
    (path) => {
      expect(parseRoute(path)).toEqual({ page: 'unknown' });
    },
  );
});
