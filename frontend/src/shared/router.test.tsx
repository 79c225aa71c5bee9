import { fireEvent, render, screen } from '@testing-library/preact';
import { describe, expect, it, vi } from 'vitest';

import { Link, PageHeading, RouterProvider, useRouter } from './router';

function Place() {
  const { path, navigate } = useRouter();
  return (
    <>
      <PageHeading key={path} title={path}>
        {path}
      </PageHeading>
      <Link to="/gallery">Go on</Link>
      <button
        type="button"
        onClick={() => {
          navigate('/job/x?y#z', 'replace');
        }}
      >
        Replace
      </button>
    </>
  );
}

function setUp() {
  return render(
    <RouterProvider>
      <Place />
    </RouterProvider>,
  );
}

describe('the router', () => {
  it('leaves the first page alone, and goes on without loading anew', () => {
    setUp();
    expect(screen.getByRole('heading')).not.toHaveFocus();

    const link = screen.getByRole('link', { name: 'Go on' });
    expect(fireEvent.click(link)).toBe(false);
    expect(screen.getByRole('heading', { name: '/gallery' })).toHaveFocus();
    expect(document.title).toBe('/gallery · Pixel Prompt');
  });

  it.each([{ ctrlKey: true }, { metaKey: true }, { shiftKey: true }, { button: 1 }])('leaves %o to the browser', (how) => {
    setUp();
    // jsdom cannot leave the page; what counts is that nothing here stops the click.
    window.addEventListener('click', (event) => { event.preventDefault(); }, { once: true });
    fireEvent.click(screen.getByRole('link', { name: 'Go on' }), how);

    expect(screen.getByRole('heading', { name: '/' })).toBeVisible();
  });

  it('can change the address without a new entry in the history', () => {
    setUp();
    const entries = history.length;
    fireEvent.click(screen.getByRole('button', { name: 'Replace' }));

    expect(screen.getByRole('heading', { name: '/job/x' })).toBeVisible();
    expect(history.length).toBe(entries);
  });

  it('scrolls to where a page was left', () => {
    const scrollTo = vi.fn();
    vi.stubGlobal('scrollTo', scrollTo);
    setUp();
    fireEvent.click(screen.getByRole('link', { name: 'Go on' }));
    expect(scrollTo).toHaveBeenLastCalledWith(0, 0);

    history.replaceState({ scroll: 640 }, '', '/');
    fireEvent(window, new PopStateEvent('popstate', { state: { scroll: 640 } }));
    expect(scrollTo).toHaveBeenLastCalledWith(0, 640);
  });

  it('names the mistake when nothing provides it', () => {
    expect(() => render(<Place />)).toThrow('RouterProvider');
  });
});
