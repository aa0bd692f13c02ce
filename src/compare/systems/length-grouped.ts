import type { Epoch } from "../epoch.ts";
import { draws, shuffle, upTo } from "../random.ts";
import { lengthColumn, type Scene } from "../scene.ts";
import type { System } from "../system.ts";

/** Steps of samples that are sorted together: transformers sorts 50 batches of all ranks at a time. */
const STEPS = 50;

/** Batches of like lengths, as transformers' LengthGroupedSampler makes them. O(samples log samples). */
export const lengthGrouped = {
  name: "length-grouped",
  title: "length-grouped batches",
  about: "batches of samples of like length, padded to the longest (transformers' group_by_length)",
  usual: true,
  run(scene: Scene): Epoch {
    const { samples, batch, ranks, seed } = scene;
    const lengths = lengthColumn(scene);
    const shuffled = shuffle(upTo(samples), draws(seed));
    const mega = STEPS * batch * ranks;
    for (let from = 0; from < samples; from += mega) {
      // In place: a view of the shuffled samples. Equal lengths stay as they were shuffled.
      shuffled.subarray(from, from + mega).sort((a, b) => lengths[b] - lengths[a]);
    }
    // Rank r is handed samples r, r + ranks, ... of that order.
    const indices = new Int32Array(samples);
    const step = batch * ranks;
    const offsets = [0];
    let count = 0;
    const order: number[] = [];
    for (let from = 0; from < samples; from += step) {
      for (let r = 0; r < ranks; r++) {
        const before = count;
        for (let k = 0, at = from + r; k < batch && at < samples; k++, at += ranks) indices[count++] = shuffled[at];
        if (count === before) {
          // The last step: ranks that have none left work on their first batches again.
          order.push(order[order.length % ranks] ?? -1);
          continue;
        }
        order.push(offsets.length - 1);
        offsets.push(count);
      }
    }
    return { offsets: Int32Array.from(offsets), indices, order: Int32Array.from(order), padded: true };
  },
} as const satisfies System;
