import { beforeEach, describe, expect, it, vi } from 'vitest';

import { download, imageFilename } from './download';

const URL_OF_IMAGE = 'https://images.example.com/images/0198c0de-5f3a-4c1b-9d6e-2b7a4f1c8e90/gpt-image-2.png';

describe('imageFilename', () => {
  it.each([
    [URL_OF_IMAGE, 'GPT Image 2', 'pixel-prompt-gpt-image-2-0198c0de.png'],
    ['https://images.example.com/a.JPEG', 'Ünïcode/..', 'pixel-prompt-n-code-...jpeg'],
    ['https://images.example.com/a', '', 'pixel-prompt-.png'],
  ])('names %s by %s', (url, model, filename) => {
    expect(imageFilename(url, model)).toBe(filename);
  });
});

describe('download', () => {
  const saved: string[] = [];

  beforeEach(() => {
    saved.length = 0;
    vi.spyOn(URL, 'createObjectURL').mockReturnValue('blob:x');
    vi.spyOn(URL, 'revokeObjectURL').mockReturnValue(undefined);
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function click(this: HTMLAnchorElement) {
      saved.push(this.download);
    });
  });

  it('fetches the image anew and saves it under its name', async () => {
    const send = vi.fn(() => Promise.resolve(new Response('bytes')));
    await download(URL_OF_IMAGE, 'a.png', send);

    expect(send).toHaveBeenCalledWith(URL_OF_IMAGE, expect.objectContaining({ mode: 'cors', cache: 'no-store', credentials: 'omit' }));
    expect(saved).toEqual(['a.png']);
  });

  it('raises when the image is gone', async () => {
    await expect(download(URL_OF_IMAGE, 'a.png', () => Promise.resolve(new Response('', { status: 403 })))).rejects.toThrow('403');
    expect(saved).toEqual([]);
  });
});
