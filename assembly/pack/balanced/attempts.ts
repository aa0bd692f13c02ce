// The ways to pack: two draws and seven best fits. None is best everywhere, so several are run on the problem at hand and
// the packing with the fewest groups is kept, of equal ones the better mixed one.

import { mark, release } from "../../base/memory";
import { OUT_OF_MEMORY } from "../../base/status";
import { DONE, MORE } from "../../base/step";
import {
  BY_LARGER,
  BY_SUM,
  BY_TOKENS,
  BY_VIT,
  fitGroups,
  LEAST_EVEN,
  LEAST_SUM,
  LEAST_TOKENS,
  openFit,
  startFit,
  stepFit,
  writeFit,
} from "./best-fit";
import { bestGroups, keepIfBetter, latestOffsets, latestOrder, setBest } from "./best-packing";
import { drawGroups, finishDraw, startDraw, stepDraw } from "./draw";
import { count } from "./problem";
import { bound } from "./subproblem";

export const WAYS: i32 = 9;
/** The first ways are draws: with a plain model, and with a finer one. */
const DRAWS: i32 = 2;
/** The others are best fits: what each sorts by, and what it looks for. */
const fitOrder: usize = memory.data<u8>([0, 0, BY_TOKENS, BY_LARGER, BY_LARGER, BY_SUM, BY_SUM, BY_TOKENS, BY_VIT]);
const fitAim: usize = memory.data<u8>([
  0,
  0,
  LEAST_TOKENS,
  LEAST_SUM,
  LEAST_EVEN,
  LEAST_SUM,
  LEAST_EVEN,
  LEAST_EVEN,
  LEAST_SUM,
]);

/** Sets of ways, a bit each. */
export const DRAW: i32 = 0b000000001;
export const BOTH_DRAWS: i32 = 0b000000011;
export const FITS: i32 = 0b111111100;
export const FEW_FITS: i32 = 0b000011100;

/** States of the two models. */
const PLAIN_STATES: i32 = 1400;
const FINE_STATES: i32 = 4000;
/** Groups that draws aim at, over the bound. */
const SLACK: f64 = 1.0001;
/** Work in one step. */
const DRAW_GROUPS: i32 = 4096;
const FIT_SAMPLES: i32 = 32768;

/** Groups of a way that was not run. */
export const NOT_RUN: i32 = i32.MAX_VALUE;
/** i32[WAYS]: groups that each way made. */
const groupsOf: usize = memory.data(9 * 4, 16);

export let way: i32 = -1;
/** The way that made the best packing. */
let bestWay: i32 = 0;
let chosen: i32 = 0;
let running: bool = false;
let before: usize = 0;
let jitter: i32 = 0;

/** Starts anew with a set of ways; best fits sort by sizes with up to so much noise (of 65536). */
export function startWays(set: i32, noise: i32): void {
  setBest(0);
  for (let i = 0; i < WAYS; i++) store<i32>(groupsOf + (i << 2), NOT_RUN);
  moreWays(set);
  jitter = noise;
}

/** Runs a set of ways whose packings compete with the best one so far. */
export function moreWays(set: i32): void {
  chosen = set;
  way = -1;
  running = false;
  jitter = 0;
}

/** Runs the next piece of the chosen ways; they end early at the bound. */
export function stepWays(): i32 {
  if (!running) {
    if (bestGroups > 0 && bestGroups <= bound) return DONE;
    do way++;
    while (way < WAYS && (chosen & (1 << way)) == 0);
    if (way >= WAYS) return DONE;
    before = mark();
    running = true;
    return startWay() ? MORE : -OUT_OF_MEMORY;
  }
  const groups = stepWay();
  if (groups <= 0) return groups < 0 ? -OUT_OF_MEMORY : MORE;
  release(before);
  running = false;
  store<i32>(groupsOf + (way << 2), groups);
  if (keepIfBetter(groups)) bestWay = way;
  return MORE;
}

function startWay(): bool {
  if (way < DRAWS) return startDraw(latestOrder, latestOffsets, way == 0 ? PLAIN_STATES : FINE_STATES, SLACK);
  if (!openFit(0, count)) return false;
  startFit(load<u8>(fitOrder + way), load<u8>(fitAim + way), jitter);
  return true;
}

/** The groups that the way made, 0 while it is at work, -1 when out of memory. */
function stepWay(): i32 {
  if (way < DRAWS) {
    const left = stepDraw(DRAW_GROUPS);
    if (left != 0) return left < 0 ? -1 : 0;
    finishDraw();
    return drawGroups;
  }
  if (stepFit(FIT_SAMPLES) > 0) return 0;
  writeFit(latestOrder, latestOffsets, 0, 0);
  return fitGroups;
}

/** Groups that a way made, NOT_RUN if it was not run. */
export function groupsOfWay(i: i32): i32 {
  return load<i32>(groupsOf + (i << 2));
}

/** Whether the best packing was drawn. */
export function drawsWin(): bool {
  return bestWay < DRAWS;
}

/** The best fit that made the fewest groups. */
export function bestFit(): i32 {
  let found = DRAWS + 1;
  for (let i = DRAWS; i < WAYS; i++) if (groupsOfWay(i) < groupsOfWay(found)) found = i;
  return found;
}
