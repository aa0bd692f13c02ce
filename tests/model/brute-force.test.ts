// Random problems against every cut and every choice tried. MODEL_INSTANCES: how many; `npm run test:model` runs 10,000.
import { expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { type CoreProblem, withProblem } from "../../src/model/core.ts";
import { randomLayers, randomNumbers, randomProblem } from "./random.ts";
import { type Mode, slowAnswer, slowStage } from "./slow.ts";

const INSTANCES = Number(process.env.MODEL_INSTANCES || 2000);
const core = await load();

/** What the core finds, as the slow answer has it. */
function answer(problem: CoreProblem) {
  return withProblem(core, problem, (open) => {
    const largest: Record<string, number> = {};
    const optima: Record<string, number> = {};
    for (const mode of ["free", "none", "full", "joint"] as const) {
      open.setMode(mode);
      const found = open.partition();
      largest[mode] = found?.largest ?? Number.POSITIVE_INFINITY;
      optima[mode] = found?.optima ?? 0;
    }
    open.beginSearch();
    open.search(1e8);
    const { step, bound } = open.best;
    expect(bound).toBe(step);
    expect(open.isExact).toBe(true);
    return { largest, optima, step };
  });
}

test(`${INSTANCES} random problems`, { timeout: 600_000 }, () => {
  let infeasible = 0;
  for (let seed = 1; seed <= INSTANCES; seed++) {
    const problem = randomProblem(seed, 9);
    const expected = slowAnswer(problem);
    if (expected.step === Number.POSITIVE_INFINITY) infeasible++;
    expect(answer(problem), `seed ${seed}`).toEqual(expected);
  }
  expect(infeasible).toBeGreaterThan(INSTANCES / 20);
  expect(infeasible).toBeLessThan(INSTANCES / 2);
});

test("stages of up to 14 layers that are all unlike: the choice of what to recompute is the best of 2^14", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const int = randomNumbers(seed);
    const n = int(8, 14);
    const layers = randomLayers(n, 2 + (seed & 1), int);
    const microBatches = int(1, 5);
    const least = layers.reduce((sum, l) => sum + l.parameters + l.recomputed * 1, 0);
    const most = layers.reduce((sum, l) => sum + l.parameters + l.kept * 1, 0);
    const memory = Math.floor(least + ((most - least) * int(0, 100)) / 100);
    withProblem(core, { layers, stages: 1, microBatches, memory, schedule: "1f1b" }, (open) => {
      expect(open.stage(0, 0, n).time, `seed ${seed}`).toBe(slowStage(layers, 1, memory, "joint" satisfies Mode));
    });
  }
});

test("longer pipelines: none of 200 splits near the best beats what is proven", () => {
  let proven = 0;
  for (let seed = 1; seed <= INSTANCES / 20; seed++) {
    const int = randomNumbers(seed);
    const stages = int(5, 10);
    const n = int(stages + 2, 30);
    const microBatches = int(1, 24);
    const schedule = int(0, 3) === 0 ? "gpipe" : "1f1b";
    const layers = randomLayers(n, int(0, 3), int);
    const inFlight = schedule === "gpipe" ? microBatches : Math.min(stages, microBatches);
    const all = layers.reduce((sum, l) => sum + l.parameters + inFlight * l.kept, 0);
    const memory = Math.floor((all / stages) * (0.6 + int(0, 100) / 60));
    withProblem(core, { layers, stages, microBatches, memory, schedule }, (open) => {
      open.beginSearch();
      open.search(1e7);
      const { step, cuts, bound } = open.best;
      expect(bound).toBeLessThanOrEqual(step);
      if (bound < step || step === Number.POSITIVE_INFINITY) return;
      proven++;
      for (let tries = 0; tries < 200; tries++) {
        const moved = cuts.map((c) => c + int(-2, 2)).toSorted((a, b) => a - b);
        expect(open.step(moved), `seed ${seed}: ${moved}`).toBeGreaterThanOrEqual(step);
      }
    });
  }
  expect(proven).toBeGreaterThan(INSTANCES / 60);
});
