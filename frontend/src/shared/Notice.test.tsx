import { render, screen } from '@testing-library/preact';
import { describe, expect, it, vi } from 'vitest';

import { pass } from '../testing/page';
import { Notice } from './Notice';

describe('Notice', () => {
  it('counts down without reading each second out, and says when the wait is over', async () => {
    vi.useFakeTimers({ now: 0 });
    render(<Notice problem={{ title: 'T', advice: 'A', correlationId: 'ref-1', retryAt: 3000 }} />);

    expect(screen.getByRole('timer')).toHaveTextContent('0:03');
    expect(screen.getByRole('timer')).toHaveAttribute('aria-live', 'off');
    await pass(1000);
    expect(screen.getByRole('timer')).toHaveTextContent('0:02');
    await pass(2000);
    expect(screen.getByRole('alert')).toHaveTextContent('You can try again now.');
    expect(screen.getByRole('alert')).toHaveTextContent('ref-1');
  });

  it('says long waits in words', () => {
    vi.useFakeTimers({ now: 0 });
    render(<Notice problem={{ title: 'T', advice: 'A', correlationId: undefined, retryAt: 7_260_000 }} />);

    expect(screen.getByRole('timer')).toHaveTextContent('2 hours 1 minute');
  });
});
