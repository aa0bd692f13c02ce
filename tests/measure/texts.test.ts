import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.ts";
import { type Counter, TableCounter } from "../../src/measure/tokenizer/counter.ts";
import { libraryCounter } from "../../src/measure/tokenizer/library.ts";
import { translate } from "../../src/measure/tokenizer/patterns.ts";
import { compile, Unrecognized } from "../../src/measure/tokenizer/tables.ts";
import { golden } from "./golden.ts";
import { NAMES, smallTokenizer, tokenizerJson } from "./tokenizers.ts";

interface Facts {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly [kind: string, text: string, ...counts: number[]])[];
}

const facts = golden<Facts>("texts.json");

const counters = new Map<string, TableCounter>();
function counterOf(name: (typeof NAMES)[number]): TableCounter {
  let counter = counters.get(name);
  if (counter === undefined) {
    counter = new TableCounter(compile(tokenizerJson(name)));
    counters.set(name, counter);
  }
  return counter;
}

describe("texts.json", () => {
  for (const name of NAMES) {
    const column = facts.columns.indexOf(name);
    test.skipIf(column < 0)(`${name}: as many tokens as Python counts`, () => {
      const counter = counterOf(name);
      // Twice: the second time what was seen is looked up.
      for (let round = 0; round < 2; round++) {
        const wrong = facts.rows
          .map((row) => ({ text: row[1], got: counter.count(row[1]), expected: row[column] }))
          .filter(({ got, expected }) => got !== expected);
        expect(wrong).toEqual([]);
      }
    });
  }
});

describe("ranges of a text", () => {
  for (const name of NAMES) {
    test(`${name}: all of it is all its tokens; two halves share those that lie across`, () => {
      const counter = counterOf(name);
      for (const [, text] of facts.rows.slice(0, 400)) {
        const tokens = counter.count(text);
        if (text === "") continue;
        expect(counter.countWithin(text, [0, text.length])).toEqual({ tokens, within: tokens });
        let half = text.length >> 1;
        if (/[\udc00-\udfff]/.test(text[half] ?? "")) half--;
        const left = counter.countWithin(text, half > 0 ? [0, half] : []);
        const right = counter.countWithin(text, half < text.length ? [half, text.length] : []);
        expect([left.tokens, right.tokens]).toEqual([tokens, tokens]);
        const shared = left.within + right.within - tokens;
        expect(shared).toBeGreaterThanOrEqual(0);
        // One token, or those that the bytes of a composed character are.
        expect(shared).toBeLessThan(9);
      }
    });
  }

  test("a range that begins within a token has that token", () => {
    const counter = counterOf("qwen3");
    const text = "<|im_start|>assistant\n tokenization";
    const from = text.indexOf("ken");
    const tokens = counter.count(text);
    expect(counter.countWithin(text, [from, text.length]).within).toBe(
      tokens - counter.count(text.slice(0, text.indexOf(" to"))),
    );
    expect(counter.countWithin(text, [from, from + 1]).within).toBe(1);
    expect(counter.countWithin(text, [5, 6]).within).toBe(1);
  });

  test("an accent that is composed moves the boundaries behind it", () => {
    const counter = counterOf("qwen3");
    const text = "cafe\u0301 is <|im_end|> cafe\u0301";
    const at = text.indexOf(" is");
    const { tokens, within } = counter.countWithin(text, [at, at + 3]);
    expect([tokens, within]).toEqual([counter.count("caf\u00e9 is <|im_end|> caf\u00e9"), 1]);
  });
});

describe("added tokens", () => {
  const added = (flags: Record<string, boolean>, content = "<x>") => ({
    id: 1000,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
    ...flags,
  });
  /** Counts that the library has too. */
  async function counts(tokens: object[], texts: string[]): Promise<number[]> {
    const json = smallTokenizer({ added_tokens: tokens });
    const library = (await libraryCounter(json))!;
    expect(library.about).toBe("by the library tokenizers");
    const all = texts.map((text) => ({ text, ranges: [] }));
    const got = new TableCounter(compile(json)).countAll(all);
    expect(got).toEqual(await library.countAll(all));
    return got.map((count) => count.tokens);
  }

  test("the longest that begins at a place", async () => {
    const tokens = [added({}, "<x>"), { ...added({}, "<x><y>"), id: 1001 }];
    expect(await counts(tokens, ["<x><y>", "<x><x>", "<x><z"])).toEqual([1, 2, 3]);
  });

  test("lstrip and rstrip take white space with them", async () => {
    const texts = ["a  <x>  b"];
    expect(await counts([added({})], texts)).toEqual([7]);
    expect(await counts([added({ lstrip: true })], texts)).toEqual([5]);
    expect(await counts([added({ rstrip: true })], texts)).toEqual([5]);
    expect(await counts([added({ lstrip: true, rstrip: true })], texts)).toEqual([3]);
  });

  test("single_word is none within a word", async () => {
    expect(await counts([added({ single_word: true }, "ab")], ["ab", "a ab.", "abs", "ab_", "ab-ab"])).toEqual([
      1, 4, 3, 3, 3,
    ]);
  });

  test("normalized ones are found after normalization, the others before", async () => {
    const texts = ["e\u0301", "\u00e9"];
    expect(await counts([added({ normalized: false }, "\u00e9")], texts)).toEqual([2, 1]);
    expect(await counts([added({ normalized: true }, "\u00e9")], texts)).toEqual([1, 1]);
  });
});

