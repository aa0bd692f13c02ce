import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { npy } from "../npy-bytes.ts";
import { abi, bytesOf, putNames, read, readColumns, readEveryWay } from "./reading.ts";

const nasty = `\uFEFF [ {"vit_num":1,"token_num":20}\r\n,\t{ "x" : [ ] , "token_num" : 2147483647 , "deep":{"a":[[{"b":{}},
  "\\u00e9\\\\\\"",-0.5e-3,1E+9,true,false,null,0]],"vit_num":"no","token_num":-1}, "vit_num" : 5.00 },
{"vit\\u005fnum":7,"token_num":1,"token_num":2,"é\u{1F600}":"long text, longer than sixteen bytes é ]}","":0}
,{"token_num":0,"vit_num":0.0,"a":-0,"b":10.25,"c":5e0}] \n`;
const nastyVit = [1, 5, 7, 0];
const nastyTokens = [20, 2147483647, 2, 0];

describe("documents", () => {
  test("a nasty one, cut at every byte", () => {
    expect(readEveryWay(bytesOf(nasty))).toEqual({ status: 0, vit: nastyVit, tokens: nastyTokens });
  });

  test("the same as lines", () => {
    const lines = '{"vit_num":1,"token_num":2}\n\n  {"token_num": 4,\n "vit_num":3}\r\n{"vit_num":5,"token_num":6}';
    expect(readEveryWay(bytesOf(lines))).toEqual({ status: 0, vit: [1, 3, 5], tokens: [2, 4, 6] });
  });

  test.each([
    ["[]", []],
    [" [ \n ] ", []],
    ['{"vit_num":3,"token_num":4}', [3]],
    ['{"vit_num":3,"token_num":4}\n', [3]],
  ])("%j", (text, vit) => expect(readEveryWay(bytesOf(text))).toMatchObject({ status: 0, vit }));

  test.each([
    ["a name of 15 bytes", "a23456789012345"],
    ["a name of 16 bytes", "a234567890123456"],
    ["a long name", "n".repeat(300)],
    ["a name that JSON escapes", 'a"\\\n\t\u0001'],
    ["a name in four-byte UTF-8", "😀é"],
    ["no name at all", ""],
  ])("field names: %s", (_, name) => {
    const text = JSON.stringify([{ other: 1, [name]: 2, [`${name}x`]: 3, token_num: 4 }]);
    expect(readEveryWay(bytesOf(text), [name, "token_num"])).toEqual({ status: 0, vit: [2], tokens: [4] });
    const escaped = text.replace(JSON.stringify(name), `"${[...name].map(escaped16).join("")}"`);
    expect(readEveryWay(bytesOf(escaped), [name, "token_num"])).toEqual({ status: 0, vit: [2], tokens: [4] });
    expect(readEveryWay(bytesOf(escaped), ["token_num", name])).toEqual({ status: 0, vit: [4], tokens: [2] });
  });

  test("half a surrogate pair is no part of any name", () => {
    const text = '{"\\ud83d":"x","\\ude00":"x","\\ud83dx":"x","\\ud83d\\ud83d\\ude00":"x","\\ud83d\\ude00":1,"t":2}';
    expect(readEveryWay(bytesOf(text), ["😀", "t"])).toEqual({ status: 0, vit: [1], tokens: [2] });
  });

  test("nested 512 deep, not 513", () => {
    const nest = (n: number) => `{"a":${"[".repeat(n)}${"]".repeat(n)},"vit_num":1,"token_num":2}`;
    expect(readEveryWay(bytesOf(nest(512)))).toEqual({ status: 0, vit: [1], tokens: [2] });
    expect(readEveryWay(bytesOf(nest(513)))).toMatchObject({ status: 10, offset: 5 + 512, index: 0 });
    const mixed = `{"a":${'{"b":['.repeat(256)}${"]}".repeat(256)},"vit_num":1,"token_num":2}`;
    expect(readEveryWay(bytesOf(mixed))).toEqual({ status: 0, vit: [1], tokens: [2] });
  });
});

function escaped16(c: string): string {
  return Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
}

