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
