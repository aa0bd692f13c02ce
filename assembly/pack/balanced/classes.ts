// Classes: samples that are alike, for a model of what groups should be made of. A class is a run of positions of one row,
// a range of vit and of tokens each, in the units that the model counts in.

import { commonDivisor } from "../../base/gcd";
import { allocArray } from "../../base/memory";
import { count, maxTokens, maxVit, rowHigh, rowStart, rows, tokensAt, vitAt } from "./problem";

/** Classes at most: the class of a sample is kept in one byte. */
const MAX_CLASSES: i32 = 96;
const MAX_VIT_UNITS: i32 = 64;
const MAX_TOKEN_UNITS: i32 = 160;

/**
 * What is planned: the end of a group, as vit and tokens. All of it when groups have few samples; the
 * start of large groups needs no plan, and short spans can be resolved more finely.
 */
export let planVit: i32 = 0;
export let planTokens: i32 = 0;
/** The same in model units. */
export let vitUnits: i32 = 0;
export let tokenUnits: i32 = 0;
/** Loads that one unit stands for, where they are whole numbers; 0 where they are rounded. */
let vitStep: i32 = 0;
let tokenStep: i32 = 0;

export let classes: i32 = 0;
/** i32[classes + 1]: first position of each, and the end. */
export const classStart: usize = memory.data(100 * 4, 16);
/** i32[classes] each: row, samples not taken yet, units that a sample takes. */
export const classRow: usize = memory.data(100 * 4, 16);
export const classLeft: usize = memory.data(100 * 4, 16);
export const classVit: usize = memory.data(100 * 4, 16);
export const classTokens: usize = memory.data(100 * 4, 16);
/** u8[classes]: whether the model may draw it. What exceeds the span of the plan only comes in at the start of a group. */
export const classPlanned: usize = memory.data(100, 16);
/** u8[count]: the class of every position. */
export let classOf: usize = 0;

/** The greatest common divisor of one load over all samples, 1 as soon as it is clear. */
function divisorOf(vit: bool): i32 {
  let divisor = 0;
  let last = 0;
  for (let p = 0; p < count && divisor != 1; p++) {
    const x = vit ? vitAt(p) : tokensAt(p);
    if (x != last) {
      divisor = commonDivisor(x, divisor);
      last = x;
    }
  }
  return divisor;
}

/** Chooses units: exact ones where they are few enough, for a model of about `states` states. */
function chooseUnits(states: i32): void {
  vitStep = 1;
  vitUnits = planVit;
  if (load<i32>(rowHigh + ((<usize>(rows - 1)) << 2)) == 0) {
    vitUnits = 0;
    vitStep = 0;
  } else if (planVit > MAX_VIT_UNITS) {
    vitStep = divisorOf(true);
    vitUnits = planVit / max(vitStep, 1);
    if (vitStep <= 1 || vitUnits > MAX_VIT_UNITS) {
      vitStep = 0;
      vitUnits = MAX_VIT_UNITS;
    }
  }
  tokenUnits = max(24, min(MAX_TOKEN_UNITS, states / (vitUnits + 1)));
  tokenStep = divisorOf(false);
  if (tokenStep > 1 && planTokens / tokenStep <= 2 * tokenUnits) tokenUnits = max(1, planTokens / tokenStep);
  else tokenStep = 0;
}

/** Lists the runs of one row and one token unit as (first position, unit, row), i32 each. Returns how many there are. */
function findCells(cells: usize): i32 {
  let cell = cells;
  for (let r = 0; r < rows; r++) {
    const end = load<i32>(rowStart + ((<usize>(r + 1)) << 2));
    let lastTokens = -1;
    let lastUnit = -1;
    for (let p = load<i32>(rowStart + ((<usize>r) << 2)); p < end; p++) {
      const t = tokensAt(p);
      if (t == lastTokens) continue;
      lastTokens = t;
      const unit = tokenStep > 0 ? t / tokenStep : <i32>((<i64>t * tokenUnits + (planTokens >> 1)) / planTokens);
      if (unit == lastUnit) continue;
      lastUnit = unit;
      store<i32>(cell, p);
      store<i32>(cell, unit, 4);
      store<i32>(cell, r, 8);
      cell += 12;
    }
  }
  return <i32>((cell - cells) / 12);
}

/** Joins neighbouring cells to classes, until there are enough samples in each, or too wide a range of tokens. */
function joinCells(cells: usize, cellCount: i32): void {
  let few = max(1, count >> 6);
  let wide = max(1, tokenUnits >> 4);
  while (true) {
    classes = 0;
    let row = -1;
    let start = 0;
    let first = 0;
    for (let i = 0; i < cellCount; i++) {
      const cell = cells + <usize>i * 12;
      const p = load<i32>(cell);
      const unit = load<i32>(cell, 4);
      const r = load<i32>(cell, 8);
      if (r == row && p - start < few && unit - first < wide) continue;
      if (classes < MAX_CLASSES) {
        store<i32>(classStart + ((<usize>classes) << 2), p);
        store<i32>(classRow + ((<usize>classes) << 2), r);
      }
      classes++;
      row = r;
      start = p;
      first = unit;
    }
    if (classes <= MAX_CLASSES) break;
    few <<= 1;
    wide <<= 1;
  }
  store<i32>(classStart + ((<usize>classes) << 2), count);
}

/** The mean of n loads in units: of `step` each, or `units` for `span`. */
function meanUnits(sum: u64, n: i32, step: i32, units: i32, span: i32): i32 {
  const mean = <f64>sum / <f64>n;
  return <i32>((step > 0 ? mean / <f64>step : (mean * <f64>units) / <f64>span) + 0.5);
}

function measureClass(k: i32): void {
  const start = load<i32>(classStart + ((<usize>k) << 2));
  const end = load<i32>(classStart + ((<usize>(k + 1)) << 2));
  const n = end - start;
  let vit: u64 = 0;
  let tokens: u64 = 0;
  for (let p = start; p < end; p++) {
    vit += vitAt(p);
    tokens += tokensAt(p);
  }
  memory.fill(classOf + <usize>start, <u8>k, n);
  store<i32>(classLeft + ((<usize>k) << 2), n);
  // Where units are exact, a row is one value.
  const v = vitStep > 0 ? vitAt(start) / vitStep : meanUnits(vit, n, 0, vitUnits, planVit);
  let t = meanUnits(tokens, n, tokenStep, tokenUnits, planTokens);
  // A sequence must end: every class takes something.
  if (v == 0 && t == 0) t = 1;
  store<i32>(classVit + ((<usize>k) << 2), min(v, vitUnits));
  store<i32>(classTokens + ((<usize>k) << 2), min(t, tokenUnits));
  const fits = <f64>vit <= <f64>planVit * <f64>n && <f64>tokens <= <f64>planTokens * <f64>n;
  store<u8>(classPlanned + <usize>k, u8(fits));
}

/** Cuts the samples into classes, for a model of about `states` states over one in `parts` of a group. False when out of memory. */
export function openClasses(states: i32, parts: i32): bool {
  planVit = max(1, maxVit / parts);
  planTokens = max(1, maxTokens / parts);
  chooseUnits(states);
  const cells = allocArray(rows * (tokenUnits + 1) + 1, 12);
  classOf = allocArray(<usize>count + 16, 1);
  if (cells == 0 || classOf == 0) return false;
  joinCells(cells, findCells(cells));
  for (let k = 0; k < classes; k++) measureClass(k);
  return true;
}
