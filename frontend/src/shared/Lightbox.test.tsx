import { fireEvent, screen } from '@testing-library/preact';
import { userEvent } from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';

import { FakeService, imageUrl } from '../testing/fakeService';
import { renderWith } from '../testing/page';
import { Lightbox } from './Lightbox';

const IMAGES = [{ url: imageUrl('gpt-image-2'), model: 'GPT Image 2', text: 'a fox. Image by GPT Image 2.' }];

function setUp(images = IMAGES) {
  const onClose = vi.fn();
  renderWith(new FakeService(), <Lightbox images={images} first={imageUrl('gpt-image-2')} onClose={onClose} />);
  return { user: userEvent.setup(), onClose };
}

describe('Lightbox', () => {
  it('saves the image, and says so', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('bytes')));
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockReturnValue(undefined);
    const { user } = setUp();
    await user.click(screen.getByRole('button', { name: 'Download' }));

    expect(await screen.findByText('Saved')).toBeVisible();
  });

  it('offers the image itself when it cannot be saved', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    const { user } = setUp();
    await user.click(screen.getByRole('button', { name: 'Download' }));

    expect(await screen.findByRole('link', { name: 'Open it in a new tab' })).toHaveAttribute('href', imageUrl('gpt-image-2'));
  });

  it('has no way on from a single image', () => {
    setUp();
    expect(screen.queryByRole('button', { name: 'Next image' })).toBeNull();
  });

  it('closes on its backdrop, not on its content', () => {
    const { onClose } = setUp();
    fireEvent.click(screen.getByRole('img'));
    expect(onClose).not.toHaveBeenCalled();
    fireEvent.click(screen.getByRole('dialog'));
    expect(onClose).toHaveBeenCalledOnce();
  });

  it('is nothing without images', () => {
    setUp([]);
    expect(screen.queryByRole('dialog')).toBeNull();
  });
});
