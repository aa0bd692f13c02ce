// What a search knows of the samples: their sums and extremes, and which bounds leave out how many.

import { allocArray } from "../base/memory";
import { select } from "../base/select";

function at(values: usize, i: i32): i32 {
  return load<i32>(values + ((<usize>i) << 2));
}

/** The samples that a search is over. */
@unmanaged
export class Samples {
  /** i32[count] each. */
  vit: usize;
  tokens: usize;
  count: i32;
  mostVit: i32;
  mostTokens: i32;
  /** The sample that needs the largest bounds, beside the limits or, within them, beside the mean. */
  largest: i32;
  /** As many samples stand before it in the input that are no samples here: invalid ones. */
  skipped: i32;
  /** Samples beyond the limits: every candidate leaves them out. */
  beyondLimits: i32;
  sumVit: u64;
  sumTokens: u64;
  /** Tokens with those of each sample rounded up to a multiple of 256. */
  sumRounded: u64;

  // Which bounds leave out no more than `mayLeaveOut` samples.
  mayLeaveOut: i32;
  /** The smallest bounds of which that may be so; samples within them, and their sums. */
  leastVit: i32;
  leastTokens: i32;
  within: i32;
  withinVit: u64;
  withinTokens: u64;
  /** u32[largeCount]: samples that are not within them. */
  large: usize;
  largeCount: i32;
}

/** Adds up the samples. The limits are the largest bounds that a device can take. O(samples). */
export function addUp(samples: Samples, vitLimit: i32, tokenLimit: i32): void {
  let sumVit: u64 = 0;
  let sumTokens: u64 = 0;
  let sumRounded: u64 = 0;
  let atVit = 0;
  let atTokens = 0;
  let beyond = 0;
  for (let i = 0; i < samples.count; i++) {
    const v = at(samples.vit, i);
    const t = at(samples.tokens, i);
    sumVit += v;
    sumTokens += t;
    sumRounded += (<u64>t + 255) & ~255;
    if (v > at(samples.vit, atVit)) atVit = i;
    if (t > at(samples.tokens, atTokens)) atTokens = i;
    beyond += i32(v > vitLimit || t > tokenLimit);
  }
  samples.sumVit = sumVit;
  samples.sumTokens = sumTokens;
  samples.sumRounded = sumRounded;
  samples.beyondLimits = beyond;
  samples.mostVit = samples.count > 0 ? at(samples.vit, atVit) : 0;
  samples.mostTokens = samples.count > 0 ? at(samples.tokens, atTokens) : 0;
  const v = <f64>samples.mostVit;
  const t = <f64>samples.mostTokens;
  // The one that is farther beyond a limit; where none is, farther above the mean.
  const byVit = beyond > 0 ? v / <f64>vitLimit >= t / <f64>tokenLimit : v * <f64>sumTokens > t * <f64>sumVit;
  samples.largest = byVit ? atVit : atTokens;
}

/** The largest value but for `count` larger ones, at least 1; -1 when out of memory. */
function nextLargest(values: usize, n: i32, count: i32): i64 {
  return count < n ? max<i64>(select(values, n, n - count), -1) : 1;
}

/** Finds out which bounds leave out at most `may` samples. O(samples). False when out of memory. */
export function startHolding(samples: Samples, may: i32): bool {
  samples.mayLeaveOut = may;
  samples.large = 0;
  samples.largeCount = 0;
  if (may == 0) {
    samples.leastVit = max(samples.mostVit, 1);
    samples.leastTokens = max(samples.mostTokens, 1);
    samples.within = samples.count;
    samples.withinVit = samples.sumVit;
    samples.withinTokens = samples.sumTokens;
    return true;
  }
  const n = samples.count;
  const vit = nextLargest(samples.vit, n, may);
  const tokens = nextLargest(samples.tokens, n, may);
  if (vit < 0 || tokens < 0) return false;
  samples.leastVit = max(<i32>vit, 1);
  samples.leastTokens = max(<i32>tokens, 1);
  samples.within = 0;
  samples.withinVit = 0;
  samples.withinTokens = 0;
  for (let i = 0; i < n; i++) {
    const v = at(samples.vit, i);
    const t = at(samples.tokens, i);
    if (v > samples.leastVit || t > samples.leastTokens) continue;
    samples.within++;
    samples.withinVit += v;
    samples.withinTokens += t;
  }
  // At most `may` of either load are beyond these bounds.
  samples.large = allocArray(n - samples.within, 4);
  if (samples.large == 0) return false;
  for (let i = 0; i < n; i++) {
    if (at(samples.vit, i) <= samples.leastVit && at(samples.tokens, i) <= samples.leastTokens) continue;
    store<i32>(samples.large + ((<usize>samples.largeCount) << 2), i);
    samples.largeCount++;
  }
  return true;
}

/** Whether these bounds leave out few enough samples. O(mayLeaveOut). */
export function holds(samples: Samples, maxVit: i32, maxTokens: i32): bool {
  if (maxVit < samples.leastVit || maxTokens < samples.leastTokens) return false;
  let out = 0;
  for (let k = 0; k < samples.largeCount; k++) {
    const i = at(samples.large, k);
    out += i32(at(samples.vit, i) > maxVit || at(samples.tokens, i) > maxTokens);
  }
  return out <= samples.mayLeaveOut;
}
