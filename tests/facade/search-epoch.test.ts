// The search for the shortest epoch: against the published search's winner planned the same way, on six inputs.
import { describe, expect, test } from "vitest";
import { tiled, uniform } from "../../bench/inputs.ts";
import { load } from "../../src/index.ts";
import type { EpochSearchOptions } from "../../src/search/epoch.ts";
import type { SearchOptions } from "../../src/search/search.ts";
import { needs } from "../needs.ts";
import { noRealData, samples } from "../samples.ts";

const omnibal = await load();
const ranks = 16;
const few = { ranks, candidates: 40, workers: 0 } as const;
const cost = { vit: 6, tokens: 0.02, "tokens^2": 4e-6, group: 9.4, step: 30 };
const usual = { vit: 512, tokens: 1 };

/** Every tenth sample of a real file. */
function some(name: string) {
  const { vit, tokens } = samples(name);
  const own = (column: Int32Array) => column.filter((_, i) => i % 10 === 0);
  return { vit: own(vit), tokens: own(tokens) };
}

type Input = () => { vit: Int32Array; tokens: Int32Array };
const inputs: readonly [string, Input, Partial<EpochSearchOptions>, string | undefined][] = [
  ["tiled, limits", () => tiled(2000), { maxVitLimit: 9, maxTokensLimit: 4096 }, undefined],
  ["tiled, a window", () => tiled(2000), { samplesPerGroup: 4, cost }, undefined],
  ["uniform, limits", () => uniform(1500), { maxVitLimit: 20, maxTokensLimit: 9000 }, undefined],
  ["uniform, a window", () => uniform(1500), { samplesPerGroup: [2, 4] }, undefined],
  ["ai2d", () => some("ai2d_train_12k"), { maxVitLimit: 14, maxTokensLimit: 4736 }, noRealData],
  ["synthdog", () => some("synthdog_en"), { maxVitLimit: 9, maxTokensLimit: 4096, cost }, noRealData],
];

describe.each(inputs)("%s", (_, make, options, missing) => {
  test("the winner takes at most what the published search's winner takes, planned the same way", {
    ...needs(missing),
    timeout: 120_000,
  }, async () => {
    const input = make();
    const {
      vit = 0,
      tokens = 0,
      "tokens^2": squares = 0,
      group = 0,
      step = 0,
    } = (options.cost ?? usual) as typeof cost;
    const time = (packing: ReturnType<typeof omnibal.pack>) => {
      const balance = { msPerTile: vit, msPerToken: tokens, msPerTokenSquared: squares };
      const { stats } = omnibal.plan(packing, { ranks, balance, tail: "repeat" });
      return (stats.epochMs ?? 0) + stats.steps * (group + step);
    };
    const found = await omnibal.searchEpoch(input, { ...few, ...options });
    const { winner, candidates, published } = found;
    if (winner === null) throw new Error(found.why);
    const { method: _method, cost: _cost, ...shared } = options;
    const { winner: theirs } = await omnibal.search(input, {
      ...few,
      ...(shared as unknown as Partial<SearchOptions>),
    });
    if (theirs === null) throw new Error("the published search found nothing");
    const isf = time(omnibal.pack(input, theirs));
    const balanced = time(
      omnibal.pack(input, { method: "balanced", maxVit: theirs.maxVit, maxTokens: theirs.maxTokens }),
    );
    expect(winner.epochMs).toBeLessThanOrEqual(Math.min(isf, balanced));
    expect(published?.epochMs).toBe(Math.min(isf, balanced));

    // It is what pack and plan give, and holds every sample.
    const own = omnibal.pack(input, {
      ...{ method: winner.method, max: winner.max, seed: winner.seed },
      ...(winner.method === "isf"
        ? { rounds: winner.rounds, ...(winner.min === undefined ? {} : { min: winner.min }) }
        : {}),
    } as Parameters<typeof omnibal.pack>[1]);
    expect([own.length, own.oversize.length]).toEqual([winner.groups, 0]);
    expect(time(own)).toBe(winner.epochMs);
    for (const row of candidates) {
      expect(row.leftOut).toBe(0);
      expect(row.epochMs).toBeGreaterThanOrEqual(winner.epochMs);
      expect(row.max.vit).toBeLessThanOrEqual(options.maxVitLimit ?? Number.POSITIVE_INFINITY);
      expect(row.max.tokens).toBeLessThanOrEqual(options.maxTokensLimit ?? Number.POSITIVE_INFINITY);
    }
    expect(found.why).toMatch(
      /^(isf|balanced) within vit \d+ and tokens \d+ has the shortest epoch of \d+ that were tried: /,
    );
    expect(found.why).toContain("the published search's winner");
  });
});

