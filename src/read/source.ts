import { type FileHandle, open, stat } from "node:fs/promises";
import { InputError } from "../core/errors.ts";

/** Bytes that come in order, into room that the caller has. */
export interface Source {
  /** What messages call it. */
  readonly path: string;
  /** Fills the beginning of `into`, if only in part; 0 at the end. */
  read(into: Uint8Array): Promise<number>;
  /** The beginning of the input, `bytes` long unless it ends before; it will be read again. */
  peek(bytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** One line, whatever the system says. */
export function fileError(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error as Error;
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
  abstract readonly path: string;
  #ahead = new Uint8Array(0);

  protected abstract next(into: Uint8Array): Promise<number>;
  abstract close(): Promise<void>;

  async read(into: Uint8Array): Promise<number> {
    const ahead = this.#ahead;
    if (ahead.length === 0) return this.next(into);
    const bytes = Math.min(into.length, ahead.length);
    into.set(ahead.subarray(0, bytes));
    this.#ahead = ahead.subarray(bytes);
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
}

class FileSource extends Peekable {
  readonly path: string;
  readonly #file: FileHandle;

  constructor(path: string, file: FileHandle) {
    super();
    this.path = path;
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
  readonly path = "stdin";
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest = new Uint8Array(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    super();
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  protected async next(into: Uint8Array): Promise<number> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return 0;
      if (!(value instanceof Uint8Array)) {
        throw new InputError("INVALID_FILE", `stdin: got a ${typeof value}, expected bytes (Uint8Array)`);
      }
      this.#rest = value as Uint8Array<ArrayBuffer>;
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

/** The size of a regular file, undefined for others, such as a named pipe. */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    throw fileError(path, error);
  }
}

/** A file by its path, regular or not. */
export async function openFile(path: string): Promise<Source> {
  try {
    return new FileSource(path, await open(path, "r"));
  } catch (error) {
    throw fileError(path, error);
  }
}

/** A stream of bytes, such as the standard input. */
export function openStream(stream: AsyncIterable<Uint8Array>): Source {
  return new StreamSource(stream);
}
