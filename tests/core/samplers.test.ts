import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  load,
  Packing,
  type PlanOptions,
  SAMPLER_KINDS,
  type SamplerOptions,
  type SamplerState,
  type VitTokenGroups,
} from "../../src/index.ts";
import { batches, kindOf, slice, unpacked, vectorPacking, vectors } from "../loads.ts";
import { groupsText, samples, sha256 } from "../samples.ts";

const omnibal = await load();
const packing = vectorPacking(omnibal);

/** All ranks' batches of one epoch. */
function epoch(
  loads: VitTokenGroups | readonly VitTokenGroups[],
  options: PlanOptions,
  at = 0,
  step = 0,
): number[][][] {
  return Array.from({ length: options.ranks }, (_, rank) =>
    batches(omnibal.sampler(loads, { ...options, rank, epoch: at, step })),
  );
}

const flat = (ranks: number[][][]) => ranks.flat(2);
const distinct = (ranks: number[][][]) => new Set(flat(ranks)).size;
const ascents = (values: readonly number[]) => values.filter((x, i) => i > 0 && x > values[i - 1]).length;

test("the packing of the vectors", () => {
  expect(sha256(groupsText(packing))).toBe(Object.values(vectors.packs)[0].isf_sha256);
  expect(sha256(packing.tokens.join(","))).toBe(Object.values(vectors.packs)[0].lengths_sha256);
});

describe("the published samplers, bit for bit, with compat", () => {
  for (const v of vectors.samplers) {
    const sizes = [v.total_samples].flat();
    const name = `${v.sampler} ${sizes.join("+")} consumed ${v.consumed_samples} micro ${v.micro_batch_size}`;
    test(`${name} ${JSON.stringify(v.extra)}`, () => {
      const ends = sizes.map((_, p) => sizes.slice(0, p + 1).reduce((a, b) => a + b));
      const loads = ends.map((end, p) => slice(packing, end - sizes[p], end));
      const options: PlanOptions = {
        kind: kindOf(v.sampler),
        ranks: v.dp,
        microBatch: v.micro_batch_size,
        compat: "reference",
        ...(v.extra.seed === undefined ? {} : { seed: v.extra.seed }),
        ...(v.extra.bin_size === undefined ? {} : { binSize: v.extra.bin_size }),
      };
      if (v.error !== undefined) {
        // The published code divides by zero here.
        expect(() => omnibal.sampler(loads, { ...options, rank: 0 })).toThrow(
          `5 groups, the published random sampler needs a step of ${v.dp * v.micro_batch_size} at least`,
        );
        return;
      }
      const stepSize = v.dp * v.micro_batch_size;
      const { steps } = omnibal.sampler(loads, { ...options, rank: 0 }).counts;
      const done = v.consumed_samples / stepSize;
      const ranks = epoch(loads, options, Math.floor(done / steps), done % steps);
      expect(ranks.map((rank) => rank.length)).toEqual(v.batches_per_rank);
      expect(sha256(ranks.map((rank) => rank.map((b) => b.join(",")).join(";")).join("\n"))).toBe(v.sha256);
      expect([flat(ranks).length, distinct(ranks)]).toEqual([v.yielded, v.distinct]);
    });
  }
});

// A change of these changes what a run resumes to: the notes of a version must say so.
test.each([
  ["random", "2ceec14fdb8b8e08c53ae71256b5abc7f8b17b49312e3a79f86b53eba6a5bfd3"],
  ["length-group", "0b8dea7da9c33751253da353300ab2c695ee00c499e2761c0c08a016347a504a"],
  ["group-random", "9a93766c10b741a71c881f928756669d1c3b9f304ec6a191f987e3438cb43ace"],
] as const)("the batches of a seed stay: %s", (kind, hash) => {
  const bounds = { maxVit: 9, maxTokens: 4096 };
  const parts = ["tiled:20000", "uniform:20000"].map((name) => omnibal.pack(samples(name), bounds));
  const ranks = epoch(parts, { kind, ranks: 8, microBatch: 2, seed: 7 }, 3);
  expect(sha256(ranks.map((rank) => rank.map((batch) => batch.join(",")).join(";")).join("\n"))).toBe(hash);
});

