// What counting needs of a tokenizer.json, as tables that workers share. Only what is known to be counted right is taken;
// for all else there are the libraries.
import { InputError } from "../../core/errors.ts";
import { buildMerges, type SharedInt32, sharedInt32 } from "./merges.ts";
import { translate } from "./patterns.ts";
import type { PatternStep } from "./splitters.ts";

export interface AddedToken {
  readonly content: string;
  readonly normalized: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly singleWord: boolean;
}

/** How parts between added tokens are cut into pieces. */
export type Cuts =
  | { readonly by: "letters"; readonly digits: number }
  | { readonly by: "deepseek" }
  | { readonly by: "patterns"; readonly steps: readonly PatternStep[] }
  /** Where no token spans the place: for tokenizers that merge across words. */
  | { readonly by: "pairs" };

/** A tokenizer, ready to count; made of what `structuredClone` copies or shares. */
export interface Tables {
  readonly added: readonly AddedToken[];
  /** Tokens that are added to a text when special tokens are asked for. */
  readonly specials: number;
  readonly nfc: boolean;
  readonly cuts: Cuts;
  readonly merges: SharedInt32;
  /** Tokens of the 256 bytes, or undefined where characters are merged. */
  readonly bytes: SharedInt32 | undefined;
  readonly characters: Characters | undefined;
  /** Pieces that are one token whatever the merges say. */
  readonly whole: readonly string[];
}

/** A tokenizer that merges characters. */
export interface Characters {
  /** 1 + the number of a code point among those that are tokens, or 0. */
  readonly numbers: SharedInt32;
  /** The token of each number. */
  readonly tokens: SharedInt32;
  /** Hash table of (number << 16 | number) of two characters that stand side by side within some token. */
  readonly pairs: SharedInt32;
  /** Whether a character that is not a token becomes a token for each of its bytes; else it is unknown. */
  readonly byteFallback: boolean;
  /** Tokens of an unknown character, and of a run of them. */
  readonly unknown: "none" | "each" | "run";
  /** Blanks are written as U+2581. */
  readonly blanks: boolean;
  /** Put before each part, or before the first one: U+2581 or nothing. */
  readonly prefix: "never" | "first" | "always";
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Members of a "Sequence", or the thing itself. */
function steps(value: unknown, members: string): readonly Json[] | undefined {
  if (value === null || value === undefined) return [];
  if (!isObject(value)) return undefined;
  if (value.type !== "Sequence") return [value];
  const list = value[members];
  if (!Array.isArray(list)) return undefined;
  const nested = list.map((one) => steps(one, members));
  return nested.every((one) => one !== undefined) ? nested.flat() : undefined;
}

/** Why a tokenizer is not counted by tables: for the line that says so. */
export class Unrecognized extends Error {}

function unrecognized(why: string): never {
  throw new Unrecognized(why);
}

const LETTERS_HEAD = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
const LETTERS_TAIL = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const DEEPSEEK = [
  "\\p{N}{1,3}",
  "[一-龥぀-ゟ゠-ヿ]+",
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
];
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** The cuts of a tokenizer that ends with ByteLevel. */
function byteCuts(list: readonly Json[]): Cuts {
  const patterns: { source: string; drops: boolean }[] = [];
  for (const [i, step] of list.entries()) {
    if (step.type === "ByteLevel") {
      if (step.add_prefix_space === true) unrecognized("its ByteLevel adds a blank in front");
      if (i !== list.length - 1) unrecognized("its ByteLevel is not the last step");
      if (step.use_regex !== false) patterns.push({ source: GPT2, drops: false });
    } else if (step.type === "Split") {
      const source = isObject(step.pattern) ? step.pattern.Regex : undefined;
      const isolated = step.behavior === "Isolated";
      const kept = step.behavior === "Removed" && step.invert === true;
      if (typeof source !== "string" || !(isolated || kept)) unrecognized("its Split is of another kind");
      patterns.push({ source: source as string, drops: kept });
    } else if (step.type === "Digits") {
      patterns.push({ source: step.individual_digits === true ? "\\p{N}" : "\\p{N}+", drops: false });
    } else unrecognized(`its pre-tokenizer has the step ${JSON.stringify(step.type)}`);
  }
  const sources = patterns.map(({ source }) => source);
  if (patterns.length === 1) {
    for (const [pattern, digits] of [
      ["\\p{N}", 1],
      ["\\p{N}{1,3}", 3],
    ] as const) {
      if (sources[0] === LETTERS_HEAD + pattern + LETTERS_TAIL) return { by: "letters", digits };
    }
  }
  if (sources.length === 3 && sources.every((source, i) => source === DEEPSEEK[i])) return { by: "deepseek" };
  if (patterns.length === 0) unrecognized("its text is not cut into pieces");
  const translated = patterns.map(({ source, drops }) => {
    const pattern = translate(source);
    return pattern === undefined
      ? unrecognized(`its pattern ${JSON.stringify(source)} is not known`)
      : { pattern, drops };
  });
  return { by: "patterns", steps: translated };
}

/** The characters by which ByteLevel writes bytes, by byte. */
function byteAlphabet(): string[] {
  const own = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(own(byte) ? byte : next++));
}

