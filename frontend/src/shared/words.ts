/** A prompt's beginning, for places that have little room; an emoji stays whole. */
export function shorten(prompt: string, letters: number): string {
  const all = Array.from(prompt.trim());
  return all.length > letters ? `${all.slice(0, letters).join('')}…` : prompt.trim();
}

const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g;
// Hebrew, Arabic and their neighbours, which are written from right to left, and the marks that say so.
const RIGHT_TO_LEFT = /[\u0590-\u08ff\u200e\u200f\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** Words of somebody else's for a place that takes no elements, so that they turn nothing round but themselves. */
export function isolated(text: string): string {
  const plain = text.replace(DIRECTIONS, '');
  return RIGHT_TO_LEFT.test(plain) ? `\u2068${plain}\u2069` : plain;
}

/** What an image shows, for those who cannot see it: its prompt is the best description there is. */
export function imageText(prompt: string, model: string): string {
  const shown = shorten(prompt, 140);
  const sentence = shown === '' || /[.!?…]$/.test(shown) ? shown : `${shown}.`;
  return `${isolated(sentence)} Image by ${model}.`.trim();
}

/** A moment as the reader's language writes it; what is no date stays as it was sent. */
export function moment(text: string): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) {
    return text;
  }
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}
