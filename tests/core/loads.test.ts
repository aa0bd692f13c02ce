import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { native } from "../../bench/inputs.ts";
import {
  abi,
  boundsOf,
  type Column,
  check,
  packHandle,
  packLoads,
  packRounds,
  pushLoads,
  put,
  StatusError,
  scoped,
} from "../../bench/k-loads.ts";
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
        expect([abi.errorIndex(), abi.errorLoad()]).toEqual([index, 1]);
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

/** The fewest groups there can be, by trying every way: for a handful of samples. */
function fewest(columns: readonly Column[], bounds: readonly number[]): number {
  const fitting = Array.from(columns[0].keys()).filter((i) => columns.every((column, k) => column[i] <= bounds[k]));
  let best = fitting.length;
  const rooms: number[][] = [];
  const place = (at: number): void => {
    if (rooms.length >= best) return;
    if (at === fitting.length) {
      best = rooms.length;
      return;
    }
    const loads = columns.map((column) => column[fitting[at]]);
    for (const room of rooms) {
      if (loads.some((x, k) => x > room[k])) continue;
      for (const [k, x] of loads.entries()) room[k] -= x;
      place(at + 1);
      for (const [k, x] of loads.entries()) room[k] += x;
    }
    rooms.push(bounds.map((b, k) => b - loads[k]));
    place(at + 1);
    rooms.pop();
  };
  place(0);
  return best;
}

