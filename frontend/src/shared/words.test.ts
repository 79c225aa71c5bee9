import { describe, expect, it } from 'vitest';

import { imageText } from './words';

describe('imageText', () => {
  it('names the model after a prompt in any direction', () => {
    expect(imageText('a fox', 'DALL-E 3')).toBe('a fox. Image by DALL-E 3.');
    expect(imageText('منارة', 'DALL-E 3')).toBe('\u2068منارة.\u2069 Image by DALL-E 3.');
    expect(imageText('', 'DALL-E 3')).toBe('Image by DALL-E 3.');
  });
});
