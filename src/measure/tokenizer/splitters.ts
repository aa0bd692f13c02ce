// Where a text is cut into pieces before byte pair encoding. The cuts of a tokenizer.json are regular expressions; the
// most frequent ones are walked by hand here, which is several times as fast and the same on every host. The others run
// as regular expressions of the host with the character classes written out.
import { classTable, LETTER, MARK, NUMBER, PUNCTUATION, SPACE, SYMBOL } from "./unicode-classes.ts";

/** Cuts text[from..to), which is between two added tokens, piece by piece. */
export interface Splitter {
  /** Told before the first piece of a part. */
  begin(text: string, from: number, to: number): void;
  /** Where the piece that starts at `at` ends. */
  end(text: string, at: number, to: number): number;
  /** Whether the piece just ended is left out, as some patterns do with what they do not match. */
  readonly drops?: boolean;
}

const LF = 10;
const CR = 13;
const BLANK = 32;

/** The code point at `at`; half a surrogate pair is itself. */
function codeAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit < 0xd800 || unit > 0xdfff ? unit : (text.codePointAt(at) ?? unit);
}

const width = (code: number) => (code > 0xffff ? 2 : 1);

/**
 * (?i:'s|'t|'re|'ve|'m|'ll|'d): the length of such an ending at the apostrophe, or 0. Without case, s is also U+017F.
 */
function contraction(text: string, at: number, to: number): number {
  if (at + 1 >= to) return 0;
  const first = text.charCodeAt(at + 1);
  const lower = first | 32;
  if (lower === 0x73 || lower === 0x74 || lower === 0x6d || lower === 0x64 || first === 0x17f) {
    // | 32 also turns other characters into these letters' codes only within ASCII.
    return first < 0x80 || first === 0x17f ? 2 : 0;
  }
  if (at + 2 >= to || first >= 0x80) return 0;
  const second = text.charCodeAt(at + 2);
  if (second >= 0x80) return 0;
  const next = second | 32;
  if (lower === 0x72 || lower === 0x76) return next === 0x65 ? 3 : 0;
  return lower === 0x6c && next === 0x6c ? 3 : 0;
}

/**
 * The rest of `\s*[\r\n]+|\s+(?!\S)|\s+` from `at` on, where white space begins: up to the last line break of the run if
 * it has one, else all of it at the end of the text, else all but the last character, which goes with what follows.
 */
function spaces(text: string, at: number, to: number, classes: Uint8Array): number {
  let end = at;
  let breaks = 0;
  while (end < to) {
    // No white space is outside of the basic plane.
    const unit = text.charCodeAt(end);
    if ((classes[unit] & SPACE) === 0) break;
    end++;
    if (unit === LF || unit === CR) breaks = end;
  }
  if (breaks > 0) return breaks;
  if (end === to || end === at + 1) return end;
  return end - 1;
}

/** The pattern of cl100k, Llama 3, Qwen 2 and 3, GLM-4: letters, `digits` digits at most, other characters, spaces. */
export class LetterSplitter implements Splitter {
  readonly #classes = classTable();
  readonly #digits: number;

  constructor(digits: number) {
    this.#digits = digits;
  }

  begin(): void {}

  end(text: string, at: number, to: number): number {
    const classes = this.#classes;
    let code = codeAt(text, at);
    let bits = classes[code];
    if ((bits & LETTER) !== 0) return this.#letters(text, at + width(code), to);
    if (code === 0x27) {
      const length = contraction(text, at, to);
      if (length > 0) return at + length;
    }
    if ((bits & NUMBER) !== 0) {
      let end = at + width(code);
      for (let i = 1; i < this.#digits && end < to; i++) {
        code = codeAt(text, end);
        if ((classes[code] & NUMBER) === 0) break;
        end += width(code);
      }
      return end;
    }
    let end = at + width(code);
    if (code !== LF && code !== CR && end < to) {
      const next = codeAt(text, end);
      if ((classes[next] & LETTER) !== 0) return this.#letters(text, end + width(next), to);
      if (code === BLANK && (classes[next] & (LETTER | NUMBER | SPACE)) === 0) {
        bits = classes[next];
        end += width(next);
      }
    }
    if ((bits & SPACE) !== 0) return spaces(text, at, to, classes);
    while (end < to) {
      code = codeAt(text, end);
      if ((classes[code] & (LETTER | NUMBER | SPACE)) !== 0) break;
      end += width(code);
    }
    while (end < to) {
      code = text.charCodeAt(end);
      if (code !== LF && code !== CR) break;
      end++;
    }
    return end;
  }

  #letters(text: string, end: number, to: number): number {
    const classes = this.#classes;
    while (end < to) {
      const unit = text.charCodeAt(end);
      if (unit >= 0xd800 && unit <= 0xdfff) {
        const code = codeAt(text, end);
        if ((classes[code] & LETTER) === 0) break;
        end += width(code);
      } else {
        if ((classes[unit] & LETTER) === 0) break;
        end++;
      }
    }
    return end;
  }
}

/** Added to the class of the ideographs and kana that DeepSeek's second pattern sets apart. */
const APART = 256;

/** Whether a class has one of the wanted bits and is of the kind of script that is walked. */
function isOf(bits: number, wanted: number, kind: number): boolean {
  return (bits & wanted) !== 0 && (bits & (APART | NUMBER)) === kind;
}

