import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { VitTokens } from "../../src/core/lengths.ts";
import { load, type Packing } from "../../src/index.ts";
import { type PackedLengths, readPacking, readPlan } from "../../src/read/index.ts";
import { formats, planFormats, writeAs } from "../../src/write/index.ts";
import { testFolder } from "../folder.ts";
import { npy } from "../npy-bytes.ts";
import { samples } from "../samples.ts";

const folder = testFolder();
const omnibal = await load();

function lengthsOf(vit: ArrayLike<number>, tokens: ArrayLike<number>, sizes = [vit.length]): VitTokens & PackedLengths {
  return {
    vit: Int32Array.from(vit),
    tokens: Int32Array.from(tokens),
    files: sizes.map((own, i) => ({ path: `part ${i}.json`, samples: own })),
  };
}

const small = lengthsOf([5, 0, 9, 12, 4], [2000, 1558, 93, 93, 5000], [2, 0, 3]);

/** The groups, their sums and the oversize samples, as plain values. */
const plain = ({ vit, tokens, attention, oversize, ...packing }: Packing) => ({
  groups: Array.from({ length: packing.length }, (_, g) =>
    Array.from(packing.indices.subarray(packing.offsets[g], packing.offsets[g + 1])),
  ),
  sums: [vit, tokens, attention].map((sums) => Array.from(sums ?? [])),
  oversize: Array.from(oversize),
});

let files = 0;
function file(text: string): string {
  const path = join(folder, `${++files}.json`);
  writeFileSync(path, text);
  return path;
}

const read = (text: string, lengths = small) => readPacking(omnibal, file(text), lengths);

/** The message of the error that reading `text` ends with, without the path. */
async function refusal(text: string, lengths = small): Promise<string> {
  const path = file(text);
  const error = await readPacking(omnibal, path, lengths).catch((error: unknown) => error);
  expect(error).toMatchObject({ name: "InputError", code: "INVALID_FILE" });
  const { message } = error as Error;
  expect(message.startsWith(`${path}: `)).toBe(true);
  expect(message).not.toContain("\n");
  return message.slice(path.length + 2);
}

describe("what pack writes is read back", () => {
  test.each(formats.map(({ name }) => name))("%s, of any lengths and bounds", async (name) => {
    const format = formats.find((candidate) => candidate.name === name)!;
    const sample = fc.tuple(fc.nat(20), fc.nat(6000));
    await fc.assert(
      fc.asyncProperty(fc.array(sample, { maxLength: 60 }), fc.integer({ min: 1, max: 30 }), async (rows, maxVit) => {
        const vit = rows.map(([v]) => v);
        const tokens = rows.map(([, t]) => t);
        const cut = Math.floor(rows.length / 3);
        const lengths = lengthsOf(vit, tokens, [cut, 0, rows.length - cut]);
        const packing = omnibal.pack(lengths, { maxVit, maxTokens: 4096, rounds: 2 });
        const out = join(folder, `round-${name}`);
        await writeAs(format, { core: omnibal.core, packing, ...lengths }, out);
        expect(plain(await readPacking(omnibal, out, lengths))).toEqual(plain(packing));
      }),
      { numRuns: 25 },
    );
  });

  test.each(formats.map(({ name }) => name))("%s, of more than a piece", async (name) => {
    const format = formats.find((candidate) => candidate.name === name)!;
    const { vit, tokens } = samples("tiled:200000");
    const lengths = lengthsOf(vit, tokens);
    const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 1400, rounds: 2 });
    expect(packing.oversize.length).toBeGreaterThan(1000);
    const out = join(folder, `long-${name}`);
    await writeAs(format, { core: omnibal.core, packing, ...lengths }, out);
    let last = [0, 0];
    const seen = await readPacking(omnibal, out, lengths, { onProgress: (done, total) => (last = [done, total]) });
    expect(seen.indices).toEqual(packing.indices);
    expect(seen.offsets).toEqual(packing.offsets);
    expect(seen.oversize).toEqual(packing.oversize);
    expect(seen.attention).toEqual(packing.attention);
    expect(last[0]).toBeGreaterThan(400_000);
    // Not the header of an .npy, or paths.json in part.
    expect(last[1] - last[0]).toBeLessThan(1000);
  });

  test("one group larger than a piece", async () => {
    const n = 100_000;
    const lengths = lengthsOf(new Int32Array(n).fill(1), new Int32Array(n).fill(2));
    const seen = await read(`[[${Array.from({ length: n }, (_, i) => i).join(", ")}]]`, lengths);
    expect([seen.length, seen.vit[0], seen.tokens[0], seen.attention?.[0]]).toEqual([1, n, 2 * n, 4 * n]);
  });
});

