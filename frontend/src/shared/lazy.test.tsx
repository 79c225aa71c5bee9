import { render, screen } from '@testing-library/preact';
import { userEvent } from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';

import { ErrorBoundary } from './ErrorBoundary';
import { lazy } from './lazy';

function Part({ name }: { readonly name: string }) {
  return <p>Hello {name}</p>;
}

describe('lazy', () => {
  it('keeps the place, then shows the part, and loads it once', async () => {
    const load = vi.fn(() => Promise.resolve(Part));
    const Later = lazy<{ name: string }>(load);
    const { unmount } = render(<Later name="fox" />);
    expect(screen.getByRole('status')).toHaveTextContent('Loading');
    expect(await screen.findByText('Hello fox')).toBeVisible();

    unmount();
    render(<Later name="owl" />);
    expect(screen.getByText('Hello owl')).toBeVisible();
    expect(load).toHaveBeenCalledOnce();
  });

  it('hands a part that does not arrive to the boundary, and asks again', async () => {
    const load = vi
      .fn(() => Promise.resolve(Part))
      .mockRejectedValueOnce(new TypeError('Failed to fetch dynamically imported module'));
    const Later = lazy<{ name: string }>(load);
    const report = vi.fn(() => 'ref-42');
    render(
      <ErrorBoundary region="The gallery" report={report}>
        <Later name="fox" />
      </ErrorBoundary>,
    );

    expect(await screen.findByRole('heading', { name: 'The gallery could not be loaded' })).toBeVisible();
    expect(screen.getByRole('button', { name: 'Reload the page' })).toBeEnabled();
    expect(report).toHaveBeenCalledOnce();
    await userEvent.setup().click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('Hello fox')).toBeVisible();
  });

  it('does nothing for a page that has gone on', async () => {
    const Later = lazy<{ name: string }>(() => Promise.reject(new Error('gone')));
    render(<Later name="fox" />).unmount();
    await Promise.resolve();

    expect(screen.queryByRole('status')).toBeNull();
  });
});