describe("numbers", () => {
  test.each([
    ["0", 0],
    ["7", 7],
    ["2147483647", 2147483647],
    ["2147483647.000", 2147483647],
    ["2147483648", 2147483648],
    ["4294967295", 4294967295],
    ["4294967296", 4294967296],
    ["9999999999.0", 9999999999],
    ["9007199254740991", 9007199254740991],
    ["0.0", 0],
    ["5.0", 5],
    ["1234567890", 1234567890],
  ])("%s", (text, value) => {
    for (const end of ["", " ", "\n"]) {
      const doc = `[{"token_num":1,"vit_num":${text}${end}},{"vit_num":${text}${end},"token_num":${text}${end}}]`;
      expect(readEveryWay(bytesOf(doc))).toEqual({ status: 0, vit: [value, value], tokens: [1, value] });
    }
  });

  test.each([
    "9007199254740992",
    "10000000000000000",
    "9999999999999999999",
    "10000000000000000000",
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551617",
    "99999999999999999999999999999999",
    "340282366920938463463374607431768211456123456789",
    "-2",
    "-10",
    "-11",
    "-1.5",
    "-1e0",
    "-",
    "-x",
    "--1",
    "-0",
    "1.5",
    "1.05",
    "0.1",
    "5.",
    "1e3",
    "1E0",
    "0e0",
    "5.0e1",
    "01",
    "00",
    "true",
    "false",
    "null",
    "nope",
    '"12"',
    '"a long text, and then even more of it, without end"',
  ])("%s is refused", (text) => {
    for (const end of [",", "}", " }", "\n,"]) {
      const doc = `[{"vit_num":3,"token_num":1},{"token_num":${text}${end}`;
      const seen = text.slice(0, 40);
      expect(readEveryWay(bytesOf(doc))).toEqual({
        status: 9,
        vit: [3],
        tokens: [1],
        offset: 42,
        index: 1,
        field: 1,
        expected: 0,
        seen,
      });
    }
  });

  test.each(["{}", "[1]"])("%s is refused at its first byte", (text) => {
    const doc = `{"vit_num": ${text},"token_num":1}`;
    expect(readEveryWay(bytesOf(doc))).toMatchObject({ status: 9, offset: 12, field: 0, seen: text[0] });
  });

  test("a repeated field is the last one, and its earlier ones are looked at too", () => {
    expect(read(bytesOf('{"vit_num":1,"vit_num":2,"token_num":3}')).vit).toEqual([2]);
    expect(read(bytesOf('{"vit_num":-2,"vit_num":2,"token_num":3}')).status).toBe(9);
    for (const text of ['{"vit_num":-1,"vit_num":2,"token_num":3}', '{"vit_num":-1,"token_num":-1,"vit_num":3}']) {
      expect(readEveryWay(bytesOf(text))).toMatchObject({ status: 9, offset: 11, field: 0, seen: "-1" });
    }
  });

  test("-1 in every column is a record that is invalid, in some of them an error where the first one is", () => {
    const doc = '[{"vit_num":-1,"token_num":-1},{"token_num": -1.00 ,"x":-1,"vit_num":-1},{"vit_num":7,"token_num":8}]';
    expect(readEveryWay(bytesOf(doc))).toEqual({ status: 0, vit: [-1, -1, 7], tokens: [-1, -1, 8] });
    const first = '{"vit_num":1,"token_num":1}\n';
    for (const [text, offset, field] of [
      ['{"vit_num":-1,"token_num":0}', 11, 0],
      ['{"vit_num":4294967295,"token_num":-1}', 34, 1],
      ['{"token_num":-1}', 13, 1],
    ] as const) {
      expect(readEveryWay(bytesOf(`${first}${text}`))).toEqual({
        ...{
          status: 9,
          vit: [1],
          tokens: [1],
          offset: first.length + offset,
          index: 1,
          field,
          expected: 0,
          seen: "-1",
        },
      });
    }
    expect(readColumns(bytesOf('{"a":-1}\n{"a":2}'), [], ["a"])).toEqual({ status: 0, columns: [[-1, 2]] });
  });
});

