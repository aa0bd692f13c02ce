import type { CsvError, InfoRecord, Options, Parser } from "csv-parse";
import { InputError, show } from "../core/errors.ts";
import { MAX_INT32 } from "../core/options.ts";
import type { Columns, FieldNames, Watch } from "./columns.ts";
import type { Source } from "./peekable.ts";

const PIECE = 1 << 16;
/** A row longer than this is a quote that was never closed, not a row. */
const MAX_ROW = 1 << 20;

/** The separator of the header line, which no field name should contain: a tab, a semicolon or else a comma. */
function separator(beginning: Uint8Array): string {
  const line = new TextDecoder().decode(beginning).trimStart().split(/\r|\n/, 1)[0];
  if (line.includes(",")) return ",";
  return line.includes("\t") ? "\t" : line.includes(";") ? ";" : ",";
}

/** Hands all of `source` to `parser`, a piece at a time, and waits until it has taken it. */
async function feed(source: Source, parser: Parser, watch: Watch): Promise<void> {
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  parser.on("error", fail);
  const done = (start: (done: (error?: Error | null) => void) => void) =>
    Promise.race([
      failed,
      new Promise<void>((resolve, reject) => start((error) => (error ? reject(error) : resolve()))),
    ]);
  // As text: the parser's edition for browsers takes bytes of a class of its own only.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const piece = new Uint8Array(PIECE);
  for (;;) {
    watch.signal?.throwIfAborted();
    const bytes = await source.read(piece);
    const spent = source.spent();
    if (spent > 0) watch.read(spent);
    if (bytes === 0) break;
    const text = decoder.decode(piece.subarray(0, bytes), { stream: true });
    if (text !== "") await done((resolve) => parser.write(text, resolve));
  }
  const rest = decoder.decode();
  if (rest !== "") await done((resolve) => parser.write(rest, resolve));
  await done((resolve) => {
    parser.on("end", resolve).resume();
    parser.end();
  });
}

function wholeNumber(text: string): number {
  const value = /^\s*\d+(\.0+)?\s*$/.test(text) ? Number(text) : -1;
  return value <= MAX_INT32 ? value : -1;
}

/** Where the two fields are in the header. */
function findColumns({ path, quotes }: Source, header: readonly string[], fields: FieldNames): [number, number] {
  const names = header.map((name) => name.trim());
  const find = (field: string) => {
    const at = names.indexOf(field);
    if (at === -1) {
      const seen = names.map(show).join(", ");
      const header = quotes ? `, the header has ${seen.length > 200 ? `${seen.slice(0, 197)}...` : seen}` : "";
      throw new InputError("MISSING_FIELD", `${path}: line 1: ${field} is missing${header}`);
    }
    if (names.indexOf(field, at + 1) !== -1) {
      throw new InputError("INVALID_FILE", `${path}: line 1: two columns are named ${field}`);
    }
    return at;
  };
  return [find(fields.vit), find(fields.tokens)];
}

/** Adds the rows of a CSV or TSV file with a header line to `out`; returns how many samples that is. */
export async function readCsv(source: Source, fields: FieldNames, out: Columns, watch: Watch): Promise<number> {
  const { path } = source;
  const before = out.vit.length;
  let columns: [number, number] | undefined;
  const row = (record: readonly string[], { lines }: InfoRecord): void => {
    if (columns === undefined) {
      columns = findColumns(source, record, fields);
      return;
    }
    const vit = wholeNumber(record[columns[0]]);
    const tokens = wholeNumber(record[columns[1]]);
    if (vit < 0 || tokens < 0) {
      const [field, text] = vit < 0 ? [fields.vit, record[columns[0]]] : [fields.tokens, record[columns[1]]];
      throw new InputError(
        "INVALID_LENGTH",
        `${path}: line ${lines}: ${field} is ${show(text)}, expected a whole number from 0 to 2147483647`,
      );
    }
    out.vit.push(vit);
    out.tokens.push(tokens);
  };
  const options: Options = {
    bom: true,
    delimiter: separator(await source.peek(4096)),
    max_record_size: MAX_ROW,
    skip_empty_lines: true,
    // Rows are taken as they are found: a stream of them costs more than finding them.
    on_record: (record: string[], info: InfoRecord) => {
      row(record, info);
      return undefined;
    },
  };
  // Loaded for tables only. package.json says which edition is for which host.
  const { parse, CsvError } = await import("#csv-parse");
  const parser = parse(options);
  try {
    await feed(source, parser, watch);
  } catch (error) {
    if (error instanceof CsvError) throw csvError(path, error);
    throw error;
  }
  if (columns === undefined) {
    throw new InputError("INVALID_FILE", `${path}: the file is empty, expected a header line`);
  }
  return out.vit.length - before;
}

/** The error in our own words, which quote nothing from the file. */
function csvError(path: string, error: CsvError): InputError {
  const { code, lines } = error as CsvError & { lines?: number };
  const at = lines === undefined ? path : `${path}: line ${lines}`;
  const seen: Partial<Record<typeof code, string>> = {
    CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: "has another number of values than the header",
    CSV_QUOTE_NOT_CLOSED: "a quote is not closed before the end of the file",
    CSV_MAX_RECORD_SIZE: "longer than 1 MiB: a quote is not closed, or this is not a CSV file",
    CSV_INVALID_CLOSING_QUOTE: "a quote is closed before the end of its value",
    INVALID_OPENING_QUOTE: "a quote opens in the middle of a value",
  };
  return new InputError("INVALID_FILE", `${at}: ${seen[code] ?? `not CSV (${code})`}`, { cause: error });
}
