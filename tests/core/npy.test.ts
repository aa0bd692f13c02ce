import { describe, expect, test } from "vitest";
import { npy } from "../npy-bytes.ts";
import { abi, bytesOf, putNames, read, readColumns, readEveryWay } from "./reading.ts";

const rows = [
  [1, 20],
  [0, 127],
  [5, 3],
] as const;
const good = { status: 0, vit: [1, 0, 5], tokens: [20, 127, 3] };
const descrs = ["|i1", "|u1", "=i4"];
for (const order of "<>")
  for (const type of ["i2", "i4", "i8", "u2", "u4", "u8", "f4", "f8"]) descrs.push(order + type);

describe.each(descrs)("%s", (descr) => {
  test.each([false, true])("cut at every byte, Fortran order: %s", (fortran) => {
    expect(readEveryWay(npy(rows, { descr, fortran }))).toEqual(good);
  });
});

test.each([1, 2, 3] as const)("version %s.0", (version) => {
  expect(readEveryWay(npy(rows, { descr: "<i4", version }))).toEqual(good);
});

test.each([
  "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 2)}",
  "{'shape':(3,2),'descr':\"<i4\",'fortran_order':False}",
  " { 'fortran_order' : False , 'shape' : ( 3 , 2 , ) , 'descr' : '<i4' , } ",
])("a header as others write it: %s", (dict) => {
  expect(readEveryWay(npy(rows, { descr: "<i4", dict }))).toEqual(good);
});

test.each([false, true])("no samples, Fortran order: %s", (fortran) => {
  expect(readEveryWay(npy([], { descr: "<i8", fortran }))).toEqual({ status: 0, vit: [], tokens: [] });
});

test.each(["<i4", ">i8", "<u4", ">u8", "<f8", ">f8"])("the largest value of 31 bits as %s", (descr) => {
  expect(read(npy([[2147483647, 2147483647]], { descr })).tokens).toEqual([2147483647]);
});

describe("values above 31 bits", () => {
  test.each<[string, number]>([
    ["<u4", 4294967295],
    [">u4", 2147483648],
    ["<i8", 2 ** 53 - 1],
    [">i8", 2 ** 32],
    ["<u8", 2 ** 53 - 1],
    ["<f4", 2 ** 52],
    ["<f8", 2 ** 53 - 1],
    [">f8", 2147483648],
  ])("%s %d, among others", (descr, large) => {
    for (const fortran of [false, true]) {
      const rows = [[1, large], [large, 2], [3, 4], [large, large]]; // biome-ignore format: a row each
      const expected = { status: 0, vit: [1, large, 3, large], tokens: [large, 2, 4, large] };
      expect(readEveryWay(npy(rows, { descr, fortran }))).toEqual(expected);
    }
  });
});

describe("-1", () => {
  test.each(["|i1", "<i2", ">i4", "<i4", "<i8", ">i8", "<f4", ">f8"])("as %s is kept and counted", (descr) => {
    for (const fortran of [false, true]) {
      const answer = readEveryWay(npy([[1, 2], [-1, -1], [-1, 3]], { descr, fortran })); // biome-ignore format: a row
      expect(answer).toEqual({ status: 0, vit: [1, -1, -1], tokens: [2, -1, 3] });
    }
  });

  test("the host refuses one that is not in all columns, and the error is where it is", () => {
    for (const fortran of [false, true]) {
      const bytes = npy([[1, 2], [-1, -1], [7, -1]], { descr: "<i4", fortran }); // biome-ignore format: a row
      const top = abi.mark();
      const reader = abi.readerBegin(...putNames(abi, ["vit_num", "token_num"]), bytes.length, 0);
      new Uint8Array(abi.memory.buffer, abi.readerBuffer(reader) >>> 0, bytes.length).set(bytes);
      expect(abi.readerPush(reader, bytes.length)).toBe(0);
      expect(abi.readerEnd(reader)).toBe(0);
      expect(abi.readerMinuses(reader)).toBe(3);
      expect(abi.readerRefuse(reader, 2, 1)).toBe(9);
      const at = abi.readerBuffer(reader) >>> 0;
      const text = new Uint8Array(abi.memory.buffer, at, abi.readerErrorText(reader, 1, at)).slice();
      expect(new TextDecoder().decode(text)).toBe(
        `record 2, byte ${bytes.length - 4}: token_num is -1, expected a whole number from 0 to 9007199254740991, written as digits`,
      );
      abi.release(top);
    }
  });
});

