import { describe, expect, it } from 'vitest';

import { contained, isolated } from './direction';
import { shorten } from './words';

describe('contained', () => {
  it.each(['a fox', 'منارة \u200f!', 'a \u2067שלום\u2069 sign', '\u202ea\u202c', '\u2066a\u2069\n\u2066b\u2069'])(
    'leaves %j as it is, for an element keeps it',
    (text) => {
      expect(contained(text)).toBe(text);
    },
  );

  it.each(['abc\u202e', '\u2069abc\u202e', '\u202b\u202e\u2067abc', '\u202a\u2066abc\u202c\u2069', '\u2067abc\n\u2069'])(
    'drops of %j what reaches out of an element',
    (text) => {
      expect(contained(text).trim()).toBe('abc');
    },
  );
});

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
