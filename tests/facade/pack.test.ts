import { describe, expect, test } from "vitest";
import { EngineError, InputError, type LengthsInput, load, OptionError, type PackOptions } from "../../src/index.ts";
import { checkPacking, samples } from "../samples.ts";

const omnibal = await load();
const bounds = { maxVit: 9, maxTokens: 4096 };

function failure(lengths: unknown, options: unknown = bounds): { name: string; code: string; message: string } {
  try {
    omnibal.pack(lengths as LengthsInput, options as PackOptions);
  } catch (error) {
    const { name, code, message } = error as InputError;
    return { name, code, message };
  }
  throw new Error("no error");
}

describe("what pack takes", () => {
  const vit = [5, 0, 9];
  const tokens = [2563, 1558, 93];
  const expected = omnibal.pack({ vit, tokens }, bounds);

  test.each([
    ["Uint8Array and Uint16Array", { vit: Uint8Array.from(vit), tokens: Uint16Array.from(tokens) }],
    ["Int32Array", { vit: Int32Array.from(vit), tokens: Int32Array.from(tokens) }],
    ["Float64Array", { vit: Float64Array.from(vit), tokens: Float64Array.from(tokens) }],
    ["BigInt64Array", { vit: BigInt64Array.from(vit.map(BigInt)), tokens: BigInt64Array.from(tokens.map(BigInt)) }],
    ["records", vit.map((v, i) => ({ vit_num: v, token_num: tokens[i], image_flags: 1 }))],
  ])("%s", (_, lengths) => expect(omnibal.pack(lengths, bounds)).toEqual(expected));

  test("an Int32Array is not changed", () => {
    const input = { vit: Int32Array.from(vit), tokens: Int32Array.from(tokens) };
    omnibal.pack(input, bounds);
    expect(input).toEqual({ vit: Int32Array.from(vit), tokens: Int32Array.from(tokens) });
  });

  test("nothing: an empty packing", () => {
    for (const empty of [[], { vit: [], tokens: [] }]) {
      const packing = omnibal.pack(empty, bounds);
      expect([packing.length, packing.bound, packing.rounds]).toEqual([0, 0, 0]);
      expect(Array.from(packing.offsets)).toEqual([0]);
      expect(packing.stats.fillVit).toBe(0);
    }
  });

  test("all oversize: no group, every index in oversize", () => {
    const packing = omnibal.pack({ vit: [10, 1, 10], tokens: [1, 4097, 1] }, bounds);
    expect(packing.length).toBe(0);
    expect(Array.from(packing.oversize)).toEqual([0, 1, 2]);
  });

  test("bounds that need 62 bits take the wide layout and give the same groups", () => {
    const input = samples("tiled:20000");
    const scale = 100000;
    const wide = { vit: input.vit.map((v) => v * scale), tokens: input.tokens.map((t) => t * scale) };
    const packed = omnibal.pack(wide, { maxVit: 9 * scale, maxTokens: 4096 * scale, minTokens: 3968 * scale });
    checkPacking(wide, packed);
    const narrow = omnibal.pack(input, bounds);
    expect(packed.offsets).toEqual(narrow.offsets);
    expect(packed.indices).toEqual(narrow.indices);
  });

  test("the largest values there are", () => {
    const most = 2147483647;
    const input = { vit: Int32Array.of(most, 0, 1), tokens: Int32Array.of(0, most, 1) };
    const packing = omnibal.pack(input, { maxVit: most, maxTokens: most });
    checkPacking(input, packing);
    expect(packing.oversize.length).toBe(0);
  });
});

