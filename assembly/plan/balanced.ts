// The balanced plan: steps whose units are alike in vit, tokens and attention, in an order that hides no curriculum.
//
// Units are cut into steps (see cuts.ts); the steps are then shuffled and the ranks dealt at random.
//
// The tail rotates: one permutation of the seed alone is walked through from epoch to epoch, so that over
// ceil(units / tail) epochs every unit is dropped (or repeated, or put into the short step) as often as any other.

import { allocArray, mark, release } from "../base/memory";
import { iota, next, seed as seedWords, torchShuffle } from "../base/mt19937";
import { sortByKey } from "../base/sort";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../base/status";
import { cutIntoSteps, openCuts, weigh } from "./cuts";
import { deal, descendingKeys, fail, finish, NONE, open, order, setShortSteps, setWord, valid, word } from "./samplers";
import { loadCount, loadOf, parts, partUnits, unitLoads, units } from "./units";

/** Tail rules. */
const DROP: i32 = 0;
const REPEAT: i32 = 1;
const SHORT: i32 = 2;

/** f64[loadCount][units]: what is evened out, or kept clear of the position. */
let keys: usize = 0;
/** Of a cost, which is one load. */
const ONE: usize = memory.data<f64>([1]);
/** Of each load: how it correlates with the position of its step, and how it would after a swap. */
const correlation: usize = memory.data(8 * 8, 16);
const swapped: usize = memory.data(8 * 8, 16);

function key(k: i32, unit: u32): f64 {
  return load<f64>(keys + ((<usize>k * <usize>units + <usize>unit) << 3));
}

/** A word that depends on all bits of both: the finaliser of MurmurHash3 over their mix. */
function mix(seed: u32, epoch: u32): u32 {
  let x = seed ^ (epoch * 0x9e3779b9);
  x = (x ^ (x >> 16)) * 0x85ebca6b;
  x = (x ^ (x >> 13)) * 0xc2b2ae35;
  return x ^ (x >> 16);
}

/** Sum of load k over a step. */
function stepLoad(at: usize, stepSize: i32, k: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < stepSize; i++) sum += key(k, word(at, i));
  return sum;
}

/** Below this, position and load of a step are taken for unrelated; what chance leaves among n steps is 1 / sqrt(n). */
const CORRELATION: f64 = 0.005;

/**
 * Takes what correlation chance has left between position and load out of the order `turns` of n steps: swaps two at
 * random where that brings the sum of squared correlations of all loads down, until each is small. Scratch:
 * f64[loads n]. Expected a few swaps; given up after 64 tries a step, at most.
 */
function decorrelate(turns: usize, n: i32, stepLoads: usize): void {
  if (n < 3) return;
  const middle = <f64>(n - 1) / 2;
  let positions: f64 = 0;
  for (let s = 0; s < n; s++) positions += (<f64>s - middle) * (<f64>s - middle);
  // Loads are centred and scaled so that the sum of position * load is the correlation itself.
  let now: f64 = 0;
  let largest: f64 = 0;
  for (let k = 0; k < loadCount; k++) {
    const own = stepLoads + ((<usize>k * <usize>n) << 3);
    let mean: f64 = 0;
    for (let s = 0; s < n; s++) mean += load<f64>(own + ((<usize>s) << 3)) / <f64>n;
    let spread: f64 = 0;
    for (let s = 0; s < n; s++) {
      const x = load<f64>(own + ((<usize>s) << 3)) - mean;
      spread += x * x;
    }
    const scale = spread > 0 ? 1 / Math.sqrt(spread * positions) : 0;
    let c: f64 = 0;
    for (let s = 0; s < n; s++) {
      const at = own + ((<usize>s) << 3);
      store<f64>(at, (load<f64>(at) - mean) * scale);
    }
    for (let s = 0; s < n; s++) c += <f64>s * load<f64>(own + ((<usize>word(turns, s)) << 3));
    store<f64>(correlation + ((<usize>k) << 3), c);
    now += c * c;
    largest = max(largest, Math.abs(c));
  }
  const bytes = (<usize>loadCount) << 3;
  const row = (<usize>n) << 3;
  for (let tries: i64 = 64 * <i64>n; tries > 0; tries--) {
    if (largest <= CORRELATION) return;
    const i = <i32>(next() % <u32>n);
    const j = <i32>(next() % <u32>n);
    const by = <f64>(j - i);
    let a = stepLoads + ((<usize>word(turns, i)) << 3);
    let b = stepLoads + ((<usize>word(turns, j)) << 3);
    let then: f64 = 0;
    let most: f64 = 0;
    for (let k: usize = 0; k < bytes; k += 8, a += row, b += row) {
      const d = load<f64>(correlation + k) + by * (load<f64>(a) - load<f64>(b));
      store<f64>(swapped + k, d);
      then += d * d;
      most = max(most, Math.abs(d));
    }
    if (then >= now) continue;
    memory.copy(correlation, swapped, bytes);
    now = then;
    largest = most;
    const x = word(turns, i);
    setWord(turns, i, word(turns, j));
    setWord(turns, j, x);
  }
}

