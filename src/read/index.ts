// Length files, for Node and Deno: the entry `omnibal/read`. The main entry needs no file system and imports none.
import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";
import { InputError, OptionError, show } from "../core/errors.ts";
import type { Lengths } from "../core/lengths.ts";
import { type NamesOf, onlyNames } from "../core/options.ts";
import { Columns, type FieldNames, type Watch } from "./columns.ts";
import { CoreReader } from "./core.ts";
import { readCsv } from "./csv.ts";
import { metaEntries, parseMeta } from "./meta.ts";
import { fileError, fileSize, openFile, openStream, type Source, underWatch } from "./source.ts";

export { type PackedLengths, type ReadPackingOptions, readPacking } from "./packing.ts";
export { type ReadPlan, type ReadPlanOptions, readPlan } from "./plan.ts";

export interface ReadOptions {
  /** Field (or CSV column) with a sample's image tiles. Default: vit_num. */
  readonly vitField?: string;
  /** Field (or CSV column) with its tokens. Default: token_num. */
  readonly tokenField?: string;
  /** What "-" reads. Default: the standard input of the process. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /**
   * A folder: no file outside it is read, whoever names it, symbolic links resolved. Without it a meta file can name any
   * file, of which messages then quote nothing but a value that is refused.
   */
  readonly root?: string;
  /**
   * Called after each piece, with bytes as they are stored: of gzip the packed ones. The total is undefined when a size is
   * not known (stdin, a named pipe).
   */
  readonly onProgress?: (bytesRead: number, totalBytes: number | undefined) => void;
  /** Called once with the path of a named pipe to which nobody has written for a second. */
  readonly onWait?: (path: string) => void;
  /** Looked at between pieces. */
  readonly signal?: AbortSignal;
}

const READ_OPTIONS: NamesOf<ReadOptions> = {
  vitField: true,
  tokenField: true,
  stdin: true,
  onWait: true,
  root: true,
  onProgress: true,
  signal: true,
};

/** A file that was read, in the order of the samples. */
export interface ReadFile {
  readonly path: string;
  /** Its name in the meta file that named it. */
  readonly name?: string;
  readonly samples: number;
}

export interface ReadResult extends Lengths {
  readonly files: readonly ReadFile[];
}

/** Something to read, not open yet: a meta file may name more files than a process can hold open. */
interface Item {
  readonly path: string;
  readonly name?: string;
  /** Where it is: `path`, or what that leads to. */
  readonly place: string;
  readonly size: number | undefined;
}

/** Names of tables and of the rest, packed or not. */
const TABLE = /\.(csv|tsv)(\.gz)?$/i;
const NO_TABLE = /\.(json|jsonl|ndjson|npy)(\.gz)?$/i;

/** Whether this is CSV: by the name, else because nothing else begins so. */
async function looksLikeCsv(source: Source): Promise<boolean> {
  if (TABLE.test(source.path)) return true;
  if (NO_TABLE.test(source.path)) return false;
  const first = await firstByte(source);
  return first !== undefined && first !== 0x5b && first !== 0x7b && first !== 0x93;
}

/** The first byte that is neither white space nor of a byte order mark. */
async function firstByte(source: Source): Promise<number | undefined> {
  const bytes = await source.peek(256);
  const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return bytes.subarray(mark).find((c) => c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09);
}

function fieldNames(options: ReadOptions): FieldNames {
  const { vitField = "vit_num", tokenField = "token_num" } = options;
  for (const [option, name] of Object.entries({ vitField, tokenField })) {
    if (typeof name !== "string" || name === "" || new TextEncoder().encode(name).length > 4096) {
      throw new OptionError("INVALID_OPTION", `${option} is ${show(name)}, expected a name of 1 to 4096 bytes`);
    }
  }
  if (vitField === tokenField) {
    throw new OptionError("INVALID_OPTION", `vitField and tokenField are both ${show(vitField)}, expected two names`);
  }
  return { vit: vitField, tokens: tokenField };
}

