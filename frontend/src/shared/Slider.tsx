import { useId } from 'preact/hooks';

import './slider.css';

interface SliderProps {
  readonly label: string;
  readonly hint: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly onChange: (value: number) => void;
}

/** A number within bounds, with its value in sight. */
export function Slider({ label, hint, value, min, max, step, onChange }: SliderProps) {
  const id = useId();
  return (
    <div class="slider">
      <div class="slider__head">
        <label for={id}>{label}</label>
        <span class="slider__value" aria-hidden="true">
          {value}
        </span>
      </div>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-describedby={`${id}-hint`}
        onInput={(event) => {
          onChange(event.currentTarget.valueAsNumber);
        }}
      />
      <p id={`${id}-hint`} class="hint">
        {hint}
      </p>
    </div>
  );
}
