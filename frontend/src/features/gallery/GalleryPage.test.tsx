import { screen, waitFor } from '@testing-library/preact';
import { userEvent } from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';

import { FakeService, imageUrl, json, refusal } from '../../testing/fakeService';
import { renderWith } from '../../testing/page';
import { GalleryPage } from './GalleryPage';

const LIST = 'GET /gallery/list';
const gallery = (id: string) => ({
  id,
  createdAt: '2026-01-31T12:00:00Z',
  prompt: `prompt ${id}`,
  previewUrl: imageUrl('gpt-image-2'),
  imageCount: 9,
});

describe('GalleryPage', () => {
  it('shows more on demand, each once, and moves the focus to what is new', async () => {
    const user = userEvent.setup();
    const service = new FakeService().on(
      LIST,
      json(200, { galleries: [gallery('a'), gallery('b')], nextCursor: 'next' }),
      json(200, { galleries: [gallery('b'), gallery('c')] }),
    );
    renderWith(service, <GalleryPage />);
    await user.click(await screen.findByRole('button', { name: 'Show more' }));

    expect(await screen.findByRole('link', { name: 'prompt c' })).toHaveFocus();
    expect(screen.getAllByRole('listitem')).toHaveLength(3);
    expect(screen.getByText('3 prompts shown, all there are')).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Show more' })).toBeNull();
    expect(service.asked(LIST)).toHaveLength(2);
  });

  it('keeps what is shown when there is no getting more', async () => {
    const user = userEvent.setup();
    const service = new FakeService().on(
      LIST,
      json(200, { galleries: [gallery('a')], nextCursor: 'next' }),
      refusal(500, 'internal_error', 'no'),
      json(200, { galleries: [gallery('b')] }),
    );
    renderWith(service, <GalleryPage />);
    await user.click(await screen.findByRole('button', { name: 'Show more' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('The service has a problem');
    expect(screen.getByRole('link', { name: 'prompt a' })).toBeVisible();

    await user.click(screen.getByRole('button', { name: 'Show more' }));
    await waitFor(() => {
      expect(screen.getByRole('link', { name: 'prompt b' })).toHaveFocus();
    });
  });

  it('invites to the first when there is nothing', async () => {
    renderWith(new FakeService(), <GalleryPage />);

    expect(await screen.findByRole('link', { name: 'Create the first' })).toHaveAttribute('href', '/');
  });
});
