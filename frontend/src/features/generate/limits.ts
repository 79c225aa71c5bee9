import { unclosed } from '../../shared/direction';

/** The bounds of `POST /generate`, as the API's contract states them. */
export const PROMPT_MAX_CHARACTERS = 1000;
export const STEPS = { min: 25, max: 50, step: 1 } as const;
export const GUIDANCE = { min: 5, max: 10, step: 0.5 } as const;
export const SEED_MAX = 2_147_483_647;

/** Characters as the service counts them: an emoji is one, although JavaScript's `length` says two. */
export function characters(text: string): number {
  return Array.from(text).length;
}

/** What is wrong with a prompt, in words for the person who wrote it; undefined when nothing is. */
export function promptProblem(prompt: string): string | undefined {
  const length = characters(prompt.trim());
  if (length === 0 || !VISIBLE.test(prompt)) {
    return 'Write what the picture should show.';
  }
  if (length > PROMPT_MAX_CHARACTERS) {
    return `Shorten the prompt by ${String(length - PROMPT_MAX_CHARACTERS)}: it may have ${String(PROMPT_MAX_CHARACTERS)} characters.`;
  }
  const letter = unwelcome(prompt);
  if (letter !== undefined) {
    const name = `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    return `Remove the invisible character ${name}, or type the words around it anew: it reaches beyond the prompt.`;
  }
  return undefined;
}

// As the service judges it in backend/src/pixel_prompt/letters.py, which says why.
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
const FLAG = /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,7}\u{e007f}/gu;
const NEVER =
  /(?![\n\r\t])\p{Cc}|\p{Cs}|\p{Noncharacter_Code_Point}|[\u202d\u202e\u206a-\u206f\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

/** The first letter of a prompt that would change what stands beside it. */
function unwelcome(prompt: string): string | undefined {
  const never = NEVER.exec(prompt.replace(FLAG, ''))?.[0];
  return never ?? unclosed(prompt.trim());
}

/** What is wrong with a seed as it was typed; an empty one is none, and fine. */
export function seedProblem(seed: string): string | undefined {
  const text = seed.trim();
  return text === '' || (/^\d{1,10}$/.test(text) && Number(text) <= SEED_MAX)
    ? undefined
    : `A seed is a whole number from 0 to ${String(SEED_MAX)}.`;
}
