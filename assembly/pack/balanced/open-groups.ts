// The open groups of best fit, indexed by free vit (up to 64 rows) and free tokens (4096 to 65536 columns): a list per
// cell, a bit per cell that is not empty, a bit per word of those, so that a search looks at one group a row. Coarse cells
// only steer the search: groups are checked exactly.

import { allocArray } from "../../base/memory";
import { maxTokens, maxVit } from "./problem";

const ROWS: i32 = 64;
const MOST_COLUMNS: i32 = 65536;
const MOST_CELLS: i32 = 1 << 20;
/** Groups looked at in the row that the vit looked for falls in, where many may lack vit, and in each row above. */
const ROW_PROBES: i32 = 200;
const PROBES: i32 = 32;

/** i32[groups] each: what is free in a group. */
export let freeVit: usize = 0;
export let freeTokens: usize = 0;
/** i32[groups] each: the neighbours in the list of a cell, -1 at its ends. */
let next: usize = 0;
let previous: usize = 0;
/** i32[rows][columns]: the first group of each cell, or -1. Between runs, room for `cellRoom` i32 of the caller's. */
export let cells: usize = 0;
/** u64 of 64 cells each, and u64 of 64 such words each. */
let bits: usize = 0;
let summary: usize = 0;
/** A bit per row that is not empty. */
export let rowMask: u64 = 0;
export let rowShift: i32 = 0;
let rowCount: i32 = 0;
let columnBits: i32 = 0;
/** Free tokens of up to this many bits have columns of their own. */
let mantissa: i32 = 0;

/** Prepares for up to `size` groups; at least `cellRoom` cells. False when out of memory. */
export function openIndex(size: i32, cellRoom: i32): bool {
  freeVit = allocArray(<usize>size + 1, 4);
  freeTokens = allocArray(<usize>size + 1, 4);
  next = allocArray(<usize>size + 1, 4);
  previous = allocArray(<usize>size + 1, 4);
  rowShift = 0;
  while (maxVit >> rowShift >= ROWS) rowShift++;
  rowCount = (maxVit >> rowShift) + 1;
  // As many columns as the samples can use and the room allows.
  columnBits = 12;
  while (1 << columnBits < MOST_COLUMNS && 1 << (columnBits - 3) < size) {
    if (rowCount << (columnBits + 1) > MOST_CELLS) break;
    columnBits++;
  }
  const width = 32 - clz(maxTokens - 1);
  while (columnBits > 12 && 1 << (columnBits - 1) >= maxTokens) columnBits--;
  mantissa = columnBits - 1;
  while (mantissa > 1 && (width - mantissa + 1) << mantissa > 1 << columnBits) mantissa--;
  cells = allocArray(max(rowCount << columnBits, cellRoom), 4);
  bits = allocArray(rowCount << (columnBits - 6), 8);
  summary = allocArray(rowCount << (columnBits - 12), 8);
  return !!freeVit && !!freeTokens && !!next && !!previous && !!cells && !!bits && !!summary;
}

/** Makes the index empty. */
export function clearIndex(): void {
  rowMask = 0;
  memory.fill(cells, 0xff, (<usize>(rowCount << columnBits)) << 2);
  memory.fill(bits, 0, (<usize>(rowCount << (columnBits - 6))) << 3);
  memory.fill(summary, 0, (<usize>(rowCount << (columnBits - 12))) << 3);
}

/**
 * Columns are exact for few free tokens and about as wide as a fixed share of larger ones: full groups crowd
 * where little is free.
 */
function columnOf(t: i32): i32 {
  const e = 31 - <i32>clz<u32>(t | 1);
  if (e <= mantissa) return min(t, (1 << columnBits) - 1);
  const c = ((e - mantissa) << mantissa) + (t >> (e - mantissa));
  return min(c, (1 << columnBits) - 1);
}

