// What a group should be made of. A group is drawn as a sequence of classes, class k with weight w[k], among all
// sequences that fit the bounds in units:
//   ways[c, s]  = weighted number of sequences of exactly c vit and s token units
//   total[c, s] = weighted number of sequences of at most that: the prefix sums of ways
// Weights are fitted until a group is expected to use each class in proportion to what is left of it (the maximum of
// entropy for those expectations): then the pool drains evenly and fills every group.
//
// Floats only make the weights; draws are decided on tables of integers. Sums, products and quotients alone are used, so
// the bits are the same on every host.

import { exp, log } from "../../base/exp-log";
import { allocArray } from "../../base/memory";
import { randomBelow } from "../../base/pcg32";
import {
  classes,
  classLeft,
  classPlanned,
  classStart,
  classTokens,
  classVit,
  openClasses,
  tokenUnits,
  vitUnits,
} from "./classes";
import { count } from "./problem";

/** f64[classes] each: w; how often a group is expected to use it; how fast log w moves. */
const weight: usize = memory.data(100 * 8, 16);
const expected: usize = memory.data(100 * 8, 16);
const speed: usize = memory.data(100 * 8, 16);

/** What part of a group is planned. */
let share: f64 = 1;
/** Entries in a row of the tables. */
let stride: i32 = 0;
/** f64[vitUnits + 1][stride] each; `mirrored` is `ways` with its rows backwards. */
let ways: usize = 0;
let mirrored: usize = 0;
let total: usize = 0;
/** u32[states][classes + 1]: running sums to draw from, made when a state is first met after a fit. */
let tables: usize = 0;
/** i32[states]: the fit that the table of a state belongs to. */
let stamps: usize = 0;
let fit: i32 = 0;

/** Prepares a model of about `states` states, to plan one in `parts` of a group. False when out of memory. */
export function openModel(states: i32, parts: i32): bool {
  if (!openClasses(states, parts)) return false;
  share = 1 / <f64>parts;
  stride = tokenUnits + 1;
  for (let k: usize = 0; k < <usize>classes; k++) {
    const n = load<i32>(classStart + (k << 2), 4) - load<i32>(classStart + (k << 2));
    store<f64>(weight + (k << 3), load<u8>(classPlanned + k) ? <f64>n / <f64>count : 0);
    store<f64>(speed + (k << 3), 0);
  }
  const size = <usize>((vitUnits + 1) * stride);
  ways = allocArray(size, 24);
  stamps = allocArray(size, 4);
  tables = allocArray(size * <usize>(classes + 1), 4);
  if (ways == 0 || stamps == 0 || tables == 0) return false;
  mirrored = ways + size * 8;
  total = mirrored + size * 8;
  memory.fill(stamps, 0, size * 4);
  fit = 0;
  return true;
}

/** target += w * source over n floats. */
function addScaled(target: usize, source: usize, n: i32, w: f64): void {
  const ww = f64x2.splat(w);
  const end = target + ((<usize>(n & ~1)) << 3);
  while (target < end) {
    v128.store(target, f64x2.add(v128.load(target), f64x2.mul(ww, v128.load(source))));
    target += 16;
    source += 16;
  }
  if (n & 1) store<f64>(target, load<f64>(target) + w * load<f64>(source));
}

