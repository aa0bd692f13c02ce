import { InputError, show } from "./errors.ts";

/** One load of all samples: any typed array or array of whole numbers in 0 .. 2^53 - 1, one per sample. */
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

/** A sample as the published length files have it: a field per load. Fields that are not needed are ignored. */
export interface SampleRecord {
  /** Image tiles: the load `vit` if there is no field of that name. */
  readonly vit_num: number;
  /** Tokens: the load `tokens` if there is no field of that name. */
  readonly token_num: number;
}

/** One load of all samples, as the core takes it: an Int32Array if every value is below 2^31, else a Float64Array. */
export type LoadColumn = Int32Array | Float64Array;

/** Samples: a column per load, by its name, with one value per sample. */
export type Lengths = Readonly<Record<string, LoadColumn>>;

/**
 * What `pack` and its like accept: columns by the names of their loads, or an array of records. Members `files` and
 * `invalid`, as `readLengths` adds them, are no loads. A sample that is -1 in every load is invalid: it is in no group.
 */
export type LengthsInput =
  | Readonly<Record<string, LengthArray>>
  | { readonly vit: LengthArray; readonly tokens: LengthArray }
  | { readonly files: readonly unknown[]; readonly invalid?: Int32Array }
  | readonly SampleRecord[]
  | readonly Readonly<Record<string, unknown>>[];

/** The usual two loads, int32[samples] each. */
export interface VitTokens {
  /** int32[samples]: image tiles of each sample, from 0 on. */
  readonly vit: Int32Array;
  /** int32[samples]: tokens of each sample, from 0 on. */
  readonly tokens: Int32Array;
}

/** The loads of a packing that names none. */
export const USUAL = ["vit", "tokens"] as const;

/** The most loads. */
export const MOST_LOADS = 8;

/** The largest load, bound and sum of a group: what a float64 holds exactly. */
export const MAX_LOAD = Number.MAX_SAFE_INTEGER;

const MAX_INT32 = 2147483647;

/** Names of loads that stand for another one. */
const ALIASES: Readonly<Record<string, string>> = { attention: "tokens^2" };

/**
 * Fields that a load may be read from, in order of precedence. Any other load is read from the field of its own name.
 */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  vit: ["vit", "vit_num"],
  tokens: ["tokens", "token_num"],
};

/** What members of the lengths may be called that are no loads: `readLengths` adds them. */
export const NO_LOADS: readonly string[] = ["files", "invalid"];

const SQUARE = "^2";

/** The name of a load, with aliases resolved. */
export function loadName(name: string): string {
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
}

/** Fields that a load may be read from, in order of precedence. */
export function fieldsOf(name: string): readonly string[] {
  return Object.hasOwn(FIELDS, name) ? FIELDS[name] : [name];
}

/** The load that `name` is the square of, such as tokens for tokens^2; undefined for other loads. */
export function squareOf(name: string): string | undefined {
  return name.endsWith(SQUARE) && name.length > SQUARE.length ? name.slice(0, -SQUARE.length) : undefined;
}

/** The error for a length that is not a whole number in 0 .. `most`. */
export function invalidLength(field: string, index: number, seen: unknown, most = MAX_LOAD): InputError {
  return new InputError(
    "INVALID_LENGTH",
    `index ${index}: ${field} is ${show(seen)}, expected a whole number from 0 to ${most}`,
  );
}

/** A column of `count` values, in an array as narrow as they allow; -1 is for `checkInvalid` to judge. */
function column(field: string, count: number, valueAt: (i: number) => unknown): LoadColumn {
  let out: LoadColumn = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const seen = valueAt(i);
    const value = typeof seen === "bigint" ? Number(seen) : seen;
    if (typeof value !== "number" || !Number.isInteger(value) || value < -1 || value > MAX_LOAD) {
      throw invalidLength(field, i, seen);
    }
    if (value > MAX_INT32 && out instanceof Int32Array) out = Float64Array.from(out);
    out[i] = value;
  }
  return out;
}

function isList(values: unknown): values is LengthArray {
  return Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView));
}

