import { useEffect, useId, useRef, useState } from 'preact/hooks';

import type { GenerateRequest } from '../../../api/contract';
import { draft, type Draft } from '../../../shared/draft';
import { Icon } from '../../../shared/Icon';
import { Notice } from '../../../shared/Notice';
import { useShortcut } from '../../../shared/shortcuts';
import { Slider } from '../../../shared/Slider';
import { useBarred } from '../../../shared/useBarred';
import type { GenerateApi } from '../api';
import { type Generation, underWay } from '../generation';
import { characters, GUIDANCE, PROMPT_MAX_CHARACTERS, promptProblem, seedProblem, STEPS } from '../limits';
import { randomPrompt } from '../randomPrompt';
import { useEnhance } from '../useEnhance';
import './composer.css';

interface ComposerProps {
  readonly api: GenerateApi;
  readonly generation: Generation;
  readonly onSubmit: (request: GenerateRequest) => void;
}

/** The prompt and its settings. */
export function Composer({ api, generation, onSubmit }: ComposerProps) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const seedField = useRef<HTMLInputElement>(null);
  const settings = useRef<HTMLDetailsElement>(null);
  const [form, setForm] = useState<Draft>(draft.read);
  const [checked, setChecked] = useState(false);
  const change = (part: Partial<Draft>): void => {
    setForm((earlier) => ({ ...earlier, ...part }));
  };
  const { enhancement, enhance, undo, forget } = useEnhance(api, (prompt) => {
    change({ prompt });
  });
  useEffect(() => {
    draft.write(form);
  }, [form]);

  const { prompt, steps, guidance, seed } = form;
  const busy = underWay(generation);
  const refusal = generation.phase === 'refused' ? generation.problem : undefined;
  const barred = useBarred(refusal);
  const enhanceBarred = useBarred(enhancement.phase === 'failed' ? enhancement.problem : undefined);
  const enhancing = enhancement.phase === 'busy';
  const length = characters(prompt);
  const problem = promptProblem(prompt);
  const tooLong = length > PROMPT_MAX_CHARACTERS;
  const shown = checked || tooLong ? problem : undefined;
  const badSeed = seedProblem(seed);

  const surprise = (): void => {
    forget();
    change({ prompt: randomPrompt(prompt) });
  };
  useShortcut('/', () => field.current?.focus());
  useShortcut('r', surprise);

  const valid = (): boolean => {
    setChecked(true);
    if (problem !== undefined) {
      field.current?.focus();
    } else if (badSeed !== undefined) {
      settings.current?.setAttribute('open', '');
      seedField.current?.focus();
    }
    return problem === undefined && badSeed === undefined;
  };

  const submit = (): void => {
    if (valid() && !busy && !barred) {
      forget();
      onSubmit({ prompt: prompt.trim(), steps, guidance, ...(seed.trim() === '' ? {} : { seed: Number(seed) }) });
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
          dir="auto"
          value={prompt}
          placeholder="Describe a picture: subject, light, style"
          required
          aria-invalid={shown !== undefined}
          aria-describedby={`${id}-count ${id}-problem`}
          onInput={(event) => {
            if (enhancing) {
              forget();
            }
            change({ prompt: event.currentTarget.value });
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
        <div class="composer__tools">
          <button type="button" class="button button--small" onClick={surprise}>
            <Icon name="dice" />
            Random prompt
          </button>
          <button
            type="button"
            class="button button--small"
            aria-disabled={enhancing || enhanceBarred}
            onClick={() => {
              setChecked(true);
              if (problem !== undefined) {
                field.current?.focus();
              } else if (!enhancing && !enhanceBarred) {
                enhance(prompt);
              }
            }}
          >
            <Icon name="spark" />
            {enhancing ? 'Enhancing' : 'Enhance'}
          </button>
          {enhancement.phase === 'done' ? (
            <button
              type="button"
              class="button button--small"
              onClick={() => {
                undo();
                field.current?.focus();
              }}
            >
              <Icon name="undo" />
              Undo
            </button>
          ) : null}
        </div>
        <p role="status" class="visually-hidden">
          {enhancing ? 'Enhancing the prompt.' : enhancement.phase === 'done' ? 'The prompt was enhanced.' : ''}
        </p>
        {enhancement.phase === 'failed' ? <Notice problem={enhancement.problem} /> : null}
      </div>

      <details class="composer__settings" ref={settings}>
        <summary>
          Settings
          <span class="composer__summary">
            {steps} steps, guidance {guidance}
            {seed.trim() === '' ? '' : `, seed ${seed.trim()}`}
          </span>
        </summary>
        <div class="composer__fields">
          <Slider
            label="Steps"
            hint="More steps, finer detail"
            value={steps}
            onChange={(value) => {
              change({ steps: value });
            }}
            {...STEPS}
          />
          <Slider
            label="Guidance"
            hint="Higher follows the prompt more closely"
            value={guidance}
            onChange={(value) => {
              change({ guidance: value });
            }}
            {...GUIDANCE}
          />
          <div>
            <label for={`${id}-seed`} class="composer__label">
              Seed
            </label>
            <input
              ref={seedField}
              id={`${id}-seed`}
              class="composer__seed"
              type="text"
              inputMode="numeric"
              autoComplete="off"
              value={seed}
              aria-invalid={badSeed !== undefined}
              aria-describedby={`${id}-seed-hint`}
              onInput={(event) => {
                change({ seed: event.currentTarget.value });
              }}
            />
            <p id={`${id}-seed-hint`} class={badSeed === undefined ? 'hint' : 'hint composer__problem'} aria-live="polite">
              {badSeed ?? 'Optional: the same seed and prompt give a similar picture again. Not every model takes one.'}
            </p>
          </div>
        </div>
      </details>

      <button type="submit" class="button button--primary composer__submit" aria-disabled={busy || barred}>
        {busy ? 'Generating' : 'Generate'}
        {busy ? <span class="dots" aria-hidden="true" /> : null}
      </button>
      {refusal === undefined ? null : <Notice problem={refusal} />}
    </form>
  );
}
