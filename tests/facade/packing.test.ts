// Packings and loads that do not come from a packer: what is wrong in them is refused before the core reads by them.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  InputError,
  load,
  Packing,
  type PackingParts,
  type VitTokenGroups,
  type VitTokenParts,
} from "../../src/index.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const parts: VitTokenParts = {
  offsets: Int32Array.of(0, 1, 3),
  indices: Int32Array.of(4, 0, 2),
  vit: Int32Array.of(1, 2),
  tokens: Int32Array.of(10, 20),
  attention: Float64Array.of(100, 250),
  oversize: Int32Array.of(3),
  bounds: { maxVit: 9, maxTokens: 20, minVit: 0, minTokens: 0 },
  bound: 1,
  rounds: 0,
};
const made = (other: object) => () => new Packing({ ...parts, ...other } as VitTokenParts);

function text(packing: Packing): string {
  return Array.from(omnibal.packingText(packing, "json"), (piece) => new TextDecoder().decode(piece)).join("");
}

describe("new Packing", () => {
  test("takes what is right, with and without the parts that may be missing", () => {
    const { vit, tokens, attention, bounds, ...rest } = parts;
    expect(made({})().parts).toEqual({
      ...rest,
      loads: { vit, tokens, "tokens^2": attention },
      bounds: { max: { vit: 9, tokens: 20 }, min: { vit: 0, tokens: 0 } },
      ...{ method: undefined, mix: null },
    });
    const { attention: _, ...least } = parts;
    expect(new Packing(least).attention).toBeUndefined();
    const none = { offsets: Int32Array.of(0), indices: new Int32Array(0), vit: new Int32Array(0) };
    expect(made({ ...none, tokens: new Int32Array(0), attention: new Float64Array(0) })().length).toBe(0);
    const packed = omnibal.pack(samples("tiled:1000"), { maxVit: 9, maxTokens: 4096, method: "balanced" });
    expect(new Packing(packed.parts)).toEqual(packed);
    // Far apart, as the indices of one part of a large set are.
    expect(made({ indices: Int32Array.of(2147483647, 0, 2147483646) })().group(1)[1]).toBe(2147483646);
  });

  const count = "expected a whole number from";
  test.each<[object, string]>([
    [{ offsets: Int32Array.of(0, 1, 2000) }, "the last offset is 2000, there are 3 indices"],
    [{ offsets: Int32Array.of(0, -1, 3) }, "offset 1 is -1, the one before it 0"],
    [{ offsets: Int32Array.of(0, 2, 1) }, "offset 2 is 1, the one before it 2"],
    [{ offsets: Int32Array.of(1, 2, 3) }, "offset 0 is 1, expected 0"],
    [{ offsets: Int32Array.of(0, 0, 3) }, "group 0 is empty"],
    [{ offsets: new Int32Array(0) }, "there are no offsets, expected at least one, which is 0"],
    [{ offsets: [0, 1, 3] }, "offsets is [0,1,3], expected an Int32Array"],
    [{ indices: Int32Array.of(4, 0, -2) }, `a sample is -2, ${count} 0 to 2147483647`],
    [{ indices: Int32Array.of(4, 0, 4) }, "sample 4 is in two places, expected one"],
    [{ indices: Int32Array.of(4, 0, 3) }, "sample 3 is in two places, expected one"],
    [{ indices: Int32Array.of(2147483647, 0, 2147483647) }, "sample 2147483647 is in two places, expected one"],
    [{ indices: Uint32Array.of(4, 0, 2) }, "indices is Uint32Array(3), expected an Int32Array"],
    [{ oversize: Int32Array.of(-1) }, `a sample is -1, ${count} 0 to 2147483647`],
    [{ vit: Int32Array.of(1) }, "vit has 1 values, there are 2 groups"],
    [{ vit: Int32Array.of(1, 10) }, "vit of group 1 is 10, expected a number from 0 to maxVit, 9"],
    [{ tokens: Int32Array.of(-1, 1) }, "tokens of group 0 is -1, expected a number from 0 to maxTokens, 20"],
    [{ attention: Float64Array.of(1, Number.NaN) }, "attention of group 1 is NaN, expected a number from 0 to 2^62"],
    [{ attention: Float64Array.of(-1, 1) }, "attention of group 0 is -1, expected a number from 0 to 2^62"],
    [
      { attention: Float64Array.of(1, Number.POSITIVE_INFINITY) },
      "attention of group 1 is Infinity, expected a number",
    ],
    [{ attention: Float64Array.of(1) }, "attention has 1 values, there are 2 groups"],
    [{ attention: [1, 2] }, "attention is [1,2], expected a Float64Array or none"],
    [{ bounds: undefined }, `bounds.maxVit is undefined, ${count} 1 to 2147483647`],
    [{ bounds: { ...parts.bounds, maxTokens: 0 } }, `bounds.maxTokens is 0, ${count} 1 to 2147483647`],
    [{ bounds: { ...parts.bounds, minVit: -1 } }, `bounds.minVit is -1, ${count} 0 to 2147483647`],
    [{ bound: Number.NaN }, `bound is NaN, ${count} 0 to 2147483647`],
    [{ rounds: 0.5 }, `rounds is 0.5, ${count} 0 to 2147483647`],
    [{ mix: Number.NaN }, "mix is NaN, expected a number from 0 on, below 2^32, or null"],
    [{ method: { toString: 1 } }, 'method is {"toString":1}, expected a name or none'],
  ])("refuses %j", (other, why) => {
    expect(made(other)).toThrow(`packing: ${why}`);
    expect(made(other)).toThrow(InputError);
  });

  test("refuses what is no object", () => {
    for (const nothing of [undefined, null, 3]) {
      expect(() => new Packing(nothing as unknown as PackingParts)).toThrow(/^packing: got (undefined|null|3), /);
    }
  });

  test("right parts with any changes: a packing whose text names its indices and nothing else, or an error", () => {
    const names = ["offsets", "indices", "vit", "tokens", "oversize"] as const;
    const change = fc.tuple(fc.constantFrom(...names), fc.nat(3), fc.integer({ min: -2, max: 11 }));
    let taken = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 2 }), (changes) => {
        const other = Object.fromEntries(names.map((name) => [name, parts[name].slice()]));
        for (const [name, at, value] of changes) other[name][at] = value;
        let packing: Packing;
        try {
          packing = made(other)();
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          return;
        }
        taken++;
        const { groups, oversize } = JSON.parse(text(packing));
        expect(groups.flat()).toEqual(Array.from(other.indices));
        expect(oversize).toEqual(Array.from(other.oversize));
      }),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(400);
    expect(taken).toBeLessThan(1600);
  });

  test("arrays that are written to afterwards do not send the core out of its own", () => {
    const packing = new Packing({ ...parts, offsets: parts.offsets.slice() });
    packing.offsets[2] = 2000;
    expect(() => text(packing)).toThrow("packing: the last offset is 2000, there are 3 indices");
    packing.offsets[2] = 3;
    packing.offsets[1] = -1;
    expect(() => text(packing)).toThrow("packing: offset 1 is -1");
    packing.offsets[1] = 1;
    expect(JSON.parse(text(packing)).groups).toEqual([[4], [0, 2]]);
    Object.assign(packing, { loads: { ...packing.loads, vit: new Int32Array(1) } });
    expect(() => text(packing)).toThrow("packing: vit has 1 values, there are 2 groups");
  });
});

