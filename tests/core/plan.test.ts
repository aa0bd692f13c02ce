import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BalancedPlanOptions, type GroupLoads, load, type Packing, type Plan } from "../../src/index.ts";
import { haveRealData, samples } from "../samples.ts";

const omnibal = await load();
const bounds = { maxVit: 9, maxTokens: 4096 };
const tiled = omnibal.pack(samples("tiled:1200000"), bounds);

/** Groups of a plan, with the empty places of a short step left out. */
const places = (plan: Plan) => Array.from(plan.order).filter((g) => g >= 0);

/** Correlation of step number with the sum of a load over the step. */
function correlation(plan: Plan, load: ArrayLike<number>): number {
  const size = plan.ranks * plan.microBatch * plan.spSize;
  const sums = Array.from({ length: plan.length }, (_, s) => {
    let sum = 0;
    for (let i = s * size; i < (s + 1) * size; i++) sum += load[plan.order[i]];
    return sum;
  });
  const mean = sums.reduce((a, b) => a + b, 0) / sums.length;
  const middle = (sums.length - 1) / 2;
  const both = sums.reduce((c, x, s) => c + (s - middle) * (x - mean), 0);
  const loads = sums.reduce((c, x) => c + (x - mean) ** 2, 0);
  const steps = sums.reduce((c, _, s) => c + (s - middle) ** 2, 0);
  return loads === 0 ? 0 : both / Math.sqrt(loads * steps);
}

/** The dist ratio by its definition, from the groups themselves. */
function dist(plan: Plan, load: ArrayLike<number>): number {
  let total = 0;
  for (let s = 0; s < plan.length; s++) {
    const own = Array.from({ length: plan.ranks }, (_, r) => plan.batch(s, r).reduce((sum, g) => sum + load[g], 0));
    const most = Math.max(...own);
    total += most === 0 ? 0 : own.reduce((sum, x) => sum + most - x, 0) / (most * plan.ranks);
  }
  return total / plan.length;
}

describe("tiled:1200000 at 9 / 4096, 64 ranks", () => {
  test("default weights: vit dist at most .0005, token dist at most .001", () => {
    const plan = omnibal.plan(tiled, { ranks: 64 });
    expect(plan.stats.vitDist).toBeLessThanOrEqual(0.0005);
    expect(plan.stats.tokenDist).toBeLessThanOrEqual(0.001);
    expect(plan.stats.vitDist).toBeCloseTo(dist(plan, tiled.vit), 12);
    expect(plan.stats.tokenDist).toBeCloseTo(dist(plan, tiled.tokens), 12);
  });

  test("attention on: all three at most .02", () => {
    const plan = omnibal.plan(tiled, { ranks: 64, balance: { vit: 1, tokens: 1, attention: 1 } });
    const { vitDist, tokenDist, attentionDist } = plan.stats;
    expect(Math.max(vitDist, tokenDist, attentionDist)).toBeLessThanOrEqual(0.02);
    expect(attentionDist).toBeCloseTo(dist(plan, tiled.attention as Float64Array), 12);
  });

  test.each([0, 1, 7])("no curriculum: no load follows the step number, epoch %i", (epoch) => {
    const plan = omnibal.plan(tiled, { ranks: 64, epoch });
    for (const load of [tiled.vit, tiled.tokens, tiled.attention as Float64Array]) {
      expect(Math.abs(correlation(plan, load))).toBeLessThanOrEqual(0.02);
    }
  });
});

test.skipIf(!haveRealData)("ai2d + synthdog, 512 ranks: half the dist of the published samplers, or less", () => {
  const parts = ["ai2d_train_12k", "synthdog_en"].map((name) => samples(name));
  const both = {
    vit: Int32Array.from(parts.flatMap((p) => Array.from(p.vit))),
    tokens: Int32Array.from(parts.flatMap((p) => Array.from(p.tokens))),
  };
  const packed = omnibal.pack(both, bounds);
  for (const tail of ["drop", "repeat"] as const) {
    const plan = omnibal.plan(packed, { ranks: 512, compare: true, tail });
    const published = Object.values(plan.published ?? {});
    expect(published.length).toBe(3);
    expect(plan.stats.tokenDist).toBeLessThanOrEqual(Math.min(...published.map((s) => s.tokenDist)) / 2);
    // Of 39 steps one holds groups of 5 and of 8 tiles, however they are sorted; whether it costs a half or a little
    // more of what the best published sampler has there is the luck of which groups are repeated.
    const best = Math.min(...published.map((s) => s.vitDist));
    expect(plan.stats.vitDist).toBeLessThanOrEqual(tail === "drop" ? best / 2 : best * 0.55);
  }
});