describe("what is not known is left to a library", () => {
  test.each([
    ["another model", { model: { type: "Unigram", vocab: [] } }],
    ["another normalizer", { normalizer: { type: "Lowercase" } }],
    [
      "a pattern that is not understood",
      {
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [
            { type: "Split", pattern: { Regex: "\\G\\w+" }, behavior: "Isolated", invert: false },
            { type: "ByteLevel", use_regex: false },
          ],
        },
      },
    ],
    [
      "a step that is not known",
      { pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Whitespace" }, { type: "ByteLevel" }] } },
    ],
    ["no cuts", { pre_tokenizer: { type: "ByteLevel", use_regex: false } }],
  ])("%s", (_name, more) => {
    expect(() => compile(smallTokenizer(more))).toThrow(Unrecognized);
  });

  test("no tokenizer.json", () => {
    expect(() => compile({})).toThrow(InputError);
    expect(() => compile([])).toThrow(InputError);
  });

  test("half of a surrogate pair is no text", () => {
    for (const name of ["qwen3", "gemma3"] as const) {
      expect(() => counterOf(name).count("a \ud83d b")).toThrow(InputError);
      expect(() => counterOf(name).count("\udc00")).toThrow(InputError);
    }
  });
});

describe("against libraries", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 60 }),
    fc
      .array(
        fc.constantFrom(
          "the",
          " of",
          "'s",
          "'LL",
          "12",
          "  ",
          "\n",
          "\r\n",
          "\t",
          ".",
          "你",
          "é",
          "e\u0301",
          "<|im_end|>",
          " \n ",
          "\u3000",
          "ſ",
        ),
        { maxLength: 30 },
      )
      .map((parts) => parts.join("")),
  );

  async function compare(json: Record<string, unknown>, library: Counter): Promise<void> {
    const tables = new TableCounter(compile(json));
    const texts = fc
      .sample(text, { numRuns: 400, seed: 3 })
      .map((one) => ({ text: one, ranges: one.length > 2 ? [1, one.length - 1] : [] }));
    const expected = await library.countAll(texts);
    const got = tables.countAll(texts);
    const wrong = texts.filter((_, i) => got[i].tokens !== expected[i].tokens);
    expect(wrong).toEqual([]);
  }

  const patterns: Record<string, string> = {
    o200k:
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    possessive:
      "[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
  };

  test("GPT-2's pattern behind single digits, as SmolVLM has it", async () => {
    const json = smallTokenizer({
      normalizer: null,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "Digits", individual_digits: true },
          { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
        ],
      },
    });
    await compare(json, (await libraryCounter(json))!);
  });

  test("a pattern of upper and lower case, as GPT-4o and Llama 4 have it", async () => {
    for (const [behavior, invert] of [
      ["Isolated", false],
      ["Removed", true],
    ] as const) {
      const json = smallTokenizer({
        normalizer: null,
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [
            { type: "Split", pattern: { Regex: patterns.o200k }, behavior, invert },
            { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
          ],
        },
      });
      await compare(json, (await libraryCounter(json))!);
    }
  });

  test("Llama 2's merges of characters, with a sign in front", async () => {
    const vocab: Record<string, number> = { "<unk>": 0 };
    for (let byte = 0; byte < 256; byte++) vocab[`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`] = byte + 1;
    for (const c of "▁abcdefghijklmnopqrstuvwxyz.,'12é你") vocab[c] = Object.keys(vocab).length;
    const merges: string[] = [];
    for (const [a, b] of ["▁ t", "▁t he", "h e", "o f", "▁ of", "▁ ▁", ", ▁", "t he"].map((pair) => pair.split(" "))) {
      vocab[a + b] ??= Object.keys(vocab).length;
      merges.push(`${a} ${b}`);
    }
    const json = smallTokenizer({
      normalizer: {
        type: "Sequence",
        normalizers: [
          { type: "Prepend", prepend: "▁" },
          { type: "Replace", pattern: { String: " " }, content: "▁" },
        ],
      },
      pre_tokenizer: null,
      model: { type: "BPE", dropout: null, unk_token: "<unk>", fuse_unk: true, byte_fallback: true, vocab, merges },
    });
    await compare(json, (await libraryCounter(json))!);
  });

  test("the library in JavaScript counts as well, and by parts", async () => {
    const json = smallTokenizer();
    const script = (await libraryCounter(json, false))!;
    expect(script.about).toContain("@huggingface/tokenizers");
    await compare(json, script);
    const [count] = await script.countAll([{ text: "the cat <|im_end|>", ranges: [0, 7] }]);
    expect(count).toEqual(new TableCounter(compile(json)).countWithin("the cat <|im_end|>", [0, 7]));
  });

  test("the native library has offsets, in characters beyond the basic plane too", async () => {
    const json = tokenizerJson("qwen3");
    const native = (await libraryCounter(json))!;
    expect(native.about).toBe("by the library tokenizers");
    const sample = "🎉🎉 user: hello 👋 world <|im_end|> 🎉";
    const ranges = [sample.indexOf("hello"), sample.indexOf(" <|im_end|>")];
    const [count] = await native.countAll([{ text: sample, ranges }]);
    expect(count).toEqual(counterOf("qwen3").countWithin(sample, ranges));
  });

  test("patterns with what is not known are not translated", () => {
    expect(translate("\\p{Han}+")).toBeUndefined();
    expect(translate("[a-z&&[^m]]")).toBeUndefined();
    expect(translate("(?<name>a)")).toBeUndefined();
    expect(translate("[\\p{Lu}]")).toBeUndefined();
    expect(translate("^a$")).toBeUndefined();
    expect(translate(patterns.possessive)).toBeUndefined();
    expect(translate(patterns.o200k)).toBeDefined();
  });
});
