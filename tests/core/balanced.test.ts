import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bestFitDecreasing } from "../../bench/best-fit.ts";
import type { Samples } from "../../bench/inputs.ts";
import { InputError, load, OptionError, type PackProgress } from "../../src/index.ts";
import { needs } from "../needs.ts";
import { checkPacking, groupsText, noRealData, samples, sha256 } from "../samples.ts";

const omnibal = await load();
const method = "balanced" as const;

function groupsOf(input: Samples, maxVit: number, maxTokens: number): number {
  const packing = omnibal.pack(input, { method, maxVit, maxTokens });
  checkPacking(input, packing);
  expect(packing.length).toBeGreaterThanOrEqual(packing.bound);
  return packing.length;
}

describe("groups at most", () => {
  test("tiled:1200000 at 9 / 4096: 295,000", () => {
    expect(groupsOf(samples("tiled:1200000"), 9, 4096)).toBeLessThanOrEqual(295_000);
  });

  test("tiled:1200000 at 18 / 8192: 0.1 % over the linear bound", () => {
    expect(groupsOf(samples("tiled:1200000"), 18, 8192)).toBeLessThanOrEqual(147_393 * 1.001);
  });

  describe.each(["ai2d_train_12k", "synthdog_en"])("%s", (name) => {
    test.each([
      [9, 4096],
      [10, 4096],
      [13, 4416],
      [14, 4736],
      [16, 5376],
      [18, 6016],
    ])("%i / %i: 0.1 % and a group over the pattern bound", needs(noRealData), (maxVit, maxTokens) => {
      const { pattern } = omnibal.lowerBound(samples(name), { maxVit, maxTokens });
      expect(groupsOf(samples(name), maxVit, maxTokens)).toBeLessThanOrEqual(pattern * 1.001 + 1);
    });
  });

  test.each([
    ["ai2d_train_12k", 1_103],
    ["synthdog_en", 4_092],
  ])("%s at 28 / 8192: %i", needs(noRealData), (name, most) => {
    expect(groupsOf(samples(name), 28, 8192)).toBeLessThanOrEqual(most);
  });

  test.each([
    [5, 2048, 1920],
    [9, 4096, 3968],
    [9, 4096, 4050],
    [13, 4096, 4096],
    [14, 6400, 6272],
  ])("uniform:200000 at %i / %i, ISF's minTokens %i: the best of ISF and best-fit-decreasing", (v, t, minTokens) => {
    const input = samples("uniform:200000");
    const rivals = [1, 2, 5, 10, 50].map(
      (rounds) => omnibal.pack(input, { maxVit: v, maxTokens: t, minTokens, rounds }).length,
    );
    rivals.push(bestFitDecreasing(input, v, t).groups);
    expect(groupsOf(input, v, t)).toBeLessThanOrEqual(Math.min(...rivals));
  });
});

describe("composition", () => {
  test("tiled:1200000 at 9 / 4096: within a tenth of a random draw's", () => {
    const { mix } = omnibal.pack(samples("tiled:1200000"), { method, maxVit: 9, maxTokens: 4096 });
    expect(Math.abs((mix ?? 0) - 1)).toBeLessThan(0.1);
  });

  test("the mix is the ratio of the variances", () => {
    const input = samples("tiled:1000");
    for (const way of ["isf", "balanced"] as const) {
      const packing = omnibal.pack(input, { method: way, maxVit: 9, maxTokens: 4096 });
      const variance = (x: readonly number[]) => {
        const mean = x.reduce((a, b) => a + b, 0) / x.length;
        return x.reduce((sum, y) => sum + (y - mean) ** 2, 0);
      };
      const groups = Array.from(packing, (group) => Array.from(group, (i) => input.tokens[i]));
      const within = groups.reduce((sum, g) => sum + variance(g), 0) / (1000 - groups.length);
      expect(packing.mix).toBeCloseTo(within / (variance(groups.flat()) / 999), 9);
      expect(packing.stats.mix).toBe(packing.mix);
    }
  });

  test("groups of one sample have none", () => {
    expect(omnibal.pack({ vit: [9, 9], tokens: [1, 2] }, { maxVit: 9, maxTokens: 9 }).mix).toBeNull();
  });
});

