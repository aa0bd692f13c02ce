import { InputError, show } from "../core/errors.ts";
import { type Lengths, type LoadColumn, MAX_LOAD, squareOf } from "../core/lengths.ts";
import { MAX_INT32 } from "../core/options.ts";

/** 64 bits as 16 lower-case hexadecimal digits. */
export type Fingerprint = string;

/** A value for each load, by name. */
export type ByLoad<T> = Readonly<Record<string, T>>;

/** How a packing was made: what decided about its groups beside the samples. A key that does not apply is missing. */
export interface PackingSettings {
  /** Most of each bounded load in a group. */
  readonly bounds?: ByLoad<number>;
  /** Loads that were added up, not bounded. */
  readonly carry?: readonly string[];
  /** A sample's tokens counted rounded up to a multiple of this. */
  readonly align?: number;
  /** What made the groups. */
  readonly method?: string;
  /** 0 .. 2^32 - 1. */
  readonly seed?: number;
  /** How many shards the samples were packed in, by the seed; missing where it was none but the whole. */
  readonly shards?: number;
  /** `isf`: a group that reaches one of these is full. */
  readonly min?: ByLoad<number>;
  /** `isf`: rounds at most. */
  readonly rounds?: number;
  /** `balanced`: 0 .. 3. */
  readonly effort?: number;
}

/** Figures of a packing. Ratios are for reading; no group depends on them. */
export interface PackingStats {
  /** Groups there are. */
  readonly groups: number;
  /** Samples in groups. */
  readonly samples: number;
  /** Samples that no group can hold. */
  readonly oversize: number;
  /** Samples that are -1 in every load, where there are such. */
  readonly invalid?: number;
  /** No packing of these samples has fewer groups. */
  readonly bound: number;
  /** The sum of each bounded load over groups x its bound, 0 .. 1. */
  readonly fill: ByLoad<number>;
  /** Short for `fill.vit`; 0 where vit is not bounded. */
  readonly fillVit: number;
  /** Short for `fill.tokens`; 0 where tokens are not bounded. */
  readonly fillTokens: number;
  /** Mean number of samples in a group; 0 without groups. */
  readonly samplesPerGroup: number;
  /** Rounds of ISF that were run, 0 for `balanced`. */
  readonly rounds: number;
  /** See `Packing.mix`. */
  readonly mix: number | null;
}

/** The bounds and thresholds a packing was made with; `balanced` has no thresholds, and the bounds in their place. */
export interface PackingBounds {
  /** Most of each bounded load in a group, 1 .. 2^53 - 1. */
  readonly max: ByLoad<number>;
  /** A group is full once it reaches one of these. */
  readonly min: ByLoad<number>;
  /** Short for `max.vit`, where vit is bounded. */
  readonly maxVit?: number;
  /** Short for `max.tokens`. */
  readonly maxTokens?: number;
  /** Short for `min.vit`. */
  readonly minVit?: number;
  /** Short for `min.tokens`. */
  readonly minTokens?: number;
}

/** Short names of what a bound of a load is called in `max` and in `min`. */
export const SHORT_BOUNDS = { vit: ["maxVit", "minVit"], tokens: ["maxTokens", "minTokens"] } as const;

/** Bounds with the short names of those that have one. */
export function packingBounds(max: ByLoad<number>, min: ByLoad<number> = max): PackingBounds {
  const short = Object.entries(SHORT_BOUNDS).flatMap(([name, [most, least]]) =>
    Object.hasOwn(max, name)
      ? [[most, max[name]] as const, ...(Object.hasOwn(min, name) ? [[least, min[name]] as const] : [])]
      : [],
  );
  return { max, min, ...Object.fromEntries(short) };
}

