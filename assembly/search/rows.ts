// Candidates that were tried, and their order: what a search ranks by.

import { allocArray } from "../base/memory";

/** A candidate, and what trying it gave. */
@unmanaged
export class Row {
  maxVit: i32;
  maxTokens: i32;
  minTokens: i32;
  /** Rounds to pack with. */
  rounds: i32;
  groups: i32;
  bound: i32;
  /** Samples in groups, and those beyond a bound. */
  samples: i32;
  leftOut: i32;
  ratio: f64;
  samplesPerGroup: f64;
  pad: f64;
  vitDist: f64;
  tokenDist: f64;
  attentionDist: f64;
  score: f64;
  /** How far samples per group are from the window: 0 inside, a ratio - 1 outside. */
  distance: f64;
  /** 0 may win; 1 but for its ratio; 2 is in the window; 3 is not. */
  tier: i32;
  /** 1 on the Pareto front; an i32, so that rows stay aligned. */
  pareto: i32;
}

/** Rows one after another, with or without a result. */
@unmanaged
export class Table {
  at: usize;
  count: i32;
  room: i32;

  @inline
  row(i: i32): Row {
    return changetype<Row>(this.at + <usize>i * offsetof<Row>());
  }
}

/** Makes room for `room` rows. False when out of memory. */
export function openTable(table: Table, room: i32): bool {
  table.at = allocArray(room, <u32>offsetof<Row>());
  table.count = 0;
  table.room = room;
  return table.at != 0;
}

/** Best first. */
export const RANKED: i32 = 0;
/** Along the Pareto front. */
export const BY_RATIO: i32 = 1;
/** Nearest to the window first. */
export const NEAREST: i32 = 2;
/** The published order of winners. */
export const PUBLISHED: i32 = 3;
export const BY_SCORE: i32 = 4;

function compareNumbers(a: f64, b: f64): i32 {
  return i32(a > b) - i32(a < b);
}

function compareArguments(a: Row, b: Row): i32 {
  if (a.maxVit != b.maxVit) return a.maxVit < b.maxVit ? -1 : 1;
  if (a.maxTokens != b.maxTokens) return a.maxTokens < b.maxTokens ? -1 : 1;
  return i32(a.minTokens > b.minTokens) - i32(a.minTokens < b.minTokens);
}

/** Below 0 where `a` comes first, above 0 where `b` does. */
function compare(a: Row, b: Row, by: i32): i32 {
  let order = 0;
  if (by == RANKED) {
    if (a.tier != b.tier) return a.tier < b.tier ? -1 : 1;
    if (a.tier == 3) order = compareNumbers(a.distance, b.distance);
    if (order == 0) order = compareNumbers(a.score, b.score);
    if (order == 0 && a.leftOut != b.leftOut) return a.leftOut < b.leftOut ? -1 : 1;
    if (order == 0) order = compareNumbers(a.ratio, b.ratio);
  } else if (by == BY_RATIO) {
    order = compareNumbers(a.ratio, b.ratio);
    if (order == 0) order = compareNumbers(a.score, b.score);
  } else if (by == NEAREST) {
    order = compareNumbers(a.distance, b.distance);
    if (order == 0) order = compareNumbers(a.score, b.score);
  } else {
    order = compareNumbers(a.score, b.score);
    if (by == BY_SCORE) return order;
    if (order == 0) order = compareNumbers(a.vitDist, b.vitDist);
    if (order == 0) order = compareNumbers(a.tokenDist, b.tokenDist);
  }
  return order != 0 ? order : compareArguments(a, b);
}

/** Sorts u32[n] of rows at `list`, equal ones in the order they stand; `scratch` is u32[n]. O(n log n). */
export function sortRows(table: Table, list: usize, n: i32, scratch: usize, by: i32): void {
  let from = list;
  let to = scratch;
  for (let width = 1; width < n; width <<= 1) {
    for (let left = 0; left < n; left += width << 1) {
      const middle = min(left + width, n);
      const right = min(middle + width, n);
      let i = left;
      let j = middle;
      for (let k = left; k < right; k++) {
        const a = from + ((<usize>i) << 2);
        const b = from + ((<usize>j) << 2);
        const first = i < middle && (j >= right || compare(table.row(load<i32>(a)), table.row(load<i32>(b)), by) <= 0);
        store<u32>(to + ((<usize>k) << 2), load<u32>(first ? a : b));
        if (first) i++;
        else j++;
      }
    }
    const other = from;
    from = to;
    to = other;
  }
  if (from != list) memory.copy(list, from, (<usize>n) << 2);
}

/**
 * Ranks the rows of a table into u32[count] at `list`, best first: rows in the window that leave out no more samples than
 * they may (`allowed`, below 0: as few as any does) and whose ratio is within `slack` of the best such one, by score; then
 * the others by what they lack. Returns how many may win: they come first.
 */
export function rankRows(table: Table, list: usize, scratch: usize, allowed: i32, slack: f64): i32 {
  const n = table.count;
  if (allowed < 0) {
    allowed = i32.MAX_VALUE;
    for (let i = 0; i < n; i++) {
      const row = table.row(i);
      if (row.distance == 0) allowed = min(allowed, row.leftOut);
    }
  }
  let bestRatio: f64 = Infinity;
  for (let i = 0; i < n; i++) {
    const row = table.row(i);
    row.tier = row.distance == 0 ? (row.leftOut <= allowed ? 1 : 2) : 3;
    if (row.tier == 1) bestRatio = min(bestRatio, row.ratio);
  }
  let able = 0;
  for (let i = 0; i < n; i++) {
    const row = table.row(i);
    if (row.tier == 1 && row.ratio <= bestRatio * (1 + slack)) {
      row.tier = 0;
      able++;
    }
    store<i32>(list + ((<usize>i) << 2), i);
  }
  sortRows(table, list, n, scratch, RANKED);
  return able;
}

/** Whether `a` is as good as `b` in ratio and both dists, and better in one. */
function beats(a: Row, b: Row): bool {
  if (a.ratio > b.ratio || a.vitDist > b.vitDist || a.tokenDist > b.tokenDist) return false;
  return a.ratio < b.ratio || a.vitDist < b.vitDist || a.tokenDist < b.tokenDist;
}

/** Marks the rows of list[0 .. able) that no other of them beats. O(able^2). */
export function markFront(table: Table, list: usize, able: i32): void {
  for (let i = 0; i < table.count; i++) table.row(i).pareto = 0;
  for (let i = 0; i < able; i++) {
    const row = table.row(load<i32>(list + ((<usize>i) << 2)));
    let beaten = false;
    for (let k = 0; k < able && !beaten; k++) {
      beaten = beats(table.row(load<i32>(list + ((<usize>k) << 2))), row);
    }
    row.pareto = i32(!beaten);
  }
}