test("the same with workers, and each time", async () => {
  const options = { ...few, maxVitLimit: 9, maxTokensLimit: 4096 };
  const alone = await omnibal.searchEpoch(tiled(1000), options);
  expect(await omnibal.searchEpoch(tiled(1000), options)).toEqual(alone);
  const helped = await omnibal.searchEpoch(tiled(1000), { ...options, workers: 2 });
  expect({ ...helped, workers: 0 }).toEqual(alone);
});

test("within a device's memory", async () => {
  const bytes = { vit: 2e9, tokens: 8e6, group: 5e9 };
  const { winner, candidates } = await omnibal.searchEpoch(tiled(2000), { ...few, memory: 60e9, bytes, cost });
  for (const { max } of candidates) expect(2e9 * max.vit + 8e6 * max.tokens + 5e9).toBeLessThanOrEqual(60e9);
  // Groups and steps cost by themselves: there are as few as there is room for.
  const { vit = 0, tokens = 0 } = winner?.max ?? {};
  expect(2e9 * vit + 8e6 * tokens + 5e9).toBeGreaterThan(0.85 * 60e9);
});

test("one method, if it is asked for", async () => {
  const { candidates } = await omnibal.searchEpoch(tiled(1000), { ...few, samplesPerGroup: 4, method: "isf" });
  expect(new Set(candidates.map(({ method }) => method))).toEqual(new Set(["isf"]));
});

test("no sample is left out: then there is no winner, and it is said why", async () => {
  const input = { vit: [1, 30, 2], tokens: [10, 20, 30] };
  const found = await omnibal.searchEpoch(input, { ...few, maxVitLimit: 9 });
  expect(found.winner).toBeNull();
  expect(found.why).toBe(
    "No bounds hold every sample: they take vit 30 and tokens 30 at least, which is beyond the limits.",
  );
  expect((await omnibal.searchEpoch([], { ...few, maxVitLimit: 9 })).why).toBe(
    "There are no samples, so there is nothing to pack.",
  );
});

test("what is wrong with options is said", async () => {
  const run = (options: object) =>
    omnibal.searchEpoch(tiled(100), { ...few, maxVitLimit: 9, ...options } as EpochSearchOptions);
  await expect(run({ maxVitLimit: undefined })).rejects.toThrow(
    "one of samplesPerGroup, maxVitLimit, maxTokensLimit and memory",
  );
  await expect(run({ slack: 0.1 })).rejects.toThrow('searchEpoch has no option "slack"');
  await expect(run({ memory: 1e9 })).rejects.toThrow("memory is given alone, expected memory and bytes");
  await expect(run({ memory: 1e9, bytes: { frames: 1 } })).rejects.toThrow(
    'bytes names "frames", expected vit, tokens, group',
  );
  await expect(run({ memory: 1e9, bytes: { group: 1 } })).rejects.toThrow("bytes has nothing for a load");
  await expect(run({ cost: { frames: 1 } })).rejects.toThrow(
    'cost names "frames", expected vit, tokens, tokens^2, group, step',
  );
  await expect(run({ method: "best" })).rejects.toThrow('method is "best", expected isf, balanced');
});
