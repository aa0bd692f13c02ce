// The problem: layers, the pipeline they go to, and sums over any run of layers in O(1).
//
// All quantities are whole numbers in f64, below 2^53 even when summed over layers and micro-batches. So sums are
// exact, and two times are equal on one host if they are on another. Times and bytes may each be in any unit.

import { allocArray } from "../base/memory";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../base/status";
import { f64At, putF64 } from "./arrays";

/** The numbers in a layer's row. */
const FORWARD: i32 = 0;
const BACKWARD: i32 = 1;
/** Bytes that a micro-batch in flight holds if the layer keeps its activations, and if it recomputes them. */
const KEPT: i32 = 2;
const HELD: i32 = 3;
/** Bytes of weights, gradients and optimizer state. */
const PARAMETERS: i32 = 4;
/** Time to send the layer's output to the next stage, and its gradient back. */
const TRANSFER: i32 = 5;
const FIELDS: i32 = 6;

export const MAX_LAYERS: i32 = 1024;
export const MAX_STAGES: i32 = 256;
export const MAX_MICRO: i32 = 4096;

/** Schedules. In all of them stage s holds at most `inFlight(s)` micro-batches. */
export const GPIPE: i32 = 0;
export const ONE_F_ONE_B: i32 = 1;
export const INTERLEAVED: i32 = 2;

let rows: usize = 0;
export let layers: i32 = 0;
export let stages: i32 = 0;
export let micro: i32 = 0;
export let memoryBound: f64 = 0;
export let schedule: i32 = 0;
/** The fewest layers of the first and of the last stage. */
export let firstLeast: i32 = 1;
export let lastLeast: i32 = 1;

/** f64[layers + 1] each: prefix sums over layers. */
let forwards: usize = 0;
let times: usize = 0;
let kepts: usize = 0;
let helds: usize = 0;
let parameters: usize = 0;

function field(i: i32, which: i32): f64 {
  return f64At(rows, i * FIELDS + which);
}

export function forward(i: i32): f64 {
  return field(i, FORWARD);
}

export function kept(i: i32): f64 {
  return field(i, KEPT);
}

export function held(i: i32): f64 {
  return field(i, HELD);
}

/** Bytes that recomputing the layer frees in each micro-batch in flight, and takes once while it runs again. */
export function freed(i: i32): f64 {
  return field(i, KEPT) - field(i, HELD);
}

export function transferAfter(i: i32): f64 {
  return field(i, TRANSFER);
}

/** Over the layers i .. j - 1: */
export function forwardTime(i: i32, j: i32): f64 {
  return f64At(forwards, j) - f64At(forwards, i);
}

/** Forward and backward, nothing recomputed. */
export function plainTime(i: i32, j: i32): f64 {
  return f64At(times, j) - f64At(times, i);
}

export function keptBytes(i: i32, j: i32): f64 {
  return f64At(kepts, j) - f64At(kepts, i);
}

export function heldBytes(i: i32, j: i32): f64 {
  return f64At(helds, j) - f64At(helds, i);
}

export function parameterBytes(i: i32, j: i32): f64 {
  return f64At(parameters, j) - f64At(parameters, i);
}

/** The most micro-batches whose activations stage s holds at once. */
export function inFlight(s: i32): i32 {
  return schedule == ONE_F_ONE_B ? min(stages - s, micro) : micro;
}

/** The first and the last layer at which stage s can start. */
export function earliest(s: i32): i32 {
  return s == 0 ? 0 : firstLeast + s - 1;
}

export function latest(s: i32): i32 {
  return s == 0 ? 0 : s == stages ? layers : layers - lastLeast - (stages - 1 - s);
}

function sums(which: i32): usize {
  const at = allocArray(<usize>layers + 1, 8);
  if (at == 0) return 0;
  let sum: f64 = 0;
  for (let i = 0; i < layers; i++) {
    putF64(at, i, sum);
    sum += field(i, which);
  }
  putF64(at, layers, sum);
  return at;
}

/** Sets the problem: f64[n][6] at `at`, which must stay in place. Returns a status. */
export function setProblem(
  at: usize,
  n: i32,
  stageCount: i32,
  microCount: i32,
  bytes: f64,
  kind: i32,
  first: i32,
  last: i32,
): i32 {
  if (n < 1 || n > MAX_LAYERS || stageCount < 1 || stageCount > MAX_STAGES) return BAD_ARGUMENT;
  if (microCount < 1 || microCount > MAX_MICRO || first < 1 || last < 1) return BAD_ARGUMENT;
  const least = stageCount == 1 ? max(first, last) : first + last + stageCount - 2;
  if (n < least || kind < GPIPE || kind > INTERLEAVED) return BAD_ARGUMENT;
  rows = at;
  layers = n;
  stages = stageCount;
  micro = microCount;
  memoryBound = bytes;
  schedule = kind;
  firstLeast = first;
  lastLeast = last;
  forwards = sums(FORWARD);
  times = sums(BACKWARD);
  kepts = sums(KEPT);
  helds = sums(HELD);
  parameters = sums(PARAMETERS);
  if (forwards == 0 || times == 0 || kepts == 0 || helds == 0 || parameters == 0) return OUT_OF_MEMORY;
  for (let i = 0; i <= n; i++) putF64(times, i, f64At(times, i) + f64At(forwards, i));
  return OK;
}
