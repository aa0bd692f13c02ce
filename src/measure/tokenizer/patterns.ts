// The regular expressions of tokenizer.json files are Oniguruma's. What they use of it is rewritten for JavaScript, with
// the classes of characters written out; what is not known here makes the tokenizer one that is not recognized.
import {
  CASELESS,
  classRanges,
  LETTER,
  LOWER,
  MARK,
  NUMBER,
  PUNCTUATION,
  SPACE,
  SYMBOL,
  UPPER,
} from "./unicode-classes.ts";

const PROPERTIES: Readonly<Record<string, number>> = {
  L: LETTER,
  M: MARK,
  N: NUMBER,
  P: PUNCTUATION,
  S: SYMBOL,
  Ll: LOWER,
};

/** Classes that are known in pairs only, which is how patterns have them. */
const PAIRS: readonly (readonly [string, string, number])[] = [
  ["Lu", "Lt", UPPER],
  ["Lm", "Lo", CASELESS],
];

/** The same pattern for JavaScript with the flag u; undefined where something in it is not known. */
export function translate(pattern: string): string | undefined {
  let out = "";
  let groups = 0;
  let at = 0;
  /** Where the last thing that a quantifier can follow begins in `out`. */
  let atom = 0;
  const opened: number[] = [];
  let caseless = 0;
  while (at < pattern.length) {
    const rest = pattern.slice(at);
    const c = pattern[at];
    if (rest.startsWith("(?i:") || rest.startsWith("(?:") || rest.startsWith("(?=") || rest.startsWith("(?!")) {
      if (caseless > 0) return undefined;
      const head = rest.startsWith("(?i:") ? "(?i:" : rest.slice(0, 3);
      opened.push(out.length);
      if (head === "(?i:") caseless = opened.length;
      out += head === "(?i:" ? "(?:" : head;
      at += head.length;
      continue;
    }
    if (c === "(") {
      if (rest[1] === "?") return undefined;
      opened.push(out.length);
      out += "(?:";
      at++;
      continue;
    }
    if (c === ")") {
      const start = opened.pop();
      if (start === undefined) return undefined;
      if (caseless > opened.length) caseless = 0;
      atom = start;
      out += ")";
      at++;
      continue;
    }
    if (c === "|") {
      out += "|";
      at++;
      continue;
    }
    const quantifier = /^(?:[?*+]|\{\d+(?:,\d*)?\})/.exec(rest)?.[0];
    if (quantifier !== undefined) {
      at += quantifier.length;
      if (pattern[at] === "+" && !quantifier.startsWith("{")) {
        // Possessive: what is matched is not given back.
        at++;
        groups++;
        out = `${out.slice(0, atom)}(?=(${out.slice(atom)}${quantifier}))\\${groups}`;
      } else {
        out += quantifier;
        if (pattern[at] === "?") out += pattern[at++];
      }
      continue;
    }
    atom = out.length;
    if (c === "[") {
      const set = readSet(pattern, at);
      if (set === undefined || caseless > 0) return undefined;
      out += set.text;
      at = set.end;
      continue;
    }
    if (c === "\\") {
      const found = readEscape(pattern, at);
      if (found === undefined) return undefined;
      out += found.bits === 0 ? found.text : `[${found.negated ? "^" : ""}${classRanges(found.bits)}]`;
      at = found.end;
      continue;
    }
    if (c === "." || c === "^" || c === "$") return undefined;
    const code = pattern.codePointAt(at) ?? 0;
    const letter = String.fromCodePoint(code);
    out += caseless > 0 && /[a-z]/i.test(letter) ? bothCases(letter) : literal(letter);
    at += letter.length;
  }
  if (opened.length > 0) return undefined;
  try {
    new RegExp(out, "u");
  } catch {
    return undefined;
  }
  return out;
}

const literal = (c: string) => (/[\\^$.*+?()[\]{}|/-]/.test(c) ? `\\u{${c.codePointAt(0)?.toString(16)}}` : c);

/** A letter in both cases, and what else folds to it. */
function bothCases(letter: string): string {
  const lower = letter.toLowerCase();
  return `[${lower}${lower.toUpperCase()}${lower === "s" ? "\\u017f" : lower === "k" ? "\\u212a" : ""}]`;
}

interface Found {
  /** The characters as JavaScript writes them, or the bits of a class. */
  readonly text: string;
  readonly bits: number;
  readonly negated: boolean;
  readonly end: number;
  readonly property?: string;
}

function readEscape(pattern: string, at: number): Found | undefined {
  const c = pattern[at + 1];
  const simple: Record<string, string> = { r: "\\r", n: "\\n", t: "\\t" };
  if (c in simple) return { text: simple[c], bits: 0, negated: false, end: at + 2 };
  if (c === "s" || c === "S") return { text: "", bits: SPACE, negated: c === "S", end: at + 2 };
  const property = /^\\([pP])\{(\w+)\}/.exec(pattern.slice(at));
  if (property !== null) {
    const [all, p, name] = property;
    const bits = PROPERTIES[name] ?? 0;
    const paired = PAIRS.some((pair) => pair.includes(name));
    if (bits === 0 && !paired) return undefined;
    return { text: "", bits, negated: p === "P", end: at + all.length, property: name };
  }
  if (c !== undefined && /[^\w\s]/.test(c)) return { text: literal(c), bits: 0, negated: false, end: at + 2 };
  return undefined;
}

/** A set in brackets, without sets inside of it. */
function readSet(pattern: string, from: number): { readonly text: string; readonly end: number } | undefined {
  let at = from + 1;
  let text = "[";
  if (pattern[at] === "^") {
    text += "^";
    at++;
  }
  const names = new Set<string>();
  while (at < pattern.length && pattern[at] !== "]") {
    if (pattern[at] === "[" || pattern.startsWith("&&", at)) return undefined;
    if (pattern[at] === "\\") {
      const found = readEscape(pattern, at);
      if (found === undefined || found.negated) return undefined;
      if (found.property !== undefined) names.add(found.property);
      text += found.bits === 0 ? found.text : classRanges(found.bits);
      at = found.end;
      continue;
    }
    const c = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
    at += c.length;
    text += c === "-" ? "-" : literal(c);
  }
  for (const [a, b, bits] of PAIRS) {
    if (names.has(a) !== names.has(b)) return undefined;
    if (names.has(a)) text += classRanges(bits);
  }
  return at < pattern.length ? { text: `${text}]`, end: at + 1 } : undefined;
}
