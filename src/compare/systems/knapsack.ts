import { deal, type Epoch, groupsOf } from "../epoch.ts";
import { draws, shuffle, upTo } from "../random.ts";
import { lengthColumn, type Scene } from "../scene.ts";
import type { System } from "../system.ts";
import { knapsack } from "./token-packing.ts";

/** What most trainers ship: a knapsack on tokens alone, its groups in random order. O(samples log samples). */
export const tokenKnapsack = {
  name: "knapsack",
  title: "packed by tokens alone",
  about: "a greedy knapsack on tokens, in random order (LLaMA-Factory, TRL, ms-swift, OLMo, NeMo)",
  usual: true,
  run(scene: Scene): Epoch {
    const { samples, max, length, ranks, seed } = scene;
    const { groupOf, groups } = knapsack(lengthColumn(scene), samples, max[length]);
    return { ...groupsOf(groupOf, groups), order: deal(shuffle(upTo(groups), draws(seed)), ranks) };
  },
} as const satisfies System;
