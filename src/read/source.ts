// Bytes that come in order: a file, a stream or a named pipe, unpacked if they are gzip.
import { closeSync, constants, openSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { Readable } from "node:stream";
import { createGunzip, type Gunzip } from "node:zlib";
import { InputError } from "../core/errors.ts";
import type { Watch } from "./columns.ts";
import { BEGINNING, foreignFormat } from "./foreign.ts";

/** Bytes that come in order, into room that the caller has. */
export interface Source {
  /** What messages call it. */
  readonly path: string;
  /** Whether messages may quote more of its content than a value that is refused. */
  readonly quotes: boolean;
  /** Fills the beginning of `into`, if only in part; 0 at the end. */
  read(into: Uint8Array): Promise<number>;
  /** The beginning of the input, `bytes` long unless it ends before; it will be read again. */
  peek(bytes: number): Promise<Uint8Array>;
  /** Bytes of the file, as it is stored, that were used up by reads since the last call: for progress. */
  spent(): number;
  close(): Promise<void>;
}

/** How a file is opened. */
export interface OpenOptions {
  /** Ends the wait for a named pipe. */
  readonly signal?: AbortSignal | undefined;
  /** See `ReadOptions.onWait`. */
  readonly onWait?: ((path: string) => void) | undefined;
  /** Where the file is, if messages call it otherwise. */
  readonly place?: string;
  /** See `Source.quotes`. Default: true. */
  readonly quotes?: boolean;
}

/** One line, whatever the system says. */
export function fileError(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof InputError) return error as Error;
  const seen: Record<string, string> = {
    ENOENT: "no such file",
    ENOTDIR: "no such file",
    EISDIR: "is a folder, expected a file",
    EACCES: "not allowed to read it",
  };
  return new InputError("INVALID_FILE", `${path}: ${seen[code] ?? message}`, { cause: error });
}

/** Reads ahead only what `peek` asks for. */
abstract class Peekable implements Source {
  readonly path: string;
  readonly quotes: boolean;
  #ahead = new Uint8Array(0);
  #handed = 0;

  constructor(path: string, quotes: boolean) {
    this.path = path;
    this.quotes = quotes;
  }

  protected abstract next(into: Uint8Array): Promise<number>;
  abstract close(): Promise<void>;

  async read(into: Uint8Array): Promise<number> {
    const ahead = this.#ahead;
    const bytes = ahead.length === 0 ? await this.next(into) : Math.min(into.length, ahead.length);
    if (ahead.length > 0) {
      into.set(ahead.subarray(0, bytes));
      this.#ahead = ahead.subarray(bytes);
    }
    this.#handed += bytes;
    return bytes;
  }

