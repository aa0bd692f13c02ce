// Packs a stream: samples go into a bounded buffer, and whenever it is full one group leaves it.
//
// A group begins with the oldest sample, so none waits for more groups than there are samples before it. Its other
// samples are drawn. A sample's class is its place on a grid over both loads; F[c][s] = 1 + sum over classes k of
// weight_k F[c - vit_k][s - tokens_k] is the weight of all ways to go on with c and s units free (the 1 is to stop),
// and class k comes next with probability weight_k F[c - vit_k][s - tokens_k] / F[c][s]. Weights are fitted, a step
// now and then, so that groups are expected to use up the classes in the proportion that the buffer holds of them:
// then nothing hard to place piles up, and every group is drawn at random among those that fill well. Of a class the
// oldest sample is taken; where nothing more can follow, the one that ends nearest to the target sum of tokens. What
// still fits after that is put in, largest first: a group that leaves is one to which nothing looked at can be added.
//
// Two loads guide the draw: vit and tokens, or whichever two the host puts in their places. More loads only bound the groups, or
// are added up: a sample that one of them has no room for is not taken.
//
// Everything is a function of the samples in order, the bounds, the size of the buffer and the seed.

import { alloc, mark, release } from "../base/memory";
import {
  BAD_ARGUMENT,
  DAMAGED_STATE,
  FOREIGN_STATE,
  failAt,
  failAtLoad,
  NEGATIVE_TOKENS,
  NEGATIVE_VIT,
  OK,
  OUT_OF_MEMORY,
} from "../base/status";
import { MAX_LOADS, MOST } from "../loads/loads";
import * as packing from "./packing";

/**
 * The format version of saved states: how they are laid out, and how a packer goes on from them. Whatever changes a group
 * that comes out of a resumed packer makes a new version, with a state of it in tests/vectors; comments and speed do not.
 */
const FORMAT: u32 = 1;
/** The format where there are more loads than two, or a label. */
const FORMAT_MORE: u32 = 2;
/** "obst" in little endian. */
const MAGIC: u32 = 0x7473626f;

/** Samples per push at most. */
export const PIECE: i32 = 4096;
const MAX_BUFFER: i32 = 1_000_000;

/**
 * Units of the grid: vit counts tiles, few and whole, so that up to 63 of them are a unit each. Class and state (c, s)
 * have number c * STRIDE + s.
 */
const VIT_UNITS: i32 = 63;
const COARSE_VIT_UNITS: i32 = 24;
const TOKEN_UNITS: i32 = 32;
const STRIDE: i32 = 64;
const CLASSES: i32 = (VIT_UNITS + 1) * STRIDE;
/** About how many samples the grid spans; the rest of larger groups is filled with the oldest ones. */
const SPAN: f64 = 12;
/** Samples of a class that are looked at. */
const LOOK: i32 = 16;
/** Classes drawn in vain before a group is only filled up. */
const MISSES: i32 = 4;
/** Steps of the first fit on a grid, and how much work (classes x states) they may be; later fits are one step. */
const FIRST_ROUNDS: i32 = 300;
const LEAST_ROUNDS: i32 = 30;
const FIRST_WORK: i32 = 40_000_000;
/** Groups between two fits: so many, or more where a fit is much work: one in so much of it. */
const FIT_EVERY: i32 = 256;
const FIT_SELDOM: i32 = 4096;
const WORK_BITS: i32 = 9;
/** Fewer samples are not worth a fit. */
const FEW: i32 = 64;

// A sample in the buffer, 32 bytes: its loads, index and class, and its neighbours in its class and by age.
const VIT: usize = 0;
const TOKENS: usize = 4;
const INDEX: usize = 8;
const CLASS: usize = 12;
const NEXT: usize = 16;
const PREV: usize = 20;
const NEWER: usize = 24;
const OLDER: usize = 28;
const SLOT_BITS: u32 = 5;

// A class, 32 bytes: its first and last sample and how many; how often a group is expected to use it; its weight,
// negative while it has no part in the model; units of either load.
const FIRST: usize = 0;
const LAST: usize = 4;
const HELD: usize = 8;
const LISTED: usize = 12;
const USE: usize = 16;
const WEIGHT: usize = 24;
const CLASS_BITS: u32 = 5;

let maxVit: i32 = 0;
let maxTokens: i32 = 0;
let buffer: i32 = 0;
let seed: u32 = 0;
/** Samples pushed so far; the next one has this index. */
export let taken: i32 = 0;
/** Samples in the buffer, fewer than it can hold. */
export let pending: i32 = 0;
let sumVit: u64 = 0;
let sumTokens: u64 = 0;
let random: u64 = 0;