// A change of these is a change of what users get for a seed: the notes of a version must tell.
describe("the groups of a seed stay", () => {
  test.each([
    ["uniform:3000", 9, 4096, 1024, 1, "bd654e98eada1538145bdcb7784d50eab79bea840922a280b1b61b6de9aab20e"],
    ["tiled:20000", 9, 4096, 7, 0, "f957dbc7919c749825c4747e1759004b24845a94e9d06228a9f4bf592eed3a5e"],
    ["uniform:1000", 13, 4096, 9, 2, "02aac628d657bc1b550fa0f0103e4b7ad60622a28ccb8fb6c19bc833610ecbd2"],
    ["tiled:300000", 9, 4096, 4294967295, 1, "cb87ee8836b6bf65a8fe162a0c41ca4d103ad0a5dfb16de4e3ea22ade1c3138f"],
  ])("%s at %i / %i, seed %i, effort %i", (name, maxVit, maxTokens, seed, effort, hash) => {
    const packing = omnibal.pack(samples(name), { method, maxVit, maxTokens, seed, effort });
    checkPacking(samples(name), packing);
    expect(sha256(groupsText(packing))).toBe(hash);
  });
});

describe("any input", () => {
  const load32 = fc.oneof(fc.nat(12), fc.nat(5000), fc.nat(2147483647));
  const bound = (small: number) =>
    fc.oneof(fc.integer({ min: 1, max: small }), fc.integer({ min: 1, max: 2147483647 }));
  const cases = fc.record({
    loads: fc.array(fc.tuple(load32, load32), { maxLength: 400 }),
    maxVit: bound(20),
    maxTokens: bound(9000),
    seed: fc.oneof(fc.nat(10), fc.constant(4294967295)),
    effort: fc.nat(2),
  });

  test("nothing lost or repeated, both bounds hold, not below the lower bound, same seed same packing", () => {
    fc.assert(
      fc.property(cases, ({ loads, ...options }) => {
        const input = { vit: Int32Array.from(loads, (l) => l[0]), tokens: Int32Array.from(loads, (l) => l[1]) };
        const before = omnibal.abi.mark();
        const packing = omnibal.pack(input, { ...options, method });
        checkPacking(input, packing);
        expect(packing.length).toBeGreaterThanOrEqual(packing.bound);
        expect(packing.attention).toEqual(
          Float64Array.from(packing, (group) =>
            Number(Array.from(group, (i) => BigInt(input.tokens[i]) ** 2n).reduce((a, b) => a + b, 0n)),
          ),
        );
        expect(omnibal.pack(input, { ...options, method })).toEqual(packing);
        expect(omnibal.abi.mark()).toBe(before);
      }),
      { numRuns: 150 },
    );
  });

  test("few values of each load, many samples", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(30), fc.nat(3000)), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 5000 }),
        (kinds, n, maxVit, maxTokens) => {
          const input = {
            vit: Int32Array.from({ length: n }, (_, i) => kinds[(i * 7) % kinds.length][0]),
            tokens: Int32Array.from({ length: n }, (_, i) => kinds[(i * 7) % kinds.length][1]),
          };
          groupsOf(input, maxVit, maxTokens);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("what it takes and refuses", () => {
  const options = { method, maxVit: 9, maxTokens: 4096 };

  test("nothing, and nothing that fits", () => {
    const none = omnibal.pack([], options);
    expect([none.length, none.bound, none.rounds, none.mix]).toEqual([0, 0, 0, null]);
    expect(Array.from(none.offsets)).toEqual([0]);
    const large = omnibal.pack({ vit: [10, 1, 10], tokens: [1, 4097, 1] }, options);
    expect([large.length, large.bound, ...large.oversize]).toEqual([0, 0, 0, 1, 2]);
    omnibal.pack(samples("tiled:1000"), options);
    expect(omnibal.pack([], { ...options, lowerBound: "linear" }).bound).toBe(0);
  });

  test("negative lengths", () => {
    const run = (vit: Int32Array, tokens: Int32Array) => () => omnibal.pack({ vit, tokens }, options);
    expect(run(Int32Array.of(1, -3), Int32Array.of(1, 1))).toThrow(InputError);
    expect(run(Int32Array.of(1, -3), Int32Array.of(1, 1))).toThrow("index 1: vit is -3");
    expect(run(Int32Array.of(1, 1, 1), Int32Array.of(1, 1, -4))).toThrow("index 2: tokens is -4");
    expect(omnibal.pack({ vit: [1], tokens: [1] }, options).length).toBe(1);
  });

  test.each([
    [{ ...options, effort: 4 }, "effort is 4, expected a whole number from 0 to 3"],
    [{ ...options, rounds: 5 }, "rounds is given, expected none for method balanced"],
    [{ ...options, onRound: () => undefined }, "onRound is given, expected none for method balanced"],
    [{ ...options, method: "isf", effort: 1 }, "effort is given, expected none for method isf"],
    [{ ...options, method: "best" }, 'method is "best", expected isf, balanced'],
    [{ ...options, lowerBound: "none" }, 'lowerBound is "none", expected linear, tight'],
  ])("an option, case %#", (wrong, message) => {
    expect(() => omnibal.pack([], wrong as never)).toThrow(OptionError);
    expect(() => omnibal.pack([], wrong as never)).toThrow(message);
  });

  test("arguments of the core", () => {
    const { abi } = omnibal;
    const top = abi.mark();
    expect(abi.balancedBegin(0, 0, -1, 9, 9, 0, 1)).toBe(2);
    expect(abi.balancedBegin(0, 0, 0, 0, 9, 0, 1)).toBe(2);
    expect(abi.balancedBegin(0, 0, 0, 9, 0, 0, 1)).toBe(2);
    expect(abi.balancedBegin(0, 0, 0, 9, 9, 0, 4)).toBe(2);
    expect(abi.mark()).toBe(top);
  });
});

describe("progress", () => {
  const input = samples("uniform:20000");
  const options = { method, maxVit: 9, maxTokens: 4096 };

  test("rises to 1, with the groups at the end", () => {
    const seen: PackProgress[] = [];
    const packing = omnibal.pack(input, { ...options, onProgress: (progress) => seen.push(progress) });
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.map((s) => s.done)).toEqual(seen.map((s) => s.done).sort((a, b) => a - b));
    // Once there is a packing there is one to the end, and it only gets better.
    const groups = seen.map((s) => s.groups).filter((g, i, all) => g > 0 || all[i - 1] > 0);
    expect(groups).toEqual(groups.toSorted((a, b) => b - a));
    expect(groups.at(-1)).toBeGreaterThan(0);
    expect(seen.at(-1)).toEqual({ done: 1, samples: 20_000, groups: packing.length });
  });

  test("it serves ISF too, round by round", () => {
    const seen: number[] = [];
    omnibal.pack(input, { maxVit: 9, maxTokens: 4096, rounds: 4, onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([0.25, 0.5, 0.75, 1]);
  });

  test("a signal stops it with its reason, at any point, and the instance works on", () => {
    const packing = omnibal.pack(input, options);
    for (const steps of [0, 1, 5, 20]) {
      const stop = new AbortController();
      let seen = 0;
      const onProgress = () => {
        if (++seen === steps) stop.abort(new Error("enough"));
      };
      if (steps === 0) stop.abort(new Error("enough"));
      expect(() => omnibal.pack(input, { ...options, signal: stop.signal, onProgress })).toThrow("enough");
      expect(seen).toBe(steps);
    }
    expect(omnibal.pack(input, options)).toEqual(packing);
  });

  test("packInRounds hands over between pieces; left early, the instance works on", () => {
    const before = omnibal.abi.mark();
    for (const _ of omnibal.packInRounds(input, options)) break;
    expect(omnibal.abi.mark()).toBe(before);
    const steps = omnibal.packInRounds(input, options);
    let step = steps.next();
    while (!step.done) step = steps.next();
    expect(step.value).toEqual(omnibal.pack(input, options));
  });
});

describe("too little memory", () => {
  test("is a status at every point, and the same groups where it is enough", async () => {
    const { abi } = await load();
    const { vit, tokens } = samples("tiled:100000");
    const n = vit.length;
    const vitAt = abi.alloc(n * 4) >>> 0;
    const tokensAt = abi.alloc(n * 4) >>> 0;
    const inputs = abi.mark();
    const run = (room: number): number => {
      // All of the memory but so much.
      if (room > 0 && abi.alloc(2 ** 32 - 64 - room - (inputs >>> 0)) === 0) return 0;
      let status = -abi.balancedBegin(vitAt, tokensAt, n, 9, 4096, 1, 1);
      if (status === 0) for (status = 1; status > 0; ) status = abi.balancedStep();
      const groups = abi.packingGroups();
      // Advice takes lower bounds, and tries packings.
      expect([0, 1]).toContain(abi.adviseBounds(vitAt, tokensAt, n, 9, 4096, 0));
      abi.release(inputs);
      return status === 0 ? groups : status;
    };
    new Int32Array(abi.memory.buffer, vitAt, n).set(vit);
    new Int32Array(abi.memory.buffer, tokensAt, n).set(tokens);
    const enough = run(0);
    const outcomes = Array.from({ length: 45 }, (_, k) => run(2 ** 17 * (k + 1)));
    const first = outcomes.indexOf(enough);
    expect(first).toBeGreaterThan(10);
    expect(new Set(outcomes.slice(0, first))).toEqual(new Set([-1]));
    expect(new Set(outcomes.slice(first))).toEqual(new Set([enough]));
  });
});
