import { render, screen } from '@testing-library/preact';
import { userEvent } from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';

import { ErrorBoundary } from './ErrorBoundary';

describe('ErrorBoundary', () => {
  it('keeps a failure in its region, reports it, and recovers', async () => {
    const user = userEvent.setup();
    const report = vi.fn(() => 'ref-42');
    let broken = true;
    function Fragile() {
      if (broken) {
        throw new Error('cannot draw');
      }
      return <p>All is well</p>;
    }

    render(
      <>
        <p>Elsewhere</p>
        <ErrorBoundary region="The gallery" report={report}>
          <Fragile />
        </ErrorBoundary>
      </>,
    );

    expect(screen.getByRole('heading', { name: 'The gallery stopped working', level: 2 })).toBeVisible();
    expect(screen.getByText('Elsewhere')).toBeVisible();
    expect(screen.getByRole('alert')).toHaveTextContent('ref-42');
    expect(screen.getByRole('button', { name: 'Reload the page' })).toBeEnabled();
    expect(report).toHaveBeenCalledExactlyOnceWith({ error: new Error('cannot draw'), region: 'The gallery' });

    broken = false;
    await user.click(screen.getByRole('button', { name: 'Try again' }));

    expect(screen.getByText('All is well')).toBeVisible();
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('leaves a page its first heading when the whole of it fails', () => {
    function Broken(): never {
      throw new Error('cannot draw');
    }
    render(
      <ErrorBoundary region="The page" level={1} report={() => 'ref'}>
        <Broken />
      </ErrorBoundary>,
    );

    expect(screen.getByRole('heading', { name: 'The page stopped working', level: 1 })).toBeVisible();
  });
});
