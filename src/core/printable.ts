// Makes foreign text safe for a terminal: names of files, fields and options, and contents of files.

/**
 * Code points that act on a terminal, break a line, reorder text or cannot be seen, as [first, last]. The same list is in
 * `assembly/base/printable.ts`; a test compares them over all code points. It is a list, not a Unicode category, because
 * engines know different versions of Unicode. The joiners U+200C and U+200D are not in it: names in Persian, and many
 * emoji, are spelt with them.
 */
const UNPRINTABLE: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x1f], // C0: escape sequences, line breaks
  [0x7f, 0x9f], // DEL, C1
  [0x061c, 0x061c], // Arabic letter mark
  [0x200b, 0x200b], // zero width space
  [0x200e, 0x200f], // left-to-right and right-to-left mark
  [0x2028, 0x202e], // line and paragraph separator, bidirectional embeddings and overrides
  [0x2060, 0x206f], // word joiner, invisible operators, bidirectional isolates
  [0xd800, 0xdfff], // half of a surrogate pair
  [0xfeff, 0xfeff], // byte order mark
  [0xfff9, 0xfffb], // interlinear annotations
  [0xe0000, 0xe007f], // tags
];

function isUnprintable(code: number): boolean {
  return UNPRINTABLE.some(([first, last]) => code >= first && code <= last);
}

/** \x1b, \u202e or \u{e0001}. */
function escaped(code: number): string {
  const digits = code.toString(16);
  if (code <= 0xff) return `\\x${digits.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, "0")}` : `\\u{${digits}}`;
}

/**
 * Text from elsewhere, on one line and harmless to a terminal: every code point of the list becomes an escape, all else
 * stays. Applying it twice changes nothing more.
 */
export function printable(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  let out = "";
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    out += isUnprintable(code) ? escaped(code) : character;
  }
  return out;
}

/** The same in double quotes, as JSON writes a string. */
export function quoted(text: string): string {
  return printable(JSON.stringify(text));
}

/** The most characters that a value takes in a message. */
const LONGEST = 40;
/** How deep a value is shown. */
const DEEPEST = 3;

function short(text: string): string {
  if (text.length <= LONGEST) return text;
  const end = LONGEST - 3;
  // A pair is not cut in two.
  const half = text.charCodeAt(end - 1) & 0xfc00;
  return `${text.slice(0, half === 0xd800 ? end - 1 : end)}...`;
}

/** Only as many items as can be shown. */
function list(open: string, close: string, count: number, item: (at: number) => string): string {
  let text = open;
  for (let at = 0; at < count; at++) {
    if (text.length > LONGEST) return text;
    text += `${at > 0 ? "," : ""}${item(at)}`;
  }
  return text + close;
}

function written(value: unknown, depth: number): string {
  if (typeof value === "string") return quoted(value.slice(0, 2 * LONGEST));
  if (typeof value === "bigint") return BigInt.asIntN(256, value) === value ? `${value}n` : "a bigint of over 256 bits";
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return printable(String(value));
  if (ArrayBuffer.isView(value)) {
    const { length = value.byteLength } = value as unknown as { length?: number };
    return `${Object.prototype.toString.call(value).slice(8, -1)}(${length})`;
  }
  const isList = Array.isArray(value);
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (!isList && kind !== "Object") return printable(kind);
  if (depth === DEEPEST) return isList ? "[...]" : "{...}";
  if (isList) return list("[", "]", value.length, (at) => written(value[at], depth + 1));
  const names = Object.keys(value);
  const members = value as Record<string, unknown>;
  return list("{", "}", names.length, (at) => `${written(names[at], depth)}:${written(members[names[at]], depth + 1)}`);
}

/**
 * Shows any value in a message: as it would be written in code, on one line, cut after 40 characters. Never throws: it
 * calls no method of the value, and goes no deeper than three levels.
 */
export function show(value: unknown): string {
  try {
    return short(written(value, 0));
  } catch {
    return "a value that cannot be shown";
  }
}
