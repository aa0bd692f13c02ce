// Best fit: samples in descending order of size, each into the open group where it leaves the least room. What size is and
// what room is make the ways of best fit: none wins everywhere.

import { allocArray } from "../../base/memory";
import { randomBelow } from "../../base/pcg32";
import {
  cells,
  clearIndex,
  findInRow,
  freeTokens,
  freeVit,
  insert,
  openIndex,
  remove,
  rowMask,
  rowShift,
} from "./open-groups";
import { maxTokens, maxVit, tokensAt, vitAt } from "./problem";

/** Orders: by tokens, by the larger share of a bound, by the sum of shares (weighted by how tight bounds are), by vit. */
export const BY_TOKENS: u8 = 0;
export const BY_LARGER: u8 = 1;
export const BY_SUM: u8 = 2;
export const BY_VIT: u8 = 3;
/** What the best group is: least free tokens, then vit; least sum of shares left; the same, evenly left. */
export const LEAST_TOKENS: u8 = 0;
export const LEAST_SUM: u8 = 1;
export const LEAST_EVEN: u8 = 2;

/** Sizes that the sort distinguishes. */
const KEYS: i32 = 65536;

/** The samples: i32[n] positions, or 0 for positions 0 to n - 1. */
let list: usize = 0;
let n: i32 = 0;
/** i32[n]: indices of the list, by descending size. */
let order: usize = 0;
/** i32[n]: the group of each. */
let groupOf: usize = 0;
/** Turn loads into shares of their bound, 2^20 being all of it. */
let vitScale: u64 = 0;
let tokenScale: u64 = 0;
/** What a group must have free to be open. */
let leastVit: i32 = 0;
let leastTokens: i32 = 0;
/** How many groups each load asks for, as weights. */
let vitTight: u32 = 1;
let tokenTight: u32 = 1;
let score: i32 = 0;
let done: i32 = 0;

/** Groups made so far. */
export let fitGroups: i32 = 0;

function position(i: i32): i32 {
  return list == 0 ? i : load<i32>(list + ((<usize>i) << 2));
}

function shareOf(x: i32, scale: u64): u32 {
  return <u32>((<u64>x * scale) >> 20);
}

/** Prepares for the positions of a list (0: positions 0 to size - 1). False when out of memory. */
export function openFit(positions: usize, size: i32): bool {
  list = positions;
  n = size;
  order = allocArray(<usize>size + 1, 4);
  groupOf = allocArray(<usize>size + 1, 4);
  if (!order || !groupOf || !openIndex(size, KEYS + 1)) return false;
  vitScale = ((<u64>1) << 40) / <u64>maxVit;
  tokenScale = ((<u64>1) << 40) / <u64>maxTokens;
  let vit: u64 = 0;
  let tokens: u64 = 0;
  leastVit = i32.MAX_VALUE;
  leastTokens = i32.MAX_VALUE;
  for (let i = 0; i < size; i++) {
    const p = position(i);
    const v = vitAt(p);
    const t = tokensAt(p);
    vit += <u64>v;
    tokens += <u64>t;
    leastVit = min(leastVit, v);
    leastTokens = min(leastTokens, t);
  }
  // How many groups each bound asks for, as two weights of at most 8 bits.
  let a = vit / <u64>maxVit + 1;
  let b = tokens / <u64>maxTokens + 1;
  while (a > 255 || b > 255) {
    a >>= 1;
    b >>= 1;
  }
  vitTight = <u32>a;
  tokenTight = <u32>b;
  return true;
}

/** The size that samples are sorted by, 65,536 being all of a bound. */
function sizeOf(key: i32, v: u32, t: u32): u32 {
  if (key == BY_TOKENS) return t;
  if (key == BY_VIT) return v;
  if (key == BY_LARGER) return max(v, t);
  return (v * vitTight + t * tokenTight) / max(1, vitTight + tokenTight);
}

