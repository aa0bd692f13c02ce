import type { ParseArgsConfig } from "node:util";
import type { ChoiceSpec, NumberSpec, Spec, Specs, Takeable, ValueOf } from "../core/options.ts";
import { printable } from "../core/printable.ts";
import { wrap } from "./table.ts";

/** An option of a command, under the name that it has there; most are specs of the rooms. */
export type CommandOption = Spec & { readonly short?: string };
export type CommandOptions = Readonly<Record<string, CommandOption>>;
export type Values = Readonly<Record<string, string | boolean | undefined>>;

/** A command: one file beside this one, and a line in commands.ts. */
export interface Command {
  readonly name: string;
  /** What it does, for the list of commands. */
  readonly about: string;
  /** What --help prints; lines of at most 80 columns. */
  readonly help: string;
  readonly options: CommandOptions;
  run(files: readonly string[], values: Values): Promise<void>;
}

/** The command line is wrong: exit code 2 and a hint to --help. What it quotes is safe for a terminal. */
export class UsageError extends Error {
  constructor(message: string) {
    super(printable(message));
  }
}

/** An option's name on the command line: maxVit is max-vit. */
export function optionName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A room's options under the names that they have on the command line; without `names` all that a text can give. */
export function optionsOf(specs: Specs, names: readonly string[] = textual(specs)): CommandOptions {
  return Object.fromEntries(names.map((name) => [optionName(name), specs[name]]));
}

/** Those that the command line has: a text can give them, or they have a notation of their own. */
export function typed(specs: Specs): string[] {
  return Object.keys(specs).filter((name) => specs[name].kind !== "own" || specs[name].about !== undefined);
}

/** Those that a text can give. */
export function textual(specs: Specs): string[] {
  return Object.keys(specs).filter((name) => specs[name].kind !== "own");
}

/** The options in the form that node:util parses by. */
export function parserOptions(options: CommandOptions): NonNullable<ParseArgsConfig["options"]> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { kind, short }]) => [
      name,
      { type: kind === "flag" ? "boolean" : "string", ...(short === undefined ? {} : { short }) } as const,
    ]),
  );
}

/** isf (default) or balanced */
function choices({ names, default: usual }: ChoiceSpec): string {
  const shown = names.map((name) => (name === usual ? `${name} (default)` : name));
  return shown.length < 2 ? shown.join() : `${shown.slice(0, -1).join(", ")} or ${shown[shown.length - 1]}`;
}

/** (default 50) */
function defaultText(option: CommandOption): string {
  const { usual = option.default } = option;
  if (usual === undefined || typeof usual === "boolean" || isShown(option)) return "";
  // A default in words follows a colon, unless it begins with a value.
  const colon = option.usual !== undefined && !/^\w+[=:]/.test(option.usual);
  return `(default${colon ? ":" : ""} ${usual})`;
}

/** Whether the list of choices shows the default already. */
function isShown({ kind, about }: CommandOption): boolean {
  return kind === "choice" && about === undefined;
}

/** What the option is for, or its values, and its default, in lines of at most `width` columns. */
function aboutLines(option: CommandOption, width: number): string[] {
  const range = option.kind === "integer" || option.kind === "number" ? `${option.low} to ${option.high}` : "";
  const text = option.about ?? (option.kind === "choice" ? choices(option) : range);
  const lines = text.split("\n").flatMap((line) => wrap(line, width));
  const usual = defaultText(option);
  if (usual === "") return lines;
  const last = `${lines[lines.length - 1]} ${usual}`;
  return last.length <= width ? [...lines.slice(0, -1), last] : [...lines, ...wrap(usual, width)];
}

/** The width of the names in help, and of help as a whole. */
const NAMES = 22;
const WIDTH = 80;

/** The options as help lists them: lines of at most 80 columns. */
export function optionsHelp(options: CommandOptions): string {
  const lines: string[] = [];
  for (const [name, option] of Object.entries(options)) {
    const argument = option.kind === "flag" ? "" : ` ${option.argument ?? "N"}`;
    const head = `  ${option.short === undefined ? "" : `-${option.short}, `}--${name}${argument}`;
    const texts = aboutLines(option, WIDTH - NAMES);
    if (head.length > NAMES - 2) lines.push(head, ...texts.map((text) => " ".repeat(NAMES) + text));
    else lines.push(...texts.map((text, k) => (k === 0 ? head : "").padEnd(NAMES) + text));
  }
  return lines.join("\n");
}

function wrongValue(name: string, text: unknown, expected: string): UsageError {
  return new UsageError(`--${name} is ${JSON.stringify(text)}, expected ${expected}`);
}

/** The number or name that the text of an option stands for. */
function parsed(name: string, text: string | boolean, spec: NumberSpec | ChoiceSpec): number | string {
  if (spec.kind === "choice") {
    if (typeof text === "string" && spec.names.includes(text)) return text;
    throw wrongValue(name, text, `one of ${spec.names.join(", ")}`);
  }
  const { kind, low, high } = spec;
  const isWhole = typeof text === "string" && /^\d+$/.test(text);
  const value = kind === "number" ? decimal(String(text)) : isWhole ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw wrongValue(name, text, `a ${kind === "integer" ? "whole " : ""}number from ${low} to ${high}`);
}

/** Those options of a room that were typed, checked by their specs, as the room takes them. */
export function givenOptions<const S extends object, K extends Takeable<S>>(
  values: Values,
  specs: S,
  ...names: K[]
): { -readonly [P in K]?: ValueOf<S[P]> } {
  const found = names.flatMap((name) => {
    const text = values[optionName(name)];
    return text === undefined ? [] : [[name, parsed(optionName(name), text, (specs as Specs)[name] as NumberSpec)]];
  });
  return Object.fromEntries(found);
}

/** An option that must be given. */
export function requiredOption<const S extends object, K extends Takeable<S>>(
  values: Values,
  specs: S,
  name: K,
): ValueOf<S[K]> {
  const value = givenOptions(values, specs, name)[name];
  if (value === undefined) throw new UsageError(`--${optionName(name)} is missing`);
  return value as ValueOf<S[K]>;
}

/** The whole number that an option is given as; undefined if it is not given. */
export function numberOption(values: Values, name: string, low: number, high: number): number | undefined {
  const text = values[name];
  return text === undefined ? undefined : (parsed(name, text, { kind: "integer", low, high }) as number);
}

export function requiredNumber(values: Values, name: string, low: number, high: number): number {
  const value = numberOption(values, name, low, high);
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}

/** The one of `names` that the option is given as. */
export function choiceOption<T extends string>(values: Values, name: string, names: readonly T[]): T | undefined {
  const text = values[name];
  return text === undefined ? undefined : (parsed(name, text, { kind: "choice", names }) as T);
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

/** A decimal number >= 0, as people and programs write it: 4, 0.25, .25, 5. or 4e-06; NaN for anything else. */
export function decimal(text: string): number {
  const value = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

/** `object` without its undefined members, which options of the library may not have. */
export function given<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}
