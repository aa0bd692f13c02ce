// When each forward and backward runs: a device takes its operations in the schedule's order, each as soon as the
// device is free and its input has arrived. A transfer delays its receiver and nobody else.

import { allocArray } from "../base/memory";
import { f64At, putF64 } from "./arrays";
import {
  deviceOf,
  devices,
  forwards,
  numberOf,
  operationCount,
  transferOf,
  virtualStageOf,
  waitsFor,
} from "./schedule";

/**
 * f64[2 * forwards()]: when each operation ends; f64[devices] each: when a device is free, and how long it has worked.
 */
let ends: usize = 0;
let free: usize = 0;
let busy: usize = 0;

/** Prepares for the schedule. False if out of memory. */
export function openSimulation(): bool {
  ends = allocArray(<usize>forwards() * 2, 8);
  free = allocArray(<usize>devices, 8);
  busy = allocArray(<usize>devices, 8);
  return ends != 0 && free != 0 && busy != 0;
}

/** f64[devices]: how long each device worked in the last simulation. */
export function busyTimes(): usize {
  return busy;
}

/**
 * The time until the last operation ends. `forward`, `backward`: f64[virtual stages][micro-batches], or f64[virtual
 * stages] if micro-batches are equal; `transfer` likewise, per boundary. O(operations), about 5 ns each.
 */
export function run(forward: usize, backward: usize, transfer: usize, isEqual: bool): f64 {
  memory.fill(free, 0, (<usize>devices) << 3);
  memory.fill(busy, 0, (<usize>devices) << 3);
  const half = forwards();
  let last: f64 = 0;
  for (let o = 0; o < operationCount; o++) {
    const device = deviceOf(o);
    const number = numberOf(o);
    const input = waitsFor(o);
    const isForward = number < half;
    const stage = virtualStageOf(o);
    let start = f64At(free, device);
    if (input >= 0) {
      let there = f64At(ends, input);
      const sent = transferOf(o);
      if (sent >= 0) there += f64At(transfer, !isEqual ? sent : isForward ? stage - 1 : stage);
      start = max(start, there);
    }
    const own = f64At(isForward ? forward : backward, isEqual ? stage : isForward ? number : number - half);
    const end = start + own;
    putF64(ends, number, end);
    putF64(free, device, end);
    putF64(busy, device, f64At(busy, device) + own);
    last = max(last, end);
  }
  return last;
}

/** When operation o of the last `run` started; takes the times of that run. */
export function startOf(o: i32, forward: usize, backward: usize): f64 {
  const number = numberOf(o);
  const half = forwards();
  const own = number < half ? f64At(forward, number) : f64At(backward, number - half);
  return f64At(ends, number) - own;
}

/**
 * The most that each device holds of `held`, f64[virtual stages][micro-batches] (0: 1 each), where a micro-batch is
 * held from the start of its forward to the end of its backward. Writes f64[devices].
 */
export function peaks(held: usize, out: usize): void {
  const now = free;
  memory.fill(now, 0, (<usize>devices) << 3);
  memory.fill(out, 0, (<usize>devices) << 3);
  const half = forwards();
  for (let o = 0; o < operationCount; o++) {
    const device = deviceOf(o);
    const number = numberOf(o);
    const isForward = number < half;
    const bytes = held == 0 ? 1 : f64At(held, isForward ? number : number - half);
    const after = f64At(now, device) + (isForward ? bytes : -bytes);
    putF64(now, device, after);
    putF64(out, device, max(f64At(out, device), after));
  }
}
