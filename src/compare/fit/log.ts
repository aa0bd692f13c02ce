// Logs of a trainer: rows of loads and the time that they took, as CSV, JSON Lines, a JSON list or Parquet.
import { InputError, show } from "../../core/errors.ts";
import { needed } from "../../read/host.ts";

/** A row of a log, by the names of its fields. */
export type LogRecord = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is LogRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function fail(path: string, why: string, cause?: unknown): never {
  throw new InputError("INVALID_FILE", `${path}: ${why}`, cause === undefined ? {} : { cause });
}

function jsonLines(path: string, text: string): LogRecord[] {
  const records: LogRecord[] = [];
  const lines = text.split("\n");
  for (const [k, line] of lines.entries()) {
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      const last = lines.slice(k + 1).every((rest) => rest.trim() === "");
      const hint = last ? ": the last line may be half written, leave it out" : "";
      fail(path, `line ${k + 1}: not JSON (${(error as Error).message})${hint}`, error);
    }
    if (!isObject(value)) fail(path, `line ${k + 1}: is ${show(value)}, expected an object`);
    records.push(value);
  }
  return records;
}

function jsonList(path: string, text: string): LogRecord[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail(path, `not JSON (${(error as Error).message})`, error);
  }
  const list = value as unknown[];
  const other = list.findIndex((record) => !isObject(record));
  if (other !== -1) fail(path, `entry ${other} is ${show(list[other])}, expected an object`);
  return list as LogRecord[];
}

/** "1 2 3", "[1, 2, 3]" or "1;2;3" in a cell: the loads of each rank. */
function cell(text: string): unknown {
  const plain = text.trim();
  if (plain === "") return undefined;
  const number = Number(plain);
  if (Number.isFinite(number)) return number;
  const parts = plain.replaceAll(/^\[|\]$/g, "").split(/[\s;,]+/);
  const numbers = parts.filter((part) => part !== "").map(Number);
  return numbers.length > 1 && numbers.every(Number.isFinite) ? numbers : plain;
}

async function csv(path: string, text: string): Promise<LogRecord[]> {
  const { parse } = await import("#csv-parse");
  const head = text.split(/\r|\n/, 1)[0];
  const delimiter = head.includes(",") ? "," : head.includes("\t") ? "\t" : head.includes(";") ? ";" : ",";
  const rows = await new Promise<readonly Record<string, string>[]>((resolve, reject) => {
    parse(text, { bom: true, columns: true, trim: true, delimiter, skip_empty_lines: true }, (error, records) =>
      error === undefined || error === null ? resolve(records as unknown as Record<string, string>[]) : reject(error),
    );
  }).catch((error: Error) => fail(path, `no table that can be read (${error.message.split("\n", 1)[0]})`, error));
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, own]) => [name, cell(own)])));
}

async function parquet(path: string, bytes: Uint8Array): Promise<LogRecord[]> {
  let library: typeof import("hyparquet") & typeof import("hyparquet-compressors");
  try {
    const [own, codecs] = await Promise.all([import("hyparquet"), import("hyparquet-compressors")]);
    library = { ...own, ...codecs };
  } catch (error) {
    return fail(
      path,
      "reading Parquet takes hyparquet and hyparquet-compressors: npm install hyparquet hyparquet-compressors",
      error,
    );
  }
  try {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    return (await library.parquetReadObjects({ file, compressors: library.compressors })) as LogRecord[];
  } catch (error) {
    return fail(path, `not a Parquet file that can be read (${(error as Error).message})`, error);
  }
}

async function bytesAt(path: string): Promise<Uint8Array> {
  if (path === "-") {
    const pieces: Uint8Array[] = [];
    for await (const piece of process.stdin) pieces.push(piece as Uint8Array);
    return new Uint8Array(Buffer.concat(pieces));
  }
  try {
    return await needed("node:fs/promises").readFile(path);
  } catch (error) {
    return fail(path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`, error);
  }
}

/**
 * The rows of a log: a path ("-" is standard input), or its bytes, gzip or not. Which format it has is seen from its
 * beginning.
 *
 * @throws InputError INVALID_FILE for what cannot be read.
 */
export async function readLog(
  input: string | Uint8Array,
  name = typeof input === "string" ? input : "log",
): Promise<LogRecord[]> {
  let bytes = typeof input === "string" ? await bytesAt(input) : input;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = needed("node:zlib").gunzipSync(bytes);
    } catch (error) {
      fail(name, `gzip that cannot be unpacked (${(error as Error).message})`, error);
    }
  }
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (magic === "PAR1") return parquet(name, bytes);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    return fail(name, "is neither text nor Parquet", error);
  }
  const first = text.trimStart()[0];
  if (first === "{") return jsonLines(name, text);
  if (first === "[") return jsonList(name, text);
  return csv(name, text);
}
