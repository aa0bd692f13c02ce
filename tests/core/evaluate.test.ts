import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Evaluation, load, Packing, SAMPLER_KINDS, type VitTokenGroups } from "../../src/index.ts";
import { batches, kindOf, slice, unpacked, vectorPacking, vectors } from "../loads.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const packing = vectorPacking(omnibal);

describe("the published ratios", () => {
  for (const v of vectors.pad_dist) {
    test(`${v.packs} ${v.sampler} sp ${v.sp_num} micro ${v.micro_bs}`, () => {
      const seen = omnibal.evaluate(v.packs.endsWith("unpacked") ? unpacked("tiled:1000") : packing, {
        ranks: v.dp,
        microBatch: v.micro_bs,
        sampler: kindOf(v.sampler),
        spSize: v.sp_num,
        compat: "reference",
      });
      expect(Math.abs(seen.pad - v.pad_ratio)).toBeLessThan(1e-12);
      expect(Math.abs(seen.vitDist - v.vit_dist_ratio)).toBeLessThan(1e-12);
      expect(Math.abs(seen.tokenDist - v.llm_dist_ratio)).toBeLessThan(1e-12);
    });
  }
});

/** (most - own) over most * ranks, averaged over steps. */
function dist(steps: number[][]): number {
  const each = steps.map((ranks) => {
    const most = Math.max(...ranks);
    return most === 0 ? 0 : ranks.reduce((sum, x) => sum + most - x, 0) / (most * ranks.length);
  });
  return each.length === 0 ? 0 : each.reduce((a, b) => a + b) / each.length;
}

/** The same figures straight from their definitions, over what the samplers hand out. */
function plainEvaluate(loads: VitTokenGroups, options: Parameters<typeof omnibal.sampler>[1]) {
  const ranks = Array.from({ length: options.ranks }, (_, rank) =>
    batches(omnibal.sampler(loads, { ...options, rank })),
  );
  const steps = ranks[0].map((_, s) => ranks.map((rank) => rank[s]));
  let padded = 0;
  let computed = 0;
  for (const batch of ranks.flat()) {
    const most = Math.max(...batch.map((g) => loads.tokens[g]));
    for (const g of batch) padded += most - loads.tokens[g];
    computed += most * batch.length;
  }
  const total = (values: ArrayLike<number>) => (b: number[]) => b.reduce((sum, g) => sum + values[g], 0);
  return {
    pad: computed === 0 ? 0 : padded / computed,
    vitDist: dist(steps.map((row) => row.map(total(loads.vit)))),
    tokenDist: dist(steps.map((row) => row.map((b) => Math.max(...b.map((g) => loads.tokens[g]))))),
    attentionDist: dist(steps.map((row) => row.map(total(loads.attention!)))),
  };
}

describe("attention", () => {
  test("a packing has sum of tokens^2 per group", () => {
    const { tokens } = samples("tiled:1000");
    const expected = Array.from(packing, (group) => group.reduce((sum, i) => sum + tokens[i] ** 2, 0));
    expect(Array.from(packing.attention!)).toEqual(expected);
  });

  test("beyond 2^53 it is rounded, not wrapped", () => {
    const most = 2147483647;
    const big = omnibal.pack({ vit: [1], tokens: [most] }, { maxVit: 1, maxTokens: most });
    expect(big.attention![0]).toBe(Number(BigInt(most) ** 2n));
  });

  test("a packing without it takes it from the lengths, or says null", () => {
    const { vit, tokens } = packing.loads;
    const parts = { ...packing.parts, loads: { vit, tokens } };
    const read = new Packing(parts);
    const expected = omnibal.evaluate(packing, { ranks: 8 });
    expect(expected.attentionDist).toBeGreaterThan(0.1);
    expect(omnibal.evaluate(read, { ranks: 8 })).toEqual({ ...expected, attentionDist: null });
    expect(omnibal.evaluate(read, { ranks: 8, lengths: samples("tiled:1000") })).toEqual(expected);
    expect(() => omnibal.evaluate(read, { ranks: 8, lengths: samples("tiled:10") })).toThrow(
      "the packing holds sample 999, there are 10 lengths",
    );
    const lengths = samples("tiled:1000");
    const turned = { vit: lengths.vit, tokens: lengths.tokens.toReversed() };
    expect(() => omnibal.evaluate(read, { ranks: 8, lengths: turned })).toThrow(
      /^the lengths are not those of the packing: group \d+ has \d+ tokens by them, not \d+$/,
    );
    // Written to since it was checked.
    const broken = (change: (own: Packing) => void) => () => {
      const own = new Packing({ ...parts, offsets: parts.offsets.slice(), indices: parts.indices.slice() });
      change(own);
      return omnibal.evaluate(own, { ranks: 8, lengths });
    };
    expect(broken(({ indices }) => indices.fill(-7, 0, 1))).toThrow("packing: a sample is -7, expected");
    expect(broken(({ offsets }) => offsets.fill(9999, 3, 4))).toThrow(
      /^packing: offset 4 is \d+, the one before it 9999/,
    );
    expect(() => omnibal.evaluate([read, read], { ranks: 8, lengths })).toThrow(
      "lengths are for one packing, there are 2",
    );
  });
});

