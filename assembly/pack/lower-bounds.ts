// Lower bounds on the number of groups, for samples that fit a group by themselves.
//
// Linear bounds: the sum of a load over its bound.
//
// Pattern bound (Gilmore and Gomory): the linear programme over all multisets of vit values that fit one group, by column
// generation. Its floats only propose weights. The bound itself is exact: for any whole weights, the sum over all samples,
// divided by the largest sum that any fitting multiset reaches (a knapsack over integers), rounded up, is a lower bound.
//
// Half bound (Martello and Toth's L2) on either load: samples above half of a bound are alone in their group in that
// respect, and small ones only fit beside those that leave enough room.

import { commonDivisor } from "../base/gcd";
import { allocArray, mark, release } from "../base/memory";
import { BAD_ARGUMENT, failAt, NEGATIVE_TOKENS, NEGATIVE_VIT, OK, OUT_OF_MEMORY } from "../base/status";
import { countValue, cutRuns, HISTOGRAM_BYTES, startHistogram } from "../loads/value-ranges";

/** At most this many values of vit are distinguished; of more, neighbours are rounded down to one. */
const MAX_TYPES: i32 = 48;
/** Units of vit that the knapsack counts in at most. */
const CAPACITY: i32 = 2048;
/** Thresholds of the half bound. */
const HALF_STEPS: i32 = 2048;
/** What a price of one group is as a whole weight. */
const ONE: f64 = 1073741824;
/** What the pattern bound may cost, in steps of the knapsack. */
const WORK: i32 = 30_000_000;

/** Of each type: units of vit, samples; its price, as a float and as a whole number. */
const size: usize = memory.data(48 * 4, 16);
const amount: usize = memory.data(48 * 4, 16);
const price: usize = memory.data(48 * 8, 16);
const whole: usize = memory.data(48 * 8, 16);
/** The pattern that enters the basis: how often it has each type. */
const column: usize = memory.data(48 * 8, 16);
/** Of each pattern of the basis: how often it is used, and how it changes with the entering one. */
const level: usize = memory.data(48 * 8, 16);
const change: usize = memory.data(48 * 8, 16);

/** What the last `lowerBound` found: the larger linear bound, the pattern bound on vit, the larger half bound. */
export let linear: u32 = 0;
export let pattern: u32 = 0;
export let half: u32 = 0;

/** Rounds up a / b. */
function quotient(a: u64, b: u64): u64 {
  return a / b + (a % b != 0 ? 1 : 0);
}

/** The best sum of prices within the capacity; the count of each type goes to `column`. */
function bestPattern(types: i32, capacity: i32, value: usize, from: usize): f64 {
  store<f64>(value, 0);
  for (let c = 1; c <= capacity; c++) {
    let best = load<f64>(value + ((<usize>(c - 1)) << 3));
    let which: u8 = 255;
    for (let i = 0; i < types; i++) {
      const s = load<i32>(size + (i << 2));
      if (s > c) break;
      const x = load<f64>(price + (i << 3)) + load<f64>(value + ((<usize>(c - s)) << 3));
      if (x > best) {
        best = x;
        which = <u8>i;
      }
    }
    store<f64>(value + ((<usize>c) << 3), best);
    store<u8>(from + c, which);
  }
  for (let i = 0; i < types; i++) store<f64>(column + (i << 3), 0);
  let c = capacity;
  while (c > 0) {
    const which = <i32>load<u8>(from + c);
    if (which == 255) c--;
    else {
      store<f64>(column + (which << 3), load<f64>(column + (which << 3)) + 1);
      c -= load<i32>(size + (which << 2));
    }
  }
  return load<f64>(value + ((<usize>capacity) << 3));
}

/** The largest sum of whole prices within the capacity. */
function bestWhole(types: i32, capacity: i32, value: usize): u64 {
  store<u64>(value, 0);
  for (let c = 1; c <= capacity; c++) {
    let best = load<u64>(value + ((<usize>(c - 1)) << 3));
    for (let i = 0; i < types; i++) {
      const s = load<i32>(size + (i << 2));
      if (s > c) break;
      best = max(best, load<u64>(whole + (i << 3)) + load<u64>(value + ((<usize>(c - s)) << 3)));
    }
    store<u64>(value + ((<usize>c) << 3), best);
  }
  return load<u64>(value + ((<usize>capacity) << 3));
}

/** Prices from the inverse of the basis: every pattern costs one group. */
function fillPrices(types: i32, inverse: usize): void {
  for (let j = 0; j < types; j++) {
    let sum: f64 = 0;
    for (let i = 0; i < types; i++) sum += load<f64>(inverse + ((<usize>(i * types + j)) << 3));
    store<f64>(price + (j << 3), max(sum, 0));
  }
}

