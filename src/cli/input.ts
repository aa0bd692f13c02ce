import { printable } from "../core/printable.ts";
import { readLengths } from "../read/index.ts";
import { given, type Options, textOption, UsageError, type Values } from "./command.ts";
import { Progress } from "./progress.ts";
import { megabytes } from "./table.ts";

/** The options of every command that reads lengths. */
export const inputOptions: Options = {
  "vit-field": { type: "string" },
  "token-field": { type: "string" },
  root: { type: "string" },
  quiet: { type: "boolean", short: "q" },
};

export const inputHelp = `FILE is a list of samples with a number of image tiles and of tokens each: JSON,
JSON Lines, CSV with a header, .npy of shape (n, 2), or a JSON of several such
files ("token_lengths"), as it is or as gzip; - is standard input. Several files
are one after another: their samples are counted on.`;

export const inputOptionsHelp = `  --vit-field NAME    the field of the tiles (default vit_num)
  --token-field NAME  the field of the tokens (default token_num)
  --root DIR          no FILE outside DIR is read, whoever names it
  -q, --quiet         nothing on standard error but errors
  -h, --help          this text`;

function fieldOption(values: Values, name: string, usual: string): string {
  const field = textOption(values, name) ?? usual;
  if (field === "") throw new UsageError(`--${name} is empty, expected a name`);
  return field;
}

/** What to call when a named pipe brings nothing: says so, so that nobody wonders. */
export function sayWaiting(values: Values): (path: string) => void {
  return (path) => {
    if (values.quiet === true) return;
    process.stderr.write(`omnibal: ${printable(path)}: waiting for somebody to write to this named pipe\n`);
  };
}

/** Reads the files, with a progress bar where somebody sees it. */
export async function readFiles(files: readonly string[], values: Values): ReturnType<typeof readLengths> {
  if (files.length === 0) throw new UsageError("no FILE is given (- is standard input)");
  const root = textOption(values, "root");
  if (root === "") throw new UsageError("--root is empty, expected a folder");
  const vitField = fieldOption(values, "vit-field", "vit_num");
  const tokenField = fieldOption(values, "token-field", "token_num");
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
