// Lengths of any loads: from every format the same columns, and packings of them written and read back.
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Lengths, type LoadColumn, load, type Packing } from "../../src/index.ts";
import { type Input, openPacking, readLengths, readPacking } from "../../src/read/index.ts";
import { formats, packingFiles } from "../../src/write/index.ts";
import { npy } from "../npy-bytes.ts";

const omnibal = await load();

const LARGE = Number.MAX_SAFE_INTEGER;
const name = fc.constantFrom("patches", "tokens", "vit", "labels", "audio frames", 'a"b', "é", "x".repeat(20), "t");
const value = fc.oneof(fc.nat(70_000), fc.nat(20), fc.integer({ min: 0, max: LARGE }));
const sets = fc
  .uniqueArray(name, { minLength: 1, maxLength: 8 })
  .chain((names) =>
    fc.record({
      names: fc.constant(names),
      rows: fc.array(
        fc.oneof(fc.array(value, { minLength: names.length, maxLength: names.length }), fc.constant(null)),
        {
          minLength: 1,
          maxLength: 30,
        },
      ),
    }),
  )
  // null is a sample that is invalid.
  .map(({ names, rows }) => ({ names, rows: rows.map((row) => row ?? names.map(() => -1)) }));

/** The columns that rows are, as readers should give them. */
function columnsOf(names: readonly string[], rows: readonly (readonly number[])[]): Lengths {
  return Object.fromEntries(
    names.map((own, k) => {
      const values = rows.map((row) => row[k]);
      return [own, values.some((x) => x > 2147483647) ? Float64Array.from(values) : Int32Array.from(values)];
    }),
  );
}

/** The same rows in every format that lengths are read from. */
function inputsOf(names: readonly string[], rows: readonly (readonly number[])[]): Record<string, Input> {
  const records = rows.map((row) => Object.fromEntries(names.map((own, k) => [own, row[k]])));
  const cells = (list: readonly (string | number)[]) => list.map((cell) => `"${String(cell).replaceAll('"', '""')}"`);
  const table = (by: string) => [names, ...rows].map((row) => cells(row).join(by)).join("\r\n");
  const lines = records.map((record) => `${JSON.stringify({ extra: [1], ...record })}\n`).join("");
  const shape = `(${rows.length}, ${names.length})`;
  return {
    json: new Blob([JSON.stringify(records, null, 1)]),
    jsonl: new Blob([lines]),
    gzip: gzipSync(lines),
    csv: { name: "a.csv", data: new Blob([table(",")]) },
    tsv: { name: "a.tsv", data: new Blob([table("\t")]) },
    "npy of int64": npy(rows, { descr: "<i8", shape }),
    "npy of float64, big-endian, by columns": npy(rows, { descr: ">f8", fortran: true, shape }),
  };
}

test("every format gives the same columns, as narrow as they can be", async () => {
  await fc.assert(
    fc.asyncProperty(sets, async ({ names, rows }) => {
      const expected = columnsOf(names, rows);
      const invalid = rows.flatMap(([first], i) => (first === -1 ? [i] : []));
      for (const [format, input] of Object.entries(inputsOf(names, rows))) {
        const read = await readLengths(input, { omnibal, loads: names, columns: names });
        const { files, ...loads } = read;
        expect(loads, format).toEqual(expected);
        expect(Array.from(read.invalid), format).toEqual(invalid);
        expect(files.map(({ samples }) => samples)).toEqual([rows.length]);
      }
    }),
    { numRuns: 60 },
  );
});

const text = (line: string) => new Blob([line]);
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "none",
    (error: Error & { code?: string }) => `${error.code} ${error.message}`,
  );