describe("what others write", () => {
  const groups = [[2], [0, 1]];

  test.each([
    ["a bare list", "[[2],[0,1]]"],
    ["an object", '{"groups":[[2],[0,1]]}'],
    ["white space", ' \n{ "groups" : [ [ 2 ] , [ 0 ,\t1 ] ]\r\n}\n '],
    ["members that nobody asked for", '{"v":{"a":[1,"]}\\"",null]},"groups":[[2],[0,1]],"n":-1.5e3,"t":true}'],
    ["lines", '{"group":[2]}\n\n{"group":[0,1],"tokens":3}'],
    ["lines, one after another", '{"group":[2]}{"x":"é","group":[0,1]}'],
  ])("%s", async (_, text) => {
    expect(plain(await read(text))).toEqual({
      groups,
      sums: [
        [9, 5],
        [93, 3558],
        [8649, 6427364],
      ],
      oversize: [],
    });
  });

  test("members in any order", async () => {
    const seen = await read('{"oversize":[4],"stats":{"bound":2},"groups":[[2],[0,1]]}');
    expect([plain(seen).groups, plain(seen).oversize, seen.bound]).toEqual([groups, [4], 2]);
  });

  test("nothing: an empty file, an empty list, no groups", async () => {
    for (const text of ["", "[]", '{"groups":[]}', '{"oversize":[3]}']) expect((await read(text)).length).toBe(0);
  });

  test("bounds are those of the file, or what its groups reach", async () => {
    expect((await read("[[2],[0,1]]")).bounds).toMatchObject({ maxVit: 9, maxTokens: 3558 });
    const seen = await read('{"groups":[[2],[0,1]],"stats":{"maxVit":10,"maxTokens":4096,"bound":2,"rounds":3}}');
    expect(seen).toMatchObject({ bounds: { maxVit: 10, maxTokens: 4096 }, bound: 2, rounds: 3 });
    expect(await refusal('{"groups":[[2],[0,1]],"stats":{"maxTokens":3557}}')).toBe(
      "group 1 has 3558 tokens, the packing's bound is 3557",
    );
  });

  test(".npy of any whole numbers, and no oversize.npy", async () => {
    for (const descr of ["<i8", ">i8", "<i4", "<u2", "|u1", "<u8"]) {
      const out = join(folder, `npy ${descr.replaceAll(/\W/g, "_")}`);
      mkdirSync(out, { recursive: true });
      const rows = (values: number[]) =>
        npy([values as unknown as [number, number]], { descr, shape: `(${values.length},)` });
      writeFileSync(join(out, "offsets.npy"), rows([0, 1, 3]));
      writeFileSync(join(out, "indices.npy"), rows([2, 0, 1]));
      expect(plain(await readPacking(omnibal, out, small)).groups).toEqual(groups);
    }
  });
});

