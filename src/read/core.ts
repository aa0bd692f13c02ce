// JSON, JSONL and .npy through the core, which knows their grammar; here are the pieces and the words.
import type { Abi } from "../core/abi.ts";
import { EngineError, InputError } from "../core/errors.ts";
import { loadCore } from "../core/load.ts";
import { printable } from "../core/printable.ts";
import type { Columns, FieldNames, Watch } from "./columns.ts";
import type { Source } from "./source.ts";

/** Bytes per piece: a call into the core and a read from the disk cost nothing beside it, and it stays in the cache. */
const PIECE = 1 << 18;

/** The statuses of `assembly/status.ts` that reading answers. */
const OUT_OF_MEMORY = 1;
const UNEXPECTED_BYTE = 5;
const UNEXPECTED_END = 6;
const NOT_A_RECORD = 7;
const FIELD_MISSING = 8;
const BAD_VALUE = 9;
const TOO_DEEP = 10;
const TRAILING_BYTES = 11;
const NPY_HEADER = 12;
const NPY_DTYPE = 13;
const NPY_SHAPE = 14;

/** The `EXPECT_...` of `assembly/sink.ts`. */
const EXPECTED = [
  "",
  "an array of records or a record: [ or {",
  "a record: {",
  "a record or the end of the array: { or ]",
  "a comma or the end of the array: , or ]",
  "white space before the next record",
  "a field name in double quotes",
  "a field name in double quotes, or }",
  "a colon",
  "a value",
  "a value or ]",
  "a comma or the end of the object: , or }",
  "a comma or the end of the array: , or ]",
  "a digit",
  "true, false or null",
  'an escape: one of " \\ / b f n r t u',
  "a hexadecimal digit",
  "the rest of a string, where control characters are written as escapes",
  "more data: the header announces it",
] as const;

/** Bytes of the input as text, a byte order mark included. */
function textOf(bytes: Uint8Array): string {
  return printable(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
}

function shownByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f
    ? String.fromCharCode(byte)
    : `the byte 0x${byte.toString(16).padStart(2, "0").toUpperCase()}`;
}

/** The error that `status` stands for. */
function readError(abi: Abi, status: number, { path, quotes }: Source, fields: FieldNames): Error {
  const offset = abi.readerOffset();
  const record = abi.readerIndex() >>> 0;
  const field = abi.readerField() === 0 ? fields.vit : fields.tokens;
  const seen = new Uint8Array(abi.memory.buffer, abi.readerSeen() >>> 0, abi.readerSeenLength()).slice();
  const expected = EXPECTED[abi.readerExpected()];
  const at = `${path}: record ${record}, byte ${offset}`;
  const found = quotes && seen.length > 0 ? `found ${shownByte(seen[0])}, ` : "";
  switch (status) {
    case OUT_OF_MEMORY:
      return new EngineError("OUT_OF_MEMORY", "the buffers of the reader do not fit into memory");
    case UNEXPECTED_BYTE:
      return new InputError("INVALID_FILE", `${at}: ${found}expected ${expected}`);
    case UNEXPECTED_END:
      return new InputError(
        "INVALID_FILE",
        offset === 0
          ? `${path}: the file is empty, expected ${expected}`
          : `${at}: the file ends, expected ${expected || "the rest of the value"}`,
      );
    case NOT_A_RECORD:
      return new InputError("INVALID_FILE", `${at}: ${found}expected a record: {`);
    case FIELD_MISSING:
      return new InputError("MISSING_FIELD", `${at}: ${field} is missing`);
    case BAD_VALUE: {
      const text = textOf(seen);
      const value = text === "{" ? "an object" : text === "[" ? "an array" : seen.length < 40 ? text : `${text}...`;
      return new InputError(
        "INVALID_LENGTH",
        `${at}: ${field} is ${value}, expected a whole number from 0 to 2147483647, written as digits`,
      );
    }
    case TOO_DEEP:
      return new InputError("INVALID_FILE", `${at}: nested more than 512 deep`);
    case TRAILING_BYTES:
      return new InputError("INVALID_FILE", `${at}: ${found}expected the end of the file`);
    case NPY_HEADER:
      return new InputError("INVALID_FILE", `${path}: byte ${offset}: not a .npy header of version 1.0, 2.0 or 3.0`);
    case NPY_DTYPE:
      return new InputError(
        "INVALID_FILE",
        `${path}: byte ${offset}: descr is ${textOf(seen)}, expected whole or floating numbers of 1 to 8 bytes`,
      );
    case NPY_SHAPE:
      return new InputError("INVALID_FILE", `${path}: byte ${offset}: shape is ${textOf(seen)}, expected (n, 2)`);
    default:
      return new EngineError("LOAD_FAILED", `the core answered ${status}: module and facade are of different versions`);
  }
}

/** A reader of one instance, for one file after another. Nobody else may use the instance. */
export class CoreReader {
  readonly #abi: Abi;
  readonly #fields: FieldNames;
  readonly #piece: number;

  constructor(abi: Abi, fields: FieldNames, piece = PIECE) {
    this.#abi = abi;
    this.#fields = fields;
    this.#piece = piece;
  }

  static async make(fields: FieldNames): Promise<CoreReader> {
    return new CoreReader((await loadCore()).abi, fields);
  }

  /** Adds what `source` holds to `out`; returns how many samples that is. */
  async read(source: Source, out: Columns, watch: Watch): Promise<number> {
    const abi = this.#abi;
    const before = out.vit.length;
    const top = abi.mark();
    try {
      this.#check(this.#begin(), source);
      const piece = new Uint8Array(abi.memory.buffer, abi.readerBuffer() >>> 0, this.#piece);
      const vit = abi.readerVit() >>> 0;
      const tokens = abi.readerTokens() >>> 0;
      for (;;) {
        watch.signal?.throwIfAborted();
        const bytes = await source.read(piece);
        if (bytes === 0) break;
        this.#check(abi.readerPush(bytes), source);
        out.vit.append(new Int32Array(abi.memory.buffer, vit, abi.readerVitCount()));
        out.tokens.append(new Int32Array(abi.memory.buffer, tokens, abi.readerTokensCount()));
        const spent = source.spent();
        if (spent > 0) watch.read(spent);
      }
      const spent = source.spent();
      if (spent > 0) watch.read(spent);
      this.#check(abi.readerEnd(), source);
    } finally {
      abi.release(top);
    }
    return out.vit.length - before;
  }

  #begin(): number {
    const abi = this.#abi;
    const encoder = new TextEncoder();
    const vit = encoder.encode(this.#fields.vit);
    const tokens = encoder.encode(this.#fields.tokens);
    const at = abi.alloc(vit.length + tokens.length) >>> 0;
    if (at === 0) return OUT_OF_MEMORY;
    const names = new Uint8Array(abi.memory.buffer, at, vit.length + tokens.length);
    names.set(vit);
    names.set(tokens, vit.length);
    return abi.readerBegin(at, vit.length, at + vit.length, tokens.length, this.#piece);
  }

  #check(status: number, source: Source): void {
    if (status !== 0) throw readError(this.#abi, status, source, this.#fields);
  }
}