describe("what pack refuses", () => {
  const length = "expected a whole number from 0 to 9007199254740991";
  test.each([
    [{ vit: [1, -3], tokens: [1, 1] }, `index 1: vit is -3, ${length}`],
    [{ vit: Int32Array.of(1, 1), tokens: Int32Array.of(1, -3) }, `index 1: tokens is -3, ${length}`],
    [{ vit: [1.5], tokens: [1] }, `index 0: vit is 1.5, ${length}`],
    [{ vit: [1], tokens: [Number.NaN] }, `index 0: tokens is NaN, ${length}`],
    [{ vit: [1], tokens: [Number.POSITIVE_INFINITY] }, `index 0: tokens is Infinity, ${length}`],
    [{ vit: [1], tokens: [2 ** 53] }, `index 0: tokens is 9007199254740992, ${length}`],
    [{ vit: ["7"], tokens: [1] }, `index 0: vit is "7", ${length}`],
    [{ vit: BigInt64Array.of(-1n), tokens: [1] }, `index 0: vit is -1n, ${length}`],
    [
      [
        { vit_num: 1, token_num: 2 },
        { vit_num: 1, token_num: -3 },
      ],
      `index 1: token_num is -3, ${length}`,
    ],
  ])("a length, case %#", (lengths, message) => {
    expect(failure(lengths)).toEqual({ name: "InputError", code: "INVALID_LENGTH", message });
  });

  test.each([
    [[{ vit_num: 1 }], "MISSING_FIELD", "index 0: token_num is missing"],
    [[null], "INVALID_INPUT", "index 0: null, expected { vit_num, token_num }"],
    [{ vit: [1, 2], tokens: [1] }, "LENGTH_MISMATCH", "vit has 2 values and tokens 1, expected one of each per sample"],
    [{ vit: [1] }, "INVALID_INPUT", 'lengths are {"vit":[1]}, expected { vit, tokens } or an array of records'],
    [{ vit: 3, tokens: [] }, "INVALID_INPUT", "vit is 3, expected an array of numbers"],
    [undefined, "INVALID_INPUT", "lengths are undefined, expected { vit, tokens } or an array of records"],
  ])("an input, case %#", (lengths, code, message) => {
    expect(failure(lengths)).toEqual({ name: "InputError", code, message });
  });

  test.each([
    [{ maxVit: 0 }, "maxVit is 0, expected a whole number from 1 to 2147483647"],
    [{ maxVit: undefined }, "maxVit is undefined, expected a whole number from 1 to 2147483647"],
    [{ maxTokens: 1.5 }, "maxTokens is 1.5, expected a whole number from 1 to 2147483647"],
    [{ maxTokens: 2 ** 31 }, "maxTokens is 2147483648, expected a whole number from 1 to 2147483647"],
    [{ minVit: -1 }, "minVit is -1, expected a whole number from 0 to 2147483647"],
    [{ minTokens: "x" }, 'minTokens is "x", expected a whole number from 0 to 2147483647'],
    [{ rounds: 0 }, "rounds is 0, expected a whole number from 1 to 2147483647"],
    [{ seed: -1 }, "seed is -1, expected a whole number from 0 to 4294967295"],
    [{ seed: 2 ** 32 }, "seed is 4294967296, expected a whole number from 0 to 4294967295"],
  ])("an option: %j", (options, message) => {
    const error = failure({ vit: [1], tokens: [1] }, { ...bounds, ...options });
    expect(error).toEqual({ name: "OptionError", code: "INVALID_OPTION", message });
  });

  test("more samples than the memory holds, and the instance works on", () => {
    const n = 550_000_000;
    const vit = new Int32Array(n);
    expect(failure({ vit, tokens: vit })).toMatchObject({
      name: "EngineError",
      code: "OUT_OF_MEMORY",
      message: "550000000 samples do not fit: a WebAssembly memory ends at 4 GiB, about 170 million samples",
    });
    expect(omnibal.pack({ vit: [1], tokens: [1] }, bounds).length).toBe(1);
  });
});

describe("rounds from outside", () => {
  const input = samples("tiled:20000");

  test("onRound sees every round, and its counts are those of a packing that ends there", () => {
    const seen: number[] = [];
    const packing = omnibal.pack(input, { ...bounds, rounds: 7, onRound: ({ groups }) => seen.push(groups) });
    expect(seen.length).toBe(7);
    for (let t = 1; t <= 7; t++) expect(omnibal.pack(input, { ...bounds, rounds: t }).length).toBe(seen[t - 1]);
    expect(seen[6]).toBe(packing.length);
  });

  test("a signal stops it between rounds with its reason, and the instance works on", () => {
    const stop = new AbortController();
    let rounds = 0;
    const run = () =>
      omnibal.pack(input, {
        ...bounds,
        signal: stop.signal,
        onRound: ({ round }) => {
          rounds = round;
          if (round === 3) stop.abort(new Error("enough"));
        },
      });
    expect(run).toThrow("enough");
    expect(rounds).toBe(3);
    checkPacking(input, omnibal.pack(input, bounds));
  });

  test("packInRounds hands over after each round; left early, the instance works on", () => {
    const packing = omnibal.pack(input, { ...bounds, rounds: 4 });
    const steps = omnibal.packInRounds(input, { ...bounds, rounds: 4 });
    for (const round of [1, 2, 3, 4]) expect(steps.next().value).toMatchObject({ round, rounds: 4 });
    expect(() => omnibal.pack(input, bounds)).toThrow(EngineError);
    expect(steps.next()).toEqual({ done: true, value: packing });
    const before = omnibal.abi.mark();
    for (const _ of omnibal.packInRounds(input, bounds)) break;
    expect(omnibal.abi.mark()).toBe(before);
    expect(omnibal.pack(input, { ...bounds, rounds: 4 })).toEqual(packing);
  });

  test("an instance called from its own callback says so", () => {
    const run = () => omnibal.pack(input, { ...bounds, onRound: () => omnibal.pack(input, bounds) });
    expect(run).toThrow(EngineError);
    expect(omnibal.pack(input, { ...bounds, rounds: 1 }).length).toBeGreaterThan(0);
  });

  test("it ends when every group is full", () => {
    const packing = omnibal.pack({ vit: [9, 9], tokens: [1, 1] }, { ...bounds, rounds: 50 });
    expect([packing.length, packing.rounds]).toEqual([2, 1]);
  });
});

describe("a packing", () => {
  const packing = omnibal.pack(samples("tiled:1000"), bounds);

  test("groups by index and by iteration", () => {
    expect(Array.from(packing)[5]).toEqual(packing.group(5));
    expect(() => packing.group(packing.length)).toThrow(`group ${packing.length} asked for`);
    expect(() => packing.group(-1)).toThrow(RangeError);
  });

  test("stats", () => {
    const { stats } = packing;
    expect(stats.samples).toBe(1000);
    expect(stats.fillVit).toBeCloseTo(2211 / (9 * packing.length), 12);
    expect(stats.bound).toBe(246);
  });
});

test("error classes", () => {
  expect(() => omnibal.pack([], { maxVit: 0, maxTokens: 1 })).toThrow(OptionError);
  expect(() => omnibal.pack([null] as never, bounds)).toThrow(InputError);
});
