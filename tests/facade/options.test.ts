// Options are objects, and a misspelt name in one did nothing without a word: `round: 3` packed in 50 rounds.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { load, OptionError } from "../../src/index.ts";
import { readLengths, readPacking } from "../../src/read/index.ts";
import { testFolder } from "../folder.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const bounds = { maxVit: 9, maxTokens: 4096 };
const input = samples("tiled:200");
const packing = omnibal.pack(input, bounds);
const folder = testFolder();
const lengthsFile = join(folder, "lengths.json");
const packingFile = join(folder, "groups.json");
writeFileSync(
  lengthsFile,
  JSON.stringify(Array.from(input.vit, (v, i) => ({ vit_num: v, token_num: input.tokens[i] }))),
);
writeFileSync(packingFile, JSON.stringify(Array.from(packing, (group) => Array.from(group))));
const saved = omnibal.packer(bounds).save();

/** Every public call that takes an options object, with one that it takes. */
const calls: Record<string, { good: object; call: (options: never) => unknown }> = {
  pack: { good: bounds, call: (options) => omnibal.pack(input, options) },
  packInRounds: { good: bounds, call: (options) => Array.from(omnibal.packInRounds(input, options)) },
  packAsync: { good: bounds, call: (options) => omnibal.packAsync(input, options) },
  lowerBound: { good: bounds, call: (options) => omnibal.lowerBound(input, options) },
  suitableBounds: { good: bounds, call: (options) => omnibal.suitableBounds(input, options) },
  plan: { good: { ranks: 4 }, call: (options) => omnibal.plan(packing, options) },
  evaluate: { good: { ranks: 4 }, call: (options) => omnibal.evaluate(packing, options) },
  sampler: { good: { kind: "random", ranks: 4, rank: 0 }, call: (options) => omnibal.sampler(packing, options) },
  search: {
    good: { ranks: 4, samplesPerGroup: 4, candidates: 10, rounds: 1, workers: 0 },
    call: (options) => omnibal.search(input, options),
  },
  packer: { good: bounds, call: (options) => omnibal.packer(options) },
  loadPacker: { good: bounds, call: (options) => omnibal.loadPacker(saved, options) },
  readLengths: { good: {}, call: (options) => readLengths([lengthsFile], options) },
  readPacking: {
    good: {},
    call: async (options) => readPacking(omnibal, packingFile, await readLengths([lengthsFile]), options),
  },
};

/** What a call throws at once or rejects with. */
async function failure(name: string, options: unknown): Promise<unknown> {
  try {
    await calls[name].call(options as never);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each(Object.keys(calls))("%s", (name) => {
  const { good } = calls[name];

  test("takes its options", async () => {
    expect(await failure(name, good)).toBeUndefined();
  });

  test("refuses a name that it does not have, with those that it has", async () => {
    const error = await failure(name, { ...good, colour: "red" });
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ code: "INVALID_OPTION" });
    const owner = name === "packInRounds" ? "pack" : name;
    const names = Object.keys(good);
    expect((error as Error).message).toMatch(new RegExp(`^${owner} has no option "colour", expected \\w+(, \\w+)*$`));
    for (const known of names) expect((error as Error).message).toMatch(new RegExp(`\\b${known}\\b`));
  });

  test("refuses what is no object", async () => {
    expect(await failure(name, null)).toMatchObject({ code: "INVALID_OPTION" });
    expect(await failure(name, 3)).toMatchObject({ message: expect.stringMatching(/ are 3, expected an object$/) });
  });
});

describe("the name that was meant", () => {
  test.each([
    ["pack", { round: 3 }, "rounds"],
    ["pack", { max_vit: 9 }, "maxVit"],
    ["pack", { "max-tokens": 9 }, "maxTokens"],
    ["pack", { minToken: 9 }, "minTokens"],
    ["packAsync", { startworker: () => {} }, "startWorker"],
    ["pack", { efort: 1 }, "effort"],
    ["plan", { microbatch: 2 }, "microBatch"],
    ["plan", { balnace: { vit: 1 } }, "balance"],
    ["evaluate", { rank: 3 }, "ranks"],
    ["sampler", { sp_size: 2 }, "spSize"],
    ["search", { maxLeftout: 2 }, "maxLeftOut"],
    ["search", { samplePerGroup: 2 }, "samplesPerGroup"],
    ["packer", { bufer: 9 }, "buffer"],
    ["readLengths", { vitfield: "x" }, "vitField"],
    ["readPacking", { onprogress: () => {} }, "onProgress"],
  ])("%s %j: %s", async (name, wrong, meant) => {
    const [seen] = Object.keys(wrong);
    expect(await failure(name, { ...calls[name].good, ...wrong })).toMatchObject({
      message: `${name} has no option "${seen}": did you mean ${meant}?`,
    });
  });

  test("in balance", () => {
    const plan = (balance: object) => () => omnibal.plan(packing, { ranks: 4, balance: balance as never });
    expect(plan({ token: 1 })).toThrow('balance has no member "token": did you mean tokens?');
    expect(plan({ msPerTile: 1, msPerTokens: 1 })).toThrow(
      'balance has no member "msPerTokens": did you mean msPerToken?',
    );
    expect(plan(3 as never)).toThrow("the members of balance are 3, expected an object");
  });
});

describe("objects of ours are options as they are", () => {
  const asked = { ranks: 4, samplesPerGroup: 4, candidates: 40, rounds: 3, seed: 7, workers: 0 };

  test("a search's winner, spread or read back from JSON too", async () => {
    const winner = (await omnibal.search(input, asked)).winner!;
    const { maxVit, maxTokens, minTokens, rounds, seed } = winner;
    const expected = omnibal.pack(input, { maxVit, maxTokens, minTokens, rounds, seed });
    for (const options of [winner, { ...winner }, JSON.parse(JSON.stringify(winner))]) {
      expect(omnibal.pack(input, options)).toEqual(expected);
      expect(await omnibal.packAsync(input, options)).toEqual(expected);
      expect(omnibal.lowerBound(input, options)).toEqual(omnibal.lowerBound(input, { maxVit, maxTokens }));
      expect(omnibal.packer(options)).toMatchObject({ maxVit, maxTokens, seed });
    }
    expect(() => omnibal.pack(input, { ...winner, round: 3 } as never)).toThrow('"round": did you mean rounds?');
  });

  test("but figures alone are not", () => {
    expect(() => omnibal.pack(input, { ...bounds, groups: 5 } as never)).toThrow('pack has no option "groups"');
  });

  test("a packer, and a packing's bounds", () => {
    const packer = omnibal.packer({ ...bounds, buffer: 50, seed: 7 });
    expect(packer.buffer).toBe(50);
    expect(omnibal.pack(input, packer)).toEqual(omnibal.pack(input, { ...bounds, seed: 7 }));
    expect(omnibal.loadPacker(packer.save(), packer).buffer).toBe(50);
    expect(omnibal.pack(input, packing.bounds)).toEqual(packing);
  });
});
