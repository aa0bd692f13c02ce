import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Abi, EngineError, load, type Packing } from "../../src/index.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const bounds = { maxVit: 9, maxTokens: 4096 };

function text(packing: Packing, format: "json" | "jsonl" | "head"): string {
  return Buffer.concat([...omnibal.packingText(packing, format)]).toString();
}

function plainGroups(packing: Packing): number[][] {
  return Array.from(packing, (group) => Array.from(group));
}

/** over / under with six decimals, rounded half up, by exact arithmetic. */
function ratio(over: bigint, under: bigint): string {
  const millionths = (over * 2000000n + under) / (under * 2n);
  return `${millionths / 1000000n}.${String(millionths % 1000000n).padStart(6, "0")}`;
}

const sum = (values: Int32Array) => values.reduce((total, value) => total + BigInt(value), 0n);

/** Puts loads as textBegin takes them into 128 bytes at `at`: pointers to sums, names, and bounds from byte 88 on. */
function put(abi: Abi, at: number, sums: readonly number[], names: readonly string[], bounds: readonly number[]) {
  const { buffer } = abi.memory;
  const text = new TextEncoder().encode(names.join(""));
  new Uint32Array(buffer, at, sums.length).set(sums);
  new Uint32Array(buffer, at + 16, names.length).set(names.map((name) => name.length));
  new Uint8Array(buffer, at + 32, text.length).set(text);
  new Float64Array(buffer, at + 88, bounds.length).set(bounds);
  return [at, 4, at + 32, at + 16, names.length] as const;
}

const small = { vit: [5, 0, 9, 12, 4], tokens: [2000, 1558, 93, 93, 5000] };
const made =
  '"made":{"version":1,"samples":5,"loads":{"vit":"6482fee4565e904f","tokens":"0e7657174019b4cb"},"bounds":{"vit":9,' +
  '"tokens":4096},"method":"isf","seed":1024,"min":{"vit":9,"tokens":3968},"rounds":50,"packing":"05e7f42f3e8a5159"}';
const stats =
  '"stats":{"groups":2,"samples":3,"oversize":2,"bound":2,"fillVit":0.777778,"fillTokens":0.445679,' +
  '"samplesPerGroup":1.500000,"rounds":50,"mix":0.098038}';

