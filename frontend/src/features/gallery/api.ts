import type { Client } from '../../api/client';
import type { GalleryPage, GallerySummary } from '../../api/contract';
import { count, type Decoder, list, object, optional, text } from '../../api/decode';
import { imageUrlOn } from '../../shared/imageUrl';

function galleryPage(imageHost: string): Decoder<GalleryPage> {
  return object<GalleryPage>({
    galleries: list(
      object<GallerySummary>({
        id: text,
        createdAt: text,
        prompt: text,
        previewUrl: imageUrlOn(imageHost),
        imageCount: count,
      }),
    ),
    nextCursor: optional(text),
  });
}

export interface GalleryApi {
  /** The newest galleries first. */
  list(signal: AbortSignal): Promise<GalleryPage>;
}

export function createGalleryApi(client: Client, imageHost: string): GalleryApi {
  const decode = galleryPage(imageHost);
  return { list: (signal) => client.call({ method: 'GET', path: '/gallery/list', decode, signal }) };
}