/** One step of the simplex method with the pattern in `column`. False when it leads nowhere. */
function pivot(types: i32, inverse: usize): bool {
  let leave = -1;
  let least: f64 = 0;
  for (let i = 0; i < types; i++) {
    let u: f64 = 0;
    const row = inverse + ((<usize>(i * types)) << 3);
    for (let j = 0; j < types; j++) u += load<f64>(row + (j << 3)) * load<f64>(column + (j << 3));
    store<f64>(change + (i << 3), u);
    if (u <= 1e-9) continue;
    const ratio = load<f64>(level + (i << 3)) / u;
    if (leave < 0 || ratio < least) {
      leave = i;
      least = ratio;
    }
  }
  if (leave < 0) return false;
  const pivotRow = inverse + ((<usize>(leave * types)) << 3);
  const by = load<f64>(change + (leave << 3));
  for (let j = 0; j < types; j++) store<f64>(pivotRow + (j << 3), load<f64>(pivotRow + (j << 3)) / by);
  store<f64>(level + (leave << 3), least);
  for (let i = 0; i < types; i++) {
    if (i == leave) continue;
    const u = load<f64>(change + (i << 3));
    if (u == 0) continue;
    const row = inverse + ((<usize>(i * types)) << 3);
    for (let j = 0; j < types; j++) {
      store<f64>(row + (j << 3), load<f64>(row + (j << 3)) - u * load<f64>(pivotRow + (j << 3)));
    }
    store<f64>(level + (i << 3), max(load<f64>(level + (i << 3)) - u * least, 0));
  }
  return true;
}

/** Takes the types of the problem from n values and their counts. Returns how many there are. */
function takeTypes(values: usize, counts: usize, n: i32, limit: i32, divisor: i32, coarse: bool): i32 {
  let types = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const v = load<i32>(values + (i << 2));
    const many = load<u32>(counts + (i << 2));
    // Rounded down, the bound stays one. Types of size 0 take no room.
    const s = coarse ? <i32>((<u64>v * CAPACITY) / <u64>limit) : v / divisor;
    if (s == 0 || many == 0) continue;
    const last = ((<usize>types) << 2) - 4;
    if (types > 0 && load<i32>(size + last) == s) {
      store<u32>(amount + last, load<u32>(amount + last) + many);
      continue;
    }
    store<i32>(size + ((<usize>types) << 2), s);
    store<u32>(amount + ((<usize>types) << 2), many);
    types++;
  }
  return types;
}

/** The bound that the prices as they are make, rounded to whole weights. */
function boundOfPrices(types: i32, capacity: i32, value: usize): u64 {
  let sum: u64 = 0;
  for (let i: usize = 0; i < <usize>types; i++) {
    const weight = <u64>(min<f64>(load<f64>(price + (i << 3)), 1) * ONE + 0.5);
    store<u64>(whole + (i << 3), weight);
    sum += weight * <u64>load<u32>(amount + (i << 2));
  }
  const most = bestWhole(types, capacity, value);
  return most > 0 ? quotient(sum, most) : 0;
}

/**
 * The pattern bound for n <= 48 values (i32, ascending; each at most the true values it stands for) and their counts (u32),
 * with about so much work. 0 when there is nothing to say or no memory. Where the work runs out, the prices are not yet
 * the best: the bound is then lower than it could be, but holds.
 */
export function patternBound(values: usize, counts: usize, n: i32, limit: i32, work: i32): u32 {
  let divisor = 0;
  for (let i = 0; i < n; i++) divisor = commonDivisor(load<i32>(values + ((<usize>i) << 2)), divisor);
  if (divisor == 0) return 0;
  const coarse = limit / divisor > CAPACITY;
  const capacity = coarse ? CAPACITY : limit / divisor;
  const types = takeTypes(values, counts, n, limit, divisor, coarse);
  if (types == 0) return 0;
  const before = mark();
  const value = allocArray(capacity + 1, 8);
  const from = allocArray(capacity + 1, 1);
  const inverse = allocArray(types * types, 8);
  if (value == 0 || from == 0 || inverse == 0) {
    release(before);
    return 0;
  }
  // The first basis: each type alone, as often as it fits.
  memory.fill(inverse, 0, (<usize>(types * types)) << 3);
  for (let i = 0; i < types; i++) {
    const times = <f64>(capacity / load<i32>(size + ((<usize>i) << 2)));
    store<f64>(inverse + ((<usize>(i * types + i)) << 3), 1 / times);
    store<f64>(level + ((<usize>i) << 3), <f64>load<u32>(amount + ((<usize>i) << 2)) / times);
  }
  let rounds = min(40 * types + 100, 1 + work / (capacity * types));
  let result: u64 = 0;
  while (true) {
    fillPrices(types, inverse);
    const best = bestPattern(types, capacity, value, from);
    // Prices are often good long before they are the best, and rounding may spoil the last ones.
    const end = best < 1 + 1e-9 || --rounds <= 0;
    if (end || (rounds & 31) == 0) result = max(result, boundOfPrices(types, capacity, value));
    if (end || !pivot(types, inverse)) break;
  }
  release(before);
  return <u32>result;
}

