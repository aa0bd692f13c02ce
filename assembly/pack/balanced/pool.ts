// The samples that no group has taken yet: a set of positions as bits in three levels, each bit of a level telling whether
// the word of 64 below it has any, so that the next free sample is found in three looks. And where tokens are in a row.

import { allocArray } from "../../base/memory";
import { count, maxTokens, rowStart, rows, tokensAt } from "./problem";

/** Entries of the look-up of tokens, over all rows. */
const LOOKUP: i32 = 65536;
/** The floor of an empty row. */
const NEVER: i32 = i32.MAX_VALUE;
/** i32[rows]: at most the smallest token count that is still free in the row. */
const rowFloor: usize = memory.data(64 * 4, 16);

let level0: usize = 0;
let level1: usize = 0;
let level2: usize = 0;
/** i32[rows][lookupWidth]: the first position of the row with tokens >= entry << lookupShift. */
let lookup: usize = 0;
let lookupShift: i32 = 0;
let lookupWidth: i32 = 0;

/** Allocates and fills the set of free samples and the token lookup. False when out of memory. */
export function openPool(): bool {
  const n = count;
  const words0 = (n >> 6) + 2;
  const words1 = (n >> 12) + 2;
  const words2 = (n >> 18) + 2;
  level0 = allocArray(words0 + words1 + words2, 8);
  if (level0 == 0) return false;
  level1 = level0 + ((<usize>words0) << 3);
  level2 = level1 + ((<usize>words1) << 3);
  fillBits(level0, words0, n);
  fillBits(level1, words1, (n + 63) >> 6);
  fillBits(level2, words2, (n + 4095) >> 12);
  // One entry per token range and row: few entries for few samples.
  let limit = LOOKUP / max(rows, 1);
  limit = min(limit, max(64, n));
  lookupShift = 0;
  while (maxTokens >> lookupShift >= limit) lookupShift++;
  lookupWidth = (maxTokens >> lookupShift) + 2;
  lookup = allocArray(lookupWidth * rows, 4);
  if (lookup == 0) return false;
  for (let r = 0; r < rows; r++) fillLookup(r);
  refreshFloors();
  return true;
}

function fillBits(base: usize, words: i32, bits: i32): void {
  memory.fill(base, 0, (<usize>words) << 3);
  memory.fill(base, 0xff, (<usize>(bits >> 6)) << 3);
  if (bits & 63) store<u64>(base + ((<usize>(bits >> 6)) << 3), ((<u64>1) << (bits & 63)) - 1);
}

function fillLookup(r: i32): void {
  const base = lookup + ((<usize>(r * lookupWidth)) << 2);
  const end = load<i32>(rowStart + ((r + 1) << 2));
  let b = 0;
  for (let p = load<i32>(rowStart + (r << 2)); p < end; p++) {
    const bucket = tokensAt(p) >> lookupShift;
    for (; b <= bucket; b++) store<i32>(base + ((<usize>b) << 2), p);
  }
  for (; b < lookupWidth; b++) store<i32>(base + ((<usize>b) << 2), end);
}

/** Brings the smallest free token count of every row up to date. */
export function refreshFloors(): void {
  for (let r = 0; r < rows; r++) {
    const p = nextFree(load<i32>(rowStart + (r << 2)));
    const floor = p < load<i32>(rowStart + ((r + 1) << 2)) ? tokensAt(p) : NEVER;
    store<i32>(rowFloor + (r << 2), floor);
  }
}

/** A lower bound of the smallest free token count in the row. */
export function floorOf(r: i32): i32 {
  return load<i32>(rowFloor + (r << 2));
}

export function isFree(p: i32): bool {
  return ((load<u64>(level0 + ((<usize>(p >> 6)) << 3)) >> (p & 63)) & 1) != 0;
}

/** Takes a sample out of the set. */
export function takeOut(p: i32): void {
  const a0 = level0 + ((<usize>(p >> 6)) << 3);
  const w0 = load<u64>(a0) & ~((<u64>1) << (p & 63));
  store<u64>(a0, w0);
  if (w0) return;
  const a1 = level1 + ((<usize>(p >> 12)) << 3);
  const w1 = load<u64>(a1) & ~((<u64>1) << ((p >> 6) & 63));
  store<u64>(a1, w1);
  if (w1) return;
  const a2 = level2 + ((<usize>(p >> 18)) << 3);
  store<u64>(a2, load<u64>(a2) & ~((<u64>1) << ((p >> 12) & 63)));
}

