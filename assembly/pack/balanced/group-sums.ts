// The loads of groups. The samples of a group are all over the problem, so reading them waits for memory: blocks of them
// are gathered first, in a loop without an unpredictable branch, so that many reads wait at once; then they are split into groups.

import { recordAt } from "./problem";

/** Samples gathered at a time: they stay in the first-level cache. */
const BLOCK: i32 = 1024;
const gathered: usize = memory.data(1024 * 8, 16);

/**
 * Adds up groups first .. to - 1 of a packing of the problem at hand into i32 vit and tokens and f64 sums of tokens^2, one
 * after another from the start of each array.
 */
export function sumGroups(
  order: usize,
  offsets: usize,
  first: i32,
  to: i32,
  vit: usize,
  tokens: usize,
  attention: usize,
): void {
  let group = offsets + ((<usize>first) << 2);
  let end = load<i32>(group, 4);
  const last = load<i32>(offsets + ((<usize>to) << 2));
  let groupVit = 0;
  let groupTokens = 0;
  let squares: u64 = 0;
  for (let from = load<i32>(group); from < last; from += BLOCK) {
    const stop = min(from + BLOCK, last);
    const positions = order + ((<usize>from) << 2);
    const n = <usize>(stop - from);
    for (let k: usize = 0; k < n; k++) store<u64>(gathered + (k << 3), recordAt(load<i32>(positions + (k << 2))));
    for (let i = from; i < stop; i++) {
      const record = load<u64>(gathered + ((<usize>(i - from)) << 3));
      const t = record & 0xffff_ffff;
      groupVit += <i32>(record >> 32);
      groupTokens += <i32>t;
      squares += t * t;
      if (i + 1 < end) continue;
      store<i32>(vit, groupVit);
      store<i32>(tokens, groupTokens);
      store<f64>(attention, <f64>squares);
      vit += 4;
      tokens += 4;
      attention += 8;
      groupVit = 0;
      groupTokens = 0;
      squares = 0;
      group += 4;
      end = load<i32>(group, 4);
    }
  }
}