interface Pairs {
  /** left, right, result, by rank. */
  readonly numbers: Int32Array;
  /** Tokens that a merge makes. */
  readonly made: ReadonlySet<number>;
}

function readMerges(model: Json, vocab: ReadonlyMap<string, number>): Pairs {
  const merges = model.merges as readonly unknown[];
  const numbers = new Int32Array(merges.length * 3);
  const made = new Set<number>();
  for (const [rank, merge] of merges.entries()) {
    let left: unknown;
    let right: unknown;
    if (typeof merge === "string") {
      const blank = merge.indexOf(" ");
      [left, right] = [merge.slice(0, blank), merge.slice(blank + 1)];
    } else if (Array.isArray(merge)) [left, right] = merge;
    if (typeof left !== "string" || typeof right !== "string") unrecognized(`its merge ${rank} is not a pair`);
    const ids = [vocab.get(left as string), vocab.get(right as string), vocab.get(`${left}${right}`)];
    if (ids.some((id) => id === undefined)) unrecognized(`its merge ${rank} names tokens that are not there`);
    numbers.set(ids as number[], rank * 3);
    made.add(ids[2] as number);
  }
  return { numbers, made };
}

/** A hash table of keys other than 0. */
function buildSet(keys: Iterable<number>, count: number): SharedInt32 {
  let slots = 16;
  while (slots < count * 4) slots *= 2;
  const table = sharedInt32(slots);
  for (const key of keys) {
    let at = Math.imul(key, 0x9e3779b1) >>> (32 - Math.log2(slots));
    while (table[at] !== 0) at = (at + 1) & (slots - 1);
    table[at] = key;
  }
  return table;
}

export const BLANK_SIGN = "\u2581";

