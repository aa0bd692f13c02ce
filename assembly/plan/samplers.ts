// Samplers: the order in which units are handed to data-parallel ranks. A plan is one epoch as u32 unit indices,
// [steps][ranks][micro]: a pure function of the units, the arguments and the seed. All randomness is
// torch.randperm's, bit for bit.
//
// The tail: units that do not fill a step are either dropped for this epoch (tail 0), or the last step is filled by
// repeating units from the front of the epoch's permutation (tail 1). As the permutation changes with the seed, so do
// the units dropped or repeated.

import { alloc, allocArray, mark, release } from "../base/memory";
import { iota, seed as seedWords, torchShuffle } from "../base/mt19937";
import { sortByKey } from "../base/sort";
import { BAD_ARGUMENT, BAD_UNIT, failAt, OK, OUT_OF_MEMORY } from "../base/status";
import { parts, partUnits, tokenSums, units } from "./units";

/** torch.randperm draws otherwise from here on. */
const MAX_UNITS: i32 = 214748363;
/** The seed of the order of steps is that of the order of units plus this, as in the published code. */
const STEP_SEED: u32 = 10;

export let steps: i32 = 0;
/** u32[length]. */
export let order: usize = 0;
/** steps * ranks * micro; less where the published code gives ranks different numbers of batches. */
export let length: i32 = 0;
/** Stands in a place of a short step that no unit is left for. */
export const NONE: u32 = 0xffffffff;
/** Steps at the end of the plan in which places hold NONE. */
export let shortSteps: i32 = 0;

export function setShortSteps(count: i32): void {
  shortSteps = count;
}

/** Units in no step. */
export let dropped: i32 = 0;
/** Places that hold a unit for a second time. */
export let repeated: i32 = 0;

export function word(a: usize, i: i32): u32 {
  return load<u32>(a + ((<usize>i) << 2));
}

export function setWord(a: usize, i: i32, x: u32): void {
  store<u32>(a + ((<usize>i) << 2), x);
}

export function tokensOf(unit: u32): u64 {
  return load<u64>(tokenSums + ((<usize>unit) << 3));
}

/** Places that n units take in whole steps. */
function places(n: i32, stepSize: i32, tail: i32): i64 {
  const whole: i64 = (<i64>n + (tail != 0 ? stepSize - 1 : 0)) / stepSize;
  return whole * stepSize;
}

/** torch.randperm(n) + first, cut or repeated from its front to `count` places. `a` has room for both. */
export function permute(a: usize, n: i32, count: i32, seed: u32, first: u32): void {
  seedWords(seed);
  iota(a, n);
  torchShuffle(a, n);
  for (let i = 0; i < min(n, count); i++) setWord(a, i, word(a, i) + first);
  for (let i = n; i < count; i++) setWord(a, i, word(a, i - n));
}

/** Checks the arguments and makes room for the plan; `extra` more u32 are what `permute` may need beyond. */
export function open(ranks: i32, micro: i32, total: i64, extra: i64): i32 {
  if (total > i32.MAX_VALUE || total + extra > i32.MAX_VALUE) return OUT_OF_MEMORY;
  order = allocArray(<usize>(total + extra), 4);
  if (order == 0) return OUT_OF_MEMORY;
  length = <i32>total;
  steps = length / (ranks * micro);
  shortSteps = 0;
  return OK;
}

export function valid(ranks: i32, micro: i32): bool {
  return ranks > 0 && micro > 0 && <i64>ranks * micro <= i32.MAX_VALUE && units <= MAX_UNITS;
}

export function fail(top: usize, status: i32): i32 {
  release(top);
  return status;
}

