import { describe, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { arrangeCore, type CoreSimulated, type CoreSimulation, simulateCore } from "../../src/model/core.ts";
import { randomNumbers } from "./random.ts";
import { type SlowSimulation, slowSimulation } from "./slow.ts";

const core = await load();

function simulate(given: SlowSimulation): CoreSimulated {
  const flat: CoreSimulation = {
    ...given,
    forward: given.forward.flat(),
    backward: given.backward.flat(),
    transfer: given.transfer.flat(),
    activation: (given.activation ?? given.forward).flat(),
  };
  return simulateCore(core, flat);
}

function grid(rows: number, columns: number, value: (row: number, column: number) => number): number[][] {
  return Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => value(r, c)));
}

describe("closed forms: equal stages, equal micro-batches, no transfers", () => {
  const [f, b] = [7, 16];
  for (const [devices, m] of [
    [1, 1],
    [1, 9],
    [2, 1],
    [4, 3],
    [4, 4],
    [4, 32],
    [8, 13],
    [16, 64],
  ]) {
    test(`${devices} stages, ${m} micro-batches: (m + p - 1) t, min(p - s, m) in flight`, () => {
      const shape = { devices, chunks: 1, microBatches: m };
      const times = {
        forward: grid(devices, m, () => f),
        backward: grid(devices, m, () => b),
        transfer: grid(devices - 1, m, () => 0),
        activation: grid(devices, m, () => 3),
      };
      const flying = Array.from({ length: devices }, (_, s) => Math.min(devices - s, m));
      const one = simulate({ schedule: "1f1b", ...shape, ...times });
      expect(one.step).toBe((m + devices - 1) * (f + b));
      expect(one.inFlight).toEqual(flying);
      expect(one.activation).toEqual(flying.map((k) => 3 * k));
      const all = simulate({ schedule: "gpipe", ...shape, ...times });
      expect(all.step).toBe((m + devices - 1) * (f + b));
      expect(all.inFlight).toEqual(flying.map(() => m));
    });
  }

  test.each([
    [2, 2, 4],
    [4, 2, 8],
    [4, 3, 12],
    [8, 4, 16],
  ])("interleaved, %i devices x %i chunks, %i micro-batches: (m v + p - 1) t", (devices, chunks, m) => {
    const q = devices * chunks;
    const { step } = simulate({
      ...{ schedule: "interleaved", devices, chunks, microBatches: m },
      forward: grid(q, m, () => f),
      backward: grid(q, m, () => b),
      transfer: grid(q - 1, m, () => 0),
    });
    expect(step).toBe((m * chunks + devices - 1) * (f + b));
  });
});

test("600 random pipelines: a clock that ticks from event to event says the same", () => {
  for (let seed = 1; seed <= 600; seed++) {
    const int = randomNumbers(seed);
    const schedule = (["gpipe", "1f1b", "interleaved"] as const)[int(0, 2)];
    const devices = int(1, 6);
    const chunks = schedule === "interleaved" ? int(1, 3) : 1;
    const microBatches = schedule === "interleaved" ? devices * int(1, 3) : int(1, 12);
    const q = devices * chunks;
    // Short times and none at all make for many ties.
    const most = int(0, 1) === 0 ? 3 : 1000;
    const given = {
      ...{ schedule, devices, chunks, microBatches },
      forward: grid(q, microBatches, () => int(0, most)),
      backward: grid(q, microBatches, () => int(1, 2 * most)),
      transfer: grid(q - 1, microBatches, () => (int(0, 2) === 0 ? 0 : int(0, most))),
      activation: grid(q, microBatches, () => int(0, 9)),
    } as const;
    const { operations, ...seen } = simulate(given);
    const lines = operations
      .toSorted((a, b) => a.device - b.device)
      .map(({ device, kind, microBatch, chunk, start }) =>
        [device, kind === "forward" ? "F" : "B", microBatch, chunk, start].join(" "),
      );
    expect({ ...seen, lines }, `seed ${seed}`).toEqual(slowSimulation(given));
  }
});

function* permutations(items: readonly number[]): Generator<number[]> {
  if (items.length === 0) yield [];
  for (const [i, first] of items.entries()) {
    for (const rest of permutations(items.toSpliced(i, 1))) yield [first, ...rest];
  }
}

test("the order of micro-batches: a permutation, never worse than the one given, near the best of all", () => {
  let sum = 0;
  let random = 0;
  const rounds = 25;
  for (let seed = 1; seed <= rounds; seed++) {
    const int = randomNumbers(seed);
    const devices = int(2, 4);
    const m = 6;
    // Sizes spread as those of samples are, each stage with its own share of the text and of the images.
    const sizes = Array.from({ length: m }, () => [int(1, 100), int(1, 100)]);
    const shares = grid(devices, 2, () => int(1, 9));
    const forward = grid(devices, m, (s, i) => shares[s][0] * sizes[i][0] + shares[s][1] * sizes[i][1]);
    const flat = {
      schedule: "1f1b",
      ...{ devices, chunks: 1, microBatches: m },
      forward: forward.flat(),
      backward: forward.flat().map((x) => 2 * x),
      transfer: grid(devices - 1, m, () => 5).flat(),
    } as const;
    const stepOf = (order: readonly number[]) => {
      const row = (values: readonly number[]) => values.map((_, i) => values[i - (i % m) + order[i % m]]);
      const activation = flat.forward;
      return simulateCore(core, {
        ...{ ...flat, activation },
        ...{ forward: row(flat.forward), backward: row(flat.backward), transfer: row(flat.transfer) },
      }).step;
    };
    const given = Array.from({ length: m }, (_, i) => i);
    const { order, step } = arrangeCore(core, flat, given, 1e6);
    expect(order.toSorted((a, b) => a - b)).toEqual(given);
    expect(stepOf(order)).toBe(step);
    expect(step).toBeLessThanOrEqual(stepOf(given));
    const best = Math.min(...Array.from(permutations(given), stepOf));
    expect(step).toBeGreaterThanOrEqual(best);
    sum += step / best - 1;
    random += stepOf(given) / best - 1;
    // Without work to do with, the order given stays or becomes better.
    const quick = arrangeCore(core, flat, given, 0);
    expect(quick.step).toBeLessThanOrEqual(stepOf(given));
  }
  expect(sum / rounds).toBeLessThan(0.01);
  expect(random / rounds).toBeGreaterThan(0.05);
});
