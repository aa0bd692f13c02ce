// Length files, packings and plans, wherever they are: the entry `omnibal/read`. Nothing here imports a module of Node.
import type { HasCore } from "../core/core.ts";
import { InputError, OptionError, show } from "../core/errors.ts";
import { invalidSamples } from "../core/invalid.ts";
import { baseLoads, fieldsOf, type LoadColumn, MOST_LOADS, NO_LOADS, USUAL } from "../core/lengths.ts";
import { type NamesOf, onlyNames } from "../core/options.ts";
import { Columns, type Wanted, type Watch } from "./columns.ts";
import type { ReadInto } from "./format.ts";
import { firstByte, formatOf, namedFormat } from "./formats.ts";
import { needed } from "./host.ts";
import { fileAt, fileOf, type Input, type InputFile } from "./input.ts";
import { metaEntries, parseMeta } from "./meta.ts";
import { openStream, underWatch } from "./open.ts";

export type { Bytes, Folder, Input, NamedBytes, Slices } from "./input.ts";
export { type OpenPacking, openPacking, type PackedLengths, type ReadPackingOptions, readPacking } from "./packing.ts";
export { type ReadPlan, type ReadPlanOptions, readPlan } from "./plan.ts";

/** Which loads to read, from where, and what to call meanwhile. */
export interface ReadOptions<Name extends string = string> {
  /** The instance to read with, which must not be at work. Default: one of its own, of the packaged module. */
  readonly omnibal?: HasCore;
  /**
   * The loads to read, 1 to 8, by the names that they are to have. For squares, as tokens^2, what is squared is read. Default:
   * vit and tokens.
   */
  readonly loads?: readonly Name[];
  /**
   * Field (or CSV column) that a load is read from: `{ patches: "num_patches" }`. Default: the one of the load's own name, and
   * of vit and tokens, where there is none, vit_num and token_num.
   */
  readonly fields?: Readonly<Partial<Record<Name, string>>>;
  /** Short for `fields.vit`. */
  readonly vitField?: string;
  /** Short for `fields.tokens`. */
  readonly tokenField?: string;
  /** With 0, a record that lacks a load has 0 of it. Default: it is an error. */
  readonly missing?: 0;
  /** What the columns of .npy files are, as a header would say. Default: vit and tokens. */
  readonly columns?: readonly string[];
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
  loads: true,
  fields: true,
  missing: true,
  columns: true,
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

/** What is told of samples beside their loads. */
export type ReadSamples = {
  /** The files in the order of their samples. */
  readonly files: readonly ReadFile[];
  /**
   * int32: the samples that are -1 in every load, ascending, as `omnibal measure` writes those it could not measure. Not
   * enumerable: it is no load.
   */
  readonly invalid: Int32Array;
};

/**
 * The loads of all samples of all files: a column for each, int32 where all values are below 2^31, else float64. `pack` and
 * its like take it as it is.
 */
export type ReadResult<Name extends string = "vit" | "tokens"> = Readonly<Record<Name, LoadColumn>> & ReadSamples;

/** Something to read, not open yet: a meta file may name more files than a process can hold open. */
interface Item {
  readonly file: InputFile;
  readonly name?: string;
  readonly size: number | undefined;
}

function refuse(why: string): never {
  throw new OptionError("INVALID_OPTION", why);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && new TextEncoder().encode(value).length <= MAX_NAME;
}

/** A field's name in UTF-8 is at most so long. */
const MAX_NAME = 4096;
/** Columns of a .npy at most. */
const MAX_TABLE = 255;

/** A list of different names. */
function nameList(option: string, list: unknown, most: number): readonly string[] {
  if (!Array.isArray(list) || list.length < 1 || list.length > most) {
    return refuse(`${option} is ${show(list)}, expected 1 to ${most} names`);
  }
  for (const [k, name] of list.entries()) {
    if (!isName(name)) refuse(`${option} has ${show(name)}, expected a name of 1 to ${MAX_NAME} bytes`);
    if (list.indexOf(name) !== k) refuse(`${option} has ${show(name)} twice`);
  }
  return list;
}

/** The loads to read and their fields. */
function wantedOf({ loads = USUAL, fields = {}, vitField, tokenField, missing, columns }: ReadOptions): Wanted {
  // Squares are made of what is read.
  const names = baseLoads(nameList("loads", loads, 2 * MOST_LOADS));
  if (names.length > MOST_LOADS) refuse(`loads are ${names.length}, expected at most ${MOST_LOADS}`);
  const strange = names.find((name) => NO_LOADS.includes(name));
  if (strange !== undefined) refuse(`loads has ${show(strange)}, which the result has for itself`);
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    refuse(`fields are ${show(fields)}, expected fields by load: { tokens: "token_num" }`);
  }
  const given = [
    ...Object.entries(fields as Record<string, unknown>).map(
      ([name, field]) => [`fields.${name}`, name, field] as const,
    ),
    ...(vitField === undefined ? [] : [["vitField", "vit", vitField] as const]),
    ...(tokenField === undefined ? [] : [["tokenField", "tokens", tokenField] as const]),
  ];
  for (const [option, name, field] of given) {
    if (!isName(field)) refuse(`${option} is ${show(field)}, expected a name of 1 to ${MAX_NAME} bytes`);
    if (!names.includes(name)) refuse(`${option} is given, but ${show(name)} is none of the loads ${names.join(", ")}`);
  }
  const wanted = names.map((name) => {
    const own = given.findLast(([, load]) => load === name)?.[2] as string | undefined;
    return { name, fields: own === undefined ? fieldsOf(name) : [own] };
  });
  for (const [k, { name, fields: own }] of wanted.entries()) {
    const other = wanted.find((load, i) => i < k && load.fields.some((field) => own.includes(field)));
    if (other === undefined) continue;
    const both = own.find((field) => other.fields.includes(field));
    refuse(`${other.name} and ${name} are both read from ${show(both)}, expected two fields`);
  }
  if (missing !== undefined && missing !== 0) refuse(`missing is ${show(missing)}, expected 0 or none`);
  return {
    loads: wanted,
    zeros: missing === 0,
    columns: columns === undefined ? undefined : nameList("columns", columns, MAX_TABLE),
  };
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
 * Reads length files, one after another: JSON (a list of records), JSONL, .npy with a column per load, CSV or TSV with a
 * header, and meta JSON that names such files, each as it is or as gzip. A string is a path, "-" the standard input;
 * anything else is bytes, in any host: a File or Blob, a ReadableStream, an ArrayBuffer or typed array, or
 * { byteLength, slice }. All of them are streamed, whatever their size: memory is 4 bytes for each load of a sample (8 of a
 * load with a value above 31 bits, three times as many while arrays grow) and a few MiB.
 *
 * @throws InputError INVALID_FILE, INVALID_LENGTH or MISSING_FIELD with the path and the place; OptionError; EngineError
 * OUT_OF_MEMORY, or BUSY where the instance given is at work; the signal's reason.
 */
export async function readLengths<const Name extends string = "vit" | "tokens">(
  inputs: Input | readonly Input[],
  options: ReadOptions<Name> = {},
): Promise<ReadResult<Name>> {
  onlyNames("readLengths", options, READ_OPTIONS);
  const wanted = wantedOf(options as ReadOptions);
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
  const out = new Columns(wanted.loads.length);
  const files: ReadFile[] = [];
  const readers = new Map<string, ReadInto>();
  for (const { file, name } of items) {
    // What a stranger's meta file leads to is not for everybody's eyes, unless it stays in a folder.
    const quotes = name === undefined || root !== undefined;
    const source = await file.open({ ...underWatch(watch), quotes });
    try {
      const format = await formatOf(source);
      const read = readers.get(format.name) ?? (await format.reader(wanted, options.omnibal?.core));
      readers.set(format.name, read);
      const samples = await read(source, out, watch);
      files.push({ path: file.path, ...(name === undefined ? {} : { name }), samples });
    } finally {
      await source.close();
    }
  }
  const lengths = Object.fromEntries(wanted.loads.map(({ name }, k) => [name, out.loads[k].take()]));
  // The columns have it too, so that a copy of the loads loses nothing.
  const invalid = { value: invalidSamples(lengths), enumerable: false };
  return Object.defineProperty({ ...lengths, files }, "invalid", invalid) as unknown as ReadResult<Name>;
}