let oldest: usize = 0;
let newest: usize = 0;
let vacant: usize = 0;
let classes: usize = 0;
/** u32[listed]: classes that ever held a sample, in that order. */
let list: usize = 0;
let listed: i32 = 0;
/** f64[CLASSES] each: F, and the chance that a group passes a state. */
let ways: usize = 0;
let passes: usize = 0;

// The grid: how far it spans, in units of how many.
let planVit: i32 = 0;
let planTokens: i32 = 0;
let vitUnits: i32 = 0;
let tokenUnits: i32 = 0;
/** Where groups are to end, so that they are alike in the load that is not tight. */
let target: i32 = 0;
/** Groups until the weights are fitted again, and whether they ever were on this grid. */
let untilFit: i32 = 0;
let fitted: bool = false;

/** i32[PIECE] vit, then as many tokens: where a piece is put before a push. */
export let input: usize = 0;
let order: usize = 0;
let offsets: usize = 0;
let vitOut: usize = 0;
let tokensOut: usize = 0;
let attentionOut: usize = 0;
let oversize: usize = 0;
let oversizeCount: i32 = 0;
let groups: i32 = 0;
let length: i32 = 0;
// Of the group being made.
let roomVit: i32 = 0;
let roomTokens: i32 = 0;

/** Loads beside the two that guide the draw. */
export let more: i32 = 0;
/** u64[more]: their bounds, and what is left of them in the group being made. */
const mostOfMore: usize = memory.data(64, 16);
const roomOfMore: usize = memory.data(64, 16);
let slots: usize = 0;
/** f64[buffer][more]: the further loads of each slot. */
let valuesOfMore: usize = 0;
/** f64[more][PIECE]: where they are put before a push, and f64[groups][more] what groups have of them. */
export let inputOfMore: usize = 0;
export let sumsOfMore: usize = 0;
/** u8[labelBytes]: what the host wants to find in a saved state. */
export let label: usize = 0;
export let labelBytes: u32 = 0;
const MOST_LABEL: u32 = 65536;

/** The further loads of a sample in the buffer. */
function moreOf(p: usize): usize {
  return valuesOfMore + ((p - slots) >> SLOT_BITS) * ((<usize>more) << 3);
}

function slotVit(p: usize): i32 {
  return load<i32>(p, VIT);
}

function slotTokens(p: usize): i32 {
  return load<i32>(p, TOKENS);
}

function classAt(k: i32): usize {
  return classes + ((<usize>k) << CLASS_BITS);
}

function vitOf(k: i32): i32 {
  return k >>> 6;
}

function tokensOf(k: i32): i32 {
  return k & (STRIDE - 1);
}

function unitsOfVit(span: i32): i32 {
  return span <= VIT_UNITS ? span : COARSE_VIT_UNITS;
}

/** Units of a load, to the nearest. */
function toUnits(x: i32, span: i32, units: i32): i32 {
  return <i32>min<u64>((<u64>x * units + (span >>> 1)) / span, units);
}

/** Starts a packer. 1 <= maxVit, maxTokens; 1 <= buffer <= 1,000,000. */
export function begin(vitBound: i32, tokenBound: i32, size: i32, from: u32): i32 {
  return beginMore(vitBound, tokenBound, size, from, 0, 0, 0, 0);
}

/**
 * Starts a packer with `loads` more loads, of the bounds f64[loads], whole numbers from 1 to 2^53 - 1. A label, u8[bytes], is
 * saved with the state and comes back with it.
 */
