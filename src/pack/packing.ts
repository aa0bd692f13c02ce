import type { Core } from "../core/core.ts";
import { InputError, show } from "../core/errors.ts";
import type { Lengths } from "../core/lengths.ts";
import { MAX_INT32 } from "../core/options.ts";

/** 64 bits as 16 lower-case hexadecimal digits. */
export type Fingerprint = string;

/** A value for each load, by name. */
export interface ByLoad<T> {
  readonly vit: T;
  readonly tokens: T;
}

/** How a packing was made: what decided about its groups beside the samples. A key that does not apply is missing. */
export interface PackingSettings {
  /** Most of each load in a group. */
  readonly bounds?: ByLoad<number>;
  readonly method?: "isf" | "balanced";
  readonly seed?: number;
  /** `isf`: a group that reaches one of these is full. */
  readonly min?: ByLoad<number>;
  /** `isf`: rounds at most. */
  readonly rounds?: number;
  /** `balanced`: 0 .. 3. */
  readonly effort?: number;
}

/** Figures of a packing. Ratios are for reading; no group depends on them. */
export interface PackingStats {
  readonly groups: number;
  /** Samples in groups. */
  readonly samples: number;
  /** Samples that no group can hold. */
  readonly oversize: number;
  /** No packing of these samples has fewer groups. */
  readonly bound: number;
  /** Sum of vit over groups x maxVit, 0 .. 1. */
  readonly fillVit: number;
  /** Sum of tokens over groups x maxTokens, 0 .. 1. */
  readonly fillTokens: number;
  readonly samplesPerGroup: number;
  readonly rounds: number;
  /** See `Packing.mix`. */
  readonly mix: number | null;
}

/** How groups are made: `isf` is the published algorithm, `balanced` comes close to the lower bound. */
export type PackMethod = "isf" | "balanced";

/** The bounds and thresholds a packing was made with; `balanced` has no thresholds, and the bounds in their place. */
export interface PackingBounds {
  readonly maxVit: number;
  readonly maxTokens: number;
  readonly minVit: number;
  readonly minTokens: number;
}

/** What a packer hands over. */
export interface PackingParts {
  readonly offsets: Int32Array;
  readonly indices: Int32Array;
  readonly vit: Int32Array;
  readonly tokens: Int32Array;
  readonly attention?: Float64Array;
  readonly oversize: Int32Array;
  readonly bounds: PackingBounds;
  readonly bound: number;
  readonly rounds: number;
  readonly method?: PackMethod | undefined;
  readonly mix?: number | null;
  /** See `Packing.settings`. */
  readonly settings?: PackingSettings | undefined;
  /** The samples that were packed, kept as they are: for `Omnibal.made`. */
  readonly lengths?: Lengths | undefined;
}

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
export function checkLists({ offsets, indices, vit, tokens }: Packing): void {
  checkOffsets(offsets, indices.length);
  const groups = offsets.length - 1;
  for (const [name, list] of Object.entries({ vit, tokens })) {
    if (list.length !== groups) refuse(`${name} has ${list.length} values, there are ${groups} groups`);
  }
}

/** Throws unless every sample is from 0 on and in one place only. O(samples), and a sort where indices are sparse. */
function checkSamples(indices: Int32Array, oversize: Int32Array): void {
  const count = indices.length + oversize.length;
  let most = -1;
  for (const list of [indices, oversize]) {
    for (const sample of list) {
      if (sample < 0) refuse(`a sample is ${sample}, expected a whole number from 0 to ${MAX_INT32}`);
      if (sample > most) most = sample;
    }
  }
  const twice = (sample: number) => refuse(`sample ${sample} is in two places, expected one`);
  // A byte for every possible sample, unless most of them are not there.
  if (most < count * 8) {
    const seen = new Uint8Array(most + 1);
    for (const list of [indices, oversize]) for (const sample of list) if (seen[sample]++ !== 0) twice(sample);
    return;
  }
  const sorted = new Int32Array(count);
  sorted.set(indices);
  sorted.set(oversize, indices.length);
  sorted.sort();
  for (let i = 1; i < count; i++) if (sorted[i] === sorted[i - 1]) twice(sorted[i]);
}

