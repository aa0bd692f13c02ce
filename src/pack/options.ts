import type { Lengths } from "../core/lengths.ts";
import { integer, MAX_INT32, MAX_UINT32, oneOf } from "../core/options.ts";

/** How far a packing has come. */
export interface PackProgress {
  /** Share of the work that is done, 0 .. 1, never falling: for ISF rounds of those at most, for `balanced` an estimate. */
  readonly done: number;
  readonly samples: number;
  /** Groups there would be if it ended now; 0 while `balanced` has none yet. */
  readonly groups: number;
}

/** How far ISF has come, after each round. */
export interface RoundInfo extends PackProgress {
  /** Rounds done, 1 .. rounds. */
  readonly round: number;
  readonly rounds: number;
  /** Samples whose group was not full enough: the next round draws them again. */
  readonly loose: number;
}

/** What both methods take. */
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
  /** Looked at before each piece of the work. */
  readonly signal?: AbortSignal;
}

export interface IsfOptions extends CommonPackOptions {
  readonly method?: "isf";
  /** A group with so many tiles is full (Q'_v). Default: maxVit. */
  readonly minVit?: number;
  /** A group with so many tokens is full (Q'_t). Default: maxTokens - 128, at least 0. */
  readonly minTokens?: number;
  /** Rounds of ISF at most (T), 1 .. 2^31 - 1; it ends sooner when every group is full. Default: 50. */
  readonly rounds?: number;
  /** Called after each round; what it throws ends the packing. */
  readonly onRound?: (info: RoundInfo) => void;
}

export interface BalancedOptions extends CommonPackOptions {
  readonly method: "balanced";
  /** 0 quick, 1 normal, 2 long, 3 very long: 2 may take 10 times as long as 1 to save a few groups. Default: 1. */
  readonly effort?: number;
}

/** Options of one method are refused by the other. */
export type PackOptions = IsfOptions | BalancedOptions;

/** What both methods take, checked and with its defaults. */
export function resolveCommon(options: CommonPackOptions, lowerBound: "linear" | "tight") {
  return {
    maxVit: integer("maxVit", options.maxVit, 1, MAX_INT32),
    maxTokens: integer("maxTokens", options.maxTokens, 1, MAX_INT32),
    seed: integer("seed", options.seed ?? 1024, 0, MAX_UINT32),
    lowerBound: oneOf("lowerBound", options.lowerBound ?? lowerBound, ["linear", "tight"]),
  };
}

/** The value at an index, for messages. */
export function seenIn(samples: Lengths): (field: "vit" | "tokens", at: number) => number {
  return (field, at) => samples[field][at];
}
