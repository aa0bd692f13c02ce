// How random the groups are composed: samples of a group should not come from one length class.

import { mixOfSums } from "../loads/sums";

/**
 * The variance of tokens inside groups over what a random draw would have: sum over groups of (a - t^2 / k), over the sum
 * over groups of (k - 1), against the variance of tokens over all samples in groups, (A - T^2 / n) / (n - 1); a, t and k
 * are a group's sum of tokens^2, tokens and samples, and A, T, n those of all. If samples were dealt at random to groups
 * of these sizes, 1 would be expected; below it groups hold samples that are alike, above it samples that are unlike. -1
 * where that means nothing (no group of two samples, or all alike) or attention is not known (0). O(groups).
 */
export function mixOf(offsets: usize, tokens: usize, attention: usize, groups: i32): f64 {
  if (attention == 0) return -1;
  let within: f64 = 0;
  let sum: f64 = 0;
  let squares: f64 = 0;
  for (let g: usize = 0; g < <usize>groups; g++) {
    const size = load<u32>(offsets + (g << 2), 4) - load<u32>(offsets + (g << 2));
    const t = <f64>load<i32>(tokens + (g << 2));
    const a = load<f64>(attention + (g << 3));
    if (size > 1) within += a - (t * t) / <f64>size;
    sum += t;
    squares += a;
  }
  return mixOfSums(within, sum, squares, offsets, groups);
}
