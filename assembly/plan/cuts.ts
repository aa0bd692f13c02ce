// Cuts units into steps that are alike inside, like a k-d tree: in two again and again, at multiples of a step, along the
// load whose cut leaves the two halves most even. A cut falls anywhere in the middle quarter, so that the neighbours of a
// unit change from epoch to epoch.
//
// A large piece is cut by what its first units say, which are a random sample, as the order is drawn at random and kept
// by every cut: one pass over one load. Small pieces, of SMALL units at most, are cut with all their loads at hand: a list
// of the units by each load, split with each cut, so that a cut takes as long as reading the lists.

import { alloc, allocArray } from "../base/memory";
import { next } from "../base/mt19937";
import { setWord, word } from "./samplers";
import { units } from "./units";

/** Their loads fit a core's cache, and their numbers 16 bits. */
const SMALL: i32 = 32768;
/**
 * Pieces of so many steps are cut by each guide, and the most even order of each kept: 1 to 6 % less waste for half the
 * time again. Where all units are one small piece, each guide has several tries.
 */
const FINE: i32 = 8;
const TRIES: i32 = 4;
let tries: i32 = 1;
/** How many of a large piece are looked at to choose the load that it is cut along. */
const SAMPLE: i32 = 4096;

/**
 * How the unevenness of a piece guides the cuts. None is best everywhere, so each is tried and the most even plan kept.
 * What the piece would waste as one step is the aim itself, but blind to a few light units: they cost the same wherever
 * they are, until they fill a step of their own. The standard deviation sees them, its 2/3 power more so. Measured, sum
 * of the dists of vit and tokens (of attention too) on 1.2 M samples at 64 ranks: .0019, .0015, .0003 (.013, .012, .015).
 */
const WASTE: i32 = 0;
const DEVIATION: i32 = 1;
const SEPARATION: i32 = 2;
const GUIDES: i32 = 3;
/**
 * Large pieces are cut once: those of at most so many steps by waste (the others leave 2 to 11 % more of it at 512 ranks),
 * those of more by separation: waste would leave the light units where they are until it is too late.
 */
const NEAR_STEPS: i32 = 1024;

/** Loads that are evened out, their columns f64[units], and their weights. */
let active: i32 = 0;
const columns: usize = memory.data(8 * 4, 16);
const weights: usize = memory.data(8 * 8, 16);
/** Units of a step. */
let step: i32 = 0;
/** Bytes of a unit in `values`: its active loads, two at a time. */
let stride: usize = 0;

// Of a small piece: its loads, f64[count][stride / 8]; lists of u16 by each load, as sorted and as cut; the best order.
let values: usize = 0;
let sorted: usize = 0;
let lists: usize = 0;
let best: usize = 0;
/** Of a fine piece: its lists before it is cut, and its best order. */
let kept: usize = 0;
let fine: usize = 0;
let listBytes: usize = 0;
/** u8[SMALL]: what goes to the left. */
let isLeft: usize = 0;
/** u64[SMALL] each: keys and numbers, to sort. */
let records: usize = 0;
let spare: usize = 0;
/** Of a large piece, or a copy of a small one: its keys and its units. */
let keys: usize = 0;
let copies: usize = 0;

const DIGIT: u32 = 2047;
const histogram: usize = memory.data(2048 * 4, 16);
/** Sum, sum of squares, largest of two loads: v128 each. */
const tallies: usize = memory.data(8 * 2 * 3 * 8, 16);

function weightOf(k: i32): f64 {
  return load<f64>(weights + ((<usize>k) << 3));
}

function columnOf(k: i32): usize {
  return load<u32>(columns + ((<usize>k) << 2));
}

/** The upper half of a load's bits, which order as the loads do: alike to 5e-7 are the same. */
function keyOf(column: usize, unit: u32): u32 {
  return load<u32>(column + ((<usize>unit) << 3), 4);
}

/** Adds up a pair of loads over u16 units from .. end. */
export function tally(from: usize, end: usize, pair: usize, out: usize): void {
  let sum = f64x2.splat(0);
  let squares = sum;
  let most = sum;
  const bytes = stride;
  for (; from < end; from += 2) {
    const x = v128.load(pair + <usize>load<u16>(from) * bytes);
    sum = f64x2.add(sum, x);
    squares = f64x2.add(squares, f64x2.mul(x, x));
    most = f64x2.pmax(most, x);
  }
  v128.store(out, sum);
  v128.store(out, squares, 16);
  v128.store(out, most, 32);
}

