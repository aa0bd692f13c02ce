import type { ParseArgsConfig } from "node:util";
import { printable } from "../core/printable.ts";

export type Options = NonNullable<ParseArgsConfig["options"]>;
export type Values = Readonly<Record<string, string | boolean | undefined>>;

/** What a command is: one file beside this one, and a line in main.ts. */
export interface Command {
  readonly name: string;
  /** What it does, for the list of commands. */
  readonly about: string;
  /** What --help prints; lines of at most 80 columns. */
  readonly help: string;
  readonly options: Options;
  run(files: readonly string[], values: Values): Promise<void>;
}

/** The command line is wrong: exit code 2 and a hint to --help. What it quotes is safe for a terminal. */
export class UsageError extends Error {
  constructor(message: string) {
    super(printable(message));
  }
}

/** The whole number that an option is given as, or undefined where it is not given. */
export function numberOption(values: Values, name: string, low: number, high: number): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = typeof text === "string" && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high)) {
    throw new UsageError(`--${name} is ${JSON.stringify(text)}, expected a whole number from ${low} to ${high}`);
  }
  return value;
}

export function requiredNumber(values: Values, name: string, low: number, high: number): number {
  const value = numberOption(values, name, low, high);
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}

export function textOption(values: Values, name: string): string | undefined {
  const text = values[name];
  return typeof text === "string" ? text : undefined;
}

/** Where to write, or undefined for standard output. An unset variable (`-o "$UNSET"`) names no place at all. */
export function outputOption(values: Values): string | undefined {
  const out = textOption(values, "output");
  if (out === "") throw new UsageError("--output is empty, expected the name of a file or folder");
  return out;
}

/** The one of `names` that the option is given as. */
export function choiceOption<T extends string>(values: Values, name: string, names: readonly T[]): T | undefined {
  const text = textOption(values, name);
  if (text === undefined || names.includes(text as T)) return text as T | undefined;
  throw new UsageError(`--${name} is ${JSON.stringify(text)}, expected one of ${names.join(", ")}`);
}

/** A decimal number from 0 on, as people and programs write it: 4, 0.25, .25, 5. or 4e-06; NaN for anything else. */
export function decimal(text: string): number {
  const value = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

/** The members of `object` that are there: options of the library have no place for an undefined one. */
export function given<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}
