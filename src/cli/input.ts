import { readLengths } from "../read/index.ts";
import { type Options, textOption, UsageError, type Values } from "./command.ts";
import { Progress } from "./progress.ts";
import { megabytes } from "./table.ts";

/** The options of every command that reads lengths. */
export const inputOptions: Options = {
  "vit-field": { type: "string" },
  "token-field": { type: "string" },
  quiet: { type: "boolean", short: "q" },
};

export const inputHelp = `FILE is a list of samples with a number of image tiles and of tokens each: JSON,
JSON Lines, CSV with a header, .npy of shape (n, 2), or a JSON of several such
files ("token_lengths"); - is standard input. Several files are one after
another: their samples are counted on.`;

export const inputOptionsHelp = `  --vit-field NAME    the field of the tiles (default vit_num)
  --token-field NAME  the field of the tokens (default token_num)
  -q, --quiet         nothing on standard error but errors
  -h, --help          this text`;

function fieldOption(values: Values, name: string, usual: string): string {
  const field = textOption(values, name) ?? usual;
  if (field === "") throw new UsageError(`--${name} is empty, expected a name`);
  return field;
}

/** Reads the files, with a progress bar where somebody sees it. */
export async function readFiles(files: readonly string[], values: Values): ReturnType<typeof readLengths> {
  if (files.length === 0) throw new UsageError("no FILE is given (- is standard input)");
  const vitField = fieldOption(values, "vit-field", "vit_num");
  const tokenField = fieldOption(values, "token-field", "token_num");
  if (vitField === tokenField) {
    throw new UsageError(`--vit-field and --token-field are both ${JSON.stringify(vitField)}, expected two names`);
  }
  const progress = new Progress("reading", values.quiet === true);
  try {
    return await readLengths(files, {
      vitField,
      tokenField,
      onProgress: (bytes, total) => {
        progress.update(bytes, total, total === undefined ? megabytes(bytes) : `of ${megabytes(total)}`);
      },
    });
  } finally {
    progress.end();
  }
}
