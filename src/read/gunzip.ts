// gzip where the host has no zlib. DecompressionStream reads one member only, refuses the zeros that tapes and blocks are
// filled up with, and does not say whether data is cut short or damaged; this is zlib itself, in JavaScript.
import {
  Z_BUF_ERROR,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibInflate,
  zlibInflateInit2,
  zlibInflateReset,
} from "pako";
import { InputError } from "../core/errors.ts";
import { Peekable, type Source } from "./peekable.ts";

/** Compressed bytes that are read at a time. */
const PIECE = 1 << 16;
/** A window of 32 KiB, in gzip. */
const WINDOW_BITS = 15 + 16;

/** What a gzip file holds: all members, one after another. One that ends too early, or is followed by something, is an error. */
export class Gunzip extends Peekable {
  readonly #packed: Source;
  readonly #stream = new ZStream();
  /** Whether all that can be unpacked of the input at hand was handed out. */
  #isDry = true;
  #isBetweenMembers = false;
  #isPadding = false;

  constructor(packed: Source) {
    super(packed.path, packed.quotes);
    this.#packed = packed;
    this.#stream.avail_in = 0;
    zlibInflateInit2(this.#stream, WINDOW_BITS);
  }

  /** Puts the next packed bytes at hand; false at their end. */
  async #fill(): Promise<boolean> {
    const piece = new Uint8Array(PIECE);
    const bytes = await this.#packed.read(piece);
    this.#stream.input = piece;
    this.#stream.next_in = 0;
    this.#stream.avail_in = bytes;
    return bytes > 0;
  }

  #refuse(why: string): InputError {
    return new InputError("INVALID_FILE", `${this.path}: the gzip data ${why}`);
  }

  /** Whether another member follows: nothing else may but zeros. */
  async #nextMember(): Promise<boolean> {
    const stream = this.#stream;
    while (stream.avail_in > 0 || (await this.#fill())) {
      if (stream.input[stream.next_in] !== 0) {
        if (this.#isPadding) throw this.#refuse("is followed by something else");
        zlibInflateReset(stream);
        return true;
      }
      this.#isPadding = true;
      stream.next_in++;
      stream.avail_in--;
    }
    return false;
  }

  protected async next(into: Uint8Array): Promise<number> {
    const stream = this.#stream;
    for (;;) {
      if (this.#isBetweenMembers) {
        if (!(await this.#nextMember())) return 0;
        this.#isBetweenMembers = false;
      } else if (this.#isDry && stream.avail_in === 0 && !(await this.#fill())) {
        throw this.#refuse("ends too early, it is cut short");
      }
      stream.output = into as Uint8Array<ArrayBuffer>;
      stream.next_out = 0;
      stream.avail_out = into.length;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      if (status !== Z_OK && status !== Z_STREAM_END && status !== Z_BUF_ERROR) {
        throw this.#refuse(`is damaged (${stream.msg})`);
      }
      this.#isBetweenMembers = status === Z_STREAM_END;
      this.#isDry = stream.avail_out > 0;
      if (stream.next_out > 0) return stream.next_out;
    }
  }

  override spent(): number {
    return this.#packed.spent();
  }

  close(): Promise<void> {
    return this.#packed.close();
  }
}
