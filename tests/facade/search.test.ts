import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LengthsInput, load, type SearchOptions, type SearchRow } from "../../src/index.ts";
import { needs } from "../needs.ts";
import { noData, samples } from "../samples.ts";

interface SearchVector {
  input: string;
  dp_size: number;
  itertime: number;
  micro_bs: number;
  result_vit_llm_thresh: number[];
  steps: {
    vit: number;
    llm: number;
    thresh: number;
    ave_bs: number;
    packs: number;
    samples: number;
    pad: number;
    vit_dist: number;
    llm_dist: number;
  }[];
}

const { search: vectors } = JSON.parse(readFileSync(new URL("../vectors/search.json", import.meta.url), "utf8")) as {
  search: SearchVector[];
};
const omnibal = await load();
const bounds = (row: SearchRow | null) => row && [row.maxVit, row.maxTokens, row.minTokens];

/** n samples of one size. */
function alike(n: number, vit: number, tokens: number): LengthsInput {
  return { vit: new Int32Array(n).fill(vit), tokens: new Int32Array(n).fill(tokens) };
}

describe("the published search, step by step", () => {
  for (const v of vectors) {
    test(`${v.input} ranks ${v.dp_size}, ${v.micro_bs} per group`, needs(noData(v.input)), async () => {
      const { vit } = samples(v.input);
      const seen = await omnibal.search(samples(v.input), {
        strategy: "reference",
        ranks: v.dp_size,
        samplesPerGroup: v.micro_bs,
        rounds: v.itertime,
      });
      expect(seen.candidates.map((row) => [...bounds(row)!, row.groups, vit.length - row.leftOut])).toEqual(
        v.steps.map((s) => [s.vit, s.llm, s.thresh, s.packs, s.samples]),
      );
      for (const [k, s] of v.steps.entries()) {
        const row = seen.candidates[k];
        expect(Math.abs(row.samplesPerGroup - s.ave_bs)).toBeLessThan(1e-12);
        expect(Math.abs(row.pad - s.pad)).toBeLessThan(1e-12);
        expect(Math.abs(row.vitDist - s.vit_dist)).toBeLessThan(1e-12);
        expect(Math.abs(row.tokenDist - s.llm_dist)).toBeLessThan(1e-12);
      }
      expect(bounds(seen.winner)).toEqual(v.result_vit_llm_thresh);
    });
  }
});