/** keys[0] = what each unit costs; the other rows are the loads themselves, to be kept clear of the position too. */
function fillCosts(weightsAt: usize): void {
  memory.copy(keys, unitLoads, (<usize>loadCount * <usize>units) << 3);
  for (let u: usize = 0; u < <usize>units; u++) {
    let cost: f64 = 0;
    for (let k = 0; k < loadCount; k++) {
      cost += load<f64>(weightsAt + ((<usize>k) << 3)) * load<f64>(loadOf(k) + (u << 3));
    }
    store<f64>(keys + (u << 3), cost);
  }
}

/**
 * out[u] = how much work unit u is, against the others: its cost, or the weighted sum of its loads over their means.
 * f64[units].
 */
function fillWork(weightsAt: usize, cost: i32, out: usize): void {
  if (cost != 0) {
    memory.copy(out, keys, (<usize>units) << 3);
    return;
  }
  memory.fill(out, 0, (<usize>units) << 3);
  for (let k = 0; k < loadCount; k++) {
    const row = loadOf(k);
    let sum: f64 = 0;
    for (let u: usize = 0; u < (<usize>units) << 3; u += 8) sum += load<f64>(row + u);
    const each = sum > 0 ? load<f64>(weightsAt + ((<usize>k) << 3)) / sum : 0;
    for (let u: usize = 0; u < (<usize>units) << 3; u += 8) {
      store<f64>(out + u, load<f64>(out + u) + each * load<f64>(row + u));
    }
  }
}

/**
 * Plans one epoch. weightsAt: f64[loads], what unevenness in each load counts (>= 0), where a unit's load is its sum;
 * with `cost` not 0 they are instead what one of each costs, and the cost of a unit is the only load to even out.
 * tail: DROP, REPEAT or SHORT, per part. O(loads units log steps); 24 + 8 loads bytes per unit.
 */
