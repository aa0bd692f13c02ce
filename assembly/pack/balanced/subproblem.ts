// A part of the problem as the problem at hand, while the whole waits: samples to try ways on, a share of a very large
// input, the groups to be repaired. One part at a time; everything it needs is freed with it.

import { allocArray, release } from "../../base/memory";
import { patternBound } from "../bounds/pattern";
import {
  bestGroups,
  bestOffsets,
  bestOrder,
  latestOffsets,
  latestOrder,
  layPackings,
  packingRoom,
  usePackings,
} from "./best-packing";
import { addUp, count, maxTokens, maxVit, rowLow, rowStart, rows, sumTokens, sumVit, useSamples } from "./problem";
import { fitting, samples } from "./sorted-samples";

/** What the pattern bound of a part may cost, and that of the whole. */
const PART_WORK: i32 = 1_000_000;
const WHOLE_WORK: i32 = 30_000_000;

/** A lower bound on the groups of the problem at hand. */
export let bound: i32 = 0;

/** i32[samples of the part]: their positions in the whole. */
export let partOf: usize = 0;
/** The packings of the whole. */
export let wholeLatestOrder: usize = 0;
export let wholeLatestOffsets: usize = 0;
export let wholeOrder: usize = 0;
export let wholeOffsets: usize = 0;
export let wholeGroups: i32 = 0;
let wholeBound: i32 = 0;
/** Whether a part is the problem at hand. */
export let open: bool = false;
let before: usize = 0;
let copies: usize = 0;

const counts: usize = memory.data(64 * 4, 16);

function boundHere(work: i32): i32 {
  for (let r: usize = 0; r < <usize>rows; r++) {
    store<i32>(counts + (r << 2), load<i32>(rowStart + (r << 2), 4) - load<i32>(rowStart + (r << 2)));
  }
  addUp();
  const byVit = <i32>((sumVit + maxVit - 1) / maxVit);
  const byTokens = <i32>((sumTokens + maxTokens - 1) / maxTokens);
  return max(max(byVit, byTokens), <i32>patternBound(rowLow, counts, rows, maxVit, work));
}

/** Makes all samples the problem at hand. */
export function useWhole(): void {
  open = false;
  useSamples(samples, fitting);
  bound = boundHere(WHOLE_WORK);
}

/**
 * Makes room for a part of n samples, to be listed in `partOf` by ascending position; closing it frees all since `from`, a
 * mark. False when out of memory.
 */
export function openPart(n: i32, from: usize): bool {
  before = from;
  partOf = allocArray(<usize>n + 4, 4);
  copies = allocArray(<usize>n + 4, 8);
  const room = allocArray(packingRoom(n), 1);
  if (partOf == 0 || copies == 0 || room == 0) return false;
  wholeLatestOrder = latestOrder;
  wholeLatestOffsets = latestOffsets;
  wholeOrder = bestOrder;
  wholeOffsets = bestOffsets;
  wholeGroups = bestGroups;
  wholeBound = bound;
  layPackings(room, n);
  return true;
}

/** Makes the n samples listed in `partOf` the problem at hand. */
export function usePart(n: i32): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const p = <usize>load<u32>(partOf + (i << 2));
    store<u64>(copies + (i << 3), load<u64>(samples + (p << 3)));
  }
  open = true;
  useSamples(copies, n);
  bound = boundHere(PART_WORK);
}

/**
 * Writes the groups of the best packing of the part, as positions in the whole, after the `groups` groups of
 * `length` samples at order and offsets.
 */
export function copyGroups(order: usize, offsets: usize, length: i32, groups: i32): void {
  store<i32>(offsets + ((<usize>groups) << 2), length);
  for (let k: usize = 0; k < <usize>count; k++) {
    const p = <usize>load<u32>(bestOrder + (k << 2));
    store<u32>(order + ((<usize>length) << 2) + (k << 2), load<u32>(partOf + (p << 2)));
  }
  for (let g: usize = 1; g <= <usize>bestGroups; g++) {
    store<i32>(offsets + ((<usize>groups) << 2) + (g << 2), length + load<i32>(bestOffsets + (g << 2)));
  }
}

/** Goes back to the whole, whose best packing now has `groups` groups. */
export function closePart(groups: i32): void {
  open = false;
  release(before);
  usePackings(wholeLatestOrder, wholeLatestOffsets, wholeOrder, wholeOffsets, groups);
  bound = wholeBound;
  useSamples(samples, fitting);
}