describe("defect 8: the published search", () => {
  const strategies = ["reference", "scan"] as const;
  const window = { ranks: 2, samplesPerGroup: 4 };

  test.each(strategies)("never ends on few samples; %s does, and says what is nearest", async (strategy) => {
    const seen = await omnibal.search(alike(3, 1, 300), { ...window, strategy });
    expect(seen.winner).toBeNull();
    expect(seen.nearest[0]).toMatchObject({ groups: 1, samplesPerGroup: 3, inWindow: false });
    expect(seen.why).toMatch(
      /^No packing with 4 to 5 samples per group: of \d+ candidates the nearest has 3\.000 \(maxVit/,
    );
  });

  test("walks to 0 tokens and divides by it where its steps jump over the window; ours ends with the nearest", async () => {
    // 10 tokens each and steps of 256: 25 samples per group, then none.
    const seen = await omnibal.search(alike(100, 0, 10), { ...window, strategy: "reference" });
    expect(seen.winner).toBeNull();
    expect(seen.candidates.length).toBe(16);
    expect(seen.nearest[0]).toMatchObject({ maxVit: 1, maxTokens: 256, samplesPerGroup: 25 });
  });

  test("the scan finds what lies between those steps", async () => {
    const seen = await omnibal.search(alike(100, 0, 10), window);
    expect(seen.winner).toMatchObject({ inWindow: true, leftOut: 0 });
  });

  test.each(strategies)("has an infinite maxVit for tiles of few tokens; %s has a whole one", async (strategy) => {
    const seen = await omnibal.search(alike(200, 300, 2000), { ...window, strategy });
    expect(seen.winner!.samplesPerGroup).toBeGreaterThanOrEqual(4);
    for (const row of seen.candidates) expect(Number.isSafeInteger(row.maxVit)).toBe(true);
  });

  test.each(strategies)("crashes on no samples; %s says that there are none", async (strategy) => {
    expect(await omnibal.search([], { ...window, strategy })).toMatchObject({
      winner: null,
      candidates: [],
      nearest: [],
      why: "There are no samples, so there is nothing to pack.",
    });
  });

  test.each(strategies)("crashes on fewer groups than ranks; %s fills the step with repeats", async (strategy) => {
    const seen = await omnibal.search(alike(20, 3, 900), { ranks: 8, samplesPerGroup: 4, strategy });
    expect(seen.winner).toMatchObject({ groups: 5, samplesPerGroup: 4 });
  });

  test("drops long samples unmentioned; ours counts them, and the scan keeps them where the window lets it", async () => {
    const asked = { ranks: 2, samplesPerGroup: 2, rounds: 10 };
    const input = samples("tiled:1000");
    const theirs = await omnibal.search(input, { ...asked, strategy: "reference" });
    expect(theirs.winner!.leftOut).toBe(2);
    expect(theirs.why).toContain("leave out 2 samples, and");
    const ours = await omnibal.search(input, asked);
    expect(ours.winner!.leftOut).toBe(0);
    expect(ours.why).toContain("leave out no sample, and");
  });

  test("a walk towards a sample of 2^31 - 1 tiles is cut off after 10,000 steps", async () => {
    const seen = await omnibal.search(alike(9, 2147483647, 1), { ...window, strategy: "reference", rounds: 1 });
    expect([seen.winner, seen.candidates.length]).toEqual([null, 10000]);
    expect(seen.why).toContain("the largest sample has 2147483647 tiles and 1 tokens");
  });

  test.each(strategies)("%s ends when every sample is larger than any bound", async (strategy) => {
    const seen = await omnibal.search(alike(5, 9, 500), { ...window, strategy, maxVitLimit: 8, maxTokensLimit: 9000 });
    expect(seen.winner).toBeNull();
  });
});

describe("the scan against the published search", () => {
  const asked = { ranks: 8, samplesPerGroup: 4 };
  const names = ["tiled:20000", "ai2d_train_12k", "synthdog_en"];
  for (const name of names) {
    test(name, needs(noData(name)), async () => {
      const theirs = (await omnibal.search(samples(name), { ...asked, strategy: "reference" })).winner!;
      const ours = (await omnibal.search(samples(name), asked)).winner!;
      expect(ours.score).toBeLessThan(theirs.score);
      expect(ours.ratio).toBeLessThanOrEqual(1.01 * theirs.ratio);
      expect(ours.inWindow).toBe(true);
      // By the published order too, and not by ours alone.
      const packing = omnibal.pack(samples(name), ours);
      const published = omnibal.evaluate(packing, { ranks: 8, compat: "reference" });
      expect(published.pad + published.vitDist + published.tokenDist).toBeLessThan(theirs.score);
    });
  }
});

test("slack buys evenness with groups that are less full: uniform lengths, where the published walk does so unasked", async () => {
  const asked = { ranks: 8, samplesPerGroup: 4 };
  const input = samples("uniform:20000");
  const theirs = (await omnibal.search(input, { ...asked, strategy: "reference", rounds: 10 })).winner!;
  const full = (await omnibal.search(input, { ...asked, rounds: 10, candidates: 100 })).winner!;
  const even = (await omnibal.search(input, { ...asked, rounds: 10, candidates: 100, slack: 0.2 })).winner!;
  expect(theirs.ratio).toBeGreaterThan(1.1);
  expect(full.ratio).toBeLessThan(1.02);
  expect(even.score).toBeLessThan(theirs.score);
  expect(even.score).toBeLessThan(full.score);
});

describe("bounds that leave samples out were recommended, though maxLeftOut was 0", () => {
  const input = samples("tiled:1000");
  const asked: SearchOptions = { ranks: 8, samplesPerGroup: 4, candidates: 40, rounds: 10, workers: 0 };
  /** `input` with one sample in place of another. */
  const withSample = (at: number, vit: number, tokens: number) => {
    const changed = { vit: Int32Array.from(input.vit), tokens: Int32Array.from(input.tokens) };
    changed.vit[at] = vit;
    changed.tokens[at] = tokens;
    return changed;
  };

  test("limits below the largest sample: no winner, which sample it is, and the bounds that would do", async () => {
    const seen = await omnibal.search(input, { ranks: 8, maxVitLimit: 4, workers: 0 });
    const large = input.vit.filter((v) => v > 4).length;
    const index = input.vit.indexOf(5);
    const mostTokens = Math.max(...input.tokens);
    expect(seen).toMatchObject({ winner: null, candidates: [], nearest: [], beyondLimits: large });
    expect(seen.largest).toEqual({ index, vit: 5, tokens: input.tokens[index] });
    expect(seen.needed).toEqual({ maxVit: 5, maxTokens: mostTokens });
    expect(seen.why).toBe(
      `No bounds with maxVit up to 4 hold every sample: ${large} samples are beyond, the largest is sample ${index} with ` +
        `5 tiles and ${input.tokens[index]} tokens. Bounds from maxVit 5 and maxTokens ${mostTokens} on hold all; ` +
        `maxLeftOut ${large} permits leaving those out.`,
    );
    const larger = await omnibal.search(input, { ranks: 8, maxVitLimit: 5, candidates: 20, workers: 0 });
    expect(larger.winner).toMatchObject({ maxVit: 5, leftOut: 0 });
  });

  test("maxLeftOut permits as many, and no more", async () => {
    const giant = withSample(7, 1, 1_000_000);
    const limited = { ...asked, maxTokensLimit: 8000 };
    const none = await omnibal.search(giant, limited);
    expect(none.winner).toBeNull();
    expect(none.largest).toEqual({ index: 7, vit: 1, tokens: 1_000_000 });
    expect(none.why).toContain("1 sample is beyond, the largest is sample 7 with 1 tile and 1000000 tokens.");
    const one = await omnibal.search(giant, { ...limited, maxLeftOut: 1 });
    expect(one.winner).toMatchObject({ leftOut: 1, inWindow: true });
    expect(one.why).toContain("leave out 1 sample, and");
    giant.vit[9] = 1000;
    giant.tokens[11] = 9000;
    const two = { ...limited, maxVitLimit: 20 };
    expect((await omnibal.search(giant, { ...two, maxLeftOut: 2 })).why).toMatch(
      /^No bounds with maxVit up to 20 and maxTokens up to 8000 leave out only 2: 3 samples are beyond, .* sample 7 with/,
    );
    expect((await omnibal.search(giant, { ...two, maxLeftOut: 3 })).winner).toMatchObject({ leftOut: 3 });
  });

  test.each([
    ["tokens", withSample(7, 1, 1_000_000)],
    ["tiles", withSample(7, 500, 300)],
  ])("a giant in %s is held: the other load keeps groups in the window", async (_, lengths) => {
    const { winner, candidates } = await omnibal.search(lengths, asked);
    expect(winner).toMatchObject({ leftOut: 0, inWindow: true });
    for (const row of candidates) expect(row.leftOut).toBe(0);
    expect(omnibal.pack(lengths, winner!)).toMatchObject({ length: winner!.groups, oversize: new Int32Array(0) });
  });

  test("a giant in both leaves none in the window, and is named", async () => {
    const giant = withSample(7, 500, 200_000);
    const seen = await omnibal.search(giant, asked);
    expect(seen.winner).toBeNull();
    expect(seen.nearest[0].samplesPerGroup).toBeGreaterThan(5);
    expect(seen.nearest[0].leftOut).toBe(0);
    expect(seen.why).toContain(
      "The largest is sample 7 with 500 tiles and 200000 tokens: bounds that hold it hold more of the others.",
    );
    expect((await omnibal.search(giant, { ...asked, maxLeftOut: 1 })).winner).toMatchObject({ leftOut: 1 });
  });

  test("images without tokens", async () => {
    const seen = await omnibal.search({ vit: input.vit, tokens: new Int32Array(1000) }, asked);
    expect(seen.winner).toMatchObject({ leftOut: 0, inWindow: true });
  });

  test.each([
    ["tokens alone", { vit: new Int32Array(50), tokens: new Int32Array(50).fill(10) }, { maxVitLimit: 9 }, [1, 500]],
    ["tiles alone", { vit: new Int32Array(50).fill(3), tokens: new Int32Array(50) }, { maxTokensLimit: 9 }, [150, 1]],
  ])("%s: no bound beyond the sum of all samples", async (_, lengths, limit, [vit, tokens]) => {
    const { winner } = await omnibal.search(lengths, { ...limit, ranks: 8, candidates: 20, workers: 0 });
    expect(winner).toMatchObject({ leftOut: 0 });
    expect(winner!.groups).toBeLessThanOrEqual(2);
    expect(winner!.maxVit).toBeLessThanOrEqual(1.1 * vit);
    expect(winner!.maxTokens).toBeLessThanOrEqual(1.1 * tokens);
  });

  test("zeros are no giants", async () => {
    const seen = await omnibal.search({ vit: new Int32Array(20), tokens: new Int32Array(20) }, asked);
    expect(seen.winner).toBeNull();
    expect(seen.why).not.toContain("largest");
  });

  test("fewer groups than ranks are a perfect score by repeats alone: said", async () => {
    const { why } = await omnibal.search({ vit: [3], tokens: [900] }, { ranks: 8, maxVitLimit: 9, workers: 0 });
    expect(why).toMatch(/ 1 group, .* They do not fill a step of 8 ranks, which is measured with repeats\.$/);
    expect((await omnibal.search(input, asked)).why).not.toContain("repeats");
  });

  test("a part of the samples may not have the largest: it is held all the same", async () => {
    const { vit, tokens } = samples("tiled:120000");
    const many = { vit: Int32Array.from(vit), tokens: Int32Array.from(tokens) };
    // Not among every third sample, on which candidates are tried.
    many.tokens[100_001] = 50_000;
    const { winner, candidates } = await omnibal.search(many, { ...asked, rounds: 2, candidates: 40 });
    expect(candidates.length).toBeGreaterThan(0);
    for (const row of candidates) expect(row).toMatchObject({ leftOut: 0, maxTokens: expect.any(Number) });
    expect(winner).toMatchObject({ leftOut: 0 });
  });

  test("the published walk keeps its winner and counts what it leaves out", async () => {
    const walk = { ranks: 2, samplesPerGroup: 2, rounds: 10, strategy: "reference" as const };
    const { winner, why } = await omnibal.search(input, walk);
    expect(winner!.leftOut).toBe(2);
    expect(why).toContain("leave out 2 samples, and");
    await expect(omnibal.search(input, { ...walk, maxLeftOut: 2 })).rejects.toThrow(
      "maxLeftOut is given, expected none for strategy reference",
    );
  });

  test("the published walk that starts beyond the limits says so", async () => {
    const walk = { ...asked, candidates: 10, strategy: "reference" as const, maxVitLimit: 5 };
    const seen = await omnibal.search(input, walk);
    expect([seen.winner, seen.candidates]).toEqual([null, []]);
    expect(seen.why).toBe(
      "No packing with 4 to 5 samples per group and maxVit up to 5: the walk starts beyond these limits.",
    );
  });

  test("on anything: a winner leaves out no more than asked; what is said to hold all does", async () => {
    const size = fc.oneof(fc.nat(9), fc.nat(9), fc.nat(300), fc.nat(5000));
    const limit = fc.option(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 6000 })), {
      nil: undefined,
    });
    const cases = fc.record({
      lengths: fc.array(fc.tuple(size, size), { minLength: 1, maxLength: 40 }),
      ranks: fc.integer({ min: 1, max: 4 }),
      maxVitLimit: limit,
      maxTokensLimit: limit,
      maxLeftOut: fc.oneof(fc.constant(0), fc.nat(5)),
      samplesPerGroup: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ lengths, maxLeftOut, samplesPerGroup, ...rest }) => {
        const { maxVitLimit = 2147483647, maxTokensLimit = 2147483647 } = rest;
        const some = { vit: lengths.map((x) => x[0]), tokens: lengths.map((x) => x[1]) };
        const window = samplesPerGroup === undefined ? {} : { samplesPerGroup };
        const options = { ...window, ranks: rest.ranks, rounds: 3, candidates: 20, workers: 0, maxLeftOut };
        const seen = await omnibal.search(some, { ...options, maxVitLimit, maxTokensLimit });
        const beyond = lengths.filter(([v, t]) => v > maxVitLimit || t > maxTokensLimit);
        expect(seen.beyondLimits).toBe(beyond.length);
        for (const row of seen.candidates) expect(row.leftOut).toBeLessThanOrEqual(maxLeftOut);
        const { index, ...loads } = seen.largest!;
        expect([loads.vit, loads.tokens]).toEqual(lengths[index]);
        if (beyond.length > 0) expect(beyond).toContainEqual([loads.vit, loads.tokens]);
        if (seen.winner !== null) {
          expect(omnibal.pack(some, seen.winner).oversize.length).toBe(seen.winner.leftOut);
          expect(omnibal.pack(some, seen.winner).length).toBe(seen.winner.groups);
          return;
        }
        if (beyond.length <= maxLeftOut) {
          // Then it is the window that no candidate is in, or there is nothing left to pack.
          if (beyond.length < lengths.length) expect(samplesPerGroup).toBeDefined();
          return;
        }
        expect(seen.why).toMatch(new RegExp(`sample ${index} with ${loads.vit} tiles? and ${loads.tokens} tokens?\\.`));
        const enough = {
          maxVitLimit: Math.max(maxVitLimit, seen.needed.maxVit),
          maxTokensLimit: Math.max(maxTokensLimit, seen.needed.maxTokens),
        };
        const { samplesPerGroup: _, ...unbounded } = { ...options, samplesPerGroup: 0 };
        expect((await omnibal.search(some, { ...unbounded, ...enough })).winner).not.toBeNull();
        const leave = { ...unbounded, maxVitLimit, maxTokensLimit, maxLeftOut: seen.beyondLimits };
        expect((await omnibal.search(some, leave)).winner?.leftOut ?? lengths.length).toBeGreaterThanOrEqual(
          beyond.length,
        );
      }),
      { numRuns: 150 },
    );
  });
});