export function beginMore(
  vitBound: i32,
  tokenBound: i32,
  size: i32,
  from: u32,
  loads: i32,
  bounds: usize,
  labelAt: usize,
  bytes: u32,
): i32 {
  if (vitBound < 1 || tokenBound < 1 || size < 1 || size > MAX_BUFFER) return BAD_ARGUMENT;
  if (loads < 0 || loads > MAX_LOADS - 1 || bytes > MOST_LABEL) return BAD_ARGUMENT;
  for (let k: usize = 0; k < <usize>loads; k++) {
    const bound = load<f64>(bounds + (k << 3));
    if (!(bound >= 1 && bound <= <f64>MOST && Math.floor(bound) == bound)) return BAD_ARGUMENT;
    store<u64>(mostOfMore + (k << 3), <u64>bound);
  }
  const most: usize = max(size, PIECE);
  const before = mark();
  const values = alloc(((<usize>size + most + PIECE) * loads) << 3);
  const text = alloc(bytes);
  slots = alloc(
    ((<usize>size) << SLOT_BITS) +
      CLASSES * ((1 << CLASS_BITS) + 20) +
      PIECE * 12 +
      ((<usize>size + PIECE) << 2) +
      most * 20 +
      4,
  );
  if (slots == 0 || values == 0 || text == 0) {
    release(before);
    return OUT_OF_MEMORY;
  }
  more = loads;
  valuesOfMore = values;
  sumsOfMore = values + ((<usize>size * loads) << 3);
  inputOfMore = sumsOfMore + ((most * loads) << 3);
  memory.copy(text, labelAt, bytes);
  label = text;
  labelBytes = bytes;
  classes = slots + ((<usize>size) << SLOT_BITS);
  ways = classes + (CLASSES << CLASS_BITS);
  passes = ways + CLASSES * 8;
  attentionOut = passes + CLASSES * 8;
  list = attentionOut + (most << 3);
  input = list + CLASSES * 4;
  oversize = input + PIECE * 8;
  order = oversize + PIECE * 4;
  vitOut = order + ((<usize>size + PIECE) << 2);
  tokensOut = vitOut + (most << 2);
  offsets = tokensOut + (most << 2);
  maxVit = vitBound;
  maxTokens = tokenBound;
  buffer = size;
  seed = from;
  random = from;
  taken = 0;
  vacant = 0;
  for (let i = size - 1; i >= 0; i--) {
    const p = slots + ((<usize>i) << SLOT_BITS);
    store<usize>(p, vacant, NEXT);
    vacant = p;
  }
  pending = 0;
  sumVit = 0;
  sumTokens = 0;
  oldest = 0;
  newest = 0;
  untilFit = 0;
  setGrid(maxVit, maxTokens);
  return OK;
}

function setGrid(vitSpan: i32, tokenSpan: i32): void {
  planVit = vitSpan;
  planTokens = tokenSpan;
  vitUnits = unitsOfVit(vitSpan);
  tokenUnits = min(tokenSpan, TOKEN_UNITS);
  target = maxTokens;
  listed = 0;
  fitted = false;
  memory.fill(classes, 0, CLASSES << CLASS_BITS);
  memory.fill(ways, 0, CLASSES * 8);
}

/** A u64 constant: as one literal it would be read as a rounded one by tools that take this for JavaScript. */
function word(high: u32, low: u32): u64 {
  return ((<u64>high) << 32) | low;
}

/** The next word of splitmix64. */
function nextRandom(): u64 {
  random += word(0x9e3779b9, 0x7f4a7c15);
  let z = random;
  z = (z ^ (z >> 30)) * word(0xbf58476d, 0x1ce4e5b9);
  z = (z ^ (z >> 27)) * word(0x94d049bb, 0x133111eb);
  return z ^ (z >> 31);
}

/** Puts a sample at the end of its class. */
function link(p: usize): void {
  const v = toUnits(slotVit(p), planVit, vitUnits);
  let t = toUnits(slotTokens(p), planTokens, tokenUnits);
  if ((v | t) == 0) t = 1;
  const k = v * STRIDE + t;
  const c = classAt(k);
  const last = load<usize>(c, LAST);
  if (last == 0) store<usize>(c, p, FIRST);
  else store<usize>(last, p, NEXT);
  store<usize>(c, p, LAST);
  store<i32>(c, load<i32>(c, HELD) + 1, HELD);
  if (load<i32>(c, LISTED) == 0) addClass(k, -1);
  store<usize>(p, c, CLASS);
  store<usize>(p, last, PREV);
  store<usize>(p, 0, NEXT);
}

function addClass(k: i32, weight: f64): void {
  store<i32>(list + ((<usize>listed) << 2), k);
  listed++;
  store<i32>(classAt(k), 1, LISTED);
  store<f64>(classAt(k), weight, WEIGHT);
}

/** Puts a sample into the buffer; its further loads are f64 at `from`, `step` bytes apart. */
function put(vit: i32, tokens: i32, index: i32, from: usize, step: usize): void {
  const p = vacant;
  vacant = load<usize>(p, NEXT);
  for (let k = 0, to = moreOf(p); k < more; k++, to += 8, from += step) store<f64>(to, load<f64>(from));
  store<i32>(p, vit, VIT);
  store<i32>(p, tokens, TOKENS);
  store<i32>(p, index, INDEX);
  store<usize>(p, newest, OLDER);
  store<usize>(p, 0, NEWER);
  if (newest == 0) oldest = p;
  else store<usize>(newest, p, NEWER);
  newest = p;
  link(p);
  pending++;
  sumVit += vit;
  sumTokens += tokens;
}

