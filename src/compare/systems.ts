import type { System } from "./system.ts";
import { bufferedKnapsack } from "./systems/buffered-knapsack.ts";
import { firstFitTokens } from "./systems/first-fit.ts";
import { fixed, fixedFlat } from "./systems/fixed.ts";
import { tokenKnapsack } from "./systems/knapsack.ts";
import { lengthGrouped } from "./systems/length-grouped.ts";
import { lpt } from "./systems/lpt.ts";
import { nextFitTokens } from "./systems/next-fit.ts";
import { balancedPlan, balancedPlanLoads, balancedRandom, isfPlan, isfRandom } from "./systems/own.ts";

/** What a comparison has rows of, in the order of its table. A new one is a file in `systems/` and a line here. */
export const systems: readonly System[] = [
  fixed,
  fixedFlat,
  lengthGrouped,
  tokenKnapsack,
  bufferedKnapsack,
  firstFitTokens,
  nextFitTokens,
  lpt,
  isfRandom,
  balancedRandom,
  isfPlan,
  balancedPlan,
  balancedPlanLoads,
];
