import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { abi, type Column, check, packRounds, pushLoads, put, StatusError, scoped } from "../../bench/k-loads.ts";
import { plainIsf } from "../../bench/plain-isf.ts";
import { plainRounds } from "../../bench/plain-rounds.ts";
import { load } from "../../src/index.ts";
import { samples } from "../samples.ts";

const MOST = Number.MAX_SAFE_INTEGER;
const NONE = Number.POSITIVE_INFINITY;

/** Groups as arrays of indices. */
function listed({ order, offsets }: { order: Uint32Array; offsets: Uint32Array }): number[][] {
  return Array.from(offsets.subarray(1), (end, g) => Array.from(order.subarray(offsets[g], end)));
}

/** Throws unless every sample is in one group or oversize, and all bounds hold. */
function checkGroups(columns: readonly Column[], bounds: readonly number[], groups: number[][], oversize: Uint32Array) {
  const seen = new Uint8Array(columns[0].length);
  for (const [g, group] of groups.entries()) {
    if (group.length === 0) throw new Error(`group ${g} is empty`);
    for (const i of group) if (seen[i]++ !== 0) throw new Error(`sample ${i} is in a second place, group ${g}`);
    for (const [k, bound] of bounds.entries()) {
      const sum = group.reduce((s, i) => s + BigInt(columns[k][i]), 0n);
      if (bound !== NONE && sum > BigInt(bound)) throw new Error(`group ${g} holds ${sum} of load ${k}`);
    }
  }
  for (const i of oversize) {
    if (seen[i]++ !== 0) throw new Error(`sample ${i} is in a second place, oversize`);
    if (bounds.every((bound, k) => columns[k][i] <= bound)) throw new Error(`sample ${i} is not oversize`);
  }
  const lost = seen.indexOf(0);
  if (lost !== -1) throw new Error(`sample ${lost} is nowhere`);
}

const bound = fc.oneof(
  fc.integer({ min: 1, max: 30 }),
  fc.integer({ min: 1, max: 20000 }),
  fc.integer({ min: 1, max: 2147483647 }),
  fc.integer({ min: 1, max: MOST }),
);

/** Samples of K loads, values from nothing to a little above the bound, with bounds; the first is never without. */
const problems = (maxLength: number) =>
  fc.array(bound, { minLength: 1, maxLength: 8 }).chain((bounds) =>
    fc.record({
      bounds: fc.constant(bounds),
      carried: fc.array(fc.boolean(), { minLength: bounds.length, maxLength: bounds.length }),
      columns: fc.tuple(
        ...bounds.map((b) =>
          fc.array(
            fc.oneof(fc.nat(b), fc.nat(Math.ceil(b / 4)), fc.nat(Math.min(MOST, Math.ceil(b * 1.05))), fc.constant(0)),
            { minLength: maxLength, maxLength },
          ),
        ),
      ),
      n: fc.nat(maxLength),
    }),
  );

/** A problem's columns: int32 where the values allow it and the load's place is even. */
function build(p: { bounds: number[]; carried: boolean[]; columns: number[][]; n: number }) {
  const columns = p.columns.map((c, k) => {
    const values = c.slice(0, p.n);
    return k % 2 === 0 && values.every((x) => x < 2 ** 31) ? Int32Array.from(values) : Float64Array.from(values);
  });
  return { columns, bounds: p.bounds.map((b, k) => (k > 0 && p.carried[k] ? NONE : b)) };
}

