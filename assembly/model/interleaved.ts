// Interleaved stages: a device has several chunks, which share its memory. A heuristic: start from cuts that even out
// the virtual stages, and move them as long as that shortens the simulated step. What a device recomputes is chosen by
// the knapsack of cover.ts for the micro-batches in flight at its peak, and again with more to free if the peak has
// moved.

import { allocArray } from "../base/memory";
import { f64At, i32At, putF64, putI32 } from "./arrays";
import { clearItems, cover, insertItem } from "./cover";
import { INFEASIBLE } from "./partition";
import {
  firstLeast,
  forward,
  forwardTime,
  freed,
  heldBytes,
  keptBytes,
  lastLeast,
  layers,
  memoryBound,
  parameterBytes,
  plainTime,
  stages,
  transferAfter,
} from "./problem";
import { deviceOf, devices, forwards, numberOf, operationCount, virtualStageOf } from "./schedule";
import { openSimulation, run } from "./simulate";
import { JOINT, markGiven, mode } from "./stage";

/** How often a device's choice is made, as its peak may move. */
const ROUNDS: i32 = 8;

let trial: usize = 0;
/** f64[stages] each, per virtual stage. */
let forwardOf: usize = 0;
let backwardOf: usize = 0;
let transferOf: usize = 0;
/** Bytes of a micro-batch in flight. */
let bytesOf: usize = 0;
/** i32[stages] each: micro-batches in flight now, and at the peak of the device. */
let flying: usize = 0;
let flyingMost: usize = 0;
/** f64[devices] each: the bytes that a device holds now, and at its peak. */
let now: usize = 0;
let most: usize = 0;
/** u8[layers]: what the trial recomputes. */
let recomputed: usize = 0;
/**
 * The best so far: its cuts, i32[stages - 1], what it recomputes, u8[layers], and the bytes of each device,
 * f64[devices].
 */
export let bestCuts: usize = 0;
export let bestRecomputed: usize = 0;
export let bestBytes: usize = 0;
export let bestStep: f64 = Infinity;
let budget: f64 = 0;

/** Prepares. The problem has one stage per virtual stage, and the schedule is set. False if out of memory. */
export function openInterleaved(): bool {
  forwardOf = allocArray(<usize>stages * 4, 8);
  trial = allocArray(<usize>stages * 4, 4);
  now = allocArray(<usize>devices * 3, 8);
  recomputed = allocArray(<usize>layers * 2, 1);
  if (forwardOf == 0 || trial == 0 || now == 0 || recomputed == 0 || !openSimulation()) return false;
  backwardOf = forwardOf + ((<usize>stages) << 3);
  transferOf = backwardOf + ((<usize>stages) << 3);
  bytesOf = transferOf + ((<usize>stages) << 3);
  bestCuts = trial + ((<usize>stages) << 2);
  flying = bestCuts + ((<usize>stages) << 2);
  flyingMost = flying + ((<usize>stages) << 2);
  most = now + ((<usize>devices) << 3);
  bestBytes = most + ((<usize>devices) << 3);
  bestRecomputed = recomputed + <usize>layers;
  bestStep = Infinity;
  return true;
}

function startOf(q: i32): i32 {
  return q == 0 ? 0 : i32At(trial, q - 1);
}

function endOf(q: i32): i32 {
  return q == stages - 1 ? layers : i32At(trial, q);
}

/**
 * Sets each virtual stage's bytes per micro-batch in flight; returns what the device needs on top while recomputing.
 */
function weigh(device: i32): f64 {
  let once: f64 = 0;
  for (let q = device; q < stages; q += devices) {
    let bytes: f64 = 0;
    for (let l = startOf(q); l < endOf(q); l++) {
      if (load<u8>(recomputed + <usize>l) != 0) {
        bytes += heldBytes(l, l + 1);
        once = max(once, freed(l));
      } else bytes += keptBytes(l, l + 1);
    }
    putF64(bytesOf, q, bytes);
  }
  return once;
}

/**
 * The most bytes that micro-batches in flight hold on a device; sets how many of each chunk there are at that moment.
 */
