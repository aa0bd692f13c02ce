// Repair: the groups with the most room left, and some at random, are packed again, and the result is taken where there
// are no more of them than before. Again and again, as long as that helps and the effort allows.

import { allocArray, mark } from "../../base/memory";
import { randomBelow } from "../../base/pcg32";
import { OUT_OF_MEMORY } from "../../base/status";
import { DONE, MORE } from "../../base/step";
import { bestFit, drawsWin, startWays, stepWays, WAYS } from "./attempts";
import { bestGroups, bestOffsets, bestOrder, setBest, swapPackings } from "./best-packing";
import { sumGroups } from "./group-sums";
import { maxTokens, maxVit, rows, sumTokens, sumVit } from "./problem";
import { fitting } from "./sorted-samples";
import {
  bound,
  closePart,
  copyGroups,
  openPart,
  partOf,
  usePart,
  wholeGroups,
  wholeLatestOffsets,
  wholeLatestOrder,
  wholeOffsets,
  wholeOrder,
} from "./subproblem";

/** Rooms that are distinguished. */
const ROOMS: i32 = 1024;
/** Groups per step. */
const CHUNK_GROUPS: i32 = 32768;
/** Samples packed again at a time, about. */
const MOST_SAMPLES: i32 = 262144;
/** A finer model takes too long for more rows than this. */
export const FINE_ROWS: i32 = 16;

/** What is done next. */
const SELECTING: i32 = 0;
const MEASURING: i32 = 1;
const MARKING: i32 = 2;
const PACKING: i32 = 3;

let stage: i32 = SELECTING;
let at: i32 = 0;
let effort: i32 = 0;
/** Rounds done, those of them in a row that gained nothing, and samples that may still be packed again. */
export let round: i32 = 0;
let idle: i32 = 0;
let budget: i64 = 0;
/** Ways that won. */
let draw: bool = true;
let fit: i32 = 0;

/** How much free vit counts against free tokens, of 1024. */
let vitWeight: u64 = 0;
let before: usize = 0;
/** u16[groups]: the room in each, then whether it is chosen. */
let chosen: usize = 0;
let chosenGroups: i32 = 0;
let chosenSamples: i32 = 0;
/** A bit per sample of the chosen groups. */
let marks: usize = 0;
/** i32[ROOMS]: groups by room. */
let histogram: usize = 0;
/** Loads of the groups of a step. */
let sums: usize = 0;
/** Groups to choose for their room: all above a limit, and `fromLimit` of the `atLimit` at it. */
let wanted: i32 = 0;
let roomLimit: i32 = 0;
let atLimit: i32 = 0;
let fromLimit: i32 = 0;

/** Weighs the bounds by how tight they are for all samples: the tighter one by far the most. */
export function weighBounds(): void {
  let byVit = <f64>sumVit / <f64>maxVit;
  let byTokens = <f64>sumTokens / <f64>maxTokens;
  const most = max(byVit, byTokens);
  byVit = most > 0 ? byVit / most : 1;
  byTokens = most > 0 ? byTokens / most : 1;
  for (let i = 0; i < 4; i++) {
    byVit *= byVit;
    byTokens *= byTokens;
  }
  vitWeight = <u64>((byVit / (byVit + byTokens)) * 1024);
}

/** Starts to repair the best packing. */
export function startRepair(level: i32): void {
  effort = level;
  round = 0;
  idle = 0;
  fit = bestFit();
  draw = drawsWin();
  budget = effort == 0 ? 0 : 200000 + <i64>fitting / 8;
  for (let i = 1; i < effort; i++) budget *= 10;
  stage = SELECTING;
}

/** Does a piece. */
export function stepRepair(): i32 {
  if (stage == SELECTING) return select();
  if (stage == MEASURING) return measure();
  if (stage == MARKING) return markChosen();
  return repack();
}

/** Ends repairs, or says how many groups to pack again. */
function select(): i32 {
  const rounds = effort == 1 ? max(2, min(24, 24000000 / fitting)) : effort == 2 ? 200 : 2000;
  const patience = effort == 1 ? 8 : effort == 2 ? 32 : 200;
  if (bestGroups <= bound || budget <= 0 || round >= rounds || idle >= patience) return DONE;
  const perGroup = fitting / bestGroups + 1;
  // A 50th of all groups, then a 20th, a 10th, a 5th.
  const kind = round & 3;
  wanted = max(12, bestGroups / (kind == 0 ? 50 : kind == 1 ? 20 : kind == 2 ? 10 : 5));
  wanted = min(wanted, max(12, MOST_SAMPLES / perGroup / 2));
  if (<i64>wanted * perGroup > budget) wanted = max(12, <i32>(budget / perGroup));
  before = mark();
  const words = (fitting >> 6) + 2;
  chosen = allocArray(<usize>bestGroups + 8, 2);
  marks = allocArray(words, 8);
  histogram = allocArray(ROOMS, 4);
  sums = allocArray(CHUNK_GROUPS, 16);
  if (chosen == 0 || marks == 0 || histogram == 0 || sums == 0) return -OUT_OF_MEMORY;
  memory.fill(marks, 0, (<usize>words) << 3);
  memory.fill(histogram, 0, ROOMS << 2);
  at = 0;
  stage = MEASURING;
  return MORE;
}

