// What opens another direction of writing, and what closes it; see Unicode Standard Annex 9.
const CLOSED_BY: Readonly<Record<string, string>> = {
  '\u202a': '\u202c',
  '\u202b': '\u202c',
  '\u202d': '\u202c',
  '\u202e': '\u202c',
  '\u2066': '\u2069',
  '\u2067': '\u2069',
  '\u2068': '\u2069',
};
const CLOSERS = ['\u202c', '\u2069'];
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;
// Hebrew, Arabic and their neighbours, which are written from right to left, and the marks that say so.
const RIGHT_TO_LEFT = /[\u0590-\u08ff\u200e\u200f\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** The first letter that opens another direction and is not closed in its line, or closes what was not opened. */
export function unclosed(text: string): string | undefined {
  return text
    .split(/[\n\r\u2029]/)
    .map(unclosedIn)
    .find((letter) => letter !== undefined);
}

function unclosedIn(line: string): string | undefined {
  const opened: string[] = [];
  for (const letter of line) {
    if (letter in CLOSED_BY) {
      opened.push(letter);
    } else if (CLOSERS.includes(letter)) {
      const opener = opened.pop();
      if (opener === undefined || CLOSED_BY[opener] !== letter) {
        return letter;
      }
    }
  }
  return opened[0];
}

/** A text for an element of its own: what would reach out of even that, as in prompts of former days, is left out. */
export function contained(text: string): string {
  return unclosed(text) === undefined ? text : text.replace(CONTROLS, '');
}

/** A text for a place that takes no elements, so that it turns nothing round but itself. */
export function isolated(text: string): string {
  const plain = text.replace(CONTROLS, '');
  return RIGHT_TO_LEFT.test(plain) ? `\u2068${plain}\u2069` : plain;
}