function checkCount(name: string, value: unknown, low: number): void {
  if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= MAX_INT32) return;
  refuse(`${name} is ${show(value)}, expected a whole number from ${low} to ${MAX_INT32}`);
}

/** Throws unless there is one sum for each group, from 0 to `most`. */
function checkSums(name: string, values: Int32Array | Float64Array, groups: number, most: number, what: string): void {
  if (values.length !== groups) refuse(`${name} has ${values.length} values, there are ${groups} groups`);
  // Written so that NaN fails.
  const bad = (values as Float64Array).findIndex((value) => !(value >= 0 && value <= most));
  if (bad !== -1) refuse(`${name} of group ${bad} is ${values[bad]}, expected a number from 0 to ${what}`);
}

/** Throws unless these are the parts of a packing, as `Packing` describes them. */
function checkParts(parts: PackingParts): void {
  if (typeof parts !== "object" || parts === null) refuse(`got ${show(parts)}, expected its parts`);
  const { offsets, indices, vit, tokens, attention, oversize, bounds, bound, rounds, method, mix } = parts;
  for (const [name, list] of Object.entries({ offsets, indices, vit, tokens, oversize })) {
    if (!(list instanceof Int32Array)) refuse(`${name} is ${show(list)}, expected an Int32Array`);
  }
  if (attention !== undefined && !(attention instanceof Float64Array)) {
    refuse(`attention is ${show(attention)}, expected a Float64Array or none`);
  }
  for (const [name, low] of Object.entries({ maxVit: 1, maxTokens: 1, minVit: 0, minTokens: 0 })) {
    checkCount(`bounds.${name}`, (bounds as unknown as Record<string, unknown> | undefined)?.[name], low);
  }
  checkCount("bound", bound, 0);
  checkCount("rounds", rounds, 0);
  if (method !== undefined && method !== "isf" && method !== "balanced") {
    refuse(`method is ${show(method)}, expected "isf", "balanced" or none`);
  }
  if (mix !== undefined && mix !== null && !(typeof mix === "number" && mix >= 0 && mix < 2 ** 32)) {
    refuse(`mix is ${show(mix)}, expected a number from 0 on, below 2^32, or null`);
  }
  checkOffsets(offsets, indices.length);
  const groups = offsets.length - 1;
  checkSums("vit", vit, groups, bounds.maxVit, `maxVit, ${bounds.maxVit}`);
  checkSums("tokens", tokens, groups, bounds.maxTokens, `maxTokens, ${bounds.maxTokens}`);
  if (attention !== undefined) checkSums("attention", attention, groups, MAX_ATTENTION, "2^62");
  checkSamples(indices, oversize);
}

/**
 * Parts that the core has made, or a reader that has checked them: looking again would cost a pass over all samples. No
 * entry of the package exports the function that adds to them.
 */
const trusted = new WeakSet<PackingParts>();

/** A packing of parts that were made by the core, or checked as thoroughly as the constructor does. */
export function trustedPacking(parts: PackingParts): Packing {
  trusted.add(parts);
  return new Packing(parts);
}

