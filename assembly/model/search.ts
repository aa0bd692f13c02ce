// The cuts with the shortest step, for equal micro-batches, by branch and bound.
//
// Stage s, which takes t = f + b per micro-batch, cannot end its last backward before
//   (time and transfers of the stages before it, there and back) + micro-batches * t + how long it must idle.
// Let `after` be the time and transfers of the stages after it. Between its first forward and its first backward, and
// between its last forward and its last backward, a micro-batch goes there and back, while 1F1B has the stage do
// `ahead` forwards or as many backwards: it idles for at least after - ahead * f, and after - ahead * b. With gpipe it
// does nothing meanwhile. floor(s, i) is the smallest possible maximum of these bounds over stages s and up on layers i
// and up. A depth-first search follows every prefix of cuts whose bound, floor included, is below the best simulated
// step, the lowest bound first; once it is through, the best step is proven. It starts from whatever cuts are offered,
// each improved by moving cuts.

import { allocArray } from "../base/memory";
import { f64At, i32At, putF64, putI32 } from "./arrays";
import { INFEASIBLE } from "./partition";
import {
  earliest,
  forwardTime,
  GPIPE,
  latest,
  layers,
  micro,
  plainTime,
  schedule,
  stages,
  transferAfter,
} from "./problem";
import { operationCount } from "./schedule";
import { openSimulation, run } from "./simulate";
import { stageTime } from "./stage";

/**
 * f64[stages + 1][layers + 1] each: the floors, and the least time and transfers of stages s and up on layers i and up.
 */
let floors: usize = 0;
let chains: usize = 0;
/** The candidate being looked at: f64[stages] each, and its cuts. */
let forwardOf: usize = 0;
let backwardOf: usize = 0;
let transferOf: usize = 0;
let trial: usize = 0;
/** i32[stages - 1]: the best so far. */
export let bestCuts: usize = 0;
export let bestStep: f64 = Infinity;
/** No cuts have a shorter step than this. */
export let stepBound: f64 = 0;
/** How many candidates were simulated. */
export let simulated: i32 = 0;
/** Work left: an operation simulated is 1, a stage weighed is WEIGHING. */
let budget: f64 = 0;
const WEIGHING: f64 = 8;
/** Per depth of the search, f64[layers + 1] and i32[layers + 1]: the bounds of the next cuts, and the cuts. */
let childBound: usize = 0;
let childCut: usize = 0;

function floorAt(s: i32, i: i32): f64 {
  return f64At(floors, s * (layers + 1) + i);
}

/** The bound that layers i .. j - 1 as stage s give by themselves. */
function boundOf(s: i32, i: i32, j: i32, time: f64): f64 {
  const own = <f64>micro * time;
  if (s == stages - 1) return own;
  const after = 2 * transferAfter(j - 1) + f64At(chains, (s + 1) * (layers + 1) + j);
  if (schedule == GPIPE) return own + after;
  const forward = forwardTime(i, j);
  const backward = time - forward;
  const ahead = <f64>(min(stages - s, micro) - 1);
  const first = max<f64>(after - ahead * forward, 0);
  const last = max<f64>(after - ahead * backward, 0);
  // If all forwards come before all backwards, both idle times are one and the same.
  return own + (micro <= stages - s ? max(first, last) : first + last);
}

/** The bound of a stage together with those after it. */
function boundFrom(s: i32, i: i32, j: i32, time: f64): f64 {
  const own = boundOf(s, i, j, time);
  return s == stages - 1 ? own : max(own, time + 2 * transferAfter(j - 1) + floorAt(s + 1, j));
}

/**
 * Fills `floors` and `chains`, the last stage first. Only what can be part of a step shorter than the best so far
 * counts, which leaves a band of cuts about as wide as a stage.
 */
function fillFloors(): void {
  for (let s = stages - 1; s >= 0; s--) {
    for (let i = 0; i <= layers; i++) putF64(floors, s * (layers + 1) + i, Infinity);
    for (let i = earliest(s); i <= latest(s); i++) {
      const limit = bestStep - plainTime(0, i);
      let least: f64 = Infinity;
      let chain: f64 = Infinity;
      for (let j = s == stages - 1 ? layers : max(earliest(s + 1), i + 1); j <= latest(s + 1); j++) {
        // The time without recomputation is at most the time with it, and cheap.
        const plain = plainTime(i, j);
        if (<f64>micro * plain >= limit) break;
        if (s < stages - 1 && floorAt(s + 1, j) == Infinity) continue;
        const bound = boundFrom(s, i, j, plain);
        const beyond = s == stages - 1 ? 0 : 2 * transferAfter(j - 1) + f64At(chains, (s + 1) * (layers + 1) + j);
        if (bound >= limit || (bound >= least && plain + beyond >= chain)) continue;
        const time = stageTime(s, i, j);
        if (time == Infinity) break;
        const exact = boundFrom(s, i, j, time);
        if (exact >= limit) continue;
        least = min(least, exact);
        chain = min(chain, time + beyond);
      }
      putF64(floors, s * (layers + 1) + i, least);
      putF64(chains, s * (layers + 1) + i, chain);
    }
  }
}

