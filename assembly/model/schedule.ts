// The order in which each device runs forwards and backwards, as one list in which everything comes after what it waits
// for. It does not depend on times, so one list serves every simulation of a shape.
//
// Virtual stage q is chunk q / devices of device q % devices. gpipe: all forwards, then all backwards. 1F1B: a forward
// for each later stage, then one forward and one backward in turn, then the remaining backwards. Interleaved 1F1B as in
// Megatron-Core: micro-batches in groups of as many as there are devices, each group chunk after chunk.

import { allocArray, mark, release } from "../base/memory";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../base/status";
import { i32At, putI32 } from "./arrays";
import { GPIPE, INTERLEAVED, MAX_MICRO, MAX_STAGES, ONE_F_ONE_B } from "./problem";

const MOST_OPERATIONS: i64 = 1 << 22;

/**
 * An operation: device, number, the number it waits for (-1: none), the transfer before it (-1: none), virtual stage.
 */
const OPERATION: i32 = 5;
export let operations: usize = 0;
export let operationCount: i32 = 0;
export let devices: i32 = 0;
export let chunks: i32 = 0;
export let virtualStages: i32 = 0;
export let microBatches: i32 = 0;
let kind: i32 = 0;

/** Forward of micro-batch b in virtual stage q is number q * micro-batches + b; backwards follow the forwards. */
export function forwards(): i32 {
  return virtualStages * microBatches;
}

export function deviceOf(o: i32): i32 {
  return i32At(operations, o * OPERATION);
}

export function numberOf(o: i32): i32 {
  return i32At(operations, o * OPERATION + 1);
}

export function waitsFor(o: i32): i32 {
  return i32At(operations, o * OPERATION + 2);
}

export function transferOf(o: i32): i32 {
  return i32At(operations, o * OPERATION + 3);
}

export function virtualStageOf(o: i32): i32 {
  return i32At(operations, o * OPERATION + 4);
}

/** The number of the k-th forward of a device, or of its k-th backward. */
function inTurn(device: i32, k: i32, isBackward: bool): i32 {
  const round = devices * chunks;
  const within = k % round;
  let chunk = within / devices;
  if (isBackward) chunk = chunks - 1 - chunk;
  const batch = chunks == 1 ? k : (k / round) * devices + (within % devices);
  return (chunk * devices + device) * microBatches + batch + (isBackward ? forwards() : 0);
}

/** The number of the t-th operation of a device. */
function operationAt(device: i32, t: i32): i32 {
  const all = microBatches * chunks;
  let warm = all;
  if (kind == ONE_F_ONE_B) warm = min(devices - device - 1, all);
  else if (kind == INTERLEAVED) warm = min((devices - device - 1) * 2 + (chunks - 1) * devices, all);
  if (t < warm) return inTurn(device, t, false);
  const after = t - warm;
  if (after < (all - warm) * 2) {
    return (after & 1) == 0 ? inTurn(device, warm + (after >> 1), false) : inTurn(device, after >> 1, true);
  }
  return inTurn(device, t - all, true);
}

/** The operation that another waits for, besides its device; -1 for the first forwards. */
function inputOf(number: i32): i32 {
  const half = forwards();
  if (number < half) return number < microBatches ? -1 : number - microBatches;
  const own = number - half;
  return own >= half - microBatches ? own : number + microBatches;
}

/** The transfer that brings an operation its input, by boundary and micro-batch; -1 for none. */
function transferInto(number: i32): i32 {
  const half = forwards();
  if (number < half) return number - microBatches;
  const own = number - half;
  return own >= half - microBatches ? -1 : own;
}

/** Makes the list. Interleaved schedules need a multiple of the devices as micro-batches. Returns a status. */
export function setSchedule(which: i32, deviceCount: i32, chunkCount: i32, microCount: i32): i32 {
  if (which < GPIPE || which > INTERLEAVED || deviceCount < 1 || chunkCount < 1) return BAD_ARGUMENT;
  if (microCount < 1 || microCount > MAX_MICRO || (which != INTERLEAVED && chunkCount != 1)) return BAD_ARGUMENT;
  if (<i64>deviceCount * <i64>chunkCount > MAX_STAGES) return BAD_ARGUMENT;
  if (chunkCount > 1 && microCount % deviceCount != 0) return BAD_ARGUMENT;
  const all = <i64>deviceCount * <i64>chunkCount * <i64>microCount * 2;
  if (all > MOST_OPERATIONS) return BAD_ARGUMENT;
  kind = which;
  devices = deviceCount;
  chunks = chunkCount;
  virtualStages = deviceCount * chunkCount;
  microBatches = microCount;
  operationCount = <i32>all;
  operations = allocArray(<usize>all * OPERATION, 4);
  const top = mark();
  const next = allocArray(<usize>devices, 4);
  const done = allocArray(<usize>all, 1);
  if (operations == 0 || next == 0 || done == 0) return OUT_OF_MEMORY;
  memory.fill(next, 0, (<usize>devices) << 2);
  memory.fill(done, 0, <usize>all);
  const each = operationCount / devices;
  let o = 0;
  while (o < operationCount) {
    const before = o;
    for (let device = 0; device < devices; device++) {
      for (let t = i32At(next, device); t < each; t++) {
        const number = operationAt(device, t);
        const input = inputOf(number);
        if (input >= 0 && load<u8>(done + <usize>input) == 0) break;
        store<u8>(done + <usize>number, 1);
        putI32(next, device, t + 1);
        const at = o * OPERATION;
        putI32(operations, at, device);
        putI32(operations, at + 1, number);
        putI32(operations, at + 2, input);
        putI32(operations, at + 3, transferInto(number));
        putI32(operations, at + 4, (number % forwards()) / microBatches);
        o++;
      }
    }
    // A deadlock would be a bug here.
    if (o == before) return BAD_ARGUMENT;
  }
  release(top);
  return OK;
}
