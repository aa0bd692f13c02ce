// Packings of any loads through the public surface.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { native } from "../../bench/inputs.ts";
import { load, type Packing, type PackOptions } from "../../src/index.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const MOST = Number.MAX_SAFE_INTEGER;
const METHODS = ["isf", "balanced"] as const;
const NAMES = ["patches", "tokens", "audio", "frames", "labels", "vit", "a^b", "8"];

interface Problem {
  readonly columns: Record<string, number[]>;
  readonly max: Record<string, number>;
  readonly carry: string[];
  readonly seed: number;
}

/** Up to `most` samples of 1 to 8 loads, the first of them bounded: values from nothing to a little above the bound. */
const problems = (most: number) =>
  fc
    .record({
      bounds: fc.array(
        fc.oneof(
          fc.integer({ min: 1, max: 30 }),
          fc.integer({ min: 1, max: 20_000 }),
          fc.integer({ min: 1, max: 2 ** 40 }),
        ),
        { minLength: 1, maxLength: 8 },
      ),
      carried: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      n: fc.nat(most),
      seed: fc.nat(),
    })
    .chain(({ bounds, carried, n, seed }) => {
      const value = (b: number) => fc.oneof(fc.nat(b), fc.nat(Math.ceil(b / 4)), fc.nat(Math.ceil(b * 1.05)));
      return fc
        .tuple(...bounds.map((b) => fc.array(value(b), { minLength: n, maxLength: n })))
        .map((columns): Problem => {
          const names = NAMES.slice(0, bounds.length);
          const isCarried = (k: number) => k > 0 && carried[k];
          return {
            columns: Object.fromEntries(names.map((name, k) => [name, columns[k]])),
            max: Object.fromEntries(names.flatMap((name, k) => (isCarried(k) ? [] : [[name, bounds[k]]]))),
            carry: names.filter((_, k) => isCarried(k)),
            seed,
          };
        });
    });

/** Throws unless every sample is in one place, all bounds hold, and all sums are right. */
function checkLoads({ columns, max, carry }: Problem, packing: Packing): void {
  const names = [...Object.keys(max), ...carry];
  expect([...packing.names].sort()).toEqual([...names].sort());
  const places = [...packing.indices, ...packing.oversize].sort((a, b) => a - b);
  expect(places).toEqual(Array.from(columns[names[0]].keys()));
  for (const [g, group] of [...packing].entries()) {
    expect(group.length).toBeGreaterThan(0);
    for (const name of names) {
      const sum = Array.from(group).reduce((total, i) => total + columns[name][i], 0);
      expect([name, packing.loads[name][g]]).toEqual([name, sum]);
      if (Object.hasOwn(max, name)) expect(sum).toBeLessThanOrEqual(max[name]);
    }
  }
  for (const i of packing.oversize) {
    expect(Object.entries(max).some(([name, bound]) => columns[name][i] > bound)).toBe(true);
  }
}

/** The fewest groups that hold the samples, by trying everything. */
function fewestGroups({ columns, max }: Problem): number {
  const bounds = Object.entries(max);
  const fitting = Array.from(columns[bounds[0][0]].keys()).filter((i) =>
    bounds.every(([name, bound]) => columns[name][i] <= bound),
  );
  let best = fitting.length;
  const rooms: number[][] = [];
  const place = (k: number): void => {
    if (rooms.length >= best) return;
    if (k === fitting.length) {
      best = rooms.length;
      return;
    }
    const own = bounds.map(([name]) => columns[name][fitting[k]]);
    for (let g = 0; g < rooms.length; g++) {
      if (rooms[g].some((room, b) => room < own[b])) continue;
      rooms[g] = rooms[g].map((room, b) => room - own[b]);
      place(k + 1);
      rooms[g] = rooms[g].map((room, b) => room + own[b]);
    }
    rooms.push(bounds.map(([, bound], b) => bound - own[b]));
    place(k + 1);
    rooms.pop();
  };
  place(0);
  return best;
}

