import type { Lengths } from "../core/lengths.ts";
import type { PackingSettings } from "./made.ts";

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

function sum(values: Int32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/**
 * Groups in CSR form: group i holds the samples `indices[offsets[i]] .. indices[offsets[i + 1] - 1]`. Every sample of
 * the input is in exactly one group or in `oversize`.
 */
export class Packing implements Iterable<Int32Array> {
  /** Number of groups. */
  readonly length: number;
  /** int32[length + 1], rising from 0. */
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
  /** Samples beyond a bound, by rising index. */
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

  constructor(parts: PackingParts) {
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
