import { InputError } from "../../core/errors.ts";
import { AddedTokens } from "./added.ts";
import { Merger, type SharedInt32 } from "./merges.ts";
import { LONGEST, PieceCounts } from "./piece-counts.ts";
import { DeepseekSplitter, LetterSplitter, PatternSplitter, type Splitter } from "./splitters.ts";
import { BLANK_SIGN, type Characters, type Cuts, type Tables } from "./tables.ts";
import { unknownToNormalizer } from "./unicode-classes.ts";

/** A text to count, and ranges of it. */
export interface Text {
  /** The text. */
  readonly text: string;
  /** start, end, start, end, ... in UTF-16 code units, ascending. */
  readonly ranges: readonly number[];
}

/** The tokens of a text. */
export interface Count {
  /** How many there are. */
  readonly tokens: number;
  /** How many of them overlap with the text's ranges. */
  readonly within: number;
}

/** Counts the tokens of texts. */
export interface Counter {
  /** How it counts, for people. */
  readonly about: string;
  /** How many special tokens the tokenizer puts around a text if asked to. */
  readonly specials: number;
  /**
   * Counts the tokens of texts, without special tokens around them; added tokens within them count as one each. Some
   * libraries return a promise.
   *
   * @throws InputError INVALID_INPUT for a text with a lone surrogate, which has no bytes.
   */
  countAll(texts: readonly Text[]): readonly Count[] | Promise<readonly Count[]>;
  /** Where the added token that begins at `at` ends; `at` itself if none begins there. */
  endOfAdded(text: string, at: number): number;
}

function splitterOf(cuts: Exclude<Cuts, { by: "pairs" }>): Splitter {
  if (cuts.by === "letters") return new LetterSplitter(cuts.digits);
  return cuts.by === "deepseek" ? new DeepseekSplitter() : new PatternSplitter(cuts.steps);
}

/** Nothing ahead. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** The tokenizer of some tables: pieces that were seen are looked up, others are merged. */
export class TableCounter implements Counter {
  readonly about: string;
  readonly specials: number;
  readonly #raw: AddedTokens;
  readonly #normalized: AddedTokens;
  readonly #nfc: boolean;
  readonly #unknown: RegExp;
  readonly #pieces: Pieces;

  constructor(tables: Tables) {
    this.specials = tables.specials;
    // Tokens to be normalized are found after all others; without normalization, only the order differs.
    this.#raw = new AddedTokens(tables.added.filter((token) => !token.normalized));
    this.#normalized = new AddedTokens(tables.added.filter((token) => token.normalized));
    this.#nfc = tables.nfc;
    this.#unknown = unknownToNormalizer();
    this.#pieces =
      tables.characters === undefined ? new BytePieces(tables) : new CharacterPieces(tables.characters, tables.merges);
    this.about = "piece by piece, checked against a library on the first rows";
  }

  countAll(texts: readonly Text[]): readonly Count[] {
    return texts.map(({ text, ranges }) => this.countWithin(text, ranges));
  }

  endOfAdded(text: string, at: number): number {
    const end = this.#raw.endAt(text, at);
    return end > at ? end : this.#normalized.endAt(text, at);
  }

  count(text: string): number {
    return this.#count(text, undefined);
  }

  countWithin(text: string, ranges: readonly number[]): Count {
    if (ranges.length === 0) return { tokens: this.#count(text, undefined), within: 0 };
    const spans = new Spans(ranges);
    const tokens = this.#count(text, spans);
    return { tokens, within: spans.within };
  }

  #count(text: string, spans: Spans | undefined): number {
    let total = 0;
    let at = 0;
    const raw = this.#raw;
    while (at < text.length) {
      const found = raw.find(text, at, text.length);
      const [start, end] = found ? [raw.start, raw.end] : [text.length, text.length];
      if (start > at) total += this.#countNormalized(text, at, start, spans);
      if (found) {
        total++;
        spans?.add(start, end, 1);
      }
      at = end;
    }
    return total;
  }

  #countNormalized(text: string, from: number, to: number, spans: Spans | undefined): number {
    if (this.#nfc) {
      const part = from === 0 && to === text.length ? text : text.slice(from, to);
      // A text that today's Unicode has nothing to change in has nothing for an older one either.
      if (part.search(/[^\0-\u02ff]/) >= 0 && part.normalize("NFC") !== part) {
        const normal = normalize(part, this.#unknown);
        if (normal !== part) {
          return spans === undefined
            ? this.#countParts(normal, 0, normal.length, from === 0, undefined)
            : this.#countMoved(part, from, spans);
        }
      }
    }
    return this.#countParts(text, from, to, from === 0, spans);
  }