const packing = omnibal.pack(samples("tiled:20000"), bounds);

describe("a plan is a pure function", () => {
  test("of groups, options, seed and epoch", () => {
    const options = { ranks: 16, epoch: 3, seed: 5 };
    expect(omnibal.plan(packing, options)).toEqual(omnibal.plan(packing, options));
    expect(omnibal.plan(packing, options).order).not.toEqual(omnibal.plan(packing, { ...options, epoch: 4 }).order);
    expect(omnibal.plan(packing, options).order).not.toEqual(omnibal.plan(packing, { ...options, seed: 6 }).order);
  });

  test("resume at (epoch, step) hands out the rest, on every rank", () => {
    const plan = omnibal.plan(packing, { ranks: 16, microBatch: 2, epoch: 2 });
    const state = plan.state(100);
    expect(state).toEqual({ version: 1, epoch: 2, step: 100 });
    const again = omnibal.plan(packing, { ranks: 16, microBatch: 2, epoch: state.epoch });
    for (let r = 0; r < 16; r++) expect([...again.rank(r, state.step)]).toEqual([...plan.rank(r)].slice(100));
    expect(plan.state(plan.length)).toEqual({ version: 1, epoch: 3, step: 0 });
  });
});

describe("the tail", () => {
  const groups = packing.length;
  const step = 64;
  const epochs = (tail: "drop" | "repeat" | "short", n: number) =>
    Array.from({ length: n }, (_, epoch) => omnibal.plan(packing, { ranks: step, tail, epoch }));

  test("drop: rotates, so that every group is seen within two epochs and none is dropped twice in a round", () => {
    const left = groups % step;
    const round = Math.floor(groups / left);
    const dropped = epochs("drop", round).map((plan) => {
      expect(plan.stats.dropped).toBe(left);
      const seen = new Set(plan.order);
      return Array.from({ length: groups }, (_, g) => g).filter((g) => !seen.has(g));
    });
    expect(dropped[0].length).toBe(left);
    expect(new Set(dropped.flat()).size).toBe(left * round);
  });

  test("repeat: every group in every epoch, the repeats rotate", () => {
    const extra = (step - (groups % step)) % step;
    const repeats = epochs("repeat", 5).map((plan) => {
      expect([plan.stats.dropped, plan.stats.repeated]).toEqual([0, extra]);
      const counts = new Map<number, number>();
      for (const g of plan.order) counts.set(g, (counts.get(g) ?? 0) + 1);
      expect(counts.size).toBe(groups);
      return [...counts].filter(([, n]) => n > 1).map(([g]) => g);
    });
    expect(new Set(repeats.flat()).size).toBe(5 * extra);
  });

  test("short: every group once, the last step has fewer, ranks differ by one at most", () => {
    const [plan] = epochs("short", 1);
    expect(places(plan).sort((a, b) => a - b)).toEqual(Array.from({ length: groups }, (_, g) => g));
    expect(plan.shortSteps).toBe(1);
    const last = Array.from({ length: step }, (_, r) => plan.batch(plan.length - 1, r).length);
    expect(last.reduce((a, b) => a + b)).toBe(groups % step);
    expect(Math.max(...last) - Math.min(...last)).toBe(1);
  });
});

describe("sequence parallel and data groups", () => {
  test("spSize: a rank is handed whole sp groups of like tokens", () => {
    const plan = omnibal.plan(packing, { ranks: 8, spSize: 4, tail: "drop" });
    const sp = omnibal.spGroups(packing, 4);
    const known = new Set(Array.from({ length: sp.length }, (_, u) => sp.groups.slice(u * 4, u * 4 + 4).join()));
    for (let s = 0; s < plan.length; s++) {
      for (let r = 0; r < 8; r++) expect(known.has(plan.batch(s, r).join())).toBe(true);
    }
  });

  test("each step holds groups of one data group, and all are seen", () => {
    const other = omnibal.pack(samples("uniform:20000"), bounds);
    const plan = omnibal.plan([packing, other], { ranks: 32 });
    for (let s = 0; s < plan.length; s++) {
      const sides = Array.from({ length: 32 }, (_, r) => plan.batch(s, r)[0] < packing.length);
      expect(new Set(sides).size).toBe(1);
    }
    expect(new Set(plan.order).size).toBe(packing.length + other.length);
  });
});

