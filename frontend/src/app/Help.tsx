import { useState } from 'preact/hooks';

import { Icon } from '../shared/Icon';
import { Modal } from '../shared/Modal';
import { SHORTCUTS, shortcutsOn } from '../shared/shortcuts';
import './help.css';

export interface HelpProps {
  readonly onClose: () => void;
}

const ALWAYS = [
  { keys: ['Ctrl', 'Enter'], does: 'Generate, from the prompt (on a Mac: Command)' },
  { keys: ['←', '→'], does: 'The image before and after, in the large view' },
  { keys: ['Esc'], does: 'Close a dialog' },
];

/** The keys, and the switch that turns the single ones off. */
export function Help({ onClose }: HelpProps) {
  const [on, setOn] = useState(shortcutsOn.read);
  return (
    <Modal label="Keyboard shortcuts" onClose={onClose}>
      <div class="modal__head">
        <h2>Keyboard shortcuts</h2>
        <button type="button" class="button button--icon" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <dl class="keys">
        {[...ALWAYS, ...SHORTCUTS.map(({ key, does }) => ({ keys: [key], does }))].map(({ keys, does }) => (
          <div key={does} class="keys__line">
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label class="keys__switch">
        <input
          type="checkbox"
          role="switch"
          checked={on}
          aria-describedby="single-keys"
          onChange={(event) => {
            setOn(event.currentTarget.checked);
            shortcutsOn.write(event.currentTarget.checked);
          }}
        />
        Single-key shortcuts
      </label>
      <p id="single-keys" class="hint">
        They never act while you type. Turn them off if your speech or typing aid sets them off.
      </p>
    </Modal>
  );
}
