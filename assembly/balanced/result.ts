// The end of a packing: its groups in random order, so that no stretch of the output differs from another, as indices of
// the input and with their sums.

import { allocArray, mark, release } from "../memory";
import { setGroups, setLinearBound, setOversize } from "../packing";
import { bestGroups, bestOffsets, bestOrder, latestOffsets, latestOrder } from "./packings";
import { maxTokens, maxVit, tokensAt, vitAt } from "./problem";
import { randomBelow } from "./random";
import { indexOf, oversize, oversizeCount } from "./rows";
import { DONE, MORE } from "./work";

/** Groups per step. */
const CHUNK_GROUPS: i32 = 131072;

let at: i32 = 0;
/** u32[groups]: the order of the groups. */
let lot: usize = 0;
let before: usize = 0;
let vit: usize = 0;
let tokens: usize = 0;
let attention: usize = 0;
let sumVit: u64 = 0;
let sumTokens: u64 = 0;

/** Draws the order of the groups of the best packing. False when out of memory. */
export function startResult(): bool {
  vit = allocArray(bestGroups, 4);
  tokens = allocArray(bestGroups, 4);
  attention = allocArray(bestGroups, 8);
  before = mark();
  lot = allocArray(bestGroups, 4);
  if (vit == 0 || tokens == 0 || attention == 0 || lot == 0) return false;
  for (let g = 0; g < bestGroups; g++) store<i32>(lot + ((<usize>g) << 2), g);
  for (let g = bestGroups - 1; g > 0; g--) {
    const a = lot + ((<usize>g) << 2);
    const b = lot + ((<usize>randomBelow(g + 1)) << 2);
    const x = load<i32>(a);
    store<i32>(a, load<i32>(b));
    store<i32>(b, x);
  }
  store<i32>(latestOffsets, 0);
  at = 0;
  sumVit = 0;
  sumTokens = 0;
  return true;
}

/** Writes the next groups; at the end it hands the packing over. */
export function stepResult(): i32 {
  const to = min(bestGroups, at + CHUNK_GROUPS);
  let n = load<i32>(latestOffsets + ((<usize>at) << 2));
  for (; at < to; at++) {
    const from = bestOffsets + ((<usize>load<u32>(lot + ((<usize>at) << 2))) << 2);
    const stop = load<i32>(from, 4);
    let groupVit = 0;
    let groupTokens = 0;
    let squares: u64 = 0;
    for (let i = load<i32>(from); i < stop; i++) {
      const p = load<i32>(bestOrder + ((<usize>i) << 2));
      const t = tokensAt(p);
      groupVit += vitAt(p);
      groupTokens += t;
      squares += <u64>t * <u64>t;
      store<u32>(latestOrder + ((<usize>n) << 2), load<u32>(indexOf + ((<usize>p) << 2)));
      n++;
    }
    store<i32>(latestOffsets + ((<usize>(at + 1)) << 2), n);
    store<i32>(vit + ((<usize>at) << 2), groupVit);
    store<i32>(tokens + ((<usize>at) << 2), groupTokens);
    store<f64>(attention + ((<usize>at) << 3), <f64>squares);
    sumVit += groupVit;
    sumTokens += groupTokens;
  }
  if (at < bestGroups) return MORE;
  release(before);
  setGroups(latestOrder, latestOffsets, bestGroups, vit, tokens, attention);
  setOversize(oversize, oversizeCount);
  setLinearBound(sumVit, sumTokens, maxVit, maxTokens);
  return DONE;
}