export function balanced(ranks: i32, micro: i32, seed: u32, epoch: u32, tail: i32, weightsAt: usize, cost: i32): i32 {
  let sum: f64 = 0;
  for (let k = 0; k < loadCount; k++) {
    const weight = load<f64>(weightsAt + ((<usize>k) << 3));
    // A negated comparison, so that NaN fails it too.
    if (!(weight >= 0)) return BAD_ARGUMENT;
    sum += weight;
  }
  if (!valid(ranks, micro) || tail < DROP || tail > SHORT || !(sum < Infinity)) return BAD_ARGUMENT;
  const top = mark();
  const step = ranks * micro;
  let total: i64 = 0;
  let most: i64 = 0;
  for (let p = 0; p < parts; p++) {
    const own = ((<i64>word(partUnits, p) + (tail == DROP ? 0 : step - 1)) / step) * step;
    total += own;
    most = max(most, own);
  }
  const status = open(ranks, micro, total, 0);
  if (status != OK) return status;
  const scratchTop = mark();
  const count = <i32>(total / step);
  const chosen = allocArray(<usize>total, 4);
  const walk = allocArray(units, 4);
  const turns = allocArray(count, 4);
  const stepLoads = allocArray(<usize>count * loadCount, 8);
  const sums = allocArray(ranks, 8);
  const counts = allocArray(ranks, 4);
  keys = cost != 0 ? allocArray(<usize>units * loadCount, 8) : unitLoads;
  const descending = allocArray(micro > 1 ? <usize>units : 0, 8);
  const work = allocArray(micro > 1 ? <usize>units : 0, 8);
  const spare = allocArray(micro > 1 ? <usize>step : 0, 4);
  if (
    chosen == 0 ||
    walk == 0 ||
    turns == 0 ||
    stepLoads == 0 ||
    sums == 0 ||
    counts == 0 ||
    keys == 0 ||
    descending == 0 ||
    work == 0 ||
    spare == 0
  ) {
    return fail(top, OUT_OF_MEMORY);
  }
  if (cost != 0) {
    fillCosts(weightsAt);
    weigh(keys, ONE, 1);
  } else weigh(keys, weightsAt, loadCount);
  if (!openCuts(<i32>most, step)) return fail(top, OUT_OF_MEMORY);
  if (micro > 1) {
    fillWork(weightsAt, cost, work);
    descendingKeys(descending, work);
  }

  // The part's units in the order in which the tail walks through them; those of this epoch; whole steps; the tail.
  let first: u32 = 0;
  let at = chosen;
  let shortSteps = 0;
  const shortUnits = chosen + ((<usize>total) << 2);
  let shortAt = shortUnits;
  for (let p = 0; p < parts; p++) {
    const n = <i32>word(partUnits, p);
    seedWords(mix(seed, 0xffffffff ^ <u32>p));
    iota(walk, n);
    torchShuffle(walk, n);
    const whole = n / step;
    const rest = n % step;
    let own = whole;
    let skip = rest;
    if (rest > 0 && tail == REPEAT) {
      own++;
      skip = 0;
    }
    // Where this epoch's tail begins: its length further for each epoch.
    const moved = tail == REPEAT ? step - rest : rest;
    const from = n > 0 ? <i32>((<u64>epoch * <u64>moved) % <u64>n) : 0;
    let out = 0;
    for (let i = skip; i < n; i++) setWord(at, out++, first + word(walk, <i32>((<i64>from + i) % n)));
    for (let i = 0; out < own * step; i++) setWord(at, out++, first + word(walk, <i32>((<i64>from + i) % n)));
    if (rest > 0 && tail == SHORT) {
      shortSteps++;
      shortAt -= (<usize>step) << 2;
      for (let i = 0; i < step; i++) {
        setWord(shortAt, i, i < rest ? first + word(walk, <i32>((<i64>from + i) % n)) : NONE);
      }
    }
    seedWords(mix(mix(seed, epoch), <u32>p));
    torchShuffle(at, out);
    cutIntoSteps(at, own);
    at += (<usize>out) << 2;
    first += n;
  }

  const wholeSteps = count - shortSteps;
  seedWords(mix(mix(seed, epoch), 0x5bd1e995));
  iota(turns, wholeSteps);
  torchShuffle(turns, wholeSteps);
  for (let s = 0; s < wholeSteps; s++) {
    const from = chosen + ((<usize>s * <usize>step) << 2);
    for (let k = 0; k < loadCount; k++) {
      store<f64>(stepLoads + ((<usize>k * <usize>wholeSteps + s) << 3), stepLoad(from, step, k));
    }
  }
  decorrelate(turns, wholeSteps, stepLoads);
  for (let s = 0; s < count; s++) {
    const from = chosen + ((<usize>(s < wholeSteps ? word(turns, s) : s) * <usize>step) << 2);
    const to = order + ((<usize>s * <usize>step) << 2);
    if (s >= wholeSteps) {
      // The short step: one unit to each rank in turn, so that ranks differ by one at most.
      for (let i = 0; i < step; i++) setWord(to, (i % ranks) * micro + i / ranks, word(from, i));
      continue;
    }
    torchShuffle(from, step);
    if (micro == 1) memory.copy(to, from, (<usize>step) << 2);
    else {
      sortByKey(from, step, descending, spare);
      deal(from, to, ranks, micro, <i32>(next() % <u32>ranks), work, sums, counts);
    }
  }
  setShortSteps(shortSteps);
  release(scratchTop);
  return finish(top);
}
