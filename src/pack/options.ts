import type { Lengths } from "../core/lengths.ts";
import { MAX_INT32, type NamesOf, OWN, SEED, type Spec, take } from "../core/options.ts";

/** How far a packing has come. */
export interface PackProgress {
  /** Share of the work that is done, 0 .. 1, never decreasing: for ISF rounds of those at most, for `balanced` an estimate. */
  readonly done: number;
  /** Samples there are. */
  readonly samples: number;
  /** Groups there would be if it ended now; 0 while `balanced` has none yet. */
  readonly groups: number;
}

/** What every method takes. */
export interface CommonPackOptions {
  /** Most tiles in a group (paper: Q_v), 1 .. 2^31 - 1. */
  readonly maxVit: number;
  /** Most tokens in a group (Q_t), 1 .. 2^31 - 1. */
  readonly maxTokens: number;
  /** 0 .. 2^32 - 1; round r of ISF draws with seed + r - 1, mod 2^32. Default: 1024. */
  readonly seed?: number;
  /**
   * What `packing.bound` is: `linear` (the sums of both loads over their bounds) costs nothing, `tight` (the best of
   * `lowerBound`) some milliseconds per million samples, and 8 bytes per sample while it is found. Default: `linear` for
   * ISF, for which it would be half as much time again, `tight` for `balanced`.
   */
  readonly lowerBound?: "linear" | "tight";
  /** Called between pieces of the work, of ISF after each round; what it throws ends the packing. */
  readonly onProgress?: (progress: PackProgress) => void;
  /** Checked before each piece of the work. */
  readonly signal?: AbortSignal;
}

const POSITIVE = { kind: "integer", low: 1, high: MAX_INT32 } as const satisfies Spec;

/** The bounds of a group. */
export const BOUNDS = {
  maxVit: { ...POSITIVE, about: "most tiles in a group" },
  maxTokens: { ...POSITIVE, about: "most tokens in a group" },
} as const;

export const COMMON = {
  ...BOUNDS,
  seed: SEED,
  lowerBound: { kind: "choice", names: ["linear", "tight"] },
  onProgress: OWN,
  signal: OWN,
} as const satisfies NamesOf<CommonPackOptions, Spec>;

/** What every method takes, checked and with its defaults. */
export function resolveCommon(options: CommonPackOptions, lowerBound: "linear" | "tight") {
  return {
    maxVit: take(COMMON, "maxVit", options),
    maxTokens: take(COMMON, "maxTokens", options),
    seed: take(COMMON, "seed", options),
    lowerBound: take(COMMON, "lowerBound", options, lowerBound),
  };
}

/** The value at an index, for messages. */
export function seenIn(samples: Lengths): (field: "vit" | "tokens", at: number) => number {
  return (field, at) => samples[field][at];
}
