import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PlainOptions, plainIsf } from "../../bench/plain-isf.ts";
import { load } from "../../src/index.ts";
import { needs } from "../needs.ts";
import { checkPacking, groupsText, noData, samples, sha256 } from "../samples.ts";

interface IsfVector {
  input: string;
  seed: number;
  vit_thresh: number;
  vit_max: number;
  llm_thresh: number;
  llm_max: number;
  iter_time: number;
  groups: number;
  samples: number;
  sha256: string;
  oversize_dropped: number;
  lost_though_fitting: number;
}

interface InputVector {
  n: number;
  sum_vit: number;
  sum_token: number;
}

const vectors = JSON.parse(readFileSync(new URL("../vectors/isf.json", import.meta.url), "utf8")) as {
  inputs: Record<string, InputVector & Record<string, unknown>>;
  isf: IsfVector[];
  isf_equality_rule: IsfVector[];
  isf_errors: IsfVector[];
};
const omnibal = await load();

const optionsOf = (v: IsfVector) => ({
  maxVit: v.vit_max,
  maxTokens: v.llm_max,
  minVit: v.vit_thresh,
  minTokens: v.llm_thresh,
  rounds: v.iter_time,
  seed: v.seed,
});

function packVector(v: IsfVector) {
  const input = samples(v.input);
  const packing = omnibal.pack(input, optionsOf(v));
  checkPacking(input, packing);
  return packing;
}

/** The hash of the groups by the plain ISF, which shares no code with the module. */
function plainHash(v: IsfVector, options: Partial<PlainOptions> = {}): string {
  const groups = plainIsf(samples(v.input), { ...optionsOf(v), ...options });
  return sha256(groups.map((group) => group.join(",")).join("\n"));
}

describe("inputs", () => {
  for (const [name, v] of Object.entries(vectors.inputs)) {
    test(name, needs(noData(name)), () => {
      const { vit, tokens } = samples(name);
      expect(sha256(Array.from(vit, (x, i) => `${x},${tokens[i]}`).join("\n"))).toBe(
        v["sha256_of_lines_vit,token_joined_by_LF_no_trailing"],
      );
    });
  }
});

describe("the reference's groups, bit for bit", () => {
  for (const v of vectors.isf.filter((v) => v.lost_though_fitting === 0)) {
    const name = `${v.input} ${v.vit_max}/${v.llm_max}/${v.llm_thresh} T=${v.iter_time} seed ${v.seed}`;
    test(name, needs(noData(v.input)), () => {
      const packing = packVector(v);
      expect(packing.length).toBe(v.groups);
      expect(packing.indices.length).toBe(v.samples);
      expect(packing.oversize.length).toBe(v.oversize_dropped);
      expect(sha256(groupsText(packing))).toBe(v.sha256);
    });
  }
});

describe("where the reference loses the last group of a round", () => {
  const lost = vectors.isf.filter((v) => v.lost_though_fitting > 0);

  test("there are nine vectors of it", () => expect(lost.length).toBe(9));

  for (const v of lost) {
    test(`${v.input} T=${v.iter_time}: every sample is placed`, () => {
      const packing = packVector(v);
      expect(packing.indices.length).toBe(v.samples + v.lost_though_fitting);
      expect(packing.oversize.length).toBe(v.oversize_dropped);
      expect(sha256(groupsText(packing))).toBe(plainHash(v));
      if (v.iter_time === 1) {
        // The reference's groups in their order, and after them the one it loses.
        const groups = groupsText(packing).split("\n");
        expect(sha256(groups.slice(0, -1).join("\n"))).toBe(v.sha256);
        expect(groups.length).toBe(v.groups + 1);
      }
    });
  }
});

describe("where the rules differ from the reference's on purpose", () => {
  for (const v of vectors.isf_equality_rule) {
    test(`minVit below maxVit keeps fuller groups too: ${v.input}`, needs(noData(v.input)), () => {
      // The reference keeps a group of exactly minVit tiles and breaks up one of more.
      const hash = sha256(groupsText(packVector(v)));
      expect(plainHash(v, { exactVit: true })).toBe(v.sha256);
      expect(hash).toBe(plainHash(v));
      // With one or two samples there is no group to break up.
      expect(hash !== v.sha256).toBe(samples(v.input).vit.length > 2);
    });
  }

  test("a group with more than minVit tiles is kept, not broken up", () => {
    // Two samples of 5 and 4 tiles make a group of 9 in round 0: kept at once where 8 are asked for.
    const packing = omnibal.pack({ vit: [5, 4], tokens: [1, 1] }, { maxVit: 9, minVit: 8, maxTokens: 4096, rounds: 9 });
    expect([packing.length, packing.rounds]).toEqual([1, 1]);
  });

  for (const v of vectors.isf_errors) {
    test(`seed + round wraps where the reference raises: ${v.input}, seed ${v.seed}`, needs(noData(v.input)), () => {
      const packing = packVector(v);
      // Round 7 is the first with a seed past 2^32 - 1.
      expect(packing.rounds).toBe(10);
      expect(sha256(groupsText(packing))).toBe(plainHash(v));
    });
  }
});

describe("properties", () => {
  const load32 = fc.oneof(fc.nat(12), fc.nat(5000), fc.nat(2147483647));
  const cases = fc.record({
    samples: fc.array(fc.tuple(load32, load32), { maxLength: 300 }),
    maxVit: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2147483647 })),
    maxTokens: fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 2147483647 })),
    minVit: fc.option(fc.oneof(fc.nat(20), fc.nat(2147483647)), { nil: undefined }),
    minTokens: fc.option(fc.oneof(fc.nat(9000), fc.nat(2147483647)), { nil: undefined }),
    rounds: fc.integer({ min: 1, max: 12 }),
    seed: fc.oneof(fc.nat(10), fc.integer({ min: 4294967290, max: 4294967295 })),
  });

  test("nothing lost or repeated, both bounds hold, the bound is one, same seed same packing", () => {
    fc.assert(
      fc.property(cases, ({ samples, minVit, minTokens, ...rest }) => {
        const input = { vit: Int32Array.from(samples, (s) => s[0]), tokens: Int32Array.from(samples, (s) => s[1]) };
        const options = {
          ...rest,
          ...(minVit === undefined ? {} : { minVit }),
          ...(minTokens === undefined ? {} : { minTokens }),
        };
        const packing = omnibal.pack(input, options);
        checkPacking(input, packing);
        expect(packing.length).toBeGreaterThanOrEqual(packing.bound);
        expect(packing.rounds).toBeLessThanOrEqual(rest.rounds);
        expect(omnibal.pack(input, options)).toEqual(packing);
      }),
      { numRuns: 400 },
    );
  });

  test("equals a plain ISF over number arrays, for any bounds and thresholds", () => {
    fc.assert(
      fc.property(cases, ({ samples, minVit, minTokens, ...rest }) => {
        const input = { vit: Int32Array.from(samples, (s) => s[0]), tokens: Int32Array.from(samples, (s) => s[1]) };
        const bounds = { minVit: minVit ?? rest.maxVit, minTokens: minTokens ?? Math.max(0, rest.maxTokens - 128) };
        const packing = omnibal.pack(input, { ...rest, ...bounds });
        expect(Array.from(packing, (g) => Array.from(g))).toEqual(plainIsf(input, { ...rest, ...bounds }));
      }),
      { numRuns: 300 },
    );
  });
});
