import type { Format } from "../write/index.ts";
import { type CommandOptions, textOption, UsageError, type Values } from "./command.ts";
import { wrap } from "./table.ts";

/** The options of every command that writes a packing or a plan. */
export function outputOptions<T>(formats: readonly Format<T>[]): CommandOptions {
  const names = formats.map(({ name }) => name);
  return {
    output: { kind: "text", short: "o", argument: "OUT", about: "write there and not to standard output" },
    format: { kind: "choice", names, argument: "FORMAT", about: names.join(", "), default: names[0] },
  };
}

/** What the formats are, broken so that it stays right of their names. */
export function formatsHelp<T>(formats: readonly Format<T>[]): string {
  return formats
    .map(({ name, about }) => `  ${name.padEnd(8)}${wrap(about, 70).join(`\n${" ".repeat(10)}`)}`)
    .join("\n");
}

/** The format that --format names; a folder needs an `out`. */
export function chosenFormat<F extends Format<never>>(
  formats: readonly F[],
  values: Values,
  out: string | undefined,
): F {
  const name = textOption(values, "format") ?? formats[0].name;
  const format = formats.find((candidate) => candidate.name === name);
  if (format === undefined) {
    const names = formats.map((candidate) => candidate.name).join(", ");
    throw new UsageError(`--format is ${JSON.stringify(name)}, expected one of ${names}`);
  }
  if ("folder" in format && out === undefined) throw new UsageError(`--format ${name} makes a folder: name it with -o`);
  return format;
}
