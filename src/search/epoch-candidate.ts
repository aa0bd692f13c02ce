import type { Core } from "../core/core.ts";
import type { Lengths } from "../core/lengths.ts";
import type { PackMethod, PackOptions } from "../pack/methods.ts";
import { pack } from "../pack/pack.ts";
import type { Packing } from "../pack/packing.ts";
import { plan } from "../plan/plan.ts";
import { packBestRound } from "./best-round.ts";

/** What to pack and plan with, to be tried. */
export interface EpochCandidate {
  /** How it packs. */
  readonly method: PackMethod;
  /** Most of each load in a group, by name. */
  readonly max: Readonly<Record<string, number>>;
  /** `isf`: a group that reaches one of these is full; undefined: the method's own default. */
  readonly min?: Readonly<Record<string, number>> | undefined;
  /** `isf`: rounds at most. */
  readonly rounds: number;
  /** 0 .. 2^32 - 1. */
  readonly seed: number;
  /** Data-parallel ranks. */
  readonly ranks: number;
  /** What each load costs by name; `group` and `step` are constants. */
  readonly cost: Readonly<Record<string, number>>;
}

/** What trying it gave. */
export interface EpochMeasured {
  /** How it packs. */
  readonly method: PackMethod;
  /** Most of each load in a group, by name. */
  readonly max: Readonly<Record<string, number>>;
  /** `isf`: a group that reaches one of these is full; undefined: the method's own default. */
  readonly min?: Readonly<Record<string, number>> | undefined;
  /** `isf`: the rounds to pack with, of those tried those after which there are fewest groups; 0 for other methods. */
  readonly rounds: number;
  /** The seed to pack with. */
  readonly seed: number;
  /** Groups it made. */
  readonly groups: number;
  /** No packing has fewer, as far as the method knows. */
  readonly bound: number;
  /** Mean number of samples in a group. */
  readonly samplesPerGroup: number;
  /** Samples beyond a bound. */
  readonly leftOut: number;
  /** Steps of the planned epoch. */
  readonly steps: number;
  /** The predicted time of the planned epoch, in the unit of the cost. */
  readonly epochMs: number;
  /** Share of all ranks' time spent waiting, 0 .. 1. */
  readonly idle: number;
}

function packed(core: Core, lengths: Lengths, { method, max, min, rounds, seed }: EpochCandidate): Packing {
  if (method !== "isf") return pack(core, lengths, { method, max, seed } as PackOptions);
  return packBestRound(core, lengths, { method, max, seed, rounds, ...(min === undefined ? {} : { min }) });
}

/**
 * Packs with the candidate, plans the groups by the cost, and predicts the epoch: a pure function of its arguments, on
 * whichever instance and thread.
 */
export function measureEpoch(core: Core, lengths: Lengths, candidate: EpochCandidate): EpochMeasured {
  const { method, max, min, seed, ranks, cost } = candidate;
  const packing = packed(core, lengths, candidate);
  const { length: groups, bound, rounds } = packing;
  const figures = { method, max, min, rounds, seed, groups, bound, leftOut: packing.oversize.length };
  if (groups === 0) return { ...figures, samplesPerGroup: 0, steps: 0, epochMs: Number.POSITIVE_INFINITY, idle: 0 };
  const { vit = 0, tokens = 0, "tokens^2": squares = 0, group = 0, step = 0 } = cost;
  const { stats } = plan(core, packing, {
    ranks,
    seed,
    balance: { msPerTile: vit, msPerToken: tokens, msPerTokenSquared: squares },
  });
  const { steps, epochMs = 0, idle = 0 } = stats;
  return {
    ...figures,
    samplesPerGroup: packing.indices.length / groups,
    steps,
    // Every rank has a group in every step.
    epochMs: epochMs + steps * (group + step),
    idle,
  };
}
