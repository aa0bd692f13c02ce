// Units: what a data-parallel rank is handed at a time. Without sequence parallelism a unit is one group. With it, a
// unit is `spSize` groups that one sequence-parallel team works on together, each padded to the longest of them.
//
// Groups of several data groups ("parts") stand one part after another, with indices that run on; no unit holds
// groups of two parts.

import { allocArray, mark, release } from "../base/memory";
import { sortByKey } from "../base/sort";
import { BAD_ARGUMENT, failAtLoad, OK, OUT_OF_MEMORY } from "../base/status";

export let units: i32 = 0;
export let parts: i32 = 0;
/** u32[parts]: units of each part. */
export let partUnits: usize = 0;
/** u32[units * spSize]: the groups of each unit. */
export let members: usize = 0;
/** Loads of a unit, 1 .. MAX_LOADS. */
export let loadCount: i32 = 0;
/** f64[loadCount][units]: what each unit brings of each load, by the load's kind. Whole numbers below 2^53. */
export let unitLoads: usize = 0;
/** The load that sequences are padded in, -1 without one. */
export let paddedLoad: i32 = -1;
/** u64[units]: sum of its groups' tokens, the load that sequences are padded in; 0 without one. */
export let tokenSums: usize = 0;
/** Groups that stand in a second place, to fill the last unit of a part. */
export let repeatedGroups: i32 = 0;

export const MAX_LOADS: i32 = 8;
/** Sums of squares of 31-bit tokens end here; all groups together stay far from infinity. */
const MOST_LOAD: f64 = <f64>((<u64>1) << 62);
/** A unit's load is the sum of its groups'. */
export const SUMMED: u8 = 0;
/** Tokens: every group of a unit is padded to the longest, every unit of a micro batch likewise. One load at most. */
export const PADDED: u8 = 1;
/** What an encoder sees: with sequence parallelism a group without any counts 1, as it runs an empty one. */
export const ENCODED: u8 = 2;
const kinds: usize = memory.data(8);

/** Row of a load in `unitLoads`. */
export function loadOf(k: i32): usize {
  return unitLoads + ((<usize>k * <usize>units) << 3);
}

/** Sorts a part's groups by (tokens, index), each repeated as often as it takes to fill `count` places. */
function sortPart(at: usize, first: u32, n: i32, count: i32, keys: usize, scratch: usize): void {
  // Indices in the padded list: a repeat comes after all first places, and ties are settled by that.
  for (let i = 0; i < count; i++) store<u32>(at + ((<usize>i) << 2), i);
  sortByKey(at, count, keys, scratch);
  for (let i = 0; i < count; i++) {
    const place = at + ((<usize>i) << 2);
    store<u32>(place, first + (load<u32>(place) % <u32>n));
  }
}

/** Column k of the groups, f64[groups]. */
function column(columns: usize, k: i32): usize {
  return load<u32>(columns + ((<usize>k) << 2));
}

/**
 * Builds the units of `partCount` parts, sizes[p] groups each, over k loads: columns u32[k] points to f64[groups] each,
 * kindOf u8[k] says what each is. Per part, groups are sorted by (tokens, index) and cut into runs of spSize; the last run
 * is filled by repeating groups from the front of the part. O(k groups + groups log groups); 12 + 8 k bytes per unit and,
 * with sequence parallelism, 16 per group.
 */
export function begin(columns: usize, kindOf: usize, k: i32, sizes: usize, partCount: i32, spSize: i32): i32 {
  if (partCount < 0 || spSize < 1 || k < 1 || k > MAX_LOADS) return BAD_ARGUMENT;
  let padded = -1;
  for (let j = 0; j < k; j++) {
    const kind = load<u8>(kindOf + j);
    if (kind > ENCODED || (kind == PADDED && padded >= 0)) return BAD_ARGUMENT;
    if (kind == PADDED) padded = j;
  }
  if (padded < 0 && spSize > 1) return BAD_ARGUMENT;
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
  for (let j = 0; j < k; j++) {
    const values = column(columns, j);
    // A comparison that NaN fails too. Loads other than sums of squares are whole; those are rounded beyond 2^53.
    for (let g: usize = 0; g < <usize>groups; g++) {
      const x = load<f64>(values + (g << 3));
      if (!(x >= 0 && x <= MOST_LOAD)) return failAtLoad(<i32>g, j);
    }
  }
  const before = mark();
  const count = <i32>unitCount;
  partUnits = allocArray(partCount, 4);
  members = allocArray(<usize>unitCount * spSize, 4);
  tokenSums = allocArray(count, 8);
  unitLoads = allocArray(<usize>count * k, 8);
  const scratchTop = mark();
  const sorted: usize = spSize > 1 ? <usize>longest : 0;
  const keys = allocArray(sorted, 8);
  const scratch = allocArray(sorted, 4);
  if (partUnits == 0 || members == 0 || tokenSums == 0 || unitLoads == 0 || keys == 0 || scratch == 0) {
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
      const tokens = column(columns, padded);
      for (let i = 0; i < places; i++) {
        store<u64>(keys + ((<usize>i) << 3), <u64>load<f64>(tokens + ((<usize>(first + (i % n))) << 3)));
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
  loadCount = k;
  paddedLoad = padded;
  memory.copy(kinds, kindOf, k);
  if (padded < 0) memory.fill(tokenSums, 0, (<usize>count) << 3);
  for (let j = 0; j < k; j++) addUp(column(columns, j), j, spSize);
  return OK;
}

/** Adds up load j of every unit, by its kind. */
function addUp(values: usize, j: i32, spSize: i32): void {
  const kind = load<u8>(kinds + j);
  const fewest: f64 = kind == ENCODED && spSize > 1 ? 1 : 0;
  const out = loadOf(j);
  let at = members;
  for (let u: usize = 0; u < <usize>units; u++) {
    let sum: f64 = 0;
    let most: f64 = 0;
    for (let i = 0; i < spSize; i++, at += 4) {
      const x = load<f64>(values + ((<usize>load<u32>(at)) << 3));
      sum += max(x, fewest);
      most = max(most, x);
    }
    store<f64>(out + (u << 3), kind == PADDED ? most * <f64>spSize : sum);
    if (kind == PADDED) store<u64>(tokenSums + (u << 3), <u64>sum);
  }
}