/** What a packer hands over. */
export interface PackingParts {
  /** int32[groups + 1]: see `Packing.offsets`. */
  readonly offsets: Int32Array;
  /** int32[samples in groups]: see `Packing.indices`. */
  readonly indices: Int32Array;
  /** [groups] each: see `Packing.loads`. */
  readonly loads: ByLoad<LoadColumn>;
  /** Samples beyond a bound, by ascending index. */
  readonly oversize: Int32Array;
  /** See `Packing.invalid`. Default: none. */
  readonly invalid?: Int32Array | undefined;
  /** What the groups are within. */
  readonly bounds: Pick<PackingBounds, "max"> & Partial<Pick<PackingBounds, "min">>;
  /** See `Packing.bound`. */
  readonly bound: number;
  /** See `Packing.rounds`. */
  readonly rounds: number;
  /** See `Packing.method`. */
  readonly method?: string | undefined;
  /** See `Packing.mix`. */
  readonly mix?: number | null;
  /** See `Packing.settings`. */
  readonly settings?: PackingSettings | undefined;
  /** The samples that were packed, kept as they are: for `Omnibal.made`. */
  readonly lengths?: Lengths | undefined;
}

/** The same of the usual two loads, by their short names. */
export interface VitTokenParts extends Omit<PackingParts, "loads" | "bounds"> {
  /** int32[groups]: tiles of each group. */
  readonly vit: Int32Array;
  /** int32[groups]: tokens of each group. */
  readonly tokens: Int32Array;
  /** float64[groups]: sums of tokens^2, 0 .. 2^62. */
  readonly attention?: Float64Array | undefined;
  /** What the groups are within. */
  readonly bounds: {
    /** Most tiles in a group. */
    readonly maxVit: number;
    /** Most tokens in a group. */
    readonly maxTokens: number;
    /** A group is full once it reaches this many tiles. */
    readonly minVit: number;
    /** A group is full once it reaches this many tokens. */
    readonly minTokens: number;
  };
}

/** The load of sums of tokens^2, which is known wherever that of tokens is. */
export const ATTENTION = "tokens^2";

/** The largest sum of tokens^2 of a group: (2^31 - 1)^2, rounded. */
export const MAX_ATTENTION = 2 ** 62;

function refuse(why: string): never {
  throw new InputError("INVALID_INPUT", `packing: ${why}`);
}

/**
 * Throws unless `offsets` are those of groups over `count` places: ascending from 0 to `count`, with no group empty.
 * O(groups).
 */
function checkOffsets(offsets: Int32Array, count: number): void {
  const last = offsets.length - 1;
  if (last < 0) refuse("there are no offsets, expected at least one, which is 0");
  if (offsets[0] !== 0) refuse(`offset 0 is ${offsets[0]}, expected 0`);
  for (let g = 0; g < last; g++) {
    if (offsets[g + 1] === offsets[g]) refuse(`group ${g} is empty`);
    if (offsets[g + 1] < offsets[g]) refuse(`offset ${g + 1} is ${offsets[g + 1]}, the one before it ${offsets[g]}`);
  }
  if (offsets[last] !== count) refuse(`the last offset is ${offsets[last]}, there are ${count} indices`);
}

/** Throws unless the core can walk through the groups: asked again before it does, as arrays can be written to. */
export function checkLists({ offsets, indices, loads }: Packing): void {
  checkOffsets(offsets, indices.length);
  const groups = offsets.length - 1;
  for (const [name, list] of Object.entries(loads)) {
    if (list.length !== groups) refuse(`${name} has ${list.length} values, there are ${groups} groups`);
  }
}

/** Throws unless every sample is from 0 on and in one place only. O(samples), and a sort where indices are sparse. */
function checkSamples(...lists: readonly Int32Array[]): void {
  const count = lists.reduce((total, { length }) => total + length, 0);
  let most = -1;
  for (const list of lists) {
    for (const sample of list) {
      if (sample < 0) refuse(`a sample is ${sample}, expected a whole number from 0 to ${MAX_INT32}`);
      if (sample > most) most = sample;
    }
  }
  const twice = (sample: number) => refuse(`sample ${sample} is in two places, expected one`);
  // A byte for every possible sample, unless most of them are not there.
  if (most < count * 8) {
    const seen = new Uint8Array(most + 1);
    for (const list of lists) for (const sample of list) if (seen[sample]++ !== 0) twice(sample);
    return;
  }
  const sorted = new Int32Array(count);
  let at = 0;
  for (const list of lists) {
    sorted.set(list, at);
    at += list.length;
  }
  sorted.sort();
  for (let i = 1; i < count; i++) if (sorted[i] === sorted[i - 1]) twice(sorted[i]);
}

