// Sums of a column inside groups: for loads without a bound, which are in no word, and for packings from elsewhere.

import { failAt, OK } from "../status";
import { BAD_LOAD, MOST, SUM_TOO_LARGE } from "./loads";

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