describe("packing with K loads", () => {
  const ways = ["any", "stream", "draw", undefined] as const;

  test("against trying everything: no bound above the fewest groups, no packing below, and mostly as few", () => {
    let more = 0;
    let all = 0;
    fc.assert(
      fc.property(problems(8), fc.nat(100), fc.constantFrom(...ways), (problem, seed, way) => {
        const { columns, bounds } = build(problem);
        const least = fewest(columns, bounds);
        const packed = packLoads(columns, { bounds, seed, ...(way === undefined ? {} : { way }) });
        const groups = listed(packed);
        checkGroups(columns, bounds, groups, packed.oversize);
        for (const [k, sums] of packed.sums.entries()) {
          if (bounds[k] === NONE) continue;
          expect(Array.from(sums)).toEqual(groups.map((group) => group.reduce((s, i) => s + columns[k][i], 0)));
        }
        const { best, ...found } = scoped(() => boundsOf(pushLoads(columns, bounds)));
        for (const value of Object.values(found)) expect(value).toBeLessThanOrEqual(least);
        expect(Math.max(...Object.values(found))).toBe(found[best as keyof typeof found]);
        expect(groups.length).toBeGreaterThanOrEqual(least);
        all += least;
        more += groups.length - least;
      }),
      { numRuns: 1500 },
    );
    expect(more / all).toBeLessThan(0.03);
  });

  const large = fc.record({
    n: fc.integer({ min: 200, max: 2000 }),
    seed: fc.nat(1000),
    way: fc.constantFrom("any", "stream", "draw"),
    set: fc.nat(20),
  });

  test("every sample once, all bounds hold, on sets of some thousands", () => {
    fc.assert(
      fc.property(large, fc.integer({ min: 1, max: 8 }), ({ n, seed, way, set }, k) => {
        const loads = Object.values(native(n, set + 1));
        const columns = Array.from({ length: k }, (_, i) => loads[(i + set) % loads.length]);
        // From bounds that most samples just fit to some that take a hundred of them.
        const bounds = columns.map((c, i) => 1 + Math.floor(Math.max(...c) * (0.7 + ((i + set) % 5))));
        const packed = packLoads(columns, { bounds, seed, way: way as "any" });
        checkGroups(columns, bounds, listed(packed), packed.oversize);
        expect(listed(packed).flat().length + packed.oversize.length).toBe(columns[0].length);
      }),
      { numRuns: 40 },
    );
  });

  test("the same groups in every layout: loads that are always 0 change the words, not the groups", () => {
    fc.assert(
      fc.property(large, ({ n, seed, way, set }) => {
        const { patches, tokens, audio } = native(n, set + 1);
        for (const [columns, bounds] of [
          [
            [patches, tokens],
            [40000, 16384],
          ],
          [
            [patches, tokens],
            [12000, 4096],
          ],
          [[tokens], [16384]],
          [
            [patches, tokens, audio],
            [40000, 16384, 6800],
          ],
        ] as const) {
          const expected = packLoads(columns, { bounds, seed, way: way as "any" });
          for (const more of [[2 ** 20], [MOST], [MOST, MOST], [5, 2 ** 33, MOST, 7, MOST]]) {
            const packed = packLoads([...more.map(() => new Int32Array(n)), ...columns], {
              bounds: [...more, ...bounds],
              seed,
              way: way as "any",
            });
            expect(packed.order).toEqual(expected.order);
            expect(packed.offsets).toEqual(expected.offsets);
          }
        }
      }),
      { numRuns: 6 },
    );
  });

  test("loads without a bound change nothing", () => {
    const { patches, tokens, labels } = native(3000, 5);
    const expected = packLoads([patches, tokens], { bounds: [40000, 16384] });
    const packed = packLoads([labels, patches, labels, tokens], { bounds: [NONE, 40000, NONE, 16384] });
    expect(packed.order).toEqual(expected.order);
    expect(packed.offsets).toEqual(expected.offsets);
  });

  test("bounds beyond 2^30 are scaled, and samples of a half or a third of them still fill groups", () => {
    for (const part of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) {
      const bound = part * 750_599_937_895;
      const columns = [new Float64Array(part * 500).fill(bound / part), new Int32Array(part * 500).fill(1)];
      const packed = packLoads(columns, { bounds: [bound, 4000] });
      expect([part, packed.offsets.length - 1]).toEqual([part, 500]);
    }
    const { tokens, tokenAttention, patches } = native(3000, 3);
    const wide = tokenAttention.map((x) => x * 1e7 + 12345);
    const bounds = [40000, 16384, 1e15];
    const packed = packLoads([patches, tokens, wide], { bounds });
    checkGroups([patches, tokens, wide], bounds, listed(packed), packed.oversize);
    const near = packLoads([patches, tokens, tokenAttention], { bounds: [40000, 16384, 1e8] });
    expect(Math.abs(packed.offsets.length - near.offsets.length)).toBeLessThanOrEqual(2);
  });

  test("the same call, the same bytes; another seed, others; two packings at once do not mix", () => {
    const { patches, tokens, audio } = native(20_000, 2);
    const a = { columns: [patches, tokens, audio], bounds: [40000, 16384, 6800] };
    const b = { columns: [patches, tokens], bounds: [65536, 16384] };
    const packed = [a, b].map(({ columns, bounds }) => packLoads(columns, { bounds, seed: 7, way: "any" }));
    expect(packLoads(a.columns, { bounds: a.bounds, seed: 7, way: "any" })).toEqual(packed[0]);
    expect(packLoads(a.columns, { bounds: a.bounds, seed: 8, way: "any" }).order).not.toEqual(packed[0].order);
    scoped(() => {
      const handles = [a, b].map(({ columns, bounds }) => abi.steeredBegin(pushLoads(columns, bounds), 7, 1, 0));
      let left = handles.map(() => 1);
      while (left.some((x) => x > 0)) left = handles.map((handle) => abi.steeredStep(handle));
      for (const [i, handle] of handles.entries()) {
        const groups = abi.steeredGroups(handle);
        const ends = new Uint32Array(abi.memory.buffer, abi.steeredOffsets(handle) >>> 0, groups + 1).slice();
        expect(ends).toEqual(packed[i].offsets);
        const order = new Uint32Array(abi.memory.buffer, abi.steeredOrder(handle) >>> 0, ends[groups]).slice();
        expect(order).toEqual(packed[i].order);
      }
    });
  });

  test("native resolution: near the bound and well mixed", () => {
    const { patches, tokens, audio, tokenAttention, labels } = native(60_000, 11);
    const over = (columns: Column[], bounds: number[]) =>
      scoped(() => {
        const loads = pushLoads(columns, bounds);
        const { linear } = boundsOf(loads);
        const packed = packHandle(loads, { bounds, seed: 3 });
        return { over: (packed.offsets.length - 1) / linear - 1, mix: packed.mixOf(1) };
      });
    const one = over([patches, tokens], [65536, 16384]);
    expect(one.over).toBeLessThan(0.001);
    expect(one.mix).toBeGreaterThan(0.95);
    const two = over([patches, tokens], [40000, 16384]);
    expect(two.over).toBeLessThan(0.0042);
    expect(two.mix).toBeGreaterThan(0.85);
    const small = over([patches, tokens], [12000, 4096]);
    expect(small.over).toBeLessThan(0.004);
    expect(small.mix).toBeGreaterThan(0.9);
    const five = over([patches, tokens, audio, tokenAttention, labels], [40000, 16384, 7200, 4e7, 3200]);
    expect(five.over).toBeLessThan(0.016);
  });

  test("two loads of which one is coarse are packed as before", async () => {
    const omnibal = await load();
    const { vit, tokens } = samples("tiled:30000");
    for (const columns of [
      [vit, tokens],
      [tokens, vit],
    ]) {
      const packed = packLoads(columns, { bounds: columns[0] === vit ? [9, 4096] : [4096, 9] });
      const before = omnibal.pack({ vit, tokens }, { method: "balanced", maxVit: 9, maxTokens: 4096 });
      expect(packed.offsets.length - 1).toBe(before.length);
      expect(packed.order).toEqual(Uint32Array.from(before.indices));
    }
  });

  test("nothing, samples of nothing, and samples that fit nowhere", () => {
    for (const way of ways) {
      const options = way === undefined ? {} : { way };
      const of = (values: number[]) =>
        packLoads([Int32Array.from(values), Int32Array.from(values)], { bounds: [10, 20], ...options });
      expect(Array.from(of([]).offsets)).toEqual([0]);
      expect(Array.from(of([0, 0, 0]).offsets)).toEqual([0, 3]);
      expect(Array.from(of([11, 11]).oversize)).toEqual([0, 1]);
      expect(Array.from(of([11, 11]).offsets)).toEqual([0]);
      expect(of([10, 10, 11, 10]).offsets.length).toBe(4);
    }
  });

  test("arguments", () => {
    scoped(() => {
      const full = pushLoads([Int32Array.of(1)], [5]);
      const empty = abi.loadsBegin(1, 1, put(Float64Array.of(5)));
      for (const [loads, effort] of [
        [full, -1],
        [full, 4],
        [empty, 1],
      ]) {
        const top = abi.mark();
        expect(abi.steeredBegin(loads, 0, effort, 0)).toBe(0);
        expect(abi.steeredStatus()).toBe(2);
        expect(abi.packerBegin(loads, 0, effort)).toBe(0);
        expect(abi.packerStatus()).toBe(2);
        expect(abi.mark()).toBe(top);
      }
    });
  });

  test("too little memory is a status at every point, and the same groups where it is enough", async () => {
    const { abi: raw } = await load();
    const own = raw as unknown as typeof abi;
    const { patches, tokens } = native(50_000, 4);
    const n = patches.length;
    const place = (values: Float64Array | Uint32Array) => {
      const at = own.alloc(values.byteLength) >>> 0;
      new Uint8Array(own.memory.buffer, at, values.byteLength).set(new Uint8Array(values.buffer));
      return at;
    };
    for (const bounds of [
      [40000, 16384],
      [60000, 32768],
    ]) {
      const start = own.mark();
      const loads = own.loadsBegin(n, 2, place(Float64Array.from(bounds)));
      const columns = place(Uint32Array.of(place(patches), place(tokens)));
      expect(own.loadsPush(loads, columns, 3, n)).toBe(0);
      const top = own.mark();
      const run = (room: number): number => {
        // All of the memory but so much.
        if (room > 0 && own.alloc(2 ** 32 - 64 - room - (top >>> 0)) === 0) return 0;
        const packer = own.packerBegin(loads, 1, 1);
        let left = packer === 0 ? -own.packerStatus() : 1;
        while (left > 0) left = own.packerStep(packer);
        const groups = left === 0 ? own.packerGroups(packer) : left;
        expect([0, 1]).toContain(own.boundsFind(loads));
        own.release(top);
        return groups;
      };
      const enough = run(0);
      const outcomes = Array.from({ length: 16 }, (_, k) => run(2 ** 18 * (k + 1)));
      const first = outcomes.indexOf(enough);
      expect(first).toBeGreaterThan(3);
      expect(new Set(outcomes.slice(0, first))).toEqual(new Set([-1]));
      expect(new Set(outcomes.slice(first))).toEqual(new Set([enough]));
      own.release(start);
    }
  });

  test("long inputs go through in parts: nothing is lost between them, and large samples come to an end", () => {
    const n = 1_200_000;
    const next = (x: number) => (Math.imul(x, 1103515245) + 12345) >>> 0;
    const values = new Int32Array(n);
    let state = 7;
    for (let i = 0; i < n; i++) {
      state = next(state);
      values[i] = state >>> 22;
    }
    // Of 0 .. 1023, so 8 or 1.5 of them to a group.
    for (const [bound, over] of [
      [4096, 1.0005],
      [1200, 1.01],
    ]) {
      scoped(() => {
        const loads = pushLoads([values], [bound]);
        const { order, offsets } = packHandle(loads, { bounds: [bound], effort: 0 });
        const seen = new Uint8Array(n);
        for (let g = 0; g + 1 < offsets.length; g++) {
          let sum = 0;
          for (let at = offsets[g]; at < offsets[g + 1]; at++) {
            seen[order[at]]++;
            sum += values[order[at]];
          }
          if (sum > bound) throw new Error(`group ${g} holds ${sum}`);
        }
        expect([order.length, seen.every((times) => times === 1)]).toEqual([n, true]);
        expect((offsets.length - 1) / boundsOf(loads).linear).toBeLessThan(over);
      });
    }
  });

  test("three loads of which a tight one is coarse: 3 and 5 tiles that fill 28 only just so", () => {
    const n = 20_000;
    const next = (x: number) => (Math.imul(x, 1103515245) + 12345) >>> 0;
    const columns = [new Int32Array(n), new Int32Array(n), new Int32Array(n)];
    for (let i = 0, x = 3; i < n; i++) {
      x = next(x);
      const tiles = x >>> 24 < 148 ? 3 : 5;
      x = next(x);
      const tokens = 256 * tiles + 60 + (x >>> 25);
      for (const [k, load] of [tiles, tokens, tokens ** 2].entries()) columns[k][i] = load;
    }
    const bounds = [28, 8192, 1.4e7];
    const packed = packLoads(columns, { bounds });
    checkGroups(columns, bounds, listed(packed), packed.oversize);
    const steered = packLoads(columns, { bounds, way: "any" });
    const { linear } = scoped(() => boundsOf(pushLoads(columns, bounds)));
    expect(steered.offsets.length - 1).toBeGreaterThan(linear * 1.005);
    expect(packed.offsets.length - 1).toBeLessThan(linear * 1.002);
  });

  test("progress only goes down, to the end", () => {
    scoped(() => {
      const { patches, tokens } = native(20_000, 6);
      for (const bounds of [
        [40000, 16384],
        [60000, 32768],
        [65536, 16384],
      ]) {
        const packer = abi.packerBegin(pushLoads([patches, tokens], bounds), 1, 2);
        const seen: number[] = [];
        while (seen.at(-1) !== 0) seen.push(abi.packerStep(packer));
        expect(seen.length).toBeGreaterThan(2);
        expect(seen).toEqual(seen.toSorted((a, b) => b - a));
        expect(seen.at(-1)).toBe(0);
      }
    });
  });

  describe("sets that a version of the packer fell for", () => {
    /** Columns of loads made of random numbers below 1, `words` of them a sample. */
    const columnsOf = (n: number, words: number, of: (word: (j: number) => number) => number[]) => {
      let state = 12345;
      const rows = Array.from({ length: n }, () => {
        const drawn = Array.from({ length: words }, () => {
          state ^= state << 13;
          state ^= state >>> 17;
          state ^= state << 5;
          return (state >>> 0) / 2 ** 32;
        });
        return of((j) => drawn[j]);
      });
      return rows[0].map((_, k) => Int32Array.from(rows, (row) => row[k]));
    };
    const overBest = (columns: Column[], bounds: number[], way?: "draw") =>
      scoped(() => {
        const loads = pushLoads(columns, bounds);
        const packed = packHandle(loads, way === undefined ? { bounds } : { bounds, way });
        checkGroups(columns, bounds, listed(packed), packed.oversize);
        const { best, ...found } = boundsOf(loads);
        return (packed.offsets.length - 1) / found[best as "linear"];
      });

    test("a load that is mostly 0 stands before the binding one, which is coarse: groups were closed nearly empty", () => {
      const columns = columnsOf(20_000, 4, (u) => [
        u(0) < 0.7 ? 0 : Math.floor(900 * u(1)),
        1 + 100 * Math.floor(8 * u(2)),
        Math.floor(300 / (0.2 + Math.exp(4 * u(3) - 2))),
      ]);
      const sums = columns.map((c) => c.reduce((a, b) => a + b));
      const bounds = sums.map((sum, k) => Math.ceil((sum / 450) * [1, 0.9995, 1.06][k]));
      expect(overBest(columns, bounds)).toBeLessThan(1.01);
    });

    test("more samples above half of one of two bounds than groups: those of different bounds do go together", () => {
      const { vit, tokens } = samples("uniform:40000");
      expect(overBest([vit, tokens], [9, 4096], "draw")).toBeLessThan(1.02);
    });

    test("one load, half of it above half of the bound: best fit is better than any draw", () => {
      const columns = columnsOf(20_000, 2, (u) => [u(0) < 0.7 ? 0 : Math.floor(900 * u(1))]);
      expect(overBest(columns, [880])).toBeLessThan(1.004);
    });

    test("groups of fewer than two samples: a stream of them in parts did not end", () => {
      const columns = columnsOf(1_100_000, 1, (u) => [600 + Math.floor(300 * u(0))]);
      scoped(() => {
        const { offsets } = packHandle(pushLoads(columns, [1000]), { bounds: [1000], way: "any", effort: 0 });
        expect(offsets.length - 1).toBe(1_100_000);
      });
    });
  });
});