/** Prepares. The schedule is set for `stages` devices. False if out of memory. */
export function openSearch(): bool {
  floors = allocArray(<usize>(stages + 1) * <usize>(layers + 1), 8);
  chains = allocArray(<usize>(stages + 1) * <usize>(layers + 1), 8);
  forwardOf = allocArray(<usize>stages * 3, 8);
  trial = allocArray(<usize>stages * 3, 4);
  childBound = allocArray(<usize>stages * <usize>(layers + 1), 8);
  childCut = allocArray(<usize>stages * <usize>(layers + 1), 4);
  if (
    floors == 0 ||
    chains == 0 ||
    forwardOf == 0 ||
    trial == 0 ||
    childBound == 0 ||
    childCut == 0 ||
    !openSimulation()
  )
    return false;
  backwardOf = forwardOf + ((<usize>stages) << 3);
  transferOf = backwardOf + ((<usize>stages) << 3);
  bestCuts = trial + ((<usize>stages) << 2);
  restart();
  return true;
}

/** Forgets the best, after a change of what may be recomputed. */
export function restart(): void {
  bestStep = Infinity;
  simulated = 0;
  stepBound = 0;
}

/** The step time of these cuts; Infinity if a stage does not fit or has no layer. */
export function stepOf(cuts: usize): f64 {
  let i = 0;
  for (let s = 0; s < stages; s++) {
    const j = s == stages - 1 ? layers : i32At(cuts, s);
    if (j <= i || i < earliest(s) || i > latest(s)) return Infinity;
    const time = stageTime(s, i, j);
    if (time == Infinity) return Infinity;
    putF64(forwardOf, s, forwardTime(i, j));
    putF64(backwardOf, s, time - forwardTime(i, j));
    putF64(transferOf, s, transferAfter(j - 1));
    i = j;
  }
  simulated++;
  budget -= <f64>operationCount;
  return run(forwardOf, backwardOf, transferOf, true);
}

function keep(step: f64): void {
  bestStep = step;
  memory.copy(bestCuts, trial, (<usize>(stages - 1)) << 2);
}

/**
 * Moves the cuts a .. b of `trial` by `by`, and moves them back unless that shortens the step. Returns the step time.
 */
function move(a: i32, b: i32, by: i32, step: f64): f64 {
  for (let c = a; c <= b; c++) putI32(trial, c, i32At(trial, c) + by);
  const moved = stepOf(trial);
  if (moved < step) return moved;
  for (let c = a; c <= b; c++) putI32(trial, c, i32At(trial, c) - by);
  return step;
}

/** Moves runs of neighbouring cuts of `trial` by a layer or two as long as that shortens the step. */
function improve(from: f64): f64 {
  let step = from;
  let before: f64 = Infinity;
  while (step < before && budget > 0) {
    before = step;
    for (let a = 0; a < stages - 1; a++) {
      for (let b = a; b < stages - 1 && budget > 0; b++) {
        step = move(a, b, 1, step);
        step = move(a, b, -1, step);
        if (b > a) continue;
        step = move(a, b, 2, step);
        step = move(a, b, -2, step);
      }
    }
  }
  return step;
}

/** Takes cuts as a start. Returns their own step time, or INFEASIBLE. */
export function offer(cuts: usize, work: f64): f64 {
  budget = work;
  memory.copy(trial, cuts, (<usize>(stages - 1)) << 2);
  const own = stepOf(trial);
  if (own == Infinity) return INFEASIBLE;
  if (own < bestStep) keep(own);
  const better = improve(own);
  if (better < bestStep) keep(better);
  return own;
}

/** The lowest bound among what was left unseen when the budget ran out. */
let unseen: f64 = Infinity;

/** `largest`: the largest bound of the stages so far; `before`: time and transfers of the stages before s. */
function descend(s: i32, i: i32, largest: f64, before: f64): void {
  if (s == stages - 1) {
    const step = stepOf(trial);
    if (step >= bestStep) return;
    keep(step);
    const better = improve(step);
    if (better < bestStep) keep(better);
    // `improve` has moved the cuts: restore those of the search.
    for (let c = 0; c < stages - 1; c++) putI32(trial, c, i32At(childCut, c * (layers + 1) + layers));
    return;
  }
  const bounds = childBound + ((<usize>s * <usize>(layers + 1)) << 3);
  const cuts = childCut + ((<usize>s * <usize>(layers + 1)) << 2);
  let count = 0;
  for (let j = max(earliest(s + 1), i + 1); j <= latest(s + 1); j++) {
    budget -= WEIGHING;
    if (before + <f64>micro * plainTime(i, j) >= bestStep) break;
    if (max(largest, before + boundFrom(s, i, j, plainTime(i, j))) >= bestStep) continue;
    const time = stageTime(s, i, j);
    if (time == Infinity) break;
    const bound = max(largest, before + boundFrom(s, i, j, time));
    if (bound >= bestStep) continue;
    let at = count++;
    for (; at > 0 && f64At(bounds, at - 1) > bound; at--) {
      putF64(bounds, at, f64At(bounds, at - 1));
      putI32(cuts, at, i32At(cuts, at - 1));
    }
    putF64(bounds, at, bound);
    putI32(cuts, at, j);
  }
  for (let c = 0; c < count && f64At(bounds, c) < bestStep; c++) {
    if (budget <= 0) {
      unseen = min(unseen, f64At(bounds, c));
      return;
    }
    const j = i32At(cuts, c);
    const time = stageTime(s, i, j);
    putI32(trial, s, j);
    // The cut being looked at is kept after those of this depth.
    putI32(cuts, layers, j);
    descend(s + 1, j, max(largest, before + boundOf(s, i, j, time)), before + time + 2 * transferAfter(j - 1));
  }
}

/** Searches until `work` is spent or the best is proven. Sets `bestStep`, `bestCuts` and `stepBound`. */
export function searchCuts(work: f64): void {
  fillFloors();
  budget = work;
  unseen = Infinity;
  descend(0, 0, 0, 0);
  stepBound = min(unseen, bestStep);
}