describe("loads", () => {
  test("the layout follows the bounds alone", () => {
    const layout = (...bounds: number[]) =>
      scoped(() =>
        abi.loadsLayout(
          pushLoads(
            bounds.map(() => Int32Array.of(1)),
            bounds,
          ),
        ),
      );
    expect(layout(9, 4096)).toBe(0);
    expect(layout(32767, 32767)).toBe(0);
    expect(layout(32768, 32767)).toBe(1);
    expect(layout(2 ** 31 - 1, 2 ** 31 - 1)).toBe(1);
    expect(layout(MOST)).toBe(1);
    expect(layout(MOST, MOST)).toBe(2);
    expect(layout(40000, 16384, 6800, 1e8)).toBe(2);
    expect(layout(MOST, 1, MOST, NONE, 2 ** 31)).toBe(3);
    expect(layout(...Array(8).fill(MOST))).toBe(3);
  });

  test("sums and the linear bound are exact beyond 64 bits, oversize samples left out", () => {
    scoped(() => {
      const n = 5000;
      const big = new Float64Array(n).fill(MOST);
      const small = new Int32Array(n).fill(3);
      small[7] = 11;
      const handle = pushLoads([big, small], [MOST, 10], 777);
      expect(abi.loadsOversizeCount(handle)).toBe(1);
      expect(abi.loadsLinearBound(handle)).toBe(n - 1);
      expect(abi.loadsTotal(handle, 0)).toBe(Number(BigInt(MOST) * BigInt(n - 1)));
      expect(abi.loadsTotal(handle, 1)).toBe(3 * (n - 1));
    });
  });

  test.each([
    ["negative", 1, Int32Array.of(1, -3)],
    ["negative double", 1, Float64Array.of(1, -3)],
    ["not whole", 1, Float64Array.of(1, 0.5)],
    ["above 2^53 - 1", 1, Float64Array.of(1, 2 ** 53)],
    ["no number", 1, Float64Array.of(1, Number.NaN)],
    ["infinite", 0, Float64Array.of(NONE, 1)],
  ])("a load that is %s is refused by index and column", (_, index, column) => {
    for (const columns of [
      [Int32Array.of(1, 1), column],
      [Int32Array.of(1, 1), column, Int32Array.of(1, 1)],
    ]) {
      scoped(() => {
        expect(() => pushLoads(columns, [5, 5, 5].slice(0, columns.length))).toThrow("status 18");
        expect([abi.errorIndex(), abi.loadsBadColumn()]).toEqual([index, 1]);
      });
    }
  });

  test("bounds and counts are checked", () => {
    const status = (n: number, bounds: number[]) =>
      scoped(() => (abi.loadsBegin(n, bounds.length, put(Float64Array.from(bounds))) === 0 ? abi.loadsStatus() : 0));
    expect(status(1, [1])).toBe(0);
    expect(status(-1, [1])).toBe(2);
    expect(status(1, [])).toBe(2);
    expect(status(1, Array(9).fill(1))).toBe(2);
    for (const wrong of [0, -1, 0.5, 2 ** 53, Number.NaN]) expect(status(1, [wrong])).toBe(2);
    expect(status(1, [NONE, NONE])).toBe(2);
    expect(status(1, [NONE, 5])).toBe(0);
    expect(status(2 ** 30, Array(8).fill(MOST))).toBe(1);
    scoped(() => {
      const handle = abi.loadsBegin(1, 1, put(Float64Array.of(4)));
      const columns = put(Uint32Array.of(put(Int32Array.of(1, 1))));
      expect(abi.loadsPush(handle, columns, 0, 2)).toBe(2);
      expect(abi.roundsBegin(handle, put(Float64Array.of(4)), 0)).toBe(0);
      expect(abi.roundsStatus()).toBe(2);
    });
  });

  test("columns are added up over groups, and a sum above 2^53 - 1 is refused", () => {
    scoped(() => {
      const order = put(Uint32Array.of(2, 0, 1, 3));
      const offsets = put(Uint32Array.of(0, 2, 2, 4));
      const out = abi.alloc(24) >>> 0;
      const sums = () => Array.from(new Float64Array(abi.memory.buffer, out, 3));
      check(abi.columnSums(put(Int32Array.of(1, 10, 100, 1000)), 0, order, offsets, 3, out));
      expect(sums()).toEqual([101, 0, 1010]);
      check(abi.columnSums(put(Float64Array.of(1, 10, MOST - 1, 1000)), 1, order, offsets, 3, out));
      expect(sums()).toEqual([MOST, 0, 1010]);
      expect(abi.columnSums(put(Float64Array.of(1, 10, 2, MOST)), 1, order, offsets, 3, out)).toBe(19);
      expect(abi.errorIndex()).toBe(2);
      expect(abi.columnSums(put(Int32Array.of(1, -10, 2, 3)), 0, order, offsets, 3, out)).toBe(18);
      expect(abi.errorIndex()).toBe(1);
    });
  });
});

