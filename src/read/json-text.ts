// A JSON text that is taken apart while it is read, for files of index lists: a packing of 10^7 samples is 80 MB of
// digits, and a string ends at 512 MB. Every step below works on the bytes at hand, and returns undefined if it needs
// more of them: `fill`, and take the step again. White space, long lists and values that are not needed are forgotten
// as they go by, and what is kept has a limit, so that no text, however long or deep, takes much memory.
import { InputError } from "../core/errors.ts";
import { MAX_INT32 } from "../core/options.ts";
import type { Column, Watch } from "./columns.ts";
import type { Source } from "./peekable.ts";

const PIECE = 1 << 18;
/** Strings are names and paths. */
const MAX_STRING = 1 << 20;
/** What is kept whole: figures, one number per rank at most. */
const MAX_VALUE = 1 << 24;
/** As deep as the core goes. */
const MAX_DEPTH = 512;
/** The longest number that is skipped. */
const MAX_WORD = 4096;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const WHOLE_NUMBER = `a whole number from 0 to ${MAX_INT32}, written as digits`;
const NEXT_ITEM = "a comma or the end of the list: , or ]";
const NEXT_MEMBER = "a comma or the end of the object: , or }";
const NAME = "a name in double quotes";

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** Whether a number or a word ends before this byte. */
function endsWord(c: number): boolean {
  return c === COMMA || c === COLON || c === CLOSE || c === CLOSE_LIST || isSpace(c);
}

/** A byte, as a message shows it. */
function shownByte(c: number): string {
  return c > 0x20 && c < 0x7f ? String.fromCharCode(c) : `the byte 0x${c.toString(16).padStart(2, "0").toUpperCase()}`;
}

export class JsonText {
  readonly #source: Source;
  readonly #watch: Watch;
  #bytes: Uint8Array;
  #at = 0;
  #end = 0;
  /** Bytes of the input before `#bytes`. */
  #base = 0;
  #ended = false;