function checkCount(name: string, value: unknown, low: number, high = MAX_INT32): void {
  if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) return;
  refuse(`${name} is ${show(value)}, expected a whole number from ${low} to ${high}`);
}

/** Throws unless there is one sum for each group, from 0 to `most`. */
function checkSums(name: string, values: LoadColumn, groups: number, most: number, what: string): void {
  if (values.length !== groups) refuse(`${name} has ${values.length} values, there are ${groups} groups`);
  // Written so that NaN fails.
  const bad = (values as Float64Array).findIndex((value) => !(value >= 0 && value <= most));
  if (bad !== -1) refuse(`${name} of group ${bad} is ${values[bad]}, expected a number from 0 to ${what}`);
}

/** The parts by the names of loads, where they are given by the short ones. */
function byName(parts: PackingParts | VitTokenParts): PackingParts {
  if (typeof parts !== "object" || parts === null) refuse(`got ${show(parts)}, expected its parts`);
  if (!("vit" in parts) && "loads" in parts) return parts;
  const { vit, tokens, attention, bounds, ...rest } = parts as VitTokenParts;
  for (const [name, list] of Object.entries({ vit, tokens })) {
    if (!(list instanceof Int32Array)) refuse(`${name} is ${show(list)}, expected an Int32Array`);
  }
  if (attention !== undefined && !(attention instanceof Float64Array)) {
    refuse(`attention is ${show(attention)}, expected a Float64Array or none`);
  }
  for (const [name, low] of Object.entries({ maxVit: 1, maxTokens: 1, minVit: 0, minTokens: 0 })) {
    checkCount(`bounds.${name}`, (bounds as Readonly<Record<string, unknown>> | undefined)?.[name], low);
  }
  return {
    ...rest,
    loads: { vit, tokens, ...(attention === undefined ? {} : { [ATTENTION]: attention }) },
    bounds: {
      max: { vit: bounds.maxVit, tokens: bounds.maxTokens },
      min: { vit: bounds.minVit, tokens: bounds.minTokens },
    },
  };
}

/** Bounds as messages call them. */
function boundText(name: string, bounds: Readonly<Record<string, number>>): string {
  const short: Readonly<Record<string, readonly [string, string]>> = SHORT_BOUNDS;
  return `${Object.hasOwn(short, name) ? short[name][0] : `bounds.max.${name}`}, ${bounds[name]}`;
}

/** Throws unless these are the parts of a packing, as `Packing` describes them. */
function checkParts(parts: PackingParts): void {
  const { offsets, indices, loads, oversize, invalid = NONE, bounds, bound, rounds, method, mix } = parts;
  for (const [name, list] of Object.entries({ offsets, indices, oversize, invalid })) {
    if (!(list instanceof Int32Array)) refuse(`${name} is ${show(list)}, expected an Int32Array`);
  }
  const { max, min = max } = bounds ?? {};
  for (const [key, own, low] of [["max", max, 1] as const, ["min", min, 0] as const]) {
    if (typeof own !== "object" || own === null) refuse(`bounds.${key} is ${show(own)}, expected bounds by load`);
    for (const [name, value] of Object.entries(own)) {
      checkCount(`bounds.${key}.${name}`, value, low, MAX_LOAD);
      if (!Object.hasOwn(loads, name)) refuse(`bounds.${key} has ${show(name)}, there is no such load`);
    }
  }
  for (const [name, list] of Object.entries(loads)) {
    if (list instanceof Int32Array || list instanceof Float64Array) continue;
    refuse(`loads.${name} is ${show(list)}, expected an Int32Array or a Float64Array`);
  }
  checkCount("bound", bound, 0);
  checkCount("rounds", rounds, 0);
  if (method !== undefined && typeof method !== "string") {
    refuse(`method is ${show(method)}, expected a name or none`);
  }
  if (mix !== undefined && mix !== null && !(typeof mix === "number" && mix >= 0 && mix < 2 ** 32)) {
    refuse(`mix is ${show(mix)}, expected a number from 0 on, below 2^32, or null`);
  }
  checkOffsets(offsets, indices.length);
  const groups = offsets.length - 1;
  const limits = max as ByLoad<number>;
  for (const [name, sums] of Object.entries(loads)) {
    const shown = name === ATTENTION ? "attention" : name;
    if (Object.hasOwn(limits, name)) checkSums(shown, sums, groups, limits[name], boundText(name, limits));
    else if (squareOf(name) === undefined) checkSums(shown, sums, groups, MAX_LOAD, String(MAX_LOAD));
    else checkSums(shown, sums, groups, MAX_ATTENTION, "2^62");
  }
  checkSamples(indices, oversize, invalid);
}