/** The scalar product of n floats. */
function product(a: usize, b: usize, n: i32): f64 {
  let sum = f64x2.splat(0);
  const end = a + ((<usize>(n & ~1)) << 3);
  while (a < end) {
    sum = f64x2.add(sum, f64x2.mul(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
  }
  let result = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  if (n & 1) result += load<f64>(a) * load<f64>(b);
  return result;
}

/** Fills the tables for the weights as they are. */
function fillWays(): void {
  const width = (<usize>stride) << 3;
  memory.fill(ways, 0, width * <usize>(vitUnits + 1));
  store<f64>(ways, 1);
  let flat = 0;
  while (flat < classes && load<i32>(classVit + (flat << 2)) == 0) flat++;
  for (let c = 0; c <= vitUnits; c++) {
    const row = ways + <usize>c * width;
    for (let k = flat; k < classes; k++) {
      const v = load<i32>(classVit + (k << 2));
      const w = load<f64>(weight + (k << 3));
      if (v > c || w == 0) continue;
      const t = load<i32>(classTokens + (k << 2));
      addScaled(row + ((<usize>t) << 3), ways + <usize>(c - v) * width, stride - t, w);
    }
    if (flat > 0) fillFlat(row, flat);
  }
  for (let c = 0; c <= vitUnits; c++) {
    const row = <usize>c * width;
    let sum: f64 = 0;
    for (let s = 0; s < stride; s++) {
      const at = row + ((<usize>s) << 3);
      const x = load<f64>(ways + at);
      sum += x;
      store<f64>(total + at, c == 0 ? sum : sum + load<f64>(total + at - width));
      store<f64>(mirrored + row + ((<usize>(tokenUnits - s)) << 3), x);
    }
  }
}

/** Classes without vit lead from a row of the table to the same row. */
function fillFlat(row: usize, flat: i32): void {
  for (let s = 1; s < stride; s++) {
    const at = row + ((<usize>s) << 3);
    let x = load<f64>(at);
    for (let k = 0; k < flat; k++) {
      const t = load<i32>(classTokens + (k << 2));
      if (t <= s) x += load<f64>(weight + (k << 3)) * load<f64>(at - ((<usize>t) << 3));
    }
    store<f64>(at, x);
  }
}

/** How often a group is expected to use each class. */
function fillExpected(): void {
  const width = (<usize>stride) << 3;
  const all = load<f64>(total + <usize>vitUnits * width + ((<usize>tokenUnits) << 3));
  for (let k = 0; k < classes; k++) {
    const w = load<f64>(weight + (k << 3));
    let sum: f64 = 0;
    if (w > 0) {
      const v = load<i32>(classVit + (k << 2));
      const t = load<i32>(classTokens + (k << 2));
      for (let c = 0; c + v <= vitUnits; c++) {
        sum += product(
          mirrored + <usize>(vitUnits - v - c) * width + ((<usize>t) << 3),
          total + <usize>c * width,
          stride - t,
        );
      }
    }
    store<f64>(expected + (k << 3), (w * sum) / all);
  }
}

/** `fillWays`, with weights that do not leave the floats. */
function fillBounded(): void {
  fillWays();
  const last = total + ((<usize>((vitUnits + 1) * stride - 1)) << 3);
  // Near the bound weights grow without end: keep them far from the end of the floats.
  for (let i = 0; i < 128 && !(load<f64>(last) < 1e200); i++) {
    for (let k = 0; k < classes; k++) {
      const at = weight + (k << 3);
      store<f64>(at, load<f64>(at) * 0.5);
    }
    fillWays();
  }
}

/** Fits the weights to what is left, for `groups` more groups, in `rounds` rounds at most. Returns its cost in multiplications. */
export function fitModel(groups: f64, rounds: i32): i32 {
  for (let k = 0; k < classes; k++) {
    const at = weight + (k << 3);
    if (load<i32>(classLeft + (k << 2)) == 0 || !load<u8>(classPlanned + <usize>k)) {
      store<f64>(at, 0);
      store<f64>(speed + (k << 3), 0);
    } else if (load<f64>(at) < 1e-30) store<f64>(at, 1e-6);
  }
  for (let i = 0; i < rounds; i++) {
    fillBounded();
    fillExpected();
    let off: f64 = 0;
    let sum: f64 = 0;
    for (let k = 0; k < classes; k++) {
      const left = load<i32>(classLeft + (k << 2));
      if (left == 0 || !load<u8>(classPlanned + <usize>k)) continue;
      const want = (<f64>left / groups) * share;
      const have = max(load<f64>(expected + (k << 3)), 1e-12);
      off += abs(want - have);
      sum += want;
      let d = 0.7 * log(want / have) + 0.9 * load<f64>(speed + (k << 3));
      d = max(-1.5, min(1.5, d));
      store<f64>(speed + (k << 3), d);
      const w = load<f64>(weight + (k << 3)) * exp(d);
      store<f64>(weight + (k << 3), max(1e-30, min(1e30, w)));
    }
    if (off < sum * 2e-4) break;
  }
  fillBounded();
  fit++;
  return rounds * classes * (vitUnits + 1) * stride;
}

/** The running sums for one state: the first entry is the end of the group, then class after class. */
function fillTable(state: i32, c: i32, s: i32, table: usize): void {
  const at = total + ((<usize>state) << 3);
  const scale = 1e9 / load<f64>(at);
  let x: f64 = 1;
  store<u32>(table, <u32>scale);
  for (let k = 0; k < classes; k++) {
    const w = load<f64>(weight + (k << 3));
    const v = load<i32>(classVit + (k << 2));
    const t = load<i32>(classTokens + (k << 2));
    if (w > 0 && v <= c && t <= s) x += w * load<f64>(at - ((<usize>(v * stride + t)) << 3));
    store<u32>(table + ((<usize>(k + 1)) << 2), <u32>(x * scale));
  }
}

/** Draws the next class at c and s free units; -1 ends the group, which `first` forbids if anything fits. */
export function drawClass(c: i32, s: i32, first: bool): i32 {
  const state = c * stride + s;
  const table = tables + ((<usize>(state * (classes + 1))) << 2);
  if (load<i32>(stamps + ((<usize>state) << 2)) != fit) {
    store<i32>(stamps + ((<usize>state) << 2), fit);
    fillTable(state, c, s, table);
  }
  const end = load<u32>(table);
  const all = load<u32>(table + ((<usize>classes) << 2));
  if (all <= end) return -1;
  const u = first ? end + randomBelow(all - end) : randomBelow(all);
  if (u < end) return -1;
  let lo = 1;
  let hi = classes;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (load<u32>(table + ((<usize>mid) << 2)) > u) hi = mid;
    else lo = mid + 1;
  }
  return lo - 1;
}