describe("which fields are read", () => {
  test("vit and tokens, or their published names, each by itself", async () => {
    const { vit, tokens } = await readLengths(
      text('{"vit":1,"token_num":2}\n{"vit_num":3,"tokens":4}\n{"vit_num":9,"vit":5,"tokens":6,"token_num":9}'),
    );
    expect([[...vit], [...tokens]]).toEqual([
      [1, 3, 5],
      [2, 4, 6],
    ]);
    const table = { name: "a.csv", data: text("token_num,vit,vit_num\n1,2,3\n") };
    expect(await readLengths(table)).toMatchObject({ vit: Int32Array.of(2), tokens: Int32Array.of(1) });
  });

  test("fields by load, with their short names; what is squared is read once", async () => {
    const record = text('{"n":7,"len":9,"tokens":1,"labels":3}');
    const read = await readLengths(record, {
      loads: ["patches", "tokens", "tokens^2", "attention"],
      fields: { patches: "n" },
      tokenField: "len",
    });
    expect({ ...read }).toMatchObject({ patches: Int32Array.of(7), tokens: Int32Array.of(9) });
    expect(Object.keys(read)).toEqual(["patches", "tokens", "files"]);
  });

  test("with missing: 0 a load that a record, or a whole file, lacks is 0", async () => {
    const inputs = [
      text('{"a":1}\n{"b":2}\n{}'),
      { name: "b.csv", data: text("b\n5\n") },
      npy([[6], [7]], { descr: "<i4", shape: "(2,)" }),
    ];
    const read = await readLengths(inputs, { loads: ["a", "b"], missing: 0, columns: ["b"] });
    expect({ ...read }).toMatchObject({ a: Int32Array.of(1, 0, 0, 0, 0, 0), b: Int32Array.of(0, 2, 0, 5, 6, 7) });
    expect(await failure(readLengths(inputs[0], { loads: ["a", "b"] }))).toBe(
      "MISSING_FIELD blob: record 0, byte 0: b is missing",
    );
  });

  test("columns of a .npy: by the field's name or the load's, in any order, others skipped", async () => {
    const bytes = npy([[-7, 2, 3], [-8, 5, 6]], { descr: "<i8", shape: "(2, 3)" }); // biome-ignore format: a row each
    const fields = { patches: "n" };
    for (const columns of [
      ["id", "tokens", "n"],
      ["id", "token_num", "patches"],
    ]) {
      const read = await readLengths(bytes, { loads: ["patches", "tokens"], fields, columns });
      expect({ ...read }).toMatchObject({ patches: Int32Array.of(3, 6), tokens: Int32Array.of(2, 5) });
    }
    const asked = { loads: ["patches", "tokens"] };
    expect(await failure(readLengths(bytes, { ...asked, columns: ["a", "b", "tokens"] }))).toBe(
      "MISSING_FIELD buffer: patches is missing, the columns are a, b, tokens",
    );
    expect(await failure(readLengths(bytes, { ...asked, columns: ["patches", "tokens"] }))).toBe(
      "INVALID_FILE buffer: byte 60: shape is (2, 3), expected (n, 2)",
    );
    expect(await failure(readLengths(bytes, asked))).toContain("the columns of a .npy have no names");
    const pair = npy([[1, 2]], { descr: "<i4" });
    expect([...(await readLengths(pair, { loads: ["tokens"] })).tokens]).toEqual([2]);
  });
});

describe("options that cannot be", () => {
  test.each([
    [{ loads: [] }, "loads is [], expected 1 to 16 names"],
    [{ loads: ["a", "a"] }, 'loads has "a" twice'],
    [{ loads: [""] }, 'loads has "", expected a name of 1 to 4096 bytes'],
    [{ loads: ["a", 7] }, "loads has 7, expected a name of 1 to 4096 bytes"],
    [{ loads: "tokens" }, 'loads is "tokens", expected 1 to 16 names'],
    [{ loads: ["files"] }, 'loads has "files", which the result has for itself'],
    [{ loads: Array.from("abcdefghi") }, "loads are 9, expected at most 8"],
    [{ fields: { x: "y" } }, 'fields.x is given, but "x" is none of the loads vit, tokens'],
    [{ fields: ["x"] }, 'fields are ["x"], expected fields by load: { tokens: "token_num" }'],
    [{ fields: { vit: "" } }, 'fields.vit is "", expected a name of 1 to 4096 bytes'],
    [{ loads: ["a"], vitField: "x" }, 'vitField is given, but "vit" is none of the loads a'],
    [{ loads: ["a", "b"], fields: { a: "b" } }, 'a and b are both read from "b", expected two fields'],
    [{ missing: 1 }, "missing is 1, expected 0 or none"],
    [{ columns: ["a", "a"] }, 'columns has "a" twice'],
    [{ columns: Array.from({ length: 256 }, (_, k) => `c${k}`) }, "expected 1 to 255 names"],
    [{ collumns: ["a"] }, 'readLengths has no option "collumns": did you mean columns?'],
  ])("%j", async (options, message) => {
    expect(await failure(readLengths([], options as never))).toContain("INVALID_OPTION ");
    expect(await failure(readLengths([], options as never))).toContain(message);
  });
});