describe("defect 9: group-random's offsets are not cumulative", () => {
  const three = [slice(packing, 0, 100), slice(packing, 100, 160), slice(packing, 160, 248)];
  const options = { kind: "group-random", ranks: 8 } as const;

  test("the published one never sees 88 of 248 groups", () => {
    expect(distinct(epoch(three, { ...options, compat: "reference" }))).toBe(160);
  });

  test("ours hands out every group of three sources, and each step is of one source", () => {
    const ranks = epoch(three, options);
    expect(distinct(ranks)).toBe(248);
    const sampler = omnibal.sampler(three, { ...options, rank: 0 });
    for (let s = 0; s < ranks[0].length; s++) {
      expect(new Set(ranks.map((rank) => sampler.locate(rank[s][0]).part)).size).toBe(1);
    }
    expect([sampler.locate(99), sampler.locate(100), sampler.locate(247)]).toEqual([
      { part: 0, group: 99 },
      { part: 1, group: 0 },
      { part: 2, group: 87 },
    ]);
    expect(() => sampler.locate(248)).toThrow("group 248 asked for, there are 248");
  });
});

describe("defect 10: group-random on resume, past epoch 0, and its curriculum", () => {
  const forty = slice(packing, 0, 40);
  const options = { kind: "group-random", ranks: 8 } as const;

  function resumed(compat: { compat?: "reference" }): number[] {
    const done = flat(epoch(forty, { ...options, ...compat }).map((rank) => rank.slice(0, 2)));
    return [...done, ...flat(epoch(forty, { ...options, ...compat }, 0, 2))];
  }

  test("the published one does some groups twice and as many never; ours each once", () => {
    const theirs = new Set(resumed({ compat: "reference" })).size;
    expect(theirs).toBeLessThan(40);
    expect(new Set(resumed({})).size).toBe(40);
    expect(resumed({}).length).toBe(40);
  });

  test("resumed inside epoch 1 the published one hands out nothing; ours the rest", () => {
    expect(flat(epoch(forty, { ...options, compat: "reference" }, 1, 2))).toEqual([]);
    expect(epoch(forty, options, 1, 2)).toEqual(epoch(forty, options, 1).map((rank) => rank.slice(2)));
  });

  test("the published epoch runs from short to long; ours has no such order, in any epoch", () => {
    const lengths = (ranks: number[][][]) => ranks[0].map(([g]) => Math.floor(packing.tokens[g] / 512));
    const theirs = lengths(epoch(packing, { ...options, compat: "reference" }));
    expect(theirs).toEqual([...theirs].sort((a, b) => a - b));
    for (const at of [0, 1, 2]) {
      const ours = lengths(epoch(packing, options, at));
      expect(ascents(ours)).toBeGreaterThan(4);
      expect(ascents([...ours].reverse())).toBeGreaterThan(4);
    }
  });

  test("the published one loses the balance from epoch 2 on; ours keeps it", () => {
    const balance = (at: number, compat: { compat?: "reference" }) =>
      omnibal.evaluate(packing, { sampler: "group-random", ranks: 8, epoch: at, ...compat }).tokenDist;
    expect(balance(1, { compat: "reference" })).toBeGreaterThan(2 * balance(0, { compat: "reference" }));
    for (const at of [0, 1, 2, 9]) expect(balance(at, {})).toBeLessThan(1.1 * balance(0, { compat: "reference" }));
  });
});