describe("a packing as text", () => {
  test("json, to the byte", () => {
    expect(text(omnibal.pack(small, bounds), "json")).toBe(
      `{"groups":[[2],[0,1]],"oversize":[3,4],${stats},${made}}\n`,
    );
    expect(text(omnibal.pack(small, bounds), "head")).toBe(`{${stats},${made}}\n`);
  });

  test("jsonl, to the byte", () => {
    expect(text(omnibal.pack(small, bounds), "jsonl")).toBe(
      `{${made},"groups":2}\n{"group":[2],"vit":9,"tokens":93}\n{"group":[0,1],"vit":5,"tokens":3558}\n{"oversize":[3,4]}\n`,
    );
  });

  test("of nothing", () => {
    const empty = omnibal.pack([], bounds);
    const made = omnibal.made(empty);
    expect(made).toMatchObject({ samples: 0, loads: { vit: "0".repeat(16) }, packing: "0".repeat(16) });
    const { fill, ...stats } = empty.stats;
    expect(fill).toEqual({ vit: 0, tokens: 0 });
    expect(JSON.parse(text(empty, "json"))).toEqual({ groups: [], oversize: [], stats, made });
    expect(text(empty, "jsonl")).toBe(`${JSON.stringify({ made, groups: 0 })}\n`);
  });

  test("of samples that are all oversize, more than one piece of them", () => {
    const n = 30000;
    const packing = omnibal.pack({ vit: new Int32Array(n).fill(10), tokens: new Int32Array(n) }, bounds);
    const indices = Array.from({ length: n }, (_, i) => i);
    expect(JSON.parse(text(packing, "json"))).toMatchObject({ groups: [], oversize: indices });
    const head = JSON.stringify({ made: omnibal.made(packing), groups: 0 });
    expect(text(packing, "jsonl")).toBe(`${head}\n${JSON.stringify({ oversize: indices })}\n`);
  });

  test("in many pieces, of 64 KB at most", () => {
    const packing = omnibal.pack(samples("tiled:200000"), bounds);
    const pieces = [...omnibal.packingText(packing, "json")];
    expect(pieces.length).toBeGreaterThan(15);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(65536);
    expect(JSON.parse(Buffer.concat(pieces).toString()).groups).toEqual(plainGroups(packing));
  });

  test("parsed it is the packing, and its ratios are rounded as exact arithmetic rounds them", () => {
    const load32 = fc.oneof(fc.nat(12), fc.nat(5000), fc.nat(2147483647));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(load32, load32), { maxLength: 200 }),
        fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2147483647 })),
        fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 2147483647 })),
        (loads, maxVit, maxTokens) => {
          const input = { vit: loads.map((l) => l[0]), tokens: loads.map((l) => l[1]) };
          const packing = omnibal.pack(input, { maxVit, maxTokens, rounds: 3 });
          const json = text(packing, "json");
          const groups = plainGroups(packing);
          const oversize = Array.from(packing.oversize);
          expect(JSON.parse(json)).toMatchObject({ groups, oversize });
          const count = BigInt(Math.max(packing.length, 1));
          expect(json).toContain(`"fillVit":${ratio(sum(packing.vit), count * BigInt(maxVit))},`);
          expect(json).toContain(`"fillTokens":${ratio(sum(packing.tokens), count * BigInt(maxTokens))},`);
          expect(json).toContain(`"samplesPerGroup":${ratio(BigInt(packing.indices.length), count)},`);
          const lines = text(packing, "jsonl").split("\n").slice(0, -1);
          const expected: object[] = [{ made: omnibal.made(packing), groups: packing.length }];
          for (const [g, group] of groups.entries()) {
            expected.push({ group, vit: packing.vit[g], tokens: packing.tokens[g] });
          }
          if (oversize.length > 0) expected.push({ oversize });
          expect(lines.map((line) => JSON.parse(line))).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("numbers of every length up to ten digits", () => {
    const { abi } = omnibal;
    const values = [0, 9, 10, 99, 100, 999, 1000, 9999, 10000, 99999, 100000, 999999, 1000000, 9999999, 10000000];
    values.push(99999999, 100000000, 999999999, 1000000000, 4294967295);
    const top = abi.mark();
    const at = abi.alloc(4096) >>> 0;
    new Uint32Array(abi.memory.buffer, at, values.length).set(values);
    // One group of all of them, as a host other than the facade would write it.
    const offsets = at + 1024;
    new Uint32Array(abi.memory.buffer, offsets, 2).set([0, values.length]);
    const sums = at + 1040;
    new Uint32Array(abi.memory.buffer, sums, 1).set([7]);
    const loads = put(abi, at + 1120, [sums, sums], ["vit", "tokens"], [9, 9]);
    expect(abi.textBegin(0, offsets, at, ...loads, 1, at, 0, 0, 0, at + 1208, 1, 1, 0.1234565, 0, 0)).toBe(0);
    const size = abi.textWrite(at + 2048, 2048);
    const json = Buffer.from(abi.memory.buffer, at + 2048, size).toString();
    expect(abi.textWrite(at + 2048, 2048)).toBe(0);
    expect(JSON.parse(json).groups).toEqual([values]);
    expect(json).toContain(`"mix":0.123457}`);
    abi.release(top);
  });

  test("loads of other names have keys of their own", () => {
    const { abi } = omnibal;
    const top = abi.mark();
    const at = abi.alloc(8192) >>> 0;
    const { buffer } = abi.memory;
    new Uint32Array(buffer, at + 1024, 3).set([0, 2, 3]);
    new Uint32Array(buffer, at + 1040, 3).set([2, 0, 1]);
    for (const width of [4, 8]) {
      const Sums = width === 4 ? Uint32Array : Float64Array;
      const most = width === 4 ? 4294967295 : Number.MAX_SAFE_INTEGER;
      new Sums(buffer, at + 1056, 2).set([7, 9]);
      new Sums(buffer, at + 1072, 2).set([most, 0]);
      new Sums(buffer, at + 1088, 2).set([1, 2]);
      const sums = [at + 1056, at + 1072, at + 1088];
      const bounds = [10, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY];
      const [columns, , names, lengths, k] = put(abi, at, sums, ["a", 'b"', "d"], bounds);
      const write = (format: number) => {
        const status = abi.textBegin(
          ...([format, at + 1024, at + 1040, columns, width, names, lengths, k] as const),
          ...([2, 0, 0, 0, 0, at + 88, 2, 3, -1, 0, 0] as const),
        );
        expect(status).toBe(0);
        return Buffer.from(buffer, at + 2048, abi.textWrite(at + 2048, 4096)).toString();
      };
      expect(write(1)).toBe(
        `{"groups":2}\n{"group":[2,0],"loads":{"a":7,"b\\"":${most},"d":1}}\n{"group":[1],"loads":{"a":9,"b\\"":0,"d":2}}\n`,
      );
      const { stats } = JSON.parse(write(0));
      expect(stats.fill).toEqual({ a: 0.8, 'b"': width === 4 ? 0 : 0.5, d: null });
      expect(Object.keys(stats)).toEqual([
        "groups",
        "samples",
        "oversize",
        "bound",
        "fill",
        "samplesPerGroup",
        "rounds",
        "mix",
      ]);
    }
    abi.release(top);
  });

  test("statistics of loads of other names, one and eight of them", () => {
    const { abi } = omnibal;
    const top = abi.mark();
    const at = abi.alloc(16384) >>> 0;
    const { buffer } = abi.memory;
    new Int32Array(buffer, at + 1024, 5).set(small.vit);
    const { vit } = omnibal.stats(small);
    for (const k of [1, 8]) {
      const names = Array.from({ length: k }, (_, j) => `load ${j}`);
      new Uint32Array(buffer, at, k).fill(at + 1024);
      new Uint32Array(buffer, at + 64, k).fill(6);
      new Uint8Array(buffer, at + 128, 6 * k).set(new TextEncoder().encode(names.join("")));
      expect(abi.statsLook(at, 0, at + 128, at + 64, k, 5, 0)).toBe(0);
      const text = Buffer.from(buffer, at + 2048, abi.statsWrite(at + 2048, 8192)).toString();
      expect(JSON.parse(text)).toEqual({ samples: 5, loads: Object.fromEntries(names.map((name) => [name, vit])) });
    }
    new Int32Array(buffer, at + 1032, 1).set([-1]);
    expect(abi.statsLook(at, 0, at + 128, at + 64, 8, 5, 0)).toBe(18);
    expect([abi.errorIndex(), abi.errorLoad()]).toEqual([2, 0]);
    abi.release(top);
  });

  test("what the core refuses", () => {
    const { abi } = omnibal;
    const top = abi.mark();
    const at = abi.alloc(128) >>> 0;
    const loads = put(abi, at, [0, 0], ["vit", "tokens"], [9, 9]);
    const bounds = at + 88;
    expect(abi.textBegin(3, 0, 0, ...loads, 0, 0, 0, 0, 0, bounds, 0, 0, -1, 0, 0)).toBe(2);
    expect(abi.textBegin(0, 0, 0, ...loads, -1, 0, 0, 0, 0, bounds, 0, 0, -1, 0, 0)).toBe(2);
    expect(abi.textBegin(0, 0, 0, ...loads, 0, 0, 0, 0, 0, bounds, 0, 0, Number.NaN, 0, 0)).toBe(2);
    const [columns, , names, lengths] = loads;
    expect(abi.textBegin(0, 0, 0, columns, 4, names, lengths, 0, 0, 0, 0, 0, 0, bounds, 0, 0, -1, 0, 0)).toBe(2);
    expect(abi.textBegin(0, 0, 0, columns, 4, names, lengths, 9, 0, 0, 0, 0, 0, bounds, 0, 0, -1, 0, 0)).toBe(2);
    expect(abi.textBegin(0, 0, 0, columns, 5, names, lengths, 2, 0, 0, 0, 0, 0, bounds, 0, 0, -1, 0, 0)).toBe(2);
    for (const bound of [0, -1, Number.NaN]) {
      put(abi, at, [0, 0], ["vit", "tokens"], [bound, 9]);
      expect(abi.textBegin(0, 0, 0, ...loads, 0, 0, 0, 0, 0, bounds, 0, 0, -1, 0, 0)).toBe(2);
    }
    abi.release(top);
    expect(abi.textWrite(0, 767)).toBe(-2);
    expect(abi.statsWrite(0, 4095)).toBe(-2);
    expect(abi.statsLook(0, 0, 0, 0, 2, -1, 0)).toBe(2);
    expect(abi.statsLook(0, 0, 0, 0, 0, 1, 0)).toBe(2);
    expect(abi.statsLook(0, 0, 0, 0, 9, 1, 0)).toBe(2);
  });

  test("the instance is at work until the text is drained or left", () => {
    const packing = omnibal.pack(samples("tiled:20000"), bounds);
    const pieces = omnibal.packingText(packing, "json");
    pieces.next();
    expect(() => omnibal.pack(small, bounds)).toThrow(EngineError);
    pieces.return();
    expect(omnibal.pack(small, bounds).length).toBe(2);
  });
});

