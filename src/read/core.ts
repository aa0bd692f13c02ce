// JSON, JSONL and .npy through the core, which knows their grammar and words its errors; here are the pieces.
import type { Abi } from "../core/abi.ts";
import { EngineError, type ErrorCode, InputError } from "../core/errors.ts";
import { loadCore } from "../core/load.ts";
import type { Columns, FieldNames, Watch } from "./columns.ts";
import type { Source } from "./source.ts";

/**
 * Bytes per piece: so many that a call into the core and a read from disk cost next to nothing, and it stays in the
 * cache.
 */
const PIECE = 1 << 18;

/** The statuses of `assembly/base/status.ts` that reading answers: 5 to 14 are of the file. */
const OUT_OF_MEMORY = 1;
const UNEXPECTED_BYTE = 5;
const FIELD_MISSING = 8;
const BAD_VALUE = 9;
const NPY_SHAPE = 14;
/** Handles are addresses above this, or statuses negated. */
const STATUS = -64;

function codeOf(status: number): ErrorCode {
  if (status === FIELD_MISSING) return "MISSING_FIELD";
  return status === BAD_VALUE ? "INVALID_LENGTH" : "INVALID_FILE";
}

/** The error that `status` of a reader stands for, in the words of the core. */
function readError(abi: Abi, reader: number, status: number, { path, quotes }: Source): Error {
  if (status === OUT_OF_MEMORY) {
    return new EngineError("OUT_OF_MEMORY", "the buffers of the reader do not fit into memory");
  }
  if (status < UNEXPECTED_BYTE || status > NPY_SHAPE) {
    return new EngineError("LOAD_FAILED", `the core answered ${status}: module and facade are of different versions`);
  }
  const at = abi.readerBuffer(reader) >>> 0;
  const length = abi.readerErrorText(reader, quotes ? 1 : 0, at);
  const text = new TextDecoder().decode(new Uint8Array(abi.memory.buffer, at, length).slice());
  return new InputError(codeOf(status), `${path}: ${text}`);
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
      const reader = this.#begin(source);
      const piece = new Uint8Array(abi.memory.buffer, abi.readerBuffer(reader) >>> 0, this.#piece);
      const columns = [out.vit, out.tokens].map((column, k) => ({ column, k, at: abi.readerColumn(reader, k) >>> 0 }));
      for (;;) {
        watch.signal?.throwIfAborted();
        const bytes = await source.read(piece);
        if (bytes === 0) break;
        this.#check(reader, abi.readerPush(reader, bytes), source);
        for (const { column, k, at } of columns) {
          column.append(new Int32Array(abi.memory.buffer, at, abi.readerCount(reader, k)));
        }
        const spent = source.spent();
        if (spent > 0) watch.read(spent);
      }
      const spent = source.spent();
      if (spent > 0) watch.read(spent);
      this.#check(reader, abi.readerEnd(reader), source);
    } finally {
      abi.release(top);
    }
    return out.vit.length - before;
  }

  /** A reader in the core, of the fields in the order of their columns. */
  #begin(source: Source): number {
    const abi = this.#abi;
    const encoder = new TextEncoder();
    const names = [this.#fields.vit, this.#fields.tokens].map((name) => encoder.encode(name));
    const total = names.reduce((sum, { length }) => sum + length, 0);
    const lengthsAt = abi.alloc(names.length * 4) >>> 0;
    const namesAt = abi.alloc(total) >>> 0;
    if (lengthsAt === 0 || namesAt === 0) throw readError(abi, 0, OUT_OF_MEMORY, source);
    new Uint32Array(abi.memory.buffer, lengthsAt, names.length).set(names.map(({ length }) => length));
    let at = namesAt;
    for (const name of names) {
      new Uint8Array(abi.memory.buffer, at, name.length).set(name);
      at += name.length;
    }
    const reader = abi.readerBegin(namesAt, lengthsAt, names.length, this.#piece);
    if (reader < 0 && reader > STATUS) throw readError(abi, 0, -reader, source);
    return reader;
  }

  #check(reader: number, status: number, source: Source): void {
    if (status !== 0) throw readError(this.#abi, reader, status, source);
  }
}
