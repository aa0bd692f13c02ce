import type { Core } from "../core/core.ts";
import type { Lengths } from "../core/lengths.ts";
import { pack } from "../pack/pack.ts";
import { evaluate } from "../plan/evaluate.ts";
import { packBestRound } from "./best-round.ts";

/** Arguments of a packing, to be tried. */
export interface Candidate {
  /** Q_v. */
  readonly maxVit: number;
  /** Q_t. */
  readonly maxTokens: number;
  /** Q'_t; Q'_v is maxVit. */
  readonly minTokens: number;
  /** Most rounds (T). */
  readonly rounds: number;
  readonly seed: number;
  readonly ranks: number;
  /** The published way: all rounds, and its random sampler. Otherwise the round with the fewest groups, and ours. */
  readonly published: boolean;
}

/** What trying a candidate gave. */
export interface Measured {
  /** Most tiles in a group (Q_v). */
  readonly maxVit: number;
  /** Most tokens in a group (Q_t). */
  readonly maxTokens: number;
  /** A group is full once it reaches this many tiles (Q'_v): maxVit. */
  readonly minVit: number;
  /** A group is full once it reaches this many tokens (Q'_t). */
  readonly minTokens: number;
  /** The rounds to pack with: of those tried, the one after which there are fewest groups. */
  readonly rounds: number;
  /** The seed to pack with. */
  readonly seed: number;
  /** Groups it made. */
  readonly groups: number;
  /** The linear lower bound on groups over the samples that fit. */
  readonly bound: number;
  /** groups / bound; 1 when there are none. */
  readonly ratio: number;
  /** Mean number of samples in a group. */
  readonly samplesPerGroup: number;
  /** Samples beyond maxVit or maxTokens. */
  readonly leftOut: number;
  /** Padding over all tokens computed on, 0 .. 1. */
  readonly pad: number;
  /** Dist ratio of tiles, 0 .. 1. */
  readonly vitDist: number;
  /** Dist ratio of tokens, 0 .. 1. */
  readonly tokenDist: number;
  /** Dist ratio of sums of tokens^2, 0 .. 1. */
  readonly attentionDist: number;
  /** pad + vitDist + tokenDist. */
  readonly score: number;
}

/**
 * Packs with the candidate and measures the packing: a pure function of its arguments, whichever instance and thread
 * it runs on. O(samples x rounds).
 */
export function measure(core: Core, lengths: Lengths, candidate: Candidate): Measured {
  const { maxVit, maxTokens, minTokens, rounds, seed, ranks, published } = candidate;
  const minVit = maxVit;
  const options = { maxVit, maxTokens, minVit, minTokens, seed, rounds };
  const packing = published ? pack(core, lengths, options) : packBestRound(core, lengths, options);
  const { length: groups, bound } = packing;
  // The published sampler has no step with fewer groups than ranks: ours has one, with repeats.
  const { pad, vitDist, tokenDist, attentionDist } = evaluate(
    core,
    packing,
    published && groups >= ranks ? { ranks, compat: "reference" } : { ranks, seed: 0 },
  );
  return {
    maxVit,
    maxTokens,
    minVit,
    minTokens,
    rounds: packing.rounds,
    seed,
    groups,
    bound,
    ratio: bound === 0 ? 1 : groups / bound,
    samplesPerGroup: groups === 0 ? 0 : packing.indices.length / groups,
    leftOut: packing.oversize.length,
    pad,
    vitDist,
    tokenDist,
    attentionDist: attentionDist ?? 0,
    score: pad + vitDist + tokenDist,
  };
}