/** Moves a sample from the buffer to the group being made. */
function take(p: usize): void {
  const c = load<usize>(p, CLASS);
  const next = load<usize>(p, NEXT);
  const prev = load<usize>(p, PREV);
  if (prev == 0) store<usize>(c, next, FIRST);
  else store<usize>(prev, next, NEXT);
  if (next == 0) store<usize>(c, prev, LAST);
  else store<usize>(next, prev, PREV);
  store<i32>(c, load<i32>(c, HELD) - 1, HELD);
  const newer = load<usize>(p, NEWER);
  const older = load<usize>(p, OLDER);
  if (older == 0) oldest = newer;
  else store<usize>(older, newer, NEWER);
  if (newer == 0) newest = older;
  else store<usize>(newer, older, OLDER);
  store<usize>(p, vacant, NEXT);
  vacant = p;
  const vit = slotVit(p);
  const tokens = slotTokens(p);
  pending--;
  sumVit -= vit;
  sumTokens -= tokens;
  roomVit -= vit;
  roomTokens -= tokens;
  if (more > 0) takeMore(p);
  store<i32>(order + ((<usize>length) << 2), load<i32>(p, INDEX));
  length++;
  const at = attentionOut + ((<usize>groups) << 3);
  store<f64>(at, load<f64>(at) + <f64>tokens * <f64>tokens);
}

function takeMore(p: usize): void {
  const values = moreOf(p);
  for (let at: usize = 0; at < (<usize>more) << 3; at += 8) {
    store<u64>(roomOfMore + at, load<u64>(roomOfMore + at) - <u64>load<f64>(values + at));
  }
}

function fits(p: usize): bool {
  return slotVit(p) <= roomVit && slotTokens(p) <= roomTokens && (more == 0 || fitsMore(moreOf(p), roomOfMore, 8));
}

/** Whether further loads, f64 each `step` bytes apart, are within u64 bounds or rooms. */
function fitsMore(values: usize, rooms: usize, step: usize): bool {
  for (let k = 0; k < more; k++, values += step, rooms += 8) {
    if (<u64>load<f64>(values) > load<u64>(rooms)) return false;
  }
  return true;
}

/** F for the weights as they are. */
export function countWays(): void {
  for (let c = 0; c <= vitUnits; c++) {
    const row = ways + c * STRIDE * 8;
    for (let s = 0; s <= tokenUnits; s++) store<f64>(row + (s << 3), 1);
    for (let i = 0; i < listed; i++) {
      const k = load<i32>(list + (i << 2));
      const v = vitOf(k);
      const weight = load<f64>(classAt(k), WEIGHT);
      if (v == 0 || v > c || weight <= 0) continue;
      const t = tokensOf(k);
      let from = row - v * STRIDE * 8;
      const end = row + (tokenUnits << 3);
      for (let to = row + (t << 3); to <= end; to += 8, from += 8)
        store<f64>(to, load<f64>(to) + weight * load<f64>(from));
    }
    // Classes of no vit units follow one another within the row.
    for (let s = 1; s <= tokenUnits; s++) {
      let sum = load<f64>(row + (s << 3));
      for (let i = 0; i < listed; i++) {
        const t = load<i32>(list + (i << 2));
        if (t > s) continue;
        const weight = load<f64>(classAt(t), WEIGHT);
        if (weight > 0) sum += weight * load<f64>(row + ((s - t) << 3));
      }
      store<f64>(row + (s << 3), sum);
    }
  }
}

/** How often a group is expected to use each class. */
export function countUses(): void {
  memory.fill(passes, 0, CLASSES * 8);
  store<f64>(passes + ((vitUnits * STRIDE + tokenUnits) << 3), 1);
  for (let i = 0; i < listed; i++) store<f64>(classAt(load<i32>(list + (i << 2))), 0, USE);
  for (let c = vitUnits; c >= 0; c--) {
    const row = (c * STRIDE) << 3;
    for (let s = tokenUnits; s >= 0; s--) {
      const at = row + (s << 3);
      const pass = load<f64>(passes + at);
      if (pass == 0) continue;
      const share = pass / load<f64>(ways + at);
      store<f64>(passes + at, share);
      for (let i = 0; i < listed; i++) {
        const t = load<i32>(list + (i << 2));
        if (t > s) continue;
        use(classAt(t), share, at - (t << 3));
      }
    }
    for (let i = 0; i < listed; i++) {
      const k = load<i32>(list + (i << 2));
      const v = vitOf(k);
      const kind = classAt(k);
      const weight = load<f64>(kind, WEIGHT);
      if (v == 0 || v > c || weight <= 0) continue;
      const t = tokensOf(k);
      let sum: f64 = 0;
      let at = row - ((v * STRIDE) << 3);
      for (let s = t; s <= tokenUnits; s++, at += 8) {
        const p = load<f64>(passes + row + (s << 3)) * weight * load<f64>(ways + at);
        sum += p;
        store<f64>(passes + at, load<f64>(passes + at) + p);
      }
      store<f64>(kind, load<f64>(kind, USE) + sum, USE);
    }
  }
}