/** Puts a sample of the row back into the set. */
export function putBack(p: i32, r: i32): void {
  const a0 = level0 + ((<usize>(p >> 6)) << 3);
  store<u64>(a0, load<u64>(a0) | ((<u64>1) << (p & 63)));
  const a1 = level1 + ((<usize>(p >> 12)) << 3);
  store<u64>(a1, load<u64>(a1) | ((<u64>1) << ((p >> 6) & 63)));
  const a2 = level2 + ((<usize>(p >> 18)) << 3);
  store<u64>(a2, load<u64>(a2) | ((<u64>1) << ((p >> 12) & 63)));
  const t = tokensAt(p);
  if (t < load<i32>(rowFloor + (r << 2))) store<i32>(rowFloor + (r << 2), t);
}

/** The last free position at or below p, or -1. */
export function lastFree(p: i32): i32 {
  if (p < 0) return -1;
  let w = load<u64>(level0 + ((<usize>(p >> 6)) << 3)) & (<u64>-1 >> (63 - (p & 63)));
  if (w) return (p & ~63) | (63 - <i32>clz(w));
  let q = (p >> 6) - 1;
  if (q < 0) return -1;
  w = load<u64>(level1 + ((<usize>(q >> 6)) << 3)) & (<u64>-1 >> (63 - (q & 63)));
  if (!w) {
    let s = (q >> 6) - 1;
    if (s < 0) return -1;
    let x = s >> 6;
    w = load<u64>(level2 + ((<usize>x) << 3)) & (<u64>-1 >> (63 - (s & 63)));
    while (!w) {
      if (--x < 0) return -1;
      w = load<u64>(level2 + ((<usize>x) << 3));
    }
    s = (x << 6) | (63 - <i32>clz(w));
    w = load<u64>(level1 + ((<usize>s) << 3));
    q = s << 6;
  }
  q = (q & ~63) | (63 - <i32>clz(w));
  return (q << 6) | (63 - <i32>clz(load<u64>(level0 + ((<usize>q) << 3))));
}

/** The first free position at or above p, or the number of samples. */
export function nextFree(p: i32): i32 {
  const n = count;
  if (p >= n) return n;
  let w = load<u64>(level0 + ((<usize>(p >> 6)) << 3)) & ((<u64>-1) << (p & 63));
  if (w) return (p & ~63) | <i32>ctz(w);
  let q = (p >> 6) + 1;
  if (q > n >> 6) return n;
  w = load<u64>(level1 + ((<usize>(q >> 6)) << 3)) & ((<u64>-1) << (q & 63));
  if (!w) {
    let s = (q >> 6) + 1;
    if (s > n >> 12) return n;
    let x = s >> 6;
    w = load<u64>(level2 + ((<usize>x) << 3)) & ((<u64>-1) << (s & 63));
    while (!w) {
      if (++x > n >> 18) return n;
      w = load<u64>(level2 + ((<usize>x) << 3));
    }
    s = (x << 6) | <i32>ctz(w);
    w = load<u64>(level1 + ((<usize>s) << 3));
    q = s << 6;
  }
  q = (q & ~63) | <i32>ctz(w);
  return (q << 6) | <i32>ctz(load<u64>(level0 + ((<usize>q) << 3)));
}

/** The first position of the row with more than t tokens, free or not. */
export function firstAbove(r: i32, t: i32): i32 {
  if (t < 0) return load<i32>(rowStart + (r << 2));
  if (t >= maxTokens) return load<i32>(rowStart + ((r + 1) << 2));
  const entry = lookup + ((<usize>(r * lookupWidth + (t >> lookupShift))) << 2);
  let hi = load<i32>(entry + 4);
  if (lookupShift == 0) return hi;
  let lo = load<i32>(entry);
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (tokensAt(mid) > t) hi = mid;
    else lo = mid + 1;
  }
  return lo;
}
