// The pattern bound (Gilmore and Gomory) on one load: the linear programme over all multisets of its values that fit one
// group, by column generation. Its floats only propose weights. The bound itself is exact: for any whole weights, the sum
// over all samples, divided by the largest sum that any fitting multiset reaches (a knapsack over integers), rounded up, is
// a lower bound.

import { commonDivisor } from "../../base/gcd";
import { allocArray, mark, release } from "../../base/memory";

/** Units of the load that the knapsack counts in at most. */
const CAPACITY: i32 = 2048;
/** What a price of one group is as a whole weight. */
const ONE: f64 = 1073741824;

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
