// Sums of loads inside groups. Those of a column serve loads without a bound, which are in no word, and packings from
// elsewhere.

import { BAD_LOAD, failAt, OK, SUM_TOO_LARGE } from "../base/status";
import { Loads, MOST, WORD_32, WORD_64 } from "./loads";

/** Samples gathered at a time: reads all over a column wait for memory together. */
const BLOCK: i32 = 512;
const gathered: usize = memory.data(512 * 8, 16);

/**
 * out[g] = the sum of a column, f64 or i32, over group g of u32 order and offsets: f64[groups]. Returns a status: BAD_LOAD
 * with a sample, SUM_TOO_LARGE with a group. O(samples).
 */
export function groupSums(column: usize, floats: bool, order: usize, offsets: usize, groups: i32, out: usize): i32 {
  if (groups == 0) return OK;
  const last = load<u32>(offsets + ((<usize>groups) << 2));
  let from = load<u32>(offsets);
  let g = 0;
  let end = load<u32>(offsets, 4);
  let sum: u64 = 0;
  while (true) {
    const block = min<u32>(BLOCK, last - from);
    const samples = order + ((<usize>from) << 2);
    for (let i: usize = 0; i < <usize>block; i++) {
      const sample = <usize>load<u32>(samples + (i << 2));
      const x = floats ? load<f64>(column + (sample << 3)) : <f64>load<i32>(column + (sample << 2));
      store<f64>(gathered + (i << 3), x);
    }
    for (let i: u32 = 0; i < block; i++) {
      while (from + i == end) {
        store<f64>(out + ((<usize>g) << 3), <f64>sum);
        sum = 0;
        g++;
        end = load<u32>(offsets + ((<usize>g) << 2), 4);
      }
      const f = load<f64>(gathered + ((<usize>i) << 3));
      const x = <u64>f;
      if (<f64>x != f || x > MOST) return failAt(BAD_LOAD, load<i32>(samples + ((<usize>i) << 2)));
      sum += x;
      if (sum > MOST) return failAt(SUM_TOO_LARGE, g);
    }
    from += block;
    if (from == last) break;
  }
  for (; g < groups; g++) {
    store<f64>(out + ((<usize>g) << 3), <f64>sum);
    sum = 0;
  }
  return OK;
}

/** Groups per call of an inner loop, which is optimised after a few calls. */
const GROUPS: usize = 1024;

/** Adds up the words of groups: within their bounds no field runs over. */
function addUp<T extends number>(words: usize, order: usize, ends: usize, count: usize, out: usize): void {
  const scale: usize = alignof<T>();
  let at = order + ((<usize>load<u32>(ends)) << 2);
  for (let g: usize = 0; g < count; g++) {
    const stop = order + ((<usize>load<u32>(ends + (g << 2), 4)) << 2);
    let sum: T = 0;
    for (; at < stop; at += 4) sum = <T>(sum + load<T>(words + ((<usize>load<u32>(at)) << scale)));
    store<u64>(out + (g << 3), <u64>sum);
  }
}

/** `addUp` of u32 words. Exported, as the scans, for engines to compile well. */
export function addUp32(words: usize, order: usize, ends: usize, count: usize, out: usize): void {
  addUp<u32>(words, order, ends, count, out);
}

/** `addUp` of u64 words. */
export function addUp64(words: usize, order: usize, ends: usize, count: usize, out: usize): void {
  addUp<u64>(words, order, ends, count, out);
}

/** u64[GROUPS]: the words of a block of groups. */
const added: usize = memory.data(1024 * 8, 16);

/**
 * out[k][g] = the sum of bounded load k over group g of a packing of samples that fit, f64[columns][groups]; the rows of
 * loads without a bound stay as they are. O(samples), whatever the number of loads that share a word.
 */
export function allSums(handle: usize, order: usize, offsets: usize, groups: i32, out: usize): void {
  const loads = Loads.of(handle);
  for (let from: usize = 0; from < <usize>groups; from += GROUPS) {
    const count = min<usize>(GROUPS, <usize>groups - from);
    const ends = offsets + (from << 2);
    const narrow = loads.layout == WORD_32;
    const single = narrow || loads.layout == WORD_64;
    if (narrow) addUp32(loads.words, order, ends, count, added);
    else if (single) addUp64(loads.words, order, ends, count, added);
    for (let k = 0; k < loads.columns; k++) {
      if (loads.bound(k) == 0) continue;
      const to = out + ((<usize>k * <usize>groups + from) << 3);
      if (!single) loadSums(handle, k, order, ends, <i32>count, to);
      const shift = loads.shift(k);
      const mask = loads.mask(k);
      for (let g: usize = 0; single && g < count; g++) {
        store<f64>(to + (g << 3), <f64>((load<u64>(added + (g << 3)) >> shift) & mask));
      }
    }
  }
}

/** out[g] = the sum of bounded load k over group g of a packing of samples that fit: f64[groups]. O(samples). */
export function loadSums(handle: usize, k: i32, order: usize, offsets: usize, groups: i32, out: usize): void {
  const loads = Loads.of(handle);
  let at = order + ((<usize>load<u32>(offsets)) << 2);
  for (let g: usize = 0; g < <usize>groups; g++) {
    const end = order + ((<usize>load<u32>(offsets + (g << 2), 4)) << 2);
    let sum: u64 = 0;
    for (; at < end; at += 4) sum += loads.value(load<u32>(at), k);
    store<f64>(out + (g << 3), <f64>sum);
  }
}

