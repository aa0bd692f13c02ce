import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { type LengthsInput, toVitTokens, USUAL } from "../core/lengths.ts";

/** Room for the longest text that `statsWrite` makes. */
const TEXT_ROOM = 4096;

/** One load over all samples. Percentile p is the value at rank ceil(p n / 100); without samples all are null. */
export interface LoadStats {
  /** Sum over all samples, exact below 2^53. */
  readonly sum: number;
  /** Sum over the number of samples. */
  readonly mean: number | null;
  /** The least value. */
  readonly min: number | null;
  /** Percentile 1. */
  readonly p1: number | null;
  /** Percentile 5. */
  readonly p5: number | null;
  /** Percentile 25. */
  readonly p25: number | null;
  /** Percentile 50, the median. */
  readonly p50: number | null;
  /** Percentile 75. */
  readonly p75: number | null;
  /** Percentile 95. */
  readonly p95: number | null;
  /** Percentile 99. */
  readonly p99: number | null;
  /** The largest value. */
  readonly max: number | null;
}

/** Samples of from .. to tiles. */
export interface VitBin {
  /** Fewest tiles of a sample in the bin. */
  readonly from: number;
  /** Most tiles of a sample in the bin. */
  readonly to: number;
  /** Samples in the bin. */
  readonly samples: number;
  /** Their mean of tokens; null when there are none. */
  readonly meanTokens: number | null;
}

/** What `Omnibal.stats` tells of samples. Ratios have six decimals. */
export interface LengthStats {
  /** Samples there are. */
  readonly samples: number;
  /** Image tiles. */
  readonly vit: LoadStats;
  /** Tokens. */
  readonly tokens: LoadStats;
  /** Sum of tokens over sum of vit; null when there is no tile. */
  readonly tokensPerTile: number | null;
  /** At most 20 bins of one width, from 0 on. */
  readonly vitHistogram: readonly VitBin[];
}

/** The body of `Omnibal.statsText`. */
export function statsText(core: Core, input: LengthsInput): string {
  const { vit, tokens } = toVitTokens(input);
  const { abi } = core;
  const n = vit.length;
  return core.exclusive(() => {
    const columns = core.copyIn(Int32Array.of(core.copyIn(vit, n), core.copyIn(tokens, n)), n);
    const { names, lengths } = core.namesIn(USUAL, n);
    const status = abi.statsLook(columns, names, lengths, USUAL.length, n);
    check(abi, status, n, (field, at) => (field === "vit" ? vit : tokens)[at]);
    const out = core.alloc(TEXT_ROOM, n);
    return new TextDecoder().decode(core.bytes(out, abi.statsWrite(out, TEXT_ROOM)));
  });
}

/** The body of `Omnibal.stats`. */
export function stats(core: Core, lengths: LengthsInput): LengthStats {
  return JSON.parse(statsText(core, lengths)) as LengthStats;
}
