import { baseLoads, fieldsOf, loadName, USUAL } from "../core/lengths.ts";
import { printable } from "../core/printable.ts";
import { FIELDS } from "../read/fields.ts";
import { type ReadResult, readLengths } from "../read/index.ts";
import {
  type CommandOptions,
  choiceOption,
  given,
  optionsHelp,
  optionsOf,
  textOption,
  UsageError,
  type Values,
} from "./command.ts";
import { Progress } from "./progress.ts";
import { megabytes, thousands } from "./table.ts";

/** The options of every command that reads lengths. */
export const inputOptions = {
  ...optionsOf(FIELDS),
  root: { kind: "text", argument: "DIR", about: "reads no file outside DIR, whatever names it" },
  quiet: { kind: "flag", short: "q", about: "only errors on standard error" },
} as const satisfies CommandOptions;

export const inputHelp = `FILE is a list of samples with a number for each load: image tiles (vit or
vit_num) and tokens (tokens or token_num), or whatever the options name. It is
JSON, JSON Lines, CSV with a header, .npy with a column per load, or a JSON of
several such files ("token_lengths"), plain or gzipped; - is standard input.
Samples are numbered across all FILEs, in their order. Those that are -1 in all
loads are invalid, and in no group.`;

/** What every command has at the end of its options. */
export const inputOptionsHelp = optionsHelp({
  ...inputOptions,
  help: { kind: "flag", short: "h", about: "this text" },
});

/** Names with commas between. */
export function nameList(values: Values, option: string): readonly string[] | undefined {
  const text = textOption(values, option);
  if (text === undefined) return undefined;
  const names = text.split(",");
  for (const [k, name] of names.entries()) {
    if (name === "") throw new UsageError(`--${option} is ${JSON.stringify(text)}, expected names with commas between`);
    if (names.indexOf(name) !== k) throw new UsageError(`--${option} has ${JSON.stringify(name)} twice`);
  }
  return names;
}

/** What names a load, and the field that it is read from; undefined where it is named only. */
interface Named {
  readonly option: string;
  readonly field: string | undefined;
}

/** What --load, --vit-field and --token-field say, by load. */
function loadFields(values: Values): Map<string, Named> {
  const found = new Map<string, Named>();
  const put = (option: string, name: string, field: string | undefined) => {
    if (found.has(name)) throw new UsageError(`--${option} names ${JSON.stringify(name)} twice`);
    found.set(name, { option, field });
  };
  for (const part of textOption(values, "load")?.split(",") ?? []) {
    const [name, field, ...more] = part.split("=");
    if (name === "" || field === "" || more.length > 0) {
      throw new UsageError(`--load has ${JSON.stringify(part)}, expected NAME=FIELD or NAME`);
    }
    put("load", loadName(name), field);
  }
  for (const [option, name] of [
    ["vit-field", "vit"],
    ["token-field", "tokens"],
  ] as const) {
    const field = textOption(values, option);
    if (field === "") throw new UsageError(`--${option} is empty, expected a name`);
    if (field !== undefined) put(option, name, field);
  }
  return found;
}

/** Throws where two loads are read from one field. */
function checkFields(names: readonly string[], named: ReadonlyMap<string, Named>): void {
  const fields = names.map((name) => {
    const field = named.get(name)?.field;
    return field === undefined ? fieldsOf(name) : [field];
  });
  for (const [k, own] of fields.entries()) {
    const other = fields.findIndex((earlier, i) => i < k && earlier.some((field) => own.includes(field)));
    if (other === -1) continue;
    const both = JSON.stringify(own.find((field) => fields[other].includes(field)));
    const areUsual = names[other] === "vit" && names[k] === "tokens";
    throw new UsageError(
      areUsual
        ? `--vit-field and --token-field are both ${both}, expected two names`
        : `--load has two loads of field ${both}`,
    );
  }
}

/**
 * The loads that are named where no bound names any: those of --load, else the columns of --columns, else vit and tokens.
 */
export function namedLoads(values: Values): readonly string[] {
  const loads = Array.from(loadFields(values)).flatMap(([name, { option }]) => (option === "load" ? [name] : []));
  if (loads.length > 0) return loads;
  const columns = nameList(values, "columns");
  // A column called vit_num is the load vit.
  return columns?.map((field) => USUAL.find((name) => fieldsOf(name).includes(field)) ?? field) ?? USUAL;
}

/** What to call when a named pipe brings nothing: says so, so that the wait is no mystery. */
export function sayWaiting(values: Values): (path: string) => void {
  return (path) => {
    if (values.quiet === true) return;
    process.stderr.write(`omnibal: ${printable(path)}: waiting for data on this named pipe\n`);
  };
}

/** Reads the files, with a progress bar if standard error is a terminal. `loads`: those that are needed. */
export async function readFiles(
  files: readonly string[],
  values: Values,
  loads: readonly string[] = USUAL,
): Promise<ReadResult<string>> {
  if (files.length === 0) throw new UsageError("no FILE is given (- is standard input)");
  const root = textOption(values, "root");
  if (root === "") throw new UsageError("--root is empty, expected a folder");
  const fields = loadFields(values);
  const names = baseLoads(loads);
  for (const [name, { option }] of fields) {
    if (names.includes(name)) continue;
    throw new UsageError(`--${option} names ${JSON.stringify(name)}, expected one of the loads ${names.join(", ")}`);
  }
  checkFields(names, fields);
  const columns = nameList(values, "columns");
  const missing = choiceOption(values, "missing", FIELDS.missing.names) === undefined ? undefined : (0 as const);
  if (files.indexOf("-") !== files.lastIndexOf("-")) {
    throw new UsageError('"-" is given twice, but the standard input can be read once only');
  }
  const progress = new Progress("reading", values.quiet === true);
  let lengths: ReadResult<string>;
  try {
    lengths = await readLengths(files, {
      loads: names,
      fields: Object.fromEntries(
        Array.from(fields, ([name, { field = "" }]) => [name, field]).filter(([, field]) => field),
      ),
      ...given({ root, columns, missing }),
      onWait: sayWaiting(values),
      onProgress: (bytes, total) => {
        progress.update(bytes, total, total === undefined ? megabytes(bytes) : `of ${megabytes(total)}`);
      },
    });
  } finally {
    progress.end();
  }
  const { invalid } = lengths;
  if (invalid.length > 0 && values.quiet !== true) {
    const all = thousands(lengths[names[0]].length);
    const first = Array.from(invalid.subarray(0, 3)).join(", ");
    process.stderr.write(
      `omnibal: ${thousands(invalid.length)} of ${all} samples are invalid, -1 in every load: ${first}${invalid.length > 3 ? ", ..." : ""}\n`,
    );
  }
  return lengths;
}