/** Adds group g, which has v vit and t tokens free. */
export function insert(g: i32, v: i32, t: i32): void {
  const row = v >> rowShift;
  const column = columnOf(t);
  const cell = cells + ((<usize>((row << columnBits) | column)) << 2);
  const head = load<i32>(cell);
  store<i32>(next + ((<usize>g) << 2), head);
  store<i32>(previous + ((<usize>g) << 2), -1);
  if (head >= 0) store<i32>(previous + ((<usize>head) << 2), g);
  store<i32>(cell, g);
  const word = bits + ((<usize>((row << (columnBits - 6)) | (column >> 6))) << 3);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (column & 63)));
  const top = summary + ((<usize>((row << (columnBits - 12)) | (column >> 12))) << 3);
  store<u64>(top, load<u64>(top) | ((<u64>1) << ((column >> 6) & 63)));
  rowMask |= (<u64>1) << row;
}

/** Takes group g out, which stands under v free vit and t free tokens. */
export function remove(g: i32, v: i32, t: i32): void {
  const row = v >> rowShift;
  const column = columnOf(t);
  const after = load<i32>(next + ((<usize>g) << 2));
  const before = load<i32>(previous + ((<usize>g) << 2));
  if (after >= 0) store<i32>(previous + ((<usize>after) << 2), before);
  if (before >= 0) {
    store<i32>(next + ((<usize>before) << 2), after);
    return;
  }
  store<i32>(cells + ((<usize>((row << columnBits) | column)) << 2), after);
  if (after >= 0) return;
  const word = bits + ((<usize>((row << (columnBits - 6)) | (column >> 6))) << 3);
  const w = load<u64>(word) & ~((<u64>1) << (column & 63));
  store<u64>(word, w);
  if (w) return;
  const tops = summary + ((<usize>(row << (columnBits - 12))) << 3);
  const top = tops + ((<usize>(column >> 12)) << 3);
  store<u64>(top, load<u64>(top) & ~((<u64>1) << ((column >> 6) & 63)));
  for (let i: usize = 0; i < (<usize>8) << (columnBits - 12); i += 8) if (load<u64>(tops + i)) return;
  rowMask &= ~((<u64>1) << row);
}

/** The group of a row with the fewest free tokens that takes (v, t), or -1. */
export function findInRow(row: i32, v: i32, t: i32): i32 {
  let column = columnOf(t);
  let probes = row == v >> rowShift ? ROW_PROBES : PROBES;
  const words = bits + ((<usize>(row << (columnBits - 6))) << 3);
  const tops = summary + ((<usize>(row << (columnBits - 12))) << 3);
  while (true) {
    let x = column >> 6;
    let w = load<u64>(words + ((<usize>x) << 3)) & ((<u64>-1) << (column & 63));
    if (!w) {
      if (++x >= 1 << (columnBits - 6)) return -1;
      let y = x >> 6;
      let s = load<u64>(tops + ((<usize>y) << 3)) & ((<u64>-1) << (x & 63));
      while (!s) {
        if (++y >= 1 << (columnBits - 12)) return -1;
        s = load<u64>(tops + ((<usize>y) << 3));
      }
      x = (y << 6) | <i32>ctz(s);
      w = load<u64>(words + ((<usize>x) << 3));
    }
    column = (x << 6) | <i32>ctz(w);
    let g = load<i32>(cells + ((<usize>((row << columnBits) | column)) << 2));
    let found = -1;
    let least = 0;
    while (g >= 0) {
      const b = load<i32>(freeTokens + ((<usize>g) << 2));
      if (b >= t && load<i32>(freeVit + ((<usize>g) << 2)) >= v && (found < 0 || b < least)) {
        // In a cell of one size all are alike.
        if (column < 2 << mantissa) return g;
        found = g;
        least = b;
      }
      if (--probes <= 0) return found;
      g = load<i32>(next + ((<usize>g) << 2));
    }
    if (found >= 0) return found;
    if (++column >= 1 << columnBits) return -1;
  }
}