describe("what is refused, and where", () => {
  test.each([
    ["[[0],[1,5]]", "group 1: sample 5, there are 5"],
    ["[[0],[1,0]]", "group 1: sample 0 is in group 0 already"],
    ["[[3,3]]", "group 0: sample 3 is in group 0 already"],
    ['{"groups":[[0]],"oversize":[1,0]}', "oversize: sample 0 is in group 0 already"],
    ["[[0],[]]", "group 1 is empty"],
    ["[[0],[1,-1]]", "byte 8: found another number, expected a whole number from 0 to 2147483647, written as digits"],
    ["[[0],[1.0]]", "byte 6: found another number, expected a whole number from 0 to 2147483647, written as digits"],
    ["[[00]]", "byte 2: found another number, expected a whole number from 0 to 2147483647, written as digits"],
    ["[[4294967296]]", "byte 2: found another number, expected a whole number from 0 to 2147483647, written as digits"],
    ["[[0 1]]", "byte 4: found 1, expected a comma or the end of the list: , or ]"],
    ["[[0,]]", "byte 4: found ], expected a whole number from 0 to 2147483647, written as digits"],
    ["[0]", "byte 1: found 0, expected a list of whole numbers: ["],
    ["[[0]", "byte 4: the file ends, expected a comma or the end of the list: , or ]"],
    ["[[0", "byte 3: the file ends, expected ]"],
    ["[[0]]]", "byte 5: found ], expected the end of the file"],
    ["[[0]],", "byte 5: found ,, expected the end of the file"],
    ["7", "byte 0: found 7, expected a packing: { or ["],
    ['{"groups":[[0]],}', "byte 16: found }, expected a name in double quotes"],
    ['{"groups":[[0]],"stats":{]}', "byte 24: not a JSON value"],
    ['{"groups":[[0]],"stats":{', "byte 25: the file ends, expected the rest of the value"],
    ['{"groups":[[0]],"groups":[]}', "byte 25: a second list of groups"],
    ['{"steps":[]}', 'no "groups" and no "group" in it, expected a packing'],
  ])("%s", async (text, why) => {
    expect(await refusal(text)).toBe(why);
  });

  test("a sum above 53 bits; one above 31 is none", async () => {
    const lengths = lengthsOf([1, 1], [2147483647, 1]);
    expect((await read("[[0,1]]", lengths)).loads.tokens).toEqual(Float64Array.of(2147483648));
    expect((await read("[[0],[1]]", lengths)).tokens[0]).toBe(2147483647);
    const wide = { ...lengths, tokens: Float64Array.of(Number.MAX_SAFE_INTEGER, 1) };
    expect(await refusal("[[0,1]]", wide as never)).toBe("group 0 has more than 9007199254740991 tokens");
  });

  test("a folder that is none of a packing, and none at all", async () => {
    const out = join(folder, "strange");
    mkdirSync(out);
    await expect(readPacking(omnibal, out, small)).rejects.toThrow("neither offsets.npy nor boundaries.npy");
    await expect(readPacking(omnibal, join(folder, "none"), small)).rejects.toThrow("none: no such file");
    const rows = (values: number[], shape = `(${values.length},)`) =>
      npy([values as unknown as [number, number]], { descr: "<i8", shape });
    const refused = async (offsets: Uint8Array, indices: Uint8Array) => {
      writeFileSync(join(out, "offsets.npy"), offsets);
      writeFileSync(join(out, "indices.npy"), indices);
      return readPacking(omnibal, out, small).then(
        () => "",
        (error: Error) => error.message.slice(out.length),
      );
    };
    expect(await refused(rows([0, 2]), rows([0]))).toBe(": offsets run from 0 to 2, expected 0 to 1");
    expect(await refused(rows([0, 2, 1]), rows([0]))).toBe(": offset 2 is 1, below the one before it");
    expect(await refused(rows([]), rows([]))).toBe(": no offsets, expected at least one");
    expect(await refused(rows([0, 1]), rows([2 ** 40]))).toBe("/indices.npy: value 0 is beyond 32 bits");
    expect(await refused(rows([0, 1]), rows([0], "(2,)"))).toBe("/indices.npy: the file ends after 1 of 2 values");
    expect(await refused(rows([0, 1]), rows([0, 1], "(1,)"))).toBe("/indices.npy: more than the 1 values announced");
    expect(await refused(rows([0, 1]), rows([0, 1], "(1, 2)"))).toBe(
      "/indices.npy: shape is (1, 2), expected 1 dimensions",
    );
    expect(await refused(rows([0, 1]), npy([[0, 0]], { descr: "<f8" }))).toBe(
      "/indices.npy: descr is <f8, expected whole numbers of 1 to 8 bytes",
    );
    expect(await refused(rows([0, 1]), new Uint8Array(3))).toBe(
      "/indices.npy: not a .npy file of version 1.0, 2.0 or 3.0",
    );
  });

  test(".npy headers with rubbish, misspelt or doubled entries, or more values than there are", async () => {
    const out = join(folder, "headers");
    mkdirSync(out);
    const array = (dict: string) => npy([[0, 1] as [number, number]], { descr: "<i8", dict });
    writeFileSync(join(out, "indices.npy"), array("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }"));
    const refused = async (dict: string) => {
      writeFileSync(join(out, "offsets.npy"), array(dict));
      return readPacking(omnibal, out, small).then(
        () => "",
        (error: Error) => error.message.slice(out.length + 1),
      );
    };
    // Offsets 0 and 1 for two indices: read, and refused for that.
    for (const dict of [
      "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
      "{'shape':(2,),'descr':\"<i8\",'fortran_order':True}",
      " { 'fortran_order' : False , 'shape' : ( 2 , ) , 'descr' : '<i8' , } ",
    ]) {
      expect(await refused(dict)).toMatch(/offsets run from 0 to 1, expected 0 to 2$/);
    }
    for (const dict of [
      "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), } rubbish",
      "rubbish {'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
      "{'descr': '<i8', 'fortran_ordre': False, 'shape': (2,), }",
      "{'descr': '<i8', 'fortran_order': Maybe, 'shape': (2,), }",
      "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), 'shape': (2,), }",
      "{'descr': '<i8', 'fortran_order': False 'shape': (2,), }",
      "{'descr': '<i8', 'fortran_order': False, 'shape': (2 2), }",
      "{'descr': '<i8', 'fortran_order': False, 'shape': (-2,), }",
    ]) {
      expect(await refused(dict), dict).toBe("offsets.npy: the .npy header is not as numpy writes it");
    }
    expect(await refused("{'descr': '<i8', 'shape': (2,), }")).toBe(
      "offsets.npy: the .npy header has no fortran_order",
    );
    expect(await refused("{'descr': [('a', '<i8')], 'fortran_order': False, 'shape': (2,), }")).toBe(
      "offsets.npy: descr is [('a', '<i8')], expected whole numbers of 1 to 8 bytes",
    );
    // 8 GB, were they made before they are there.
    expect(await refused("{'descr': '<i8', 'fortran_order': False, 'shape': (2147483647,), }")).toBe(
      "offsets.npy: the file ends after 2 of 2147483647 values",
    );
  });

  test("an XTuner folder of another tool, of other files, or of other lengths", async () => {
    const out = join(folder, "xtuner");
    const format = formats.find(({ name }) => name === "xtuner")!;
    const packing = omnibal.pack(small, { maxVit: 9, maxTokens: 4096 });
    await writeAs(format, { core: omnibal.core, packing, ...small }, out);
    rmSync(join(out, "packing.json"));
    const read = (lengths: PackedLengths) => readPacking(omnibal, out, lengths);
    expect(plain(await read(small))).toEqual(plain(packing));
    await expect(read({ ...small, files: [{ path: "x", samples: 5 }] })).rejects.toThrow(
      'paths.json: names "part 0.json", which is not among the files given',
    );
    const tokens = Int32Array.from(small.tokens, (t, i) => (i === 1 ? 7 : t));
    await expect(read({ ...small, tokens })).rejects.toThrow(
      "samples.npy: row 2: 1558 tokens, sample 1 has 7: packed from other lengths",
    );
    // In another order, the samples have other indices, and are the same.
    const turned = lengthsOf([9, 12, 4, 5, 0], [93, 93, 5000, 2000, 1558]);
    const other = { ...turned, files: [2, 1, 0].map((i) => small.files[i]) };
    expect(plain(await read(other)).groups).toEqual([[0], [3, 4]]);
  });

  test("an XTuner folder of ours: what its files are called does not matter, which samples they have does", async () => {
    const out = join(folder, "xtuner-made");
    const format = formats.find(({ name }) => name === "xtuner")!;
    const packing = omnibal.pack(small, { maxVit: 9, maxTokens: 4096 });
    await writeAs(format, { core: omnibal.core, packing, ...small }, out);
    const read = (lengths: PackedLengths) => readPacking(omnibal, out, lengths);
    const renamed = { ...small, files: [{ path: "all.json", samples: 5 }] };
    expect(plain(await read(renamed))).toEqual(plain(packing));
    const head = join(out, "packing.json");
    const refused = async (lengths: PackedLengths) => {
      const error = (await read(lengths).catch((error: unknown) => error)) as Error;
      return error.message.replace(head, "").replaceAll(/[0-9a-f]{16}/g, "#");
    };
    const tokens = Int32Array.from(small.tokens, (t, i) => (i === 1 ? 7 : t));
    const others = ": made of other samples, or of the files in another order:";
    expect(await refused({ ...small, tokens })).toBe(`${others} tokens was #, now it is #`);
    // The names and tokens alone would have found these: vit, which the rows do not have, is another.
    const vit = Int32Array.from(small.vit, (v, i) => (i === 0 ? v - 1 : v));
    expect(await refused({ ...small, vit })).toBe(`${others} vit was #, now it is #`);
    const turned = lengthsOf([9, 12, 4, 5, 0], [93, 93, 5000, 2000, 1558]);
    expect(await refused({ ...turned, files: [2, 1, 0].map((i) => small.files[i]) })).toBe(
      `${others} vit was #, now it is #`,
    );
    const text = readFileSync(head, "utf8");
    const withFiles = (files: string) => writeFileSync(head, text.replace(/"files":.*\]/, `"files":${files}`));
    withFiles('[{"samples":5}]');
    expect(await refused(small)).toBe(': files is [{"samples":5}], expected one per path, 3');
    withFiles('[{"samples":2},{"samples":1.5},{}]');
    expect(await refused(small)).toBe(": files[1].samples is 1.5, expected a number of samples");
    withFiles('[{"samples":2},{"samples":0},{"samples":4}]');
    expect(await refused(small)).toBe(": its files have 6 samples, expected 5");
  });

  test("an abort", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(readPacking(omnibal, file("[[0]]"), small, { signal })).rejects.toThrow("enough");
  });
});