  constructor(source: Source, watch: Watch, piece = PIECE) {
    this.#source = source;
    this.#watch = watch;
    this.#bytes = new Uint8Array(piece);
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
      const spent = this.#source.spent();
      if (spent > 0) this.#watch.read(spent);
    }
  }

  /** An error that names where the text is now, or `at` bytes on. */
  error(why: string, at = 0): InputError {
    return new InputError("INVALID_FILE", `${this.#source.path}: byte ${this.#base + this.#at + at}: ${why}`);
  }

  /** What a step returns that has come to the end of the bytes at hand. */
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

  /** Adds the whole numbers of the list at hand to `out`, if all of it is at hand; answers true. */
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
          stop(`found ${seen}, expected ${WHOLE_NUMBER}`);
        }
        out.push(value);
        while (isSpace(c)) c = bytes[++at];
        if (c === CLOSE_LIST) break;
        if (c !== COMMA) stop(`found ${shownByte(c)}, expected ${NEXT_ITEM}`);
        at++;
        while (isSpace(bytes[at])) at++;
      }
    }
    this.#at = at + 1;
    return true;
  }

  /** `list` for one of any length: of what is not at hand whole, number after number is taken and forgotten. */
  async lists(out: Column): Promise<void> {
    await this.next();
    if (this.list(out) !== undefined) return;
    await this.items(() => {
      const value = this.#number();
      if (value === undefined) return this.#numbers(out);
      out.push(value);
      return undefined;
    });
  }

  /** The whole number at hand. */
  #number(): number | undefined {
    if (this.peek() === undefined) return undefined;
    let at = this.#at;
    let value = 0;
    for (; at < this.#end && value <= MAX_INT32; at++) {
      const digit = this.#bytes[at] - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (at === this.#end && !this.#ended) return undefined;
    const c = at < this.#end ? this.#bytes[at] : -1;
    const isOther =
      c === 0x2e || c === 0x2d || (c | 0x20) === 0x65 || (this.#bytes[this.#at] === 0x30 && at > this.#at + 1);
    if (at === this.#at && !isOther) throw this.unexpected(c, WHOLE_NUMBER);
    if (isOther || value > MAX_INT32) throw this.error(`found another number, expected ${WHOLE_NUMBER}`);
    this.#at = at;
    return value;
  }

  /** `#number` that fills. */
  async #numbers(out: Column): Promise<void> {
    for (;;) {
      await this.fill();
      const value = this.#number();
      if (value === undefined) continue;
      out.push(value);
      return;
    }
  }

  /** Any value of at most 16 MiB, as JSON.parse has it: for figures, not for lists of samples. */
  async value(): Promise<unknown> {
    await this.next();
    let length = this.#valueLength();
    while (length === undefined) {
      await this.fill();
      length = this.#valueLength();
    }
    if (length > MAX_VALUE) throw this.#longValue();
    const text = new TextDecoder().decode(this.#bytes.subarray(this.#at, this.#at + length));
    try {
      const value: unknown = JSON.parse(text);
      this.#at += length;
      return value;
    } catch {
      throw this.error(`not a JSON value`);
    }
  }

  /** The value that is all of the text. */
  async whole(): Promise<unknown> {
    const value = await this.value();
    await this.finish();
    return value;
  }

  /** Throws if anything but white space is left. */
  async finish(): Promise<void> {
    const after = await this.next();
    if (after !== -1) throw this.unexpected(after, "the end of the file");
  }

  /** Bytes up to where the value at hand ends, if it is one. */
  #valueLength(): number | undefined {
    let depth = 0;
    /** Where the string begins that this is in; -1: in none. */
    let string = -1;
    for (let at = this.#at; at < this.#end; at++) {
      const c = this.#bytes[at];
      if (string !== -1) {
        if (at - string > MAX_STRING) throw this.#longString(string);
        if (c === BACKSLASH) at++;
        else if (c === QUOTE) {
          string = -1;
          if (depth === 0) return at + 1 - this.#at;
        }
      } else if (c === QUOTE) string = at;
      else if (c === OPEN || c === OPEN_LIST) {
        if (++depth > MAX_DEPTH) throw this.error(`nested more than ${MAX_DEPTH} deep`, at - this.#at);
      } else if (c === CLOSE || c === CLOSE_LIST) {
        // The end of what the value is in.
        if (depth === 0) return at - this.#at;
        if (--depth === 0) return at + 1 - this.#at;
      } else if (depth === 0 && endsWord(c)) return at - this.#at;
    }
    if (this.#end - this.#at > MAX_VALUE) throw this.#longValue();
    if (this.#ended && depth === 0 && string === -1) return this.#end - this.#at;
    return this.#more("the rest of the value");
  }

  #longValue(): InputError {
    return this.error("a value of more than 16 MiB");
  }

  #longString(at: number): InputError {
    return this.error("a string of more than 1 MiB, expected a name or a path", at - this.#at);
  }

  /** Skips any value, however long, and keeps nothing of it. */
  async skip(): Promise<void> {
    /** The bytes that close what is open. */
    const open: number[] = [];
    for (;;) {
      const c = this.peek() ?? (await this.next());
      if (c === OPEN || c === OPEN_LIST) {
        if (open.length === MAX_DEPTH) throw this.error(`nested more than ${MAX_DEPTH} deep`);
        const close = c === OPEN ? CLOSE : CLOSE_LIST;
        open.push(close);
        this.take();
        if ((this.peek() ?? (await this.next())) !== close) {
          if (c === OPEN) await this.#skipName();
          continue;
        }
      } else if (c === QUOTE) {
        if (!this.#skipString()) await this.#skipLongString();
      } else if (!this.#skipWord()) await this.#skipCutWord();
      // A value has ended, or a list or an object without any.
      for (;;) {
        const close = open[open.length - 1];
        if (close === undefined) return;
        const after = this.peek() ?? (await this.next());
        if (after !== close && after !== COMMA) throw this.unexpected(after, close === CLOSE ? NEXT_MEMBER : NEXT_ITEM);
        this.take();
        if (after === COMMA) {
          if (close === CLOSE) await this.#skipName();
          break;
        }
        open.pop();
      }
    }
  }

  /** Skips the name of a member and its colon. */
  async #skipName(): Promise<void> {
    const c = this.peek() ?? (await this.next());
    if (c !== QUOTE) throw this.unexpected(c, NAME);
    if (!this.#skipString()) await this.#skipLongString();
    await this.expect(COLON, "a colon");
  }

  /** Skips the string at hand, if its end is at hand too. */
  #skipString(): boolean {
    for (let at = this.#at + 1; at < this.#end; at++) {
      const c = this.#bytes[at];
      if (at - this.#at > MAX_STRING) throw this.#longString(this.#at);
      if (c === QUOTE) {
        this.#at = at + 1;
        return true;
      }
      if (c < 0x20) throw this.error(`found ${shownByte(c)}, expected the rest of a string`, at - this.#at);
      if (c !== BACKSLASH) continue;
      // The letter, and of \u four digits.
      if (at + 5 >= this.#end && !this.#ended) return false;
      const letters = String.fromCharCode(...this.#bytes.subarray(at + 1, Math.min(at + 6, this.#end)));
      if (!/^(["\\/bfnrt]|u[0-9A-Fa-f]{4})/.test(letters)) throw this.error("no escape of JSON", at - this.#at);
      at++;
    }
    return false;
  }

  /** The same where its end is not at hand, up to the length that a string may have. */
  async #skipLongString(): Promise<void> {
    do {
      this.#more("the rest of the value");
      await this.fill();
    } while (!this.#skipString());
  }

  /** Skips the number or word at hand, if its end is at hand too. */
  #skipWord(): boolean {
    let at = this.#at;
    // Most are whole numbers.
    if (this.#bytes[at] !== 0x30) while (at < this.#end && isDigit(this.#bytes[at])) at++;
    if (at > this.#at && at < this.#end && endsWord(this.#bytes[at])) {
      this.#at = at;
      return true;
    }
    while (at < this.#end && !endsWord(this.#bytes[at])) at++;
    if (at === this.#end && !this.#ended && at - this.#at <= MAX_WORD) return false;
    const text = String.fromCharCode(...this.#bytes.subarray(this.#at, Math.min(at, this.#at + MAX_WORD + 1)));
    if (text.length > MAX_WORD || !/^(-?(0|[1-9]\d*)(\.\d+)?([Ee][-+]?\d+)?|true|false|null)$/.test(text)) {
      if (text === "") throw this.unexpected(this.peek() as number, "a value");
      throw this.error("not a JSON value");
    }
    this.#at = at;
    return true;
  }

  async #skipCutWord(): Promise<void> {
    do await this.fill();
    while (!this.#skipWord());
  }

  /** Calls `member` for each name of the object at hand; it takes the value. */
  async object(member: (name: string) => Promise<void>): Promise<void> {
    await this.expect(OPEN, "an object: {");
    if ((await this.next()) === CLOSE) return this.take();
    for (;;) {
      const c = await this.next();
      if (c !== QUOTE) throw this.unexpected(c, NAME);
      const name = (await this.value()) as string;
      await this.expect(COLON, "a colon");
      await member(name);
      const after = await this.next();
      if (after !== CLOSE && after !== COMMA) {
        throw this.unexpected(after, NEXT_MEMBER);
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
        throw this.unexpected(after, NEXT_ITEM);
      }
      this.take();
      if (after === CLOSE_LIST) return;
    }
  }
}
