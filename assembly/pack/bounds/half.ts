// The half bound (Martello and Toth's L2) on one load: samples above half of the bound are alone in their group in that
// respect, and small ones only fit beside those that leave enough room.

import { allocArray, mark, release } from "../../base/memory";
import { Loads } from "../../loads/loads";

/** Thresholds at most. */
const STEPS: u64 = 2048;

// A bucket: sum of small samples, in wholes of the bound and a rest; large samples, and the sum of what they leave.
const SMALL: usize = 0;
const LARGE: usize = 16;
const ROOM: usize = 24;
const BUCKET: usize = 40;

/** Adds x, less than twice the bound, to a sum of wholes (u64) and a rest (u64). */
function add(sum: usize, x: u64, bound: u64): void {
  let rest = load<u64>(sum, 8) + x;
  if (rest >= bound) {
    const wholes = rest / bound;
    rest -= wholes * bound;
    store<u64>(sum, load<u64>(sum) + wholes);
  }
  store<u64>(sum, rest, 8);
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

/** The half bound on load k of the samples that fit; 0 when out of memory. O(samples). */
export function halfBound(handle: usize, k: i32): u32 {
  const loads = Loads.of(handle);
  const before = mark();
  const bound = loads.bound(k);
  // Thresholds are multiples of a width, so that buckets tell exactly what reaches one.
  const width = (bound + STEPS - 1) / STEPS;
  const buckets = <i32>(bound / 2 / width) + 1;
  const table = allocArray(buckets + 1, <u32>BUCKET);
  if (table == 0) return 0;
  memory.fill(table, 0, <usize>(buckets + 1) * BUCKET);
  const all = table + <usize>buckets * BUCKET;
  for (let i = 0; i < loads.taken; i++) {
    if (loads.isOversize(i)) continue;
    const x = loads.value(i, k);
    if (2 * x > bound) {
      const bucket = table + <usize>((bound - x) / width) * BUCKET;
      store<u64>(bucket + LARGE, load<u64>(bucket + LARGE) + 1);
      add(bucket + ROOM, bound - x, bound);
    } else {
      add(table + <usize>(x / width) * BUCKET + SMALL, x, bound);
    }
  }
  for (let bucket = table; bucket < all; bucket += BUCKET) {
    store<u64>(all + LARGE, load<u64>(all + LARGE) + load<u64>(bucket + LARGE));
    for (let sum: usize = SMALL; sum < BUCKET; sum += ROOM - SMALL) {
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
