import { deal, type Epoch, Groups } from "../epoch.ts";
import { draws, shuffle, upTo } from "../random.ts";
import { lengthColumn, type Scene } from "../scene.ts";
import type { System } from "../system.ts";
import { knapsack } from "./token-packing.ts";

/** Samples that are packed at a time. */
const BUFFER = 1000;

/** The greedy knapsack over a buffer of samples in random order, the way that online packers work. O(samples log buffer). */
export const bufferedKnapsack = {
  name: "buffered-knapsack",
  title: "packed by tokens, online",
  about: "a greedy knapsack on tokens over each 1000 samples of a random order (Megatron-Energon's example)",
  usual: false,
  run(scene: Scene): Epoch {
    const { samples, max, length, ranks, seed } = scene;
    const lengths = lengthColumn(scene);
    const order = shuffle(upTo(samples), draws(seed));
    const groups = new Groups(samples);
    for (let from = 0; from < samples; from += BUFFER) {
      const buffer = order.subarray(from, from + BUFFER);
      const own = Float64Array.from(buffer, (sample) => lengths[sample]);
      const packed = knapsack(own, own.length, max[length]);
      const lists: number[][] = Array.from({ length: packed.groups }, () => []);
      for (let k = 0; k < buffer.length; k++) lists[packed.groupOf[k]].push(buffer[k]);
      for (const list of lists) {
        for (const sample of list) groups.add(sample);
        groups.close();
      }
    }
    return { ...groups.take(), order: deal(upTo(groups.length), ranks) };
  },
} as const satisfies System;