function use(kind: usize, share: f64, at: i32): void {
  const weight = load<f64>(kind, WEIGHT);
  if (weight <= 0) return;
  const p = share * weight * load<f64>(ways + at);
  store<f64>(kind, load<f64>(kind, USE) + p, USE);
  store<f64>(passes + at, load<f64>(passes + at) + p);
}

/** Whether two spans differ by more than half. */
function differ(a: f64, b: f64): bool {
  return a > 1.5 * b || b > 1.5 * a;
}

/** Moves the weights so that a group is expected to use each class in proportion to what the buffer holds of it. */
function adjust(): void {
  const bound = max(<f64>sumVit / <f64>maxVit, <f64>sumTokens / <f64>maxTokens);
  const part = min<f64>(1, (SPAN * bound) / <f64>pending);
  const vitSpan = max(1, <i32>(<f64>maxVit * part));
  const tokenSpan = max(1, <i32>(<f64>maxTokens * part));
  if (differ(vitSpan, planVit) || differ(tokenSpan, planTokens)) {
    setGrid(vitSpan, tokenSpan);
    for (let p = oldest; p != 0; p = load<usize>(p, NEWER)) link(p);
  }
  target = maxTokens;
  if (sumVit > 0) target = <i32>min<f64>(<f64>maxTokens, <f64>maxVit * (<f64>sumTokens / <f64>sumVit));
  const all = max<f64>(1, max(<f64>sumVit / <f64>planVit, <f64>sumTokens / <f64>planTokens) * 1.0001);
  const work = listed * (vitUnits + 1) * (tokenUnits + 1);
  untilFit = min(FIT_SELDOM, max(FIT_EVERY, work >> WORK_BITS));
  let rounds = fitted ? 1 : max(LEAST_ROUNDS, min(FIRST_ROUNDS, FIRST_WORK / work));
  fitted = true;
  for (let i = 0; i < listed; i++) {
    const kind = classAt(load<i32>(list + (i << 2)));
    const weight = abs(load<f64>(kind, WEIGHT));
    const held = load<i32>(kind, HELD);
    store<f64>(kind, held > 0 ? weight : -weight, WEIGHT);
  }
  for (; rounds > 0; rounds--) {
    countWays();
    countUses();
    const full = load<f64>(ways + ((vitUnits * STRIDE + tokenUnits) << 3)) > 1e60;
    for (let i = 0; i < listed; i++) {
      const kind = classAt(load<i32>(list + (i << 2)));
      const weight = load<f64>(kind, WEIGHT);
      if (weight <= 0) continue;
      const want = <f64>load<i32>(kind, HELD) / all;
      const ratio = min<f64>(full ? 1 : 2, max<f64>(0.5, want / max<f64>(load<f64>(kind, USE), 1e-30)));
      store<f64>(kind, max<f64>(1e-30, weight * ratio * sqrt(ratio)), WEIGHT);
    }
  }
  countWays();
}

/** The class that the model draws for the free room; 0 to stop. */
export function drawClass(c: i32, s: i32): usize {
  const at = ways + ((c * STRIDE + s) << 3);
  let left = (<f64>(nextRandom() >> 11) / 9007199254740992) * load<f64>(at) - 1;
  if (left < 0) return 0;
  let kind: usize = 0;
  for (let i = 0; i < listed; i++) {
    const k = load<i32>(list + (i << 2));
    const v = vitOf(k);
    const t = tokensOf(k);
    if (v > c || t > s) continue;
    const weight = load<f64>(classAt(k), WEIGHT);
    if (weight <= 0) continue;
    kind = classAt(k);
    left -= weight * load<f64>(at - (k << 3));
    if (left < 0) break;
  }
  return kind;
}

