import { describe, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import {
  chromeTrace,
  compareModel,
  type ModelPlan,
  type Profile,
  paretoSplits,
  planModel,
  profileLoads,
  simulateSplit,
} from "../../src/model/index.ts";
import { toCoreLayers } from "../../src/model/profile.ts";
import { randomProfile, tryPlan } from "./made.ts";
import { modelProfile, smallProfile } from "./models.ts";
import { slowSimulation } from "./slow.ts";

const core = await load();

/** Step, busy times and bytes of each device by the slow simulation and the definition of memory. */
function byDefinition(profile: Profile, { shape, stages }: ModelPlan) {
  const layers = toCoreLayers(profile, profileLoads(profile));
  const rows = (of: (stage: (typeof stages)[number]) => number) =>
    stages.map((stage) => new Array<number>(shape.microBatches).fill(of(stage)));
  const sum = (stage: (typeof stages)[number], of: (l: number, again: boolean) => number) => {
    let total = 0;
    for (let l = stage.first; l < stage.end; l++) total += of(l, stage.recomputed.includes(l));
    return total;
  };
  const seen = slowSimulation({
    ...{ schedule: shape.schedule, devices: shape.stages, chunks: shape.chunks, microBatches: shape.microBatches },
    forward: rows((stage) => sum(stage, (l) => layers[l].forward)),
    backward: rows((stage) => sum(stage, (l, again) => layers[l].backward + (again ? layers[l].forward : 0))),
    transfer: rows((stage) => layers[stage.end - 1].transfer).slice(0, -1),
    activation: rows((stage) => sum(stage, (l, again) => (again ? layers[l].recomputed : layers[l].kept))),
  });
  const bytes = seen.activation.map((held, d) => {
    const own = stages.filter(({ device }) => device === d);
    const once = own.flatMap(({ recomputed }) => recomputed.map((l) => layers[l].kept - layers[l].recomputed));
    return own.reduce((all, stage) => all + sum(stage, (l) => layers[l].parameters), held) + Math.max(0, ...once);
  });
  return { stepMs: seen.step / 1e6, bytes };
}

function checkPlan(profile: Profile, plan: ModelPlan): void {
  const { stages, shape, cuts } = plan;
  expect(stages.map(({ first }) => first)).toEqual([0, ...cuts]);
  expect(stages.map(({ end }) => end)).toEqual([...cuts, profile.layers.length]);
  expect(stages.every(({ first, end }) => end > first)).toBe(true);
  const { stepMs, bytes } = byDefinition(profile, plan);
  expect(plan.stepMs).toBe(stepMs);
  expect(plan.devices.map((device) => device.bytes)).toEqual(bytes);
  expect(Math.max(...bytes)).toBeLessThanOrEqual(shape.memory);
  expect(plan.fits).toBe(true);
  if (plan.boundMs !== undefined) expect(plan.stepMs).toBeGreaterThanOrEqual(plan.boundMs);
  if (plan.isProven) expect(plan.stepMs).toBe(plan.boundMs);
}

/** `npm run test:model` makes 1,000. */
const PROFILES = Number(process.env.MODEL_PROFILES || 200);

describe(`${PROFILES} random profiles`, () => {
  const made = Array.from({ length: PROFILES }, (_, i) => randomProfile(core, i + 1));

  test("exact is never worse than the paper, in largest stage and in step", { timeout: 120_000 }, () => {
    let feasible = 0;
    let misses = 0;
    let better = 0;
    for (const [i, { profile, options }] of made.entries()) {
      const exact = tryPlan(core, profile, options);
      const paper = tryPlan(core, profile, { ...options, partition: "paper", recompute: "paper" });
      if (exact === undefined) {
        // Whatever the paper finds, so does a search of everything.
        expect(paper, `seed ${i + 1}`).toBeUndefined();
        continue;
      }
      feasible++;
      checkPlan(profile, exact);
      expect(exact.isProven, `seed ${i + 1}`).toBe(true);
      if (paper === undefined) {
        misses++;
        continue;
      }
      checkPlan(profile, paper);
      expect(exact.stepMs).toBeLessThanOrEqual(paper.stepMs);
      expect(exact.leastLargestMs).toBeLessThanOrEqual(paper.largestMs);
      if (exact.stepMs < paper.stepMs) better++;
    }
    expect(feasible).toBeGreaterThan(PROFILES / 2);
    expect(misses).toBeGreaterThan(0);
    expect(better).toBeGreaterThan(feasible / 2);
  });

  test("where the paper finds nothing, the message says what would", () => {
    let seen = 0;
    for (const { profile, options } of made) {
      const paper = { ...options, partition: "paper", recompute: "paper" } as const;
      if (tryPlan(core, profile, options) === undefined || tryPlan(core, profile, paper) !== undefined) continue;
      expect(() => planModel(core, profile, paper)).toThrow(
        /^nothing fits .* among the 32 best neighbours of the anchor, .*: partition exact looks at both$/,
      );
      seen++;
    }
    expect(seen).toBeGreaterThan(0);
  });

  test("the two probes never overflow, and the best choice is never slower", { timeout: 120_000 }, () => {
    for (const { profile, options } of made.slice(0, 60)) {
      const exact = tryPlan(core, profile, options);
      if (exact === undefined) continue;
      const probed = planModel(core, profile, { ...options, recompute: "paper" });
      checkPlan(profile, probed);
      expect(exact.stepMs).toBeLessThanOrEqual(probed.stepMs);
    }
  });

  test("interleaved: what is planned fits, chunk by chunk", { timeout: 120_000 }, () => {
    let planned = 0;
    for (const { profile, options } of made.slice(0, 40)) {
      if (profile.layers.length < options.stages * 2) continue;
      const microBatches = options.stages * 2;
      const plan = tryPlan(core, profile, { ...options, microBatches, schedule: "interleaved", effort: 0 });
      if (plan === undefined) continue;
      planned++;
      checkPlan(profile, plan);
      expect(plan.boundMs).toBeUndefined();
      expect(plan.stages.map(({ device, chunk }) => chunk * options.stages + device)).toEqual(
        plan.stages.map((_, q) => q),
      );
    }
    expect(planned).toBeGreaterThan(10);
  });
});

describe("models by their public configs", () => {
  // Memory that matters; the shares that the paper reports are 25 %, 47 %, 35 % and 28 % of what was left.
  test.each([
    ["internvl-6-20b", 2, 4, 76e9],
    ["internvl-6-20b", 1, 8, 76e9],
    ["internvl-6-34b", 4, 4, 60e9],
    ["internvl-6-34b", 2, 8, 60e9],
    ["qwen2.5-vl-72b", 8, 4, 70e9],
    ["qwen2.5-vl-72b", 4, 8, 70e9],
  ])(
    "%s, tensor parallel %i, %i stages: proven, and 15 % and more below both usual splits that fit",
    (name, tensorParallel, stages, memory) => {
      const profile = modelProfile(name, { tensorParallel, samples: 4 });
      const { byLayers, byParameters, cutsAlone, plan } = compareModel(core, profile, {
        stages,
        microBatches: 16,
        memory,
      });
      checkPlan(profile, plan);
      expect(plan.isProven).toBe(true);
      for (const usual of [byLayers, byParameters]) {
        if (usual.fits) expect(plan.stepMs).toBeLessThan(usual.stepMs * 0.85);
        expect(usual.stages.reduce((all, { recomputed }) => all + recomputed.length, 0)).toBeGreaterThan(
          profile.layers.length - 4,
        );
      }
      expect(plan.stepMs).toBeLessThan(cutsAlone?.stepMs ?? 0);
      const gpipe = planModel(core, profile, { stages, microBatches: 4, memory: 400e9, schedule: "gpipe" });
      checkPlan(profile, gpipe);
      expect(gpipe.isProven).toBe(true);
    },
  );
});

test("the same call gives the same plan", () => {
  const profile = modelProfile("internvl-6-20b", { tensorParallel: 2 });
  const options = { stages: 8, microBatches: 16, memory: 45e9 };
  expect(planModel(core, profile, options)).toEqual(planModel(core, profile, options));
});

test("splits for less memory: none is beaten by another, and the first is the plan", () => {
  const profile = modelProfile("internvl-6-20b", { tensorParallel: 2 });
  const options = { stages: 4, microBatches: 16, memory: 76e9 };
  const points = paretoSplits(core, profile, options);
  expect(points.length).toBeGreaterThan(4);
  expect(points[0].stepMs).toBe(planModel(core, profile, options).stepMs);
  for (const [i, a] of points.entries()) {
    expect(a.split.bytes).toBe(a.bytes);
    for (const [k, b] of points.entries()) {
      if (i !== k) expect(a.stepMs < b.stepMs || a.bytes < b.bytes || a.transferMs < b.transferMs).toBe(true);
    }
  }
});

test("micro-batches of their own loads: memory of the largest window in flight, and a timeline", () => {
  const profile: Profile = {
    ...smallProfile(),
    loads: { tokens: { mean: 10, max: 20 } },
    layers: smallProfile().layers.map((layer) => ({
      ...layer,
      forwardMs: { per: { tokens: 0.1 } },
      backwardMs: { fixed: 1, per: { tokens: 0.2 } },
      keptBytes: { per: { tokens: 50 } },
      recomputedBytes: { per: { tokens: 5 } },
      parameterBytes: 1000,
    })),
  };
  const plan = planModel(core, profile, { stages: 2, microBatches: 4, memory: 12_000 });
  const loads = [20, 5, 10, 1].map((sum) => ({ tokens: { sum } }));
  const seen = simulateSplit(core, profile, plan.shape, plan, loads);
  // The first stage holds two at a time: 20 and 5, 5 and 10, 10 and 1. The second one.
  const held = (s: number, tokens: number) => {
    const { first, end, recomputed } = plan.stages[s];
    return tokens * (50 * (end - first - recomputed.length) + 5 * recomputed.length);
  };
  const once = plan.stages.map(({ recomputed }) => (recomputed.length > 0 ? 20 * 45 : 0));
  expect(seen.devices.map(({ bytes }) => bytes)).toEqual([
    1000 * plan.stages[0].end + held(0, 25) + once[0],
    1000 * (10 - plan.stages[0].end) + held(1, 20) + once[1],
  ]);
  // At most what is planned for, when all are as large as can be.
  const full = simulateSplit(core, profile, plan.shape, plan, new Array(4).fill({ tokens: { sum: 20 } }));
  expect(full.devices.map(({ bytes }) => bytes)).toEqual(plan.devices.map(({ bytes }) => bytes));
  // Of the mean size, the step that is planned.
  expect(simulateSplit(core, profile, plan.shape, plan, new Array(4).fill({ tokens: { sum: 10 } })).stepMs).toBe(
    plan.stepMs,
  );

  const { traceEvents } = JSON.parse(chromeTrace(seen));
  const slices = traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
  expect(slices).toHaveLength(2 * 2 * 4);
  for (const device of [0, 1]) {
    const own = slices.filter(({ tid }: { tid: number }) => tid === device);
    for (let i = 1; i < own.length; i++)
      expect(own[i].ts).toBeGreaterThanOrEqual(own[i - 1].ts + own[i - 1].dur - 1e-6);
  }
  const end = Math.max(...slices.map(({ ts, dur }: { ts: number; dur: number }) => ts + dur));
  expect(end).toBeCloseTo(seen.stepMs * 1000, 3);
  expect(
    traceEvents.filter(({ ph }: { ph: string }) => ph === "M").map(({ args }: { args: { name: string } }) => args.name),
  ).toEqual(["device 0", "device 1"]);
});

test("hostile numbers: 1,024 layers that are all unlike, one micro-batch, as many stages as layers", {
  timeout: 120_000,
}, () => {
  const layers = Array.from({ length: 1024 }, (_, l) => {
    const keptBytes = 1e6 + ((l * 7919) % 1000) * 1009;
    return {
      ...{
        name: `l.${l}`,
        type: `t${l}`,
        forwardMs: keptBytes / 1e6 + ((l * 31) % 7) / 1e3,
        backwardMs: 2 + (l % 13),
        keptBytes,
      },
      ...{ recomputedBytes: l % 3, parameterBytes: (l * 104_729) % 1_000_003, outputBytes: (l % 5) * 1e5 },
    };
  });
  const profile: Profile = { ...smallProfile(), device: { memory: 80e6 }, layers };
  const plan = planModel(core, profile, { stages: 64, microBatches: 8, memory: 150e6, effort: 0 });
  checkPlan(profile, plan);
  const few = planModel(
    core,
    { ...profile, layers: layers.slice(0, 30) },
    { stages: 30, microBatches: 1, memory: 1e9 },
  );
  checkPlan({ ...profile, layers: layers.slice(0, 30) }, few);
  const zeros = {
    ...profile,
    layers: layers.slice(0, 9).map((layer) => ({ ...layer, forwardMs: 0, backwardMs: 0, outputBytes: 0 })),
  };
  const still = { ...zeros, link: { bytesPerSecond: 1, latencyMs: 0 } };
  expect(planModel(core, still, { stages: 3, microBatches: 4 }).stepMs).toBe(0);
});
