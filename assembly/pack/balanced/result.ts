// The end of a packing: its groups in random order, so that no stretch of the output differs from another, as indices of
// the input and with their sums.

import { allocArray, mark, release } from "../../base/memory";
import { randomBelow } from "../../base/pcg32";
import { DONE, MORE } from "../../base/step";
import { setGroups, setLinearBound, setOversize } from "../packing";
import { bestGroups, bestOffsets, bestOrder, latestOffsets, latestOrder } from "./best-packing";
import { sumGroups } from "./group-sums";
import { addUp, maxTokens, maxVit, sumTokens, sumVit } from "./problem";
import { indexOf, oversize, oversizeCount } from "./sorted-samples";

/** Groups per step. */
const CHUNK_GROUPS: i32 = 131072;

let at: i32 = 0;
/** u32[groups]: the order of the groups. */
let lot: usize = 0;
let before: usize = 0;
let vit: usize = 0;
let tokens: usize = 0;
let attention: usize = 0;

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
  return true;
}

/** Copies the next groups, as positions, in the order drawn. */
function layGroups(to: i32): void {
  let n = load<i32>(latestOffsets + ((<usize>at) << 2));
  for (let g = at; g < to; g++) {
    const from = bestOffsets + ((<usize>load<u32>(lot + ((<usize>g) << 2))) << 2);
    const stop = load<i32>(from, 4);
    for (let i = load<i32>(from); i < stop; i++, n++) {
      store<u32>(latestOrder + ((<usize>n) << 2), load<u32>(bestOrder + ((<usize>i) << 2)));
    }
    store<i32>(latestOffsets + ((<usize>(g + 1)) << 2), n);
  }
}

/** Turns positions of the packing into indices of the input. */
function toIndices(from: i32, to: i32): void {
  const end = latestOrder + ((<usize>to) << 2);
  for (let place = latestOrder + ((<usize>from) << 2); place < end; place += 4) {
    store<u32>(place, load<u32>(indexOf + ((<usize>load<u32>(place)) << 2)));
  }
}

/** Writes the next groups; at the end it hands the packing over. */
export function stepResult(): i32 {
  const to = min(bestGroups, at + CHUNK_GROUPS);
  if (at < to) {
    const first = <usize>at;
    layGroups(to);
    sumGroups(latestOrder, latestOffsets, at, to, vit + (first << 2), tokens + (first << 2), attention + (first << 3));
    toIndices(load<i32>(latestOffsets + (first << 2)), load<i32>(latestOffsets + ((<usize>to) << 2)));
    at = to;
  }
  if (at < bestGroups) return MORE;
  release(before);
  setGroups(latestOrder, latestOffsets, bestGroups, vit, tokens, attention);
  setOversize(oversize, oversizeCount);
  addUp();
  setLinearBound(sumVit, sumTokens, maxVit, maxTokens);
  return DONE;
}
