// Units: what a data-parallel rank is handed at a time. Without sequence parallelism a unit is one group. With it, a
// unit is `spSize` groups that one sequence-parallel team works on together, each padded to the longest of them.
//
// Groups of several data groups ("parts") stand one part after another, with indices that run on; no unit holds
// groups of two parts.

import { allocArray, mark, release } from "../base/memory";
import { sortByKey } from "../base/sort";
import { BAD_ARGUMENT, BAD_ATTENTION, NEGATIVE_TOKENS, NEGATIVE_VIT, OK, OUT_OF_MEMORY } from "../base/status";

/** Tokens of a group end at 2^31 - 1, so the sum of their squares ends here. All groups together stay far from infinity. */
const MOST_ATTENTION: f64 = <f64>((<u64>1) << 62);

export let units: i32 = 0;
export let parts: i32 = 0;
/** u32[parts]: units of each part. */
export let partUnits: usize = 0;
/** u32[units * spSize]: the groups of each unit. */
export let members: usize = 0;
/** u64[units]: sum of its groups' tokens. */
export let tokenSums: usize = 0;
/** u64[units]: tokens as computed on, every group padded to the unit's longest. */
export let paddedTokens: usize = 0;
/** u64[units]: tiles; with sequence parallelism a group without any counts 1, as it runs an empty one. */
export let vitSums: usize = 0;
/** f64[units]: sum of squares of its samples' tokens. */
export let attentionSums: usize = 0;
/** Groups that stand in a second place, to fill the last unit of a part. */
export let repeatedGroups: i32 = 0;
/** The group with a load that cannot be. */
export let badGroup: i32 = -1;

/** Sorts a part's groups by (tokens, index), each repeated as often as it takes to fill `count` places. */
function sortPart(at: usize, first: u32, n: i32, count: i32, keys: usize, scratch: usize): void {
  // Indices in the padded list: a repeat stands behind all first places, which ties are settled by.
  for (let i = 0; i < count; i++) store<u32>(at + ((<usize>i) << 2), i);
  sortByKey(at, count, keys, scratch);
  for (let i = 0; i < count; i++) {
    const place = at + ((<usize>i) << 2);
    store<u32>(place, first + (load<u32>(place) % <u32>n));
  }
}

/**
 * Builds the units of `partCount` parts, sizes[p] groups each: vit, tokens i32[groups] and attention f64[groups] over
 * all of them. Per part, groups are sorted by (tokens, index) and cut into runs of spSize; the last run is filled by
 * repeating groups from the front of the part. O(groups log groups); 40 bytes per unit and 16 per group.
 */
export function begin(vit: usize, tokens: usize, attention: usize, sizes: usize, partCount: i32, spSize: i32): i32 {
  if (partCount < 0 || spSize < 1) return BAD_ARGUMENT;
  let groups: u64 = 0;
  let unitCount: u64 = 0;
  let longest: u64 = 0;
  for (let p = 0; p < partCount; p++) {
    const n: u64 = load<u32>(sizes + ((<usize>p) << 2));
    const own = (n + spSize - 1) / spSize;
    groups += n;
    unitCount += own;
    longest = max(longest, own * spSize);
  }
  const most: u64 = i32.MAX_VALUE;
  if (groups > most || unitCount * spSize > most) return BAD_ARGUMENT;
  for (let g: usize = 0; g < <usize>groups; g++) {
    const v = load<i32>(vit + (g << 2));
    const t = load<i32>(tokens + (g << 2));
    const squares = load<f64>(attention + (g << 3));
    // Written so that NaN fails.
    if (v >= 0 && t >= 0 && squares >= 0 && squares <= MOST_ATTENTION) continue;
    badGroup = <i32>g;
    return v < 0 ? NEGATIVE_VIT : t < 0 ? NEGATIVE_TOKENS : BAD_ATTENTION;
  }
  const before = mark();
  const count = <i32>unitCount;
  partUnits = allocArray(partCount, 4);
  members = allocArray(<usize>unitCount * spSize, 4);
  tokenSums = allocArray(count, 8);
  paddedTokens = allocArray(count, 8);
  vitSums = allocArray(count, 8);
  attentionSums = allocArray(count, 8);
  const scratchTop = mark();
  const sorted: usize = spSize > 1 ? <usize>longest : 0;
  const keys = allocArray(sorted, 8);
  const scratch = allocArray(sorted, 4);
  if (
    partUnits == 0 ||
    members == 0 ||
    tokenSums == 0 ||
    paddedTokens == 0 ||
    vitSums == 0 ||
    attentionSums == 0 ||
    keys == 0 ||
    scratch == 0
  ) {
    release(before);
    return OUT_OF_MEMORY;
  }
  let first: u32 = 0;
  let at = members;
  for (let p = 0; p < partCount; p++) {
    const n = load<i32>(sizes + ((<usize>p) << 2));
    const own = (n + spSize - 1) / spSize;
    const places = own * spSize;
    store<u32>(partUnits + ((<usize>p) << 2), own);
    if (spSize == 1) {
      for (let i = 0; i < n; i++) store<u32>(at + ((<usize>i) << 2), first + i);
    } else {
      for (let i = 0; i < places; i++) {
        store<u64>(keys + ((<usize>i) << 3), load<u32>(tokens + ((<usize>(first + (i % n))) << 2)));
      }
      sortPart(at, first, n, places, keys, scratch);
    }
    at += (<usize>places) << 2;
    first += n;
  }
  release(scratchTop);
  units = count;
  parts = partCount;
  repeatedGroups = count * spSize - <i32>groups;
  addUp(vit, tokens, attention, spSize);
  return OK;
}

function addUp(vit: usize, tokens: usize, attention: usize, spSize: i32): void {
  const fewest: u32 = u32(spSize > 1);
  let at = members;
  for (let u: usize = 0; u < <usize>units; u++) {
    let sum: u64 = 0;
    let longest: u64 = 0;
    let tiles: u64 = 0;
    let squares: f64 = 0;
    for (let k = 0; k < spSize; k++, at += 4) {
      const g = <usize>load<u32>(at);
      const t: u64 = load<u32>(tokens + (g << 2));
      sum += t;
      longest = max(longest, t);
      tiles += max(load<u32>(vit + (g << 2)), fewest);
      squares += load<f64>(attention + (g << 3));
    }
    store<u64>(tokenSums + (u << 3), sum);
    store<u64>(paddedTokens + (u << 3), longest * spSize);
    store<u64>(vitSums + (u << 3), tiles);
    store<f64>(attentionSums + (u << 3), squares);
  }
}
