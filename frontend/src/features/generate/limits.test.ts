import { describe, expect, it } from 'vitest';

import { promptProblem } from './limits';

const ENGLAND = '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}';

// The same as in backend/tests/test_letters.py: page and service must not disagree.
describe('promptProblem', () => {
  it.each([
    'منارة في عاصفة، بأسلوب van Gogh\u200f!',
    'מגדלור \u200e(1889)\u200e בסערה',
    'السعر \u061c5$',
    'a sign that says \u2067כתב\u2069 at noon',
    '\u202bبيت\u202c and \u2068\u2067x\u2069\u2069',
    'two\nlines\r\nand\ttabs',
    '\u2066one\u2069\n\u2067two\u2069',
    'a family \u{1f468}\u200d\u{1f469}\u200d\u{1f467} under a \u2764\ufe0f',
    'می\u200cبینم',
    `the flag of England ${ENGLAND}`,
  ])('lets %j through', (prompt) => {
    expect(promptProblem(prompt)).toBeUndefined();
  });

  it.each([
    ['a\u202eb', 'U+202E'],
    ['a\u202db\u202c', 'U+202D'],
    ['a\u202ab', 'U+202A'],
    ['a\u2067b\n\u2069', 'U+2067'],
    ['a\u2067b\u2029\u2069', 'U+2067'],
    ['a\u2069b', 'U+2069'],
    ['a\u202cb', 'U+202C'],
    ['\u2067a\u202bb\u2069\u202c', 'U+2069'],
    ['a\u0000b', 'U+0000'],
    ['a\u009bb', 'U+009B'],
    ['a\ud800b', 'U+D800'],
    ['a\ufffeb', 'U+FFFE'],
    ['a\ufdd0b', 'U+FDD0'],
    ['a\u{e0041}b', 'U+E0041'],
    [ENGLAND.slice(2), 'U+E0067'],
    ['a\ufff9b', 'U+FFF9'],
    ['a\u206eb', 'U+206E'],
  ])('names the letter of %j that reaches beyond it', (prompt, letter) => {
    expect(promptProblem(`x ${prompt}`)).toContain(letter);
  });

  it.each(['', '  ', '\u200b', '\u2067\u2069'])('finds nothing to paint in %j', (prompt) => {
    expect(promptProblem(prompt)).toBe('Write what the picture should show.');
  });

  it('counts letters, not halves of them', () => {
    expect(promptProblem('\u{1f98a}'.repeat(1000))).toBeUndefined();
    expect(promptProblem('\u{1f98a}'.repeat(1002))).toContain('by 2');
  });
});
