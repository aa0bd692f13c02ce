// Draws group after group. The model says which classes a group is made of; samples come at random from their class, the
// last one by look-up so that the group ends at the target token sum; what is still free is filled with whatever fits
// best. For the last few groups best fit is tried too, which is often better when little is left.

import { allocArray } from "../../base/memory";
import { randomBelow } from "../../base/pcg32";
import { BY_LARGER, BY_SUM, BY_TOKENS, fitGroups, openFit, startFit, stepFit, writeFit } from "./best-fit";
import {
  classLeft,
  classOf,
  classRow,
  classStart,
  classTokens,
  classVit,
  planTokens,
  planVit,
  tokenUnits,
  vitUnits,
} from "./classes";
import { drawClass, fitModel, openModel } from "./entropy-model";
import { firstAbove, floorOf, isFree, lastFree, nextFree, openPool, putBack, refreshFloors, takeOut } from "./pool";
import { addUp, count, maxTokens, maxVit, rowLow, rowStart, rows, sumTokens, sumVit, tokensAt, vitAt } from "./problem";

/** With fewer groups to go than this, best fit is tried on what is left. */
const LAST_GROUPS: f64 = 40;
/** Fewer samples are not worth a model. */
const FEW_SAMPLES: i32 = 64;
/** The model is fitted again each time this fraction (1 / REFITS) of the remaining groups is made. */
const REFITS: f64 = 50;
/** Rounds of a fit at most: of the first one, and of those that start from the last one. */
const FIRST_ROUNDS: i32 = 120;
const REFIT_ROUNDS: i32 = 3;
/** Goals are so much above the linear bound: at the bound itself weights grow without end. */
const REFIT_SLACK: f64 = 1.0001;
/** Samples of a row looked at for one that fits by vit too. */
const PROBES: i32 = 8;
/** Ways that best fit is tried in on what is left. */
const LAST_WAYS: i32 = 7;

/** i32[PLAN_LIMIT]: the classes drawn for the group being made. */
const PLAN_LIMIT: i32 = 500;
const plan: usize = memory.data(500 * 4, 16);

/** The packing being made: i32 positions, and where each group starts. */
let ord: usize = 0;
let off: usize = 0;
let length: i32 = 0;
/** Samples not taken yet, and their loads. */
let left: i32 = 0;
let leftVit: u64 = 0;
let leftTokens: u64 = 0;
/** Groups aimed at in all. */
let goal: f64 = 0;
/** Groups to make before the model is fitted again. */
let batch: i32 = 0;
/** Token sum that a group should end at, so that it is alike on the bound that is not tight. */
let target: i32 = 0;
/** Turn loads into shares of their bound, 2^20 being all of it. */
let vitScale: u64 = 0;
let tokenScale: u64 = 0;
/** Free vit and tokens of the group being made. */
let roomVit: i32 = 0;
let roomTokens: i32 = 0;

/** What was there when best fit was tried: groups and samples drawn, the samples left, and the best way for them. */
let tried: bool = false;
let triedDraws: i32 = 0;
let triedLength: i32 = 0;
let triedList: usize = 0;
let triedGroups: i32 = 0;
let triedOrder: i32 = 0;

/** Groups made so far. */
export let drawGroups: i32 = 0;

/** Starts a run that writes to ord (u32 a sample) and off (u32 a group + 1). False when out of memory. */
export function startDraw(ordTo: usize, offTo: usize, states: i32, slack: f64): bool {
  ord = ordTo;
  off = offTo;
  length = 0;
  drawGroups = 0;
  left = count;
  batch = 0;
  store<i32>(off, 0);
  addUp();
  leftVit = sumVit;
  leftTokens = sumTokens;
  vitScale = ((<u64>1) << 40) / <u64>maxVit;
  tokenScale = ((<u64>1) << 40) / <u64>maxTokens;
  goal = fewest() * slack;
  if (!openPool()) return false;
  tried = false;
  if (count < FEW_SAMPLES) return true;
  goal = max(goal, 1);
  // Plan for about 16 samples, and for a span that most samples fit in.
  const perGroup = <i32>min<f64>(<f64>count / goal, 1000000);
  const span = max(<f64>leftVit / <f64>count / <f64>maxVit, <f64>leftTokens / <f64>count / <f64>maxTokens);
  const parts = max(1, min(perGroup >> 4, <i32>min<f64>(1 / (8 * span), 1000000)));
  if (!openModel(states, parts)) return false;
  fitModel(goal, FIRST_ROUNDS);
  return true;
}

/** The linear bound on the groups that the remaining samples need. */
function fewest(): f64 {
  return max(<f64>leftVit / <f64>maxVit, <f64>leftTokens / <f64>maxTokens);
}

