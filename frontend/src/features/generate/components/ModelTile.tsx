import { useRef } from 'preact/hooks';

import type { ModelState } from '../../../api/contract';
import { Figure } from '../../../shared/Figure';
import { Icon } from '../../../shared/Icon';
import type { Tile } from '../generation';

interface ModelTileProps {
  readonly tile: Tile;
  readonly name: string;
  readonly text: string;
  /** True when nobody looks at the job any more, so that nothing here may seem to move. */
  readonly lost: boolean;
  /** What pressing the button of a failed model does: a lost retry is looked at again before another is paid for. */
  readonly remedy: 'Try again' | 'Look again';
  /** True while the service has said to wait. */
  readonly barred: boolean;
  readonly onOpen: (url: string) => void;
  /** Asks this model alone once more; absent while that is not possible. */
  readonly onRetry: (() => void) | undefined;
}

const WORDS: Record<ModelState, string> = {
  pending: 'Waiting',
  running: 'Running',
  completed: 'Done',
  failed: 'Failed',
};

/** One model's frame: waiting, running, done with its image, or failed with the reason. */
export function ModelTile({ tile, name, text, lost, remedy, barred, onOpen, onRetry }: ModelTileProps) {
  const { state, imageUrl } = tile;
  const place = useRef<HTMLLIElement>(null);
  return (
    <li ref={place} tabIndex={-1} class={`tile tile--${state}${lost ? ' tile--still' : ''}`}>
      <div class="tile__frame">
        {state === 'completed' && imageUrl !== undefined ? (
          <Figure
            url={imageUrl}
            text={text}
            model={name}
            onOpen={() => {
              onOpen(imageUrl);
            }}
          />
        ) : state === 'failed' ? (
          <div class="tile__reason">
            <p>{tile.error ?? 'This model brought no image.'}</p>
            {onRetry === undefined ? null : (
              <button
                type="button"
                class="button button--small"
                aria-disabled={barred}
                onClick={() => {
                  if (!barred) {
                    // The button goes with the failure; whoever pressed it by key stays at this place.
                    place.current?.focus();
                    onRetry();
                  }
                }}
              >
                <Icon name="again" />
                {remedy} <span class="visually-hidden">with {name}</span>
              </button>
            )}
          </div>
        ) : (
          <span class="tile__mosaic" aria-hidden="true" />
        )}
      </div>
      <div class="tile__caption">
        <h3 class="tile__model">{name}</h3>
        <p class="tile__state">
          {lost && (state === 'pending' || state === 'running') ? 'No news' : WORDS[state]}
          {state === 'completed' && tile.durationMs !== undefined ? (
            <span class="tile__duration"> {(tile.durationMs / 1000).toFixed(1)} s</span>
          ) : null}
        </p>
      </div>
    </li>
  );
}
