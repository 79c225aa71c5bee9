/** A place in the page. Whatever an address says that is none of these is `unknown`. */
export type Route =
  | { readonly page: 'create'; readonly jobId: string | undefined }
  | { readonly page: 'gallery' }
  | { readonly page: 'entry'; readonly id: string }
  | { readonly page: 'unknown' };

/** The form of every id in the contract; anything else cannot exist, so the service need not be asked. */
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const CREATE_PATH = '/';
export const GALLERY_PATH = '/gallery';

export function jobPath(id: string): string {
  return `/job/${id}`;
}

export function entryPath(id: string): string {
  return `/gallery/${id}`;
}

export function parseRoute(path: string): Route {
  const [first = '', id, ...rest] = path.replace(/^\/|\/$/g, '').split('/');
  if (rest.length > 0 || (id !== undefined && !ID.test(id))) {
    return { page: 'unknown' };
  }
  switch (first) {
    case '':
    case 'index.html':
      return id === undefined ? { page: 'create', jobId: undefined } : { page: 'unknown' };
    case 'job':
      return id === undefined ? { page: 'unknown' } : { page: 'create', jobId: id };
    case 'gallery':
      return id === undefined ? { page: 'gallery' } : { page: 'entry', id };
    default:
      return { page: 'unknown' };
  }
}
