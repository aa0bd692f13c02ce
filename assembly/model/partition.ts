// The smallest largest stage, by dynamic programming over (stage, layer).
//
// least(s, j), the smallest possible largest of s stages over the first j layers, does not decrease with j, and the
// time of stage s over i .. j - 1 does not increase with i. So the best i for a j is where the two cross, which only
// moves on as j does: O(stages * layers) stage times. Greedily letting each stage reach as far as it can is not the
// same: a stage must have a layer, and the next layer may be too large for it but not for the stage after, with fewer
// micro-batches in flight.

import { allocArray, mark, release } from "../base/memory";
import { f64At, i32At, putF64, putI32 } from "./arrays";
import { earliest, latest, layers, stages } from "./problem";
import { stageTime } from "./stage";

/** How many ways to cut reach the smallest largest stage. */
export let optima: f64 = 0;

/** Out of memory. */
export const NO_ROOM: f64 = -2;
/** Nothing fits. */
export const INFEASIBLE: f64 = -1;

/** Counts the ways to cut with no stage above `most`, into `ways`, f64[2][layers + 1]. */
function count(most: f64, ways: usize): f64 {
  let from = ways;
  let to = ways + ((<usize>layers + 1) << 3);
  memory.fill(from, 0, (<usize>layers + 1) << 3);
  putF64(from, 0, 1);
  for (let s = 0; s < stages; s++) {
    memory.fill(to, 0, (<usize>layers + 1) << 3);
    // The stage may start at `low` or later: starting earlier makes it too large. Not a running sum: counts above 2^53
    // are rounded, and what is subtracted must be what was added.
    let low = earliest(s);
    for (let j = max(earliest(s + 1), low + 1); j <= latest(s + 1); j++) {
      const end = min(j - 1, latest(s));
      while (low <= end && stageTime(s, low, j) > most) low++;
      let sum: f64 = 0;
      for (let i = low; i <= end; i++) sum += f64At(from, i);
      putF64(to, j, sum);
    }
    const swap = from;
    from = to;
    to = swap;
  }
  return f64At(from, layers);
}

/**
 * The smallest largest stage, or NO_ROOM or INFEASIBLE. Writes the first layers of stages 1 and up to `cuts`,
 * i32[stages - 1].
 */
export function partition(cuts: usize): f64 {
  const top = mark();
  const width = layers + 1;
  const least = allocArray(<usize>width * 2, 8);
  const starts = allocArray(<usize>width * <usize>stages, 4);
  if (least == 0 || starts == 0) {
    release(top);
    return NO_ROOM;
  }
  let from = least;
  let to = least + ((<usize>width) << 3);
  for (let j = 0; j <= layers; j++) putF64(from, j, j == 0 ? 0 : Infinity);
  for (let s = 0; s < stages; s++) {
    for (let j = 0; j <= layers; j++) putF64(to, j, Infinity);
    let i = earliest(s);
    for (let j = max(earliest(s + 1), i + 1); j <= latest(s + 1); j++) {
      const end = min(j - 1, latest(s));
      let time = stageTime(s, i, j);
      while (i < end && time > f64At(from, i)) time = stageTime(s, ++i, j);
      let most = max(time, f64At(from, i));
      let start = i;
      if (i > earliest(s)) {
        const before = max(stageTime(s, i - 1, j), f64At(from, i - 1));
        if (before < most) {
          most = before;
          start = i - 1;
        }
      }
      putF64(to, j, most);
      putI32(starts, s * width + j, start);
    }
    const swap = from;
    from = to;
    to = swap;
  }
  const most = f64At(from, layers);
  optima = 0;
  if (most < Infinity) {
    let j = layers;
    for (let s = stages - 1; s > 0; s--) {
      j = i32At(starts, s * width + j);
      putI32(cuts, s - 1, j);
    }
    optima = count(most, least);
  }
  release(top);
  return most < Infinity ? most : INFEASIBLE;
}