/** The three patterns of DeepSeek-V3, one after another: digits, ideographs and kana, and the rest. */
export class DeepseekSplitter implements Splitter {
  readonly #classes = classTable();
  readonly #wide: Uint16Array;

  constructor() {
    this.#wide = Uint16Array.from(this.#classes);
    const apart = (from: number, to: number) => {
      for (let code = from; code <= to; code++) this.#wide[code] |= APART;
    };
    apart(0x4e00, 0x9fa5);
    apart(0x3040, 0x30ff);
  }

  begin(): void {}

  end(text: string, at: number, to: number): number {
    const wide = this.#wide;
    let code = codeAt(text, at);
    const kind = wide[code] & (APART | NUMBER);
    if (kind === NUMBER) {
      let end = at + width(code);
      for (let i = 1; i < 3 && end < to; i++) {
        code = codeAt(text, end);
        if ((wide[code] & NUMBER) === 0) break;
        end += width(code);
      }
      return end;
    }
    let end = at;
    // What no alternative matches is a piece too, up to the next match.
    while (end < to) {
      code = codeAt(text, end);
      if ((wide[code] & (APART | NUMBER)) !== kind) return end;
      const match = this.#match(text, end, to, code, kind);
      if (match > end) return end === at ? match : end;
      end += width(code);
    }
    return end;
  }

  /** The end of the third pattern's match at `at`, or `at`. Digits and the other kind of script end the text for it. */
  #match(text: string, at: number, to: number, code: number, kind: number): number {
    const wide = this.#wide;
    let bits = wide[code];
    let end = at + width(code);
    if (code < 0x80 && (bits & (PUNCTUATION | SYMBOL)) !== 0 && end < to) {
      let lower = text.charCodeAt(end) | 32;
      if (lower >= 0x61 && lower <= 0x7a) {
        while (lower >= 0x61 && lower <= 0x7a && end < to) lower = text.charCodeAt(++end) | 32;
        return end;
      }
    }
    const next = end < to ? codeAt(text, end) : 0;
    const nextBits = end < to ? wide[next] : 0;
    const isWord = (bits & (LETTER | MARK)) !== 0;
    if (
      isWord ||
      (code !== LF && code !== CR && (bits & (PUNCTUATION | SYMBOL)) === 0 && isOf(nextBits, LETTER | MARK, kind))
    ) {
      while (end < to) {
        code = codeAt(text, end);
        if (!isOf(wide[code], LETTER | MARK, kind)) break;
        end += width(code);
      }
      return end;
    }
    if (code === BLANK && isOf(nextBits, PUNCTUATION | SYMBOL, kind)) {
      bits = nextBits;
      end += width(next);
    }
    if ((bits & (PUNCTUATION | SYMBOL)) !== 0) {
      while (end < to) {
        code = codeAt(text, end);
        if (!isOf(wide[code], PUNCTUATION | SYMBOL, kind)) break;
        end += width(code);
      }
      // A line break is of the other kind than ideographs and kana, among which there are symbols.
      while (kind === 0 && end < to) {
        code = text.charCodeAt(end);
        if (code !== LF && code !== CR) break;
        end++;
      }
      return end;
    }
    if ((bits & SPACE) === 0) return at;
    let stop = at;
    while (stop < to && (this.#classes[text.charCodeAt(stop)] & SPACE) !== 0) stop++;
    // Behind the white space, another kind of script or a digit ends the text as its end does.
    const over = stop === to || (wide[codeAt(text, stop)] & (APART | NUMBER)) !== kind;
    return over ? spaces(text, at, stop, this.#classes) : spaces(text, at, to, this.#classes);
  }
}

/** One step of a pre-tokenizer: the matches of a pattern, and what is between them, are pieces. */
export interface PatternStep {
  /** A pattern of JavaScript, with the flag u. */
  readonly pattern: string;
  /** Whether what the pattern does not match is left out. */
  readonly drops: boolean;
}

/** Any patterns, one after another. */
export class PatternSplitter implements Splitter {
  readonly #steps: readonly { readonly pattern: RegExp; readonly drops: boolean }[];
  /** Ends of the pieces, with the sign turned for those that are left out. */
  #ends: number[] = [];
  #next = 0;
  drops = false;

  constructor(steps: readonly PatternStep[]) {
    this.#steps = steps.map(({ pattern, drops }) => ({ pattern: new RegExp(pattern, "gu"), drops }));
  }

  begin(text: string, from: number, to: number): void {
    let ends = [to];
    for (const { pattern, drops } of this.#steps) {
      const finer: number[] = [];
      let at = from;
      for (const signed of ends) {
        const end = Math.abs(signed);
        if (signed < 0) finer.push(signed);
        else split(text, at, end, pattern, drops, finer);
        at = end;
      }
      ends = finer;
    }
    this.#ends = ends;
    this.#next = 0;
  }

  end(): number {
    const end = this.#ends[this.#next++];
    this.drops = end < 0;
    return Math.abs(end);
  }
}

/** Adds the ends of the pieces of text[from..to) to `out`. The part is a text of its own, for what looks beyond. */
function split(text: string, from: number, to: number, pattern: RegExp, drops: boolean, out: number[]): void {
  const part = text.slice(from, to);
  let last = 0;
  for (const match of part.matchAll(pattern)) {
    const [{ length }] = match;
    if (length === 0) continue;
    if (match.index > last) out.push((from + match.index) * (drops ? -1 : 1));
    last = match.index + length;
    out.push(from + last);
  }
  if (last < part.length) out.push(to * (drops ? -1 : 1));
}