const NONE = new Int32Array(0);

/**
 * Parts that the core has made, or a reader that has checked them: looking again would cost a pass over all samples. No
 * entry of the package exports the function that adds to them.
 */
const trusted = new WeakSet<PackingParts>();

/** A packing of parts that were made by the core, or checked as thoroughly as the constructor does. */
export function trustedPacking(given: PackingParts | VitTokenParts): Packing {
  const parts = byName(given);
  trusted.add(parts);
  return new Packing(parts);
}

function sum(values: LoadColumn): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/**
 * Groups in CSR form: group i holds the samples `indices[offsets[i]] .. indices[offsets[i + 1] - 1]`. Every sample of
 * the input is in exactly one group, in `oversize` or in `invalid`. The arrays are taken as they are, not copied.
 */
export class Packing implements Iterable<Int32Array> {
  /** Number of groups. */
  readonly length: number;
  /** int32[length + 1], ascending from 0; no group is empty. */
  readonly offsets: Int32Array;
  /** int32[samples in groups]: sample indices, group after group. */
  readonly indices: Int32Array;
  /**
   * [length] each: the sum of every load inside each group, by the load's name. Bounded loads come first, then those that
   * are carried, then `tokens^2`, float64, exact below 2^53, where tokens are a load and it is known (a packing read back
   * without its lengths has none). Others are int32 where all sums are below 2^31, else float64.
   */
  readonly loads: ByLoad<LoadColumn>;
  /** Samples beyond a bound, by ascending index. */
  readonly oversize: Int32Array;
  /** Samples that are -1 in every load, as `omnibal measure` writes those it could not measure, by ascending index. */
  readonly invalid: Int32Array;
  /** What the groups are within, and when they counted as full. */
  readonly bounds: PackingBounds;
  /** No packing of these samples has fewer groups: the tight or the linear bound, see the option `lowerBound`. */
  readonly bound: number;
  /** Rounds of ISF that were run; 0 for other methods, which have none. */
  readonly rounds: number;
  /** How the groups were made; undefined for a packing of another tool. */
  readonly method: string | undefined;
  /**
   * How random the groups are composed: the variance of tokens inside groups over what is expected of a random deal of
   * the same samples to groups of the same sizes, that is
   * (sum over groups of (a - t^2 / k)) / (sum over groups of (k - 1)) / ((A - T^2 / n) / (n - 1)), where a, t and k are a
   * group's sum of tokens^2, tokens and samples, and A, T and n those of all. 1 is random; well below it a group's
   * samples are of one length class, above it long and short ones are combined. null where it means nothing (no group of
   * two samples, or all alike) or is not known (read back without lengths).
   */
  readonly mix: number | null;
  /** What decided about the groups beside the samples; undefined where that is not known. */
  readonly settings: PackingSettings | undefined;
  readonly #lengths: Lengths | undefined;