/** Counts what the plan drops and repeats. Frees what was allocated after `top` if there is no room for that. */
export function finish(top: usize): i32 {
  const own = mark();
  const seen = alloc(units);
  if (seen == 0) return fail(top, OUT_OF_MEMORY);
  memory.fill(seen, 0, units);
  let distinct = 0;
  let empty = 0;
  for (let i = 0; i < length; i++) {
    const unit = word(order, i);
    if (unit == NONE) {
      empty++;
      continue;
    }
    const at = seen + unit;
    distinct += i32(load<u8>(at) == 0);
    store<u8>(at, 1);
  }
  dropped = units - distinct;
  repeated = length - empty - distinct;
  release(own);
  return OK;
}

/** Takes an order of units that the host gives, u32[count] as a plan has it: NONE for an empty place. O(count). */
export function take(at: usize, count: i32, ranks: i32, micro: i32): i32 {
  if (!valid(ranks, micro) || count < 0 || count % (ranks * micro) != 0) return BAD_ARGUMENT;
  for (let i = 0; i < count; i++) {
    const unit = word(at, i);
    if (unit >= <u32>units && unit != NONE) return failAt(BAD_UNIT, i);
  }
  order = at;
  length = count;
  steps = count / (ranks * micro);
  shortSteps = 0;
  return finish(mark());
}

/** All units in random order, cut into steps. O(units). */
export function random(ranks: i32, micro: i32, seed: u32, tail: i32): i32 {
  if (!valid(ranks, micro)) return BAD_ARGUMENT;
  const top = mark();
  const total = places(units, ranks * micro, tail);
  const status = open(ranks, micro, total, max<i64>(units - total, 0));
  if (status != OK) return status;
  permute(order, units, length, seed, 0);
  return finish(top);
}

/**
 * Deals the `ranks * micro` units at `from`, which are in descending order of work (f64[units]), to `to` as [ranks][micro]:
 * each to the rank with the smallest sum so far that is not full, the first of these counted from rank `turn`. Scratch:
 * f64[ranks], u32[ranks].
 */
export function deal(
  from: usize,
  to: usize,
  ranks: i32,
  micro: i32,
  turn: i32,
  work: usize,
  sums: usize,
  counts: usize,
): void {
  memory.fill(sums, 0, (<usize>ranks) << 3);
  memory.fill(counts, 0, (<usize>ranks) << 2);
  for (let i = 0; i < ranks * micro; i++) {
    const unit = word(from, i);
    let best = 0;
    if (micro == 1) {
      best = <i32>((<u32>turn + <u32>i) % <u32>ranks);
    } else {
      let least: f64 = Infinity;
      for (let k = 0, r = turn; k < ranks; k++) {
        const sum = load<f64>(sums + ((<usize>r) << 3));
        if (sum < least) {
          least = sum;
          best = r;
        }
        if (++r == ranks) r = 0;
      }
    }
    const filled = word(counts, best);
    setWord(to, best * micro + <i32>filled, unit);
    setWord(counts, best, filled + 1);
    const sumAt = sums + ((<usize>best) << 3);
    store<f64>(sumAt, filled + 1 == <u32>micro ? Infinity : load<f64>(sumAt) + load<f64>(work + ((<usize>unit) << 3)));
  }
}

/** work[unit] = its tokens, f64[units]. */
export function tokenWork(work: usize): void {
  for (let u = 0; u < units; u++) store<f64>(work + ((<usize>u) << 3), <f64>tokensOf(u));
}

/** keys[unit] = ~bits of its work, u64[units]: an ascending sort by it is a descending one by work, which is 0 or more. */
export function descendingKeys(keys: usize, work: usize): void {
  for (let u: usize = 0; u < (<usize>units) << 3; u += 8) store<u64>(keys + u, ~load<u64>(work + u));
}

function binKeys(keys: usize, bin: i32): void {
  for (let u = 0; u < units; u++) store<u64>(keys + ((<usize>u) << 3), tokensOf(u) / bin);
}

/**
 * Steps of like lengths: a random order is cut into windows of `window` steps, each sorted by tokens and cut into
 * steps; inside a step, the greedy deal evens out the ranks' sums; then the steps are shuffled, so that no length comes
 * first. O(units log units + units * ranks).
 */
