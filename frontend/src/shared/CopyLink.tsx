import { useEffect, useRef, useState } from 'preact/hooks';

import { Icon } from './Icon';

interface CopyLinkProps {
  /** Absolute, or relative to this page's origin. */
  readonly address: string;
  readonly label?: string;
}

const SHOWN_MS = 4000;

/** Puts an address on the clipboard and says so; where that is forbidden, shows it for copying by hand. */
export function CopyLink({ address, label = 'Copy link' }: CopyLinkProps) {
  const [outcome, setOutcome] = useState<'none' | 'copied' | 'by hand'>('none');
  const field = useRef<HTMLInputElement>(null);
  const url = new URL(address, location.origin).href;

  useEffect(() => {
    setOutcome('none');
  }, [url]);
  useEffect(() => {
    if (outcome === 'by hand') {
      field.current?.select();
    }
    if (outcome !== 'copied') {
      return undefined;
    }
    const timer = setTimeout(() => {
      setOutcome('none');
    }, SHOWN_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [outcome]);

  return (
    <span class="copy">
      <button
        type="button"
        class="button button--small"
        onClick={() => {
          write(url).then(
            () => {
              setOutcome('copied');
            },
            () => {
              setOutcome('by hand');
            },
          );
        }}
      >
        <Icon name="link" />
        {label}
      </button>
      <span role="status" class="copy__said">
        {outcome === 'copied' ? 'Copied' : ''}
      </span>
      {outcome === 'by hand' ? (
        <input ref={field} class="copy__field" type="text" readOnly value={url} aria-label="The link, to copy by hand" />
      ) : null}
    </span>
  );
}

/** A page served over plain http has no clipboard at all. */
async function write(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}
