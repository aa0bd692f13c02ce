// JSON, JSONL and .npy through the core, which knows their grammar and words its errors; here are the pieces.
import type { Abi } from "../core/abi.ts";
import { EngineError, type ErrorCode, InputError, OptionError, show } from "../core/errors.ts";
import { loadCore } from "../core/load.ts";
import { type Columns, findLoads, type Wanted, type Watch } from "./columns.ts";
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
/** How a .npy begins. */
const NPY = 0x93;

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

/** The columns of a .npy that nobody has named. */
const UNNAMED = ["vit", "tokens"] as const;
/** Stands for a column that is skipped. */
const SKIPPED = 255;

/** A reader of one instance, for one file after another. Nobody else may use the instance. */
export class CoreReader {
  readonly #abi: Abi;
  readonly #wanted: Wanted;
  readonly #piece: number;

  constructor(abi: Abi, wanted: Wanted, piece = PIECE) {
    this.#abi = abi;
    this.#wanted = wanted;
    this.#piece = piece;
  }

  static async make(wanted: Wanted): Promise<CoreReader> {
    return new CoreReader((await loadCore()).abi, wanted);
  }

  /** Adds what `source` holds to `out`; returns how many samples that is. */
  async read(source: Source, out: Columns, watch: Watch): Promise<number> {
    const abi = this.#abi;
    const before = out.length;
    const top = abi.mark();
    try {
      const reader = this.#begin(source);
      if ((await source.peek(1))[0] === NPY) this.#setTable(reader, source);
      const piece = new Uint8Array(abi.memory.buffer, abi.readerBuffer(reader) >>> 0, this.#piece);
      const columns = out.loads.map((values, k) => ({ values, k, at: abi.readerColumn(reader, k) >>> 0 }));
      for (;;) {
        watch.signal?.throwIfAborted();
        const bytes = await source.read(piece);
        if (bytes === 0) break;
        this.#check(reader, abi.readerPush(reader, bytes), source);
        const starts = out.loads.map(({ length }) => length);
        for (const { values, k, at } of columns) {
          values.append(new Int32Array(abi.memory.buffer, at, abi.readerCount(reader, k)));
        }
        if (abi.readerWideCount(reader) > 0) this.#putUpper(reader, out, starts);
        const spent = source.spent();
        if (spent > 0) watch.read(spent);
      }
      const spent = source.spent();
      if (spent > 0) watch.read(spent);
      this.#check(reader, abi.readerEnd(reader), source);
      out.even();
      if (abi.readerMinuses(reader) > 0) this.#checkMinuses(reader, out, before, source);
    } finally {
      abi.release(top);
    }
    return out.length - before;
  }

  /** Completes the values above 31 bits of the last push, whose columns start at `starts`. */
  #putUpper(reader: number, out: Columns, starts: readonly number[]): void {
    const abi = this.#abi;
    const upper = new Uint32Array(abi.memory.buffer, abi.readerWide(reader) >>> 0, abi.readerWideCount(reader) * 2);
    for (let i = 0; i < upper.length; i += 2) {
      const k = upper[i] >>> 29;
      const place = starts[k] + (upper[i] & 0x1fffffff);
      out.loads[k].put(place, upper[i + 1] * 2 ** 32 + (out.loads[k].at(place) >>> 0));
    }
  }

  /** A .npy may bring its columns one after another: only now it shows whether -1 is in all of them. */
  #checkMinuses(reader: number, out: Columns, before: number, source: Source): void {
    for (let i = before; i < out.length; i++) {
      const k = out.minusAt(i);
      if (k !== undefined) this.#check(reader, this.#abi.readerRefuse(reader, i - before, k), source);
    }
  }

  /** Says what the columns of a .npy are. @throws InputError MISSING_FIELD where a load is not among them. */
  #setTable(reader: number, { path }: Source): void {
    const { loads, columns } = this.#wanted;
    const usual: readonly string[] = UNNAMED;
    const names = columns ?? usual;
    if (columns === undefined && loads.some(({ name }) => !usual.includes(name))) {
      throw new OptionError(
        "INVALID_OPTION",
        `${path}: the columns of a .npy have no names: say what they are with columns (--columns), to find ${loads.map(({ name }) => show(name)).join(", ")}`,
      );
    }
    const numbers = loads.flatMap(({ fields }, k) => fields.map((_, i) => [k, i] as const));
    const table = new Uint8Array(names.length).fill(SKIPPED);
    // A column may be called as the load is, whatever field other files have it in.
    const wanted = {
      ...this.#wanted,
      loads: loads.map((own) => ({ ...own, fields: [...new Set([...own.fields, own.name])] })),
    };
    const places = findLoads(wanted, names, (fields) => {
      return new InputError("MISSING_FIELD", `${path}: ${fields} is missing, the columns are ${names.join(", ")}`);
    });
    for (const [k, place] of places.entries()) {
      if (place === undefined) continue;
      const field = Math.max(
        loads[k].fields.indexOf(names[place]),
        columns === undefined ? loads[k].fields.length - 1 : 0,
      );
      table[place] = numbers.findIndex(([own, i]) => own === k && i === field);
    }
    const at = this.#abi.alloc(table.length) >>> 0;
    new Uint8Array(this.#abi.memory.buffer, at, table.length).set(table);
    this.#abi.readerTable(reader, at, table.length);
  }

  /** A reader in the core, of the loads in the order of its columns. */
  #begin(source: Source): number {
    const abi = this.#abi;
    const { loads, zeros } = this.#wanted;
    const encoder = new TextEncoder();
    const fields = loads.flatMap(({ fields }, k) => fields.map((field) => ({ name: encoder.encode(field), k })));
    const total = fields.reduce((sum, { name }) => sum + name.length, 0);
    const lengthsAt = abi.alloc(fields.length * 8) >>> 0;
    const namesAt = abi.alloc(total) >>> 0;
    if (lengthsAt === 0 || namesAt === 0) throw readError(abi, 0, OUT_OF_MEMORY, source);
    const columnsAt = lengthsAt + fields.length * 4;
    new Uint32Array(abi.memory.buffer, lengthsAt, fields.length).set(fields.map(({ name }) => name.length));
    new Uint32Array(abi.memory.buffer, columnsAt, fields.length).set(fields.map(({ k }) => k));
    let at = namesAt;
    for (const { name } of fields) {
      new Uint8Array(abi.memory.buffer, at, name.length).set(name);
      at += name.length;
    }
    const reader = abi.readerBegin(namesAt, lengthsAt, columnsAt, fields.length, this.#piece, zeros ? 1 : 0);
    if (reader < 0 && reader > STATUS) throw readError(abi, 0, -reader, source);
    return reader;
  }

  #check(reader: number, status: number, source: Source): void {
    if (status !== 0) throw readError(this.#abi, reader, status, source);
  }
}