describe("the winner carries its seed", () => {
  test.each(["scan", "reference"] as const)("%s: pack(lengths, winner) makes the groups that won", async (strategy) => {
    const input = samples("tiled:1000");
    const asked = { ranks: 8, samplesPerGroup: 4, rounds: 3, seed: 7, strategy };
    const { winner, candidates } = await omnibal.search(input, asked);
    for (const row of candidates) expect(row.seed).toBe(7);
    const packing = omnibal.pack(input, winner!);
    const { maxVit, maxTokens, minTokens, rounds, groups } = winner!;
    expect(packing).toEqual(omnibal.pack(input, { maxVit, maxTokens, minTokens, rounds, seed: 7 }));
    expect(packing.length).toBe(groups);
    // Another seed makes others, so the comparison above tells them apart.
    expect(packing.indices).not.toEqual(omnibal.pack(input, { ...winner!, seed: 1024 }).indices);
  });
});

describe("what a scan returns", () => {
  const input = samples("tiled:1000");
  const asked: SearchOptions = { ranks: 8, samplesPerGroup: 4, candidates: 80 };

  test("the winner's figures are those of packing with its arguments", async () => {
    const { winner, candidates } = await omnibal.search(input, asked);
    expect(winner).toEqual(candidates[0]);
    const packing = omnibal.pack(input, winner!);
    const { pad, vitDist, tokenDist, attentionDist } = omnibal.evaluate(packing, { ranks: 8, seed: 0 });
    expect(packing.length).toBe(winner!.groups);
    expect({ pad, vitDist, tokenDist, attentionDist }).toMatchObject({
      pad: winner!.pad,
      vitDist: winner!.vitDist,
      tokenDist: winner!.tokenDist,
      attentionDist: winner!.attentionDist,
    });
  });

  test("each row's rounds are the best of those tried", async () => {
    const { candidates } = await omnibal.search(input, { ...asked, rounds: 20 });
    for (const row of candidates.slice(0, 10)) {
      const groups: number[] = [];
      omnibal.pack(input, { ...row, rounds: 20, onRound: (info) => groups.push(info.groups) });
      expect(row.groups).toBe(Math.min(...groups));
      expect(row.rounds).toBe(groups.indexOf(row.groups) + 1);
    }
    expect(candidates.some((row) => row.rounds < 20)).toBe(true);
  });

  test("the Pareto front: no row that may win beats one of it, and the winner's score is the least there", async () => {
    const { pareto, winner, candidates } = await omnibal.search(input, asked);
    expect(pareto.length).toBeGreaterThan(1);
    const figures = ({ ratio, vitDist, tokenDist }: SearchRow) => [ratio, vitDist, tokenDist];
    const beats = (x: SearchRow, y: SearchRow) => {
      const pairs = figures(x).map((own, k) => [own, figures(y)[k]]);
      return pairs.every(([own, other]) => own <= other) && pairs.some(([own, other]) => own < other);
    };
    const whole = candidates.filter((row) => row.inWindow && row.leftOut === 0);
    // The default slack: a row with more groups than that may not win.
    const may = whole.filter((row) => row.ratio <= 1.01 * Math.min(...whole.map(({ ratio }) => ratio)));
    expect(may.length).toBeGreaterThan(pareto.length);
    expect(new Set(pareto)).toEqual(new Set(may.filter((row) => !may.some((other) => beats(other, row)))));
    expect(candidates.filter((row) => row.pareto).length).toBe(pareto.length);
    expect(Math.min(...pareto.map((row) => row.score))).toBe(winner!.score);
  });

  test("why is made of the winner's figures", async () => {
    const { winner, why, candidates } = await omnibal.search(input, asked);
    const { maxVit, maxTokens, groups, bound, score } = winner!;
    for (const text of [
      `maxVit ${maxVit}, maxTokens ${maxTokens}`,
      `won among ${candidates.length} candidates, ${candidates.filter((row) => row.inWindow).length} of them with 4 to 5`,
      `${groups} groups, ${((groups / bound - 1) * 100).toFixed(2)} % over the lower bound of ${bound}`,
      `= ${score.toFixed(4)} is the least of the `,
      `, the next has ${candidates[1].score.toFixed(4)}.`,
    ]) {
      expect(why).toContain(text);
    }
  });

  test("limits instead of a window, and with one", async () => {
    const { winner, candidates } = await omnibal.search(input, { ranks: 8, maxTokensLimit: 5000, candidates: 60 });
    expect(winner!.maxTokens).toBeLessThanOrEqual(5000);
    for (const row of candidates) expect(row.maxTokens).toBeLessThanOrEqual(5000);
    const tight = await omnibal.search(input, { ...asked, maxVitLimit: 9, maxTokensLimit: 4096 });
    expect(tight.candidates.length).toBeGreaterThan(1);
    for (const row of tight.candidates) expect(row.maxVit <= 9 && row.maxTokens <= 4096).toBe(true);
    const none = await omnibal.search(input, { ...asked, samplesPerGroup: 20, maxVitLimit: 9 });
    expect(none.winner).toBeNull();
    expect(none.why).toContain("No packing with 20 to 21 samples per group and maxVit up to 9: of ");
    expect(none.nearest.length).toBeGreaterThan(0);
  });

  test("texts alone", async () => {
    const text = {
      vit: new Int32Array(500),
      tokens: Int32Array.from({ length: 500 }, (_, i) => 50 + ((i * 37) % 400)),
    };
    expect((await omnibal.search(text, asked)).winner).toMatchObject({ leftOut: 0, inWindow: true });
  });

  test("sources in turn: every third sample, of 120,000, was of one source alone, and no bounds were found", async () => {
    const n = 120_000;
    const vit = Int32Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 0 : 1 + ((i * 31) % 5)));
    const tokens = vit.map((v, i) => (v === 0 ? 50 + ((i * 7919) % 200) : 256 * v + 30 + ((i * 7919) % 300)));
    const { winner } = await omnibal.search({ vit, tokens }, { ...asked, rounds: 3, workers: 0 });
    expect(winner).toMatchObject({ inWindow: true, leftOut: 0 });
  });

  test("more than 100,000 samples: candidates are pruned on a part, and the rows are of all samples", async () => {
    const many = samples("tiled:200000");
    const { winner, candidates, pruned } = await omnibal.search(many, { ...asked, rounds: 10, workers: 0 });
    expect(pruned).toBeGreaterThan(50);
    expect(candidates.length).toBe(8);
    expect(omnibal.pack(many, winner!).length).toBe(winner!.groups);
  });

  test("progress, and a signal ends it with its reason", async () => {
    const seen: number[] = [];
    const result = await omnibal.search(input, { ...asked, onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual(result.candidates.map((_, k) => k + 1));
    const stop = new AbortController();
    let last = 0;
    const run = omnibal.search(samples("tiled:20000"), {
      ...asked,
      workers: 0,
      signal: stop.signal,
      onProgress: ({ done }) => {
        last = done;
        if (done === 3) stop.abort(new Error("enough"));
      },
    });
    await expect(run).rejects.toThrow("enough");
    expect(last).toBe(3);
    expect((await omnibal.search(input, asked)).winner).not.toBeNull();
    await expect(omnibal.search(input, { ...asked, signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow(
      "before",
    );
  });

  test.each([
    [{ ranks: 8 }, "one of samplesPerGroup, maxVitLimit and maxTokensLimit is needed"],
    [
      { ranks: 8, strategy: "reference" },
      "samplesPerGroup is undefined, expected a number above 0 or [low, high] of such",
    ],
    [{ ranks: 8, samplesPerGroup: 0 }, "samplesPerGroup is 0, expected a number above 0"],
    [{ ranks: 8, samplesPerGroup: [5, 4] }, "samplesPerGroup is [5,4], expected a number above 0"],
    [{ ranks: 0, samplesPerGroup: 4 }, "ranks is 0, expected a whole number from 1"],
    [{ ranks: 8, samplesPerGroup: 4, strategy: "walk" }, 'strategy is "walk", expected scan, reference'],
    [{ ranks: 8, samplesPerGroup: 4, slack: 2 }, "slack is 2, expected a number from 0 to 1"],
    [{ ranks: 8, samplesPerGroup: 4, candidates: 3 }, "candidates is 3, expected a whole number from 10"],
  ])("an option it refuses: %j", async (options, message) => {
    await expect(omnibal.search(input, options as SearchOptions)).rejects.toThrow(message);
  });

  test("ends on anything, with a winner that is in the window", async () => {
    const vit = fc.oneof(fc.nat(9), fc.nat(9), fc.nat(300));
    const size = fc.oneof(vit, fc.nat(5000), fc.constant(2147483647));
    const small = fc.record({
      lengths: fc.array(fc.tuple(vit, fc.nat(5000)), { maxLength: 30 }),
      strategy: fc.constant("reference" as const),
    });
    const any = fc.record({
      lengths: fc.array(fc.tuple(size, size), { maxLength: 30 }),
      strategy: fc.constant("scan" as const),
    });
    const cases = fc.record({
      input: fc.oneof(small, any),
      ranks: fc.integer({ min: 1, max: 9 }),
      samplesPerGroup: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0.1, max: 9, noNaN: true })),
    });
    let [won, left] = [0, 0];
    await fc.assert(
      fc.asyncProperty(cases, async ({ input: { lengths, strategy }, ...options }) => {
        const some = { vit: lengths.map((x) => x[0]), tokens: lengths.map((x) => x[1]) };
        const { winner, candidates, why } = await omnibal.search(some, {
          ...options,
          strategy,
          rounds: 4,
          candidates: 20,
        });
        expect(why.length).toBeGreaterThan(10);
        for (const row of candidates) {
          const out = lengths.filter(([v, t]) => v > row.maxVit || t > row.maxTokens).length;
          expect(row.leftOut).toBe(out);
          if (out > 0) left++;
        }
        if (winner === null) return;
        won++;
        expect(winner.samplesPerGroup).toBeGreaterThanOrEqual(options.samplesPerGroup);
        expect(winner.samplesPerGroup).toBeLessThanOrEqual(options.samplesPerGroup + 1);
      }),
      { numRuns: 60 },
    );
    expect(won).toBeGreaterThan(0);
    expect(left).toBeGreaterThan(5);
  });
});
