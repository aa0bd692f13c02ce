import { printable } from "../core/printable.ts";
import { FIELDS } from "../read/fields.ts";
import { readLengths } from "../read/index.ts";
import { type CommandOptions, given, optionsHelp, textOption, UsageError, type Values } from "./command.ts";
import { Progress } from "./progress.ts";
import { megabytes } from "./table.ts";

/** The options of every command that reads lengths. */
export const inputOptions = {
  "vit-field": FIELDS.vitField,
  "token-field": FIELDS.tokenField,
  root: { kind: "text", argument: "DIR", about: "reads no file outside DIR, whatever names it" },
  quiet: { kind: "flag", short: "q", about: "only errors on standard error" },
} as const satisfies CommandOptions;

export const inputHelp = `FILE is a list of samples with a number of image tiles and of tokens each: JSON,
JSON Lines, CSV with a header, .npy of shape (n, 2), or a JSON of several such
files ("token_lengths"), plain or gzipped; - is standard input. Samples are
numbered across all FILEs, in their order.`;

/** What every command has at the end of its options. */
export const inputOptionsHelp = optionsHelp({
  ...inputOptions,
  help: { kind: "flag", short: "h", about: "this text" },
});

function fieldOption(values: Values, name: string, usual: string): string {
  const field = textOption(values, name) ?? usual;
  if (field === "") throw new UsageError(`--${name} is empty, expected a name`);
  return field;
}

/** What to call when a named pipe brings nothing: says so, so that the wait is no mystery. */
export function sayWaiting(values: Values): (path: string) => void {
  return (path) => {
    if (values.quiet === true) return;
    process.stderr.write(`omnibal: ${printable(path)}: waiting for data on this named pipe\n`);
  };
}

/** Reads the files, with a progress bar if standard error is a terminal. */
export async function readFiles(
  files: readonly string[],
  values: Values,
  _loads: readonly string[] = [],
): ReturnType<typeof readLengths> {
  if (files.length === 0) throw new UsageError("no FILE is given (- is standard input)");
  const root = textOption(values, "root");
  if (root === "") throw new UsageError("--root is empty, expected a folder");
  const vitField = fieldOption(values, "vit-field", FIELDS.vitField.default);
  const tokenField = fieldOption(values, "token-field", FIELDS.tokenField.default);
  if (vitField === tokenField) {
    throw new UsageError(`--vit-field and --token-field are both ${JSON.stringify(vitField)}, expected two names`);
  }
  if (files.indexOf("-") !== files.lastIndexOf("-")) {
    throw new UsageError('"-" is given twice, but the standard input can be read once only');
  }
  const progress = new Progress("reading", values.quiet === true);
  try {
    return await readLengths(files, {
      vitField,
      tokenField,
      ...given({ root }),
      onWait: sayWaiting(values),
      onProgress: (bytes, total) => {
        progress.update(bytes, total, total === undefined ? megabytes(bytes) : `of ${megabytes(total)}`);
      },
    });
  } finally {
    progress.end();
  }
}
