import { describe, expect, it } from 'vitest';

import { imageUrlOn } from './imageUrl';

describe('imageUrlOn', () => {
  it("accepts the deployment's own images only", () => {
    const decode = imageUrlOn('d1.cloudfront.net');

    expect(decode('https://d1.cloudfront.net/images/a.png', 'x')).toBe('https://d1.cloudfront.net/images/a.png');
    for (const url of ['https://evil.example/a.png', 'http://d1.cloudfront.net/a.png', 'javascript:alert(1)', 'a.png']) {
      expect(() => decode(url, 'x')).toThrow('an address on d1.cloudfront.net');
    }
  });

  it('accepts plain http from this machine', () => {
    expect(imageUrlOn('127.0.0.1:81')('http://127.0.0.1:81/a.png', 'x')).toBe('http://127.0.0.1:81/a.png');
  });
});
