import type { Trainer } from "./handover.ts";

export const json: Trainer = {
  name: "json",
  about: "plain JSON: the layers of each stage by name, and those that are recomputed",
  write({ plan, profile }) {
    const { schedule, stages, chunks, microBatches } = plan.shape;
    const name = (l: number) => profile.layers[l].name;
    const parts = plan.stages.map(({ device, chunk, first, end, recomputed }) => ({
      ...{ device, chunk },
      layers: Array.from({ length: end - first }, (_, l) => name(first + l)),
      recomputed: recomputed.map(name),
    }));
    const text = JSON.stringify({ schedule, stages, chunks, microBatches, stepMs: plan.stepMs, parts });
    return { text: `${text}\n`, notes: [] };
  },
};
