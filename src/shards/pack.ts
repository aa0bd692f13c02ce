// Packing shard by shard: each shard of the samples is packed by itself, so that the core never holds more than one of them,
// and the samples of those groups that the shards filled least are packed once more, together, where that makes fewer. Which groups come out depends
// on the samples and the options alone.
import type { Core } from "../core/core.ts";
import { OptionError, show } from "../core/errors.ts";
import {
  columnsOf,
  invalidLength,
  type Lengths,
  type LengthsInput,
  type LoadColumn,
  sampleCount,
  toLengths,
} from "../core/lengths.ts";
import { type Specs, take } from "../core/options.ts";
import type { PackOptions } from "../pack/methods.ts";
import { checkPackOptions } from "../pack/option-names.ts";
import { type PackProgress, resolveLoads } from "../pack/options.ts";
import { packInRounds } from "../pack/pack.ts";
import { type ByLoad, type Packing, trustedPacking } from "../pack/packing.ts";
import { SHARD_OPTIONS, shardCount, shardSamples } from "./shard.ts";

/** The options of the method that packs each shard, and how many shards there are. */
export type PackShardsOptions = PackOptions & {
  /** Number of shards, 1 .. 2^31 - 1, or `auto`: one for each 2^20 samples. */
  readonly shards: number | "auto";
};

export const PACK_SHARDS_OPTIONS = {
  shards: {
    kind: "own",
    argument: "N",
    about: "shards of samples, chosen at random, to pack one by one; auto: one for each 2^20 samples",
    usual: "1",
  },
} as const satisfies Specs;

/** How many of its groups a shard gives up to be packed again with those of the others: those that it filled least. */
const GIVEN_UP = 16;

/** The values of some samples. */
function gather(lengths: Lengths, indices: ArrayLike<number>): Lengths {
  return Object.fromEntries(
    columnsOf(lengths).map(([name, column]) => {
      const own = column instanceof Int32Array ? new Int32Array(indices.length) : new Float64Array(indices.length);
      for (let k = 0; k < own.length; k++) own[k] = column[indices[k]];
      return [name, own];
    }),
  );
}

/** Throws for the first value that is none: the core would call it by its place in the shard. */
function checkValues(lengths: Lengths): void {
  for (const [name, column] of columnsOf(lengths)) {
    const at = column.findIndex((value: number) => !(value >= 0));
    if (at >= 0) throw invalidLength(name, at, column[at]);
  }
}

/** Groups in the order of how little they are filled: of the load that fills each most. Of equals the first comes first. */
function byFill({ length, loads, bounds }: Packing): number[] {
  const fill = Float64Array.from({ length }, (_, g) =>
    Object.entries(bounds.max).reduce((most, [name, bound]) => Math.max(most, loads[name][g] / bound), 0),
  );
  return Array.from(fill.keys()).sort((a, b) => fill[a] - fill[b] || a - b);
}

const every = (length: number) => Array.from({ length }, (_, i) => i);

/** Groups of many packings, one after another. */
class Joined {
  readonly #indices: Int32Array;
  #used = 0;
  readonly #offsets: number[] = [0];
  readonly #loads = new Map<string, number[]>();
  readonly #oversize: number[] = [];
  rounds = 0;

  constructor(samples: number) {
    this.#indices = new Int32Array(samples);
  }

  /** Adds groups of a packing; sample k of it is sample numbers[k] of all. */
  add(packing: Packing, numbers: ArrayLike<number>, groups: Iterable<number>): void {
    for (const g of groups) {
      for (const k of packing.group(g)) this.#indices[this.#used++] = numbers[k];
      this.#offsets.push(this.#used);
      for (const [name, sums] of Object.entries(packing.loads)) {
        let list = this.#loads.get(name);
        if (list === undefined) {
          list = [];
          this.#loads.set(name, list);
        }
        list.push(sums[g]);
      }
    }
    this.rounds = Math.max(this.rounds, packing.rounds);
  }

  addOversize(packing: Packing, numbers: ArrayLike<number>): void {
    for (const k of packing.oversize) this.#oversize.push(numbers[k]);
  }

