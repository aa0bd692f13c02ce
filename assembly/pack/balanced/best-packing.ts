// Packings of the problem at hand: the one being made, and the best so far. A packing is an order (i32 positions, group
// after group) and offsets (i32, groups + 1).

import { count, maxTokens, tokensAt } from "./problem";

export let latestOrder: usize = 0;
export let latestOffsets: usize = 0;
export let bestOrder: usize = 0;
export let bestOffsets: usize = 0;
/** Groups of the best one; 0 when there is none. */
export let bestGroups: i32 = 0;
/** Its mix, -1 where it is not known. */
let bestMix: i32 = -1;

/** Bytes that two packings of n samples take. */
export function packingRoom(n: i32): usize {
  return (<usize>n + 4) << 4;
}

/** Puts the two packings of n samples at `at`. */
export function layPackings(at: usize, n: i32): void {
  const bytes = (<usize>n + 4) << 2;
  usePackings(at, at + bytes, at + 2 * bytes, at + 3 * bytes, 0);
}

export function usePackings(order: usize, offsets: usize, keptOrder: usize, keptOffsets: usize, groups: i32): void {
  latestOrder = order;
  latestOffsets = offsets;
  bestOrder = keptOrder;
  bestOffsets = keptOffsets;
  setBest(groups);
}

/** Sets the number of groups of the best packing. */
export function setBest(groups: i32): void {
  bestGroups = groups;
  bestMix = -1;
}

/** The latest packing becomes the best, which gives its room to the next. */
export function swapPackings(): void {
  const order = latestOrder;
  const offsets = latestOffsets;
  latestOrder = bestOrder;
  latestOffsets = bestOffsets;
  bestOrder = order;
  bestOffsets = offsets;
}

/** Keeps the latest packing if it has fewer groups than the best, or as many and better mixed ones. Returns whether. */
export function keepIfBetter(groups: i32): bool {
  let mix = -1;
  if (groups == bestGroups) {
    if (bestMix < 0) bestMix = mixOf(bestOrder, bestOffsets, bestGroups);
    mix = mixOf(latestOrder, latestOffsets, groups);
    if (mix <= bestMix) return false;
  } else if (bestGroups > 0 && groups > bestGroups) {
    return false;
  }
  swapPackings();
  bestGroups = groups;
  bestMix = mix;
  return true;
}

/** Tokens as a share of their bound, which is 4096. */
function tokenShare(p: i32): u64 {
  return ((<u64>tokensAt(p)) << 12) / <u64>maxTokens;
}

/**
 * How like random draws the groups are: the variance of tokens within groups against that of all samples, or the inverse
 * if it is larger; a million is the same.
 */
function mixOf(order: usize, offsets: usize, groups: i32): i32 {
  let sum: u64 = 0;
  let squares: u64 = 0;
  for (let p = 0; p < count; p++) {
    const x = tokenShare(p);
    sum += x;
    squares += x * x;
  }
  const n = <f64>count;
  const whole = (<f64>squares - (<f64>sum / n) * <f64>sum) / n;
  let within: f64 = 0;
  let degrees: i64 = 0;
  let i = load<i32>(offsets);
  for (let g = 0; g < groups; g++) {
    const stop = load<i32>(offsets + ((<usize>(g + 1)) << 2));
    const size = stop - i;
    let groupSum: u64 = 0;
    let groupSquares: u64 = 0;
    for (; i < stop; i++) {
      const x = tokenShare(load<i32>(order + ((<usize>i) << 2)));
      groupSum += x;
      groupSquares += x * x;
    }
    within += <f64>groupSquares - (<f64>groupSum * <f64>groupSum) / <f64>size;
    degrees += size - 1;
  }
  if (degrees == 0 || whole <= 0 || within <= 0) return 0;
  const ratio = within / <f64>degrees / whole;
  return <i32>(1000000 * (ratio > 1 ? 1 / ratio : ratio));
}