describe("a table of more columns", () => {
  const rows = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]; // biome-ignore format: a row each

  test("those of a name are taken, others skipped whatever is in them", () => {
    for (const descr of ["<i8", "<i4", ">i2", "<f8"]) {
      for (const fortran of [false, true]) {
        const bytes = npy(rows.map(([a, ...rest]) => [-a, ...rest]), { descr, fortran, shape: "(3, 4)" }); // biome-ignore format: one
        const how = { columnsOf: [0, 0, 1], table: [255, 2, 255, 1] };
        for (const cuts of [[], Array.from(bytes, (_, i) => i)]) {
          expect(readColumns(bytes, cuts, ["a", "b", "c"], how)).toEqual({ status: 0, columns: [[4, 8, 12], [2, 6, 10]] }); // biome-ignore format: one
        }
        const first = readColumns(bytes, [], ["c"], { table: [0, 255, 255, 255] });
        expect(first).toMatchObject({ status: 9, index: 1, seen: "-5" });
      }
    }
  });

  test("one column may be of shape (n,) or (n, 1)", () => {
    for (const shape of ["(3,)", "(3, 1)"]) {
      const bytes = npy([[4], [5], [6]], { descr: "<i8", shape });
      expect(readColumns(bytes, [], ["a"])).toEqual({ status: 0, columns: [[4, 5, 6]] });
    }
  });

  test("a column twice, a name that is not there, none at all, or too many are refused", () => {
    for (const table of [[0, 0], [0, 2], [255, 255], [], Array.from({ length: 256 }, () => 0)]) {
      expect(readColumns(npy([], { descr: "<i8" }), [], ["a", "b"], { table }).status, String(table)).toBe(2);
    }
  });
});

describe("values that are no lengths", () => {
  test.each<[string, number | bigint, string]>([
    ["|i1", -2, "-2"],
    ["|i1", -128, "-128"],
    [">i2", -32768, "-32768"],
    ["<i4", -2147483648, "-2147483648"],
    ["<i8", -3, "-3"],
    [">i8", -(2n ** 63n), "-9223372036854775808"],
    ["<i8", 2n ** 53n, "9007199254740992"],
    [">i8", 2n ** 63n - 1n, "9223372036854775807"],
    ["<u8", 2n ** 64n - 1n, "18446744073709551615"],
    ["<f8", Number.NaN, "NaN"],
    ["<f4", Number.NaN, "NaN"],
    [">f8", Number.POSITIVE_INFINITY, "inf"],
    ["<f4", Number.NEGATIVE_INFINITY, "-inf"],
    ["<f8", 1.5, "1.5"],
    ["<f8", -2, "-2"],
    ["<f8", 2.0625, "2.0625"],
    ["<f8", 1e-12, "0.0"],
    ["<f8", 2 ** 53, "9007199254740992"],
    ["<f4", 2 ** 53, "9007199254740992"],
    ["<f8", -0.5, "-0.5"],
    ["<f8", 1e300, "1e+300"],
  ])("%s %s", (descr, value, seen) => {
    const width = Number(descr[2]);
    const inVit = npy(
      [
        [1, 2],
        [value, 3],
      ],
      { descr },
    );
    const at = inVit.length - 4 * width;
    expect(readEveryWay(inVit)).toMatchObject({ status: 9, index: 1, field: 0, seen, offset: at + 2 * width });
    const inTokens = npy(
      [
        [1, 2],
        [3, value],
      ],
      { descr, fortran: true },
    );
    expect(readEveryWay(inTokens)).toMatchObject({ status: 9, index: 1, field: 1, seen, offset: at + 3 * width });
    expect(readEveryWay(inTokens).vit).toEqual([1, 3]);
  });
});