function sum(values: Int32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/**
 * Groups in CSR form: group i holds the samples `indices[offsets[i]] .. indices[offsets[i + 1] - 1]`. Every sample of
 * the input is in exactly one group or in `oversize`. The arrays are taken as they are, not copied.
 */
export class Packing implements Iterable<Int32Array> {
  /** Number of groups. */
  readonly length: number;
  /** int32[length + 1], ascending from 0; no group is empty. */
  readonly offsets: Int32Array;
  /** int32[samples in groups]: sample indices, group after group. */
  readonly indices: Int32Array;
  /** int32[length]: tiles of each group, <= maxVit. */
  readonly vit: Int32Array;
  /** int32[length]: tokens of each group, <= maxTokens. */
  readonly tokens: Int32Array;
  /**
   * float64[length]: sum of tokens^2 over the samples of each group, exact below 2^53. A packer fills it; a packing read
   * back without its lengths has none.
   */
  readonly attention: Float64Array | undefined;
  /** Samples beyond a bound, by ascending index. */
  readonly oversize: Int32Array;
  readonly bounds: PackingBounds;
  /** No packing of these samples has fewer groups: the tight or the linear bound, see the option `lowerBound`. */
  readonly bound: number;
  /** Rounds of ISF that were run; 0 for `balanced`, which has none. */
  readonly rounds: number;
  /** How the groups were made; undefined for a packing of another tool. */
  readonly method: PackMethod | undefined;
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
  constructor(parts: PackingParts) {
    if (!trusted.has(parts)) checkParts(parts);
    this.length = parts.offsets.length - 1;
    this.offsets = parts.offsets;
    this.indices = parts.indices;
    this.vit = parts.vit;
    this.tokens = parts.tokens;
    this.attention = parts.attention;
    this.oversize = parts.oversize;
    this.bounds = parts.bounds;
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

  /** All but `lengths`, to post it or keep it. */
  get parts(): PackingParts {
    const { offsets, indices, vit, tokens, attention, oversize, bounds, bound, rounds, method, mix, settings } = this;
    const parts = { offsets, indices, vit, tokens, oversize, bounds, bound, rounds, method, mix, settings };
    return attention === undefined ? parts : { ...parts, attention };
  }

  /** The sample indices of group i, a view: O(1). @throws RangeError when i is not 0 .. length - 1. */
  group(i: number): Int32Array {
    if (!Number.isInteger(i) || i < 0 || i >= this.length) {
      throw new RangeError(`group ${i} asked for, there are ${this.length}`);
    }
    return this.indices.subarray(this.offsets[i], this.offsets[i + 1]);
  }

  *[Symbol.iterator](): IterableIterator<Int32Array> {
    for (let i = 0; i < this.length; i++) yield this.group(i);
  }

  /** Counts and fill, computed on each call: O(groups). */
  get stats(): PackingStats {
    const { length: groups, bounds } = this;
    const samples = this.indices.length;
    return {
      groups,
      samples,
      oversize: this.oversize.length,
      bound: this.bound,
      fillVit: groups === 0 ? 0 : sum(this.vit) / (groups * bounds.maxVit),
      fillTokens: groups === 0 ? 0 : sum(this.tokens) / (groups * bounds.maxTokens),
      samplesPerGroup: groups === 0 ? 0 : samples / groups,
      rounds: this.rounds,
      mix: this.mix,
    };
  }
}

/** Copies the core's packing out. */
export function takePacking(
  core: Core,
  lengths: Lengths,
  bounds: PackingBounds,
  method: PackMethod,
  rounds: number,
  bound: number,
  settings: PackingSettings,
): Packing {
  const { abi } = core;
  const mix = abi.packingMix();
  const groups = abi.packingGroups();
  const offsets = core.int32(abi.packingOffsets(), groups + 1).slice();
  return trustedPacking({
    offsets,
    indices: core.int32(abi.packingOrder(), offsets[groups]).slice(),
    vit: core.int32(abi.packingVit(), groups).slice(),
    tokens: core.int32(abi.packingTokens(), groups).slice(),
    attention: core.float64(abi.packingAttention(), groups).slice(),
    oversize: core.int32(abi.packingOversize(), abi.packingOversizeCount()).slice(),
    bounds,
    bound,
    rounds,
    method,
    mix: mix < 0 ? null : mix,
    settings: { bounds: { vit: bounds.maxVit, tokens: bounds.maxTokens }, method, ...settings },
    lengths,
  });
}
