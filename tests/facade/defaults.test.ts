// What the README's tables and the docstrings say an option is when it is not given.
import { expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const input = samples("tiled:1000");
const bounds = { maxVit: 9, maxTokens: 4096 };

test("pack: isf, minVit maxVit, minTokens maxTokens - 128, 50 rounds, seed 1024, the linear bound", () => {
  const isf = { method: "isf", minVit: 9, minTokens: 3968, rounds: 50, seed: 1024, lowerBound: "linear" } as const;
  const packing = omnibal.pack(input, bounds);
  expect(packing).toEqual(omnibal.pack(input, { ...bounds, ...isf }));
  // Each of them matters here.
  for (const other of [{ minVit: 8 }, { minTokens: 4000 }, { rounds: 3 }, { seed: 1025 }]) {
    expect(omnibal.pack(input, { ...bounds, ...isf, ...other }).indices).not.toEqual(packing.indices);
  }
});

test("pack: minTokens is never below 0", () => {
  const small = { maxVit: 9, maxTokens: 100 };
  const short = { vit: input.vit, tokens: input.tokens.map((tokens) => tokens % 100) };
  expect(omnibal.pack(short, small)).toEqual(omnibal.pack(short, { ...small, minTokens: 0 }));
  expect(omnibal.pack(short, small).bounds).toMatchObject({ ...small, minVit: 9, minTokens: 0 });
});

test("pack, balanced: effort 1, seed 1024, the tight bound", () => {
  const balanced = { ...bounds, method: "balanced" } as const;
  const packing = omnibal.pack(input, balanced);
  expect(packing).toEqual(omnibal.pack(input, { ...balanced, effort: 1, seed: 1024, lowerBound: "tight" }));
  expect(omnibal.pack(input, { ...balanced, seed: 1025 }).indices).not.toEqual(packing.indices);
});

test("plan: microBatch 1, spSize 1, epoch 0, seed 1024, tail repeat, vit and tokens alike, no comparison", () => {
  const packing = omnibal.pack(input, bounds);
  const rest = { microBatch: 1, spSize: 1, epoch: 0, seed: 1024, tail: "repeat", compare: false } as const;
  const plan = omnibal.plan(packing, { ranks: 7 });
  expect(plan).toEqual(omnibal.plan(packing, { ranks: 7, ...rest, balance: { vit: 1, tokens: 1 } }));
  expect(plan.published).toBeUndefined();
  for (const other of [{ microBatch: 2 }, { spSize: 2 }, { epoch: 1 }, { seed: 1 }, { balance: { attention: 1 } }]) {
    expect(omnibal.plan(packing, { ranks: 7, ...rest, ...other }).order).not.toEqual(plan.order);
  }
});

test("packer: a buffer of 10,000, seed 1024", () => {
  const packer = omnibal.packer(bounds);
  expect([packer.buffer, packer.save()]).toEqual([
    10_000,
    omnibal.packer({ ...bounds, buffer: 10_000, seed: 1024 }).save(),
  ]);
});

test("search: a scan of 200 candidates, 50 rounds, seed 1024, slack 1 %", async () => {
  const asked = { ranks: 8, samplesPerGroup: 4, workers: 0 };
  const found = await omnibal.search(input, asked);
  const rest = { strategy: "scan", candidates: 200, rounds: 50, seed: 1024, slack: 0.01 } as const;
  expect(found).toEqual(await omnibal.search(input, { ...asked, ...rest }));
  expect(found.candidates).toHaveLength(200);
  for (const other of [{ rounds: 5 }, { seed: 1 }, { slack: 0.2 }]) {
    expect((await omnibal.search(input, { ...asked, ...rest, ...other })).winner).not.toEqual(found.winner);
  }
});
