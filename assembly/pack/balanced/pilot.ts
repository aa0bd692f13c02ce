// Very many samples: the ways are tried on a part of them first, and only those that are worth it run on all.

import { mark } from "../../base/memory";
import { randomBelow } from "../../base/pcg32";
import { DRAW, groupsOfWay, WAYS } from "./attempts";
import { bestGroups } from "./best-packing";
import { fitting } from "./sorted-samples";
import { closePart, openPart, partOf, usePart } from "./subproblem";

/** A trial pays above this many samples. */
export const TRIAL_ABOVE: i32 = 262144;
const TRIAL_SIZE: i32 = 16384;
/** Ways that run on all samples at most. */
const WINNERS: i32 = 3;

/** Makes one sample from each of as many equal stretches of the sorted order the problem. False when out of memory. */
export function openTrial(): bool {
  if (!openPart(TRIAL_SIZE, mark())) return false;
  for (let i = 0; i < TRIAL_SIZE; i++) {
    const from = <i32>((<i64>i * fitting) / TRIAL_SIZE);
    const to = <i32>((<i64>(i + 1) * fitting) / TRIAL_SIZE);
    store<i32>(partOf + ((<usize>i) << 2), from + <i32>randomBelow(to - from));
  }
  usePart(TRIAL_SIZE);
  return true;
}

/**
 * Goes back to all samples; returns the ways to run on them: drawing where it is as good as any, for it gains with
 * the number of samples and mixes best, else the best few.
 */
export function closeTrial(): i32 {
  const best = bestGroups;
  closePart(0);
  if (groupsOfWay(0) <= best + best / 2048 + 1) return DRAW;
  const limit = best + best / 400;
  let set = 0;
  for (let n = 0; n < WINNERS; n++) {
    let least = limit + 1;
    let found = -1;
    for (let i = 0; i < WAYS; i++) {
      if ((set & (1 << i)) == 0 && groupsOfWay(i) < least) {
        least = groupsOfWay(i);
        found = i;
      }
    }
    if (found >= 0) set |= 1 << found;
  }
  return set;
}