function toColumn(field: string, values: unknown): LoadColumn {
  // An Int32Array goes to the core as it is, which finds negative values on its first pass over it.
  if (values instanceof Int32Array) return values;
  if (!isList(values)) {
    throw new InputError("INVALID_INPUT", `${field} is ${show(values)}, expected an array of numbers`);
  }
  return column(field, values.length, (i) => values[i]);
}

/** Throws for a sample that is -1 in some loads and not in all: those are invalid, and no error. */
function checkInvalid(
  columns: readonly LoadColumn[],
  fields: readonly string[],
  given: Readonly<Record<string, unknown>>,
): void {
  for (const [k, values] of columns.entries()) {
    for (let i = values.indexOf(-1); i !== -1; i = values.indexOf(-1, i + 1)) {
      const seen = (given[fields[k]] as LengthArray)[i];
      if (columns.some((own) => own[i] !== -1)) throw invalidLength(fields[k], i, seen);
    }
  }
}

/** The field of a record that holds a load, or else the last one that could. */
function fieldIn(record: object, name: string): string {
  const fields = fieldsOf(name);
  return fields.find((field) => (record as Record<string, unknown>)[field] !== undefined) ?? fields[fields.length - 1];
}

function fromRecords(records: readonly unknown[], names: readonly string[]): Lengths {
  const recordAt = (i: number): Readonly<Record<string, unknown>> => {
    const record = records[i];
    if (typeof record === "object" && record !== null) return record as Readonly<Record<string, unknown>>;
    const fields = names.map((name) => fieldIn({}, name)).join(", ");
    throw new InputError("INVALID_INPUT", `index ${i}: ${show(record)}, expected { ${fields} }`);
  };
  // The first sample that cannot be read is reported, whichever its load.
  const outs = names.map(() => new Int32Array(records.length) as LoadColumn);
  for (let i = 0; i < records.length; i++) {
    const record = recordAt(i);
    for (const [k, name] of names.entries()) {
      const field = fieldIn(record, name);
      const value = record[field];
      if (value === undefined) throw new InputError("MISSING_FIELD", `index ${i}: ${field} is missing`);
      if (typeof value !== "number" || !Number.isInteger(value) || value < -1 || value > MAX_LOAD) {
        throw invalidLength(field, i, value);
      }
      if (value > MAX_INT32 && outs[k] instanceof Int32Array) outs[k] = Float64Array.from(outs[k]);
      outs[k][i] = value;
    }
    const invalid = outs.filter((values) => values[i] === -1).length;
    if (invalid > 0 && invalid < outs.length) {
      throw invalidLength(fieldIn(record, names[outs.findIndex((values) => values[i] === -1)]), i, -1);
    }
  }
  return Object.fromEntries(names.map((name, k) => [name, outs[k]]));
}

/** Loads that the input has by itself: of records, those whose first one has a number there; the usual ones first. */
function namesIn(input: object): string[] {
  const isRecords = Array.isArray(input);
  const first: unknown = isRecords ? input[0] : input;
  if (typeof first !== "object" || first === null) return [...USUAL];
  const usual = USUAL.filter((name) => fieldIn(first, name) in first);
  const taken = new Set<string>([...NO_LOADS, ...USUAL.flatMap((name) => fieldsOf(name))]);
  const others = Object.entries(first).filter(
    ([name, value]) =>
      !taken.has(name) && (isRecords ? usual.length === 0 && typeof value === "number" : isList(value)),
  );
  return [...usual, ...others.map(([name]) => name)];
}

/**
 * The loads that `names` needs, without squares of such that are there: `tokens` for `tokens^2`. Aliases are resolved, and no
 * name stands twice.
 */
export function baseLoads(names: readonly string[], input: LengthsInput | Lengths = {}): string[] {
  const first: unknown = Array.isArray(input) ? input[0] : input;
  const has = (name: string) => typeof first === "object" && first !== null && Object.hasOwn(first, name);
  const base = names.map((asked) => {
    const name = loadName(asked);
    return has(name) ? name : (squareOf(name) ?? name);
  });
  return [...new Set(base)];
}

/**
 * Turns what a caller has into columns: those of the loads in `names`, by these names; without them all that there are. For a load
 * of squares, the one that is squared is taken. O(samples); an Int32Array is not copied.
 *
 * @throws InputError INVALID_LENGTH, MISSING_FIELD, LENGTH_MISMATCH or INVALID_INPUT, naming the index and the value.
 */