function peakOf(device: i32): f64 {
  let held: f64 = 0;
  let peak: f64 = -1;
  const half = forwards();
  for (let q = device; q < stages; q += devices) putI32(flying, q, 0);
  for (let o = 0; o < operationCount; o++) {
    if (deviceOf(o) != device) continue;
    const q = virtualStageOf(o);
    const by = numberOf(o) < half ? 1 : -1;
    putI32(flying, q, i32At(flying, q) + by);
    held += <f64>by * f64At(bytesOf, q);
    if (held <= peak) continue;
    peak = held;
    for (let c = device; c < stages; c += devices) putI32(flyingMost, c, i32At(flying, c));
  }
  budget -= <f64>(operationCount / devices);
  return peak;
}

/** Chooses what a device recomputes. False if nothing fits. */
function choose(device: i32): bool {
  let fixed: f64 = 0;
  for (let q = device; q < stages; q += devices) {
    if (mode == JOINT) memory.fill(recomputed + <usize>startOf(q), 0, <usize>(endOf(q) - startOf(q)));
    else markGiven(startOf(q), endOf(q), recomputed);
    fixed += parameterBytes(startOf(q), endOf(q));
  }
  let over = fixed + weigh(device) + peakOf(device) - memoryBound;
  if (mode != JOINT) {
    putF64(most, device, over + memoryBound);
    return over <= 0;
  }
  let need: f64 = 0;
  for (let round = 0; over > 0 && round < ROUNDS; round++) {
    need += over;
    clearItems();
    for (let q = device; q < stages; q += devices) {
      for (let l = startOf(q); l < endOf(q); l++) {
        const frees = <f64>i32At(flyingMost, q) * freed(l);
        if (frees > 0) insertItem(l, frees, freed(l), forward(l));
        store<u8>(recomputed + <usize>l, 0);
      }
    }
    if (cover(need, recomputed) == Infinity) break;
    over = fixed + weigh(device) + peakOf(device) - memoryBound;
  }
  if (over > 0) {
    for (let q = device; q < stages; q += devices) {
      for (let l = startOf(q); l < endOf(q); l++) store<u8>(recomputed + <usize>l, freed(l) > 0 ? 1 : 0);
    }
    over = fixed + weigh(device) + peakOf(device) - memoryBound;
  }
  putF64(most, device, over + memoryBound);
  return over <= 0;
}

/** The step time of the trial; Infinity if it does not fit. */
function stepOfTrial(): f64 {
  for (let q = 0; q < stages; q++) if (endOf(q) <= startOf(q)) return Infinity;
  if (endOf(0) < firstLeast || startOf(stages - 1) > layers - lastLeast) return Infinity;
  for (let device = 0; device < devices; device++) if (!choose(device)) return Infinity;
  for (let q = 0; q < stages; q++) {
    const i = startOf(q);
    const j = endOf(q);
    let time = plainTime(i, j);
    for (let l = i; l < j; l++) if (load<u8>(recomputed + <usize>l) != 0) time += forward(l);
    putF64(forwardOf, q, forwardTime(i, j));
    putF64(backwardOf, q, time - forwardTime(i, j));
    putF64(transferOf, q, transferAfter(j - 1));
  }
  budget -= <f64>operationCount;
  return run(forwardOf, backwardOf, transferOf, true);
}

function keep(step: f64): void {
  bestStep = step;
  memory.copy(bestCuts, trial, (<usize>(stages - 1)) << 2);
  memory.copy(bestRecomputed, recomputed, <usize>layers);
  memory.copy(bestBytes, most, (<usize>devices) << 3);
}

/** Takes cuts as a start and improves them. Returns their own step time, or INFEASIBLE. */
export function offerInterleaved(cuts: usize, work: f64): f64 {
  budget = work;
  memory.copy(trial, cuts, (<usize>(stages - 1)) << 2);
  const own = stepOfTrial();
  let step = own;
  if (own < bestStep) keep(own);
  let before: f64 = Infinity;
  let first = true;
  while (budget > 0 && (first || step < before)) {
    first = false;
    before = step;
    for (let a = 0; a < stages - 1; a++) {
      for (let b = a; b < stages - 1; b++) {
        for (let by = -1; by <= 1 && budget > 0; by += 2) {
          for (let c = a; c <= b; c++) putI32(trial, c, i32At(trial, c) + by);
          const moved = stepOfTrial();
          if (moved < step) {
            step = moved;
            if (step < bestStep) keep(step);
          } else for (let c = a; c <= b; c++) putI32(trial, c, i32At(trial, c) - by);
        }
      }
    }
  }
  return own < Infinity ? own : INFEASIBLE;
}
