// Fingerprints against their definition in docs/formats.md: in BigInt here, in numpy as that page has it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { load, Packing } from "../../src/index.ts";
import { python, pythonMissing } from "../hosts/wasmtime.ts";
import { whenThere } from "../hosts/when-there.ts";
import { M32, mix32 } from "../mix32.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const { abi } = omnibal;
const bounds = { maxVit: 9, maxTokens: 4096 };

function mix(key: bigint, value: bigint): bigint {
  const [k0, k1, v0, v1] = [key & M32, key >> 32n, value & M32, value >> 32n];
  const h = mix32(mix32(k1 ^ 0x9e3779b9n) ^ v1);
  return (mix32(mix32(k0 ^ h) ^ v0) << 32n) + mix32(mix32(v0 ^ mix32(h)) ^ k0);
}

const hex = (sum: bigint) => BigInt.asUintN(64, sum).toString(16).padStart(16, "0");

/** By the definition. */
function plain(pairs: Iterable<readonly [key: bigint, value: number]>): string {
  let sum = 0n;
  for (const [key, value] of pairs) sum += mix(key, BigInt(value));
  return hex(sum);
}

function plainPacking(packing: Packing): string {
  const inGroups = Array.from(packing, (group, g) => Array.from(group, (i) => [BigInt(g), i] as const)).flat();
  return plain([...inGroups, ...Array.from(packing.oversize, (i) => [2n ** 64n - 1n, i] as const)]);
}

/** By the core, of the samples from `first` on. */
function ofLoad(values: readonly number[], first = 0): bigint {
  const top = abi.mark();
  const at = abi.alloc(values.length * 4) >>> 0;
  new Int32Array(abi.memory.buffer, at, values.length).set(values);
  const sum = abi.loadFingerprint(at, values.length, first);
  abi.release(top);
  return sum;
}

const loads = fc.array(fc.oneof(fc.nat(20), fc.nat(2147483647)), { maxLength: 1500 });
const firsts = fc.oneof(
  fc.constant(0),
  fc.nat(2 ** 31 - 1),
  fc.integer({ min: 2 ** 32 - 700, max: 2 ** 32 + 700 }),
  fc.integer({ min: 2 ** 40, max: 2 ** 53 - 1 - 1500 }),
);

describe("of a load", () => {
  test("is the sum that docs/formats.md defines, for any loads and places, beyond 2^32 too", () => {
    fc.assert(
      fc.property(loads, firsts, (values, first) => {
        const expected = plain(values.map((value, k) => [BigInt(first + k), value]));
        expect(hex(ofLoad(values, first))).toBe(expected);
      }),
      { numRuns: 60 },
    );
  });

  test("vectors", () => {
    expect(hex(ofLoad([5, 0, 9, 12, 4]))).toBe("6482fee4565e904f");
    expect(hex(ofLoad([2147483647, 0, 1], 2 ** 32 - 2))).toBe("a62a92a4c654b50f");
    expect(hex(ofLoad([]))).toBe("0000000000000000");
    expect(mix(2n ** 53n - 1n, 2n ** 53n - 1n).toString(16)).toBe("492e8f7a0967a3c6");
  });

  test("parts add up", () => {
    const values = Array.from(samples("tiled:20000").tokens);
    const cuts = [0, 1, 513, 513, 7000, 19999, 20000];
    const parts = cuts.slice(1).map((to, k) => ofLoad(values.slice(cuts[k], to), cuts[k]));
    expect(hex(parts.reduce((sum, part) => sum + part, 0n))).toBe(hex(ofLoad(values)));
  });

  test("a value that changes, two that change places, one more or less: another one", () => {
    const values = Array.from(samples("tiled:1000").vit);
    const seen = new Set([hex(ofLoad(values))]);
    const count = () => seen.size;
    for (let i = 0; i < 1000; i++) {
      const before = count();
      seen.add(hex(ofLoad(values.toSpliced(i, 1, values[i] + 1))));
      expect(count()).toBe(before + 1);
    }
    for (let i = 1; i < 1000; i++) {
      if (values[i] === values[i - 1]) continue;
      const before = count();
      seen.add(hex(ofLoad(values.toSpliced(i - 1, 2, values[i], values[i - 1]))));
      expect(count()).toBe(before + 1);
    }
    seen.add(hex(ofLoad(values.toReversed())));
    seen.add(hex(ofLoad([...values, 0])));
    seen.add(hex(ofLoad([0, ...values])));
    seen.add(hex(ofLoad(values.slice(0, -1))));
    expect(count()).toBeGreaterThan(1400);
    // All zeros are not nothing.
    expect(hex(ofLoad([0, 0]))).not.toBe(hex(ofLoad([0])));
  });
});