  async peek(bytes: number): Promise<Uint8Array> {
    if (this.#ahead.length >= bytes) return this.#ahead.subarray(0, bytes);
    const ahead = new Uint8Array(bytes);
    ahead.set(this.#ahead);
    let have = this.#ahead.length;
    while (have < bytes) {
      const more = await this.next(ahead.subarray(have));
      if (more === 0) break;
      have += more;
    }
    this.#ahead = ahead.subarray(0, have);
    return this.#ahead;
  }

  spent(): number {
    const bytes = this.#handed;
    this.#handed = 0;
    return bytes;
  }
}

class FileSource extends Peekable {
  readonly #file: FileHandle;

  constructor(path: string, quotes: boolean, file: FileHandle) {
    super(path, quotes);
    this.#file = file;
  }

  protected async next(into: Uint8Array): Promise<number> {
    try {
      return (await this.#file.read(into, 0, into.length, null)).bytesRead;
    } catch (error) {
      throw fileError(this.path, error);
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

class StreamSource extends Peekable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest = new Uint8Array(0);

  constructor(path: string, quotes: boolean, stream: AsyncIterable<Uint8Array>) {
    super(path, quotes);
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** The next piece of the stream; undefined at its end. */
  protected async chunk(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#chunks.next();
    return done === true ? undefined : value;
  }

  protected async next(into: Uint8Array): Promise<number> {
    while (this.#rest.length === 0) {
      const chunk: unknown = await this.chunk();
      if (chunk === undefined) return 0;
      if (!(chunk instanceof Uint8Array)) {
        throw new InputError("INVALID_FILE", `${this.path}: got a ${typeof chunk}, expected bytes (Uint8Array)`);
      }
      this.#rest = chunk as Uint8Array<ArrayBuffer>;
    }
    const bytes = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, bytes));
    this.#rest = this.#rest.subarray(bytes);
    return bytes;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** How long a named pipe may bring nothing before `onWait` is called, in ms. */
const SILENCE = 1000;

/**
 * A named pipe. A call that opens one waits for a writer, and a process with a call under way cannot even be ended from
 * JavaScript, so it is opened without waiting, and the event loop is told when something comes.
 */
class PipeSource extends StreamSource {
  readonly #socket: Socket;
  readonly #options: OpenOptions;
  readonly #stop: () => void;
  #isSilent = true;

  constructor(path: string, quotes: boolean, socket: Socket, options: OpenOptions) {
    super(path, quotes, socket);
    this.#socket = socket;
    this.#options = options;
    const { signal } = options;
    this.#stop = () => socket.destroy(signal?.reason instanceof Error ? signal.reason : undefined);
    signal?.addEventListener("abort", this.#stop, { once: true });
  }

  protected override async chunk(): Promise<Uint8Array | undefined> {
    const { signal, onWait } = this.#options;
    signal?.throwIfAborted();
    const timer = this.#isSilent ? setTimeout(() => onWait?.(this.path), SILENCE) : undefined;
    try {
      const chunk = await super.chunk();
      signal?.throwIfAborted();
      return chunk;
    } catch (error) {
      signal?.throwIfAborted();
      throw fileError(this.path, error);
    } finally {
      clearTimeout(timer);
      this.#isSilent = false;
    }
  }

  override async close(): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#stop);
    this.#socket.destroy();
  }
}

/** Compressed bytes that are read at a time, and bytes that are unpacked at a time. */
const GZIP_PIECE = 1 << 16;

/** What a gzip file holds: all members, one after another. One that ends too early, or is followed by something, is an error. */
class GzipSource extends Peekable {
  readonly #packed: Source;
  readonly #gunzip: Gunzip;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #reading: Promise<number> = Promise.resolve(0);
  #isClosed = false;
  /** Packed bytes read, and how many up to the last one that is not 0: tapes and blocks are filled up with zeros. */
  #bytes = 0;
  #filled = 0;

  constructor(packed: Source) {
    super(packed.path, packed.quotes);
    this.#packed = packed;
    this.#gunzip = createGunzip({ chunkSize: GZIP_PIECE });
    // Errors reach the iterator, which is read to the end or closed.
    Readable.from(this.#pieces(), { objectMode: false })
      .on("error", (error) => this.#gunzip.destroy(error))
      .pipe(this.#gunzip);
    this.#chunks = this.#gunzip[Symbol.asyncIterator]();
  }

  /** The next packed bytes; none at the end. */
  async #piece(): Promise<Uint8Array> {
    const piece = new Uint8Array(GZIP_PIECE);
    this.#reading = this.#packed.read(piece);
    const bytes = await this.#reading;
    for (let at = bytes - 1; at >= 0; at--) {
      if (piece[at] === 0) continue;
      this.#filled = this.#bytes + at + 1;
      break;
    }
    this.#bytes += bytes;
    return piece.subarray(0, bytes);
  }

  async *#pieces(): AsyncGenerator<Uint8Array> {
    while (!this.#isClosed) {
      const piece = await this.#piece();
      if (piece.length === 0) return;
      yield piece;
    }
  }

  #refuse(error: unknown): Error {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith("Z_") !== true) return error as Error;
    const why = code === "Z_BUF_ERROR" ? "ends too early, it is cut short" : `is damaged (${message})`;
    return new InputError("INVALID_FILE", `${this.path}: the gzip data ${why}`, { cause: error });
  }

  /** Throws if the last member is followed by anything but zeros. The unpacker itself would pass over it. */
  async #checkEnd(): Promise<void> {
    this.#isClosed = true;
    await this.#reading;
    while ((await this.#piece()).length > 0);
    if (this.#filled <= this.#gunzip.bytesWritten) return;
    throw new InputError("INVALID_FILE", `${this.path}: the gzip data is followed by something else`);
  }

  protected async next(into: Uint8Array): Promise<number> {
    try {
      while (this.#rest.length === 0) {
        const { done, value } = await this.#chunks.next();
        if (done === true) {
          if (!this.#isClosed) await this.#checkEnd();
          return 0;
        }
        this.#rest = value;
      }
    } catch (error) {
      throw this.#refuse(error);
    }
    const bytes = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, bytes));
    this.#rest = this.#rest.subarray(bytes);
    return bytes;
  }

  override spent(): number {
    return this.#packed.spent();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#gunzip.destroy();
    await this.#reading.catch(() => {});
    await this.#packed.close();
  }
}

/** Unpacks what is gzip, and refuses what no reader here can read. */
async function unpacked(source: Source): Promise<Source> {
  let plain = source;
  try {
    const [first, second] = await source.peek(2);
    if (first === 0x1f && second === 0x8b) plain = new GzipSource(source);
    const foreign = foreignFormat(await plain.peek(BEGINNING));
    if (foreign === undefined) return plain;
    throw new InputError("INVALID_FILE", `${source.path}: is ${foreign}`);
  } catch (error) {
    await plain.close();
    throw error;
  }
}

/** The size of a regular file, undefined for others, such as a named pipe. */
export async function fileSize(path: string, place = path): Promise<number | undefined> {
  try {
    const stats = await stat(place);
    if (stats.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    throw fileError(path, error);
  }
}

/** A named pipe, open for reading; undefined where the system or the host has no way to wait for one. */
function openPipe(place: string): Socket | undefined {
  if (process.platform !== "linux" || "Deno" in globalThis) return undefined;
  const fd = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A named pipe, once somebody writes to it. */
async function openSilentPipe(path: string, place: string, { onWait }: OpenOptions): Promise<FileHandle> {
  const timer = setTimeout(() => onWait?.(path), SILENCE);
  try {
    return await open(place, "r");
  } finally {
    clearTimeout(timer);
  }
}

async function opened(path: string, options: OpenOptions): Promise<Source> {
  const { place = path, quotes = true } = options;
  try {
    if (!(await stat(place)).isFIFO()) return new FileSource(path, quotes, await open(place, "r"));
    const socket = openPipe(place);
    if (socket !== undefined) return new PipeSource(path, quotes, socket, options);
    return new FileSource(path, quotes, await openSilentPipe(path, place, options));
  } catch (error) {
    throw fileError(path, error);
  }
}

/** A file by its path, regular or not. */
export async function openFile(path: string, options: OpenOptions = {}): Promise<Source> {
  return unpacked(await opened(path, options));
}

/** A stream of bytes, such as the standard input. */
export function openStream(stream: AsyncIterable<Uint8Array>): Promise<Source> {
  return unpacked(new StreamSource("stdin", true, stream));
}

/** The options to open a file with that is read under this watch. */
export function underWatch({ signal, onWait }: Watch): OpenOptions {
  return { signal, onWait };
}
