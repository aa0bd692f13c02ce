// Which shard a sample is in: a pure function of its number, a seed and the number of shards, so that threads, machines and
// engines that never speak to each other split the same data alike.
import type { Core } from "../core/core.ts";
import { OptionError, show } from "../core/errors.ts";
import { MAX_INT32, type NamesOf, onlyNames, SEED, type Spec, take } from "../core/options.ts";

/** The most samples in a shard, on average, with `shardCount`. */
export const SHARD_SAMPLES = 1 << 20;

/** What a sample's shard depends on, besides its number. */
export interface ShardOptions {
  /** Number of shards, 1 .. 2^31 - 1. */
  readonly shards: number;
  /** 0 .. 2^32 - 1. Default: 1024. */
  readonly seed?: number;
}

export const SHARD_OPTIONS = {
  shards: { kind: "integer", low: 1, high: MAX_INT32 },
  seed: SEED,
} as const satisfies NamesOf<ShardOptions, Spec>;

function mix32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

/** Both halves of a sample's number. */
function halves(index: number | bigint): readonly [low: number, high: number] {
  if (typeof index === "bigint" && BigInt.asUintN(64, index) === index) {
    return [Number(index & 0xffffffffn), Number(index >> 32n)];
  }
  if (typeof index === "number" && Number.isSafeInteger(index) && index >= 0) {
    return [index % 2 ** 32, Math.floor(index / 2 ** 32)];
  }
  throw new OptionError(
    "INVALID_OPTION",
    `index is ${show(index)}, expected a whole number from 0 to 2^53 - 1, or a bigint from 0 to 2^64 - 1`,
  );
}

/**
 * The shard, 0 .. shards - 1, of the sample with number `index`: `mix32(mix32(low ^ mix32(high)) ^ seed) % shards` of the
 * halves of its number. docs/formats.md has it for other languages.
 *
 * @throws OptionError INVALID_OPTION for an index or an option that is out of range.
 */
export function shard(index: number | bigint, options: ShardOptions): number {
  onlyNames("shard", options, SHARD_OPTIONS);
  const shards = take(SHARD_OPTIONS, "shards", options);
  const seed = take(SHARD_OPTIONS, "seed", options);
  const [low, high] = halves(index);
  return mix32(mix32(low ^ mix32(high)) ^ seed) % shards;
}

/** The default number of shards of `samples` samples: one for every 2^20, rounded up, at least 1. */
export function shardCount(samples: number): number {
  return Math.max(Math.ceil(samples / SHARD_SAMPLES), 1);
}

/** Samples of a data set by shard: shard s has the numbers `indices[offsets[s]]` to `indices[offsets[s + 1] - 1]`, ascending. */
export interface Shards {
  /** float64[shards + 1]: shard s has indices[offsets[s]] .. indices[offsets[s + 1] - 1]. */
  readonly offsets: Float64Array;
  /** uint32[samples]: sample numbers, shard after shard. */
  readonly indices: Uint32Array;
}

/** Samples whose shards are computed at once: 256 KB. */
const PIECE = 1 << 16;

/**
 * Samples 0 .. `samples` - 1, of which there are fewer than 2^32, by shard. O(samples), 4 bytes each, and 1 MB of the core.
 *
 * @throws OptionError INVALID_OPTION for an option that is out of range.
 */
export function shardSamples(core: Core, samples: number, options: ShardOptions): Shards {
  onlyNames("shardSamples", options, SHARD_OPTIONS);
  const shards = take(SHARD_OPTIONS, "shards", options);
  const seed = take(SHARD_OPTIONS, "seed", options);
  if (!(Number.isInteger(samples) && samples >= 0 && samples < 2 ** 32)) {
    throw new OptionError("INVALID_OPTION", `samples is ${show(samples)}, expected a whole number below 2^32`);
  }
  const offsets = new Float64Array(shards + 1);
  const indices = new Uint32Array(samples);
  core.exclusive(() => {
    const { abi } = core;
    const at = core.alloc(PIECE * 4, PIECE);
    const each = (use: (shard: number, index: number) => void) => {
      for (let first = 0; first < samples; first += PIECE) {
        const count = Math.min(PIECE, samples - first);
        abi.shardsFrom(first, count, seed, shards, at);
        const found = core.int32(at, count);
        for (let k = 0; k < count; k++) use(found[k], first + k);
      }
    };
    each((own) => offsets[own + 1]++);
    for (let s = 1; s <= shards; s++) offsets[s] += offsets[s - 1];
    const next = offsets.slice(0, shards);
    each((own, index) => {
      indices[next[own]++] = index;
    });
  });
  return { offsets, indices };
}
