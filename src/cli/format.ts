import type { Format } from "../write/index.ts";
import { type CommandOptions, textOption, UsageError, type Values } from "./command.ts";
import { wrap } from "./table.ts";

/** The options of every command that writes a packing or a plan; `usual` says what is written where nothing else decides. */
export function outputOptions<T>(formats: readonly Format<T>[], usual = formats[0].name): CommandOptions {
  const names = formats.map(({ name }) => name);
  return {
    output: { kind: "text", short: "o", argument: "OUT", about: "write here instead of to standard output" },
    format: {
      ...{ kind: "choice", names, argument: "FORMAT", about: names.join(", ") },
      usual: `by the ending of OUT, else ${usual}`,
    },
  };
}

/** What the formats are, broken so that it stays right of their names. */
export function formatsHelp<T>(formats: readonly Format<T>[]): string {
  const width = Math.max(6, ...formats.map(({ name }) => name.length)) + 2;
  return formats
    .map(({ name, about }) => `  ${name.padEnd(width)}${wrap(about, 78 - width).join(`\n${" ".repeat(width + 2)}`)}`)
    .join("\n");
}

/** The ending of OUT that names a format. */
function ending(out: string | undefined): string | undefined {
  return /\.(json|jsonl|npy|parquet)$/.exec(out ?? "")?.[1];
}

/**
 * The format that --format names, else the one that OUT's ending does, else `usual`. A format that comes in several kinds
 * of files, `groups` and `groups.jsonl`, is named by the first, and chosen among by the ending. A folder needs an `out`.
 */
export function chosenFormat<F extends Format<never>>(
  formats: readonly F[],
  values: Values,
  out: string | undefined,
  usual: string = formats[0].name,
): F {
  const find = (fits: (name: string) => boolean) => formats.find(({ name }) => fits(name));
  const asked = textOption(values, "format");
  const end = ending(out);
  const format =
    asked === undefined
      ? (find((name) => name === (end ?? usual)) ?? find((name) => name.endsWith(`.${end}`)))
      : (find((name) => name === `${asked}.${end}`) ?? find((name) => name === asked));
  if (format === undefined) {
    const names = formats.map(({ name }) => name).join(", ");
    throw new UsageError(
      asked === undefined
        ? `--output is ${JSON.stringify(out)}, but there is no format ${end}: name one of ${names} with --format`
        : `--format is ${JSON.stringify(asked)}, expected one of ${names}`,
    );
  }
  const { name } = format;
  if ("folder" in format && out === undefined) throw new UsageError(`--format ${name} makes a folder: name it with -o`);
  return format;
}

/** A format of text that is at hand: one file. */
export function textFormat(name: string): Format<string> {
  return { name, about: "", file: (text) => [new TextEncoder().encode(text)] };
}