describe.each(METHODS)("%s of 1 to 8 loads", (method) => {
  test("against trying everything", () => {
    fc.assert(
      fc.property(problems(8), (problem) => {
        const { columns, max, carry, seed } = problem;
        const packing = omnibal.pack(columns, { method, max, carry, seed, lowerBound: "tight" });
        checkLoads(problem, packing);
        const fewest = fewestGroups(problem);
        expect(packing.length).toBeGreaterThanOrEqual(fewest);
        expect(packing.bound).toBeLessThanOrEqual(fewest);
      }),
      { numRuns: 250 },
    );
  });

  test("records, typed arrays and arrays are one input, and the same call gives the same packing", () => {
    fc.assert(
      fc.property(problems(60), (problem) => {
        const { columns, max, carry, seed } = problem;
        const options = { method, max, carry, seed } as PackOptions;
        const packing = omnibal.pack(columns, options);
        checkLoads(problem, packing);
        const names = Object.keys(columns);
        const doubles = Object.fromEntries(names.map((name) => [name, Float64Array.from(columns[name])]));
        const bigints = Object.fromEntries(names.map((name) => [name, BigInt64Array.from(columns[name], BigInt)]));
        for (const input of [doubles, bigints]) {
          const same = omnibal.pack(input, options);
          expect(same).toEqual(packing);
          expect(omnibal.made(same)).toEqual(omnibal.made(packing));
        }
        const records = columns[names[0]].map((_, i) =>
          Object.fromEntries(names.map((name) => [name, columns[name][i]])),
        );
        if (records.length > 0) expect(omnibal.pack(records, options)).toEqual(packing);
      }),
      { numRuns: 60 },
    );
  });

  test("loads without a bound change no group", () => {
    const { patches, tokens } = native(5000);
    const labels = patches.map((_, i) => i % 7);
    const max = { patches: 40_000, tokens: 16_384 };
    const packing = omnibal.pack({ patches, tokens }, { method, max });
    const carried = omnibal.pack({ patches, tokens, labels }, { method, max, carry: ["labels", "labels^2"] });
    expect(carried.indices).toEqual(packing.indices);
    expect(carried.offsets).toEqual(packing.offsets);
    expect(Object.keys(carried.loads)).toEqual(["patches", "tokens", "labels", "labels^2", "tokens^2"]);
    expect([packing.names, carried.names]).toEqual([
      ["patches", "tokens"],
      ["patches", "tokens", "labels", "labels^2"],
    ]);
  });

  test("vit and tokens by name are the usual two", () => {
    const input = samples("tiled:3000");
    const packing = omnibal.pack(input, { method, maxVit: 9, maxTokens: 4096 });
    const named = omnibal.pack(input, { method, max: { tokens: 4096, vit: 9 } });
    expect(named).toEqual(packing);
    expect(omnibal.made(named)).toEqual(omnibal.made(packing));
    expect([packing.vit, packing.tokens, packing.attention]).toEqual(Object.values(packing.loads));
    // A third load makes wider words, of the same groups as long as it never binds.
    const wide = omnibal.pack(
      { ...input, other: Float64Array.from(input.vit, (vit) => vit * 2 ** 30) },
      { method: "isf", max: { vit: 9, tokens: 4096, other: MOST }, min: { other: MOST } },
    );
    expect(wide.indices).toEqual(omnibal.pack(input, { maxVit: 9, maxTokens: 4096 }).indices);
  });

  test("attention is tokens^2: the sum of squares, bounded like any load", () => {
    const input = samples("tiled:2000");
    const max = { vit: 9, tokens: 4096 };
    const packing = omnibal.pack(input, { method, max: { ...max, attention: 3_000_000 } });
    expect(packing).toEqual(omnibal.pack(input, { method, max: { ...max, "tokens^2": 3_000_000 } }));
    expect(packing.bounds.max).toEqual({ ...max, "tokens^2": 3_000_000 });
    expect(packing.attention).toBe(packing.loads["tokens^2"]);
    for (const [g, group] of [...packing].entries()) {
      const sum = Array.from(group).reduce((total, i) => total + input.tokens[i] ** 2, 0);
      expect(packing.attention?.[g]).toBe(sum);
      expect(sum).toBeLessThanOrEqual(3_000_000);
    }
    expect(Object.keys(omnibal.made(packing).loads ?? {})).toEqual(["vit", "tokens"]);
  });

  test("align: tokens count rounded up, in the sums and against the bound", () => {
    const input = samples("tiled:2000");
    const rounded = { vit: input.vit, tokens: input.tokens.map((tokens) => Math.ceil(tokens / 64) * 64) };
    const packing = omnibal.pack(input, { method, maxVit: 9, maxTokens: 4096, align: 64 });
    const { settings, ...expected } = omnibal.pack(rounded, { method, maxVit: 9, maxTokens: 4096 });
    expect(packing).toMatchObject({ ...expected, settings: { ...settings, align: 64 } });
    // It is a packing of these samples all the same.
    const { loads } = omnibal.made(omnibal.pack(input, { maxVit: 9, maxTokens: 4096 }));
    expect(omnibal.made(packing)).toMatchObject({ align: 64, loads });
    const squares = omnibal.pack(input, { method, max: { "tokens^2": 64 ** 2, tokens: 4096 }, align: 64 });
    expect(Array.from(squares.indices).every((i) => input.tokens[i] <= 64)).toBe(true);
  });

  test("in a worker it is the same packing, sums above 2^31 among them", async () => {
    const input = {
      a: Array.from({ length: 500 }, (_, i) => i * 2 ** 40),
      b: Array.from({ length: 500 }, (_, i) => i),
    };
    const options = { method, max: { b: 900 }, carry: ["a"] };
    const packing = omnibal.pack(input, options as PackOptions);
    expect(packing.loads.a).toBeInstanceOf(Float64Array);
    expect(await omnibal.packAsync(input, options as PackOptions)).toEqual(packing);
  });
});