describe("of a packing", () => {
  test("is the sum that docs/formats.md defines, oversize samples included", () => {
    const sample = fc.tuple(fc.nat(12), fc.nat(5000));
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 300 }), (rows) => {
        const packing = omnibal.pack({ vit: rows.map(([v]) => v), tokens: rows.map(([, t]) => t) }, bounds);
        expect(omnibal.made(packing).packing).toBe(plainPacking(packing));
      }),
      { numRuns: 60 },
    );
  });

  test("of groups and oversize samples that take more than a piece", () => {
    const n = 60_000;
    const vit = Int32Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 2 : 0));
    // A third are beyond the bound; the others are one group of 40,000.
    const packing = omnibal.pack(
      { vit, tokens: new Int32Array(n) },
      { maxVit: 1, maxTokens: 1, minVit: 1, minTokens: 1 },
    );
    expect([packing.length, packing.oversize.length]).toEqual([1, 20_000]);
    expect(omnibal.made(packing).packing).toBe(plainPacking(packing));
    const many = omnibal.pack(samples("tiled:200000"), { maxVit: 5, maxTokens: 4096, rounds: 1 });
    expect(many.length).toBeGreaterThan(70_000);
    expect(omnibal.made(many).packing).toBe(plainPacking(many));
    const mixed = new Packing({
      ...many.parts,
      offsets: Int32Array.of(0, 3, 50_000, 50_001, many.indices.length),
      loads: { vit: new Int32Array(4), tokens: new Int32Array(4) },
    });
    expect(omnibal.made(mixed).packing).toBe(plainPacking(mixed));
  });

  const packing = omnibal.pack(samples("tiled:1000"), bounds);
  const altered = (parts: object) => omnibal.made(new Packing({ ...packing.parts, ...parts })).packing;

  test("depends on which group a sample is in and on the groups' numbers, not on the order inside a group", () => {
    const own = omnibal.made(packing).packing;
    const { indices, offsets } = packing;
    const swapped = (a: number, b: number) => {
      const copy = indices.slice();
      [copy[a], copy[b]] = [copy[b], copy[a]];
      return altered({ indices: copy });
    };
    expect(offsets[1]).toBeGreaterThan(1);
    expect(swapped(0, offsets[1] - 1)).toBe(own);
    expect(swapped(0, offsets[1])).not.toBe(own);
    expect(altered({ offsets: offsets.map((at, g) => (g === 1 ? at - 1 : at)) })).not.toBe(own);
    const turned = Array.from(packing).reverse();
    const ends = [0];
    for (const group of turned) ends.push(ends[ends.length - 1] + group.length);
    expect(
      altered({ indices: Int32Array.from(turned.flatMap((g) => [...g])), offsets: Int32Array.from(ends) }),
    ).not.toBe(own);
    expect(altered({ oversize: Int32Array.of(1000) })).not.toBe(own);
  });

  test("the offset of several packings counts on", () => {
    const { made } = omnibal.plan([packing, packing], { ranks: 1 });
    const twice = [...packing, ...packing].flatMap((group, g) => Array.from(group, (i) => [BigInt(g), i] as const));
    expect(made).toMatchObject({ groups: [packing.length, packing.length], packing: plain(twice) });
  });
});