  /**
   * A packing from elsewhere, checked: O(samples).
   *
   * @throws InputError INVALID_INPUT for offsets that are not ascending, a sample in two places, a sum beyond its bound,
   *   attention that is no number from 0 on, or lists of lengths that do not fit.
   */
  constructor(given: PackingParts | VitTokenParts) {
    const parts = byName(given);
    if (!trusted.has(parts)) checkParts(parts);
    this.length = parts.offsets.length - 1;
    this.offsets = parts.offsets;
    this.indices = parts.indices;
    this.loads = parts.loads;
    this.oversize = parts.oversize;
    this.invalid = parts.invalid ?? NONE;
    this.bounds = packingBounds(parts.bounds.max, parts.bounds.min);
    this.bound = parts.bound;
    this.rounds = parts.rounds;
    this.method = parts.method;
    this.mix = parts.mix ?? null;
    this.settings = parts.settings;
    this.#lengths = parts.lengths;
  }

  /**
   * The samples that were packed, where they are known: not a copy, so they must not be changed as long as the packing is
   * to be saved.
   */
  get lengths(): Lengths | undefined {
    return this.#lengths;
  }

  /** int32[length]: tiles of each group, short for `loads.vit`. @throws InputError MISSING_FIELD where there are none. */
  get vit(): Int32Array {
    return this.#short("vit");
  }

  /** int32[length]: tokens of each group, short for `loads.tokens`. @throws InputError MISSING_FIELD where there are none. */
  get tokens(): Int32Array {
    return this.#short("tokens");
  }

  /** float64[length]: the sum of tokens^2 over the samples of each group, short for `loads["tokens^2"]`. */
  get attention(): Float64Array | undefined {
    return this.loads[ATTENTION] as Float64Array | undefined;
  }

  #short(name: string): Int32Array {
    if (Object.hasOwn(this.loads, name)) return this.loads[name] as Int32Array;
    throw new InputError("MISSING_FIELD", `this packing has no load ${name}: its loads are ${this.names.join(", ")}`);
  }

  /** The loads it was made with: bounded ones, then those that are carried. */
  get names(): readonly string[] {
    const { bounds, settings } = this;
    return Object.keys(this.loads).filter(
      (name) =>
        Object.hasOwn(bounds.max, name) || squareOf(name) === undefined || settings?.carry?.includes(name) === true,
    );
  }

  /** All but `lengths`, to post it or keep it. */
  get parts(): PackingParts {
    const { offsets, indices, loads, oversize, invalid, bounds, bound, rounds, method, mix, settings } = this;
    const { max, min } = bounds;
    const parts = { offsets, indices, loads, oversize, bounds: { max, min }, bound, rounds, method, mix, settings };
    return invalid.length === 0 ? parts : { ...parts, invalid };
  }

  /** The sample indices of group i, a view: O(1). @throws RangeError when i is not 0 .. length - 1. */
  group(i: number): Int32Array {
    if (!Number.isInteger(i) || i < 0 || i >= this.length) {
      throw new RangeError(`group ${i} asked for, there are ${this.length}`);
    }
    return this.indices.subarray(this.offsets[i], this.offsets[i + 1]);
  }

  /** The groups in order, each as `group(i)` gives it. */
  *[Symbol.iterator](): IterableIterator<Int32Array> {
    for (let i = 0; i < this.length; i++) yield this.group(i);
  }

  /** Counts and fill, computed on each call: O(groups). */
  get stats(): PackingStats {
    const { length: groups, bounds, loads } = this;
    const fill = Object.fromEntries(
      Object.entries(bounds.max).map(([name, most]) => [name, groups === 0 ? 0 : sum(loads[name]) / (groups * most)]),
    );
    const samples = this.indices.length;
    return {
      groups,
      samples,
      oversize: this.oversize.length,
      ...(this.invalid.length === 0 ? {} : { invalid: this.invalid.length }),
      bound: this.bound,
      fill,
      fillVit: fill.vit ?? 0,
      fillTokens: fill.tokens ?? 0,
      samplesPerGroup: groups === 0 ? 0 : samples / groups,
      rounds: this.rounds,
      mix: this.mix,
    };
  }
}
