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

/** The seed of what packs, plans and evaluates. */
export const DEFAULT_SEED = 1024;

export const MAX_INT32 = 2147483647;
export const MAX_UINT32 = 4294967295;

/** One of the names, or an error that lists them. */
export function oneOf<T extends string>(name: string, value: unknown, names: readonly T[]): T {
  if (!names.includes(value as T)) {
    throw new OptionError("INVALID_OPTION", `${name} is ${show(value)}, expected ${names.join(", ")}`);
  }
  return value as T;
}

/** What lists the names of an options object: one entry per name, so that the compiler misses one that is left out. */
export type NamesOf<T, Value = true> = Readonly<Record<T extends unknown ? keyof T & string : never, Value>>;

/**
 * Refuses an options object that has a name which is not in `names`: a misspelt option would do nothing, without a
 * word. `owner` is what takes the options, `kind` what they are called there.
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

/** Typing errors at most between a name and the one that is offered in its place. */
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
    // Of a name of three letters, two others are no misspelling.
    if (errors >= least || errors * 2 >= wanted.length) continue;
    best = candidate;
    least = errors;
  }
  return best;
}

/** Letters to insert, to leave out, to replace or to swap with the next, to make b of a. O(a x b). */
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
