import { useId, useRef, useState } from 'preact/hooks';

import type { GenerateRequest } from '../../../api/contract';
import { Notice } from '../../../shared/Notice';
import { Slider } from '../../../shared/Slider';
import { useNow } from '../../../shared/useNow';
import type { Generation } from '../generation';
import { characters, GUIDANCE, PROMPT_MAX_CHARACTERS, promptProblem, STEPS } from '../limits';
import './composer.css';

interface ComposerProps {
  readonly generation: Generation;
  readonly onSubmit: (request: GenerateRequest) => void;
}

const IDEAS = [
  'A lighthouse made of stained glass, storm light, wide shot',
  'Botanical plate of a plant that grows lightbulbs, ink and wash',
  'A fox reading the morning paper in a tiled kitchen, 35 mm photo',
];

/** The prompt and its settings. */
export function Composer({ generation, onSubmit }: ComposerProps) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [prompt, setPrompt] = useState('');
  const [steps, setSteps] = useState<number>(STEPS.initial);
  const [guidance, setGuidance] = useState<number>(GUIDANCE.initial);
  const [checked, setChecked] = useState(false);

  const busy = generation.phase === 'submitting' || generation.phase === 'following';
  const barred = useBarred(generation);
  const length = characters(prompt);
  const problem = promptProblem(prompt);
  const tooLong = length > PROMPT_MAX_CHARACTERS;
  const shown = checked || tooLong ? problem : undefined;

  const submit = (): void => {
    setChecked(true);
    if (problem !== undefined) {
      field.current?.focus();
    } else if (!busy && !barred) {
      onSubmit({ prompt: prompt.trim(), steps, guidance });
    }
  };

  return (
    <form
      class="composer"
      aria-label="Generate images"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="composer__field">
        <label for={id} class="composer__label">
          Prompt
        </label>
        <textarea
          ref={field}
          id={id}
          name="prompt"
          rows={5}
          value={prompt}
          placeholder="Describe a picture: subject, light, style"
          required
          aria-invalid={shown !== undefined}
          aria-describedby={`${id}-count ${id}-problem`}
          onInput={(event) => {
            setPrompt(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              submit();
            }
          }}
        />
        <div class="composer__below">
          <p id={`${id}-problem`} class="composer__problem" aria-live="polite">
            {shown}
          </p>
          <p id={`${id}-count`} class={tooLong ? 'composer__count composer__count--over' : 'composer__count'}>
            {length} / {PROMPT_MAX_CHARACTERS}
            <span class="visually-hidden"> characters</span>
          </p>
        </div>
      </div>

      <fieldset class="composer__settings">
        <legend class="visually-hidden">Settings</legend>
        <Slider label="Steps" hint="More steps, finer detail" value={steps} onChange={setSteps} {...bounds(STEPS)} />
        <Slider
          label="Guidance"
          hint="Higher follows the prompt more closely"
          value={guidance}
          onChange={setGuidance}
          {...bounds(GUIDANCE)}
        />
      </fieldset>

      <button type="submit" class="button button--primary composer__submit" aria-disabled={busy || barred}>
        {busy ? 'Generating' : 'Generate'}
        {busy ? <span class="dots" aria-hidden="true" /> : null}
      </button>

      {prompt === '' ? (
        <div class="composer__ideas" role="group" aria-labelledby={`${id}-ideas`}>
          <p id={`${id}-ideas`} class="hint">
            Or start from an idea
          </p>
          {IDEAS.map((idea) => (
            <button
              key={idea}
              type="button"
              class="chip"
              onClick={() => {
                setPrompt(idea);
                field.current?.focus();
              }}
            >
              {idea}
            </button>
          ))}
        </div>
      ) : null}

      {generation.phase === 'refused' ? <Notice problem={generation.problem} /> : null}
    </form>
  );
}

/** True while the service has said to wait; renews itself, so that the button wakes up in time. */
function useBarred(generation: Generation): boolean {
  const retryAt = generation.phase === 'refused' ? generation.problem.retryAt : undefined;
  const now = useNow(retryAt !== undefined);
  return retryAt !== undefined && now < retryAt;
}

function bounds({ min, max, step }: { readonly min: number; readonly max: number; readonly step: number }) {
  return { min, max, step };
}
