import { describe, expect, it } from 'vitest';

import { promptProblem } from './limits';
import { randomPrompt } from './randomPrompt';

describe('randomPrompt', () => {
  it('makes up something new that the service takes', () => {
    const draws = [0, 0, 0, 0, 0, 0, 0.99, 0.99, 0.99];
    const random = () => draws.shift() ?? 0.5;
    const first = randomPrompt('', random);
    const second = randomPrompt(first, random);

    expect(first).toMatch(/^[A-Z].*, /);
    expect(second).not.toBe(first);
    expect(promptProblem(second)).toBeUndefined();
  });
});
