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
  if (length === 0) {
    return 'Write what the picture should show.';
  }
  if (length > PROMPT_MAX_CHARACTERS) {
    return `Shorten the prompt by ${String(length - PROMPT_MAX_CHARACTERS)}: it may have ${String(PROMPT_MAX_CHARACTERS)} characters.`;
  }
  return undefined;
}

/** What is wrong with a seed as it was typed; an empty one is none, and fine. */
export function seedProblem(seed: string): string | undefined {
  const text = seed.trim();
  return text === '' || (/^\d{1,10}$/.test(text) && Number(text) <= SEED_MAX)
    ? undefined
    : `A seed is a whole number from 0 to ${String(SEED_MAX)}.`;
}