describe("several names of a column", () => {
  const names = ["vit", "vit_num", "tokens", "token_num"];
  const columnsOf = [0, 0, 1, 1];
  const everyWay = (text: string, how = {}) => {
    const bytes = bytesOf(text);
    const whole = readColumns(bytes, [], names, { columnsOf, ...how });
    for (const cuts of [Array.from(bytes, (_, i) => i), ...Array.from(bytes, (_, i) => [i])]) {
      expect(readColumns(bytes, cuts, names, { columnsOf, ...how }), String(cuts)).toEqual(whole);
    }
    return whole;
  };

  test("the first that a record has counts, whichever comes first in it", () => {
    const lines = [
      '{"vit":1,"tokens":2}',
      '{"vit_num":3,"token_num":4}',
      '{"tokens":6,"vit_num":5}',
      '{"vit_num":99,"vit":7,"tokens":8,"token_num":99}',
      '{"vit":9,"vit_num":99,"token_num":99,"tokens":10}',
      '{"vit":11,"token_num":5000000000}',
      '{"vit":-1,"vit_num":-1,"tokens":-1}',
      '{"vi":0,"vitt":0,"vit_num_":0,"token":0,"tokens":14,"vit":13}',
    ];
    const columns = [
      [1, 3, 5, 7, 9, 11, -1, 13],
      [2, 4, 6, 8, 10, 5000000000, -1, 14],
    ];
    expect(everyWay(lines.join("\n"))).toEqual({ status: 0, columns });
    expect(everyWay(`[${lines.join(",\n")}]`)).toEqual({ status: 0, columns });
  });

  test("a record that has none of them is an error, or 0 where zeros are asked for", () => {
    const text = '[{"vit":1,"token_num":2},{"vit":3},{},{"tokens":-1}]';
    expect(everyWay(text)).toMatchObject({ status: 8, index: 1, offset: 25 });
    expect(everyWay(text, { zeros: true })).toMatchObject({ status: 9, index: 3, field: 2, seen: "-1" });
    expect(everyWay(text.replace(',{"tokens":-1}', ""), { zeros: true })).toEqual({
      ...{ status: 0, columns: [[1, 3, 0], [2, 0, 0]] }, // biome-ignore format: a row each
    });
  });

  test("the same as a slow reader, in any order of names and records", () => {
    const value = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
    const record = fc
      .array(fc.tuple(fc.constantFrom(...names, "v", "tokens_", "other name that is long"), value), { maxLength: 7 })
      .map((fields) => new Map(fields));
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.array(fc.nat(600), { maxLength: 6 }), (records, at) => {
        const bytes = bytesOf(JSON.stringify(records.map((fields) => Object.fromEntries(fields))));
        const cuts = at.filter((x) => x < bytes.length).sort((a, b) => a - b);
        const column = (k: number) =>
          records.map((fields) => fields.get(names[2 * k]) ?? fields.get(names[2 * k + 1]) ?? 0);
        const how = { columnsOf, zeros: true };
        expect(readColumns(bytes, cuts, names, how)).toEqual({ status: 0, columns: [column(0), column(1)] });
      }),
      { numRuns: 1000 },
    );
  });

  test("columns that are not numbered as they come, or too many names, are refused", () => {
    for (const columnsOf of [
      [1, 0],
      [0, 2],
      [0, -1],
    ]) {
      expect(readColumns(bytesOf("[]"), [], ["a", "b"], { columnsOf }).status, String(columnsOf)).toBe(2);
    }
    const many = Array.from({ length: 17 }, (_, k) => `n${k}`);
    expect(readColumns(bytesOf("[]"), [], many, { columnsOf: many.map(() => 0) }).status).toBe(2);
    expect(readColumns(bytesOf("[]"), [], many.slice(1), { columnsOf: many.slice(1).map(() => 0) }).status).toBe(0);
    const long = ["a".repeat(2048), "b".repeat(2049)];
    expect(readColumns(bytesOf("[]"), [], long, { columnsOf: [0, 0] }).status).toBe(2);
    expect(readColumns(bytesOf("[]"), [], long).status).toBe(0);
  });
});

