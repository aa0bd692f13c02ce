// omnibal's own rows: a method of packing, and an order of steps.
import type { PackMethod, PackOptions } from "../../pack/methods.ts";
import { pack } from "../../pack/pack.ts";
import type { Packing } from "../../pack/packing.ts";
import { plan } from "../../plan/plan.ts";
import { deal, type Epoch, phaseTimes } from "../epoch.ts";
import { draws, shuffle, upTo } from "../random.ts";
import type { Scene } from "../scene.ts";
import type { System } from "../system.ts";

/** Packings of scenes: several rows are made of the same one. */
const packings = new WeakMap<Scene, Map<PackMethod, Packing>>();

function packed(scene: Scene, method: PackMethod): Packing {
  const known = packings.get(scene) ?? new Map<PackMethod, Packing>();
  packings.set(scene, known);
  const { core, columns, max, seed } = scene;
  const packing = known.get(method) ?? pack(core, columns, { method, max, seed } as PackOptions);
  known.set(method, packing);
  return packing;
}

/** What a plan evens out: the cost, or each load by itself. */
type Aim = "cost" | "loads";

/** What a plan evens out is relative to the largest: whole numbers of up to this say it well enough. */
const SCALE = 2 ** 30;

/** A plan of groups whose phases take these times. */
function ordered(scene: Scene, groups: number, phases: readonly Float64Array[], aim: Aim): Int32Array {
  const { core, ranks, seed } = scene;
  const times = aim === "cost" ? [phases.reduce((sum, own) => sum.map((time, g) => time + own[g]))] : phases;
  // The planner knows three loads by name; it asks nothing of their unit.
  const whole = (own: Float64Array | undefined) => {
    const largest = own?.reduce((most, time) => Math.max(most, time), 0) ?? 0;
    return Int32Array.from({ length: groups }, (_, g) =>
      largest > 0 ? Math.round(((own?.[g] ?? 0) / largest) * SCALE) : 0,
    );
  };
  const [first, second, third] = times;
  const loads = {
    length: groups,
    vit: whole(first),
    tokens: whole(second),
    attention: third ?? new Float64Array(groups),
  };
  const balance =
    aim === "cost"
      ? { msPerTile: 1, msPerToken: 0 }
      : { vit: 1, tokens: second === undefined ? 0 : 1, attention: third === undefined ? 0 : 1 };
  return plan(core, loads, { ranks, seed, balance }).order;
}

function planned(scene: Scene, method: PackMethod, aim: Aim): Epoch {
  const { offsets, indices, length } = packed(scene, method);
  const phases = phaseTimes(scene, { offsets, indices, order: new Int32Array(0) });
  return { offsets, indices, order: ordered(scene, length, phases, aim) };
}

function inRandomOrder(scene: Scene, method: PackMethod): Epoch {
  const { offsets, indices, length } = packed(scene, method);
  return { offsets, indices, order: deal(shuffle(upTo(length), draws(scene.seed)), scene.ranks) };
}

export const isfRandom = {
  name: "isf-random",
  title: "ISF, random order",
  about: "the published packing in random order",
  usual: true,
  run: (scene: Scene) => inRandomOrder(scene, "isf"),
} as const satisfies System;

export const balancedRandom = {
  name: "balanced-random",
  title: "balanced, random order",
  about: "the balanced packing in random order: why it should be planned",
  usual: false,
  run: (scene: Scene) => inRandomOrder(scene, "balanced"),
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
