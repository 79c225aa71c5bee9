import { describe, expect, it } from 'vitest';

import { count } from '../api/decode';
import { forGood, kept } from './storage';

describe('kept', () => {
  it('keeps a value, and falls back on what it cannot read', () => {
    const number = kept(forGood, 'n', count, 7);
    expect(number.read()).toBe(7);
    number.write(3);
    expect(number.read()).toBe(3);

    for (const strange of ['{', '"three"']) {
      localStorage.setItem('pixel-prompt.n', strange);
      expect(number.read()).toBe(7);
    }
  });

  it('disturbs nobody where storage is forbidden', () => {
    const number = kept(
      () => {
        throw new DOMException('no', 'SecurityError');
      },
      'n',
      count,
      7,
    );
    number.write(3);
    expect(number.read()).toBe(7);
  });
});
