// gzip by the zlib of Node and Deno, several times as fast as gunzip.ts.
import type { Gunzip } from "node:zlib";
import { InputError } from "../core/errors.ts";
import { Peekable, type Source } from "./peekable.ts";

/** What it needs of the host. */
export interface Builtin {
  readonly zlib: Pick<typeof import("node:zlib"), "createGunzip">;
  readonly Readable: Pick<typeof import("node:stream").Readable, "from">;
}

/** Compressed bytes that are read at a time, and bytes that are unpacked at a time. */
const GZIP_PIECE = 1 << 16;

/** What a gzip file holds: all members, one after another. One that ends too early, or is followed by something, is an error. */
export class Zlib extends Peekable {
  readonly #packed: Source;
  readonly #gunzip: Gunzip;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #reading: Promise<number> = Promise.resolve(0);
  #isClosed = false;
  /** Packed bytes read, and how many up to the last one that is not 0: tapes and blocks are filled up with zeros. */
  #bytes = 0;
  #filled = 0;

  constructor(packed: Source, { zlib, Readable }: Builtin) {
    super(packed.path, packed.quotes);
    this.#packed = packed;
    this.#gunzip = zlib.createGunzip({ chunkSize: GZIP_PIECE });
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

  /** Throws if the last member is followed by anything but zeros. The unpacker itself would ignore it. */
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
