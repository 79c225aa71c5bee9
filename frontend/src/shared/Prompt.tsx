import { contained } from './direction';

interface PromptProps {
  readonly text: string;
  readonly class?: string;
}

/** Somebody's prompt, in whatever direction it is written; what stands beside it keeps its own. */
export function Prompt({ text, ...rest }: PromptProps) {
  return <bdi class={rest.class}>{contained(text)}</bdi>;
}
