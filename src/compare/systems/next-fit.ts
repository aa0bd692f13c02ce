import { deal, type Epoch, Groups } from "../epoch.ts";
import { draws, shuffle, upTo } from "../random.ts";
import { lengthColumn, type Scene } from "../scene.ts";
import type { System } from "../system.ts";

/** Samples in random order, a group closed by the first that does not fit. O(samples). */
export const nextFitTokens = {
  name: "next-fit",
  title: "next fit by tokens",
  about: "samples in random order, a group closed by the first one that does not fit",
  usual: false,
  run(scene: Scene): Epoch {
    const { samples, max, length, ranks, seed } = scene;
    const lengths = lengthColumn(scene);
    const groups = new Groups(samples);
    let room = max[length];
    for (const sample of shuffle(upTo(samples), draws(seed))) {
      if (lengths[sample] > room) {
        groups.close();
        room = max[length];
      }
      groups.add(sample);
      room -= lengths[sample];
    }
    groups.close();
    return { ...groups.take(), order: deal(upTo(groups.length), ranks) };
  },
} as const satisfies System;
