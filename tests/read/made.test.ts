// `made` that is not what it must be: one line that says where and what.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { readPacking, readPlan } from "../../src/read/index.ts";
import { testFolder } from "../folder.ts";

const folder = testFolder();
const omnibal = await load();
const lengths = {
  vit: Int32Array.of(5, 0, 9, 12, 4),
  tokens: Int32Array.of(2000, 1558, 93, 93, 5000),
  files: [{ path: "a.json", samples: 5 }],
};
const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096 });
const path = join(folder, "file.json");

/** The message of the error that reading this ends with, or "" if it is read. */
async function refusal(read: () => Promise<unknown>, value: unknown): Promise<string> {
  writeFileSync(path, JSON.stringify(value));
  const error = await read().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error === undefined) return "";
  expect(error).toMatchObject({ name: "InputError", code: "INVALID_FILE" });
  const { message } = error as Error;
  expect(message.startsWith(`${path}: `)).toBe(true);
  expect(message).not.toContain("\n");
  return message.slice(path.length + 2);
}

const isWhole = (name: string, seen: unknown, low = 0, high = 2147483647) =>
  `${name} is ${seen}, expected a whole number from ${low} to ${high}`;

describe("of a packing", () => {
  const made = omnibal.made(packing);
  const refused = (other: unknown, more: object = {}) =>
    refusal(() => readPacking(omnibal, path, lengths), {
      groups: [[2], [0, 1]],
      oversize: [3, 4],
      made: other,
      ...more,
    });

  test.each([
    [null, "made is null, expected an object"],
    [[1], "made is [1], expected an object"],
    ["x", 'made is "x", expected an object'],
    [{}, "made has version undefined, expected 1: a later omnibal may read it"],
    [{ ...made, version: 2 }, "made has version 2, expected 1: a later omnibal may read it"],
    [{ ...made, samples: -1 }, isWhole("made.samples", -1, 0, Number.MAX_SAFE_INTEGER)],
    [{ ...made, samples: 4 }, "made of 4 samples, there are 5 in the files given"],
    [{ ...made, packing: "ABC" }, 'made.packing is "ABC", expected a fingerprint: 16 hexadecimal digits'],
    [{ ...made, packing: undefined }, "made.packing is undefined, expected a fingerprint: 16 hexadecimal digits"],
    [{ ...made, loads: { vit: 7 } }, "made.loads.vit is 7, expected a fingerprint: 16 hexadecimal digits"],
    [{ ...made, loads: [] }, "made.loads is [], expected an object"],
    [{ ...made, bounds: { vit: 9 } }, 'made.min has "tokens", which has no bound'],
    [{ ...made, bounds: { vit: 9, tokens: 0 } }, isWhole("made.bounds.tokens", 0, 1, Number.MAX_SAFE_INTEGER)],
    [{ ...made, carry: ["labels", 7] }, 'made.carry is ["labels",7], expected a list of loads'],
    [{ ...made, carry: ["a", "b", "c", "d", "e", "f", "g"] }, "made has 9 loads, expected at most 8"],
    [
      { ...made, carry: ["labels"] },
      'packed by vit, tokens, labels: there is no load "labels" among the lengths given',
    ],
    [{ ...made, align: 0 }, isWhole("made.align", 0, 1)],
    [{ ...made, min: { vit: 9, tokens: 1.5 } }, isWhole("made.min.tokens", 1.5, 0, Number.MAX_SAFE_INTEGER)],
    [{ ...made, seed: -1 }, isWhole("made.seed", -1, 0, 4294967295)],
    [{ ...made, method: 7 }, "made.method is 7, expected a name"],
    [{ ...made, rounds: "50" }, isWhole("made.rounds", '"50"')],
    [{ ...made, bounds: { vit: 8, tokens: 4096 } }, "group 0 has 9 vit, the packing's bound is 8"],
    [
      { ...made, loads: { ...made.loads, tokens: "0".repeat(16) } },
      `made of other samples, or of the files in another order: tokens was 0000000000000000, now it is ${made.loads?.tokens}`,
    ],
    [
      { ...made, packing: "0".repeat(16) },
      `cut or edited since it was made: its groups have fingerprint ${made.packing}, expected 0000000000000000`,
    ],
  ])("%j", async (other, why) => {
    expect(await refused(other)).toBe(why);
  });

  test("a load that is not at hand is not compared, and what is not known is kept", async () => {
    const loads = { ...made.loads, frames: "0123456789abcdef" };
    expect(await refused({ ...made, loads, shards: 4 })).toBe("");
    const read = await readPacking(omnibal, path, lengths);
    expect(omnibal.made(read)).toEqual({ ...made, shards: 4 });
    expect(read).toMatchObject({ method: "isf", bounds: packing.bounds });
    expect(await refused({ ...made, method: "later" })).toBe("");
    const later = await readPacking(omnibal, path, lengths);
    expect([later.method, omnibal.made(later).method]).toEqual([undefined, "later"]);
  });

  test("a number of groups that is none", async () => {
    for (const groups of ["x", 1.5, {}, -1]) {
      const seen = await refusal(() => readPacking(omnibal, path, lengths), { made, groups });
      expect(seen).toMatch(/^(groups is .*, expected a list or a number of groups|0 groups, its first line says )/);
    }
    writeFileSync(
      path,
      `${JSON.stringify({ made: omnibal.made(omnibal.pack([], { maxVit: 1, maxTokens: 1 })), groups: 0 })}\n`,
    );
    const none = { vit: new Int32Array(0), tokens: new Int32Array(0), files: [] };
    expect((await readPacking(omnibal, path, none)).length).toBe(0);
  });
});

describe("of a plan", () => {
  const plan = omnibal.plan(packing, { ranks: 2 });
  const { made } = plan;
  const refused = (other: unknown) =>
    refusal(() => readPlan(path, { fits: { omnibal, packing } }), { ranks: 2, steps: [[[0], [1]]], made: other });

  test.each([
    [null, "made is null, expected an object"],
    [{ ...made, version: 9 }, "made has version 9, expected 1: a later omnibal may read it"],
    [{ ...made, ranks: 4 }, "made.ranks is 4, its steps have 2"],
    [{ ...made, microBatch: 2 }, "made.microBatch is 2, its steps have 1"],
    [{ ...made, groups: 2 }, "made.groups is 2, expected a list"],
    [{ ...made, groups: [-2] }, isWhole("made.groups[0]", -2)],
    [{ ...made, packing: null }, "made.packing is null, expected a fingerprint: 16 hexadecimal digits"],
    [{ ...made, groups: [3] }, "made for another packing: groups 3, this packing has 2"],
    [{ ...made, groups: [1, 1] }, "made for another packing: groups 1 + 1, this packing has 2"],
    [
      { ...made, packing: "0".repeat(16) },
      `made for another packing: packing 0000000000000000, this packing has ${omnibal.made(packing).packing}`,
    ],
    [made, ""],
    [undefined, ""],
  ])("%j", async (other, why) => {
    expect(await refused(other)).toBe(why);
  });

  test("over groups without samples it is compared by their loads", async () => {
    const { length, vit, tokens } = packing;
    const bare = omnibal.plan({ length, vit, tokens }, { ranks: 2 }).made;
    expect(await refused(bare)).toBe("");
    const loads = { ...bare.loads, tokens: "0".repeat(16) };
    expect(await refused({ ...bare, loads })).toMatch(
      /^made for another packing: tokens of the groups 0{16}, this packing has [0-9a-f]{16}$/,
    );
  });
});
