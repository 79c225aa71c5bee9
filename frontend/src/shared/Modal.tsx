import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

import './modal.css';

interface ModalProps {
  readonly label: string;
  readonly class?: string;
  readonly onClose: () => void;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly children: ComponentChildren;
}

/**
 * A dialog that is open for as long as it is rendered.
 *
 * The browser's own modal dialog keeps the focus inside and the rest of the page inert; when it goes, the focus
 * returns to where it was, unless that is gone.
 */
export function Modal({ label, onClose, onKeyDown, children, ...rest }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = useRef(onClose);
  close.current = onClose;

  useLayoutEffect(() => {
    const opener = document.activeElement;
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
      if (opener instanceof HTMLElement && opener.isConnected) {
        opener.focus({ preventScroll: true });
      }
    };
  }, []);

  useLayoutEffect(() => {
    const element = dialog.current;
    // Escape asks the dialog to close; the owner decides, and takes it out of the page.
    const onCancel = (event: Event): void => {
      event.preventDefault();
      close.current();
    };
    // The dialog's own box is filled by its content, so what hits the dialog itself is the backdrop.
    const onClick = (event: Event): void => {
      if (event.target === element) {
        close.current();
      }
    };
    const onKey = (event: KeyboardEvent): void => {
      onKeyDown?.(event);
    };
    element?.addEventListener('cancel', onCancel);
    element?.addEventListener('click', onClick);
    element?.addEventListener('keydown', onKey);
    return () => {
      element?.removeEventListener('cancel', onCancel);
      element?.removeEventListener('click', onClick);
      element?.removeEventListener('keydown', onKey);
    };
  }, [onKeyDown]);

  return (
    <dialog ref={dialog} class={`modal ${rest.class ?? ''}`} aria-label={label}>
      <div class="modal__content">{children}</div>
    </dialog>
  );
}
