// The difference bound on two loads. Where load a binds, a sample with much of load b and little of a spoils its group:
// what it leaves of b is not enough to fill a.
//
// For bounds A and B and c > 0 with theta = B - c A >= 0, let y = b - c a of a sample. Then
//   f = c a + max(0, y - theta) - max(0, -y)
// sums to at most c A over any group: without a sample of y > theta the first term alone is at most c A; with t >= 1 of
// them, the sum of all y is at most B less c times the group's a, so that f sums to at most B - t theta <= c A. Hence the
// sum of f over all samples divided by c A, rounded up, is a lower bound. c is a fraction p / q here, and all is done in
// whole numbers.

import { allocArray, mark, release } from "../../base/memory";
import { Loads } from "../../loads/loads";

/** Samples that c is looked for on, for all pairs of loads together. */
const LOOKED_AT: i32 = 65536;
/** Samples per call of the inner loop. */
const BLOCK: i32 = 4096;
/** Slopes tried for a pair, and steps between two of them. */
const SLOPES: i32 = 48;
const BETWEEN: i32 = 32;
/** Bits of p at least, where the slope is the steepest. */
const PRECISION: f64 = 65536;
/** Products of loads stay below this. */
const MOST_PRODUCT: f64 = 2147483648.0 * 1073741824.0;

/** The loads a and b of one in `step` samples that fit, f64[] each, one after the other. Returns how many. */
function lookAt(handle: usize, a: i32, b: i32, step: i32, at: usize): i32 {
  const loads = Loads.of(handle);
  let count: usize = 0;
  for (let i = 0; i < loads.taken; i += step) {
    if (loads.isOversize(i)) continue;
    store<f64>(at + (count << 3), <f64>loads.value(i, a));
    store<f64>(at + (LOOKED_AT << 3) + (count << 3), <f64>loads.value(i, b));
    count++;
  }
  return <i32>count;
}

/**
 * The sum of f over `count` samples that are looked at, in units of p times the bound of a: a real number. Exported, as other
 * inner loops.
 */
export function sumOf(at: usize, count: i32, boundA: f64, boundB: f64, p: f64, q: f64): f64 {
  const unit = p * boundA;
  const theta = f64x2.splat(q * boundB - unit);
  const zero = f64x2.splat(0);
  const ps = f64x2.splat(p);
  const qs = f64x2.splat(q);
  let sums = zero;
  const end = at + ((<usize>count & ~1) << 3);
  for (; at < end; at += 16) {
    const pa = f64x2.mul(ps, v128.load(at));
    const qb = f64x2.mul(qs, v128.load(at, LOOKED_AT << 3));
    const beyond = f64x2.pmax(zero, f64x2.sub(f64x2.sub(qb, pa), theta));
    sums = f64x2.add(sums, f64x2.add(f64x2.pmin(pa, qb), beyond));
  }
  return (f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)) / unit;
}

/** Whole units of what `addUnits` has added up, and the rest. */
let units: u64 = 0;
let rest: u64 = 0;

/** Adds f of samples from .. end - 1. Exported, as other inner loops, so that it is optimised within the first call. */
export function addUnits(handle: usize, a: i32, b: i32, p: u64, q: u64, from: i32, end: i32): void {
  const loads = Loads.of(handle);
  const unit = p * loads.bound(a);
  const theta = q * loads.bound(b) - unit;
  for (let i = from; i < end; i++) {
    if (loads.isOversize(i)) continue;
    const pa = p * loads.value(i, a);
    const qb = q * loads.value(i, b);
    let f = min(pa, qb);
    if (qb > pa + theta) f += qb - pa - theta;
    rest += f;
    // f itself is at most a unit.
    if (rest >= unit) {
      rest -= unit;
      units++;
    }
  }
}

/** The sum of f over all samples in whole units, rounded up. */
function groupsOf(handle: usize, a: i32, b: i32, p: u64, q: u64): u64 {
  const taken = Loads.of(handle).taken;
  units = 0;
  rest = 0;
  for (let from = 0; from < taken; from += BLOCK) addUnits(handle, a, b, p, q, from, min(from + BLOCK, taken));
  return units + u64(rest > 0);
}

/** The best of the difference bounds that are tried, over all pairs of bounded loads; 0 where there is none. */
export function differenceBound(handle: usize): u32 {
  const loads = Loads.of(handle);
  let most: f64 = 0;
  for (let k = 0; k < loads.columns; k++) if (loads.bound(k) > 0) most = max(most, <f64>loads.linear(k));
  const pairs = loads.bounded * (loads.bounded - 1);
  if (pairs == 0 || most == 0) return 0;
  const step = <i32>((<i64>loads.taken * pairs) / LOOKED_AT) + 1;
  const before = mark();
  const at = allocArray(LOOKED_AT * 2, 8);
  if (at == 0) return 0;
  const scale = <f64>step;
  let best: f64 = 0;
  let bestA = 0;
  let bestB = 0;
  let bestP: u64 = 0;
  let bestQ: u64 = 0;
  for (let a = 0; a < loads.columns; a++) {
    // A load that is far from binding gains nothing that another would not have without it.
    if (loads.bound(a) == 0 || <f64>loads.linear(a) < 0.5 * most) continue;
    for (let b = 0; b < loads.columns; b++) {
      if (b == a || loads.bound(b) == 0) continue;
      const boundA = <f64>loads.bound(a);
      const boundB = <f64>loads.bound(b);
      let q: f64 = 1;
      while ((q * boundB) / boundA < PRECISION && q * boundB < MOST_PRODUCT / 4) q *= 2;
      const steepest = (q * boundB) / boundA;
      if (steepest < <f64>SLOPES * <f64>BETWEEN || q * boundB > MOST_PRODUCT) continue;
      const count = lookAt(handle, a, b, step, at);
      for (let s = 1; s <= SLOPES; s++) {
        const p = <u64>((steepest * <f64>s) / <f64>SLOPES);
        const sum = sumOf(at, count, boundA, boundB, <f64>p, q) * scale;
        if (sum <= best) continue;
        best = sum;
        bestA = a;
        bestB = b;
        bestP = p;
        bestQ = <u64>q;
      }
    }
  }
  if (bestP == 0) {
    release(before);
    return 0;
  }
  const boundA = <f64>loads.bound(bestA);
  const boundB = <f64>loads.bound(bestB);
  const steepest = <f64>bestQ * (boundB / boundA);
  const count = lookAt(handle, bestA, bestB, step, at);
  const middle = <f64>bestP;
  for (let s = 1 - BETWEEN; s < BETWEEN; s++) {
    const p = middle + (steepest / <f64>SLOPES) * (<f64>s / <f64>BETWEEN);
    if (p < 1 || p > steepest) continue;
    const sum = sumOf(at, count, boundA, boundB, Math.floor(p), <f64>bestQ) * scale;
    if (sum <= best) continue;
    best = sum;
    bestP = <u64>p;
  }
  release(before);
  return <u32>groupsOf(handle, bestA, bestB, bestP, bestQ);
}
