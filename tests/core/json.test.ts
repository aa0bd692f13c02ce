import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { abi, bytesOf, read, readEveryWay } from "./reading.ts";

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
    "2147483648",
    "4294967296",
    "4294967297",
    "9999999999",
    "18446744073709551616",
    "99999999999999999999999999999999",
    "340282366920938463463374607431768211456123456789",
    "-1",
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
    expect(read(bytesOf('{"vit_num":-1,"vit_num":2,"token_num":3}')).status).toBe(9);
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
    expect(read(bytesOf("x")).status).toBe(5);
    expect(abi.readerPush(1)).toBe(2);
    expect(abi.readerEnd()).toBe(2);
    expect(read(bytesOf("[]"), [], ["a", "a"]).status).toBe(2);
    expect(read(bytesOf("[]"), [], ["a".repeat(4097), "a"]).status).toBe(2);
    expect(abi.readerBegin(0, 1, 8, 2, 0)).toBe(2);
    expect(abi.readerBegin(0, 1, 8, 2, -1)).toBe(2);
  });
});

describe("against JSON.parse", () => {
  const length = fc.integer({ min: 0, max: 2147483647 });
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
