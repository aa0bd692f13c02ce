// What can be read. A path is one kind; source.ts, which knows files, is loaded for paths only.
import { InputError, OptionError, show } from "../core/errors.ts";
import { COMMIT, MAX_COMMIT, parseCommit } from "../core/folder-commit.ts";
import { type OpenOptions, openStream } from "./open.ts";
import type { Source } from "./peekable.ts";

/** Bytes that are fetched a piece at a time, in order, such as hyparquet's AsyncBuffer. */
export interface Slices {
  /** How many bytes there are. */
  readonly byteLength: number;
  /** The bytes from `start` up to `end`, or to the last one. */
  slice(start: number, end?: number): ArrayBuffer | ArrayBufferView | Promise<ArrayBuffer | ArrayBufferView>;
  /** What messages call it. Default: buffer. */
  readonly name?: string;
}

/**
 * Bytes: a File or Blob, a ReadableStream or another async iterable of Uint8Array, an ArrayBuffer or a view of one, or
 * slices. A stream can be read once only.
 */
export type Bytes =
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | ArrayBufferLike
  | ArrayBufferView
  | Slices;

/** Bytes and what messages call them; a name that ends in .csv or .tsv says that they are a table. */
export interface NamedBytes {
  /** What messages call them. */
  readonly name: string;
  /** The bytes themselves. */
  readonly data: Bytes;
}

/** What is read as one file. A string is a path: Node and Deno only. */
export type Input = string | Bytes | NamedBytes;

/** The files of a folder by their names in it, as a Map or as an object. */
export type Folder = ReadonlyMap<string, Input> | { readonly [name: string]: Input };

/** A file that can be opened. */
export interface InputFile {
  /** What messages call it. */
  readonly path: string;
  /** Whether it exists. */
  exists(): Promise<boolean>;
  /** In bytes, as it is stored; undefined for a stream or a pipe. @throws InputError where there is none. */
  size(): Promise<number | undefined>;
  /** @throws InputError */
  open(options?: OpenOptions): Promise<Source>;
}

/** The file of a name in a folder; there need be none. */
export type FileOf = (name: string) => InputFile;

/** Bytes per slice: one from a server costs a request. */
const SLICE = 1 << 20;

/** The file at a path. `place`: where it is, if messages call it otherwise. */
export function fileAt(path: string, place = path): InputFile {
  const paths = () => import("./source.ts");
  return {
    path,
    exists: async () => (await paths()).fileExists(place),
    size: async () => (await paths()).fileSize(path, place),
    open: async (options) => (await paths()).openFile(path, { ...options, place }),
  };
}

type Members = Readonly<Record<string, unknown>>;

function isSlices(value: object): value is Slices {
  const { byteLength, slice } = value as Members;
  return typeof byteLength === "number" && typeof slice === "function";
}

// By what they can do, not by their class: a frame's or a worker's are of other classes.
function isBlob(value: object): value is Blob {
  const { size, slice, arrayBuffer } = value as Members;
  return typeof size === "number" && typeof slice === "function" && typeof arrayBuffer === "function";
}

function isReadable(value: object): value is ReadableStream<Uint8Array> {
  return typeof (value as Members).getReader === "function";
}

function isIterable(value: object): value is AsyncIterable<Uint8Array> {
  return typeof (value as Partial<AsyncIterable<Uint8Array>>)[Symbol.asyncIterator] === "function";
}

function isNamed(value: object): value is NamedBytes {
  const { name, data } = value as Members;
  return typeof name === "string" && typeof data === "object" && data !== null;
}