describe("what evaluate counts", () => {
  test("steps, groups, dropped and repeated", () => {
    const counts = { steps: 8, groups: 248, dropped: 0, repeated: 8 };
    expect(omnibal.evaluate(packing, { ranks: 8, microBatch: 4 })).toMatchObject(counts);
    expect(omnibal.evaluate(packing, { ranks: 8, microBatch: 4, tail: "drop" })).toMatchObject({
      ...counts,
      steps: 7,
      dropped: 24,
      repeated: 0,
    });
  });

  test("no groups, no load: zeros", () => {
    const none = { pad: 0, vitDist: 0, tokenDist: 0, attentionDist: 0, steps: 0 };
    expect(omnibal.evaluate([], { ranks: 8 })).toMatchObject(none);
    const empty = { length: 3, vit: new Int32Array(3), tokens: new Int32Array(3), attention: new Float64Array(3) };
    expect(omnibal.evaluate(empty, { ranks: 2 })).toMatchObject({ ...none, steps: 2 });
  });

  test("defect 14: an unknown sampler is named", () => {
    expect(() => omnibal.evaluate(packing, { ranks: 8, sampler: "length_group" as "random" })).toThrow(
      'kind is "length_group", expected random, length-group, group-random',
    );
  });

  test("equals the definitions", () => {
    fc.assert(
      fc.property(
        fc.record({
          n: fc.nat(80),
          sampler: fc.constantFrom(...SAMPLER_KINDS),
          ranks: fc.integer({ min: 1, max: 6 }),
          microBatch: fc.integer({ min: 1, max: 4 }),
          tail: fc.constantFrom("repeat" as const, "drop" as const),
          epoch: fc.nat(3),
          seed: fc.nat(2000),
        }),
        ({ n, sampler, ...options }) => {
          const loads = { ...slice(packing, 0, n), attention: packing.attention!.slice(0, n) };
          const seen = omnibal.evaluate(loads, { ...options, sampler });
          const expected = plainEvaluate(loads, { ...options, kind: sampler, rank: 0 });
          for (const [name, value] of Object.entries(expected)) {
            expect(Math.abs((seen[name as keyof typeof expected] as number) - value)).toBeLessThan(1e-12);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("an order that is given", () => {
  const figures = ({ pad, vitDist, tokenDist, attentionDist, steps, dropped, repeated }: Evaluation) => ({
    ...{ pad, vitDist, tokenDist, attentionDist, steps, dropped, repeated },
  });

  test.each([
    { ranks: 8 },
    { ranks: 8, microBatch: 3, tail: "drop" },
    { ranks: 5, microBatch: 2, tail: "short" },
    { ranks: 8, spSize: 3 },
    { ranks: 4, microBatch: 2, spSize: 4, tail: "short" },
  ] as const)("a plan of %j has the figures it was made with", (options) => {
    const plan = omnibal.plan(packing, options);
    expect(figures(omnibal.evaluatePlan(packing, plan))).toEqual(plan.stats);
  });

  test("what a sampler hands out has that sampler's figures", () => {
    const ranks = Array.from({ length: 8 }, (_, rank) =>
      batches(omnibal.sampler(packing, { kind: "length-group", ranks: 8, microBatch: 2, seed: 1024, rank })),
    );
    const order = Int32Array.from(ranks[0].flatMap((_, s) => ranks.flatMap((rank) => rank[s])));
    const seen = omnibal.evaluatePlan(packing, { ranks: 8, microBatch: 2, spSize: 1, order });
    expect(seen).toEqual(omnibal.evaluate(packing, { sampler: "length-group", ranks: 8, microBatch: 2 }));
  });

  test("a group that is not there, half a step, a team that is none", () => {
    const order = (...groups: number[]) => ({ ranks: 2, microBatch: 1, spSize: 1, order: Int32Array.from(groups) });
    expect(() => omnibal.evaluatePlan(packing, order(0, 1, 2, packing.length))).toThrow(
      "step 1, rank 1: group 248, there are 248",
    );
    expect(() => omnibal.evaluatePlan(packing, order(-2, 1))).toThrow("step 0, rank 0: group -2, there are 248");
    expect(() => omnibal.evaluatePlan(packing, order(0, 1, 2))).toThrow("the order is 3 places");
    const team = omnibal.spGroups(packing, 2).groups.slice(0, 2).reverse();
    expect(() => omnibal.evaluatePlan(packing, { ranks: 1, microBatch: 1, spSize: 2, order: team })).toThrow(
      `step 0: groups ${team.join()} are not a sequence-parallel team`,
    );
    expect(omnibal.evaluatePlan(packing, order())).toMatchObject({ steps: 0, dropped: 248, vitDist: 0 });
  });
});
