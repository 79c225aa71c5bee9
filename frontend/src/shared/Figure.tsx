import { useState } from 'preact/hooks';

interface FigureProps {
  readonly url: string;
  readonly text: string;
  readonly model: string;
  readonly lazily?: boolean;
  readonly onOpen: () => void;
}

/** A square image that opens large; one that cannot be loaded says so and can be asked for again. */
export function Figure({ url, text, model, lazily = false, onOpen }: FigureProps) {
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
    <button type="button" class="tile__open" aria-haspopup="dialog" onClick={onOpen}>
      <img
        key={attempt}
        src={url}
        alt={text}
        width={1024}
        height={1024}
        decoding="async"
        loading={lazily ? 'lazy' : 'eager'}
        onError={() => {
          setBroken(true);
        }}
      />
      <span class="visually-hidden"> Open large</span>
    </button>
  );
}
