import type { Sampler } from "./sampler.ts";

export const lengthGroup = {
  name: "length-group",
  seed: 233,
  options: {},
  draw: (abi, { ranks, microBatch, tail, window }, seed) =>
    abi.planLengthGroup(ranks, microBatch, seed, tail === "repeat" ? 1 : 0, window),
  published: {
    takesFewUnits: true,
    resumes: false,
    // It draws every epoch with the same seed.
    draw: (abi, { ranks, microBatch, seed }) => abi.publishedLengthGroup(ranks, microBatch, seed | 0),
  },
} as const satisfies Sampler;