/** The half bound on one load, i32[n] at `values`, of the samples that fit; 0 when out of memory. */
function halfBound(values: usize, vit: usize, tokens: usize, n: i32, maxVit: i32, maxTokens: i32, limit: i32): u64 {
  const before = mark();
  // Per bucket: count and sum of samples up to half of the limit, then of those above it.
  const bytes = <usize>(HALF_STEPS + 1) * 32;
  const table = allocArray(bytes, 1);
  if (table == 0) return 0;
  memory.fill(table, 0, bytes);
  for (let i: usize = 0; i < <usize>n; i++) {
    if (load<i32>(vit + (i << 2)) > maxVit || load<i32>(tokens + (i << 2)) > maxTokens) continue;
    const x = <u64>load<u32>(values + (i << 2));
    const slot = table + <usize>((x * HALF_STEPS) / <u64>limit) * 32 + (2 * x > <u64>limit ? 16 : 0);
    store<u64>(slot, load<u64>(slot) + 1);
    store<u64>(slot, load<u64>(slot, 8) + x, 8);
  }
  let small: u64 = 0;
  let large: u64 = 0;
  let all: u64 = 0;
  for (let slot = table; slot < table + bytes; slot += 32) {
    small += load<u64>(slot, 8);
    all += load<u64>(slot, 16);
    large += load<u64>(slot, 24);
  }
  // From threshold 0 upwards the small samples get fewer, and the large ones that are open to them.
  let room = all * <u64>limit - large;
  let result = all;
  for (let k = 0; k <= HALF_STEPS >> 1; k++) {
    if (small > room) result = max(result, all + quotient(small - room, limit));
    small -= load<u64>(table + <usize>k * 32, 8);
    // With a threshold above k steps, samples of more than limit - k steps are closed to the small ones.
    const closed = table + <usize>(HALF_STEPS - k) * 32;
    room -= load<u64>(closed, 16) * <u64>limit - load<u64>(closed, 24);
  }
  release(before);
  return result;
}

/**
 * Finds the bounds for n samples, i32[n] each at `vit` and `tokens`, those beyond a bound left out: `linear`, `pattern`
 * and `half`. Returns a status. O(n); about 900 KB of the arena meanwhile.
 */
export function lowerBound(vit: usize, tokens: usize, n: i32, maxVit: i32, maxTokens: i32): i32 {
  if (n < 0 || maxVit < 1 || maxTokens < 1) return BAD_ARGUMENT;
  const before = mark();
  const runs = allocArray(MAX_TYPES * 3, 4);
  const histogram = allocArray(HISTOGRAM_BYTES, 1);
  // Room for what the bounds need, so that they cannot fail.
  const room = allocArray(HALF_STEPS * 64, 1);
  if (runs == 0 || histogram == 0 || room == 0) {
    release(before);
    return OUT_OF_MEMORY;
  }
  release(room);
  startHistogram(histogram, maxVit);
  let sumVit: u64 = 0;
  let sumTokens: u64 = 0;
  let fitting = 0;
  for (let i = 0; i < n; i++) {
    const v = load<i32>(vit + ((<usize>i) << 2));
    const t = load<i32>(tokens + ((<usize>i) << 2));
    if ((v | t) < 0) {
      release(before);
      return failAt(v < 0 ? NEGATIVE_VIT : NEGATIVE_TOKENS, i);
    }
    if (v > maxVit || t > maxTokens) continue;
    sumVit += v;
    sumTokens += t;
    fitting++;
    countValue(histogram, v);
  }
  linear = <u32>max(quotient(sumVit, maxVit), quotient(sumTokens, maxTokens));
  // Samples without any load still need a group.
  if (fitting > 0) linear = max(linear, 1);
  const highs = runs + MAX_TYPES * 4;
  const counts = runs + MAX_TYPES * 8;
  const types = cutRuns(histogram, fitting / (MAX_TYPES - 1), runs, highs, counts);
  pattern = patternBound(runs, counts, types, maxVit, WORK);
  const byVit = halfBound(vit, vit, tokens, n, maxVit, maxTokens, maxVit);
  const byTokens = halfBound(tokens, vit, tokens, n, maxVit, maxTokens, maxTokens);
  half = <u32>max(byVit, byTokens);
  release(before);
  return OK;
}
