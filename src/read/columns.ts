import { EngineError } from "../core/errors.ts";
import type { VitTokens } from "../core/lengths.ts";

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

  /** The values so far, without a copy where they fill their room. */
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

/** What the readers of all formats add to. */
export class Columns {
  readonly vit = new Column();
  readonly tokens = new Column();

  take(): VitTokens {
    return { vit: this.vit.take(), tokens: this.tokens.take() };
  }
}

/** The two fields of a record. */
export interface FieldNames {
  readonly vit: string;
  readonly tokens: string;
}

/** What a reader tells while it works, and asks. */
export interface Watch {
  /** Bytes of the file that were used up since the last call. */
  read(bytes: number): void;
  readonly signal: AbortSignal | undefined;
  /** Called with the path of a named pipe that brings nothing. */
  readonly onWait?: ((path: string) => void) | undefined;
}
