import { deal, type Epoch, groupsOf } from "../epoch.ts";
import { draws, shuffle, upTo } from "../random.ts";
import { lengthColumn, type Scene } from "../scene.ts";
import type { System } from "../system.ts";
import { firstFit } from "./token-packing.ts";

/** First fit on tokens in random order, as Axolotl's multipack. O(samples log groups). */
export const firstFitTokens = {
  name: "first-fit",
  title: "first fit by tokens",
  about: "first fit on tokens, samples in random order (Axolotl)",
  usual: false,
  run(scene: Scene): Epoch {
    const { samples, max, length, ranks, seed } = scene;
    const order = shuffle(upTo(samples), draws(seed));
    const { groupOf, groups } = firstFit(lengthColumn(scene), order, max[length]);
    return { ...groupsOf(groupOf, groups), order: deal(upTo(groups), ranks) };
  },
} as const satisfies System;