/** Measures the room left in each group. */
function measure(): i32 {
  const to = min(bestGroups, at + CHUNK_GROUPS);
  const attention = sums + CHUNK_GROUPS * 8;
  sumGroups(bestOrder, bestOffsets, at, to, sums, sums + CHUNK_GROUPS * 4, attention);
  for (let g = at; g < to; g++) {
    const place = sums + ((<usize>(g - at)) << 2);
    const v = <u64>(maxVit - load<i32>(place));
    const t = <u64>(maxTokens - load<i32>(place, CHUNK_GROUPS * 4));
    const freeVit = (v << 20) / <u64>maxVit;
    const freeTokens = (t << 20) / <u64>maxTokens;
    const room = min<u64>((vitWeight * freeVit + (1024 - vitWeight) * freeTokens) >> 20, ROOMS - 1);
    store<u16>(chosen + ((<usize>g) << 1), <u16>room);
    const slot = histogram + ((<usize>room) << 2);
    store<i32>(slot, load<i32>(slot) + 1);
  }
  at = to;
  if (at == bestGroups) {
    limitRoom();
    at = 0;
    stage = MARKING;
  }
  return MORE;
}

/** Finds the room that as many groups have as are wanted. */
function limitRoom(): void {
  roomLimit = ROOMS - 1;
  let above = 0;
  while (roomLimit > 0) {
    const many = load<i32>(histogram + (roomLimit << 2));
    if (above + many >= wanted) break;
    above += many;
    roomLimit--;
  }
  atLimit = max(1, load<i32>(histogram + (roomLimit << 2)));
  fromLimit = wanted - above;
  chosenGroups = 0;
  chosenSamples = 0;
}

/** Chooses groups and marks their samples; at the end it makes these the problem. */
function markChosen(): i32 {
  const many = bestGroups;
  const to = min(many, at + CHUNK_GROUPS);
  for (; at < to; at++) {
    const flag = chosen + ((<usize>at) << 1);
    const room = <i32>load<u16>(flag);
    let take = room > roomLimit || (room == roomLimit && <i32>randomBelow(atLimit) < fromLimit);
    if (!take) take = <i32>randomBelow(many) < wanted >> 1;
    store<u16>(flag, u16(take));
    if (!take) continue;
    chosenGroups++;
    const stop = load<i32>(bestOffsets + ((<usize>(at + 1)) << 2));
    for (let i = load<i32>(bestOffsets + ((<usize>at) << 2)); i < stop; i++) {
      const p = load<i32>(bestOrder + ((<usize>i) << 2));
      const word = marks + ((<usize>(p >> 6)) << 3);
      store<u64>(word, load<u64>(word) | ((<u64>1) << (p & 63)));
      chosenSamples++;
    }
  }
  return at < many ? MORE : useChosen();
}

/** Makes the marked samples the problem, and chooses the ways to pack them. */
function useChosen(): i32 {
  if (!openPart(chosenSamples, before)) return -OUT_OF_MEMORY;
  let k: usize = 0;
  for (let x = 0; x <= fitting >> 6; x++) {
    let word = load<u64>(marks + ((<usize>x) << 3));
    while (word) {
      store<i32>(partOf + (k++ << 2), (x << 6) | <i32>ctz(word));
      word &= word - 1;
    }
  }
  usePart(chosenSamples);
  // Mostly what won before; now and then another way, and sizes with noise, so that no two rounds are the same.
  const other = 2 + <i32>randomBelow(WAYS - 2);
  const finer = (round & 4) != 0 && rows <= FINE_ROWS;
  let ways = 1 << fit;
  if (draw || (round & 3) == 3) ways |= finer ? 2 : 1;
  if (!draw || (round & 1) != 0) ways |= 1 << other;
  startWays(ways, round < 1 ? 0 : 1 << (4 + randomBelow(9)));
  budget -= chosenSamples;
  round++;
  stage = PACKING;
  return MORE;
}

/** Packs the chosen groups again, and takes the result when there are no more of them. */
function repack(): i32 {
  const more = stepWays();
  if (more != DONE) return more;
  const groups = bestGroups;
  idle = groups < chosenGroups ? 0 : idle + 1;
  const taken = groups <= chosenGroups;
  if (taken) merge();
  closePart(wholeGroups);
  if (taken) {
    swapPackings();
    setBest(wholeGroups - chosenGroups + groups);
  }
  stage = SELECTING;
  return MORE;
}

/** Writes the groups that were not chosen, then the new ones. */
function merge(): void {
  let n = 0;
  let g = 0;
  store<i32>(wholeLatestOffsets, 0);
  for (let i = 0; i < wholeGroups; i++) {
    if (load<u16>(chosen + ((<usize>i) << 1))) continue;
    const from = load<i32>(wholeOffsets + ((<usize>i) << 2));
    const size = load<i32>(wholeOffsets + ((<usize>i) << 2), 4) - from;
    memory.copy(wholeLatestOrder + ((<usize>n) << 2), wholeOrder + ((<usize>from) << 2), (<usize>size) << 2);
    n += size;
    g++;
    store<i32>(wholeLatestOffsets + ((<usize>g) << 2), n);
  }
  copyGroups(wholeLatestOrder, wholeLatestOffsets, n, g);
}