/** The sample of a class to take with a number of units free: the oldest, or the best one if it is the last; or 0. */
function choose(kind: usize, c: i32, s: i32): usize {
  const k = <i32>((kind - classes) >> CLASS_BITS);
  const last = load<f64>(ways + ((c * STRIDE + s - k) << 3)) == 1;
  const want = target - (maxTokens - roomTokens);
  let best: usize = 0;
  let least = i32.MAX_VALUE;
  let p = load<usize>(kind, FIRST);
  for (let i = 0; i < LOOK && p != 0; i++, p = load<usize>(p, NEXT)) {
    if (!fits(p)) continue;
    if (!last) return p;
    const off = abs(slotTokens(p) - want);
    if (off < least) {
      least = off;
      best = p;
    }
  }
  return best;
}

/** The largest sample found that fits the free room, or 0. */
export function findFiller(c: i32, s: i32): usize {
  const vitScale = 0x7fffffff / maxVit;
  const tokenScale = 0x7fffffff / maxTokens;
  let best: usize = 0;
  let most: u64 = 0;
  for (let i = 0; i < listed; i++) {
    const k = load<i32>(list + (i << 2));
    if (vitOf(k) > c || tokensOf(k) > s) continue;
    let p = load<usize>(classAt(k), FIRST);
    for (let i = 0; i < LOOK && p != 0; i++, p = load<usize>(p, NEXT)) {
      if (!fits(p)) continue;
      const size = <u64>slotVit(p) * vitScale + <u64>slotTokens(p) * tokenScale + 1;
      if (size > most) {
        most = size;
        best = p;
      }
    }
  }
  return best;
}

function makeGroup(): void {
  if (untilFit == 0 && pending >= FEW) {
    adjust();
  }
  if (untilFit > 0) untilFit--;
  roomVit = maxVit;
  roomTokens = maxTokens;
  memory.copy(roomOfMore, mostOfMore, 64);
  store<f64>(attentionOut + ((<usize>groups) << 3), 0);
  take(oldest);
  while (pending > 0 && roomVit > planVit && roomTokens > planTokens && fits(oldest)) take(oldest);
  let misses = 0;
  while (misses < MISSES && pending > 0) {
    const c = toUnits(roomVit, planVit, vitUnits);
    const s = toUnits(roomTokens, planTokens, tokenUnits);
    const kind = drawClass(c, s);
    if (kind == 0) break;
    const p = choose(kind, c, s);
    if (p != 0) take(p);
    else misses++;
  }
  while (pending > 0) {
    const c = toUnits(roomVit, planVit, vitUnits);
    const s = toUnits(roomTokens, planTokens, tokenUnits);
    const p = findFiller(c, max(s, 1));
    if (p == 0) break;
    take(p);
  }
  const at = (<usize>groups) << 2;
  store<i32>(vitOut + at, maxVit - roomVit);
  store<i32>(tokensOut + at, maxTokens - roomTokens);
  const sums = sumsOfMore + <usize>groups * ((<usize>more) << 3);
  for (let k: usize = 0; k < (<usize>more) << 3; k += 8) {
    store<f64>(sums + k, <f64>(load<u64>(mostOfMore + k) - load<u64>(roomOfMore + k)));
  }
  groups++;
  store<i32>(offsets + at, length, 4);
}

function startOutput(): void {
  groups = 0;
  length = 0;
  oversizeCount = 0;
  store<i32>(offsets, 0);
}

function publish(): void {
  packing.setGroups(order, offsets, groups, vitOut, tokensOut, attentionOut);
  packing.setOversize(oversize, oversizeCount);
}

/** Takes the next samples, `count` of them at `input`, and hands the groups that became full to `packing...`. */
export function push(count: i32): i32 {
  if (count < 0 || count > PIECE || count > i32.MAX_VALUE - taken) return BAD_ARGUMENT;
  for (let i = 0; i < count; i++) {
    const at = input + (i << 2);
    if (load<i32>(at) < 0) return failAt(NEGATIVE_VIT, i);
    if (load<i32>(at, PIECE * 4) < 0) return failAt(NEGATIVE_TOKENS, i);
    for (let k = 0; k < more; k++) {
      const x = load<f64>(inputOfMore + ((k * PIECE + i) << 3));
      if (!(x >= 0 && x <= <f64>MOST && Math.floor(x) == x)) return failAtLoad(i, k + 2);
    }
  }
  startOutput();
  for (let i = 0; i < count; i++) {
    const at = input + (i << 2);
    const vit = load<i32>(at);
    const tokens = load<i32>(at, PIECE * 4);
    const index = taken++;
    const others = inputOfMore + (i << 3);
    if (vit > maxVit || tokens > maxTokens || !fitsMore(others, mostOfMore, PIECE << 3)) {
      store<i32>(oversize + (oversizeCount << 2), index);
      oversizeCount++;
      continue;
    }
    put(vit, tokens, index, others, PIECE << 3);
    if (pending == buffer) makeGroup();
  }
  publish();
  return OK;
}

