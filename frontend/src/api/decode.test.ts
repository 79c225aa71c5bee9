import { describe, expect, it } from 'vitest';

import { count, duration, list, object, oneOf, optional, text } from './decode';

describe('decoders', () => {
  it('leave absent and null fields out', () => {
    const decode = object<{ a?: string }>({ a: optional(text) });

    expect(decode({}, 'x')).toEqual({});
    expect(decode({ a: null }, 'x')).toEqual({});
    expect(decode({ a: 'b' }, 'x')).toEqual({ a: 'b' });
  });

  it.each([-1, 1.5, '1', Number.NaN])('do not count %j', (value) => {
    expect(() => count(value, 'x')).toThrow('x: expected a whole number');
  });

  it.each([-1, Number.POSITIVE_INFINITY, '1'])('take %j for no duration', (value) => {
    expect(() => duration(value, 'x')).toThrow('x: expected a duration');
  });

  it('name the place in a list', () => {
    expect(() => list(text)(['a', 2], 'x')).toThrow('x[1]: expected text, found number');
    expect(() => list(text)('a', 'x')).toThrow('x: expected an array');
  });

  it('accept known words only', () => {
    const decode = oneOf('yes', 'no');

    expect(decode('no', 'x')).toBe('no');
    expect(() => decode('maybe', 'x')).toThrow('one of yes, no');
  });
});
