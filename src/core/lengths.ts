import { invalidLength } from "./abi.ts";
import { InputError, show } from "./errors.ts";

/** One load of all samples: any typed array or array of whole numbers in 0 .. 2^31 - 1, one per sample. */
export type LengthArray =
  | readonly number[]
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** A sample as the reference's length files write it. Other fields are ignored. */
export interface SampleRecord {
  readonly vit_num: number;
  readonly token_num: number;
}

/** What `pack` and its like accept: two arrays of one length, or one array of records. */
export type LengthsInput = { readonly vit: LengthArray; readonly tokens: LengthArray } | readonly SampleRecord[];

/** Samples: image tiles for the vision encoder and tokens for the language model, int32[samples] each. */
export interface Lengths {
  readonly vit: Int32Array;
  readonly tokens: Int32Array;
}

const MAX = 2147483647;

function toInt32(field: string, values: LengthArray): Int32Array {
  // An Int32Array goes to the core as it is, which finds a negative value while it reads it for the first time.
  if (values instanceof Int32Array) return values;
  if (!Array.isArray(values) && !(ArrayBuffer.isView(values) && !(values instanceof DataView))) {
    throw new InputError("INVALID_INPUT", `${field} is ${show(values)}, expected an array of numbers`);
  }
  const out = new Int32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const seen: unknown = values[i];
    const value = typeof seen === "bigint" ? Number(seen) : seen;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX) {
      throw invalidLength(field, i, seen);
    }
    out[i] = value;
  }
  return out;
}

function fromRecords(records: readonly SampleRecord[]): Lengths {
  const vit = new Int32Array(records.length);
  const tokens = new Int32Array(records.length);
  for (let i = 0; i < records.length; i++) {
    const record: unknown = records[i];
    if (typeof record !== "object" || record === null) {
      throw new InputError("INVALID_INPUT", `index ${i}: ${show(record)}, expected { vit_num, token_num }`);
    }
    for (const [field, out] of [
      ["vit_num", vit],
      ["token_num", tokens],
    ] as const) {
      const value: unknown = (record as Record<string, unknown>)[field];
      if (value === undefined) throw new InputError("MISSING_FIELD", `index ${i}: ${field} is missing`);
      if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > MAX) {
        throw invalidLength(field, i, value);
      }
      out[i] = value;
    }
  }
  return { vit, tokens };
}

/**
 * Turns what a caller has into `Lengths`. O(samples); an Int32Array is not copied.
 *
 * @throws InputError INVALID_LENGTH, MISSING_FIELD, LENGTH_MISMATCH or INVALID_INPUT, naming the index and the value.
 */
export function toLengths(input: LengthsInput): Lengths {
  if (Array.isArray(input)) return fromRecords(input as readonly SampleRecord[]);
  if (typeof input !== "object" || input === null || !("vit" in input) || !("tokens" in input)) {
    throw new InputError(
      "INVALID_INPUT",
      `lengths are ${show(input)}, expected { vit, tokens } or an array of records`,
    );
  }
  const vit = toInt32("vit", input.vit);
  const tokens = toInt32("tokens", input.tokens);
  if (vit.length !== tokens.length) {
    throw new InputError(
      "LENGTH_MISMATCH",
      `vit has ${vit.length} values and tokens ${tokens.length}, expected one of each per sample`,
    );
  }
  return { vit, tokens };
}