export function lengthGroup(ranks: i32, micro: i32, seed: u32, tail: i32, window: i32): i32 {
  if (!valid(ranks, micro) || window < 1) return BAD_ARGUMENT;
  const top = mark();
  const stepSize = ranks * micro;
  const total = places(units, stepSize, tail);
  const status = open(ranks, micro, total, max<i64>(units - total, 0));
  if (status != OK) return status;
  const scratchTop = mark();
  const drawn = allocArray(<usize>max(length, units), 4);
  const turns = allocArray(<usize>steps, 4);
  const scratch = allocArray(<usize>length, 4);
  const keys = allocArray(units, 8);
  const work = allocArray(units, 8);
  const sums = allocArray(ranks, 8);
  const counts = allocArray(ranks, 4);
  if (drawn == 0 || turns == 0 || scratch == 0 || keys == 0 || work == 0 || sums == 0 || counts == 0)
    return fail(top, OUT_OF_MEMORY);
  permute(drawn, units, length, seed, 0);
  tokenWork(work);
  descendingKeys(keys, work);
  const span = min<i64>(<i64>window * stepSize, i32.MAX_VALUE);
  for (let at: i64 = 0; at < length; at += span) {
    sortByKey(drawn + ((<usize>at) << 2), <i32>min<i64>(span, <i64>length - at), keys, scratch);
  }
  permute(turns, steps, steps, seed + STEP_SEED, 0);
  for (let s = 0; s < steps; s++) {
    const from = drawn + ((<usize>(<i32>word(turns, s) * stepSize)) << 2);
    deal(from, order + ((<usize>(s * stepSize)) << 2), ranks, micro, s % ranks, work, sums, counts);
  }
  release(scratchTop);
  return finish(top);
}

/** One step from [micro][ranks] to [ranks][micro]. */
export function transpose(from: usize, to: usize, ranks: i32, micro: i32): void {
  for (let k = 0; k < micro; k++) {
    for (let r = 0; r < ranks; r++) setWord(to, r * micro + k, word(from, k * ranks + r));
  }
}

/**
 * Steps of one part each and of like lengths: per part a random order, put into bins of `bin` tokens, cut into steps;
 * the steps of all parts are shuffled. The tail rule holds per part. O(units log units).
 */
export function groupRandom(ranks: i32, micro: i32, seed: u32, tail: i32, bin: i32): i32 {
  if (!valid(ranks, micro) || bin < 1) return BAD_ARGUMENT;
  const top = mark();
  const stepSize = ranks * micro;
  let total: i64 = 0;
  for (let p = 0; p < parts; p++) total += places(<i32>word(partUnits, p), stepSize, tail);
  const status = open(ranks, micro, total, 0);
  if (status != OK) return status;
  const scratchTop = mark();
  // A part's whole permutation is drawn before its tail is cut off: the longest cut comes after the last part.
  const drawn = allocArray(<usize>length + <usize>units, 4);
  const turns = allocArray(<usize>steps, 4);
  const scratch = allocArray(<usize>length, 4);
  const keys = allocArray(units, 8);
  if (drawn == 0 || turns == 0 || scratch == 0 || keys == 0) return fail(top, OUT_OF_MEMORY);
  binKeys(keys, bin);
  let first: u32 = 0;
  let at = drawn;
  for (let p = 0; p < parts; p++) {
    const n = <i32>word(partUnits, p);
    const own = <i32>places(n, stepSize, tail);
    permute(at, n, own, seed, first);
    sortByKey(at, own, keys, scratch);
    at += (<usize>own) << 2;
    first += n;
  }
  permute(turns, steps, steps, seed + STEP_SEED, 0);
  for (let s = 0; s < steps; s++) {
    const from = drawn + ((<usize>(<i32>word(turns, s) * stepSize)) << 2);
    transpose(from, order + ((<usize>(s * stepSize)) << 2), ranks, micro);
  }
  release(scratchTop);
  return finish(top);
}
