import '@testing-library/jest-dom/vitest';

import { cleanup } from '@testing-library/preact';
import { afterEach, beforeEach, vi } from 'vitest';

// The build's own tests have no document.
const inPage = typeof document !== 'undefined';

if (inPage) {
  // What jsdom lacks: dialogs that open and close (without making the rest inert), scrolling,
  // and addresses of blobs.
  HTMLDialogElement.prototype.showModal = function showModal(this: HTMLDialogElement) {
    this.open = true;
    this.querySelector<HTMLElement>('button')?.focus();
  };
  HTMLDialogElement.prototype.close = function close(this: HTMLDialogElement) {
    this.open = false;
  };
  Element.prototype.scrollIntoView = () => undefined;
  URL.createObjectURL = () => 'blob:none';
  URL.revokeObjectURL = () => undefined;
}

beforeEach(() => {
  vi.stubGlobal('scrollTo', () => undefined);
  vi.stubGlobal('matchMedia', () => ({ matches: false }));
});

afterEach(() => {
  vi.useRealTimers();
  if (inPage) {
    cleanup();
    localStorage.clear();
    sessionStorage.clear();
    history.replaceState(null, '', '/');
    delete document.documentElement.dataset['theme'];
  }
});