describe("samples that are -1 in every load", () => {
  test("in some loads only they are an error, in any format, at its place", async () => {
    const loads = ["a", "b"];
    for (const [format, input] of Object.entries(
      inputsOf(loads, [
        [1, 2],
        [-1, -1],
        [3, -1],
      ]),
    )) {
      const message = await failure(readLengths(input, { loads, columns: loads }));
      expect(message, format).toMatch(
        /^INVALID_LENGTH .*(record 2, byte \d+|line 4): b is "?-1"?, expected a whole number/,
      );
    }
    const negative = inputsOf(loads, [
      [-1, -1],
      [-2, -2],
    ]);
    for (const [format, input] of Object.entries(negative)) {
      expect(await failure(readLengths(input, { loads, columns: loads })), format).toMatch(/ a is "?-2"?, expected/);
    }
  });

  test("they are in no group, and every index comes back once: arrays, records, BigInts, floats", () => {
    const vit = [3, -1, 4, 20, -1, 5];
    const tokens = [30, -1, 40, 50, -1, 60];
    const bounds = { maxVit: 9, maxTokens: 4096 };
    const inputs = [
      { vit: Int32Array.from(vit), tokens: Int32Array.from(tokens) },
      { vit, tokens },
      { vit: Float64Array.from(vit), tokens: BigInt64Array.from(tokens, BigInt) },
      vit.map((own, i) => ({ vit_num: own, token_num: tokens[i] })),
    ];
    for (const lengths of inputs) {
      for (const method of ["isf", "balanced"] as const) {
        const packing = omnibal.pack(lengths, { ...bounds, method });
        expect(Array.from(packing.invalid)).toEqual([1, 4]);
        expect(Array.from(packing.oversize)).toEqual([3]);
        expect(Array.from(packing.indices).sort()).toEqual([0, 2, 5]);
        expect(packing.stats.invalid).toBe(2);
        expect(packing.lengths?.vit[1]).toBe(-1);
      }
    }
    expect(() => omnibal.pack({ vit: [1, -1], tokens: [1, 1] }, bounds)).toThrow("index 1: vit is -1");
    const partly = { vit: Int32Array.of(-1, 3, 2), tokens: Int32Array.of(-1, 3, -5) };
    expect(() => omnibal.pack(partly, bounds)).toThrow("index 2: tokens is -5");
    const all = omnibal.pack({ vit: [-1, -1], tokens: [-1, -1] }, bounds);
    expect([all.length, all.invalid.length]).toEqual([0, 2]);
  });

  test("groups are those of the other samples alone; bounds, statistics and a search leave them out", async () => {
    const n = 4000;
    const valid = {
      vit: Int32Array.from({ length: n }, (_, i) => 1 + ((i * 7919) % 12)),
      tokens: Int32Array.from({ length: n }, (_, i) => 100 + ((i * 104_729) % 3900)),
    };
    const numbers = Array.from({ length: n }, (_, i) => i + Math.floor(i / 10) + 1);
    const spread = (values: Int32Array) => {
      const all = new Int32Array(numbers[n - 1] + 2).fill(-1);
      for (const [k, number] of numbers.entries()) all[number] = values[k];
      return all;
    };
    const lengths = { vit: spread(valid.vit), tokens: spread(valid.tokens) };
    const bounds = { maxVit: 14, maxTokens: 4736 };
    for (const method of ["isf", "balanced"] as const) {
      const plain = omnibal.pack(valid, { ...bounds, method });
      const packing = omnibal.pack(lengths, { ...bounds, method });
      expect(packing.indices).toEqual(plain.indices.map((i) => numbers[i]));
      expect(packing.loads).toEqual(plain.loads);
      expect(packing.stats).toEqual({ ...plain.stats, invalid: lengths.vit.length - n });
      const background = await omnibal.packAsync(lengths, { ...bounds, method });
      expect(background.parts).toEqual(packing.parts);
    }
    expect(omnibal.lowerBound(lengths, bounds)).toEqual(omnibal.lowerBound(valid, bounds));
    expect(omnibal.suitableBounds(lengths, bounds)).toEqual(omnibal.suitableBounds(valid, bounds));
    const { invalid, ...stats } = omnibal.stats(lengths);
    expect([stats, invalid]).toEqual([omnibal.stats(valid), lengths.vit.length - n]);
    const asked = { ranks: 4, samplesPerGroup: 3, candidates: 12, workers: 0 };
    const [found, plain] = [await omnibal.search(lengths, asked), await omnibal.search(valid, asked)];
    expect(found.candidates).toEqual(plain.candidates);
    expect(found.largest?.index).toBe(numbers[plain.largest?.index ?? -1]);
  });
});

/** Files of a packing in a format, as one input. */
function inputOf(
  packing: Packing,
  lengths: Lengths,
  files: readonly { path: string; samples: number }[],
  format: string,
) {
  const tokens: LoadColumn | undefined = lengths.tokens;
  const entries = Array.from(packingFiles(omnibal, packing, { tokens, files }, format), ([own, pieces]) => {
    return [own, new Blob([...pieces] as BlobPart[])] as const;
  });
  return entries.length === 1 ? entries[0][1] : new Map(entries);
}

