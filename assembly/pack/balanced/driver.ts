// The balanced packer: sorts the samples, tries a few ways to pack them (on a part first, when there are very many), keeps
// the packing with the fewest groups, and repairs its emptiest groups as long as that helps. `begin`, then `step` until
// nothing is left; every step is a short piece of work. The groups depend on the samples, the bounds, the seed and the
// effort alone.

import { mark, release } from "../../base/memory";
import { seedRandom } from "../../base/pcg32";
import { BAD_ARGUMENT, OUT_OF_MEMORY } from "../../base/status";
import { DONE, MORE } from "../../base/step";
import { BOTH_DRAWS, DRAW, FEW_FITS, FITS, moreWays, startWays, stepWays, way } from "./attempts";
import { bestGroups, setBest } from "./best-packing";
import { closeTrial, openTrial, TRIAL_ABOVE } from "./pilot";
import { rows, setBounds, setRows, useSamples } from "./problem";
import { FINE_ROWS, round, startRepair, stepRepair, weighBounds } from "./repair";
import { startResult, stepResult } from "./result";
import { packed, SHARE_ABOVE, shares, startShares, stepShares } from "./slices";
import { fitting, stage as rowStage, startRows, stepRows } from "./sorted-samples";
import { bound, open, useWhole, wholeGroups } from "./subproblem";

/** What is done next. */
const READING: i32 = 0;
const TRYING: i32 = 1;
const PACKING: i32 = 2;
const SHARING: i32 = 3;
const REPAIRING: i32 = 4;
/** Best fits against drawn and repaired groups. */
const COMPARING: i32 = 5;
const WRITING: i32 = 6;
const ENDED: i32 = 7;

let phase: i32 = ENDED;
let effort: i32 = 1;
/** Best fits to run when draws and repairs have not brought the packing to the bound. */
let later: i32 = 0;
let groupsBefore: i32 = 0;

/**
 * Starts a packing of n samples, i32[n] each at `vit` and `tokens`, which stay in place until it is done. Effort: 0
 * quick, 1 normal, 2 long, 3 very long. Returns a status.
 */
export function begin(vit: usize, tokens: usize, n: i32, vitBound: i32, tokenBound: i32, seed: u32, level: i32): i32 {
  if (n < 0 || vitBound < 1 || tokenBound < 1 || level < 0 || level > 3) return BAD_ARGUMENT;
  const before = mark();
  phase = ENDED;
  effort = level;
  setBounds(vitBound, tokenBound);
  setRows(0);
  useSamples(0, 0);
  setBest(0);
  seedRandom(seed, 0);
  const status = startRows(vit, tokens, n);
  if (status != 0) release(before);
  else phase = READING;
  return status;
}

/**
 * Does a piece of work: 0 when all is done and handed over, else about how many thousandths are left; negative: a
 * status, and the packing has ended.
 */
export function step(): i32 {
  let more = DONE;
  if (phase == READING) more = stepRows();
  else if (phase == SHARING) more = stepShares();
  else if (phase == REPAIRING) more = stepRepair();
  else if (phase == WRITING) more = stepResult();
  else if (phase != ENDED) more = stepWays();
  if (more == DONE) more = next();
  if (more < 0) phase = ENDED;
  return more < 0 ? more : left();
}

/** Groups of the best packing of all samples so far; 0 while there is none. */
export function groupsNow(): i32 {
  if (phase == READING || phase == TRYING || phase == SHARING) return 0;
  return open ? wholeGroups : bestGroups;
}

/** Goes from a phase that is done to the one after it. */
function next(): i32 {
  if (phase == READING) return fitting > 0 ? choose() : finish();
  if (phase == TRYING) {
    const set = closeTrial();
    if (fitting > SHARE_ABOVE) {
      startShares(set);
      phase = SHARING;
    } else {
      startWays(set, 0);
      phase = PACKING;
    }
    return MORE;
  }
  // Drawn groups far from the bound are compared with best fits at once, near it only if repairs do not get there.
  const compare = later != 0 && bestGroups > (phase == PACKING ? bound + max(2, bound / 100) : bound);
  if (compare && (phase == PACKING || phase == REPAIRING)) {
    moreWays(later);
    later = 0;
    groupsBefore = bestGroups;
    if (phase == REPAIRING) phase = COMPARING;
    return MORE;
  }
  if (phase == SHARING || phase == PACKING || (phase == COMPARING && bestGroups < groupsBefore)) {
    startRepair(effort);
    phase = REPAIRING;
    return MORE;
  }
  if (phase == WRITING) phase = ENDED;
  return phase == ENDED ? DONE : finish();
}

/** Chooses the ways to pack all samples, or to try on some of them. */
function choose(): i32 {
  useWhole();
  weighBounds();
  const fits = effort == 0 ? FEW_FITS : FITS;
  const draws = effort == 0 || (effort == 1 && rows > FINE_ROWS) ? DRAW : BOTH_DRAWS;
  if (fitting > TRIAL_ABOVE) {
    later = 0;
    if (!openTrial()) return -OUT_OF_MEMORY;
    startWays(draws | fits, 0);
    phase = TRYING;
  } else {
    later = fits;
    startWays(draws, 0);
    phase = PACKING;
  }
  return MORE;
}

function finish(): i32 {
  phase = WRITING;
  return startResult() ? MORE : -OUT_OF_MEMORY;
}

/** About how many thousandths of the work are left. */
function left(): i32 {
  if (phase == READING) return 990 - 40 * rowStage;
  if (phase == TRYING) return 800;
  if (phase == SHARING) return 780 - <i32>((<i64>600 * packed) / shares);
  if (phase == PACKING) return 780 - max(0, min(600, 80 * way));
  if (phase == WRITING) return 10;
  return phase == ENDED ? 0 : max(20, 150 - round * 5);
}
