import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BalancedPlanOptions,
  type GroupLoads,
  load,
  Packing,
  type Plan,
  type VitTokenGroups,
} from "../../src/index.ts";
import { needs } from "../needs.ts";
import { noRealData, samples, sha256 } from "../samples.ts";

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

test("ai2d + synthdog, 512 ranks: half the dist of the published samplers, or less", needs(noRealData), () => {
  const parts = ["ai2d_train_12k", "synthdog_en"].map((name) => samples(name));
  const both = {
    vit: Int32Array.from(parts.flatMap((p) => Array.from(p.vit))),
    tokens: Int32Array.from(parts.flatMap((p) => Array.from(p.tokens))),
  };
  const packed = omnibal.pack(both, bounds);
  for (const tail of ["drop", "repeat"] as const) {
    const plan = omnibal.plan(packed, { ranks: 512, compare: true, tail });
    const published = Object.values(plan.published!);
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

  // A change of these changes what a run resumes to: the notes of a version must say so.
  test.each<[BalancedPlanOptions, string]>([
    [{ ranks: 64, epoch: 0, seed: 1024 }, "1009627542500003b53689d48677b41844be5a9902f44b9d115cc3cea8f8a0ee"],
    [
      { ranks: 64, epoch: 3, seed: 7, tail: "drop", balance: { vit: 1, tokens: 2, attention: 1 } },
      "92ce8753535adacd294460d4cac5a7331c2130f35986c42c829d716f4cea59a4",
    ],
    [
      { ranks: 5, microBatch: 3, spSize: 2, tail: "short", epoch: 4294967295, seed: 0 },
      "77241fb27629ca941abc28f712b774b9b7003201c3065fba1ce5cc6583b93383",
    ],
    [
      { ranks: 16, epoch: 1, seed: 1024, balance: { msPerTile: 6, msPerToken: 0.02, msPerTokenSquared: 4e-6 } },
      "e8aeacade9fabd98bc41c016e57fadd591d457d0a3212092154a931a4effab2a",
    ],
  ])("the plan of a seed stays: %j", (options, hash) => {
    expect(sha256(omnibal.plan(packing, options).order.join())).toBe(hash);
  });

  test("resume at (epoch, step) hands out the rest, on every rank", () => {
    const plan = omnibal.plan(packing, { ranks: 16, microBatch: 2, epoch: 2 });
    const state = plan.state(100);
    const { packing: fingerprint } = omnibal.made(packing);
    expect(state).toEqual({
      ...{ version: 2, epoch: 2, step: 100 },
      plan: {
        ...{ groups: [packing.length], packing: fingerprint, ranks: 16, microBatch: 2, spSize: 1 },
        ...{ seed: 1024, tail: "repeat", balance: { vit: 1, tokens: 1, attention: 0 } },
      },
    });
    const again = omnibal.plan(packing, { ranks: 16, microBatch: 2, epoch: state.epoch });
    const step = again.resume(JSON.parse(JSON.stringify(state)));
    for (let r = 0; r < 16; r++) expect([...again.rank(r, step)]).toEqual([...plan.rank(r)].slice(100));
    expect(plan.state(plan.length)).toEqual({ ...state, epoch: 3, step: 0 });
  });

  test("a state of 2 ranks does not resume on 4, nor one of another packing, epoch, seed or balance", () => {
    const options = { ranks: 2, epoch: 1 };
    const state = omnibal.plan(packing, options).state(7);
    const resume = (other: object, loads: VitTokenGroups = packing, seen: object = state) =>
      omnibal.plan(loads, { ...options, ...other }).resume(seen as typeof state);
    expect(resume({})).toBe(7);
    // What keeps a state may bring the members of an object into another order.
    const { balance } = state.plan;
    const turned = { ...state.plan, balance: Object.fromEntries(Object.entries(balance).reverse()) };
    expect(resume({}, packing, { ...state, plan: turned })).toBe(7);
    expect(() => resume({ ranks: 4 })).toThrow('state was taken with ranks "2", this plan has "4"');
    expect(() => resume({ epoch: 2 })).toThrow('state was taken with epoch "1", this plan has "2"');
    expect(() => resume({ seed: 1 })).toThrow('state was taken with seed "1024", this plan has "1"');
    expect(() => resume({ tail: "drop" })).toThrow("state was taken with tail ");
    expect(() => resume({ balance: { vit: 1 } })).toThrow("state was taken with balance ");
    const longer = omnibal.pack(samples("tiled:20000"), { ...bounds, rounds: 1 });
    expect(() => resume({}, longer)).toThrow(
      `state was taken over other groups: groups ${packing.length}, this plan has ${longer.length}`,
    );
    // The same groups but for two samples that changed places.
    const indices = packing.indices.slice();
    [indices[0], indices[packing.indices.length - 1]] = [indices[packing.indices.length - 1], indices[0]];
    const other = new Packing({ ...packing.parts, indices });
    expect(() => resume({}, other)).toThrow(
      `state was taken over other groups: packing ${omnibal.made(packing).packing}, this plan has ${omnibal.made(other).packing}`,
    );
    const { length, vit, tokens } = packing;
    expect(() => resume({}, { length, vit, tokens })).toThrow("other groups: packing ");
    expect(() => resume({}, packing, { version: 1, epoch: 1, step: 7 })).toThrow("state has version 1, expected 2");
    expect(() => resume({}, packing, { ...state, step: 99999 })).toThrow("step is 99999, expected");
    expect(() => resume({}, packing, { ...state, plan: undefined })).toThrow("state was taken with ranks undefined");
  });

  test("groups without samples are known by their loads", () => {
    const { length, vit, tokens } = packing;
    const state = omnibal.plan({ length, vit, tokens }, { ranks: 2 }).state(0);
    expect(state.plan).toMatchObject({ groups: [length], loads: { vit: expect.stringMatching(/^[0-9a-f]{16}$/) } });
    expect(omnibal.plan({ length, vit, tokens }, { ranks: 2 }).resume(state)).toBe(0);
    expect(() => omnibal.plan({ length, vit, tokens: tokens.toReversed() }, { ranks: 2 }).resume(state)).toThrow(
      "state was taken over other groups: tokens of the groups ",
    );
  });
});

describe("many groups", () => {
  /** Loads of many groups, of which the large pieces are cut by a sample of theirs; 99 % have as many tiles. */
  function many(length: number): GroupLoads {
    const vit = Int32Array.from({ length }, (_, g) => (g % 100 === 0 ? g % 9 : 9));
    const tokens = Int32Array.from({ length }, (_, g) => 2000 + (Math.imul(g, 0x9e3779b1) >>> 20));
    return { length, loads: { vit, tokens } };
  }

  test.each([100_000, 400_000])("%i, nearly all of them alike in a load: each once, and even", (length) => {
    const groups = many(length);
    const plan = omnibal.plan(groups, { ranks: 64, tail: "drop" });
    const seen = new Uint8Array(length);
    for (const g of plan.order) seen[g]++;
    expect(Math.max(...new Set(seen))).toBe(1);
    expect(plan.order.length).toBe(length - (length % 64));
    const { vitDist, tokenDist } = plan.stats;
    expect(vitDist + tokenDist).toBeLessThan(0.006);
  });

  test.each([1000, 100_000])("%i, by cost: steps are runs of the groups in the order of their cost", (length) => {
    const groups = many(length);
    const balance = { msPerTile: 3, msPerToken: 1 };
    const { stats } = omnibal.plan(groups, { ranks: 50, tail: "drop", balance });
    const { vit, tokens } = groups.loads;
    const costs = Float64Array.from(vit, (v, g) => 3 * v + tokens[g]).sort();
    let least = 0;
    for (let at = 49; at < length; at += 50) least += costs[at];
    expect(stats.epochMs).toBe(least);
  });

  test("steps of more units than a small piece has", () => {
    const groups = many(210_000);
    const plan = omnibal.plan(groups, { ranks: 70_000, tail: "drop" });
    expect(plan.length).toBe(3);
    expect(new Set(plan.order).size).toBe(210_000);
    expect(plan.stats.tokenDist).toBeLessThan(0.2);
  });
});

test("micro-batches are dealt to ranks by cost, not by tokens", () => {
  // Tiles alone cost time; tokens say nothing of them.
  const length = 4096;
  const vit = Int32Array.from({ length }, (_, g) => 1 + (Math.imul(g, 0x9e3779b1) >>> 22));
  const tokens = Int32Array.from({ length }, (_, g) => 1 + (Math.imul(g, 0x85ebca6b) >>> 20));
  const options = { ranks: 8, microBatch: 8, tail: "drop", balance: { msPerTile: 1, msPerToken: 0 } } as const;
  const { idle } = omnibal.plan({ length, loads: { vit, tokens } }, options).stats;
  // Dealt by tokens they wait .6 % of the time.
  expect(idle).toBeLessThan(0.0005);
});

describe("the tail", () => {
  const groups = packing.length;
  const step = 64;
  const epochs = (tail: "drop" | "repeat" | "short", n: number) =>
    Array.from({ length: n }, (_, epoch) => omnibal.plan(packing, { ranks: step, tail, epoch }));

  test("drop: rotates, so that every group is seen within two epochs and none is dropped twice in a round", () => {
    const left = groups % step;
    expect(left).toBeGreaterThan(0);
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
    expect(extra).toBeGreaterThan(0);
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

describe("sequence parallel and sources", () => {
  test("spSize: a rank is handed whole sp groups of like tokens", () => {
    const plan = omnibal.plan(packing, { ranks: 8, spSize: 4, tail: "drop" });
    const sp = omnibal.spGroups(packing, 4);
    const known = new Set(Array.from({ length: sp.length }, (_, u) => sp.groups.slice(u * 4, u * 4 + 4).join()));
    for (let s = 0; s < plan.length; s++) {
      for (let r = 0; r < 8; r++) expect(known.has(plan.batch(s, r).join())).toBe(true);
    }
  });

  test("each step holds groups of one source, and all are seen", () => {
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
    expect(plan.stats.rankIdle).toHaveLength(64);
    for (const [r, idle] of plan.stats.rankIdle!.entries()) expect(idle).toBeCloseTo(1 - work[r] / time, 9);
  });

  test("ranks wait less than with any published sampler", () => {
    const published = Object.values(plan.published!);
    expect(published).toHaveLength(3);
    for (const { idle } of published) expect(plan.stats.idle!).toBeLessThan(idle! / 2);
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
    const loads: VitTokenGroups = { length: 1, vit: Int32Array.of(1), tokens: Int32Array.of(1) };
    expect(() => omnibal.plan(loads, { ranks: 1, balance: { attention: 1 } })).toThrow("source 0 has none");
  });

  test("a step or rank that is not there", () => {
    const plan = omnibal.plan(packing, { ranks: 8 });
    expect(() => plan.batch(plan.length, 0)).toThrow(RangeError);
    expect(() => plan.batch(0, 8)).toThrow("rank 8 asked for, there are 8");
  });
});

describe("no step", () => {
  test("of more ranks than groups and tail drop: an error, not a perfect score", () => {
    expect(() => omnibal.plan(packing, { ranks: 8000, tail: "drop" })).toThrow(
      `no step: ${packing.length} groups, a step takes 8000 (ranks 8000 x microBatch 1) and tail is "drop"`,
    );
    expect(() => omnibal.plan(packing, { ranks: 3000, microBatch: 2, spSize: 2, tail: "drop" })).toThrow(
      `no step: ${Math.ceil(packing.length / 2)} teams, a step takes 6000 (ranks 3000 x microBatch 2)`,
    );
    expect(omnibal.plan(packing, { ranks: 8000 }).length).toBe(1);
  });

  test("of no groups: an empty plan, and no published sampler to compare it with", () => {
    const none = omnibal.pack([], bounds);
    for (const tail of ["repeat", "drop", "short"] as const) {
      const plan = omnibal.plan(none, { ranks: 8, tail, compare: true });
      expect([plan.length, plan.order.length, plan.published]).toEqual([0, 0, {}]);
      expect(plan.resume(plan.state(0))).toBe(0);
    }
  });

  test("a published sampler without a whole step is missing, not perfect", () => {
    const few = { length: 3, vit: Int32Array.of(1, 2, 3), tokens: Int32Array.of(10, 20, 30) };
    const { published } = omnibal.plan(few, { ranks: 4, microBatch: 4, compare: true });
    expect(Object.values(published!).every(({ steps }) => steps > 0)).toBe(true);
    expect(Object.keys(published!)).not.toContain("length-group");
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
      })) as (VitTokenGroups | Packing)[];
      const total = groups.reduce((sum, part) => sum + part.length, 0);
      const { ranks, microBatch, spSize } = options;
      const units = groups.reduce((sum, part) => sum + Math.ceil(part.length / spSize), 0);
      const most = Math.max(...groups.map((part) => Math.ceil(part.length / spSize)));
      // Each step holds units of one source.
      if (options.tail === "drop" && units > 0 && most < ranks * microBatch) {
        expect(() => omnibal.plan(groups, options)).toThrow("no step: ");
        return;
      }
      const plan = omnibal.plan(groups, options);
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