describe("ISF with K loads", () => {
  const options = fc.record({
    rounds: fc.integer({ min: 1, max: 8 }),
    seed: fc.oneof(fc.nat(10), fc.integer({ min: 4294967290, max: 4294967295 })),
    shares: fc.array(fc.double({ min: -0.1, max: 1.1, noNaN: true }), { minLength: 8, maxLength: 8 }),
    never: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    piece: fc.integer({ min: 1, max: 400 }),
  });

  test("the groups of the plain version, all layouts, any pieces", () => {
    const layouts = new Set<number>();
    fc.assert(
      fc.property(problems(80), options, (problem, { shares, never, ...rest }) => {
        const { columns, bounds } = build(problem);
        const minima = bounds.map((b, k) =>
          never[k] || b === NONE ? NONE : Math.min(MOST, Math.floor(b * shares[k])),
        );
        const packed = packRounds(columns, { bounds, minima, ...rest });
        scoped(() => layouts.add(abi.loadsLayout(pushLoads(columns, bounds))));
        const groups = listed(packed);
        expect(groups).toEqual(plainRounds(columns, { bounds, minima, ...rest }));
        checkGroups(columns, bounds, groups, packed.oversize);
        for (const [k, sums] of packed.sums.entries()) {
          if (bounds[k] === NONE) continue;
          expect(Array.from(sums)).toEqual(groups.map((group) => group.reduce((s, i) => s + columns[k][i], 0)));
        }
      }),
      { numRuns: 600 },
    );
    expect(layouts).toEqual(new Set([0, 1, 2, 3]));
  });

  test("the same groups in every layout: wide loads that never bind change the words, not the groups", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(9), fc.nat(4096)), { maxLength: 300 }),
        fc.array(fc.constantFrom(2 ** 20, 2 ** 40, MOST), { maxLength: 6 }),
        fc.nat(1000),
        (pairs, wide, seed) => {
          const two = [Int32Array.from(pairs, (p) => p[0]), Int32Array.from(pairs, (p) => p[1])];
          const more = wide.map((b) => Float64Array.from(pairs, (_, i) => Math.floor(b / 300) - (i % 3)));
          const plain = { rounds: 6, seed };
          const expected = packRounds(two, { bounds: [9, 4096], minima: [9, 3968], ...plain });
          const packed = packRounds([...two, ...more], {
            bounds: [9, 4096, ...wide],
            minima: [9, 3968, ...wide.map(() => NONE)],
            ...plain,
          });
          expect(packed.order).toEqual(expected.order);
          expect(packed.offsets).toEqual(expected.offsets);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("with two loads it is what ISF for two loads makes", async () => {
    const omnibal = await load();
    for (const [name, maxVit, maxTokens, minTokens] of [
      ["tiled:30000", 9, 4096, 3968],
      ["uniform:30000", 5, 2048, 1920],
      ["uniform:30000", 70000, 2000000, 1900000],
    ] as const) {
      const { vit, tokens } = samples(name);
      const options = { maxVit, minVit: maxVit, maxTokens, minTokens, rounds: 50, seed: 1024 };
      const expected = omnibal.pack({ vit, tokens }, options);
      const packed = packRounds([vit, tokens], {
        bounds: [maxVit, maxTokens],
        minima: [maxVit, minTokens],
        rounds: 50,
        seed: 1024,
      });
      expect(packed.order).toEqual(Uint32Array.from(expected.indices));
      expect(packed.offsets.length).toBe(expected.length + 1);
      expect(Array.from(packed.sums[1])).toEqual(Array.from(expected.tokens));
      expect(packed.oversize).toEqual(Uint32Array.from(expected.oversize));
      expect(listed(packed)).toEqual(plainIsf({ vit, tokens }, options));
    }
  });

  test("too little memory is a status", () => {
    scoped(() => {
      const columns = [new Int32Array(100000).fill(1)];
      const handle = pushLoads(columns, [50]);
      const minima = put(Float64Array.of(50));
      abi.alloc(2 ** 32 - 64 - 500000 - (abi.mark() >>> 0));
      const top = abi.mark();
      expect(abi.roundsBegin(handle, minima, 1)).toBe(0);
      expect(abi.roundsStatus()).toBe(1);
      expect(abi.mark()).toBe(top);
    });
  });

  test("a status error names its number", () => expect(new StatusError(7).message).toBe("status 7"));
});