/** Empties the buffer: hands all its samples in groups to `packing...`. */
export function flush(): void {
  startOutput();
  while (pending > 0) makeGroup();
  publish();
}

// A saved packer, little endian: a header, {f64 weight, u32 class, u32 0}[listed], {i32 vit, tokens, index}[pending] by
// ascending index, and a u64 hash of all before it. Header, u32 each: magic, format, maxVit, maxTokens, buffer, seed, taken,
// pending, the generator's u64, planVit, planTokens, target, untilFit, listed, whether the model is fitted.
// Format 2 has after the header u32 further loads, u32 label bytes, f64[loads] bounds and the label, filled up with zeros to
// a multiple of 8, and after each sample f64[loads].
const HEADER: u32 = 64;

/** What format 2 has after the header; nothing in format 1. */
function partsOfMore(loads: u32, bytes: u32): u32 {
  return loads + bytes == 0 ? 0 : 8 + (loads << 3) + ((bytes + 7) & ~7);
}

function sizeOfState(classCount: u32, samples: u32, loads: u32, bytes: u32): u64 {
  const sample = <u64>(12 + (loads << 3));
  return <u64>HEADER + partsOfMore(loads, bytes) + 8 + ((<u64>classCount) << 4) + <u64>samples * sample;
}

/** Each step is one-to-one in the word and in the hash before it: no single changed word goes unseen. */
function hash(from: usize, end: usize): u64 {
  let h: u64 = word(0xcbf29ce4, 0x84222325);
  for (let at = from; at < end; at += 4) {
    h = (h ^ load<u32>(at)) * 0x100000001b3;
    h ^= h >> 29;
  }
  return h;
}

/** Bytes that `save` writes now. */
export function stateBytes(): u32 {
  return <u32>sizeOfState(listed, pending, more, labelBytes);
}

/** Writes the state at `to`; the packer goes on as if nothing had been. */
export function save(to: usize): void {
  store<u32>(to, MAGIC);
  store<u32>(to, more + labelBytes == 0 ? FORMAT : FORMAT_MORE, 4);
  store<i32>(to, maxVit, 8);
  store<i32>(to, maxTokens, 12);
  store<i32>(to, buffer, 16);
  store<u32>(to, seed, 20);
  store<i32>(to, taken, 24);
  store<i32>(to, pending, 28);
  store<u64>(to, random, 32);
  store<i32>(to, planVit, 40);
  store<i32>(to, planTokens, 44);
  store<i32>(to, target, 48);
  store<i32>(to, untilFit, 52);
  store<i32>(to, listed, 56);
  store<i32>(to, fitted ? 1 : 0, 60);
  let at = to + HEADER;
  const parts = partsOfMore(more, labelBytes);
  if (parts > 0) {
    memory.fill(at, 0, parts);
    store<u32>(at, more);
    store<u32>(at, labelBytes, 4);
    for (let k: usize = 0; k < (<usize>more) << 3; k += 8) {
      store<f64>(at + 8 + k, <f64>load<u64>(mostOfMore + k));
    }
    memory.copy(at + 8 + (more << 3), label, labelBytes);
    at += parts;
  }
  for (let i = 0; i < listed; i++, at += 16) {
    const k = load<i32>(list + (i << 2));
    store<f64>(at, load<f64>(classAt(k), WEIGHT));
    store<i64>(at, k, 8);
  }
  for (let p = oldest; p != 0; p = load<usize>(p, NEWER), at += 12) {
    store<i32>(at, slotVit(p));
    store<i32>(at, slotTokens(p), 4);
    store<i32>(at, load<i32>(p, INDEX), 8);
    memory.copy(at + 12, moreOf(p), more << 3);
    at += more << 3;
  }
  store<u64>(at, hash(to, at));
}

function between(at: usize, low: i32, high: i32): bool {
  const x = load<i32>(at);
  return x >= low && x <= high;
}

function isWholeLoad(x: f64, most: f64): bool {
  return x >= 0 && x <= most && Math.floor(x) == x;
}

/**
 * Whether a packer can have written these bytes. The hash finds damage, not intent: whatever is used as a place, a count
 * or a weight is looked at, so that hostile bytes make a packer that keeps its bounds, or none.
 */