describe("files that are none", () => {
  test("cut short: at every length", () => {
    for (const fortran of [false, true]) {
      const whole = npy(rows, { descr: "<i2", fortran });
      for (let n = 1; n < whole.length; n++) {
        expect(read(whole.subarray(0, n), [n >> 1])).toMatchObject({ status: 6, offset: n, expected: 18 });
      }
    }
  });

  test("too long", () => {
    const whole = npy(rows, { descr: "<i4" });
    const long = Buffer.concat([whole, bytesOf("!x")]);
    expect(readEveryWay(long)).toMatchObject({ status: 11, offset: whole.length, index: 3, seen: "!" });
  });

  test.each([
    ["another magic", [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x58, 1, 0], 0],
    ["version 4.0", [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 4, 0], 0],
    ["version 1.1", [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 1], 0],
    ["version 0.0", [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 0, 0], 0],
    ["no header", [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 0, 0], 8],
    ["a header of 4 GiB", [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 255, 255, 255, 255], 8],
  ])("%s", (_, bytes, offset) => {
    expect(readEveryWay(Uint8Array.from([...bytes]))).toMatchObject({ status: 12, offset });
  });

  test.each([
    "",
    "[]",
    "{",
    "{'descr': '<i4'}",
    "{'descr': '<i4', 'fortran_order': False}",
    "{'x': 1}",
    "{'descr' '<i4'}",
    "{'descr': '<i4', 'fortran_order': Maybe, 'shape': (3, 2)}",
    "{'descr': '<i4' 'shape': (3, 2)}",
    "{'fortran_order': Fals, 'shape': (3, 2), 'descr': '<i4'}",
    "{'descr",
    "{'descr':",
    "{'fortran_order': T",
    // All of it counts, not only what is looked for.
    "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 2), } rubbish",
    "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 2), }}",
    "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 2), }\0",
    "{'descr': '<i4', 'fortran_ordre': False, 'shape': (3, 2), }",
    "{'descr': '<i4', 'flippantorder': False, 'shape': (3, 2), }",
    "{'dtype': '<i4', 'fortran_order': False, 'shape': (3, 2), }",
    "{'descr': '<i4', 'fortran_order': False, 'sizes': (3, 2), }",
    "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 2), 'shape': (3, 2), }",
    "{'descr': '<i4', 'fortran_order': Falsehood, 'shape': (3, 2), }",
  ])("header %j", (dict) => {
    expect(readEveryWay(npy(rows, { descr: "<i4", dict })).status).toBe(12);
  });

  test.each(["<f2", "<c8", "|b1", "|S4", "<U4", "|O8", "<i3", "<f1", "<i16", "i4", "*i4", ""])("dtype %s", (descr) => {
    const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (3, 2), }`;
    expect(readEveryWay(npy(rows, { descr: "<i4", dict }))).toMatchObject({ status: 13, seen: `'${descr}'` });
  });

  test("named fields", () => {
    const dict = "{'descr': [('vit', '<i4'), ('tokens', '<i4')], 'fortran_order': False, 'shape': (3,), }";
    expect(readEveryWay(npy(rows, { descr: "<i4", dict }))).toMatchObject({ status: 13, offset: 20 });
  });

  test.each([
    "(3,)",
    "()",
    "(3, 3)",
    "(2, 3)",
    "(3, 2, 1)",
    "(3, 25)",
    "(2147483648, 2)",
    "(99999999999999999999, 2)",
    "(1 0, 2)",
    "(-1, 2)",
  ])("shape %s", (shape) =>
    expect(readEveryWay(npy(rows, { descr: "<i4", shape }))).toMatchObject({ status: 14, seen: shape }),
  );
});