  /** Where normalization changes lengths: each side of every boundary is normalized by itself to find it again. */
  #countMoved(part: string, from: number, spans: Spans): number {
    let normal = "";
    const moved: number[] = [];
    let at = 0;
    for (const boundary of spans.boundaries) {
      const place = Math.min(Math.max(boundary - from, 0), part.length);
      normal += normalize(part.slice(at, place), this.#unknown);
      moved.push(normal.length);
      at = place;
    }
    normal += normalize(part.slice(at), this.#unknown);
    const inner = new Spans(moved);
    const count = this.#countParts(normal, 0, normal.length, from === 0, inner);
    spans.within += inner.within;
    spans.skipTo(from + part.length);
    // A boundary between a letter and its accent keeps the two apart here; the count must not know of it.
    const together = normalize(part, this.#unknown);
    return together === normal ? count : this.#countParts(together, 0, together.length, from === 0, undefined);
  }

  #countParts(text: string, from: number, to: number, isFirst: boolean, spans: Spans | undefined): number {
    const normalized = this.#normalized;
    if (normalized.isEmpty) return this.#pieces.count(text, from, to, isFirst, spans);
    let total = 0;
    let at = from;
    while (at < to) {
      const found = normalized.find(text, at, to);
      const [start, end] = found ? [normalized.start, normalized.end] : [to, to];
      if (start > at) total += this.#pieces.count(text, at, start, isFirst && at === from, spans);
      if (found) {
        total++;
        spans?.add(start, end, 1);
      }
      at = end;
    }
    return total;
  }
}

/** NFC as the library's normalizer does it, which leaves alone what came later into Unicode. */
function normalize(text: string, unknown: RegExp): string {
  if (text.search(unknown) < 0) return text.normalize("NFC");
  return text
    .split(new RegExp(`(${unknown.source})`, "u"))
    .map((part, i) => (i % 2 === 1 ? part : part.normalize("NFC")))
    .join("");
}

/** Adds up the tokens that overlap with ranges, while a text is walked from front to back. */
class Spans {
  readonly boundaries: readonly number[];
  within = 0;
  /** How many boundaries are passed: an odd number is inside of a range. */
  #passed = 0;
  /** The next boundary. */
  next: number;

  constructor(ranges: readonly number[]) {
    this.boundaries = ranges.filter((_, i) => ranges[i - (i % 2)] < ranges[i - (i % 2) + 1]);
    this.next = this.boundaries[0] ?? NEVER;
  }

  skipTo(at: number): void {
    while (this.next <= at) {
      this.#passed++;
      this.next = this.#passed < this.boundaries.length ? this.boundaries[this.#passed] : NEVER;
    }
  }

  /** `tokens` that all lie in [start, end); a single one may be cut by boundaries. */
  add(start: number, end: number, tokens: number): void {
    this.skipTo(start);
    // Inside at its start, or a range that begins before its end.
    if (this.#passed % 2 === 1 || this.next < end) this.within += tokens;
  }

  /** Whether a boundary lies within (start, end). */
  cuts(start: number, end: number): boolean {
    this.skipTo(start);
    return this.next < end;
  }
}

interface Pieces {
  /** Tokens of text[from..to), a part between added tokens. */
  count(text: string, from: number, to: number, isFirst: boolean, spans: Spans | undefined): number;
}

function refuseHalf(): never {
  throw new InputError("INVALID_INPUT", "the text has a lone surrogate, which is not a character");
}

/** Pieces whose bytes are merged. */
class BytePieces implements Pieces {
  readonly #splitter: Splitter;
  readonly #known = new PieceCounts();
  readonly #merger: Merger;
  readonly #bytes: SharedInt32;
  readonly #whole: ReadonlySet<string>;

  constructor(tables: Tables) {
    if (tables.bytes === undefined || tables.cuts.by === "pairs") throw new Error("tables of characters");
    this.#splitter = splitterOf(tables.cuts);
    this.#merger = new Merger(tables.merges);
    this.#bytes = tables.bytes;
    this.#whole = new Set(tables.whole);
  }