describe("packings of any loads", () => {
  const rows = Array.from({ length: 300 }, (_, i) => {
    if (i % 50 === 7) return [-1, -1, -1, -1];
    const patches = i % 9 === 0 ? 0 : 100 + ((i * 7919) % 9000);
    return [patches, 50 + ((i * 104_729) % 3000), (i * 31) % 700, 2 ** 33 + i];
  });
  const names = ["patches", "tokens", "labels", "large"];
  const lengths = columnsOf(names, rows);
  const files = [
    { path: "a.jsonl", samples: 120 },
    { path: "b.jsonl", samples: 0 },
    { path: "c.jsonl", samples: 180 },
  ];
  const options = [
    { max: { patches: 20_000, tokens: 8192 }, carry: ["labels"] },
    { max: { patches: 9000, tokens: 8192, "tokens^2": 2e7 }, carry: ["large", "labels"], align: 64 },
    { max: { tokens: 2800 }, method: "balanced" as const },
    { max: { large: 3 * 2 ** 33 }, carry: ["patches", "tokens"] },
  ];

  test.each(options)("%j: every format gives them back", async (own) => {
    const packing = omnibal.pack(lengths, own);
    expect(packing.invalid.length).toBe(6);
    for (const { name: format } of formats) {
      if (format === "xtuner" && !packing.names.includes("tokens")) continue;
      const opened = await openPacking(inputOf(packing, lengths, files, format));
      expect(opened.loads).toEqual(packing.names);
      const read = opened.against(omnibal, { ...lengths, files });
      for (const key of ["offsets", "indices", "oversize", "invalid", "bounds", "method", "settings"] as const) {
        expect(read[key], `${format} ${key}`).toEqual(packing[key]);
      }
      for (const load of packing.names) expect([...read.loads[load]], load).toEqual([...packing.loads[load]]);
      expect(omnibal.made(read)).toEqual(omnibal.made(packing));
      expect(read.stats.fill).toEqual(packing.stats.fill);
    }
  });

  test("a plan and an evaluation are the same for what was read", async () => {
    const packing = omnibal.pack(lengths, options[0]);
    const read = await readPacking(omnibal, inputOf(packing, lengths, files, "jsonl"), { ...lengths, files });
    const seen = (of: Packing) =>
      omnibal.evaluate(
        { length: of.length, vit: of.loads.patches as Int32Array, tokens: of.tokens },
        { sampler: "random", ranks: 4 },
      );
    expect(seen(read)).toEqual(seen(packing));
  });

  test("what does not fit is refused: a load that is not there, other values, a sample that is invalid or is not", async () => {
    const packing = omnibal.pack(lengths, options[0]);
    const json = inputOf(packing, lengths, files, "json") as Blob;
    const read = (own: Lengths, input: Blob = json) => failure(readPacking(omnibal, input, { ...own, files }));
    const { labels, ...others } = lengths;
    expect(await read(others)).toContain('packed by patches, tokens, labels: there is no load "labels" among');
    expect(await read({ ...others, labels: labels.map((x, i) => x + Number(i === 9)) as Int32Array })).toContain(
      "labels was ",
    );
    const plain = JSON.parse(await json.text());
    const edited = (change: (parsed: typeof plain) => void) => {
      const { made: _, ...copy } = structuredClone(plain);
      change(copy);
      return new Blob([JSON.stringify(copy)]);
    };
    expect(
      await read(
        lengths,
        edited((own) => void own.groups[0].push(7)),
      ),
    ).toContain("invalid: sample 7 is in group 0 already");
    const without = edited((own) => {
      delete own.invalid;
      own.groups[0].push(7);
    });
    expect(await read(lengths, without)).toContain("group 0: sample 7 is invalid, -1 in every load");
    const moved = edited((own) => void own.invalid.push(own.groups[0].pop()));
    expect(await read(lengths, moved)).toMatch(/invalid: sample \d+ is not, it has loads/);
    // Of a tool that knows no invalid samples they are those that are.
    const foreign = await readPacking(omnibal, new Blob(["[[0,1],[2]]"]), { ...lengths, files });
    expect([...foreign.invalid]).toEqual([...packing.invalid]);
  });
});

test("statistics of any loads, exact up to 2^53 - 1", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
      const a = Float64Array.from(values);
      const { loads, samples } = omnibal.loadStats({ a, b: Int32Array.from(values, (x) => x % 1000) });
      const sorted = [...values].sort((x, y) => x - y);
      const rank = (p: number) => sorted[Math.max(Math.ceil((p * values.length) / 100), 1) - 1];
      expect(samples).toBe(values.length);
      expect([loads.a.min, loads.a.p5, loads.a.p50, loads.a.p99, loads.a.max]).toEqual([0, 5, 50, 99, 100].map(rank));
      expect(loads.b.max).toBe(Math.max(...values.map((x) => x % 1000)));
    }),
    { numRuns: 200 },
  );
  expect(() => omnibal.loadStats({ a: Int32Array.of(3, -2) })).toThrow("index 1: a is -2");
});
