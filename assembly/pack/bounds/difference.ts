// The difference bound on two loads. Where load a binds, a sample with much of load b and little of a spoils its group:
// what it leaves of b is not enough to fill a.
//
// For bounds A and B and c > 0 with theta = B - c A >= 0, let y = b - c a of a sample. Then
//   f = c a + max(0, y - theta) - max(0, -y)
// sums to at most c A over any group: without a sample of y > theta the first term alone is at most c A; with t >= 1 of
// them, the sum of all y is at most B less c times the group's a, so that f sums to at most B - t theta <= c A. Hence the
// sum of f over all samples divided by c A, rounded up, is a lower bound. c is a fraction p / q here, and all is done in
// whole numbers.

import { Loads } from "../../loads/loads";

/** Samples that c is looked for on, for all pairs of loads together. */
const LOOKED_AT: i32 = 65536;
/** Slopes tried for a pair, and steps between two of them. */
const SLOPES: i32 = 48;
const BETWEEN: i32 = 32;
/** Bits of p at least, where the slope is the steepest. */
const PRECISION: f64 = 65536;
/** Products of loads stay below this. */
const MOST_PRODUCT: f64 = 2147483648.0 * 1073741824.0;

/** The sum of f over one in `step` samples, in units of p times the bound of a: a real number. */
function sumOf(handle: usize, a: i32, b: i32, p: u64, q: u64, step: i32): f64 {
  const loads = Loads.of(handle);
  const unit = p * loads.bound(a);
  const theta = q * loads.bound(b) - unit;
  let sum: f64 = 0;
  for (let i = 0; i < loads.taken; i += step) {
    if (loads.isOversize(i)) continue;
    const pa = p * loads.value(i, a);
    const qb = q * loads.value(i, b);
    let f = min(pa, qb);
    if (qb > pa + theta) f += qb - pa - theta;
    sum += <f64>f;
  }
  return sum / <f64>unit;
}

/** The sum of f over all samples in whole units, rounded up. */
function groupsOf(handle: usize, a: i32, b: i32, p: u64, q: u64): u64 {
  const loads = Loads.of(handle);
  const unit = p * loads.bound(a);
  const theta = q * loads.bound(b) - unit;
  let units: u64 = 0;
  let rest: u64 = 0;
  for (let i = 0; i < loads.taken; i++) {
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
      for (let s = 1; s <= SLOPES; s++) {
        const p = <u64>((steepest * <f64>s) / <f64>SLOPES);
        const sum = sumOf(handle, a, b, p, <u64>q, step) * scale;
        if (sum <= best) continue;
        best = sum;
        bestA = a;
        bestB = b;
        bestP = p;
        bestQ = <u64>q;
      }
    }
  }
  if (bestP == 0) return 0;
  const steepest = <f64>bestQ * (<f64>loads.bound(bestB) / <f64>loads.bound(bestA));
  const middle = <f64>bestP;
  for (let s = 1 - BETWEEN; s < BETWEEN; s++) {
    const p = middle + (steepest / <f64>SLOPES) * (<f64>s / <f64>BETWEEN);
    if (p < 1 || p > steepest) continue;
    const sum = sumOf(handle, bestA, bestB, <u64>p, bestQ, step) * scale;
    if (sum <= best) continue;
    best = sum;
    bestP = <u64>p;
  }
  return <u32>groupsOf(handle, bestA, bestB, bestP, bestQ);
}