  count(text: string, from: number, to: number, _isFirst: boolean, spans: Spans | undefined): number {
    const splitter = this.#splitter;
    const known = this.#known;
    splitter.begin(text, from, to);
    let total = 0;
    for (let at = from; at < to; ) {
      const end = splitter.end(text, at, to);
      if (splitter.drops !== true) {
        let count: number;
        if (end - at <= LONGEST) {
          count = known.find(text, at, end);
          if (count < 0) {
            count = this.#merge(text, at, end);
            known.keep(text, at, end, count);
          }
        } else count = this.#merge(text, at, end);
        total += count;
        if (spans !== undefined) {
          if (spans.cuts(at, end)) this.#addEach(text, at, end, spans);
          else spans.add(at, end, count);
        }
      }
      at = end;
    }
    return total;
  }

  #merge(text: string, from: number, to: number): number {
    if (this.#whole.size > 0 && this.#whole.has(text.slice(from, to))) return 1;
    return this.#merger.merge(this.#load(text, from, to));
  }

  /** Puts the bytes of text[from..to) into the merger; returns how many there are. */
  #load(text: string, from: number, to: number): number {
    const merger = this.#merger;
    const bytes = this.#bytes;
    merger.reserve((to - from) * 3);
    const { ids } = merger;
    let n = 0;
    for (let i = from; i < to; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x80) ids[n++] = bytes[unit];
      else if (unit < 0x800) {
        ids[n++] = bytes[0xc0 | (unit >> 6)];
        ids[n++] = bytes[0x80 | (unit & 63)];
      } else if (unit < 0xd800 || unit > 0xdfff) {
        ids[n++] = bytes[0xe0 | (unit >> 12)];
        ids[n++] = bytes[0x80 | ((unit >> 6) & 63)];
        ids[n++] = bytes[0x80 | (unit & 63)];
      } else {
        const code = i + 1 < to ? (text.codePointAt(i) ?? 0) : 0;
        if (code < 0x10000) refuseHalf();
        i++;
        ids[n++] = bytes[0xf0 | (code >> 18)];
        ids[n++] = bytes[0x80 | ((code >> 12) & 63)];
        ids[n++] = bytes[0x80 | ((code >> 6) & 63)];
        ids[n++] = bytes[0x80 | (code & 63)];
      }
    }
    return n;
  }

  /** Every token of a piece by itself, as a boundary lies within it. */
  #addEach(text: string, from: number, to: number, spans: Spans): void {
    if (this.#whole.size > 0 && this.#whole.has(text.slice(from, to))) {
      spans.add(from, to, 1);
      return;
    }
    const left = this.#merger.mergeEnds(this.#load(text, from, to));
    // The character that each byte belongs to, and after them the end.
    const places: number[] = [];
    for (let i = from; i < to; ) {
      const code = text.codePointAt(i) ?? 0;
      const width = code > 0xffff ? 2 : 1;
      const length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      for (let k = 0; k < length; k++) places.push(i);
      i += width;
    }
    places.push(to);
    let start = 0;
    for (let i = 0; i < left; i++) {
      const end = this.#merger.ends[i];
      const first = places[start];
      // A token that ends within a character reaches to that character's end.
      const last = places[end] > places[end - 1] ? places[end] : endOfCharacter(text, places[end - 1]);
      spans.add(first, last, 1);
      start = end;
    }
  }
}

function endOfCharacter(text: string, at: number): number {
  return at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
}

/** Characters that are merged across words: cut where no token can span the place. */
class CharacterPieces implements Pieces {
  readonly #known = new PieceCounts();
  readonly #merger: Merger;
  readonly #tables: Characters;
  readonly #numbers: SharedInt32;
  readonly #pairs: SharedInt32;
  readonly #shift: number;
  /** For characters of ASCII: 1 where the two stand side by side in a token. */
  readonly #near = new Uint8Array(128 * 128);

