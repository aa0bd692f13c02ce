import { expect, test } from "vitest";
import { InputError, load, OptionError } from "../../src/index.ts";
import {
  type GroupLoadColumns,
  loadsOfGroups,
  type ModelPlan,
  orderSteps,
  type Profile,
  planModel,
  simulateSplit,
} from "../../src/model/index.ts";
import { samples } from "../samples.ts";
import { modelProfile, smallProfile } from "./models.ts";
import { randomNumbers } from "./random.ts";

const core = await load();
const profile = modelProfile("internvl-6-20b", { tensorParallel: 2 });
const input = samples("tiled:3000");
const packing = core.pack(input, { maxVit: 9, maxTokens: 4096, rounds: 3 });
const columns: GroupLoadColumns = {
  vit: { sums: packing.vit },
  tokens: { sums: packing.tokens, squares: packing.attention as Float64Array },
};
const loads = loadsOfGroups(columns);
const model = planModel(core, profile, { stages: 4, microBatches: 8, loads, memory: 200e9 });

/** Time of an epoch by simulating each rank of each step, of which the slowest counts. */
function epochTime(
  own: Profile,
  plan: ModelPlan,
  groups: GroupLoadColumns,
  order: Int32Array,
  ranks: number,
  each: number,
): number {
  let sum = 0;
  for (let at = 0; at < order.length; at += ranks * each) {
    let most = 0;
    for (let rank = 0; rank < ranks; rank++) {
      const mine = Array.from(order.subarray(at + rank * each, at + (rank + 1) * each)).filter((group) => group >= 0);
      if (mine.length === 0) continue;
      const batches = mine.map((group) =>
        Object.fromEntries(
          Object.entries(groups).map(([load, { sums, squares }]) => [
            load,
            { sum: sums[group], ...(squares === undefined ? {} : { squares: squares[group] }) },
          ]),
        ),
      );
      most = Math.max(most, simulateSplit(core, own, plan.shape, plan, batches).stepMs);
    }
    sum += most;
  }
  return sum;
}

test("the mean and the largest group", () => {
  expect(loads.max.tokens.sum).toBe(Math.max(...packing.tokens));
  expect(loads.mean.vit.sum).toBeCloseTo(packing.vit.reduce((a, b) => a + b, 0) / packing.length, 9);
  expect(loads.max.tokens.squares).toBe(Math.max(...(packing.attention as Float64Array)));
  expect(loads.max.vit).not.toHaveProperty("squares");
});

test.each(["repeat", "short", "drop"] as const)(
  "tail %s: the same groups at each step, in less time, which is what is said",
  (tail) => {
    const plan = core.plan(packing, { ranks: 4, microBatch: 8, tail });
    const seen = orderSteps(core, profile, model, columns, plan);
    const size = 32;
    for (let at = 0; at < plan.order.length; at += size) {
      expect(seen.order.slice(at, at + size).toSorted()).toEqual(plan.order.slice(at, at + size).toSorted());
    }
    expect(seen.epochMs).toBeLessThan(seen.beforeMs);
    // To the rounding of a layer's times to nanoseconds.
    expect(seen.beforeMs).toBeCloseTo(epochTime(profile, model, columns, plan.order, 4, 8), 1);
    expect(seen.epochMs).toBeCloseTo(epochTime(profile, model, columns, seen.order, 4, 8), 1);
    expect(orderSteps(core, profile, model, columns, plan)).toEqual(seen);
  },
);

test("each part by itself helps, and neither changes anything", () => {
  const plan = core.plan(packing, { ranks: 4, microBatch: 8 });
  const order = (options: object) => orderSteps(core, profile, model, columns, plan, options);
  const none = order({ reorder: false, even: false });
  expect(none.order).toEqual(plan.order);
  expect(none.epochMs).toBe(none.beforeMs);
  const [both, ordered, evened] = [order({}), order({ even: false }), order({ reorder: false })];
  expect(ordered.epochMs).toBeLessThan(none.epochMs);
  expect(evened.epochMs).toBeLessThan(none.epochMs);
  expect(both.epochMs).toBeLessThanOrEqual(ordered.epochMs);
  for (let at = 0; at < plan.order.length; at += 8) {
    expect(ordered.order.slice(at, at + 8).toSorted()).toEqual(plan.order.slice(at, at + 8).toSorted());
  }
});

test("ranks that are dealt badly are evened: 8 ranks, sizes 1 to 100, at random", () => {
  const int = randomNumbers(5);
  const sums = Int32Array.from({ length: 8 * 6 * 10 }, () => int(1, 100));
  const own: Profile = {
    ...smallProfile(),
    loads: { tokens: { mean: 50, max: 100 } },
    layers: smallProfile().layers.map((layer) => ({
      ...layer,
      forwardMs: { per: { tokens: 0.1 } },
      backwardMs: { per: { tokens: 0.2 } },
    })),
  };
  const plan = planModel(core, own, { stages: 2, microBatches: 6 });
  const order = Int32Array.from(sums, (_, i) => i);
  const groups = { tokens: { sums } };
  const seen = orderSteps(core, own, plan, groups, { ranks: 8, microBatch: 6, order });
  expect(order).toEqual(Int32Array.from(sums, (_, i) => i));
  expect(seen.epochMs).toBeCloseTo(epochTime(own, plan, groups, seen.order, 8, 6), 3);
  // No step can be shorter than an even share of its work on a device.
  let least = 0;
  for (let at = 0; at < sums.length; at += 48) {
    const work = sums.subarray(at, at + 48).reduce((a, b) => a + b, 0);
    least += (work * 0.3 * 10) / 2 / 8;
  }
  expect(seen.beforeMs / least).toBeGreaterThan(1.5);
  expect(seen.epochMs / least).toBeLessThan(1.25);
});

test("errors: loads that groups do not have, squares, sizes", () => {
  const plan = { ranks: 1, microBatch: 8, order: new Int32Array(8) };
  const { vit, tokens } = columns;
  expect(() => orderSteps(core, profile, model, { tokens }, plan)).toThrow(InputError);
  expect(() => orderSteps(core, profile, model, { tokens }, plan)).toThrow(
    'names the load "vit", expected one that groups have: tokens',
  );
  expect(() => orderSteps(core, profile, model, { vit, tokens: { sums: tokens.sums } }, plan)).toThrow(
    'the profile has a rate per square of "tokens", groups have none',
  );
  expect(() => orderSteps(core, profile, model, columns, { ...plan, microBatch: 3 })).toThrow(OptionError);
  const chunked = planModel(core, profile, {
    stages: 4,
    microBatches: 8,
    loads,
    memory: 300e9,
    schedule: "interleaved",
    effort: 0,
  });
  expect(orderSteps(core, profile, chunked, columns, plan).epochMs).toBeGreaterThan(0);
  expect(() => orderSteps(core, profile, chunked, columns, { ...plan, microBatch: 2 })).toThrow(
    "2 micro-batches at a rank, expected a multiple of the 4 stages for interleaved",
  );
  expect(() => orderSteps(core, profile, chunked, columns, { ...plan, order: new Int32Array(8).fill(-1) })).toThrow(
    "a short step",
  );
});