describe("minima of ISF", () => {
  const { patches, tokens } = native(2000);
  const fine = { patches, tokens };
  const min = (options: object, input: object = fine) =>
    omnibal.pack(input as never, { max: { patches: 40_000, tokens: 16_384 }, ...options }).bounds.min;

  test("the published ones for tokens and for loads of few values, 99 % of the bound for others, rounded down", () => {
    expect(min({})).toEqual({ patches: 39_600, tokens: 16_256 });
    expect(min({ max: { patches: 39_999, tokens: 100 } })).toEqual({ patches: 39_599, tokens: 0 });
    const coarse = { patches: fine.patches.map((x) => (x % 65) * 100), tokens: fine.tokens };
    expect(min({}, coarse).patches).toBe(39_600);
    const few = { ...coarse, patches: fine.patches.map((x) => (x % 64) * 100) };
    expect(min({}, few).patches).toBe(40_000);
    // Values that no group can hold do not count.
    expect(min({ max: { patches: 6300, tokens: 16_384 } }, coarse).patches).toBe(6300);
    expect(min({ max: { vit: 40_000, tokens: 16_384 } }, { vit: fine.patches, tokens: fine.tokens }).vit).toBe(39_600);
  });

  test("given ones, by name or in short", () => {
    expect(min({ min: { patches: 7 } })).toEqual({ patches: 7, tokens: 16_256 });
    expect(min({ minTokens: 9 })).toEqual({ patches: 39_600, tokens: 9 });
    const never = omnibal.pack(fine, {
      max: { patches: 40_000, tokens: 16_384 },
      min: { patches: 40_001, tokens: 16_385 },
    });
    expect(never.rounds).toBe(50);
  });
});

