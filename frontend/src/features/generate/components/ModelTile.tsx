import { useState } from 'preact/hooks';

import type { ModelState } from '../../../api/contract';
import type { Tile } from '../generation';

interface ModelTileProps {
  readonly tile: Tile;
  readonly name: string;
  readonly prompt: string;
  /** True when nobody looks at the job any more, so that nothing here may seem to move. */
  readonly lost: boolean;
}

const WORDS: Record<ModelState, string> = {
  pending: 'Waiting',
  running: 'Running',
  completed: 'Done',
  failed: 'Failed',
};

const ALT_PROMPT_CHARACTERS = 140;

/** One model's frame: waiting, running, done with its image, or failed with the reason. */
export function ModelTile({ tile, name, prompt, lost }: ModelTileProps) {
  return (
    <li class={`tile tile--${tile.state}${lost ? ' tile--still' : ''}`}>
      <div class="tile__frame">
        {tile.state === 'completed' && tile.imageUrl !== undefined ? (
          <TileImage url={tile.imageUrl} alt={`${shorten(prompt)} Image by ${name}.`} model={name} />
        ) : tile.state === 'failed' ? (
          <p class="tile__reason">{tile.error ?? 'This model brought no image.'}</p>
        ) : (
          <span class="tile__mosaic" aria-hidden="true" />
        )}
      </div>
      <div class="tile__caption">
        <h3 class="tile__model">{name}</h3>
        <p class="tile__state">
          {lost && (tile.state === 'pending' || tile.state === 'running') ? 'No news' : WORDS[tile.state]}
          {tile.state === 'completed' && tile.durationMs !== undefined ? (
            <span class="tile__duration"> {(tile.durationMs / 1000).toFixed(1)} s</span>
          ) : null}
        </p>
      </div>
    </li>
  );
}

interface TileImageProps {
  readonly url: string;
  readonly alt: string;
  readonly model: string;
}

function TileImage({ url, alt, model }: TileImageProps) {
  const [attempt, setAttempt] = useState(0);
  const [broken, setBroken] = useState(false);
  if (broken) {
    return (
      <div class="tile__reason">
        <p>The image is ready but could not be loaded.</p>
        <button
          type="button"
          class="button button--quiet"
          onClick={() => {
            setBroken(false);
            setAttempt(attempt + 1);
          }}
        >
          Load again <span class="visually-hidden">the image by {model}</span>
        </button>
      </div>
    );
  }
  return (
    <a class="tile__link" href={url} target="_blank" rel="noopener noreferrer">
      <img
        key={attempt}
        src={url}
        alt={alt}
        width={1024}
        height={1024}
        decoding="async"
        onError={() => {
          setBroken(true);
        }}
      />
      <span class="visually-hidden">Opens in full size in a new tab.</span>
    </a>
  );
}

function shorten(prompt: string): string {
  const letters = Array.from(prompt.trim());
  const text = letters.length > ALT_PROMPT_CHARACTERS ? `${letters.slice(0, ALT_PROMPT_CHARACTERS).join('')}…` : prompt.trim();
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
