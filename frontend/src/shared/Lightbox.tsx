import { useCallback, useState } from 'preact/hooks';

import { CopyLink } from './CopyLink';
import { download, imageFilename } from './download';
import { Icon } from './Icon';
import { Modal } from './Modal';
import './lightbox.css';

export interface LargeImage {
  readonly url: string;
  readonly model: string;
  readonly text: string;
}

export interface LightboxProps {
  readonly images: readonly LargeImage[];
  /** The address of the image to begin with. */
  readonly first: string;
  readonly onClose: () => void;
}

/** One image as large as the window allows, with the others a key away. */
export function Lightbox({ images, first, onClose }: LightboxProps) {
  const [url, setUrl] = useState(first);
  const index = Math.max(0, images.findIndex((image) => image.url === url));
  const image = images[index];

  const step = useCallback(
    (by: number) => {
      const next = images[(index + by + images.length) % images.length];
      if (next !== undefined) {
        setUrl(next.url);
      }
    },
    [images, index],
  );
  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      if (event.target instanceof HTMLInputElement) {
        return;
      }
      if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
        event.preventDefault();
        step(event.key === 'ArrowLeft' ? -1 : 1);
      }
    },
    [step],
  );

  if (image === undefined) {
    return null;
  }
  const several = images.length > 1;
  return (
    <Modal label="Large view" class="lightbox" onClose={onClose} onKeyDown={onKeyDown}>
      <div class="modal__head">
        <h2 class="lightbox__title">
          {image.model}
          {several ? (
            <span class="lightbox__place" aria-hidden="true">
              {index + 1} / {images.length}
            </span>
          ) : null}
        </h2>
        <p role="status" class="visually-hidden">
          {several ? `Image ${String(index + 1)} of ${String(images.length)}, by ${image.model}` : ''}
        </p>
        <button type="button" class="button button--icon" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div class="lightbox__stage">
        <img key={image.url} src={image.url} alt={image.text} width={1024} height={1024} />
      </div>
      <div class="lightbox__foot">
        {several ? (
          <div class="lightbox__steps">
            <button type="button" class="button button--icon" aria-label="Previous image" onClick={() => { step(-1); }}>
              <Icon name="left" />
            </button>
            <button type="button" class="button button--icon" aria-label="Next image" onClick={() => { step(1); }}>
              <Icon name="right" />
            </button>
          </div>
        ) : null}
        <Download key={image.url} image={image} />
        <CopyLink address={image.url} />
      </div>
    </Modal>
  );
}

function Download({ image }: { readonly image: LargeImage }) {
  const [state, setState] = useState<'idle' | 'busy' | 'done' | 'failed'>('idle');
  return (
    <span class="copy">
      <button
        type="button"
        class="button button--small"
        aria-disabled={state === 'busy'}
        onClick={() => {
          if (state === 'busy') {
            return;
          }
          setState('busy');
          download(image.url, imageFilename(image.url, image.model)).then(
            () => {
              setState('done');
            },
            () => {
              setState('failed');
            },
          );
        }}
      >
        <Icon name="download" />
        Download
      </button>
      <span role="status" class="copy__said">
        {state === 'busy' ? 'Downloading' : state === 'done' ? 'Saved' : ''}
        {state === 'failed' ? (
          <>
            Not saved.{' '}
            <a href={image.url} target="_blank" rel="noopener noreferrer">
              Open it in a new tab
            </a>
          </>
        ) : null}
      </span>
    </span>
  );
}
