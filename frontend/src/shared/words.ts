import { isolated } from './direction';

/** A prompt's beginning, for places that have little room; an emoji stays whole. */
export function shorten(prompt: string, letters: number): string {
  const all = Array.from(prompt.trim());
  return all.length > letters ? `${all.slice(0, letters).join('')}…` : prompt.trim();
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
