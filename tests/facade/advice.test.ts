// "0.00 % above the lower bound" was all that was said of packings whose groups are 58 % and 35 % filled. Bounds that do
// not suit the samples are named as such, with some that do.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Lengths, type LengthsInput, load, type PackMethod } from "../../src/index.ts";
import { needs } from "../needs.ts";
import { noRealData, samples } from "../samples.ts";

const omnibal = await load();

type Bounds = { readonly maxVit: number; readonly maxTokens: number };

/** The share of the bound that is filled least, in a packing. */
function leastFill(lengths: LengthsInput, bounds: Bounds, method: PackMethod): number {
  const { fillVit, fillTokens } = omnibal.pack(lengths, { ...bounds, method }).stats;
  return Math.min(fillVit, fillTokens);
}

/** The most that any packing fills of the bound that it fills least. */
function mostOfLeastFill(lengths: Lengths, { maxVit, maxTokens }: Bounds): number {
  const { best } = omnibal.lowerBound(lengths, { maxVit, maxTokens });
  let vit = 0;
  let tokens = 0;
  for (const [i, v] of lengths.vit.entries()) {
    if (v > maxVit || lengths.tokens[i] > maxTokens) continue;
    vit += v;
    tokens += lengths.tokens[i];
  }
  return Math.min(vit / (best * maxVit), tokens / (best * maxTokens));
}

/** n samples, the same ones every time. */
function made(n: number, sample: (next: () => number) => [vit: number, tokens: number]) {
  let x = 2463534242;
  const next = () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
  const all = Array.from({ length: n }, () => sample(next));
  return { vit: Int32Array.from(all, ([v]) => v), tokens: Int32Array.from(all, ([, t]) => t) };
}

/** All of five tiles: in groups of nine, there is one of them and room for four tiles more. */
const fives = made(2000, (next) => [5, 1300 + (next() % 200)]);

describe("bounds that do not suit", () => {
  test("samples too large for them: larger ones, in the samples' tokens per tile", () => {
    const { stats } = omnibal.pack(fives, { maxVit: 9, maxTokens: 4096, method: "balanced" });
    expect([stats.groups, stats.bound]).toEqual([2000, 2000]);
    expect([stats.fillVit.toFixed(2), stats.fillTokens.toFixed(2)]).toEqual(["0.56", "0.34"]);
    const [advised, ...more] = omnibal.suitableBounds(fives, { maxVit: 9, maxTokens: 4096 });
    expect(more).toEqual([]);
    expect(advised.maxVit).toBe(10);
    expect(advised.maxTokens / (10 * 280)).toBeCloseTo(1.1, 2);
    expect(leastFill(fives, advised, "isf")).toBeGreaterThan(0.9);
  });

  test("many more tokens allowed than the tiles bring: more tiles, or fewer tokens", () => {
    const input = samples("tiled:20000");
    const perTile = input.tokens.reduce((a, b) => a + b, 0) / input.vit.reduce((a, b) => a + b, 0);
    const [more, fewer] = omnibal.suitableBounds(input, { maxVit: 9, maxTokens: 8192 });
    expect(more).toEqual({ maxVit: Math.ceil((1.1 * 8192) / perTile), maxTokens: 8192 });
    expect(fewer).toEqual({ maxVit: 9, maxTokens: Math.ceil(1.1 * 9 * perTile) });
    const [longer, narrower] = omnibal.suitableBounds(input, { maxVit: 18, maxTokens: 4096 });
    expect(longer).toEqual({ maxVit: 18, maxTokens: Math.ceil(1.1 * 18 * perTile) });
    expect(narrower).toEqual({ maxVit: Math.ceil((1.1 * 4096) / perTile), maxTokens: 4096 });
  });

  test("250,000 samples, of which a part is tried: those of two sources in turn are as all of them", () => {
    const lengths = made(250_000, (next) => [next() % 2 === 0 ? 1 : 5, 0]);
    for (const [i, v] of lengths.vit.entries()) {
      lengths.vit[i] = i % 5 === 0 ? v : 0;
      lengths.tokens[i] = i % 5 === 0 ? v * 280 : 90;
    }
    for (const advised of omnibal.suitableBounds(lengths, { maxVit: 9, maxTokens: 16384 })) {
      expect(leastFill(lengths, advised, "isf")).toBeGreaterThan(0.75);
    }
    expect(omnibal.suitableBounds(lengths, { maxVit: 9, maxTokens: 16384 })).not.toEqual([]);
  });

  test("real files at 9 / 4096", needs(noRealData), () => {
    const names = ["ai2d_train_12k", "synthdog_en"];
    expect(names.map((name) => omnibal.suitableBounds(samples(name), { maxVit: 9, maxTokens: 4096 }))).toEqual([
      [
        { maxVit: 17, maxTokens: 4096 },
        { maxVit: 9, maxTokens: 2751 },
      ],
      [
        { maxVit: 16, maxTokens: 4096 },
        { maxVit: 9, maxTokens: 2845 },
      ],
    ]);
  });
});