/** Sorts the samples and starts a run. Jitter adds up to that much (of 65536) to the sizes sorted by. */
export function startFit(key: i32, how: i32, jitter: i32): void {
  score = how;
  done = 0;
  fitGroups = 0;
  // The cells double as the counts of the sort before they are emptied.
  memory.fill(cells, 0, (<usize>(KEYS + 1)) << 2);
  for (let i = 0; i < n; i++) {
    const p = position(i);
    const v = shareOf(vitAt(p), vitScale) >> 4;
    const t = shareOf(tokensAt(p), tokenScale) >> 4;
    let size = sizeOf(key, v, t);
    if (jitter > 0) size += randomBelow(jitter);
    const k = KEYS - 1 - <i32>min<u32>(size, KEYS - 1);
    store<i32>(groupOf + ((<usize>i) << 2), k);
    const at = cells + ((<usize>(k + 1)) << 2);
    store<i32>(at, load<i32>(at) + 1);
  }
  for (let k = 0; k < KEYS; k++) {
    const at = cells + ((<usize>(k + 1)) << 2);
    store<i32>(at, load<i32>(at) + load<i32>(at - 4));
  }
  for (let i = 0; i < n; i++) {
    const at = cells + ((<usize>load<i32>(groupOf + ((<usize>i) << 2))) << 2);
    const to = load<i32>(at);
    store<i32>(at, to + 1);
    store<i32>(order + ((<usize>to) << 2), i);
  }
  clearIndex();
}

/** How much room is left, as the run measures it. */
function scoreOf(v: i32, t: i32): u64 {
  const a = <u64>shareOf(v, vitScale);
  if (score == LEAST_TOKENS) return ((<u64>t) << 21) | a;
  const b = <u64>shareOf(t, tokenScale);
  if (score == LEAST_SUM) return a + b;
  return a + b + 3 * (a > b ? a - b : b - a);
}

/** Puts a sample into the best open group, or a new one. */
function place(i: i32): void {
  const p = position(i);
  const v = vitAt(p);
  const t = tokensAt(p);
  let best: u64 = <u64>-1;
  let group = -1;
  let mask = rowMask & ((<u64>-1) << (v >> rowShift));
  while (mask) {
    const row = <i32>ctz(mask);
    mask &= mask - 1;
    const g = findInRow(row, v, t);
    if (g < 0) continue;
    const s = scoreOf(load<i32>(freeVit + ((<usize>g) << 2)) - v, load<i32>(freeTokens + ((<usize>g) << 2)) - t);
    if (s < best) {
      best = s;
      group = g;
    }
  }
  let a = maxVit;
  let b = maxTokens;
  if (group < 0) {
    group = fitGroups++;
  } else {
    a = load<i32>(freeVit + ((<usize>group) << 2));
    b = load<i32>(freeTokens + ((<usize>group) << 2));
    remove(group, a, b);
  }
  a -= v;
  b -= t;
  store<i32>(groupOf + ((<usize>i) << 2), group);
  store<i32>(freeVit + ((<usize>group) << 2), a);
  store<i32>(freeTokens + ((<usize>group) << 2), b);
  if (a >= leastVit && b >= leastTokens) insert(group, a, b);
}

/** Places up to `samples` samples; returns how many are still to be placed. */
export function stepFit(samples: i32): i32 {
  const end = min(n, done + samples);
  for (; done < end; done++) place(load<i32>(order + ((<usize>done) << 2)));
  return n - done;
}

/** Appends the groups to ord and off, which hold `groups` groups of `length` samples. */
export function writeFit(ord: usize, off: usize, length: i32, groups: i32): void {
  // freeVit is no longer needed: it takes the place where each group's next sample goes.
  memory.fill(freeVit, 0, (<usize>fitGroups) << 2);
  for (let i = 0; i < n; i++) {
    const at = freeVit + ((<usize>load<i32>(groupOf + ((<usize>i) << 2))) << 2);
    store<i32>(at, load<i32>(at) + 1);
  }
  let end = length;
  store<i32>(off + ((<usize>groups) << 2), end);
  for (let g = 0; g < fitGroups; g++) {
    const at = freeVit + ((<usize>g) << 2);
    const size = load<i32>(at);
    store<i32>(at, end);
    end += size;
    store<i32>(off + ((<usize>(groups + g + 1)) << 2), end);
  }
  for (let k = 0; k < n; k++) {
    const i = load<i32>(order + ((<usize>k) << 2));
    const at = freeVit + ((<usize>load<i32>(groupOf + ((<usize>i) << 2))) << 2);
    const to = load<i32>(at);
    store<i32>(at, to + 1);
    store<i32>(ord + ((<usize>to) << 2), position(i));
  }
}
