import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { validLengths } from "../core/invalid.ts";
import {
  columnsOf,
  invalidLength,
  type LengthsInput,
  loadColumn,
  loadName,
  toLengths,
  USUAL,
} from "../core/lengths.ts";

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
  /** Samples there are, but for those that are invalid. */
  readonly samples: number;
  /** Samples that are -1 in both loads, where there are such. */
  readonly invalid?: number;
  /** Image tiles. */
  readonly vit: LoadStats;
  /** Tokens. */
  readonly tokens: LoadStats;
  /** Sum of tokens over sum of vit; null when there is no tile. */
  readonly tokensPerTile: number | null;
  /** At most 20 bins of one width, from 0 on. */
  readonly vitHistogram: readonly VitBin[];
}

/** What is told of samples with other loads than vit and tokens. */
export interface LoadsStats {
  /** Samples there are, but for those that are invalid. */
  readonly samples: number;
  /** Samples that are -1 in every load, where there are such. */
  readonly invalid?: number;
  /** Each load by its name. */
  readonly loads: Readonly<Record<string, LoadStats>>;
}

/** Statuses of the core. */
const NEGATIVE_VIT = 3;
const NEGATIVE_TOKENS = 4;
const BAD_LOAD = 18;

/** The body of `Omnibal.statsText`. */
export function statsText(core: Core, input: LengthsInput, loads?: readonly string[]): string {
  const { lengths: samples, numbers, invalid } = validLengths(toLengths(input, loads));
  const own = loads === undefined ? columnsOf(samples).map(([name]) => name) : [...new Set(loads.map(loadName))];
  const columns = own.map((name) => loadColumn(samples, name));
  const { abi } = core;
  const n = columns[0].length;
  return core.exclusive(() => {
    const places = columns.map((column) => {
      if (column instanceof Int32Array) return core.copyIn(column, n);
      const at = core.alloc(n * 8, n);
      core.float64(at, n).set(column);
      return at;
    });
    const columnsAt = core.copyIn(Int32Array.from(places), n);
    const floats = columns.reduce((bits, column, k) => bits | (column instanceof Float64Array ? 1 << k : 0), 0);
    const { names, lengths } = core.namesIn(own, n);
    const status = abi.statsLook(columnsAt, floats, names, lengths, own.length, n, invalid.length);
    if (status === NEGATIVE_VIT || status === NEGATIVE_TOKENS || status === BAD_LOAD) {
      const [k, i] = [abi.errorLoad(), abi.errorIndex()];
      throw invalidLength(own[k], numbers === undefined ? i : numbers[i], columns[k][i]);
    }
    check(abi, status, n, () => undefined);
    const bytes = own.reduce((sum, name) => sum + new TextEncoder().encode(name).length, 0);
    const room = TEXT_ROOM + 6 * bytes;
    const out = core.alloc(room, n);
    return new TextDecoder().decode(core.bytes(out, abi.statsWrite(out, room)));
  });
}

/** The body of `Omnibal.stats`: of the usual two loads. */
export function stats(core: Core, lengths: LengthsInput): LengthStats {
  return JSON.parse(statsText(core, lengths, USUAL)) as LengthStats;
}

/** The body of `Omnibal.loadStats`: of any loads, by default of all that there are. */
export function loadStats(core: Core, lengths: LengthsInput, loads?: readonly string[]): LoadsStats {
  const { samples, invalid, ...own } = JSON.parse(statsText(core, lengths, loads));
  const byLoad = own.loads ?? { vit: own.vit, tokens: own.tokens };
  return { samples, ...(invalid === undefined ? {} : { invalid }), loads: byLoad };
}