function isWhole(at: usize, bytes: u32): bool {
  if (bytes < HEADER + 8) return false;
  const classCount = load<u32>(at, 56);
  const samples = load<u32>(at, 28);
  const isMore = load<u32>(at, 4) == FORMAT_MORE;
  const loads = isMore ? load<u32>(at, HEADER) : 0;
  const text = isMore ? load<u32>(at, HEADER + 4) : 0;
  if (loads > <u32>MAX_LOADS - 1 || text > MOST_LABEL || (isMore && loads + text == 0)) return false;
  if (sizeOfState(classCount, samples, loads, text) != bytes) return false;
  const end = at + bytes - 8;
  if (hash(at, end) != load<u64>(end)) return false;
  const vitBound = load<i32>(at, 8);
  const tokenBound = load<i32>(at, 12);
  if (vitBound < 1 || tokenBound < 1 || !between(at + 16, 1, MAX_BUFFER) || !between(at + 24, 0, i32.MAX_VALUE))
    return false;
  if (samples >= load<u32>(at, 16) || classCount > <u32>CLASSES || !between(at + 60, 0, 1)) return false;
  if (!between(at + 40, 1, vitBound) || !between(at + 44, 1, tokenBound)) return false;
  if (!between(at + 48, 0, tokenBound) || !between(at + 52, 0, FIT_SELDOM)) return false;
  const vitTop = unitsOfVit(load<i32>(at, 40));
  const tokenTop = min(load<i32>(at, 44), TOKEN_UNITS);
  for (let k: usize = 0; k < <usize>loads; k++) {
    const bound = load<f64>(at + HEADER + 8 + (k << 3));
    if (!(bound >= 1) || !isWholeLoad(bound, <f64>MOST)) return false;
  }
  const first = at + HEADER + partsOfMore(loads, text);
  let p = first;
  for (const stop = p + (classCount << 4); p < stop; p += 16) {
    const weight = abs(load<f64>(p));
    if (!(weight >= 1e-30 && weight <= 1e100)) return false;
    const k = load<u64>(p, 8);
    if (k >= <u64>CLASSES || vitOf(<i32>k) > vitTop || tokensOf(<i32>k) > tokenTop || k == 0) return false;
    for (let q = first; q < p; q += 16) if (load<u64>(q, 8) == k) return false;
  }
  let before = -1;
  for (; p < end; p += 12 + (loads << 3)) {
    if (!between(p, 0, vitBound) || !between(p + 4, 0, tokenBound)) return false;
    for (let k: usize = 0; k < (<usize>loads) << 3; k += 8) {
      if (!isWholeLoad(load<f64>(p + 12 + k), load<f64>(at + HEADER + 8 + k))) return false;
    }
    if (load<i32>(p, 8) <= before) return false;
    before = load<i32>(p, 8);
  }
  return before < load<i32>(at, 24);
}

/** Starts the packer that was saved in u8[bytes] at `at`. Nothing is changed unless it answers 0. */
export function restore(at: usize, bytes: u32): i32 {
  if (bytes < 8 || load<u32>(at) != MAGIC) return FOREIGN_STATE;
  const isMore = load<u32>(at, 4) == FORMAT_MORE;
  if (!isMore && load<u32>(at, 4) != FORMAT) return FOREIGN_STATE;
  if (!isWhole(at, bytes)) return DAMAGED_STATE;
  const loads = isMore ? load<u32>(at, HEADER) : 0;
  const text = isMore ? load<u32>(at, HEADER + 4) : 0;
  const bounds = at + HEADER + 8;
  const from = load<u32>(at, 20);
  const size = load<i32>(at, 16);
  const status = beginMore(load<i32>(at, 8), load<i32>(at, 12), size, from, loads, bounds, bounds + (loads << 3), text);
  if (status != OK) return status;
  taken = load<i32>(at, 24);
  random = load<u64>(at, 32);
  setGrid(load<i32>(at, 40), load<i32>(at, 44));
  target = load<i32>(at, 48);
  untilFit = load<i32>(at, 52);
  let p = at + HEADER + partsOfMore(loads, text);
  for (const stop = p + (load<u32>(at, 56) << 4); p < stop; p += 16) addClass(load<i32>(p, 8), load<f64>(p));
  for (const stop = at + bytes - 8; p < stop; p += 12 + (loads << 3)) {
    put(load<i32>(p), load<i32>(p, 4), load<i32>(p, 8), p + 12, 8);
  }
  fitted = load<i32>(at, 60) != 0;
  if (fitted) countWays();
  return OK;
}