function characterTables(
  vocab: ReadonlyMap<string, number>,
  model: Json,
  made: ReadonlySet<number>,
  blanks: boolean,
  prefix: Characters["prefix"],
): Characters {
  const numbers = sharedInt32(0x110000);
  const tokens: number[] = [];
  const names = new Map<number, string>();
  for (const [text, id] of vocab) {
    const code = text.codePointAt(0) ?? 0;
    if (text.length === (code > 0xffff ? 2 : 1)) {
      tokens.push(id);
      numbers[code] = tokens.length;
    }
    if (made.has(id)) names.set(id, text);
  }
  if (tokens.length > 0xffff) unrecognized(`it has ${tokens.length} characters as tokens`);
  if (blanks) numbers[0x20] = numbers[0x2581];
  const pairs = new Set<number>();
  for (const text of names.values()) {
    let before = 0;
    for (const c of text) {
      const number = numbers[c.codePointAt(0) ?? 0];
      if (before !== 0 && number !== 0) pairs.add((before << 16) | number);
      before = number;
    }
  }
  const hasBytes = Array.from({ length: 256 }, (_, byte) => {
    return vocab.has(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  });
  const byteFallback = model.byte_fallback === true;
  if (byteFallback && hasBytes.includes(false)) unrecognized("it falls back to bytes, but not all are tokens");
  const tokensOfNumbers = sharedInt32(tokens.length);
  tokensOfNumbers.set(tokens);
  const hasUnknown = typeof model.unk_token === "string";
  return {
    numbers,
    tokens: tokensOfNumbers,
    pairs: buildSet(pairs, pairs.size),
    byteFallback,
    unknown: !hasUnknown ? "none" : model.fuse_unk === true ? "run" : "each",
    blanks,
    prefix,
  };
}

export function readAdded(value: unknown): AddedToken[] {
  const list = Array.isArray(value) ? value : [];
  return list.filter(isObject).map((token) => ({
    content: String(token.content),
    normalized: token.normalized === true,
    lstrip: token.lstrip === true,
    rstrip: token.rstrip === true,
    singleWord: token.single_word === true,
  }));
}

/** A tokenizer.json with tokens added that it may not have yet. */
export function withTokens(json: unknown, contents: readonly string[]): unknown {
  if (!isObject(json)) return json;
  const known = Array.isArray(json.added_tokens) ? json.added_tokens : [];
  const names = new Set(known.filter(isObject).map(({ content }) => content));
  const missing = contents.filter((content) => !names.has(content));
  if (missing.length === 0) return json;
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const ids = known.filter(isObject).map(({ id }) => (typeof id === "number" ? id : 0));
  const next = Math.max(0, ...ids, Object.keys((json.model as Json | undefined)?.vocab ?? {}).length) + 1;
  return { ...json, added_tokens: [...known, ...missing.map((content, i) => ({ id: next + i, content, ...flags }))] };
}

/** Special tokens that the template of one text puts around it. */
export function readSpecials(value: unknown): number {
  const list = steps(value, "processors") ?? [];
  return list.reduce((sum, step) => {
    if (step.type !== "TemplateProcessing" || !Array.isArray(step.single)) return sum;
    const ids = isObject(step.special_tokens) ? step.special_tokens : {};
    for (const piece of step.single) {
      const name = isObject(piece) && isObject(piece.SpecialToken) ? piece.SpecialToken.id : undefined;
      if (typeof name !== "string") continue;
      const token = ids[name];
      sum += isObject(token) && Array.isArray(token.ids) ? token.ids.length : 1;
    }
    return sum;
  }, 0);
}

/**
 * The tables of a tokenizer.json.
 *
 * @throws Unrecognized where something in it is not known to be counted right; InputError INVALID_FILE where it is no
 * tokenizer.json.
 */
export function compile(json: unknown): Tables {
  const model = isObject(json) ? json.model : undefined;
  if (!isObject(json) || !isObject(model) || !isObject(model.vocab) === !Array.isArray(model.vocab)) {
    throw new InputError("INVALID_FILE", "tokenizer.json has no model with a vocab");
  }
  if (model.type !== "BPE" && !(model.type === undefined && Array.isArray(model.merges))) {
    unrecognized(`its model is ${JSON.stringify(model.type)}`);
  }
  if (!Array.isArray(model.merges)) unrecognized("its model has no merges");
  if (model.dropout) unrecognized("its model drops merges at random");
  if (model.continuing_subword_prefix || model.end_of_word_suffix) unrecognized("its model marks parts of words");
  const vocab = new Map(Object.entries(model.vocab as Record<string, number>));
  const { numbers, made } = readMerges(model, vocab);
  const added = readAdded(json.added_tokens);
  const specials = readSpecials(json.post_processor);

  const normalizers = steps(json.normalizer, "normalizers") ?? unrecognized("its normalizer is not known");
  const pre = steps(json.pre_tokenizer, "pretokenizers") ?? unrecognized("its pre-tokenizer is not known");
  const merges = buildMerges(numbers);

  if (pre.some((step) => step.type === "ByteLevel")) {
    const nfc = normalizers.length === 1 && normalizers[0].type === "NFC";
    if (!nfc && normalizers.length > 0) unrecognized(`its normalizer is ${JSON.stringify(normalizers[0].type)}`);
    const alphabet = byteAlphabet();
    const bytes = sharedInt32(256);
    for (const [byte, c] of alphabet.entries()) {
      bytes[byte] = vocab.get(c) ?? unrecognized(`the byte ${byte} is no token of it`);
    }
    const whole: string[] = [];
    if (model.ignore_merges === true) {
      const byteOf = new Map(alphabet.map((c, byte) => [c, byte]));
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      for (const text of vocab.keys()) {
        try {
          whole.push(
            decoder.decode(Uint8Array.from(text, (c) => byteOf.get(c) ?? unrecognized("a token is no bytes"))),
          );
        } catch (error) {
          // Part of a character: no piece is that.
          if (error instanceof Unrecognized) continue;
        }
      }
    }
    return { added, specials, nfc, cuts: byteCuts(pre), merges, bytes, characters: undefined, whole };
  }

  let blanks = false;
  let prefix: Characters["prefix"] = "never";
  for (const step of normalizers) {
    const pattern = isObject(step.pattern) ? step.pattern.String : undefined;
    if (step.type === "Prepend" && step.prepend === BLANK_SIGN) prefix = "always";
    else if (step.type === "Replace" && pattern === " " && step.content === BLANK_SIGN) blanks = true;
    else unrecognized(`its normalizer has the step ${JSON.stringify(step.type)}`);
  }
  for (const step of pre) {
    const pattern = isObject(step.pattern) ? step.pattern.String : undefined;
    if (step.type === "Split" && pattern === " " && blanks) continue;
    if (step.type === "Metaspace" && step.replacement === BLANK_SIGN && step.split === false && !blanks) {
      blanks = true;
      const scheme = step.prepend_scheme ?? (step.add_prefix_space === false ? "never" : "always");
      if (scheme !== "never" && scheme !== "first" && scheme !== "always") unrecognized("its Metaspace is not known");
      prefix = scheme as Characters["prefix"];
      // It puts nothing before a part that begins with the sign; Prepend above does.
      if (prefix !== "never") unrecognized("its Metaspace puts a blank in front");
      continue;
    }
    unrecognized(`its pre-tokenizer has the step ${JSON.stringify(step.type)}`);
  }
  if (model.ignore_merges === true) unrecognized("it ignores merges of characters");
  if (prefix !== "never" && !blanks) unrecognized("its normalizer has Prepend alone");
  const characters = characterTables(vocab, model, made, blanks, prefix);
  return { added, specials, nfc: false, cuts: { by: "pairs" }, merges, bytes: undefined, characters, whole: [] };
}
