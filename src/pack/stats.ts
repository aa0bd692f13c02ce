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