  /** The one packing, with the bounds and settings of `like`, which is one of its parts. */
  packing(like: Packing, lengths: Lengths, shards: number): Packing {
    const loads: ByLoad<LoadColumn> = Object.fromEntries(
      Object.keys(like.loads).map((name) => {
        const sums = this.#loads.get(name) ?? [];
        const isWide = like.loads[name] instanceof Float64Array || sums.some((value) => value > 2 ** 31 - 1);
        return [name, isWide ? Float64Array.from(sums) : Int32Array.from(sums)];
      }),
    );
    const bound = Object.entries(like.bounds.max).reduce((most, [name, max]) => {
      let total = 0n;
      for (const value of loads[name]) total += BigInt(value);
      return Math.max(most, Number((total + BigInt(max) - 1n) / BigInt(max)));
    }, 0);
    return trustedPacking({
      offsets: Int32Array.from(this.#offsets),
      indices: this.#indices.slice(0, this.#used),
      loads,
      oversize: Int32Array.from(this.#oversize).sort(),
      bounds: { max: like.bounds.max, min: like.bounds.min },
      ...{ bound, rounds: this.rounds, method: like.method, lengths },
      settings: { ...like.settings, shards },
    });
  }
}

/** The number of shards that is asked for. */
function shardsOf({ shards }: Pick<PackShardsOptions, "shards">, samples: number): number {
  if (shards === "auto") return shardCount(samples);
  if (typeof shards === "string") {
    throw new OptionError("INVALID_OPTION", `shards is ${show(shards)}, expected a whole number or auto`);
  }
  return take(SHARD_OPTIONS, "shards", { shards });
}

/** `packShards` in steps of some milliseconds. */
export function* packShardsInSteps(
  core: Core,
  input: LengthsInput,
  options: PackShardsOptions,
): Generator<PackProgress, Packing, void> {
  const { shards: _shards, ...own } = options;
  checkPackOptions("packShards", own);
  const lengths = toLengths(input, resolveLoads(options).names);
  const samples = sampleCount(lengths);
  const shards = shardsOf(options, samples);
  if (shards === 1) return yield* packInRounds(core, lengths, own);
  checkValues(lengths);
  const { offsets, indices } = shardSamples(core, samples, { shards, seed: take(SHARD_OPTIONS, "seed", options) });
  const joined = new Joined(samples);
  const again: number[] = [];
  const givenUp: { packing: Packing; numbers: Uint32Array; least: readonly number[] }[] = [];
  let groups = 0;
  const packOne = function* (numbers: ArrayLike<number>, part: number): Generator<PackProgress, Packing, void> {
    const steps = packInRounds(core, gather(lengths, numbers), own);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      const { done, groups: now } = step.value;
      yield { done: (part + done) / (shards + 1), samples, groups: groups + now };
    }
  };
  let like: Packing | undefined;
  for (let s = 0; s < shards; s++) {
    const numbers = indices.subarray(offsets[s], offsets[s + 1]);
    if (numbers.length === 0) continue;
    const packing = yield* packOne(numbers, s);
    const least = byFill(packing).slice(0, GIVEN_UP);
    const isGivenUp = new Set(least);
    for (const g of least) for (const k of packing.group(g)) again.push(numbers[k]);
    joined.add(
      packing,
      numbers,
      every(packing.length).filter((g) => !isGivenUp.has(g)),
    );
    joined.addOversize(packing, numbers);
    groups += packing.length - least.length;
    givenUp.push({ packing, numbers, least });
    like = packing;
  }
  const last = Int32Array.from(again).sort();
  const tail = yield* packOne(last, shards);
  if (tail.length < givenUp.reduce((sum, { least }) => sum + least.length, 0))
    joined.add(tail, last, every(tail.length));
  else for (const { packing, numbers, least } of givenUp) joined.add(packing, numbers, least);
  return joined.packing(like ?? tail, lengths, shards);
}

/**
 * Packs samples in shards that are chosen at random: the same groups whoever packs which shard, in a memory of the core for
 * one shard. Groups are numbered shard by shard; the last ones are of the samples of those groups, 16 of each shard, that
 * were filled least, packed once more where that makes fewer. With one shard it is `pack`. O(samples) beside the method's own time, 4 bytes each.
 *
 * @throws OptionError INVALID_OPTION, InputError as `pack`.
 */
export function packShards(core: Core, lengths: LengthsInput, options: PackShardsOptions): Packing {
  const steps = packShardsInSteps(core, lengths, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
