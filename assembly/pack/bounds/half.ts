// The half bound (Martello and Toth's L2) on one load: samples above half of the bound are alone in their group in that
// respect, and small ones only fit beside those that leave enough room.

import { allocArray, mark, release } from "../../base/memory";
import { Loads } from "../../loads/loads";

/** Thresholds at most. */
const STEPS: u64 = 2048;
/** Samples per call of the inner loop. */
const BLOCK: i32 = 4096;

// A bucket: sum of small samples, in wholes of the bound and a rest; large samples, and the sum of what they leave.
const SMALL: usize = 0;
const LARGE: usize = 16;
const ROOM: usize = 24;
const BUCKET: usize = 40;

/** Rests of samples within bounds up to here are added up as they are: all samples together stay below 2^64. */
const NARROW: u64 = (<u64>1) << 32;

/** Adds x to a sum of wholes (u64) and a rest (u64). */
function add(sum: usize, x: u64, bound: u64): void {
  let rest = load<u64>(sum, 8) + x;
  if (rest >= bound) {
    const wholes = rest / bound;
    rest -= wholes * bound;
    store<u64>(sum, load<u64>(sum) + wholes);
  }
  store<u64>(sum, rest, 8);
}

/** The same for one of many samples: where sums are below 2^64, wholes are left for later, as divisions take long. */
function addSample(sum: usize, x: u64, bound: u64): void {
  if (bound <= NARROW) store<u64>(sum, load<u64>(sum, 8) + x, 8);
  else add(sum, x, bound);
}

/** Takes the sum at `other`, at most as much, from the one at `sum`. */
function subtract(sum: usize, other: usize, bound: u64): void {
  let wholes = load<u64>(sum) - load<u64>(other);
  let rest = load<u64>(sum, 8);
  const less = load<u64>(other, 8);
  if (rest < less) {
    rest += bound;
    wholes--;
  }
  store<u64>(sum, wholes);
  store<u64>(sum, rest - less, 8);
}

/** x / width, of which a division of u64 would take most of the time. */
function over(x: u64, width: u64, inverse: f64): u64 {
  const near = <u64>(<f64>x * inverse);
  if (near * width > x) return near - 1;
  return near + u64(x - near * width >= width);
}

/**
 * Puts samples from .. end - 1 into their buckets. Exported, as other inner loops, so that it is optimised within the first
 * call: in one loop over all samples it took four times as long.
 */
export function countHalves(handle: usize, k: i32, from: i32, end: i32, table: usize): void {
  const loads = Loads.of(handle);
  const bound = loads.bound(k);
  const width = widthOf(bound);
  const inverse = 1 / <f64>width;
  for (let i = from; i < end; i++) {
    if (loads.isOversize(i)) continue;
    const x = loads.value(i, k);
    if (2 * x > bound) {
      const bucket = table + <usize>over(bound - x, width, inverse) * BUCKET;
      store<u64>(bucket + LARGE, load<u64>(bucket + LARGE) + 1);
      addSample(bucket + ROOM, bound - x, bound);
    } else {
      addSample(table + <usize>over(x, width, inverse) * BUCKET + SMALL, x, bound);
    }
  }
}

/** Thresholds are multiples of a width, so that buckets tell exactly what reaches one. */
function widthOf(bound: u64): u64 {
  return (bound + STEPS - 1) / STEPS;
}

/** The half bound on load k of the samples that fit; 0 when out of memory. O(samples). */
export function halfBound(handle: usize, k: i32): u32 {
  const loads = Loads.of(handle);
  const before = mark();
  const bound = loads.bound(k);
  const buckets = <i32>(bound / 2 / widthOf(bound)) + 1;
  const table = allocArray(buckets + 1, <u32>BUCKET);
  if (table == 0) return 0;
  memory.fill(table, 0, <usize>(buckets + 1) * BUCKET);
  const all = table + <usize>buckets * BUCKET;
  for (let from = 0; from < loads.taken; from += BLOCK) {
    countHalves(handle, k, from, min(from + BLOCK, loads.taken), table);
  }
  for (let bucket = table; bucket < all; bucket += BUCKET) {
    store<u64>(all + LARGE, load<u64>(all + LARGE) + load<u64>(bucket + LARGE));
    for (let sum: usize = SMALL; sum < BUCKET; sum += ROOM - SMALL) {
      add(bucket + sum, 0, bound);
      add(all + sum, load<u64>(bucket + sum, 8), bound);
      store<u64>(all + sum, load<u64>(all + sum) + load<u64>(bucket + sum));
    }
  }
  const large = load<u64>(all + LARGE);
  let result = large;
  // With a higher threshold fewer small samples count, and fewer large ones are open to them.
  for (let bucket = table; bucket < all; bucket += BUCKET) {
    const small = load<u64>(all + SMALL);
    const room = load<u64>(all + ROOM);
    const rest = load<u64>(all + SMALL, 8) > load<u64>(all + ROOM, 8);
    if (small > room || (small == room && rest)) result = max(result, large + small - room + u64(rest));
    subtract(all + SMALL, bucket + SMALL, bound);
    subtract(all + ROOM, bucket + ROOM, bound);
  }
  release(before);
  return <u32>result;
}
