// omnibal's own rows: a method of packing, and an order of steps.
import type { PackMethod, PackOptions } from "../../pack/methods.ts";
import { pack } from "../../pack/pack.ts";
import type { Packing } from "../../pack/packing.ts";
import { plan } from "../../plan/plan.ts";
import { deal, type Epoch } from "../epoch.ts";
import { draws, shuffle, upTo } from "../random.ts";
import type { Scene } from "../scene.ts";
import type { System } from "../system.ts";

/** Packings of scenes: several rows are made of the same one. */
const packings = new WeakMap<Scene, Map<PackMethod, Packing>>();

function packed(scene: Scene, method: PackMethod): Packing {
  const known = packings.get(scene) ?? new Map<PackMethod, Packing>();
  packings.set(scene, known);
  const { core, columns, max, seed } = scene;
  const lengths = { vit: columns.vit as Int32Array, tokens: columns.tokens as Int32Array };
  const options = { method, maxVit: max.vit, maxTokens: max.tokens, seed } as PackOptions;
  const packing = known.get(method) ?? pack(core, lengths, options);
  known.set(method, packing);
  return packing;
}

/** What a plan evens out: the cost, or each load by itself. */
type Aim = "cost" | "loads";

function planned(scene: Scene, method: PackMethod, aim: Aim): Epoch {
  const packing = packed(scene, method);
  const { offsets, indices } = packing;
  const { core, ranks, seed, cost } = scene;
  const { vit = 0, tokens = 0 } = cost;
  const balance =
    aim === "cost"
      ? { msPerTile: vit, msPerToken: tokens, msPerTokenSquared: cost["tokens^2"] ?? 0 }
      : { vit: 1, tokens: 1 };
  return { offsets, indices, order: plan(core, packing, { ranks, seed, balance }).order };
}

export const isfRandom = {
  name: "isf-random",
  title: "ISF, random order",
  about: "the published packing in random order",
  usual: true,
  run(scene: Scene): Epoch {
    const { offsets, indices, length } = packed(scene, "isf");
    return { offsets, indices, order: deal(shuffle(upTo(length), draws(scene.seed)), scene.ranks) };
  },
} as const satisfies System;

export const isfPlan = {
  name: "isf-plan",
  title: "ISF + plan by cost",
  about: "the published packing, with a plan that evens out the cost",
  usual: true,
  own: true,
  run: (scene: Scene) => planned(scene, "isf", "cost"),
} as const satisfies System;

export const balancedPlan = {
  name: "balanced-plan",
  title: "balanced + plan by cost",
  about: "the balanced packing, with a plan that evens out the cost",
  usual: true,
  own: true,
  run: (scene: Scene) => planned(scene, "balanced", "cost"),
} as const satisfies System;

export const balancedPlanLoads = {
  name: "balanced-plan-loads",
  title: "balanced + plan by loads",
  about: "the balanced packing, with a plan that evens out each load: for ranks that wait after each",
  usual: true,
  own: true,
  run: (scene: Scene) => planned(scene, "balanced", "loads"),
} as const satisfies System;
