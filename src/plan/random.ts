import type { Sampler } from "./sampler.ts";

export const random = {
  name: "random",
  seed: 0,
  options: {},
  draw: (abi, { ranks, microBatch, tail }, seed) => abi.planRandom(ranks, microBatch, seed, tail === "repeat" ? 1 : 0),
  published: {
    takesFewUnits: false,
    resumes: false,
    draw: (abi, { ranks, microBatch, seed }, epoch) => abi.publishedRandom(ranks, microBatch, (seed + epoch) | 0),
  },
} as const satisfies Sampler;