export function toLengths(input: LengthsInput, names?: readonly string[]): Lengths {
  const usual = names === undefined || USUAL.every((name) => names.includes(name));
  const expected = usual && (names?.length ?? 2) === 2 ? "{ vit, tokens }" : `{ ${names?.join(", ")} }`;
  const refuse = () =>
    new InputError("INVALID_INPUT", `lengths are ${show(input)}, expected ${expected} or an array of records`);
  if (typeof input !== "object" || input === null) throw refuse();
  const wanted = names === undefined ? namesIn(input) : baseLoads(names, input);
  if (Array.isArray(input)) return fromRecords(input as readonly unknown[], wanted);
  const columns = input as Readonly<Record<string, unknown>>;
  const fields = wanted.map((name) => fieldIn(columns, name));
  if (wanted.length === 0 || fields.some((field) => !(field in columns))) throw refuse();
  const found = wanted.map((name, k) => [name, toColumn(fields[k], columns[fields[k]])] as const);
  const [[first, { length }]] = found;
  for (const [name, values] of found) {
    if (values.length === length) continue;
    throw new InputError(
      "LENGTH_MISMATCH",
      `${first} has ${length} values and ${name} ${values.length}, expected one of each per sample`,
    );
  }
  // Of an Int32Array, which is not read here, whoever reads it first finds a negative value.
  if (found.some(([, values], k) => values !== columns[fields[k]] && values.includes(-1))) {
    checkInvalid(
      found.map(([, values]) => values),
      fields,
      columns,
    );
  }
  return Object.fromEntries(found);
}

/** The columns of lengths, with their names. */
export function columnsOf(lengths: Lengths): (readonly [name: string, values: LoadColumn])[] {
  return Object.entries(lengths).filter(([name]) => !NO_LOADS.includes(name));
}

/** The number of samples. */
export function sampleCount(lengths: Lengths): number {
  return columnsOf(lengths)[0]?.[1].length ?? 0;
}

/** The column of a load; of squares that are not there, those of what is squared: a new one. O(samples) then. */
export function loadColumn(lengths: Lengths, asked: string): LoadColumn {
  const name = loadName(asked);
  if (Object.hasOwn(lengths, name)) return lengths[name];
  const base = squareOf(name);
  if (base === undefined || !Object.hasOwn(lengths, base)) {
    const names = columnsOf(lengths).map(([own]) => own);
    throw new InputError("MISSING_FIELD", `there is no load ${show(name)}, the samples have ${names.join(", ")}`);
  }
  const values = lengths[base];
  return column(name, values.length, (i) => {
    if (values[i] < 0) throw invalidLength(base, i, values[i]);
    return values[i] * values[i];
  });
}

/** The same lengths, but for tokens, which are rounded up to a multiple of `align`. O(samples) */
export function alignTokens(lengths: Lengths, align: number): Lengths {
  const { tokens } = lengths;
  const aligned = column("tokens", tokens.length, (i) => {
    if (tokens[i] < 0) throw invalidLength("tokens", i, tokens[i]);
    return Math.ceil(tokens[i] / align) * align;
  });
  return { ...lengths, tokens: aligned };
}

/** The usual two loads. @throws as `toLengths`, and InputError INVALID_LENGTH for a value above 2^31 - 1. */
export function toVitTokens(input: LengthsInput): VitTokens {
  return vitTokens(toLengths(input, USUAL));
}

/** The usual two of lengths that have them. @throws InputError INVALID_LENGTH for a value above 2^31 - 1. */
export function vitTokens(lengths: Lengths): VitTokens {
  const narrow = (name: "vit" | "tokens"): Int32Array => {
    const values = loadColumn(lengths, name);
    if (values instanceof Int32Array) return values;
    const at = values.findIndex((value) => value > MAX_INT32);
    if (at !== -1) throw invalidLength(name, at, values[at], MAX_INT32);
    return Int32Array.from(values);
  };
  return { vit: narrow("vit"), tokens: narrow("tokens") };
}
