import { OptionError, show } from "./errors.ts";

/** A whole number in low .. high, or an error that names the option. */
export function integer(name: string, value: unknown, low: number, high: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
    throw new OptionError(
      "INVALID_OPTION",
      `${name} is ${show(value)}, expected a whole number from ${low} to ${high}`,
    );
  }
  return value;
}

export const MAX_INT32 = 2147483647;
export const MAX_UINT32 = 4294967295;

/** One of the names, or an error that lists them. */
export function oneOf<T extends string>(name: string, value: unknown, names: readonly T[]): T {
  if (!names.includes(value as T)) {
    throw new OptionError("INVALID_OPTION", `${name} is ${show(value)}, expected ${names.join(", ")}`);
  }
  return value as T;
}

/** What the command line's help says about an option. */
interface Help {
  /** What it is for; line breaks are kept. Without it, help shows the range or the names. */
  readonly about?: string;
  /** What stands for its value. Default: N. */
  readonly argument?: string;
  /** The default in words, if it is not a value that can be shown. */
  readonly usual?: string;
}

/** A number, whole for `integer`. The range includes both ends. */
export interface NumberSpec extends Help {
  readonly kind: "integer" | "number";
  readonly low: number;
  readonly high: number;
  readonly default?: number;
}

export interface ChoiceSpec extends Help {
  readonly kind: "choice";
  readonly names: readonly string[];
  readonly default?: string;
}

/** Text, a flag, or (`own`) something that its owner checks: an object, a function, a notation. */
export interface PlainSpec extends Help {
  readonly kind: "text" | "flag" | "own";
  readonly default?: string | boolean;
}

/**
 * An option: the only place for its kind, range, default and line of help, in the room that takes it. The validators
 * and the command line with its help read it there; a test compares the WASI command and the Python sampler with it.
 */
export type Spec = NumberSpec | ChoiceSpec | PlainSpec;
export type Specs = Readonly<Record<string, Spec>>;

/** What an option of a spec is, once it is checked. */
export type ValueOf<S> = S extends { readonly kind: "choice"; readonly names: readonly (infer T)[] }
  ? T
  : S extends { readonly kind: "integer" | "number" }
    ? number
    : S extends { readonly kind: "flag" }
      ? boolean
      : string;

/** The options of `S` whose value is a number or a name. */
export type Takeable<S> = {
  [K in keyof S]: S[K] extends NumberSpec | ChoiceSpec ? K : never;
}[keyof S] &
  string;

/**
 * The option `name`, checked by its spec: the value given, else `usual`, else the spec's default.
 *
 * @throws OptionError for a value that is out of range or of another kind, or if there is none.
 */
export function take<const S extends object, K extends Takeable<S>>(
  specs: S,
  name: K,
  options: { readonly [P in K]?: unknown },
  usual?: ValueOf<S[K]>,
): ValueOf<S[K]> {
  const spec = specs[name] as NumberSpec | ChoiceSpec;
  const value: unknown = options[name] ?? usual ?? spec.default;
  if (spec.kind === "choice") return oneOf(name, value, spec.names) as ValueOf<S[K]>;
  if (spec.kind === "integer") return integer(name, value, spec.low, spec.high) as ValueOf<S[K]>;
  if (typeof value === "number" && value >= spec.low && value <= spec.high) return value as ValueOf<S[K]>;
  throw new OptionError(
    "INVALID_OPTION",
    `${name} is ${show(value)}, expected a number from ${spec.low} to ${spec.high}`,
  );
}

/** The seed of packing, planning, searching and evaluating. */
export const SEED = { kind: "integer", low: 0, high: MAX_UINT32, default: 1024 } as const satisfies Spec;

/** What only a program can give, such as an object or a function. Whoever takes it checks it. */
export const OWN = { kind: "own" } as const satisfies Spec;

/** A record of the names of an options object, one entry per name, so that the compiler finds any that is missing. */
export type NamesOf<T, Value = true> = Readonly<Record<T extends unknown ? keyof T & string : never, Value>>;

/**
 * Refuses an options object with a name that is not in `names`: a misspelt option would be ignored silently. `owner` is
 * what takes the options, `kind` what they are called there.
 */
export function onlyNames(
  owner: string,
  options: unknown,
  names: Readonly<Record<string, unknown>>,
  kind = "option",
): void {
  if (typeof options !== "object" || options === null) {
    throw new OptionError("INVALID_OPTION", `the ${kind}s of ${owner} are ${show(options)}, expected an object`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const known = Object.keys(names);
    const meant = closest(name, known);
    const hint = meant === undefined ? `, expected ${known.join(", ")}` : `: did you mean ${meant}?`;
    throw new OptionError("INVALID_OPTION", `${owner} has no ${kind} ${show(name)}${hint}`);
  }
}

/** The most typing errors between a name and the one that is suggested instead. */
const NEAR = 2;

/** The known name that was most likely meant: the same but for case and separators, or a typing error or two away. */
function closest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.replaceAll(/[-_\s]/g, "").toLowerCase();
  const wanted = plain(name);
  let best: string | undefined;
  let least = NEAR + 1;
  for (const candidate of known) {
    const other = plain(candidate);
    if (Math.abs(other.length - wanted.length) > NEAR) continue;
    const errors = typingErrors(wanted, other);
    // Two wrong letters of three are not a misspelling.
    if (errors >= least || errors * 2 >= wanted.length) continue;
    best = candidate;
    least = errors;
  }
  return best;
}

/** Letters to insert, leave out, replace or swap with the next to turn a into b. O(a x b). */
function typingErrors(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      const replaced = row[k - 1] + (a[i - 1] === b[k - 1] ? 0 : 1);
      next[k] = Math.min(replaced, row[k] + 1, next[k - 1] + 1);
      if (i > 1 && k > 1 && a[i - 1] === b[k - 2] && a[i - 2] === b[k - 1])
        next[k] = Math.min(next[k], before[k - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length];
}