describe("what is refused", () => {
  const input = { patches: [1, 2], tokens: [3, 4] };
  const max = { patches: 9, tokens: 9 };
  const refused = (options: object, lengths: object = input) => {
    try {
      omnibal.pack(lengths as never, options as never);
    } catch (error) {
      const { name, code, message } = error as Error & { code: string };
      return [name, code, message];
    }
    return "nothing";
  };

  test.each<[object, string]>([
    [{ max: 3 }, "max is 3, expected numbers by load: { tokens: 4096 }"],
    [{ max: [3] }, "max is [3], expected numbers by load: { tokens: 4096 }"],
    [{ max: { patches: 0 } }, "max.patches is 0, expected a whole number from 1 to 9007199254740991"],
    [{ max: { patches: 1.5 } }, "max.patches is 1.5, expected a whole number from 1 to 9007199254740991"],
    [
      { max: { patches: Number.POSITIVE_INFINITY } },
      "max.patches is Infinity, expected a whole number from 1 to 9007199254740991",
    ],
    [{ max: {} }, "0 bounded and 0 carried loads, expected 1 to 8 in all, one of them bounded"],
    [{ max: {}, carry: ["tokens"] }, "0 bounded and 1 carried loads, expected 1 to 8 in all, one of them bounded"],
    [{ max, carry: [..."abcdefg"] }, "2 bounded and 7 carried loads, expected 1 to 8 in all, one of them bounded"],
    [{ max, maxTokens: 8 }, "max.tokens is 9 and maxTokens is 8, expected one of the two"],
    [{ max: { "tokens^2": 9, attention: 8 } }, "max.tokens^2 is 9 and max.attention is 8, expected one of the two"],
    [{ max, carry: "labels" }, 'carry is "labels", expected a list of names'],
    [{ max, carry: ["tokens"] }, 'carry has "tokens", which has a bound: it is added up in any case'],
    [{ max, min: { labels: 3 } }, 'min has "labels", which has no bound: those are of patches, tokens'],
    [{ max, minVit: 3 }, 'min has "vit", which has no bound: those are of patches, tokens'],
    [{ max, min: { patches: -1 } }, "min.patches is -1, expected a whole number from 0 to 9007199254740991"],
    [{ max, method: "balanced", min: { patches: 1 } }, "min is given, expected none for method balanced"],
    [{ max, align: 0 }, "align is 0, expected a whole number from 1 to 2147483647"],
    [{ max: { patches: 9 }, align: 8 }, "align is 8, but tokens are not among the loads patches"],
  ])("an option: %j", (options, message) => {
    expect(refused(options)).toEqual(["OptionError", "INVALID_OPTION", message]);
  });

  test("lengths", () => {
    expect(refused({ max: { frames: 3 } })).toEqual([
      "InputError",
      "INVALID_INPUT",
      'lengths are {"patches":[1,2],"tokens":[3,4]}, expected { frames } or an array of records',
    ]);
    expect(refused({ max }, [{ patches: 1, token_num: 2 }, { tokens: 3 }])).toEqual([
      "InputError",
      "MISSING_FIELD",
      "index 1: patches is missing",
    ]);
    expect(refused({ max }, { patches: Int32Array.of(1, 1, -5), tokens: Int32Array.of(1, -3, 1) })).toEqual([
      "InputError",
      "INVALID_LENGTH",
      "index 1: tokens is -3, expected a whole number from 0 to 9007199254740991",
    ]);
    expect(refused({ max: { "tokens^2": 9 } }, { tokens: Int32Array.of(1, -3) })[2]).toContain("index 1: tokens is -3");
    expect(refused({ max: { patches: 9 }, carry: ["tokens^2"] }, { patches: [1], tokens: [2 ** 30] })[2]).toBe(
      "index 0: tokens^2 is 1152921504606847000, expected a whole number from 0 to 9007199254740991",
    );
    const large = { a: [MOST, 1], b: [1, 1] };
    expect(refused({ max: { b: 9 }, carry: ["a"] }, large)).toEqual([
      "InputError",
      "INVALID_LENGTH",
      "the sum of a in group 0 is above 9007199254740991, which cannot be counted exactly",
    ]);
  });

  test("a packing says which load it lacks", () => {
    const packing = omnibal.pack(input, { max });
    expect(() => packing.vit).toThrow("this packing has no load vit: its loads are patches, tokens");
    expect(packing.tokens).toBe(packing.loads.tokens);
    expect(packing.stats).toMatchObject({ fillVit: 0, fill: { patches: 3 / 9, tokens: 7 / 9 }, fillTokens: 7 / 9 });
  });
});

test("lower bounds of any loads, the best with its name", () => {
  const { patches, tokens } = native(20_000);
  const found = omnibal.lowerBound({ patches, tokens }, { max: { patches: 20_000, tokens: 8192 } });
  const { best, kind, ...bounds } = found;
  expect(best).toBe(Math.max(...Object.values(bounds)));
  expect(bounds[kind]).toBe(best);
  expect(kind).toBe("difference");
  expect(omnibal.lowerBound({ tokens: [5, 5, 5] }, { max: { tokens: 9 } })).toMatchObject({ best: 3, kind: "pattern" });
  expect(omnibal.lowerBound({ tokens: [5, 4, 5] }, { max: { tokens: 9 }, align: 5 })).toMatchObject({ best: 3 });
});

test("a row of a search packs to the groups it counted, with more than 64 values of vit too", async () => {
  const { patches, tokens } = native(3000);
  const input = { vit: patches, tokens };
  const limits = { maxVitLimit: 40_000, maxTokensLimit: 16_384 };
  const { winner } = await omnibal.search(input, { ranks: 8, ...limits, candidates: 10, rounds: 5, workers: 0 });
  expect(winner?.minVit).toBe(winner?.maxVit);
  expect(omnibal.pack(input, winner!).length).toBe(winner?.groups);
});
