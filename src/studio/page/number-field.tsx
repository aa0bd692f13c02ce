// A field for a number: what is typed counts once it is one, in its range.
import { useEffect, useState } from "preact/hooks";

interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Fractions are allowed. */
  readonly isReal?: boolean;
  readonly isLabelHidden?: boolean;
  readonly title?: string;
  onChange(value: number): void;
}

export function NumberField({
  label,
  value,
  low,
  high,
  isReal = false,
  isLabelHidden,
  title,
  onChange,
}: NumberFieldProps) {
  const [text, setText] = useState(String(value));
  useEffect(() => setText(String(value)), [value]);
  const isRight = (typed: string) => {
    const number = Number(typed);
    return typed.trim() !== "" && number >= low && number <= high && (isReal || Number.isInteger(number));
  };
  return (
    <label class="field" title={title}>
      <span class={isLabelHidden ? "hidden" : ""}>{label}</span>
      <input
        type="text"
        inputMode={isReal ? "decimal" : "numeric"}
        value={text}
        aria-invalid={!isRight(text)}
        onInput={(event) => {
          const typed = event.currentTarget.value;
          setText(typed);
          if (isRight(typed)) onChange(Number(typed));
        }}
        onBlur={() => setText(String(value))}
      />
    </label>
  );
}
