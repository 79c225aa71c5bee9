/** The bounds of `POST /generate`, as the API's contract states them. */
export const PROMPT_MAX_CHARACTERS = 1000;
export const STEPS = { min: 25, max: 50, step: 1, initial: 28 } as const;
export const GUIDANCE = { min: 5, max: 10, step: 0.5, initial: 7 } as const;

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