describe("errors say where and what", () => {
  const r = '{"vit_num":1,"token_num":2}';
  test.each([
    ["", 6, 0, 0, 1, ""],
    [" \n", 6, 2, 0, 1, ""],
    ["\u00e9", 5, 0, 0, 1, undefined],
    ["\uFEFE[]", 5, 2, 0, 1, undefined],
    ["\uFEFF\uFEFF[]", 5, 3, 0, 1, undefined],
    ["12", 5, 0, 0, 1, "1"],
    ["null", 5, 0, 0, 1, "n"],
    ["[", 6, 1, 0, 3, ""],
    ["[1]", 7, 1, 0, 0, "1"],
    [`[${r},"x"]`, 7, 29, 1, 0, '"'],
    [`[${r},]`, 5, 29, 1, 2, "]"],
    [`[,${r}]`, 5, 1, 0, 3, ","],
    [`[${r}`, 6, 28, 1, 4, ""],
    [`[${r} ${r}]`, 5, 29, 1, 4, "{"],
    [`[${r}] x`, 11, 30, 1, 0, "x"],
    [`[${r}]${r}`, 11, 29, 1, 0, "{"],
    [`${r}${r}`, 5, 27, 1, 5, "{"],
    [`${r},${r}`, 5, 27, 1, 5, ","],
    [`${r}\n[]`, 7, 28, 1, 0, "["],
    [`${r}\nx`, 5, 28, 1, 2, "x"],
    ["{", 6, 1, 0, 7, ""],
    ["{,", 5, 1, 0, 7, ","],
    ['{"a":1,}', 5, 7, 0, 6, "}"],
    ['{"a" 1}', 5, 5, 0, 8, "1"],
    ['{"a":}', 5, 5, 0, 9, "}"],
    ['{"vit_num":}', 5, 11, 0, 9, "}"],
    ['{"a":[}', 5, 6, 0, 10, "}"],
    ['{"a":[1,]', 5, 8, 0, 9, "]"],
    ['{"a":[1}', 5, 7, 0, 12, "}"],
    ['{"a":{"b":1]', 5, 11, 0, 11, "]"],
    ['{"a":{,', 5, 6, 0, 7, ","],
    ['{"a":1 "b"', 5, 7, 0, 11, '"'],
    ['{"a":-x', 5, 6, 0, 13, "x"],
    ['{"a":1.x', 5, 7, 0, 13, "x"],
    ['{"a":1ex', 5, 7, 0, 13, "x"],
    ['{"a":1e+x', 5, 8, 0, 13, "x"],
    ['{"a":01', 5, 6, 0, 11, "1"],
    ['{"a":trux', 5, 8, 0, 14, "x"],
    ['{"a":"\\x', 5, 7, 0, 15, "x"],
    ['{"a":"\\u12g', 5, 10, 0, 16, "g"],
    ['{"a":"\n', 5, 6, 0, 17, "\n"],
    ['{"a\u0000', 5, 3, 0, 17, "\u0000"],
    ['{"a":"x', 6, 7, 0, 17, ""],
    ["{\u0000", 5, 1, 0, 7, "\u0000"],
    ['{"vit_num":1\u0000', 5, 12, 0, 11, "\u0000"],
  ])("%j", (text, status, offset, index, expected, seen) => {
    const answer = readEveryWay(bytesOf(text));
    expect(answer).toMatchObject({ status, offset, index, expected });
    if (seen !== undefined) expect(answer.seen).toBe(seen);
  });

  test.each([
    ["{}", 0, 0, 0],
    [`[${r}, {"token_num":1}]`, 30, 1, 0],
    [`${r}\n{"vit_num":1,"x":{"token_num":1}}`, 28, 1, 1],
  ])("a field is missing: %s", (text, offset, index, field) => {
    expect(readEveryWay(bytesOf(text))).toMatchObject({ status: 8, offset, index, field });
  });

  test("after an error or the end nothing more is taken; wrong arguments are refused", () => {
    const top = abi.mark();
    const reader = abi.readerBegin(...putNames(abi, ["a", "b"]), 9, 0);
    new Uint8Array(abi.memory.buffer, abi.readerBuffer(reader) >>> 0, 1).set(bytesOf("x"));
    expect(abi.readerPush(reader, 1)).toBe(5);
    expect(abi.readerPush(reader, 1)).toBe(2);
    expect(abi.readerEnd(reader)).toBe(2);
    abi.release(top);
    expect(read(bytesOf("[]"), [], ["a", "a"]).status).toBe(2);
    expect(read(bytesOf("[]"), [], ["a".repeat(4097), "a"]).status).toBe(2);
    for (const [count, bytes] of [
      [2, 0],
      [2, -1],
      [0, 9],
      [9, 9],
    ]) {
      const names = Array.from({ length: count }, (_, k) => String(k));
      expect(abi.readerBegin(...putNames(abi, names), bytes, 0)).toBe(-2);
    }
    abi.release(top);
  });

  test("several readers in one instance do not meet", () => {
    const top = abi.mark();
    const texts = [
      '[{"a":1,"b":2},{"a":3,"b":4}]',
      '{"y":5}\n{"y":6,"x":{}}\n{"z":[1],"y":7}',
      '[{"a":8,"b":9,"c":10}]',
    ];
    const readers = [["b", "a"], ["y"], ["c", "b", "a"]].map((names) =>
      abi.readerBegin(...putNames(abi, names), 64, 0),
    );
    const columns = readers.map((): number[][] => [[], [], []]);
    // A byte of each in turn.
    for (let i = 0; i < 40; i++) {
      for (const [r, reader] of readers.entries()) {
        if (i >= texts[r].length) continue;
        new Uint8Array(abi.memory.buffer, abi.readerBuffer(reader) >>> 0, 1).set(bytesOf(texts[r][i]));
        expect(abi.readerPush(reader, 1)).toBe(0);
        for (let k = 0; k < [2, 1, 3][r]; k++) {
          const at = abi.readerColumn(reader, k) >>> 0;
          columns[r][k].push(...new Int32Array(abi.memory.buffer, at, abi.readerCount(reader, k)));
        }
      }
    }
    expect(readers.map((reader) => abi.readerEnd(reader))).toEqual([0, 0, 0]);
    expect(columns).toEqual([
      [[2, 4], [1, 3], []],
      [[5, 6, 7], [], []],
      [[10], [9], [8]],
    ]);
    abi.release(top);
  });
});

