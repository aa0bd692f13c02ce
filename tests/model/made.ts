// Random profiles in the proportions of real models, of a seed, for tests and bench.
import { OptionError } from "../../src/index.ts";
import {
  type ModelHost,
  type ModelPlan,
  type ModelPlanOptions,
  type Profile,
  planModel,
} from "../../src/model/index.ts";
import { randomNumbers } from "./random.ts";

/** Two kinds of layers, an embedding and a head, or layers that are all unlike; with a memory bound that matters. */
export function randomProfile(core: ModelHost, seed: number): { profile: Profile; options: ModelPlanOptions } {
  const int = randomNumbers(seed);
  const isAlike = seed % 2 === 0;
  const stages = int(2, 8);
  const count = int(Math.max(12, 3 * stages), 60);
  const first = int(2, count - 3);
  const kinds = [0, 1].map(() => ({
    ms: int(20, 300) / 10,
    ratio: int(15, 25) / 10,
    kept: int(200, 2000),
    parameters: int(100, 1200),
  }));
  const layers = Array.from({ length: count }, (_, l) => {
    const isHead = l === count - 1;
    const { ms, ratio, kept, parameters } = kinds[l < first ? 0 : 1];
    const spread = () => (isAlike ? 1 : int(40, 160) / 100);
    const forwardMs = ms * spread() * (isHead ? 0.7 : 1);
    const keptBytes = kept * 1e6 * spread() * (isHead ? 2 : 1);
    return {
      name: `layers.${l}`,
      type: isHead ? "head" : l < first ? "vit" : "decoder",
      forwardMs,
      backwardMs: forwardMs * ratio,
      keptBytes,
      recomputedBytes: isHead ? keptBytes : keptBytes * 0.06,
      parameterBytes: parameters * 1e6 * spread(),
      outputBytes: 50e6,
    };
  });
  const link = { bytesPerSecond: 50e9, latencyMs: 0.02 };
  const profile: Profile = { format: "omnibal-profile", version: 1, device: { memory: 1e12 }, link, layers };
  const microBatches = [4, 8, 16, 32][int(0, 3)];
  const none = planModel(core, profile, { stages, microBatches, recompute: "none" }).bytes;
  const all = layers.reduce((sum, { parameterBytes }) => sum + parameterBytes, 0) / stages;
  // Tight: from what parameters alone take to what needs no recomputation.
  const memory = Math.round(all * 1.05 + (none - all) * (int(5, 95) / 100));
  return { profile, options: { stages, microBatches, memory } };
}

/** A plan, or undefined where none fits. */
export function tryPlan(core: ModelHost, profile: Profile, options: ModelPlanOptions): ModelPlan | undefined {
  try {
    return planModel(core, profile, options);
  } catch (error) {
    if (error instanceof OptionError && error.code === "INFEASIBLE") return undefined;
    throw error;
  }
}
