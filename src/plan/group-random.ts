import type { Sampler } from "./sampler.ts";

export const groupRandom = {
  name: "group-random",
  seed: 0,
  options: {},
  draw: (abi, { ranks, microBatch, tail, binSize }, seed) =>
    abi.planGroupRandom(ranks, microBatch, seed, tail === "repeat" ? 1 : 0, binSize),
  published: {
    takesFewUnits: true,
    resumes: true,
    draw: (abi, { ranks, microBatch, binSize }, epoch, from) =>
      abi.publishedGroupRandom(ranks, microBatch, epoch | 0, from, binSize),
  },
} as const satisfies Sampler;