/** The folder to stay in, as it is on the disk. */
async function resolveRoot({ root }: ReadOptions): Promise<string | undefined> {
  if (root === undefined) return undefined;
  const real = typeof root === "string" && root !== "" ? await realpath(root).catch(() => undefined) : undefined;
  if (real !== undefined && (await stat(real)).isDirectory()) return real;
  throw new OptionError("INVALID_OPTION", `root is ${show(root)}, expected a folder`);
}

/** Where the file at `path` is, which must be in the folder `root` if there is one. */
async function placeOf(path: string, root: string | undefined): Promise<string> {
  if (root === undefined) return path;
  const real = await realpath(path).catch((error: unknown) => {
    throw fileError(path, error);
  });
  const way = relative(root, real);
  if (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way)) return real;
  throw new InputError("INVALID_FILE", `${path}: is outside of ${root}, the folder to read from`);
}

/** The file at `path`, or the files it names if it is a meta file. */
async function expand(path: string, root: string | undefined): Promise<readonly Item[]> {
  if (path === "-") return [{ path, place: path, size: undefined }];
  const item = async (path: string, name?: string): Promise<Item> => {
    const place = await placeOf(path, root);
    return { path, place, size: await fileSize(path, place), ...(name === undefined ? {} : { name }) };
  };
  const self = await item(path);
  // A named pipe can be read once only, so it is taken for what it most likely is.
  if (self.size === undefined || TABLE.test(path)) return [self];
  const source = await openFile(path, { place: self.place });
  try {
    const meta = (await firstByte(source)) === 0x7b ? await parseMeta(source) : undefined;
    if (meta === undefined) return [self];
    const items: Item[] = [];
    for (const entry of await metaEntries(path, meta)) items.push(await item(entry.path, entry.name));
    return items;
  } finally {
    await source.close();
  }
}

/**
 * Reads length files, one after another: JSON (a list of records), JSONL, .npy of shape (n, 2), CSV or TSV with a
 * header, and meta JSON that names such files, each as it is or as gzip; "-" is the standard input. Files are streamed,
 * whatever their size: memory is 8 bytes per sample (24 while arrays grow) and a few MiB.
 *
 * @throws InputError INVALID_FILE, INVALID_LENGTH or MISSING_FIELD with the path and the place; OptionError; EngineError
 * OUT_OF_MEMORY; the signal's reason.
 */
export async function readLengths(paths: readonly string[], options: ReadOptions = {}): Promise<ReadResult> {
  onlyNames("readLengths", options, READ_OPTIONS);
  const fields = fieldNames(options);
  if (paths.indexOf("-") !== paths.lastIndexOf("-")) {
    throw new OptionError("INVALID_OPTION", '"-" is given twice, but the standard input can be read once only');
  }
  const root = await resolveRoot(options);
  const items: Item[] = [];
  for (const path of paths) {
    options.signal?.throwIfAborted();
    items.push(...(await expand(path, root)));
  }
  const total = items.reduce<number | undefined>(
    (sum, { size }) => (sum === undefined || size === undefined ? undefined : sum + size),
    0,
  );
  let done = 0;
  const watch: Watch = {
    signal: options.signal,
    onWait: options.onWait,
    read: (bytes) => {
      done += bytes;
      options.onProgress?.(done, total);
    },
  };
  const out = new Columns();
  const files: ReadFile[] = [];
  let core: CoreReader | undefined;
  for (const { path, name, place } of items) {
    // What a stranger's meta file leads to is not for everybody's eyes, unless it stays in a folder.
    const quotes = name === undefined || root !== undefined;
    const source = await (path === "-"
      ? openStream(options.stdin ?? process.stdin)
      : openFile(path, { ...underWatch(watch), place, quotes }));
    try {
      let samples: number;
      if (await looksLikeCsv(source)) samples = await readCsv(source, fields, out, watch);
      else {
        core ??= await CoreReader.make(fields);
        samples = await core.read(source, out, watch);
      }
      files.push(name === undefined ? { path, samples } : { path, name, samples });
    } finally {
      await source.close();
    }
  }
  return { ...out.take(), files };
}
