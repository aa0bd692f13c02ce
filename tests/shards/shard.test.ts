// The shard of a sample: in the core, in JavaScript, in numpy as docs/formats.md has it, and in BigInt by its definition.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { load, shard, shardCount, shardSamples } from "../../src/index.ts";
import { python, pythonMissing } from "../hosts/wasmtime.ts";
import { whenThere } from "../hosts/when-there.ts";
import { M32, mix32 } from "../mix32.ts";

const omnibal = await load();
const { abi } = omnibal;
const page = readFileSync(new URL("../../docs/formats.md", import.meta.url), "utf8");

/** Number of the sample, seed, number of shards, its shard: made once by a program of its own, and to stay for ever. */
const vectors = JSON.parse(readFileSync(new URL("../vectors/shards.json", import.meta.url), "utf8")) as [
  index: string,
  seed: number,
  shards: number,
  shard: number,
][];

const plain = (index: bigint, seed: number, shards: number) =>
  Number(mix32(mix32((index & M32) ^ mix32(index >> 32n)) ^ BigInt(seed)) % BigInt(shards));

/** By the core: the samples from `first` on, and those with these numbers. */
function inCore(numbers: readonly bigint[], seed: number, shards: number, first?: number): number[] {
  const top = abi.mark();
  const n = numbers.length;
  const at = abi.alloc(n * 12) >>> 0;
  const out = at + n * 8;
  new BigUint64Array(abi.memory.buffer, at, n).set(numbers);
  if (first === undefined) abi.shardsAt(at, n, seed, shards, out);
  else abi.shardsFrom(first, n, seed, shards, out);
  const found = Array.from(new Uint32Array(abi.memory.buffer, out, n));
  abi.release(top);
  return found;
}

describe("the shard of a sample", () => {
  test("vectors, beyond 2^32 and 2^53 too", () => {
    for (const [text, seed, shards, expected] of vectors) {
      const index = BigInt(text);
      expect(plain(index, seed, shards)).toBe(expected);
      expect(shard(index, { seed, shards })).toBe(expected);
      expect(inCore([index], seed, shards)).toEqual([expected]);
      if (index >= 2n ** 53n) continue;
      expect(shard(Number(index), { seed, shards })).toBe(expected);
      expect(inCore([index], seed, shards, Number(index))).toEqual([expected]);
    }
    expect(vectors.length).toBe(90);
  });

  test("any number, seed and number of shards", () => {
    const numbers = fc.oneof(fc.maxSafeNat(), fc.integer({ min: 2 ** 32 - 50, max: 2 ** 32 + 50 }));
    const seeds = fc.nat(2 ** 32 - 1);
    const counts = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
    fc.assert(
      fc.property(numbers, fc.nat(40), seeds, counts, (first, n, seed, shards) => {
        fc.pre(first + n < 2 ** 53);
        const own = Array.from({ length: n }, (_, k) => BigInt(first + k));
        const expected = own.map((index) => plain(index, seed, shards));
        expect(own.map((index) => shard(index, { seed, shards }))).toEqual(expected);
        expect(inCore(own, seed, shards)).toEqual(expected);
        expect(inCore(own, seed, shards, first)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test("shards are even, and another seed is another split, not other names for one", () => {
    const n = 200_000;
    const of = (seed: number) => shardSamples(omnibal.core, n, { shards: 16, seed });
    const [zero, one] = [of(0), of(1)];
    for (let s = 0; s < 16; s++) {
      const size = zero.offsets[s + 1] - zero.offsets[s];
      expect(Math.abs(size - n / 16)).toBeLessThan(5 * Math.sqrt(n / 16));
      // Of the samples that are together under one seed, a sixteenth are together under the other.
      const together = new Set(zero.indices.subarray(zero.offsets[s], zero.offsets[s + 1]));
      const shared = one.indices.subarray(one.offsets[s], one.offsets[s + 1]).filter((i) => together.has(i)).length;
      expect(Math.abs(shared - n / 256)).toBeLessThan(6 * Math.sqrt(n / 256));
    }
    expect(shard(0, { shards: 16, seed: 0 })).not.toBe(shard(1, { shards: 16, seed: 1 }));
  });

  test("what is out of range is refused", () => {
    for (const index of [-1, 1.5, 2 ** 53, Number.NaN, -1n, 2n ** 64n, "7"] as never[]) {
      expect(() => shard(index, { shards: 2 })).toThrow("expected a whole number from 0 to 2^53 - 1, or a bigint");
    }
    expect(() => shard(0, { shards: 0 })).toThrow("shards is 0, expected a whole number from 1 to 2147483647");
    expect(() => shard(0, { shards: 2, seed: -1 })).toThrow("seed is -1");
    expect(() => shard(0, { shards: 2, sed: 1 } as never)).toThrow("did you mean seed?");
    expect(() => shardSamples(omnibal.core, 2 ** 32, { shards: 2 })).toThrow("expected a whole number below 2^32");
  });
});

describe("samples by shard", () => {
  test("every sample comes once, in ascending order within its shard", () => {
    const [n, shards, seed] = [150_001, 7, 3];
    const { offsets, indices } = shardSamples(omnibal.core, n, { shards, seed });
    expect([offsets[0], offsets[shards], indices.length]).toEqual([0, n, n]);
    expect(new Set(indices).size).toBe(n);
    for (let s = 0; s < shards; s++) {
      const own = indices.subarray(offsets[s], offsets[s + 1]);
      expect(own.every((index, k) => (k === 0 || index > own[k - 1]) && shard(index, { shards, seed }) === s)).toBe(
        true,
      );
    }
  });

  test("one shard has all in their order; of none there are none; the usual seed is 1024", () => {
    expect([...shardSamples(omnibal.core, 5, { shards: 1 }).indices]).toEqual([0, 1, 2, 3, 4]);
    expect([...shardSamples(omnibal.core, 0, { shards: 3 }).offsets]).toEqual([0, 0, 0, 0]);
    expect(shardSamples(omnibal.core, 99, { shards: 4 })).toEqual(
      shardSamples(omnibal.core, 99, { shards: 4, seed: 1024 }),
    );
  });

  test("as many shards as 2^20 goes into the samples", () => {
    expect([0, 1, 1 << 20, (1 << 20) + 1, 3e8, 1e10].map(shardCount)).toEqual([1, 1, 1, 2, 287, 9537]);
  });
});

whenThere(pythonMissing())("numpy, as docs/formats.md has it", async () => {
  const [, snippet] = /```python\n(import numpy as np\n\n\ndef mix32[^`]*?def shard[^`]*?)```/.exec(page) ?? [];
  expect(snippet).toBeDefined();
  const script = `${snippet}
import json, sys
rows = json.load(sys.stdin)
index = np.array([int(r[0]) for r in rows], dtype=np.uint64)
print(json.dumps([int(shard(index[i : i + 1], r[1], r[2])[0]) for i, r in enumerate(rows)]))
`;
  const out = execFileSync(python, ["-c", script], { input: JSON.stringify(vectors), encoding: "utf8" });
  expect(JSON.parse(out.trimEnd().split("\n").at(-1) ?? "")).toEqual(vectors.map(([, , , expected]) => expected));
});
