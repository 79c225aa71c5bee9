import { describe, expect, it } from 'vitest';

import { imageText } from './words';

describe('imageText', () => {
  it('names the model after a prompt in any direction', () => {
    expect(imageText('a fox', 'GPT Image 2')).toBe('a fox. Image by GPT Image 2.');
    expect(imageText('منارة', 'GPT Image 2')).toBe('\u2068منارة.\u2069 Image by GPT Image 2.');
    expect(imageText('', 'GPT Image 2')).toBe('Image by GPT Image 2.');
  });
});
