import { EngineError } from "../core/errors.ts";
import type { LoadColumn } from "../core/lengths.ts";
import { MAX_INT32 } from "../core/options.ts";

/** An Int32Array that grows by doubling: values are copied twice at most, and read in place. */
export class Column {
  #values = new Int32Array(1 << 14);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) this.#grow(this.length + 1);
    this.#values[this.length++] = value;
  }

  append(values: Int32Array): void {
    const end = this.length + values.length;
    if (end > this.#values.length) this.#grow(end);
    this.#values.set(values, this.length);
    this.length = end;
  }

  /** The values so far, without a copy if they fill the array. */
  take(): Int32Array {
    return this.length === this.#values.length ? this.#values : this.#values.slice(0, this.length);
  }

  #grow(least: number): void {
    try {
      const grown = new Int32Array(Math.max(least, this.#values.length * 2));
      grown.set(this.#values.subarray(0, this.length));
      this.#values = grown;
    } catch (error) {
      throw new EngineError("OUT_OF_MEMORY", `${least} samples do not fit into memory`, { cause: error });
    }
  }
}

/** The values of one load, as narrow as they allow: int32 until one comes that is above 31 bits. */
export class LoadValues {
  #values: LoadColumn = new Int32Array(1 << 14);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) this.#grow(this.length + 1);
    this.put(this.length++, value);
  }

  append(values: Int32Array): void {
    const end = this.length + values.length;
    if (end > this.#values.length) this.#grow(end);
    this.#values.set(values, this.length);
    this.length = end;
  }

  /** Replaces the value at `i`. */
  put(i: number, value: number): void {
    if (value > MAX_INT32 && this.#values instanceof Int32Array)
      this.#values = this.#another(this.#values.length, true);
    this.#values[i] = value;
  }

  at(i: number): number {
    return this.#values[i];
  }

  /** Zeros up to `length` values. */
  fill(length: number): void {
    if (length > this.#values.length) this.#grow(length);
    this.#values.fill(0, this.length, length);
    this.length = Math.max(this.length, length);
  }

  /** The values so far, without a copy where they fill their room. */
  take(): LoadColumn {
    return this.length === this.#values.length ? this.#values : this.#values.slice(0, this.length);
  }

  #grow(least: number): void {
    this.#values = this.#another(Math.max(least, this.#values.length * 2), this.#values instanceof Float64Array);
  }

  #another(length: number, wide: boolean): LoadColumn {
    try {
      const values = wide ? new Float64Array(length) : new Int32Array(length);
      values.set(this.#values.subarray(0, this.length));
      return values;
    } catch (error) {
      throw new EngineError("OUT_OF_MEMORY", `${length} samples do not fit into memory`, { cause: error });
    }
  }
}

/** What the readers of all formats add to: the loads that are wanted, in that order. */
export class Columns {
  readonly loads: readonly LoadValues[];

  constructor(count: number) {
    this.loads = Array.from({ length: count }, () => new LoadValues());
  }

  /** Samples that have all loads. */
  get length(): number {
    return this.loads[0].length;
  }

  /** Ends a file that may lack some loads altogether: they are 0 there. */
  even(): void {
    const most = Math.max(...this.loads.map(({ length }) => length));
    for (const values of this.loads) if (values.length < most) values.fill(most);
  }

  /** The load of sample `i` that is -1 where others are not; undefined where none is, or all are: the sample is invalid. */
  minusAt(i: number): number | undefined {
    const first = this.loads.findIndex((values) => values.at(i) === -1);
    return first === -1 || this.loads.every((values) => values.at(i) === -1) ? undefined : first;
  }
}

/** A load that is wanted, and the fields it is read from, the first of which counts that is there. */
export interface WantedLoad {
  readonly name: string;
  readonly fields: readonly string[];
}

/** What is to be read. */
export interface Wanted {
  readonly loads: readonly WantedLoad[];
  /** Whether a load that is not there is 0. */
  readonly zeros: boolean;
  /** What the columns of a file are that has no names for them. */
  readonly columns: readonly string[] | undefined;
}

/** Where each load is among named columns; undefined for one that is not there, and 0. @throws InputError where it must be. */
export function findLoads(
  { loads, zeros }: Wanted,
  names: readonly string[],
  missing: (fields: string) => Error,
): (number | undefined)[] {
  return loads.map(({ fields }) => {
    const found = fields.find((field) => names.includes(field));
    if (found === undefined && !zeros) throw missing(fields.join(" or "));
    return found === undefined ? undefined : names.indexOf(found);
  });
}

/** What a reader reports and checks while it works. */
export interface Watch {
  /** Bytes of the file that were used up since the last call. */
  read(bytes: number): void;
  readonly signal: AbortSignal | undefined;
  /** Called with the path of a named pipe that brings nothing. */
  readonly onWait?: ((path: string) => void) | undefined;
}
