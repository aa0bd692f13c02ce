// Lower bounds on the number of groups of samples of K loads, oversize ones left out: no packing has fewer than any.
//
// linear: the sum of a load over its bound. pattern: what the multisets of a coarse load's values that fit a group allow.
// half: samples above half of a bound. difference: two loads of which one spoils what is left for the other.

import { allocArray, mark, release } from "../../base/memory";
import { OK, OUT_OF_MEMORY } from "../../base/status";
import { Loads } from "../../loads/loads";
import { countValue, cutRuns, HISTOGRAM_BYTES, startHistogram, usedBuckets } from "../../loads/value-ranges";
import { differenceBound } from "./difference";
import { halfBound } from "./half";
import { patternBound } from "./pattern";

export const LINEAR: i32 = 0;
export const PATTERN: i32 = 1;
export const HALF: i32 = 2;
export const DIFFERENCE: i32 = 3;

/** Values that the pattern bound tells apart. */
const RUNS: i32 = 48;
/** Samples per call of the inner loop. */
const BLOCK: i32 = 4096;
/** What it may cost, in steps of a knapsack, for each load. */
const WORK: i32 = 30_000_000;

/** u32[4]: what the last `findBounds` found; 0 where a bound says nothing. */
const found: usize = memory.data(16, 16);

/** A bound of the last `findBounds`. */
export function boundFound(kind: i32): u32 {
  return load<u32>(found + ((<usize>kind) << 2));
}

/** The best of them: its kind, the simplest of equal ones. */
export function bestKind(): i32 {
  let best = LINEAR;
  for (let kind = PATTERN; kind <= DIFFERENCE; kind++) if (boundFound(kind) > boundFound(best)) best = kind;
  return best;
}

function raise(kind: i32, value: u32): void {
  const at = found + ((<usize>kind) << 2);
  store<u32>(at, max(load<u32>(at), value));
}

/**
 * Counts the values of load k of samples from .. end - 1; returns how many fit. Exported, as other inner loops, so that it is
 * optimised within the first call.
 */
export function countValues(handle: usize, k: i32, from: i32, end: i32, histogram: usize): i32 {
  const loads = Loads.of(handle);
  let fitting = 0;
  for (let i = from; i < end; i++) {
    if (loads.isOversize(i)) continue;
    countValue(histogram, <i32>loads.value(i, k));
    fitting++;
  }
  return fitting;
}

/** The pattern bound on load k, where it has few values, or in any case when `anyway`. False when out of memory. */
function addPattern(loads: Loads, k: i32, anyway: bool): bool {
  const bound = loads.bound(k);
  if (bound > <u64>i32.MAX_VALUE) return true;
  const before = mark();
  const lows = allocArray(RUNS * 3, 4);
  const histogram = allocArray(HISTOGRAM_BYTES, 1);
  if (lows == 0 || histogram == 0) {
    release(before);
    return false;
  }
  startHistogram(histogram, <i32>bound);
  let fitting = 0;
  for (let from = 0; from < loads.taken; from += BLOCK) {
    fitting += countValues(changetype<usize>(loads), k, from, min(from + BLOCK, loads.taken), histogram);
    // Of a load of many values it is seen early that it has them.
    if (from == 0 && !anyway && usedBuckets(histogram) > RUNS) {
      release(before);
      return true;
    }
  }
  const highs = lows + RUNS * 4;
  const counts = lows + RUNS * 8;
  const runs = cutRuns(histogram, fitting / (RUNS - 1), lows, highs, counts);
  let coarse = true;
  for (let r: usize = 0; r < <usize>runs; r++) {
    coarse = coarse && load<i32>(lows + (r << 2)) == load<i32>(highs + (r << 2));
  }
  if (coarse || anyway) raise(PATTERN, patternBound(lows, counts, runs, <i32>bound, WORK));
  release(before);
  return true;
}

/** Finds all bounds. Returns a status. O(samples) and some ten milliseconds; about 900 KB of the arena meanwhile. */
export function findBounds(handle: usize): i32 {
  const loads = Loads.of(handle);
  memory.fill(found, 0, 16);
  const linear = loads.linearBound();
  raise(LINEAR, linear);
  let first = true;
  for (let k = 0; k < loads.columns; k++) {
    if (loads.bound(k) == 0) continue;
    raise(HALF, halfBound(handle, k));
    // No pattern wastes more than half of a bound.
    if (2 * loads.linear(k) >= <u64>linear && !addPattern(loads, k, first)) return OUT_OF_MEMORY;
    first = false;
  }
  raise(DIFFERENCE, differenceBound(handle));
  return OK;
}