/** Takes a free sample into the group being made. */
function take(p: i32): void {
  const v = vitAt(p);
  const t = tokensAt(p);
  takeOut(p);
  const at = classLeft + ((<usize>load<u8>(classOf + p)) << 2);
  store<i32>(at, load<i32>(at) - 1);
  roomVit -= v;
  roomTokens -= t;
  leftVit -= <u64>v;
  leftTokens -= <u64>t;
  left--;
  store<i32>(ord + ((<usize>length) << 2), p);
  length++;
}

function fits(p: i32): bool {
  return vitAt(p) <= roomVit && tokensAt(p) <= roomTokens;
}

/** A random free sample of the class, or one near it in its row; -1 when the row is empty. */
function randomOf(k: i32): i32 {
  const start = load<i32>(classStart + (k << 2));
  const size = load<i32>(classStart + ((k + 1) << 2)) - start;
  for (let i = 0; i < 6; i++) {
    const p = start + <i32>randomBelow(size);
    if (isFree(p)) return p;
  }
  const r = load<i32>(classRow + (k << 2));
  let p = nextFree(start + <i32>randomBelow(size));
  if (p < load<i32>(rowStart + ((r + 1) << 2))) return p;
  p = lastFree(start + size - 1);
  return p >= load<i32>(rowStart + (r << 2)) ? p : -1;
}

/** A random free sample of all. */
function randomSample(): i32 {
  for (let i = 0; i < 8; i++) {
    const p = <i32>randomBelow(count);
    if (isFree(p)) return p;
  }
  const p = nextFree(<i32>randomBelow(count));
  return p < count ? p : lastFree(count - 1);
}

/** The free sample of the row with the most tokens up to t that also fits by vit, or -1. */
function largestUpTo(r: i32, t: i32): i32 {
  const start = load<i32>(rowStart + (r << 2));
  let p = lastFree(firstAbove(r, t) - 1);
  for (let i = 0; p >= start && i < PROBES; i++) {
    if (vitAt(p) <= roomVit) return p;
    p = lastFree(p - 1);
  }
  return -1;
}

/** The free sample of the row that brings the group nearest to the target token sum, or -1. */
function nearest(r: i32): i32 {
  const want = target - (maxTokens - roomTokens);
  const below = largestUpTo(r, min(want, roomTokens));
  if (want >= roomTokens) return below;
  const above = nextFree(firstAbove(r, want));
  if (above >= load<i32>(rowStart + ((r + 1) << 2)) || !fits(above)) return below;
  if (below < 0) return above;
  const under = want - tokensAt(below);
  const over = tokensAt(above) - want;
  return under <= over ? below : above;
}

/** Nothing of the row fits by tokens: exchange a sample of the group for a shorter one of its own row. */
function exchange(r: i32, from: i32): bool {
  const x = nextFree(load<i32>(rowStart + (r << 2)));
  if (x >= load<i32>(rowStart + ((r + 1) << 2))) return false;
  const xv = vitAt(x);
  const xt = tokensAt(x);
  if (xv > roomVit || xt <= roomTokens) return false;
  const excess = xt - roomTokens;
  takeOut(x);
  for (let i = from; i < length; i++) {
    const at = ord + ((<usize>i) << 2);
    const p = load<i32>(at);
    const k = <i32>load<u8>(classOf + p);
    const row = load<i32>(classRow + (k << 2));
    const pv = vitAt(p);
    const pt = tokensAt(p);
    const y = lastFree(firstAbove(row, pt - excess) - 1);
    if (y < load<i32>(rowStart + (row << 2))) continue;
    const yv = vitAt(y);
    if (yv - pv > roomVit - xv) continue;
    const yt = tokensAt(y);
    takeOut(y);
    putBack(p, row);
    const mine = classLeft + (k << 2);
    store<i32>(mine, load<i32>(mine) + 1);
    const other = classLeft + ((<usize>load<u8>(classOf + y)) << 2);
    store<i32>(other, load<i32>(other) - 1);
    roomVit += pv - yv;
    roomTokens += pt - yt;
    leftVit += <u64>pv - <u64>yv;
    leftTokens += <u64>pt - <u64>yt;
    store<i32>(at, y);
    putBack(x, r);
    take(x);
    return true;
  }
  putBack(x, r);
  return false;
}

/** What still fits and leaves the least room, over all rows; -1 when nothing fits. */
function bestFiller(): i32 {
  let best: u64 = <u64>-1;
  let found = -1;
  for (let r = 0; r < rows && load<i32>(rowLow + (r << 2)) <= roomVit; r++) {
    if (floorOf(r) > roomTokens) continue;
    const p = largestUpTo(r, roomTokens);
    if (p < 0) continue;
    const v = <u64>(roomVit - vitAt(p));
    const t = <u64>(roomTokens - tokensAt(p));
    const s = ((v * vitScale) >> 20) + ((t * tokenScale) >> 20);
    if (s < best) {
      best = s;
      found = p;
    }
  }
  return found;
}