function squares<T extends number>(handle: usize, k: i32, order: usize, ends: usize, count: usize, out: usize): void {
  const loads = Loads.of(handle);
  const words = loads.words;
  const shift = <T>loads.shift(k);
  const mask = <T>loads.mask(k);
  const scale: usize = alignof<T>();
  let at = order + ((<usize>load<u32>(ends)) << 2);
  for (let g: usize = 0; g < count; g++) {
    const stop = order + ((<usize>load<u32>(ends + (g << 2), 4)) << 2);
    let sum: u64 = 0;
    for (; at < stop; at += 4) {
      const x = <u64>((load<T>(words + ((<usize>load<u32>(at)) << scale)) >> shift) & mask);
      sum += x * x;
    }
    store<f64>(out + (g << 3), <f64>sum);
  }
}

/** The sums of squares of some groups, from u32 words. Exported, as the scans, for engines to compile well. */
export function squares32(handle: usize, k: i32, order: usize, ends: usize, count: usize, out: usize): void {
  squares<u32>(handle, k, order, ends, count, out);
}

/** The same from u64 words. */
export function squares64(handle: usize, k: i32, order: usize, ends: usize, count: usize, out: usize): void {
  squares<u64>(handle, k, order, ends, count, out);
}

/**
 * out[g] = the sum of the squares of bounded load k over group g: f64[groups]. Exact below 2^53, above it the nearest double
 * where the bound is below 2^32, rounded sample by sample where it is not. O(samples).
 */
export function loadSquares(handle: usize, k: i32, order: usize, offsets: usize, groups: i32, out: usize): void {
  const loads = Loads.of(handle);
  const exact = loads.bound(k) <= <u64>u32.MAX_VALUE;
  for (let from: usize = 0; from < <usize>groups; from += GROUPS) {
    const count = min<usize>(GROUPS, <usize>groups - from);
    const ends = offsets + (from << 2);
    const to = out + (from << 3);
    if (exact && loads.layout == WORD_32) squares32(handle, k, order, ends, count, to);
    else if (exact && loads.layout == WORD_64) squares64(handle, k, order, ends, count, to);
    else {
      let at = order + ((<usize>load<u32>(ends)) << 2);
      for (let g: usize = 0; g < count; g++) {
        const stop = order + ((<usize>load<u32>(ends + (g << 2), 4)) << 2);
        let whole: u64 = 0;
        let rounded: f64 = 0;
        for (; at < stop; at += 4) {
          const x = loads.value(load<u32>(at), k);
          whole += x * x;
          rounded += <f64>x * <f64>x;
        }
        store<f64>(to + (g << 3), exact ? <f64>whole : rounded);
      }
    }
  }
}

/** How random groups are, from their sums of a load and of its squares, f64[groups] each: see `mixOfSums`. O(groups). */
export function groupsMix(offsets: usize, sums: usize, squares: usize, groups: i32): f64 {
  let within: f64 = 0;
  let sum: f64 = 0;
  let all: f64 = 0;
  for (let g: usize = 0; g < <usize>groups; g++) {
    const size = load<u32>(offsets + (g << 2), 4) - load<u32>(offsets + (g << 2));
    const t = load<f64>(sums + (g << 3));
    const a = load<f64>(squares + (g << 3));
    if (size > 1) within += a - (t * t) / <f64>size;
    sum += t;
    all += a;
  }
  return mixOfSums(within, sum, all, offsets, groups);
}

/**
 * The variance inside groups over that of a random deal, from the sum over groups of (a - t^2 / k), and T and A of all: a,
 * t and k are a group's sum of squares, sum and samples. -1 where that means nothing.
 */
export function mixOfSums(within: f64, sum: f64, squares: f64, offsets: usize, groups: i32): f64 {
  const n = <f64>(load<u32>(offsets + ((<usize>groups) << 2)) - load<u32>(offsets));
  const all = squares - (sum / n) * sum;
  const degrees = n - <f64>groups;
  if (!(degrees > 0) || !(all > 0)) return -1;
  return within / degrees / (all / (n - 1));
}

/**
 * How random the composition of groups is in bounded load k: the variance inside groups over what a random deal of the
 * samples to groups of these sizes would have. 1 is random; below it samples of a group are alike, above it unlike. -1 where
 * that means nothing: no group of two samples, or all samples alike. O(samples).
 */
export function loadMix(handle: usize, k: i32, order: usize, offsets: usize, groups: i32): f64 {
  const loads = Loads.of(handle);
  let at = order + ((<usize>load<u32>(offsets)) << 2);
  let within: f64 = 0;
  let sum: f64 = 0;
  let squares: f64 = 0;
  for (let g: usize = 0; g < <usize>groups; g++) {
    const size = load<u32>(offsets + (g << 2), 4) - load<u32>(offsets + (g << 2));
    const end = at + ((<usize>size) << 2);
    let t: f64 = 0;
    let a: f64 = 0;
    for (; at < end; at += 4) {
      const x = <f64>loads.value(load<u32>(at), k);
      t += x;
      a += x * x;
    }
    if (size > 1) within += a - (t * t) / <f64>size;
    sum += t;
    squares += a;
  }
  return mixOfSums(within, sum, squares, offsets, groups);
}
