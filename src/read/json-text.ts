// A JSON text that is taken apart while it is read, for files of index lists: a packing of 10^7 samples is 80 MB of
// digits, and a string ends at 512 MB. Every step below works on the bytes at hand, and answers undefined when it needs
// more of them: `fill`, and take the step again.
import { InputError } from "../core/errors.ts";
import { MAX_INT32 } from "../core/options.ts";
import type { Column, Watch } from "./columns.ts";
import type { Source } from "./source.ts";

const PIECE = 1 << 18;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}

/** A byte, as a message shows it. */
function shownByte(c: number): string {
  return c > 0x20 && c < 0x7f ? String.fromCharCode(c) : `the byte 0x${c.toString(16).padStart(2, "0").toUpperCase()}`;
}

export class JsonText {
  readonly #source: Source;
  readonly #watch: Watch;
  #bytes = new Uint8Array(PIECE);
  #at = 0;
  #end = 0;
  /** Bytes of the input before `#bytes`. */
  #base = 0;
  #ended = false;

  constructor(source: Source, watch: Watch) {
    this.#source = source;
    this.#watch = watch;
  }

  /** Makes more bytes at hand; what was taken is forgotten. */
  async fill(): Promise<void> {
    this.#watch.signal?.throwIfAborted();
    const rest = this.#bytes.subarray(this.#at, this.#end);
    // A step that needs more than half of the room soon needs more than all of it.
    const bytes = rest.length * 2 > this.#bytes.length ? new Uint8Array(this.#bytes.length * 2) : this.#bytes;
    if (bytes === this.#bytes) bytes.copyWithin(0, this.#at, this.#end);
    else bytes.set(rest);
    this.#bytes = bytes;
    this.#base += this.#at;
    this.#at = 0;
    this.#end = rest.length;
    while (this.#end < bytes.length && !this.#ended) {
      const count = await this.#source.read(bytes.subarray(this.#end));
      this.#end += count;
      this.#ended = count === 0;
      this.#watch.read(count);
    }
  }

  /** An error that names where the text is now, or `at` bytes on. */
  error(why: string, at = 0): InputError {
    return new InputError("INVALID_FILE", `${this.#source.path}: byte ${this.#base + this.#at + at}: ${why}`);
  }

  /** What a step answers that came to the end of the bytes at hand. */
  #more(expected: string): undefined {
    if (!this.#ended) return undefined;
    throw this.error(`the file ends, expected ${expected}`, this.#end - this.#at);
  }

  /** The next byte that is no white space, which is not taken; -1 at the end. */
  peek(): number | undefined {
    while (this.#at < this.#end && isSpace(this.#bytes[this.#at])) this.#at++;
    return this.#at < this.#end ? this.#bytes[this.#at] : this.#ended ? -1 : undefined;
  }

  /** `peek` that fills. */
  async next(): Promise<number> {
    for (;;) {
      const c = this.peek();
      if (c !== undefined) return c;
      await this.fill();
    }
  }

  /** The error for a byte that `peek` gave. */
  unexpected(c: number, expected: string): InputError {
    return this.error(c === -1 ? `the file ends, expected ${expected}` : `found ${shownByte(c)}, expected ${expected}`);
  }

  /** Takes the byte that `peek` gave. */
  take(): void {
    this.#at++;
  }

  /** Takes `byte`, after white space. */
  async expect(byte: number, expected: string): Promise<void> {
    const c = this.peek() ?? (await this.next());
    if (c !== byte) throw this.unexpected(c, expected);
    this.#at++;
  }

  /** Adds the whole numbers of the list at hand to `out`; answers true. */
  list(out: Column): true | undefined {
    const bytes = this.#bytes;
    let at = this.#at;
    const close = bytes.indexOf(CLOSE_LIST, at);
    if (close === -1 || close >= this.#end) return this.#more("]");
    const stop = (why: string): never => {
      throw this.error(why, at - this.#at);
    };
    if (bytes[at] !== OPEN_LIST) stop(`found ${shownByte(bytes[at])}, expected a list of whole numbers: [`);
    at++;
    while (isSpace(bytes[at])) at++;
    if (bytes[at] !== CLOSE_LIST) {
      for (;;) {
        const start = at;
        let c = bytes[at];
        let value = 0;
        while (c >= 0x30 && c <= 0x39) {
          value = Math.min(value * 10 + c - 0x30, 2 ** 40);
          c = bytes[++at];
        }
        const number = c === 0x2e || c === 0x2d || (c | 0x20) === 0x65 || (bytes[start] === 0x30 && at > start + 1);
        if (at === start || number || value > MAX_INT32) {
          const seen = number || at > start ? "another number" : shownByte(c);
          at = start;
          stop(`found ${seen}, expected a whole number from 0 to ${MAX_INT32}, written as digits`);
        }
        out.push(value);
        while (isSpace(c)) c = bytes[++at];
        if (c === CLOSE_LIST) break;
        if (c !== COMMA) stop(`found ${shownByte(c)}, expected a comma or the end of the list: , or ]`);
        at++;
        while (isSpace(bytes[at])) at++;
      }
    }
    this.#at = at + 1;
    return true;
  }

  /** `list` that fills. */
  async lists(out: Column): Promise<void> {
    await this.next();
    while (this.list(out) === undefined) await this.fill();
  }

  /** Any value: lists of numbers that are long should be taken by `list`, this one makes a string of it. */
  async value(): Promise<unknown> {
    await this.next();
    let length = this.#valueLength();
    while (length === undefined) {
      await this.fill();
      length = this.#valueLength();
    }
    const text = new TextDecoder().decode(this.#bytes.subarray(this.#at, this.#at + length));
    try {
      const value: unknown = JSON.parse(text);
      this.#at += length;
      return value;
    } catch {
      throw this.error(`no JSON value`);
    }
  }

  /** Bytes up to where the value at hand ends, if it is one. */
  #valueLength(): number | undefined {
    let depth = 0;
    let inString = false;
    for (let at = this.#at; at < this.#end; at++) {
      const c = this.#bytes[at];
      if (inString) {
        if (c === BACKSLASH) at++;
        else if (c === QUOTE) {
          inString = false;
          if (depth === 0) return at + 1 - this.#at;
        }
      } else if (c === QUOTE) inString = true;
      else if (c === OPEN || c === OPEN_LIST) depth++;
      else if (c === CLOSE || c === CLOSE_LIST) {
        // The end of what the value is in.
        if (depth === 0) return at - this.#at;
        if (--depth === 0) return at + 1 - this.#at;
      } else if (depth === 0 && (c === COMMA || isSpace(c) || c === 0x3a)) return at - this.#at;
    }
    if (this.#ended && depth === 0 && !inString) return this.#end - this.#at;
    return this.#more("the rest of the value");
  }

  /** Calls `member` for each name of the object at hand; it takes the value. */
  async object(member: (name: string) => Promise<void>): Promise<void> {
    await this.expect(OPEN, "an object: {");
    if ((await this.next()) === CLOSE) return this.take();
    for (;;) {
      const c = await this.next();
      if (c !== QUOTE) throw this.unexpected(c, "a name in double quotes");
      const name = (await this.value()) as string;
      await this.expect(0x3a, "a colon");
      await member(name);
      const after = await this.next();
      if (after !== CLOSE && after !== COMMA) {
        throw this.unexpected(after, "a comma or the end of the object: , or }");
      }
      this.take();
      if (after === CLOSE) return;
    }
  }

  /** Calls `item` for each item of the list at hand; it takes it. What it answers is waited for if it is a promise. */
  async items(item: () => Promise<void> | undefined): Promise<void> {
    await this.expect(OPEN_LIST, "a list: [");
    if ((await this.next()) === CLOSE_LIST) return this.take();
    for (;;) {
      const waiting = item();
      if (waiting !== undefined) await waiting;
      const after = this.peek() ?? (await this.next());
      if (after !== CLOSE_LIST && after !== COMMA) {
        throw this.unexpected(after, "a comma or the end of the list: , or ]");
      }
      this.take();
      if (after === CLOSE_LIST) return;
    }
  }
}