describe("plans", () => {
  const lengths = lengthsOf(samples("tiled:1000").vit, samples("tiled:1000").tokens);
  const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096 });

  test.each(["json", "npy"])("%s, of any shape", async (name) => {
    const format = planFormats.find((candidate) => candidate.name === name)!;
    const size = fc.integer({ min: 1, max: 5 });
    const tail = fc.constantFrom("drop" as const, "repeat" as const, "short" as const);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 300 }), size, size, tail, async (ranks, microBatch, spSize, tail) => {
        // Where nothing is left of an epoch there is no plan.
        fc.pre(tail !== "drop" || Math.ceil(packing.length / spSize) >= ranks * microBatch);
        const plan = omnibal.plan(packing, { ranks, microBatch, spSize, tail });
        const out = join(folder, `plan-${name}`);
        await writeAs(format, { core: omnibal.core, packing, plan, ...lengths }, out);
        const seen = await readPlan(out);
        // A team has its places together and no hole; a short step's holes are at the end of a rank's list.
        const { order, made, ...sizes } = seen;
        expect(sizes).toEqual({ ranks, microBatch, spSize });
        expect(made).toEqual(plan.made);
        expect(order).toEqual(plan.order);
        expect(omnibal.evaluatePlan(packing, seen).vitDist).toBe(plan.stats.vitDist);
      }),
      { numRuns: 25 },
    );
  });

  test.each([
    ['{"ranks":2,"steps":[[[0],[1]],[[2]]]}', "step 1 has 1 ranks, expected 2"],
    ['{"steps":[]}', "ranks is undefined, expected a whole number from 1 to 2147483647"],
    ['{"ranks":2}', 'no "steps" in it, expected a plan'],
    ['{"ranks":1,"steps":[[[0,1]]],"stats":{"microBatch":1}}', "a rank has 2 groups, expected at most 1"],
    [
      '{"ranks":1,"steps":[[[x]]]}',
      "byte 22: found x, expected a whole number from 0 to 2147483647, written as digits",
    ],
  ])("%s is refused", async (text, why) => {
    const path = file(text);
    await expect(readPlan(path)).rejects.toThrow(`${path}: ${why}`);
  });

  test("a plan from elsewhere: ranks and steps are enough", async () => {
    const path = file('{"ranks":2,"steps":[[[0,1],[2]],[[3],[]]]}');
    expect(await readPlan(path)).toEqual({
      ranks: 2,
      microBatch: 2,
      spSize: 1,
      order: Int32Array.of(0, 1, 2, -1, 3, -1, -1, -1),
    });
  });
});