/** Weighted sum over loads of count * (the guide's measure of spread / most), of u16[count] units. */
function unevenness(list: usize, count: i32, guide: i32): f64 {
  const n = <f64>count;
  const end = list + ((<usize>count) << 1);
  let uneven: f64 = 0;
  for (let k = 0; k < active; k++) {
    const at = tallies + ((<usize>(k & 1)) << 3);
    if ((k & 1) == 0) tally(list, end, values + ((<usize>k) << 3), tallies);
    const sum = load<f64>(at);
    const most = load<f64>(at, 32);
    if (most == 0) continue;
    if (guide == WASTE) {
      uneven += weightOf(k) * (n - sum / most);
      continue;
    }
    const variance = max<f64>(load<f64>(at, 16) * n - sum * sum, 0) / (most * most * n * n);
    uneven += weightOf(k) * n * (guide == DEVIATION ? Math.sqrt(variance) : Math.cbrt(variance));
  }
  return uneven;
}

/** Counts the digits of u64 records, for the places of `scatter`. */
export function countDigits(from: usize, end: usize, shift: u64): void {
  memory.fill(histogram, 0, 2048 * 4);
  for (; from < end; from += 8) {
    const at = histogram + ((<usize>((load<u64>(from) >> shift) & DIGIT)) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
}

export function scatter(from: usize, end: usize, shift: u64, to: usize): void {
  for (; from < end; from += 8) {
    const x = load<u64>(from);
    const at = histogram + ((<usize>((x >> shift) & DIGIT)) << 2);
    const place = load<u32>(at);
    store<u32>(at, place + 1);
    store<u64>(to + ((<usize>place) << 3), x);
  }
}

/** Sorts the records of `count` units by their keys, bits 32 .. 62; equal ones keep their order. Returns where they are. */
function sortRecords(count: i32): usize {
  let from = records;
  let to = spare;
  const bytes = (<usize>count) << 3;
  for (let shift: u64 = 32; shift < 64; shift += 11) {
    countDigits(from, from + bytes, shift);
    let sum: u32 = 0;
    let largest: u32 = 0;
    for (let d: usize = 0; d < 2048 * 4; d += 4) {
      const own = load<u32>(histogram + d);
      store<u32>(histogram + d, sum);
      sum += own;
      largest = max(largest, own);
    }
    if (largest == <u32>count) continue;
    scatter(from, from + bytes, shift, to);
    const swap = from;
    from = to;
    to = swap;
  }
  return from;
}

function listOf(base: usize, k: i32): usize {
  return base + <usize>k * listBytes;
}

/** Lists `count` units by load k; those alike in it as in the list by load `ties`, or by number where that is -1. */
function listBy(k: i32, ties: i32, count: i32): void {
  const own = values + ((<usize>k) << 3);
  const before = listOf(sorted, ties);
  for (let i = 0; i < count; i++) {
    const id = <usize>(ties < 0 ? i : <i32>load<u16>(before + ((<usize>i) << 1)));
    store<u64>(records + ((<usize>i) << 3), ((<u64>load<u32>(own + id * stride, 4)) << 32) | <u64>id);
  }
  const from = sortRecords(count);
  const list = listOf(sorted, k);
  for (let i: usize = 0; i < <usize>count; i++) store<u16>(list + (i << 1), load<u16>(from + (i << 3)));
}

/** Has the loads of `count` units at hand, and lists of them by each load; `tied`: ties are settled by the load before. */
function gather(at: usize, count: i32, tied: bool): void {
  for (let k = 0; k < active; k++) {
    const column = columnOf(k);
    let value = values + ((<usize>k) << 3);
    for (let i = 0; i < count; i++, value += stride) {
      store<f64>(value, load<f64>(column + ((<usize>word(at, i)) << 3)));
    }
  }
  if ((active & 1) != 0) {
    for (let i = 0, at = values + ((<usize>active) << 3); i < count; i++, at += stride) store<f64>(at, 0);
  }
  for (let k = 0; k < active; k++) listBy(k, tied ? k - 1 : -1, count);
  if (tied && active > 1) listBy(0, active - 1, count);
}

/** Marks u16 units. */
export function markAll(from: usize, end: usize, value: u32): void {
  for (; from < end; from += 2) store<u8>(isLeft + <usize>load<u16>(from), value);
}

/** Moves the units that are marked to the front of a list; both sides keep their order. */
export function divide(from: usize, end: usize): void {
  let left = from;
  let right = spare;
  for (let at = from; at < end; at += 2) {
    const i = load<u16>(at);
    const goes = <usize>load<u8>(isLeft + <usize>i);
    store<u16>(left, i);
    store<u16>(right, i);
    left += goes << 1;
    right += (goes ^ 1) << 1;
  }
  memory.copy(left, spare, end - left);
}

/** Steps of the left side: the middle quarter, steps * 3/8 .. steps * 5/8, at least one step on either side. */
function drawLeft(steps: i32): i32 {
  const spread = steps >> 2;
  const drawn = (steps >> 1) - (spread >> 1) + (spread > 0 ? <i32>(next() % <u32>(spread + 1)) : 0);
  return min(max(drawn, 1), steps - 1);
}

/** The load whose cut after `left` of `count` units leaves both sides most even. */
function bestLoad(base: usize, from: i32, count: i32, left: i32, guide: i32): i32 {
  let least: f64 = Infinity;
  let load = 0;
  for (let k = 0; k < active; k++) {
    const list = listOf(base, k) + ((<usize>from) << 1);
    const uneven = unevenness(list, left, guide) + unevenness(list + ((<usize>left) << 1), count - left, guide);
    if (uneven >= least) continue;
    least = uneven;
    load = k;
  }
  return load;
}

/** What the steps from .. from + steps * step of the first list waste. */
function wasteOf(from: i32, steps: i32): f64 {
  let waste: f64 = 0;
  let list = lists + ((<usize>from) << 1);
  for (let s = 0; s < steps; s++, list += (<usize>step) << 1) waste += unevenness(list, step, WASTE);
  return waste;
}

/** Cuts a piece of FINE steps at most, `tries` times by each guide, and leaves the order that wastes least in the first list. */
function cutFine(from: i32, steps: i32): void {
  const start = (<usize>from) << 1;
  const bytes = (<usize>(steps * step)) << 1;
  for (let k = 0; k < active; k++) memory.copy(listOf(kept, k), listOf(lists, k) + start, bytes);
  let least: f64 = Infinity;
  for (let t = 0; t < tries * GUIDES; t++) {
    if (t > 0) for (let k = 0; k < active; k++) memory.copy(listOf(lists, k) + start, listOf(kept, k), bytes);
    cutLists(from, steps, t % GUIDES, true);
    const waste = wasteOf(from, steps);
    if (waste >= least) continue;
    least = waste;
    memory.copy(fine, lists + start, bytes);
  }
  memory.copy(lists + start, fine, bytes);
}

/** Cuts the units from .. from + steps * step of `lists`. Recursion: at most log(steps) / log(8 / 5) deep. */
function cutLists(from: i32, steps: i32, guide: i32, isFine: bool): void {
  if (steps < 2) return;
  if (!isFine && steps <= FINE) {
    cutFine(from, steps);
    return;
  }
  const left = drawLeft(steps);
  const count = steps * step;
  const leftCount = left * step;
  const by = bestLoad(lists, from, count, leftCount, guide);
  const start = (<usize>from) << 1;
  const middle = start + ((<usize>leftCount) << 1);
  const end = start + ((<usize>count) << 1);
  const own = listOf(lists, by);
  markAll(own + start, own + middle, 1);
  markAll(own + middle, own + end, 0);
  for (let k = 0; k < active; k++) {
    if (k != by) divide(listOf(lists, k) + start, listOf(lists, k) + end);
  }
  cutLists(from, left, guide, isFine);
  cutLists(from + leftCount, steps - left, guide, isFine);
}

/** Cuts a small piece by each guide in turn, and leaves the order in which steps waste least. */
function cutSmall(at: usize, steps: i32): void {
  const count = steps * step;
  if (steps < 2) return;
  gather(at, count, true);
  let order = sorted;
  if (active > 1) {
    let least: f64 = Infinity;
    for (let guide = 0; guide < GUIDES; guide++) {
      memory.copy(lists, sorted, <usize>active * listBytes);
      cutLists(0, steps, guide, false);
      const waste = wasteOf(0, steps);
      if (waste >= least) continue;
      least = waste;
      memory.copy(best, lists, (<usize>count) << 1);
    }
    order = best;
  }
  memory.copy(copies, at, (<usize>count) << 2);
  for (let i = 0; i < count; i++) setWord(at, i, word(copies, <i32>load<u16>(order + ((<usize>i) << 1))));
}

/** Copies the keys of u32[count] units. */
export function gatherKeys(at: usize, count: i32, column: usize): void {
  for (let i = 0; i < count; i++) setWord(keys, i, keyOf(column, word(at, i)));
}

/** Counts a digit of the keys that begin with `prefix`. */
export function countKeys(end: usize, shift: u32, prefix: u32): void {
  memory.fill(histogram, 0, 2048 * 4);
  // Beyond the highest digit nothing is left to compare.
  const above = shift + 11;
  for (let at = keys; at < end; at += 4) {
    const key = load<u32>(at);
    const place = histogram + ((<usize>((key >> shift) & DIGIT)) << 2);
    store<u32>(place, load<u32>(place) + u32(<u32>(<u64>key >> above) == prefix));
  }
}

/** Moves units of a key below `key`, and the first `equal` of it, to the front; both sides keep their order. */
export function divideLarge(at: usize, count: i32, key: u32, equal: i32): void {
  let left = at;
  let right = copies;
  for (let i = 0; i < count; i++) {
    const unit = word(at, i);
    const own = word(keys, i);
    const same = i32(own == key);
    const goes = <usize>(i32(own < key) | (same & i32(equal > 0)));
    equal -= same;
    store<u32>(left, unit);
    store<u32>(right, unit);
    left += goes << 2;
    right += (goes ^ 1) << 2;
  }
  memory.copy(left, copies, right - copies);
}

/** Moves the `left` units that are smallest by load k to the front: a radix select, four passes. */
function splitLarge(at: usize, count: i32, left: i32, k: i32): void {
  gatherKeys(at, count, columnOf(k));
  const end = keys + ((<usize>count) << 2);
  let prefix: u32 = 0;
  let before = left;
  for (let shift: i32 = 22; shift >= 0; shift -= 11) {
    countKeys(end, shift, prefix);
    let digit: u32 = 0;
    for (; ; digit++) {
      const own = <i32>load<u32>(histogram + ((<usize>digit) << 2));
      if (before < own) break;
      before -= own;
    }
    prefix = (prefix << 11) | digit;
  }
  divideLarge(at, count, prefix, before);
}

/**
 * Cuts u32[steps * step] units, in random order, into steps that are alike inside. Along one load alone that is the order
 * by it, which no cuts can beat. O(loads^2 units log steps) for pieces that are small, O(units) for each cut above them.
 * Recursion: as `cutLists`.
 */
export function cutIntoSteps(at: usize, steps: i32): void {
  while (steps > 1 && steps * step > SMALL) {
    const count = steps * step;
    const left = drawLeft(steps);
    const leftCount = left * step;
    let by = 0;
    if (active > 1) {
      gather(at, SAMPLE, false);
      by = bestLoad(sorted, 0, SAMPLE, <i32>((<i64>SAMPLE * left) / steps), steps > NEAR_STEPS ? SEPARATION : WASTE);
    }
    splitLarge(at, count, leftCount, by);
    cutIntoSteps(at, left);
    at += (<usize>leftCount) << 2;
    steps -= left;
  }
  cutSmall(at, steps);
}

/** What is evened out: row k of f64[loads][units] by weight k, f64[loads]; loads of weight 0 are left out. */
export function weigh(rows: usize, loadWeights: usize, loads: i32): void {
  active = 0;
  for (let k = 0; k < loads; k++) {
    const weight = load<f64>(loadWeights + ((<usize>k) << 3));
    if (weight == 0) continue;
    store<f64>(weights + ((<usize>active) << 3), weight);
    store<u32>(columns + ((<usize>active) << 2), <u32>(rows + ((<usize>k * <usize>units) << 3)));
    active++;
  }
  stride = (<usize>((active + 1) >> 1)) << 4;
}

/** Room to cut pieces of `most` units into steps of `unitsOfStep`, after `weigh`. False where there is none. */
export function openCuts(most: i32, unitsOfStep: i32): bool {
  step = unitsOfStep;
  tries = most > SMALL ? 1 : TRIES;
  const small = <usize>min(most, SMALL);
  listBytes = (small * 2 + 15) & ~15;
  values = allocArray(small, <u32>stride);
  sorted = allocArray(listBytes, active);
  lists = allocArray(listBytes, active);
  kept = allocArray(listBytes, active);
  best = alloc(listBytes);
  fine = alloc(listBytes);
  isLeft = alloc(small);
  records = allocArray(small, 8);
  spare = allocArray(small, 8);
  keys = allocArray(most > SMALL ? <usize>most : 0, 4);
  copies = allocArray(most, 4);
  return (
    values != 0 &&
    sorted != 0 &&
    lists != 0 &&
    kept != 0 &&
    best != 0 &&
    fine != 0 &&
    isLeft != 0 &&
    records != 0 &&
    spare != 0 &&
    keys != 0 &&
    copies != 0
  );
}
