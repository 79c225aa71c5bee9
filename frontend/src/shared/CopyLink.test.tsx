import { render, screen } from '@testing-library/preact';
import { userEvent } from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';

import { CopyLink } from './CopyLink';

describe('CopyLink', () => {
  it('puts the whole address on the clipboard and says so', async () => {
    const user = userEvent.setup();
    render(<CopyLink address="/gallery/x" />);
    await user.click(screen.getByRole('button', { name: 'Copy link' }));

    expect(await screen.findByText('Copied')).toBeVisible();
    expect(await navigator.clipboard.readText()).toBe('http://localhost:3000/gallery/x');
  });

  it('shows the address where copying is forbidden', async () => {
    const user = userEvent.setup();
    vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new DOMException('no', 'NotAllowedError'));
    const { rerender } = render(<CopyLink address="/gallery/x" />);
    await user.click(screen.getByRole('button', { name: 'Copy link' }));
    expect(await screen.findByRole('textbox', { name: 'The link, to copy by hand' })).toHaveValue(
      'http://localhost:3000/gallery/x',
    );

    rerender(<CopyLink address="/gallery/y" />);
    expect(screen.queryByRole('textbox')).toBeNull();
  });
});