describe("one to eight columns", () => {
  const all = ["a", "b", "dd", 'e"\u00e9', "a name of more than fifteen bytes", "", "g", "h"];

  test("each is the field of its name, wherever the file is cut", () => {
    const rows = Array.from({ length: 5 }, (_, i) => all.map((_, k) => (i + 1) * 1000 + k));
    const text = JSON.stringify(rows.map((row, i) => Object.fromEntries(row.map((x, k) => [all[(k + i) % 8], x]))));
    const values = rows.map((row, i) => all.map((_, k) => row[(k - i + 8) % 8]));
    for (let count = 1; count <= all.length; count++) {
      const names = all.slice(-count);
      const columns = names.map((name) => values.map((row) => row[all.indexOf(name)]));
      const bytes = bytesOf(text);
      for (const cuts of [[], Array.from(bytes, (_, i) => i), ...Array.from(bytes, (_, i) => [i])]) {
        expect(readColumns(bytes, cuts, names)).toEqual({ status: 0, columns });
      }
    }
  });

  test("the first that a record lacks is named", () => {
    const answer = readColumns(bytesOf('[{"a":1,"b":1,"g":1}]'), [], ["a", "b", "h", "g", "dd"]);
    expect(answer).toMatchObject({ status: 8, field: 2, index: 0, offset: 1 });
    expect(readColumns(bytesOf('{"a":1,"g":-2}'), [], ["a", "b", "g"])).toMatchObject({ status: 9, field: 2 });
  });

  test("a .npy of as many columns, in either order; other shapes are refused", () => {
    const rows = Array.from({ length: 4 }, (_, i) => Array.from({ length: 3 }, (_, k) => 10 * i + k));
    const columns = [0, 1, 2].map((k) => rows.map((row) => row[k]));
    for (const fortran of [false, true]) {
      const bytes = npy(rows, { descr: "<i4", fortran, shape: "(4, 3)" });
      for (const cuts of [[], Array.from(bytes, (_, i) => i)]) {
        expect(readColumns(bytes, cuts, ["a", "b", "c"])).toEqual({ status: 0, columns });
      }
      expect(readColumns(bytes, [], ["a", "b"])).toMatchObject({ status: 14, seen: "(4, 3)" });
      const negative = Buffer.concat([bytes.subarray(0, -12), Buffer.from(Int32Array.of(-2, 0, 0).buffer)]);
      const place = fortran ? { index: 1, field: 2 } : { index: 3, field: 0 };
      expect(readColumns(negative, [], ["a", "b", "c"])).toMatchObject({ status: 9, ...place });
    }
  });
});