function viewOf(bytes: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function isBuffer(value: unknown): value is ArrayBufferLike {
  return /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

async function* slicesOf(path: string, from: Slices): AsyncGenerator<Uint8Array> {
  const { byteLength } = from;
  for (let at = 0; at < byteLength; ) {
    const end = Math.min(at + SLICE, byteLength);
    const slice: unknown = await from.slice(at, end);
    if (!isBuffer(slice) && !ArrayBuffer.isView(slice)) {
      throw new InputError("INVALID_FILE", `${path}: a slice is ${show(slice)}, expected an ArrayBuffer`);
    }
    const bytes = viewOf(slice);
    if (bytes.length !== end - at) {
      const seen = `the slice from byte ${at} to ${end} has ${bytes.length} bytes`;
      throw new InputError("INVALID_FILE", `${path}: ${seen}, expected ${end - at}`);
    }
    yield bytes;
    at = end;
  }
}

async function* blobOf(path: string, blob: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += SLICE) {
    try {
      yield new Uint8Array(await blob.slice(at, at + SLICE).arrayBuffer());
    } catch (error) {
      // A file that was changed or removed since it was chosen.
      throw new InputError("INVALID_FILE", `${path}: cannot be read (${(error as Error).message})`, { cause: error });
    }
  }
}

// Not every browser's streams are iterable.
async function* readableOf(path: string, stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (stream.locked) throw new InputError("INVALID_FILE", `${path}: is locked, somebody else reads it`);
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      ended = done;
      if (done) return;
      yield value;
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

function streamed(path: string, size: number | undefined, chunks: () => AsyncIterable<Uint8Array>): InputFile {
  return {
    path,
    exists: async () => true,
    size: async () => size,
    open: () => openStream(chunks(), path),
  };
}

/**
 * What a caller gives to be read, as a file. `name`: what messages call it, if it has no name of its own.
 *
 * @throws OptionError for what cannot be read.
 */
export function fileOf(input: Input, name?: string): InputFile {
  if (typeof input === "string") return fileAt(input);
  const value: unknown = input;
  if (typeof value === "object" && value !== null) {
    if (isBlob(value)) {
      const own = (value as Partial<File>).name;
      const path = name ?? (typeof own === "string" && own !== "" ? own : "blob");
      return streamed(path, value.size, () => blobOf(path, value));
    }
    if (isBuffer(value) || ArrayBuffer.isView(value)) {
      return streamed(name ?? "buffer", value.byteLength, () => once(viewOf(value)));
    }
    if (isSlices(value)) {
      const path = name ?? (typeof value.name === "string" && value.name !== "" ? value.name : "buffer");
      return streamed(path, value.byteLength, () => slicesOf(path, value));
    }
    if (isReadable(value)) return streamed(name ?? "stream", undefined, () => readableOf(name ?? "stream", value));
    if (isIterable(value)) return streamed(name ?? "stream", undefined, () => value);
    if (isNamed(value)) return fileOf(value.data, value.name === "" ? name : value.name);
  }
  throw new OptionError(
    "INVALID_OPTION",
    `${name ?? "an input"} is ${show(input)}, expected a path, a File or Blob, a ReadableStream, an ArrayBuffer or typed array, or { byteLength, slice }`,
  );
}

/** Whether this is the files of a folder, rather than one file. */
export function isFolder(input: Input | Folder): input is Folder {
  if (typeof input !== "object" || input === null) return false;
  if (input instanceof Map) return true;
  const prototype: unknown = Object.getPrototypeOf(input);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return !isBlob(input) && !isSlices(input) && !isReadable(input) && !isIterable(input) && !isNamed(input);
}

/**
 * The files of a folder at hand.
 *
 * @throws InputError INVALID_FILE if a run is still writing the folder: hashes tell which of its files are in force, and
 *   only a folder that is read by its path can be checked for that.
 */
export async function filesIn(folder: Folder): Promise<FileOf> {
  const files = folder instanceof Map ? folder : new Map(Object.entries(folder));
  const commit = files.has(COMMIT) ? fileOf(files.get(COMMIT) as Input, COMMIT) : undefined;
  if (commit !== undefined && ((await commit.size()) ?? 0) <= MAX_COMMIT) {
    const source = await commit.open();
    try {
      const text = new TextDecoder().decode((await source.peek(MAX_COMMIT)).slice());
      if (parseCommit(COMMIT, text) !== undefined) {
        throw new InputError(
          "INVALID_FILE",
          `${COMMIT}: the folder is being written, or a run that wrote it was killed: read it by its path, or once the run has ended`,
        );
      }
    } finally {
      await source.close();
    }
  }
  return (name) => {
    const input = files.get(name);
    if (input !== undefined) return fileOf(input, typeof input === "string" ? undefined : name);
    const missing = async (): Promise<never> => {
      throw new InputError("INVALID_FILE", `${name}: no such file`);
    };
    return { path: name, exists: async () => false, size: missing, open: missing };
  };
}