  constructor(tables: Characters, merges: SharedInt32) {
    this.#tables = tables;
    this.#numbers = tables.numbers;
    this.#pairs = tables.pairs;
    this.#merger = new Merger(merges);
    this.#shift = 32 - Math.log2(tables.pairs.length);
    for (let a = 0; a < 128; a++) {
      for (let b = 0; b < 128; b++) if (this.#isPair(this.#numbers[a], this.#numbers[b])) this.#near[a * 128 + b] = 1;
    }
  }

  #isPair(a: number, b: number): boolean {
    if (a === 0 || b === 0) return false;
    const key = (a << 16) | b;
    const pairs = this.#pairs;
    const mask = pairs.length - 1;
    for (let at = Math.imul(key, 0x9e3779b1) >>> this.#shift; ; at = (at + 1) & mask) {
      if (pairs[at] === key) return true;
      if (pairs[at] === 0) return false;
    }
  }

  count(text: string, from: number, to: number, isFirst: boolean, spans: Spans | undefined): number {
    const { prefix } = this.#tables;
    if (prefix === "always" || (prefix === "first" && isFirst)) {
      // The sign in front belongs to no character of the text.
      const signed = BLANK_SIGN + text.slice(from, to);
      if (spans === undefined) return this.#count(signed, 0, signed.length, undefined);
      const inner = new Spans(
        spans.boundaries.map((boundary) => Math.min(Math.max(boundary - from, 0), to - from) + 1),
      );
      const count = this.#count(signed, 0, signed.length, inner);
      spans.within += inner.within;
      spans.skipTo(to);
      return count;
    }
    return this.#count(text, from, to, spans);
  }

  #count(text: string, from: number, to: number, spans: Spans | undefined): number {
    const numbers = this.#numbers;
    const near = this.#near;
    let total = 0;
    let unknown = false;
    for (let at = from; at < to; ) {
      let code = text.charCodeAt(at);
      if (code >= 0xd800 && code <= 0xdfff) code = wholeCode(text, at, to);
      let end = at + (code > 0xffff ? 2 : 1);
      let count: number;
      if (numbers[code] === 0) {
        count = this.#withoutToken(code, unknown);
        unknown = !this.#tables.byteFallback;
      } else {
        unknown = false;
        while (end < to) {
          let next = text.charCodeAt(end);
          if (next < 128 && code < 128) {
            if (near[code * 128 + next] === 0) break;
          } else {
            if (next >= 0xd800 && next <= 0xdfff) next = wholeCode(text, end, to);
            if (!this.#isPair(numbers[code], numbers[next])) break;
          }
          code = next;
          end += code > 0xffff ? 2 : 1;
        }
        if (end - at <= LONGEST) {
          count = this.#known.find(text, at, end);
          if (count < 0) {
            count = this.#merger.merge(this.#load(text, at, end));
            this.#known.keep(text, at, end, count);
          }
        } else count = this.#merger.merge(this.#load(text, at, end));
      }
      total += count;
      if (spans !== undefined) {
        // The bytes of a character without a token of its own stand for all of it.
        if (numbers[code] !== 0 && spans.cuts(at, end)) this.#addEach(text, at, end, spans);
        else spans.add(at, end, count);
      }
      at = end;
    }
    return total;
  }

  /** Tokens of a character that is none; `again`: the one before was unknown too. */
  #withoutToken(code: number, again: boolean): number {
    const { byteFallback, unknown } = this.#tables;
    if (byteFallback) return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    return unknown === "none" || (unknown === "run" && again) ? 0 : 1;
  }

  #load(text: string, from: number, to: number): number {
    const merger = this.#merger;
    merger.reserve(to - from);
    const { tokens } = this.#tables;
    let n = 0;
    for (let i = from; i < to; i++) {
      let code = text.charCodeAt(i);
      if (code >= 0xd800 && code <= 0xdfff) code = text.codePointAt(i++) ?? 0;
      merger.ids[n++] = tokens[this.#numbers[code] - 1];
    }
    return n;
  }

  #addEach(text: string, from: number, to: number, spans: Spans): void {
    const left = this.#merger.mergeEnds(this.#load(text, from, to));
    const places = [];
    for (let i = from; i < to; i = endOfCharacter(text, i)) places.push(i);
    places.push(to);
    for (let i = 0; i < left; i++) {
      spans.add(places[i === 0 ? 0 : this.#merger.ends[i - 1]], places[this.#merger.ends[i]], 1);
    }
  }
}

/** The code point of the surrogate pair at `at`. */
function wholeCode(text: string, at: number, to: number): number {
  const code = at + 1 < to ? (text.codePointAt(at) ?? 0) : 0;
  return code < 0x10000 ? refuseHalf() : code;
}
