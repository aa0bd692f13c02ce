import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable, quoted, show } from "../../src/core/printable.ts";
import { InputError } from "../../src/index.ts";

/** Any UTF-16 text, halves of surrogate pairs among it. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 0x10ffff })), { maxLength: 40 })
  .map((codes) => codes.map((code) => String.fromCodePoint(code)).join(""));

/** What acts on a terminal, breaks a line, reorders text or is not to be seen, in Unicode's words. */
const HARMFUL = /[\p{Cc}\p{Bidi_Control}\p{Cs}\p{Zl}\p{Zp}\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

describe("printable", () => {
  test.each([
    ["plain – text, héllo 漢字 😀", "plain – text, héllo 漢字 😀"],
    ["\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"],
    ["two\r\nlines", "two\\x0d\\x0alines"],
    ["\x7f\x85\x9b2J", "\\x7f\\x85\\x9b2J"],
    ["gpj.\u202eexe", "gpj.\\u202eexe"],
    ["\u2066a\u2069\u200f\u061c", "\\u2066a\\u2069\\u200f\\u061c"],
    ["a\u2028b", "a\\u2028b"],
    ["\ufeffname", "\\ufeffname"],
    ["half \ud83d of \ude00 a pair", "half \\ud83d of \\ude00 a pair"],
    ["tag\u{e0041}", "tag\\u{e0041}"],
    ["back\\slash", "back\\slash"],
  ])("%j", (text, expected) => {
    expect(printable(text)).toBe(expected);
    expect(printable(expected)).toBe(expected);
  });

  test("leaves nothing harmful, touches nothing else, and is the same twice", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = printable(text);
        expect(HARMFUL.test(shown)).toBe(false);
        expect(printable(shown)).toBe(shown);
        if (!HARMFUL.test(text) && !/[\u2065-\u206f]/.test(text)) expect(shown).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  test("quoted is JSON but for what JSON leaves as it is", () => {
    expect(quoted('a"\\\n\x1b')).toBe('"a\\"\\\\\\n\\u001b"');
    expect(quoted("\x7f\u202e")).toBe('"\\x7f\\u202e"');
  });
});

describe("show", () => {
  test.each<[unknown, string]>([
    ["text", '"text"'],
    [3, "3"],
    [-0.5, "-0.5"],
    [7n, "7n"],
    [10n ** 100_000n, "a bigint of over 256 bits"],
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    [Symbol("x\n"), "Symbol(x\\x0a)"],
    [[1, "a", null], '[1,"a",null]'],
    [{ vit: [1] }, '{"vit":[1]}'],
    [{ toString: 1 }, '{"toString":1}'],
    [{ toString: 1, valueOf: 2, toJSON: 3 }, '{"toString":1,"valueOf":2,"toJSON":3}'],
    [JSON.parse('{"__proto__":{"toString":null}}'), '{"__proto__":{"toString":null}}'],
    [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    [{ a: { b: { c: { d: 1 } } } }, '{"a":{"b":{"c":{...}}}}'],
    [[[[[1]]]], "[[[[...]]]]"],
    [new Int32Array(5), "Int32Array(5)"],
    [new DataView(new ArrayBuffer(3)), "DataView(3)"],
    [new Map(), "Map"],
    [() => {}, "a function"],
    ["\x1b]0;title\x07", '"\\u001b]0;title\\u0007"'],
    ["a".repeat(100), `"${"a".repeat(36)}...`],
    [`${"a".repeat(35)}😀${"a".repeat(35)}`, `"${"a".repeat(35)}...`],
  ])("case %#", (value, expected) => {
    expect(show(value)).toBe(expected);
  });

  test("arrays nested a million deep, and arrays without end", () => {
    let deep: unknown = 1;
    for (let k = 0; k < 1e6; k++) deep = [deep];
    expect(show(deep)).toBe("[[[[...]]]]");
    expect(show(JSON.parse(`${"[".repeat(1e6)}${"]".repeat(1e6)}`))).toBe("[[[[...]]]]");
    expect(show(new Array(2 ** 32 - 1))).toMatch(/^\[undefined,undefined,.*\.\.\.$/);
    expect(show("a".repeat(2 ** 28)).length).toBe(40);
    const round: unknown[] = [];
    round.push(round);
    expect(show(round)).toBe("[[[[...]]]]");
  });

  test("what answers with an error", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(show(proxy)).toBe("a value that cannot be shown");
    const getter = {
      get vit() {
        throw new Error("no");
      },
    };
    expect(show(getter)).toBe("a value that cannot be shown");
  });

  test("any value, at most 40 characters and one line", () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true }), (value) => {
        const shown = show(value);
        expect(shown.length).toBeLessThanOrEqual(40);
        expect(HARMFUL.test(shown)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});

test("the message of an error is one line, whatever it quotes", () => {
  const error = new InputError("INVALID_FILE", "a\nb\x1b[2J: no such file");
  expect(error.message).toBe("a\\x0ab\\x1b[2J: no such file");
  expect(String(error)).toBe("InputError: a\\x0ab\\x1b[2J: no such file");
});
