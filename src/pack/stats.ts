import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { type LengthsInput, toLengths } from "../core/lengths.ts";

/** Room for the longest text that `statsWrite` makes. */
const TEXT_ROOM = 4096;

/** One load over all samples. Percentile p is the value at rank ceil(p n / 100); without samples all are null. */
export interface LoadStats {
  readonly sum: number;
  readonly mean: number | null;
  readonly min: number | null;
  readonly p1: number | null;
  readonly p5: number | null;
  readonly p25: number | null;
  readonly p50: number | null;
  readonly p75: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Samples of from .. to tiles. */
export interface VitBin {
  readonly from: number;
  readonly to: number;
  readonly samples: number;
  /** Their mean of tokens; null when there are none. */
  readonly meanTokens: number | null;
}

/** What `Omnibal.stats` tells of samples. Ratios have six decimals. */
export interface LengthStats {
  readonly samples: number;
  readonly vit: LoadStats;
  readonly tokens: LoadStats;
  /** Sum of tokens over sum of vit; null when there is no tile. */
  readonly tokensPerTile: number | null;
  /** At most 20 bins of one width, from 0 on. */
  readonly vitHistogram: readonly VitBin[];
}

/** The body of `Omnibal.statsText`. */
export function statsText(core: Core, lengths: LengthsInput): string {
  const { vit, tokens } = toLengths(lengths);
  const { abi } = core;
  const n = vit.length;
  return core.exclusive(() => {
    const status = abi.statsLook(core.copyIn(vit, n), core.copyIn(tokens, n), n);
    check(abi, status, n, (field, at) => (field === "vit" ? vit : tokens)[at]);
    const out = core.alloc(TEXT_ROOM, n);
    return new TextDecoder().decode(core.bytes(out, abi.statsWrite(out, TEXT_ROOM)));
  });
}

/** The body of `Omnibal.stats`. */
export function stats(core: Core, lengths: LengthsInput): LengthStats {
  return JSON.parse(statsText(core, lengths)) as LengthStats;
}