describe("figures of samples", () => {
  const load32 = fc.oneof(fc.nat(12), fc.nat(5000), fc.nat(200000), fc.nat(2147483647));

  test("percentiles are those of a sort, by nearest rank; bins hold every sample once", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(load32, load32), { minLength: 1, maxLength: 300 }), (loads) => {
        const input = { vit: Int32Array.from(loads, (l) => l[0]), tokens: Int32Array.from(loads, (l) => l[1]) };
        const stats = omnibal.stats(input);
        for (const field of ["vit", "tokens"] as const) {
          const sorted = input[field].toSorted();
          const rank = (p: number) => sorted[Math.max(Math.ceil((p * sorted.length) / 100), 1) - 1];
          expect(stats[field]).toMatchObject({
            sum: Number(sum(input[field])),
            ...{ min: rank(0), p1: rank(1), p5: rank(5), p25: rank(25), p50: rank(50) },
            ...{ p75: rank(75), p95: rank(95), p99: rank(99), max: rank(100) },
          });
        }
        expect(omnibal.statsText(input)).toContain(`"mean":${ratio(sum(input.vit), BigInt(loads.length))},`);
        const { vitHistogram } = stats;
        expect(vitHistogram.length).toBeLessThanOrEqual(20);
        for (const { from, to, samples: count, meanTokens } of vitHistogram) {
          const inside = loads.filter(([vit]) => vit >= from && vit <= to);
          expect(count).toBe(inside.length);
          if (count === 0) expect(meanTokens).toBeNull();
          else expect(meanTokens).toBeCloseTo(inside.reduce((total, [, t]) => total + t, 0) / count, 5);
        }
        expect(vitHistogram.reduce((total, bin) => total + bin.samples, 0)).toBe(loads.length);
      }),
      { numRuns: 200 },
    );
  });

  test("bins are 1, 2, 5, 10, ... tiles wide", () => {
    const width = (most: number) => {
      const [first] = omnibal.stats({ vit: [most], tokens: [1] }).vitHistogram;
      return first.to - first.from + 1;
    };
    expect([0, 19, 20, 39, 40, 99, 100, 199, 200].map(width)).toEqual([1, 1, 2, 2, 5, 5, 10, 10, 20]);
    expect(width(2147483647)).toBe(200000000);
  });

  test("of nothing: null, not 0", () => {
    expect(omnibal.stats([])).toMatchObject({
      samples: 0,
      vit: { sum: 0, mean: null, min: null, p50: null, max: null },
      tokensPerTile: null,
      vitHistogram: [],
    });
    expect(omnibal.stats({ vit: [0], tokens: [5] }).tokensPerTile).toBeNull();
  });

  test("a negative length is named", () => {
    expect(() => omnibal.stats({ vit: Int32Array.of(1, 1), tokens: Int32Array.of(1, -3) })).toThrow(
      "index 1: tokens is -3, expected a whole number from 0 to 9007199254740991",
    );
  });
});