/** Takes what the model draws for the free room. False when it draws nothing. */
function takePlan(from: i32): bool {
  let c = <i32>min<i64>(vitUnits, (<i64>roomVit * vitUnits) / planVit);
  let s = <i32>min<i64>(tokenUnits, (<i64>roomTokens * tokenUnits) / planTokens);
  let size = 0;
  while (size < PLAN_LIMIT) {
    const k = drawClass(c, s, size == 0);
    if (k < 0) break;
    store<i32>(plan + (size++ << 2), k);
    c -= load<i32>(classVit + ((<usize>k) << 2));
    s -= load<i32>(classTokens + ((<usize>k) << 2));
  }
  const before = length;
  for (let i = 0; i < size; i++) {
    const k = load<i32>(plan + (i << 2));
    const r = load<i32>(classRow + (k << 2));
    let p = -1;
    // Far from the target the last one is a draw too: a look-up would always take the longest.
    const want = target - (maxTokens - roomTokens);
    const reach = tokensAt(load<i32>(classStart + ((k + 1) << 2)) - 1);
    if (i < size - 1 || want >> 2 > reach) {
      p = randomOf(k);
      if (p < 0) continue;
      if (!fits(p)) p = largestUpTo(r, roomTokens);
    } else p = nearest(r);
    if (p >= 0) take(p);
    else exchange(r, from);
  }
  return length > before;
}

/** Makes a group: samples at random while there is more room than is planned, the plan, and what fills the rest. */
function makeGroup(): void {
  const from = length;
  roomVit = maxVit;
  roomTokens = maxTokens;
  while (left > 0 && roomVit > planVit && roomTokens > planTokens) {
    const p = randomSample();
    if (!fits(p)) break;
    take(p);
  }
  while (left > 0 && takePlan(from)) {
    if (roomVit < planVit >> 3 || roomTokens < planTokens >> 3) break;
  }
  if (length == from && left > 0) take(nextFree(0));
  while (left > 0) {
    const p = bestFiller();
    if (p < 0) break;
    take(p);
  }
  drawGroups++;
  store<i32>(off + ((<usize>drawGroups) << 2), length);
}

/** Makes up to `groups` groups. Returns the number of samples left, 0 when only finishDraw remains, -1 out of memory. */
export function stepDraw(groups: i32): i32 {
  if (count < FEW_SAMPLES) return tryFit() ? 0 : -1;
  while (groups > 0 && left > 0) {
    if (batch == 0) {
      const more = max(goal - <f64>drawGroups, fewest() * REFIT_SLACK);
      if (more < LAST_GROUPS && !tried && !tryFit()) return -1;
      if (drawGroups > 0) groups -= fitModel(more, REFIT_ROUNDS) >> 16;
      refreshFloors();
      batch = max(2, <i32>(more / REFITS));
      target = maxTokens;
      if (leftVit > 0) {
        const even = <f64>maxVit * (<f64>leftTokens / <f64>leftVit);
        if (even < <f64>maxTokens) target = <i32>even;
      }
    }
    const k = min(batch, max(groups, 1));
    for (let i = 0; i < k && left > 0; i++) makeGroup();
    batch -= k;
    groups -= k;
  }
  return left;
}

/** Tries best fit in several orders on the samples left. False when out of memory. */
function tryFit(): bool {
  triedList = allocArray(<usize>left + 1, 4);
  if (triedList == 0) return false;
  let n = 0;
  for (let p = nextFree(0); p < count; p = nextFree(p + 1), n++) store<i32>(triedList + ((<usize>n) << 2), p);
  if (!openFit(triedList, n)) return false;
  tried = true;
  triedDraws = drawGroups;
  triedLength = length;
  triedGroups = i32.MAX_VALUE;
  for (let i = 0; i < LAST_WAYS; i++) {
    runOrder(i);
    if (fitGroups < triedGroups) {
      triedGroups = fitGroups;
      triedOrder = i;
    }
  }
  return true;
}

/** Takes best fit for the end where it makes fewer groups than went on to be drawn. */
export function finishDraw(): void {
  if (!tried || (left == 0 && drawGroups <= triedDraws + triedGroups)) return;
  runOrder(triedOrder);
  writeFit(ord, off, triedLength, triedDraws);
  length = count;
  drawGroups = triedDraws + triedGroups;
  left = 0;
}

/** Runs best fit on what is left, in way i: three orders for two aims, and tokens for tokens. */
function runOrder(i: i32): void {
  const key = i < 2 ? BY_LARGER : i < 4 ? BY_SUM : BY_TOKENS;
  startFit(key, i < 6 ? 1 + (i & 1) : 0, 0);
  stepFit(i32.MAX_VALUE);
}
