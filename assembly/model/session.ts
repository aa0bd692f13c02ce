// The calls of a host, in order: begin, then partition, stages or search; or a schedule, then simulations.

import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../base/status";
import { putF64 } from "./arrays";
import { cutShort, failed } from "./cover";
import { openInterleaved } from "./interleaved";
import { INTERLEAVED, micro, schedule, setProblem, stages } from "./problem";
import {
  deviceOf,
  devices,
  forwards,
  microBatches,
  numberOf,
  operationCount,
  setSchedule,
  virtualStageOf,
} from "./schedule";
import { openSearch } from "./search";
import { openSimulation, startOf } from "./simulate";
import { FREE, GIVEN, openStages, setMode } from "./stage";

export function begin(
  at: usize,
  n: i32,
  stageCount: i32,
  microCount: i32,
  bytes: f64,
  kind: i32,
  first: i32,
  last: i32,
): i32 {
  const status = setProblem(at, n, stageCount, microCount, bytes, kind, first, last);
  if (status != OK) return status;
  return openStages() ? OK : OUT_OF_MEMORY;
}

export function chooseMode(mode: i32, kinds: usize, count: i32): i32 {
  if (mode < FREE || mode > GIVEN) return BAD_ARGUMENT;
  setMode(mode, kinds, count);
  return OK;
}

/** How many choices were cut short, so that times are not proven minimal; -1: out of memory. */
export function inexact(): i32 {
  return failed ? -1 : cutShort;
}

export function beginSearch(): i32 {
  if (schedule == INTERLEAVED) return BAD_ARGUMENT;
  const status = setSchedule(schedule, stages, 1, micro);
  if (status != OK) return status;
  return openSearch() ? OK : OUT_OF_MEMORY;
}

export function beginInterleaved(chunks: i32): i32 {
  if (schedule != INTERLEAVED || chunks < 1 || stages % chunks != 0) return BAD_ARGUMENT;
  const status = setSchedule(INTERLEAVED, stages / chunks, chunks, micro);
  if (status != OK) return status;
  return openInterleaved() ? OK : OUT_OF_MEMORY;
}

export function beginSimulation(kind: i32, deviceCount: i32, chunkCount: i32, microCount: i32): i32 {
  const status = setSchedule(kind, deviceCount, chunkCount, microCount);
  if (status != OK) return status;
  return openSimulation() ? OK : OUT_OF_MEMORY;
}

/**
 * Writes f64[operations][5] to `out`: device, 0 forward or 1 backward, micro-batch, chunk, start. A device's are in its
 * order.
 */
export function timeline(forward: usize, backward: usize, out: usize): void {
  for (let o = 0; o < operationCount; o++) {
    const number = numberOf(o);
    putF64(out, o * 5, <f64>deviceOf(o));
    putF64(out, o * 5 + 1, number < forwards() ? 0 : 1);
    putF64(out, o * 5 + 2, <f64>(number % microBatches));
    putF64(out, o * 5 + 3, <f64>(virtualStageOf(o) / devices));
    putF64(out, o * 5 + 4, startOf(o, forward, backward));
  }
}
