// The shard of a sample: a function of its number and a seed alone, so that every engine that splits the work splits it
// alike. docs/formats.md has the formula; its factors are below 2^31, so that SQL engines can compute it too.

import { mix32 } from "./fingerprint";

/** The shard, 0 .. shards - 1, of the sample whose number has these halves. */
function shardOf(low: u32, mixedHigh: u32, seed: u32, shards: u32): u32 {
  return mix32(mix32(low ^ mixedHigh) ^ seed) % shards;
}

/** Puts the shards of n samples into u32[n] at `out`: of those from number `first` (a whole number below 2^53) on. */
export function shardsFrom(first: f64, n: u32, seed: u32, shards: u32, out: usize): void {
  let number = <u64>first;
  for (const end = out + ((<usize>n) << 2); out < end; out += 4, number++) {
    store<u32>(out, shardOf(<u32>number, mix32(<u32>(number >> 32)), seed, shards));
  }
}

/** The same for the samples whose numbers are u64[n] at `numbers`. */
export function shardsAt(numbers: usize, n: u32, seed: u32, shards: u32, out: usize): void {
  for (const end = out + ((<usize>n) << 2); out < end; out += 4, numbers += 8) {
    store<u32>(out, shardOf(load<u32>(numbers), mix32(load<u32>(numbers, 4)), seed, shards));
  }
}
