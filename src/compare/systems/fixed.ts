import { deal, type Epoch } from "../epoch.ts";
import { draws, shuffle, upTo } from "../random.ts";
import type { Scene } from "../scene.ts";
import type { System } from "../system.ts";

/** Batches of `batch` samples, one after another. */
function cutInBatches(samples: number, batch: number): Int32Array {
  const batches = Math.ceil(samples / batch);
  const offsets = new Int32Array(batches + 1);
  for (let b = 0; b <= batches; b++) offsets[b] = Math.min(b * batch, samples);
  return offsets;
}

function cut({ samples, batch, ranks, seed }: Scene): Epoch {
  const indices = shuffle(upTo(samples), draws(seed));
  const offsets = cutInBatches(samples, batch);
  return { offsets, indices, order: deal(upTo(offsets.length - 1), ranks) };
}

/** A fixed number of samples in random order: what a DataLoader does. O(samples). */
export const fixed = {
  name: "fixed",
  title: "fixed batch, padded",
  about: "a fixed number of samples in random order, padded to the longest",
  usual: true,
  run: (scene: Scene) => ({ ...cut(scene), padded: true }),
} as const satisfies System;

/** The same without padding, as trainers with variable-length attention do it. O(samples). */
export const fixedFlat = {
  name: "fixed-flat",
  title: "fixed batch, not padded",
  about: "a fixed number of samples in random order, laid one after another",
  usual: false,
  run: cut,
} as const satisfies System;