describe("loads that cannot be", () => {
  const loads = (attention: unknown): VitTokenGroups => ({
    ...{ length: 2, vit: Int32Array.of(1, 2), tokens: Int32Array.of(3, 4) },
    attention: attention as Float64Array,
  });
  const uses: readonly (readonly [string, (loads: VitTokenGroups) => unknown])[] = [
    ["evaluate", (loads) => omnibal.evaluate(loads, { ranks: 2 })],
    ["plan", (loads) => omnibal.plan(loads, { ranks: 2, balance: { attention: 1 } })],
    ["sampler", (loads) => omnibal.sampler(loads, { kind: "random", ranks: 2, rank: 0 })],
    ["spGroups", (loads) => omnibal.spGroups(loads, 2)],
    [
      "evaluatePlan",
      (loads) => omnibal.evaluatePlan(loads, { ranks: 1, microBatch: 1, spSize: 1, order: Int32Array.of(0, 1) }),
    ],
  ];

  test.each(uses)("%s: attention that is no number, negative, or beyond all", (_, use) => {
    for (const bad of [Number.NaN, -1, -3e-15, Number.POSITIVE_INFINITY, 2 ** 62 + 2 ** 10, 1e308]) {
      expect(() => use(loads(Float64Array.of(1, bad)))).toThrow(
        `index 1: attention is ${bad}, expected a number from 0 to 2^62`,
      );
    }
    expect(() => use(loads([1, 2]))).toThrow("source 0: attention is [1,2], expected a Float64Array");
    expect(() => use(loads(Float64Array.of(0, 2 ** 62)))).not.toThrow();
  });

  test("a length that is no number, or that is not there", () => {
    for (const length of [{ toString: 1 }, [[1]], undefined]) {
      const odd = { ...loads(Float64Array.of(1, 2)), length } as unknown as VitTokenGroups;
      expect(() => omnibal.evaluate(odd, { ranks: 2 })).toThrow(/^source 0: 2 values of vit, expected/);
    }
  });

  test("ratios stay in 0 .. 1, whatever the loads: sums beyond 2^53 are rounded", () => {
    const most = 2147483647;
    const size = fc.integer({ min: 1, max: 12 });
    const value = fc.oneof(fc.nat(most), fc.constantFrom(most, most - 1, 0));
    const square = fc.oneof(fc.double({ min: 0, max: 2 ** 62, noNaN: true }), fc.constantFrom(2 ** 62, 0.1, 1 / 3));
    // All ranks alike is where rounding shows: one value often stands for all groups.
    const column = <T>(of: fc.Arbitrary<T>) =>
      fc.oneof(
        fc.array(of, { minLength: 24, maxLength: 24 }),
        of.map((x) => new Array<T>(24).fill(x)),
      );
    fc.assert(
      fc.property(column(value), column(value), column(square), size, size, (vit, tokens, attention, ranks, micro) => {
        const groups = {
          ...{ length: 24, vit: Int32Array.from(vit), tokens: Int32Array.from(tokens) },
          attention: Float64Array.from(attention),
        };
        const figures = omnibal.evaluate(groups, { ranks, microBatch: micro });
        for (const name of ["pad", "vitDist", "tokenDist", "attentionDist"] as const) {
          expect(figures[name]).toBeGreaterThanOrEqual(0);
          expect(figures[name]).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("ranks that are alike are even: eight times 0.7 is less than 0.7 added up eight times", () => {
    expect(8 * 0.7).toBeLessThan(0.7 + 0.7 + 0.7 + 0.7 + 0.7 + 0.7 + 0.7 + 0.7);
    const attention = new Float64Array(8).fill(0.7);
    const alike = { length: 8, vit: new Int32Array(8).fill(1), tokens: new Int32Array(8).fill(1), attention };
    expect(omnibal.evaluate(alike, { ranks: 8 }).attentionDist).toBe(0);
  });
});

test("an instance that is still at work says what holds it: a text that was left before its end", () => {
  const packing = new Packing(parts);
  const pieces = omnibal.packingText(packing, "json");
  pieces.next();
  expect(() => omnibal.stats({ vit: [1], tokens: [1] })).toThrow(
    "this instance is still at work: a callback has called it, or a generator (packInRounds, packingText) has not ended",
  );
  pieces.return();
  expect(omnibal.stats({ vit: [1], tokens: [1] }).samples).toBe(1);
});