describe("defect 12: random, the tail and the blocks", () => {
  const few = slice(packing, 0, 23);

  test("the published one never sees 7 of 23 groups, whatever the epoch", () => {
    const seen = new Set<number>();
    for (let at = 0; at < 20; at++)
      for (const g of flat(epoch(few, { kind: "random", ranks: 8, compat: "reference" }, at))) seen.add(g);
    expect(Array.from(seen).sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
  });

  test("ours sees all 23 in each epoch, and with drop all within a few", () => {
    const kept = epoch(few, { kind: "random", ranks: 8 }, 3);
    expect([distinct(kept), flat(kept).length]).toEqual([23, 24]);
    const seen = new Set<number>();
    for (let at = 0; at < 8; at++) {
      const ranks = epoch(few, { kind: "random", ranks: 8, tail: "drop" }, at);
      expect([distinct(ranks), flat(ranks).length]).toEqual([16, 16]);
      for (const g of flat(ranks)) seen.add(g);
    }
    expect(seen.size).toBe(23);
  });

  test("a rank of the published one keeps to its own block for ever; ours to none", () => {
    const drawn = (compat: { compat?: "reference" }) => {
      const seen = new Set<number>();
      for (let at = 0; at < 40; at++)
        for (const b of batches(omnibal.sampler(packing, { kind: "random", ranks: 8, rank: 0, epoch: at, ...compat })))
          seen.add(b[0]);
      return seen.size;
    };
    expect(drawn({ compat: "reference" })).toBe(31);
    expect(drawn({})).toBeGreaterThan(200);
  });
});

describe("defect 13: length-group", () => {
  test("with micro 1 the published one groups nothing; ours puts like lengths in one step", () => {
    const balance = (compat: { compat?: "reference" }) =>
      omnibal.evaluate(packing, { sampler: "length-group", ranks: 8, ...compat }).tokenDist;
    const random = omnibal.evaluate(packing, { sampler: "random", ranks: 8 }).tokenDist;
    expect(balance({ compat: "reference" })).toBeGreaterThan(0.9 * random);
    expect(balance({})).toBeLessThan(0.5 * random);
  });

  test("the published order is the same every epoch; ours is another", () => {
    const options = { kind: "length-group", ranks: 8 } as const;
    const theirs = { ...options, compat: "reference" } as const;
    expect(epoch(packing, theirs, 1)).toEqual(epoch(packing, theirs, 0));
    expect(epoch(packing, options, 1)).not.toEqual(epoch(packing, options, 0));
  });

  test("on small data the published ranks have different numbers of batches; ours the same", () => {
    const options = { kind: "length-group", ranks: 4, microBatch: 4 } as const;
    const theirs = epoch(slice(packing, 0, 5), { ...options, compat: "reference" });
    expect(theirs.map((rank) => rank.length)).toEqual([1, 1, 0, 0]);
    expect(epoch(slice(packing, 0, 5), options).map((rank) => rank.length)).toEqual([1, 1, 1, 1]);
  });

  test("no rank has the longest unit of every step", () => {
    const ranks = epoch(packing, { kind: "length-group", ranks: 8 });
    const longest = ranks[0].map((_, s) => Math.max(...ranks.map((rank) => packing.tokens[rank[s][0]])));
    const first = longest.filter((most, s) => packing.tokens[ranks[0][s][0]] === most).length;
    expect(first).toBeLessThan(longest.length / 2);
  });
});

describe("defect 11: sequence-parallel groups", () => {
  for (const v of vectors.sp_groups) {
    test(`${v.packs}, spSize ${v.sp_num}`, () => {
      const made = /0\.\.(\d+)/.exec(v.packs);
      const count = Number(made?.[1] ?? -1) + 1;
      const loads: VitTokenGroups =
        made === null
          ? packing
          : {
              length: count,
              vit: new Int32Array(count).fill(1),
              tokens: Int32Array.from({ length: count }, (_, i) => 100 * (i + 1)),
            };
      const sp = omnibal.spGroups(loads, v.sp_num);
      expect(sp.groups.length).toBe(v.packs_after_padding);
      expect(sp.repeated).toBe(v.packs_after_padding - loads.length);
      const teams = Array.from({ length: sp.length }, (_, u) =>
        Array.from(sp.groups.subarray(u * v.sp_num, (u + 1) * v.sp_num)),
      );
      if (v.result !== undefined) expect(teams.map((team) => team.map((g) => [g]))).toEqual(v.result);
      if (v.sha256 === undefined) return;
      const text = teams.map((team) => team.map((g) => packing.group(g).join(",")).join("|")).join("\n");
      expect([sp.length, sha256(text)]).toEqual([v.sp_groups, v.sha256]);
      expect(sha256(sp.tokens.join(","))).toBe(v.lengths_sha256);
      expect(sp.vitDist).toBeCloseTo(v.ave_sp_vit_dist_ratio!, 12);
      expect(sp.tokenDist).toBeCloseTo(v.ave_sp_llm_dist_ratio!, 12);
      expect(sp.pad).toBeCloseTo(v.ave_sp_llm_pad_ratio!, 12);
    });
  }

  test("they do not accumulate across sources, and no group is in two of them but for the repeats", () => {
    // The published code packs the first source's sp groups again after the second's: 2 + 2 groups make 3 units.
    const two = [slice(packing, 0, 2), slice(packing, 2, 4)];
    const sampler = omnibal.sampler(two, { kind: "random", ranks: 1, rank: 0, spSize: 2 });
    const units = batches(sampler).flat();
    expect(units.length).toBe(2);
    expect(units.flatMap((u) => Array.from(sampler.groups(u))).sort()).toEqual([0, 1, 2, 3]);
    expect(() => sampler.groups(2)).toThrow("unit 2 asked for, there are 2");
  });

  test("the caller's groups are not changed", () => {
    const own = slice(packing, 0, 5);
    const before = structuredClone(own);
    omnibal.spGroups(own, 4);
    omnibal.evaluate(own, { ranks: 2, spSize: 4 });
    expect(own).toEqual(before);
  });

  test("repeats are counted as such, never as samples", () => {
    expect(omnibal.spGroups(slice(packing, 0, 5), 4)).toMatchObject({ length: 2, repeated: 3 });
    expect(omnibal.spGroups(slice(packing, 0, 0), 4)).toMatchObject({ length: 0, repeated: 0, pad: 0, vitDist: 0 });
  });

  test("padding inside an sp group is in the pad ratio, which the published code leaves at 0", () => {
    const two = { length: 2, vit: Int32Array.of(1, 1), tokens: Int32Array.of(100, 300) };
    expect(omnibal.evaluate(two, { ranks: 1, spSize: 2, compat: "reference" }).pad).toBe(0);
    // 2 x 300 tokens computed on, 400 of them real.
    expect(omnibal.evaluate(two, { ranks: 1, spSize: 2 }).pad).toBeCloseTo(1 / 3, 12);
  });
});

describe("state and resume", () => {
  const options: SamplerOptions = { kind: "length-group", ranks: 8, rank: 3, microBatch: 2 };

  test("a loop that is left goes on where it was, and after an epoch comes the next", () => {
    const whole = omnibal.sampler(packing, options);
    const expected = [batches(whole), batches(whole)];
    expect(whole.state()).toMatchObject({ epoch: 2, step: 0 });
    const broken = omnibal.sampler(packing, options);
    const seen: number[][] = [];
    for (const batch of broken) if (seen.push(Array.from(batch)) === 5) break;
    expect(broken.state()).toMatchObject({ version: 2, epoch: 0, step: 5 });
    const state = JSON.parse(JSON.stringify(broken.state()));
    const other = omnibal.sampler(packing, options);
    other.resume(state);
    expect([...seen, ...batches(broken)]).toEqual(expected[0]);
    expect([...seen, ...batches(other)]).toEqual(expected[0]);
    expect(batches(other)).toEqual(expected[1]);
  });

  test("batches are the caller's: writing to one changes nothing", () => {
    const sampler = omnibal.sampler(packing, options);
    const [first] = sampler;
    first.fill(-1);
    sampler.seek(0, 0);
    expect(Array.from(sampler)[0]).not.toEqual(first);
  });

  test("a state of other groups or options is refused, naming what differs", () => {
    const state = omnibal.sampler(packing, options).state();
    const resume = (other: Partial<SamplerOptions>, loads: VitTokenGroups = packing) =>
      omnibal.sampler(loads, { ...options, ...other }).resume(state);
    expect(() => resume({ rank: 5 })).not.toThrow();
    expect(() => resume({ ranks: 4 })).toThrow('state was taken with ranks "8", this sampler has "4"');
    expect(() => resume({ seed: 1 })).toThrow('state was taken with seed "233", this sampler has "1"');
    expect(() => resume({ compat: "reference" })).toThrow('compat "null", this sampler has "\\"reference\\""');
    expect(() => resume({}, slice(packing, 0, 9))).toThrow(
      'state was taken with groups "[248]", this sampler has "[9]"',
    );
    expect(() => omnibal.sampler(packing, options).resume({ ...state, version: 3 as 2 })).toThrow(
      "version 3, expected 1 or 2",
    );
    // From a file that anybody can have written.
    const deep = JSON.parse("[".repeat(1_000_000) + "]".repeat(1_000_000));
    for (const groups of [deep, { toString: 1 }, [1n], null]) {
      const odd = { ...state, plan: { ...state.plan, groups } } as unknown as SamplerState;
      expect(() => omnibal.sampler(packing, options).resume(odd)).toThrow(/^state was taken with groups /);
    }
    expect(() => omnibal.sampler(packing, options).resume({ ...state, step: 99 })).toThrow(
      "step is 99, expected a whole number from 0 to 16",
    );
  });

  test("a state of as many other groups is refused by their fingerprint", () => {
    const state = omnibal.sampler(packing, options).state();
    const { packing: fingerprint } = omnibal.made(packing);
    expect(state.plan).toMatchObject({ groups: [248], packing: fingerprint });
    const other = new Packing({ ...packing.parts, indices: packing.indices.toReversed() });
    expect(() => omnibal.sampler(other, options).resume(state)).toThrow(
      `state was taken over other groups: packing ${fingerprint}, this sampler has ${omnibal.made(other).packing}`,
    );
    // Of groups without samples the loads are compared.
    const [one, two] = [slice(packing, 0, 100), slice(packing, 100, 200)];
    const bare = omnibal.sampler(one, options).state();
    expect(bare.plan.packing).toBeUndefined();
    omnibal.sampler(slice(packing, 0, 100), options).resume(bare);
    expect(() => omnibal.sampler(two, options).resume(bare)).toThrow(
      /^state was taken over other groups: vit of the groups [0-9a-f]{16}, this sampler has [0-9a-f]{16}$/,
    );
    // Sources are numbered one after another: the same groups cut in another way are others.
    const cut = omnibal.sampler([one, two], options).state();
    expect(() => omnibal.sampler([two, one], options).resume(cut)).toThrow("over other groups: vit of the groups ");
    omnibal.sampler([one, two], options).resume(cut);
    expect(() => omnibal.sampler(packing, options).resume({ ...state, plan: { ...state.plan, packing: "x" } })).toThrow(
      `over other groups: packing "x", this sampler has ${fingerprint}`,
    );
  });

  test("a state of version 1, which has no fingerprint, resumes to the same batches", () => {
    const state = {
      ...{ version: 1, epoch: 1, step: 3 },
      plan: {
        ...{ kind: "length-group", ranks: 8, microBatch: 2, spSize: 1, seed: 233, tail: "repeat" },
        ...{ binSize: 512, window: 50, compat: null, groups: [248] },
      },
    };
    const sampler = omnibal.sampler(packing, options);
    sampler.resume(state as unknown as SamplerState);
    expect(batches(sampler)).toEqual(batches(omnibal.sampler(packing, { ...options, epoch: 1 })).slice(3));
    expect(() => omnibal.sampler(packing, { ...options, ranks: 4 }).resume(state as unknown as SamplerState)).toThrow(
      'ranks "8", this sampler has "4"',
    );
  });

  test("what it refuses", () => {
    const make = (other: object, loads: unknown = packing) =>
      omnibal.sampler(loads as VitTokenGroups, { ...options, ...other } as SamplerOptions);
    expect(() => make({ kind: "sorted" })).toThrow('kind is "sorted", expected random, length-group, group-random');
    expect(() => make({ rank: 8 })).toThrow("rank is 8, expected a whole number from 0 to 7");
    expect(() => make({ ranks: 0 })).toThrow("ranks is 0, expected");
    expect(() => make({ ranks: 65536, microBatch: 65536 })).toThrow(
      "ranks x microBatch is 4294967296, expected at most",
    );
    expect(() => make({ tail: "pad" })).toThrow('tail is "pad", expected repeat, drop');
    expect(() => make({}, [null])).toThrow("source 0: null, expected a packing or { length, vit, tokens }");
    expect(() => make({}, { length: 2, vit: new Int32Array(2), tokens: new Int32Array(1) })).toThrow(
      "source 0: 1 values of tokens, expected 2",
    );
    expect(() => make({}, { length: 2, vit: Int32Array.of(1, -1), tokens: new Int32Array(2) })).toThrow(
      "index 1: vit is -1, expected",
    );
    expect(() => make({ spSize: 2147483647 }, [packing, packing])).toThrow("spSize is 2147483647: 496 groups");
  });
});

describe("properties", () => {
  const cases = fc.record({
    sizes: fc.array(fc.nat(60), { maxLength: 4 }),
    kind: fc.constantFrom(...SAMPLER_KINDS),
    ranks: fc.integer({ min: 1, max: 9 }),
    microBatch: fc.integer({ min: 1, max: 4 }),
    spSize: fc.integer({ min: 1, max: 3 }),
    tail: fc.constantFrom("repeat" as const, "drop" as const),
    seed: fc.oneof(fc.nat(5), fc.constant(4294967295)),
    binSize: fc.constantFrom(1, 64, 512, 100000),
    window: fc.integer({ min: 1, max: 5 }),
    epoch: fc.oneof(fc.nat(3), fc.constant(4294967295)),
    resume: fc.nat(100),
  });

  test("same steps on every rank, each group once but for what is counted, resumed is the suffix", () => {
    const all = unpacked("tiled:1000");
    fc.assert(
      fc.property(cases, ({ sizes, epoch: at, resume, ...options }) => {
        const ends = sizes.map((_, p) => sizes.slice(0, p + 1).reduce((a, b) => a + b));
        const parts = sizes.map((n, p) => slice(all, ends[p] - n, ends[p]));
        const samplers = Array.from({ length: options.ranks }, (_, rank) =>
          omnibal.sampler(parts, { ...options, rank, epoch: at }),
        );
        const { steps, dropped, repeated } = samplers[0].counts;
        const ranks = samplers.map(batches);
        for (const rank of ranks) expect(rank.length).toBe(steps);
        for (const batch of ranks.flat()) expect(batch.length).toBe(options.microBatch);
        const units = sizes.reduce((sum, n) => sum + Math.ceil(n / options.spSize), 0);
        const seen = new Set(flat(ranks));
        expect(seen.size).toBe(units - dropped);
        expect(flat(ranks).length).toBe(units - dropped + repeated);
        for (const u of seen) expect(u >= 0 && u < units).toBe(true);
        if (options.tail === "repeat") expect(dropped).toBe(0);
        else expect(repeated).toBe(0);
        const step = steps === 0 ? 0 : resume % (steps + 1);
        const suffix = omnibal.sampler(parts, { ...options, rank: 0, epoch: at, step });
        expect(batches(suffix)).toEqual(ranks[0].slice(step));
        const { kind: sampler, ...rest } = options;
        const evaluation = omnibal.evaluate(parts, { ...rest, sampler, epoch: at });
        expect(evaluation).toMatchObject({ steps, dropped, repeated, attentionDist: sizes.length > 0 ? null : 0 });
      }),
      { numRuns: 300 },
    );
  });
});