describe("what a packing was made of", () => {
  const lengths = samples("tiled:1000");

  test("isf and balanced, with all that decided", () => {
    const loadsOf = (values: Int32Array) => plain(Array.from(values, (value, i) => [BigInt(i), value]));
    const loads = { vit: loadsOf(lengths.vit), tokens: loadsOf(lengths.tokens) };
    const isf = omnibal.pack(lengths, { ...bounds, minVit: 8, rounds: 7, seed: 5 });
    expect(omnibal.made(isf)).toEqual({
      ...{ version: 1, samples: 1000, loads, bounds: { vit: 9, tokens: 4096 }, method: "isf", seed: 5 },
      ...{ min: { vit: 8, tokens: 3968 }, rounds: 7, packing: plainPacking(isf) },
    });
    const balanced = omnibal.pack(lengths, { ...bounds, method: "balanced", effort: 0 });
    expect(omnibal.made(balanced)).toEqual({
      ...{ version: 1, samples: 1000, loads, bounds: { vit: 9, tokens: 4096 }, method: "balanced", seed: 1024 },
      ...{ effort: 0, packing: plainPacking(balanced) },
    });
  });

  test("a packing from a worker knows its samples too, and posting one does not send them", async () => {
    const packing = await omnibal.packAsync(lengths, bounds);
    expect(omnibal.made(packing)).toEqual(omnibal.made(omnibal.pack(lengths, bounds)));
    expect("lengths" in packing.parts).toBe(false);
  });

  test("without its samples it has no loads", () => {
    const { parts } = omnibal.pack(lengths, bounds);
    const made = omnibal.made(new Packing(parts));
    expect(made).not.toHaveProperty("loads");
    expect(made).toMatchObject({ samples: 1000, method: "isf", packing: plainPacking(new Packing(parts)) });
  });

  test("can be asked for in the middle of something else, and leaves the memory as it was", () => {
    const packing = omnibal.pack(lengths, bounds);
    const made = omnibal.made(packing);
    const seen: unknown[] = [];
    const again = omnibal.pack(lengths, { ...bounds, onRound: () => seen.push(omnibal.made(packing)) });
    expect(seen.length).toBe(again.rounds);
    expect(seen.every((one) => JSON.stringify(one) === JSON.stringify(made))).toBe(true);
    expect(again).toEqual(packing);
    const top = abi.mark();
    omnibal.made(packing);
    expect(abi.mark()).toBe(top);
  });
});

whenThere(pythonMissing())(
  "the numpy version in docs/formats.md gives what it says there, and what the core gives",
  async () => {
    const page = readFileSync(new URL("../../docs/formats.md", import.meta.url), "utf8");
    const [, code, printed] = /```python\n(import numpy[\s\S]*?)```\n\n```text\n(.*)\n```/.exec(
      page,
    ) as unknown as string[];
    const values = Array.from(samples("tiled:20000").tokens);
    const more = [
      "import json, sys",
      "values = np.array(json.load(sys.stdin))",
      "for first in 0, 2**32 - 9, 2**53 - 20000: print(fingerprint(first + np.arange(len(values)), values))",
      "print(fingerprint([2**53 - 1], [2**53 - 1]))",
      "print(fingerprint([0, 1, 1], [2, 0, 1]), fingerprint(np.full(2, 2**64 - 1, np.uint64), [3, 4]))",
    ].join("\n");
    const out = execFileSync(python, ["-c", `${code}\n${more}`], { input: JSON.stringify(values), encoding: "utf8" });
    const [shown, ...rest] = out.trimEnd().split("\n");
    expect(shown).toBe(printed);
    expect(rest.slice(0, 3)).toEqual([0, 2 ** 32 - 9, 2 ** 53 - 20000].map((first) => hex(ofLoad(values, first))));
    expect(rest[3]).toBe(hex(mix(2n ** 53n - 1n, 2n ** 53n - 1n)));
    const [groups, oversize] = rest[4].split(" ").map((sum) => BigInt(`0x${sum}`));
    const packing = omnibal.pack({ vit: [5, 0, 9, 12, 4], tokens: [2000, 1558, 93, 93, 5000] }, bounds);
    expect(hex(groups + oversize)).toBe(omnibal.made(packing).packing);
  },
);
