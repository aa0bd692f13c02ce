import type { CsvError, InfoRecord, Options, Parser } from "csv-parse";
import { InputError, show } from "../core/errors.ts";
import { MAX_LOAD } from "../core/lengths.ts";
import { type Columns, findLoads, type Wanted, type Watch } from "./columns.ts";
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

/** The load that a text is, -1 for a sample that is invalid; undefined for what is no load. */
function loadOf(text: string): number | undefined {
  if (!/^\s*(\d+|-1)(\.0+)?\s*$/.test(text)) return undefined;
  const value = Number(text);
  return value <= MAX_LOAD ? value : undefined;
}

/** Where the loads are in the header; undefined for one that is not there, and 0. */
function findColumns({ path, quotes }: Source, header: readonly string[], wanted: Wanted): (number | undefined)[] {
  const names = header.map((name) => name.trim());
  const found = findLoads(wanted, names, (fields) => {
    const seen = names.map(show).join(", ");
    const header = quotes ? `, the header has ${seen.length > 200 ? `${seen.slice(0, 197)}...` : seen}` : "";
    return new InputError("MISSING_FIELD", `${path}: line 1: ${fields} is missing${header}`);
  });
  for (const at of found) {
    if (at === undefined || names.indexOf(names[at], at + 1) === -1) continue;
    throw new InputError("INVALID_FILE", `${path}: line 1: two columns are named ${names[at]}`);
  }
  return found;
}

/** Adds the rows of a CSV or TSV file with a header line to `out`; returns how many samples that is. */
export async function readCsv(source: Source, wanted: Wanted, out: Columns, watch: Watch): Promise<number> {
  const { path } = source;
  const before = out.length;
  let names: readonly string[] = [];
  let columns: readonly (number | undefined)[] | undefined;
  const row = (record: readonly string[], { lines }: InfoRecord): void => {
    if (columns === undefined) {
      columns = findColumns(source, record, wanted);
      names = record.map((name) => name.trim());
      return;
    }
    const refuse = (column: number) =>
      new InputError(
        "INVALID_LENGTH",
        `${path}: line ${lines}: ${names[column]} is ${show(record[column])}, expected a whole number from 0 to ${MAX_LOAD}`,
      );
    let minuses = 0;
    for (let k = 0; k < columns.length; k++) {
      const column = columns[k];
      const value = column === undefined ? 0 : loadOf(record[column]);
      if (value === undefined) throw refuse(column as number);
      if (value < 0) minuses++;
      out.loads[k].push(value);
    }
    if (minuses === 0 || minuses === columns.length) return;
    throw refuse(columns[out.minusAt(out.length - 1) as number] as number);
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
  return out.length - before;
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