describe("against JSON.parse", () => {
  const length = fc.oneof(fc.integer({ min: 0, max: 2147483647 }), fc.integer({ min: 0, max: 2 ** 53 - 1 }));
  const record = fc
    .tuple(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 4 })), length, length, fc.boolean())
    .map(([rest, vit, tokens, first]) =>
      first
        ? { ...rest, vit_num: vit, token_num: tokens }
        : { token_num: tokens, ...rest, vit_num: vit, token_num_: 1 },
    )
    .map(({ ...r }) => ({ ...r, vit_num: r.vit_num, token_num: r.token_num }) as Record<string, unknown>);
  const space = fc.constantFrom(undefined, 1, 4, "\t");

  test("valid documents: the same numbers", () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 6 }),
        space,
        fc.array(fc.nat(400), { maxLength: 5 }),
        (records, indent, at) => {
          const bytes = bytesOf(JSON.stringify(records, null, indent));
          const cuts = at.filter((x) => x < bytes.length).sort((a, b) => a - b);
          const parsed = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, number>[];
          const expected = { status: 0, vit: parsed.map((x) => x.vit_num), tokens: parsed.map((x) => x.token_num) };
          expect(read(bytes, cuts)).toEqual(expected);
          const lines = bytesOf(records.map((x) => `${JSON.stringify(x)}\n`).join(""));
          if (records.length > 0)
            expect(
              read(
                lines,
                cuts.filter((x) => x < lines.length),
              ),
            ).toEqual(expected);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("mutated documents: what JSON.parse refuses is refused, and what is taken has the same numbers", () => {
    let refused = 0;
    let taken = 0;
    const mutation = fc.record({
      at: fc.nat(2000),
      drop: fc.integer({ min: 0, max: 2 }),
      add: fc.oneof(fc.constantFrom(...'{}[],:"\\0123456789.eE+-tfn \n\u0000u'.split("")), fc.constant("")),
    });
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 3 }),
        space,
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (records, indent, mutations) => {
          let text = JSON.stringify(records, null, indent);
          for (const { at, drop, add } of mutations) {
            const place = at % (text.length + 1);
            text = text.slice(0, place) + add + text.slice(place + drop);
          }
          const bytes = bytesOf(text);
          const answer = read(
            bytes,
            mutations.map(({ at }) => at % bytes.length).sort((a, b) => a - b),
          );
          let parsed: unknown;
          try {
            parsed = JSON.parse(new TextDecoder().decode(bytes));
          } catch {
            // A sequence of records is no JSON as a whole; the mutation cannot turn the array into one of several.
            if (!text.trimStart().startsWith("[")) return;
            expect(answer.status).not.toBe(0);
            refused++;
            return;
          }
          if (answer.status !== 0) return;
          const list = (Array.isArray(parsed) ? parsed : [parsed]) as Record<string, number>[];
          expect(answer.vit).toEqual(list.map((x) => x.vit_num));
          expect(answer.tokens).toEqual(list.map((x) => x.token_num));
          taken++;
        },
      ),
      { numRuns: 20000 },
    );
    expect(refused).toBeGreaterThan(1000);
    expect(taken).toBeGreaterThan(100);
  });

  test("mutated lines: each must be JSON on its own", () => {
    let broken = 0;
    fc.assert(
      fc.property(fc.nat(1000), fc.constantFrom(...'{}[],:"\\0.e- \nx'), fc.nat(1), (at, add, drop) => {
        const text = '{"a":[1,{"b":"c"}],"vit_num":1,"token_num":20}\n'.repeat(2);
        const place = at % text.length;
        const mutated = text.slice(0, place) + add + text.slice(place + drop);
        const lines = mutated.split("\n").filter((line) => line.trim() !== "");
        const isWhole = (line: string) => {
          try {
            JSON.parse(line);
            return true;
          } catch {
            return false;
          }
        };
        // A line end inside a record is white space to the reader, so only lines that stand alone are compared.
        if (add !== "\n" && lines.length === 2 && !lines.every(isWhole)) {
          expect(read(bytesOf(mutated)).status, mutated).not.toBe(0);
          broken++;
        }
      }),
      { numRuns: 3000 },
    );
    expect(broken).toBeGreaterThan(1000);
  });
});
