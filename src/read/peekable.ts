// Bytes that come in order, wherever they are from.
import { InputError } from "../core/errors.ts";

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

/** Reads ahead only what `peek` asks for. */
export abstract class Peekable implements Source {
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

/** Chunks of bytes, one after another. */
export class StreamSource extends Peekable {
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