describe("a cost model", () => {
  const balance = { msPerTile: 6, msPerToken: 0.02, msPerTokenSquared: 0.000004 };
  const plan = omnibal.plan(packing, { ranks: 64, balance, compare: true });

  test("predicts what the definition says", () => {
    const cost = (g: number) =>
      balance.msPerTile * packing.vit[g] +
      balance.msPerToken * packing.tokens[g] +
      balance.msPerTokenSquared * (packing.attention as Float64Array)[g];
    let time = 0;
    const work = new Float64Array(64);
    for (let s = 0; s < plan.length; s++) {
      const own = Array.from({ length: 64 }, (_, r) => cost(plan.batch(s, r)[0]));
      own.forEach((x, r) => {
        work[r] += x;
      });
      time += Math.max(...own);
    }
    expect(plan.stats.epochMs).toBeCloseTo(time, 4);
    expect(plan.stats.stepMs).toBeCloseTo(time / plan.length, 6);
    Array.from(plan.stats.rankIdle ?? []).forEach((idle, r) => {
      expect(idle).toBeCloseTo(1 - work[r] / time, 9);
    });
  });

  test("ranks wait less than with any published sampler", () => {
    for (const stats of Object.values(plan.published ?? {})) {
      expect(plan.stats.idle).toBeLessThan((stats.idle as number) / 2);
    }
  });
});

describe("what plan refuses", () => {
  test.each([
    [{ ranks: 0 }, "ranks is 0"],
    [{ ranks: 8, tail: "keep" }, 'tail is "keep"'],
    [{ ranks: 8, epoch: -1 }, "epoch is -1"],
    [{ ranks: 8, balance: { tiles: 1 } }, 'balance has no member "tiles", expected vit, tokens, attention'],
    [{ ranks: 8, balance: { vit: -1 } }, "balance.vit is -1"],
    [{ ranks: 8, balance: { vit: Number.NaN } }, "balance.vit is NaN"],
    [{ ranks: 8, balance: { vit: 0 } }, "balance is 0 throughout"],
    // Predicted times were Infinity and idle shares NaN, or it was the number of groups that was said to be too large.
    [
      { ranks: 8, balance: { msPerTile: 1e308, msPerToken: 0 } },
      "balance.msPerTile is 1e+308, expected a number from 0",
    ],
    [{ ranks: 8, balance: { vit: 1e13 } }, "balance.vit is 10000000000000, expected a number from 0 to 1e12"],
    [{ ranks: 8, balance: { msPerTile: 1, msPerToken: Number.POSITIVE_INFINITY } }, "balance.msPerToken is Infinity"],
  ])("%j", (options, message) => {
    expect(() => omnibal.plan(packing, options as BalancedPlanOptions)).toThrow(message);
  });

  test("attention without sums of it", () => {
    const loads: GroupLoads = { length: 1, vit: Int32Array.of(1), tokens: Int32Array.of(1) };
    expect(() => omnibal.plan(loads, { ranks: 1, balance: { attention: 1 } })).toThrow("data group 0 has none");
  });

  test("a step or rank that is not there", () => {
    const plan = omnibal.plan(packing, { ranks: 8 });
    expect(() => plan.batch(plan.length, 0)).toThrow(RangeError);
    expect(() => plan.batch(0, 8)).toThrow("rank 8 asked for, there are 8");
  });
});

test("properties: whole steps, every group counted, for any loads", () => {
  const loads = fc.array(fc.tuple(fc.nat(20), fc.nat(5000)), { maxLength: 200 });
  const cases = fc.record({
    parts: fc.array(loads, { minLength: 1, maxLength: 3 }),
    ranks: fc.integer({ min: 1, max: 9 }),
    microBatch: fc.integer({ min: 1, max: 3 }),
    spSize: fc.integer({ min: 1, max: 3 }),
    tail: fc.constantFrom("drop" as const, "repeat" as const, "short" as const),
    epoch: fc.nat(1000),
  });
  fc.assert(
    fc.property(cases, ({ parts, ...options }) => {
      const groups = parts.map((part) => ({
        length: part.length,
        vit: Int32Array.from(part, (x) => x[0]),
        tokens: Int32Array.from(part, (x) => x[1]),
      })) as (GroupLoads | Packing)[];
      const total = groups.reduce((sum, part) => sum + part.length, 0);
      const plan = omnibal.plan(groups, options);
      const { ranks, microBatch, spSize } = options;
      expect(plan.order.length).toBe(plan.length * ranks * microBatch * spSize);
      const seen = new Set(places(plan));
      for (const g of seen) expect(g).toBeLessThan(total);
      if (options.tail !== "drop") expect(seen.size).toBe(total);
      if (options.tail === "short" && spSize === 1) expect(places(plan).length).toBe(total);
      if (options.tail !== "short") expect(places(plan).length).toBe(plan.order.length);
    }),
    { numRuns: 300 },
  );
});
