// How even a plan is. These figures are for reading: no group and no order depends on them.

import { NONE, order, steps } from "./samplers";
import { loadCount, loadOf, paddedLoad, tokenSums } from "./units";

/**
 * out[g] = sum of tokens^2 over the samples of group g, f64[groups]: what attention costs. Summed in u64, which a group
 * within its bound cannot pass (2^62 at most); the f64 is exact below 2^53, and rounded to the nearest beyond.
 */
export function groupAttention(tokens: usize, order: usize, offsets: usize, groups: i32, out: usize): void {
  let at = order + ((<usize>load<u32>(offsets)) << 2);
  for (let g: usize = 0; g < <usize>groups; g++) {
    const end = order + ((<usize>load<u32>(offsets + (g << 2), 4)) << 2);
    let sum: u64 = 0;
    for (; at < end; at += 4) {
      const t: u64 = load<u32>(tokens + ((<usize>load<u32>(at)) << 2));
      sum += t * t;
    }
    store<f64>(out + (g << 3), <f64>sum);
  }
}

/** Padding over all tokens computed on, every unit of a micro batch padded to the longest of them. */
export let pad: f64 = 0;
/** The same without the padding inside sequence-parallel units, as the published code has it. */
export let outerPad: f64 = 0;
const dists: usize = memory.data(8 * 8, 16);

/**
 * Of load k, the mean over steps of the sum over ranks of (most - own) over ranks * most. A rank's tokens are those of the
 * longest unit of its micro batch, its other loads are sums.
 */
export function distOf(k: i32): f64 {
  return load<f64>(dists + ((<usize>k) << 3));
}

/** Measures one load over the whole steps of the plan; `padded`: a rank's is that of its longest unit. */
function measureDist(values: usize, ranks: i32, micro: i32, padded: bool): f64 {
  const n = <f64>ranks;
  let dist: f64 = 0;
  let at = order;
  for (let s = 0; s < steps; s++) {
    let most: f64 = 0;
    let sum: f64 = 0;
    for (let r = 0; r < ranks; r++) {
      let own: f64 = 0;
      for (let i = 0; i < micro; i++, at += 4) {
        const unit = load<u32>(at);
        if (unit == NONE) continue;
        const x = load<f64>(values + ((<usize>unit) << 3));
        own = padded ? max(own, x) : own + x;
      }
      most = max(most, own);
      sum += own;
    }
    // Sums above 2^53 are rounded, and ranks that are alike can then add up to more than their number times the largest.
    dist += most > 0 ? max<f64>(most * n - sum, 0) / (most * n) : 0;
  }
  return dist / <f64>max(steps, 1);
}

/** Measures how much of what is computed on is padding. */
function measurePad(values: usize, ranks: i32, micro: i32): void {
  let computed: f64 = 0;
  let padded: f64 = 0;
  let outerPadded: f64 = 0;
  let at = order;
  for (let left = <i64>steps * <i64>ranks; left > 0; left--) {
    let longest: f64 = 0;
    let inner: u64 = 0;
    let outer: f64 = 0;
    for (let i = 0; i < micro; i++, at += 4) {
      if (load<u32>(at) == NONE) continue;
      const unit = (<usize>load<u32>(at)) << 3;
      const own = load<f64>(values + unit);
      longest = max(longest, own);
      outer += own;
      inner += load<u64>(tokenSums + unit);
    }
    const whole = longest * <f64>micro;
    computed += whole;
    padded += whole - <f64>inner;
    outerPadded += whole - outer;
  }
  pad = computed > 0 ? max<f64>(padded, 0) / computed : 0;
  outerPad = computed > 0 ? max<f64>(outerPadded, 0) / computed : 0;
}

/** Measures the plan that the last sampler made, over its whole steps. O(loads units). */
export function evaluate(ranks: i32, micro: i32): void {
  for (let k = 0; k < loadCount; k++) {
    store<f64>(dists + ((<usize>k) << 3), measureDist(loadOf(k), ranks, micro, k == paddedLoad));
  }
  pad = 0;
  outerPad = 0;
  if (paddedLoad >= 0) measurePad(loadOf(paddedLoad), ranks, micro);
}

/** What the heaviest rank of each step takes, over all steps; in the units of the costs. */
export let time: f64 = 0;

/** What one unit costs at f64[loads] per load. */
function costOf(unit: u32, costs: usize): f64 {
  let cost: f64 = 0;
  for (let k = 0; k < loadCount; k++) {
    cost += load<f64>(costs + ((<usize>k) << 3)) * load<f64>(loadOf(k) + ((<usize>unit) << 3));
  }
  return cost;
}

/**
 * Adds up what the plan costs where one of load k takes costs[k] (f64[loads]): out[r] = the work of rank r, f64[ranks];
 * `time` is what all wait for. O(loads units).
 */
export function evaluateCost(ranks: i32, micro: i32, costs: usize, out: usize): void {
  memory.fill(out, 0, (<usize>ranks) << 3);
  time = 0;
  let at = order;
  for (let s = 0; s < steps; s++) {
    let most: f64 = 0;
    for (let r = 0; r < ranks; r++) {
      let own: f64 = 0;
      for (let i = 0; i < micro; i++, at += 4) {
        if (load<u32>(at) != NONE) own += costOf(load<u32>(at), costs);
      }
      const sum = out + ((<usize>r) << 3);
      store<f64>(sum, load<f64>(sum) + own);
      most = max(most, own);
    }
    time += most;
  }
}
