import { describe, expect, it } from 'vitest';

import { clock, inWords, unit } from './time';

describe('time', () => {
  it.each([
    [0, '0:00'],
    [75_400, '1:15'],
    [-5, '0:00'],
  ])('shows %d ms as %s', (milliseconds, shown) => {
    expect(clock(milliseconds)).toBe(shown);
  });

  it.each([
    [0, '0 seconds'],
    [1000, '1 second'],
    [75_000, '1 minute 15 seconds'],
    [3_600_000, '1 hour'],
    [7_261_000, '2 hours 1 minute'],
  ])('says %d ms as %s', (milliseconds, said) => {
    expect(inWords(milliseconds)).toBe(said);
  });

  it('counts in the singular and the plural', () => {
    expect([unit(1, 'image'), unit(9, 'image')]).toEqual(['1 image', '9 images']);
  });
});
