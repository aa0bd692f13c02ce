// How even a plan is. These figures are for reading: no group and no order depends on them.

import { NONE, order, steps } from "./samplers";
import { attentionSums, paddedTokens, tokenSums, vitSums } from "./units";

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
/** Mean over steps of sum over ranks of (most - own) over ranks * most: tiles, tokens (of a micro batch: its longest unit), token^2. */
export let vitDist: f64 = 0;
export let tokenDist: f64 = 0;
export let attentionDist: f64 = 0;

/**
 * The share of `ranks` x `most` that is wasted. Sums above 2^53 are rounded, and ranks that are alike can then add up to
 * more than their number times the largest.
 */
function ratio(waste: f64, most: f64, ranks: i32): f64 {
  return most > 0 ? max<f64>(waste, 0) / (most * <f64>ranks) : 0;
}

/** Measures the plan that the last sampler made, over its whole steps. O(units). */
export function evaluate(ranks: i32, micro: i32): void {
  let computed: f64 = 0;
  let padded: f64 = 0;
  let outerPadded: f64 = 0;
  let vit: f64 = 0;
  let tokens: f64 = 0;
  let attention: f64 = 0;
  let at = order;
  for (let s = 0; s < steps; s++) {
    let mostVit: f64 = 0;
    let mostTokens: f64 = 0;
    let mostAttention: f64 = 0;
    let sumVit: f64 = 0;
    let sumTokens: f64 = 0;
    let sumAttention: f64 = 0;
    for (let r = 0; r < ranks; r++) {
      let longest: u64 = 0;
      let inner: u64 = 0;
      let outer: u64 = 0;
      let tiles: u64 = 0;
      let squares: f64 = 0;
      for (let k = 0; k < micro; k++, at += 4) {
        if (load<u32>(at) == NONE) continue;
        const unit = (<usize>load<u32>(at)) << 3;
        const own = load<u64>(paddedTokens + unit);
        longest = max(longest, own);
        outer += own;
        inner += load<u64>(tokenSums + unit);
        tiles += load<u64>(vitSums + unit);
        squares += load<f64>(attentionSums + unit);
      }
      const whole = <f64>longest * <f64>micro;
      computed += whole;
      padded += whole - <f64>inner;
      outerPadded += whole - <f64>outer;
      mostVit = max(mostVit, <f64>tiles);
      mostTokens = max(mostTokens, <f64>longest);
      mostAttention = max(mostAttention, squares);
      sumVit += <f64>tiles;
      sumTokens += <f64>longest;
      sumAttention += squares;
    }
    const n = <f64>ranks;
    vit += ratio(mostVit * n - sumVit, mostVit, ranks);
    tokens += ratio(mostTokens * n - sumTokens, mostTokens, ranks);
    attention += ratio(mostAttention * n - sumAttention, mostAttention, ranks);
  }
  const count = <f64>max(steps, 1);
  pad = computed > 0 ? max<f64>(padded, 0) / computed : 0;
  outerPad = computed > 0 ? max<f64>(outerPadded, 0) / computed : 0;
  vitDist = vit / count;
  tokenDist = tokens / count;
  attentionDist = attention / count;
}

/** What the heaviest rank of each step takes, over all steps; in the units of the costs. */
export let time: f64 = 0;

/**
 * Adds up what the plan costs where a unit takes vitCost per tile, tokenCost per token and attentionCost per token^2:
 * out[r] = the work of rank r, f64[ranks]; `time` is what all wait for. O(units).
 */
export function evaluateCost(
  ranks: i32,
  micro: i32,
  vitCost: f64,
  tokenCost: f64,
  attentionCost: f64,
  out: usize,
): void {
  memory.fill(out, 0, (<usize>ranks) << 3);
  time = 0;
  let at = order;
  for (let s = 0; s < steps; s++) {
    let most: f64 = 0;
    for (let r = 0; r < ranks; r++) {
      let own: f64 = 0;
      for (let k = 0; k < micro; k++, at += 4) {
        if (load<u32>(at) == NONE) continue;
        const unit = (<usize>load<u32>(at)) << 3;
        own +=
          vitCost * <f64>load<u64>(vitSums + unit) +
          tokenCost * <f64>load<u64>(paddedTokens + unit) +
          attentionCost * load<f64>(attentionSums + unit);
      }
      const sum = out + ((<usize>r) << 3);
      store<f64>(sum, load<f64>(sum) + own);
      most = max(most, own);
    }
    time += most;
  }
}
