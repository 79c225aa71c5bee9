import { describe, expect, it } from 'vitest';

import { imageText, isolated, shorten } from './words';

describe('isolated', () => {
  it('leaves words alone that turn nothing round', () => {
    expect(isolated('a fox under a \u2764\ufe0f')).toBe('a fox under a \u2764\ufe0f');
  });

  it('keeps what is written from right to left to itself', () => {
    expect(isolated('منارة')).toBe('\u2068منارة\u2069');
    expect(isolated('x\u200f')).toBe('\u2068x\u200f\u2069');
  });

  it.each(['\u202eabc', '\u2067abc', 'abc\u2069\u202c'])('drops what would reach out of %j', (text) => {
    expect(isolated(text)).toBe('abc');
  });

  it('is whole though a prompt was cut within', () => {
    expect(isolated(shorten(`\u2067${'ש'.repeat(100)}\u2069`, 10))).toBe(`\u2068${'ש'.repeat(9)}…\u2069`);
  });
});

describe('imageText', () => {
  it('names the model after a prompt in any direction', () => {
    expect(imageText('a fox', 'DALL-E 3')).toBe('a fox. Image by DALL-E 3.');
    expect(imageText('منارة', 'DALL-E 3')).toBe('\u2068منارة.\u2069 Image by DALL-E 3.');
    expect(imageText('', 'DALL-E 3')).toBe('Image by DALL-E 3.');
  });
});
