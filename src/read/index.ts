// Length files, packings and plans, wherever they are: the entry `omnibal/read`. Nothing here imports a module of Node.
import type { HasCore } from "../core/core.ts";
import { InputError, OptionError, show } from "../core/errors.ts";
import type { VitTokens } from "../core/lengths.ts";
import { type NamesOf, onlyNames } from "../core/options.ts";
import { Columns, type FieldNames, type Watch } from "./columns.ts";
import { FIELDS } from "./fields.ts";
import type { ReadInto } from "./format.ts";
import { firstByte, formatOf, namedFormat } from "./formats.ts";
import { needed } from "./host.ts";
import { fileAt, fileOf, type Input, type InputFile } from "./input.ts";
import { metaEntries, parseMeta } from "./meta.ts";
import { openStream, underWatch } from "./open.ts";

export type { Bytes, Folder, Input, NamedBytes, Slices } from "./input.ts";
export { type PackedLengths, type ReadPackingOptions, readPacking } from "./packing.ts";
export { type ReadPlan, type ReadPlanOptions, readPlan } from "./plan.ts";

/** Which fields to read, from where, and what to call meanwhile. */
export interface ReadOptions {
  /** The instance to read with, which must not be at work. Default: one of its own, of the packaged module. */
  readonly omnibal?: HasCore;
  /** Field (or CSV column) with a sample's image tiles. Default: vit_num. */
  readonly vitField?: string;
  /** Field (or CSV column) with its tokens. Default: token_num. */
  readonly tokenField?: string;
  /** What "-" reads. Default: the standard input of the process, in Node and Deno. */
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
  omnibal: true,
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
  /** Its path, or what messages call it where it has none. */
  readonly path: string;
  /** Its name in the meta file that named it. */
  readonly name?: string;
  /** Samples in it. */
  readonly samples: number;
}

/** The lengths of all samples of all files, and which file has how many. */
export interface ReadResult extends VitTokens {
  /** The files in the order of their samples. */
  readonly files: readonly ReadFile[];
}

/** Something to read, not open yet: a meta file may name more files than a process can hold open. */
interface Item {
  readonly file: InputFile;
  readonly name?: string;
  readonly size: number | undefined;
}

function fieldNames(options: ReadOptions): FieldNames {
  const { vitField = FIELDS.vitField.default, tokenField = FIELDS.tokenField.default } = options;
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
  const { realpath, stat } = needed("node:fs/promises");
  const real = typeof root === "string" && root !== "" ? await realpath(root).catch(() => undefined) : undefined;
  if (real !== undefined && (await stat(real)).isDirectory()) return real;
  throw new OptionError("INVALID_OPTION", `root is ${show(root)}, expected a folder`);
}

/** The file at `path`, which must be in the folder `root` if there is one. */
async function fileWithin(path: string, root: string | undefined): Promise<InputFile> {
  if (root === undefined) return fileAt(path);
  const { isAbsolute, relative, sep } = needed("node:path");
  const real = await needed("node:fs/promises")
    .realpath(path)
    .catch(async (error: unknown) => {
      throw (await import("./source.ts")).fileError(path, error);
    });
  const way = relative(root, real);
  if (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way)) return fileAt(path, real);
  throw new InputError("INVALID_FILE", `${path}: is outside of ${root}, the folder to read from`);
}

/** The standard input of the process, or what stands for it. */
function stdinFile({ stdin = globalThis.process?.stdin }: ReadOptions): InputFile {
  if (stdin === undefined) throw new OptionError("INVALID_OPTION", '"-" is given, but there is no standard input here');
  return {
    path: "-",
    exists: async () => true,
    size: async () => undefined,
    open: () => openStream(stdin),
  };
}

/** The file that is given, or the files it names if it is a meta file. */
async function expand(input: Input, root: string | undefined, options: ReadOptions): Promise<readonly Item[]> {
  if (input === "-") return [{ file: stdinFile(options), size: undefined }];
  const item = async (file: InputFile, name?: string): Promise<Item> => {
    return { file, size: await file.size(), ...(name === undefined ? {} : { name }) };
  };
  const self = await item(typeof input === "string" ? await fileWithin(input, root) : fileOf(input));
  const { path } = self.file;
  // A named pipe or a stream can be read once only, so it is taken for what it most likely is.
  if (self.size === undefined || namedFormat(path)?.mayBeMeta === false) return [self];
  const source = await self.file.open();
  try {
    const meta = (await firstByte(source)) === 0x7b ? await parseMeta(source) : undefined;
    if (meta === undefined) return [self];
    if (typeof input !== "string") {
      // Whoever hands over bytes must not have files opened by the names in them.
      throw new InputError(
        "INVALID_FILE",
        `${path}: is a meta file, whose paths are followed only if it is given by its own: give the files that it names`,
      );
    }
    const items: Item[] = [];
    for (const entry of await metaEntries(path, meta)) {
      items.push(await item(await fileWithin(entry.path, root), entry.name));
    }
    return items;
  } finally {
    await source.close();
  }
}

/**
 * Reads length files, one after another: JSON (a list of records), JSONL, .npy of shape (n, 2), CSV or TSV with a
 * header, and meta JSON that names such files, each as it is or as gzip. A string is a path, "-" the standard input;
 * anything else is bytes, in any host: a File or Blob, a ReadableStream, an ArrayBuffer or typed array, or
 * { byteLength, slice }. All of them are streamed, whatever their size: memory is 8 bytes per sample (24 while arrays grow)
 * and a few MiB.
 *
 * @throws InputError INVALID_FILE, INVALID_LENGTH or MISSING_FIELD with the path and the place; OptionError; EngineError
 * OUT_OF_MEMORY, or BUSY where the instance given is at work; the signal's reason.
 */
export async function readLengths(inputs: Input | readonly Input[], options: ReadOptions = {}): Promise<ReadResult> {
  onlyNames("readLengths", options, READ_OPTIONS);
  const fields = fieldNames(options);
  const all: readonly Input[] = Array.isArray(inputs) ? inputs : [inputs as Input];
  if (all.indexOf("-") !== all.lastIndexOf("-")) {
    throw new OptionError("INVALID_OPTION", '"-" is given twice, but the standard input can be read once only');
  }
  const root = await resolveRoot(options);
  const items: Item[] = [];
  for (const input of all) {
    options.signal?.throwIfAborted();
    items.push(...(await expand(input, root, options)));
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
  const readers = new Map<string, ReadInto>();
  for (const { file, name } of items) {
    // What a stranger's meta file leads to is not for everybody's eyes, unless it stays in a folder.
    const quotes = name === undefined || root !== undefined;
    const source = await file.open({ ...underWatch(watch), quotes });
    try {
      const format = await formatOf(source);
      const read = readers.get(format.name) ?? (await format.reader(fields, options.omnibal?.core));
      readers.set(format.name, read);
      const samples = await read(source, out, watch);
      files.push({ path: file.path, ...(name === undefined ? {} : { name }), samples });
    } finally {
      await source.close();
    }
  }
  return { ...out.take(), files };
}