describe("nothing is advised", () => {
  test.each([
    ["where the bounds suit", samples("tiled:20000"), 9, 4096],
    ["without tiles", made(100, () => [0, 900]), 9, 1000],
    ["without tokens", made(100, () => [5, 0]), 9, 1000],
    ["for a few groups: how full they are is chance", made(9, () => [5, 10]), 9, 4096],
    ["of no samples", [], 9, 4096],
    ["where all are oversize", { vit: [10, 10, 10], tokens: [1, 1, 1] }, 9, 4096],
    // A tile per fifty texts: no bound on tiles near nine is ever reached.
    ["where no bounds nearby would do", made(2000, (next) => [next() % 50 === 0 ? 9 : 0, 1000]), 9, 4096],
  ])("%s", (_, lengths, maxVit, maxTokens) => {
    expect(omnibal.suitableBounds(lengths as LengthsInput, { maxVit, maxTokens })).toEqual([]);
  });
});

test("packing with advised bounds fills better, whatever the samples", () => {
  const kinds: Record<string, (next: () => number, perTile: number, text: number, most: number) => [number, number]> = {
    images: (next, perTile, text, most) => {
      const v = 1 + (next() % most);
      return [v, v * perTile + (next() % (text + 1))];
    },
    alike: (next, perTile, _, most) => [most, most * perTile + (next() % 50)],
    independent: (next, _, text, most) => [next() % (most + 1), 20 + (next() % (3 * text + 1))],
    "texts and images": (next, _, text, most) =>
      next() % 2 === 0 ? [0, 10 + (next() % (3 * text + 1))] : [1 + (next() % most), 10 + (next() % 90)],
    "long tail": (next, perTile, text, most) => {
      const v = Math.floor(-Math.log(1 - (next() % 1000) / 1000) * most);
      return [v, Math.floor((v * perTile * (50 + (next() % 100))) / 100) + 5 + (next() % (text + 1))];
    },
  };
  const cases = fc.record({
    kind: fc.constantFrom(...Object.keys(kinds)),
    n: fc.integer({ min: 30, max: 400 }),
    perTile: fc.integer({ min: 20, max: 800 }),
    text: fc.integer({ min: 0, max: 1500 }),
    most: fc.integer({ min: 1, max: 12 }),
    maxVit: fc.integer({ min: 2, max: 40 }),
    maxTokens: fc.constantFrom(512, 1024, 2048, 4096, 8192, 16384),
  });
  const seen = new Set<string>();
  fc.assert(
    fc.property(cases, ({ kind, n, perTile, text, most, ...bounds }) => {
      const lengths = made(n, (next) => kinds[kind](next, perTile, text, most));
      const fitting = omnibal.pack(lengths, bounds).indices;
      for (const advised of omnibal.suitableBounds(lengths, bounds)) {
        seen.add(kind);
        expect(advised).not.toEqual(bounds);
        expect(advised.maxVit).toBeLessThanOrEqual(4 * bounds.maxVit);
        expect(advised.maxTokens).toBeLessThanOrEqual(4 * bounds.maxTokens);
        for (const i of fitting) {
          if (lengths.vit[i] > advised.maxVit || lengths.tokens[i] > advised.maxTokens)
            throw new Error(`not held: ${i}`);
        }
        for (const method of ["isf", "balanced"] as const) {
          expect(leastFill(lengths, advised, method)).toBeGreaterThan(leastFill(lengths, bounds, method));
        }
        expect(leastFill(lengths, advised, "isf")).toBeGreaterThan(mostOfLeastFill(lengths, bounds));
      }
    }),
    { seed: 7, numRuns: 100 },
  );
  expect(seen).toEqual(new Set(Object.keys(kinds)));
});
