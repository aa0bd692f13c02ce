// JSON length files: one array of records, or records one after another with white space between (JSONL). Takes the
// input in pieces cut at any byte and remembers a few words between them, so that neither the size of the file nor
// its nesting costs memory. From each record it takes two whole numbers; everything else is checked against RFC 8259
// and skipped (that strings are well-formed UTF-8 is not checked: none of them is kept).
//
// Each piece is followed by 16 zero bytes. A zero byte is legal nowhere, so no step asks whether the piece has ended:
// the step that meets what it cannot use does (`p == end`), keeps its state and waits for the next piece. White space,
// strings and field names go 16 bytes at a time.

import { alloc } from "../base/memory";
import {
  BAD_VALUE,
  FIELD_MISSING,
  NOT_A_RECORD,
  OK,
  OUT_OF_MEMORY,
  TOO_DEEP,
  TRAILING_BYTES,
  UNEXPECTED_BYTE,
  UNEXPECTED_END,
} from "../base/status";
import {
  clearSeen,
  EXPECT_COLON,
  EXPECT_DIGIT,
  EXPECT_ESCAPE,
  EXPECT_HEX,
  EXPECT_LITERAL,
  EXPECT_NAME,
  EXPECT_NAME_OR_END,
  EXPECT_NEXT_FIELD,
  EXPECT_NEXT_ITEM,
  EXPECT_NEXT_RECORD,
  EXPECT_RECORD,
  EXPECT_RECORD_OR_END,
  EXPECT_SPACE,
  EXPECT_START,
  EXPECT_STRING,
  EXPECT_VALUE,
  EXPECT_VALUE_OR_END,
  keepByte,
  keepSeen,
  SEEN_BYTES,
  seenLength,
  setCounts,
  setError,
  TOKENS,
  tokens as tokensOut,
  VIT,
  vit as vitOut,
} from "./columns";

const MAX_DEPTH: i32 = 512;
const MAX_VALUE: u64 = i32.MAX_VALUE;

// States: what the next byte belongs to. Those of a record's own fields come first, as the most frequent.
const FIELD_FIRST: i32 = 0; // after the { of a record
const FIELD_NEXT: i32 = 1; // after a , between its fields
const COLON: i32 = 2;
const VALUE: i32 = 3;
const AFTER: i32 = 4; // after any value inside a record
const RECORD_END: i32 = 5; // after its }, nothing read yet
const ARRAY_AFTER: i32 = 6; // after a record of the array
const ARRAY_NEXT: i32 = 7; // after a , between records
const ARRAY_FIRST: i32 = 8;
const SEQUENCE_AFTER: i32 = 9; // right after a record of a sequence
const SEQUENCE_NEXT: i32 = 10; // after white space behind it
const DONE: i32 = 11; // after the array
const START: i32 = 12;
const MARK_2: i32 = 13; // inside the byte order mark
const MARK_3: i32 = 14;
const WHOLE: i32 = 15; // digits of a wanted number
const WHOLE_ZERO: i32 = 16; // after its leading 0
const WHOLE_DOT: i32 = 17; // after its point
const WHOLE_FRACTION: i32 = 18; // after a 0 behind the point
const REFUSED: i32 = 19; // inside a wanted value that is none; only to show it
const REFUSED_STRING: i32 = 20;
const STRING: i32 = 21;
const ESCAPE: i32 = 22;
const HEX: i32 = 23;
const NAME_FIRST: i32 = 24; // after the { of a nested object
const NAME_NEXT: i32 = 25;
const ITEM_FIRST: i32 = 26; // after a [
const LITERAL: i32 = 27;
const MINUS: i32 = 28;
const ZERO: i32 = 29;
const DIGITS: i32 = 30;
const DOT: i32 = 31;
const FRACTION: i32 = 32;
const EXPONENT: i32 = 33;
const EXPONENT_SIGN: i32 = 34;
const EXPONENT_DIGITS: i32 = 35;
const FAILED: i32 = 36;

// What a string is.
const TEXT: i32 = 0;
const NESTED_NAME: i32 = 1;
const FIELD_NAME: i32 = 2;

/** A field that is not wanted; the wanted ones are VIT and TOKENS. */
const OTHER: i32 = 2;
const BOTH: u32 = 3;

const BACKSLASH: u32 = 0x5c;
const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const OPEN: u32 = 0x7b;
const CLOSE: u32 = 0x7d;
const OPEN_ARRAY: u32 = 0x5b;
const CLOSE_ARRAY: u32 = 0x5d;

let state: i32 = START;
let isArray: bool = false;
let records: u32 = 0;
/** Bytes of all pieces before this one. */
let base: u64 = 0;
let recordAt: u64 = 0;
let valueAt: u64 = 0;
let found: u32 = 0;
let vitValue: u64 = 0;
let tokensValue: u64 = 0;
let field: i32 = OTHER;
let number: u64 = 0;
let literal: u32 = 0;

/** Which of the open containers are objects: one bit each, none for the record itself. */
const kinds: usize = memory.data(64, 16);
let depth: i32 = 0;

// A wanted name and its closing quote as 16 bytes, and which of them count. A name that is longer than 15 bytes, or
// that JSON must escape, gets a pattern that nothing matches, and is compared byte by byte.
const patterns: usize = memory.data(64, 16);
let vitSkip: usize = 0;
let tokensSkip: usize = 0;
/** A name is longer than 15 bytes. */
let longNames: bool = false;
let vitName: usize = 0;
let vitLength: usize = 0;
let tokensName: usize = 0;
let tokensLength: usize = 0;

// The string that is open over a seam or has escapes: a field's name is decoded into `name`, up to `nameRoom` bytes.
let kind: i32 = TEXT;
let name: usize = 0;
let nameRoom: usize = 0;
let nameLength: usize = 0;
let unit: u32 = 0;
let hexLeft: i32 = 0;
/** A first half of a surrogate pair that waits for the second. */
let high: u32 = 0;

function setPattern(at: usize, from: usize, length: usize): void {
  memory.fill(at, 0, 32);
  let simple = length <= 15;
  for (let i: usize = 0; i < length && simple; i++) {
    const c = <u32>load<u8>(from + i);
    if (c < 0x20 || c == QUOTE || c == BACKSLASH) simple = false;
  }
  if (!simple) {
    // A byte that does not count, and yet differs from 0: nothing matches.
    store<u8>(at, 1);
    return;
  }
  memory.copy(at, from, length);
  store<u8>(at + length, <u8>QUOTE);
  memory.fill(at + 16, 0xff, length + 1);
}

/** Starts a document. The names are UTF-8 and stay the caller's until the end. */
export function begin(vitAt: usize, ofVit: usize, tokensAt: usize, ofTokens: usize): i32 {
  vitName = vitAt;
  vitLength = ofVit;
  tokensName = tokensAt;
  tokensLength = ofTokens;
  setPattern(patterns, vitAt, ofVit);
  setPattern(patterns + 32, tokensAt, ofTokens);
  vitSkip = ofVit + 1;
  tokensSkip = ofTokens + 1;
  longNames = ofVit > 15 || ofTokens > 15;
  nameRoom = max(ofVit, ofTokens);
  name = alloc(nameRoom + 1);
  if (name == 0) return OUT_OF_MEMORY;
  restart();
  return OK;
}

/** Starts another document with the same names. */
export function restart(): void {
  state = START;
  isArray = false;
  records = 0;
  base = 0;
  depth = 0;
  field = OTHER;
}

function isSpace(c: u32): bool {
  return c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09;
}

/** The first byte from p on that is not white space. */
function skipSpace(p: usize): usize {
  while (true) {
    const bytes = v128.load(p);
    const spaces = v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(0x0a))),
      v128.or(i8x16.eq(bytes, i8x16.splat(0x0d)), i8x16.eq(bytes, i8x16.splat(0x09))),
    );
    const others = i8x16.bitmask(spaces) ^ 0xffff;
    if (others != 0) return p + ctz(others);
    p += 16;
  }
}

/** The first byte from p on that is a quote, a backslash or a control character. */
function skipText(p: usize): usize {
  while (true) {
    const bytes = v128.load(p);
    const special = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c))),
        i8x16.lt_u(bytes, i8x16.splat(0x20)),
      ),
    );
    if (special != 0) return p + ctz(special);
    p += 16;
  }
}

function same(a: usize, b: usize, length: usize): bool {
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
  }
  return true;
}

function fieldOf(at: usize, length: usize): i32 {
  if (length == vitLength && same(at, vitName, length)) return VIT;
  if (length == tokensLength && same(at, tokensName, length)) return TOKENS;
  return OTHER;
}

function nameByte(byte: u32): void {
  // One byte too many stays in the length, which then matches no name.
  if (nameLength <= nameRoom) store<u8>(name + nameLength++, byte);
}

function nameUtf8(code: u32): void {
  if (code < 0x80) nameByte(code);
  else if (code < 0x800) {
    nameByte(0xc0 | (code >> 6));
    nameByte(0x80 | (code & 63));
  } else {
    if (code < 0x10000) nameByte(0xe0 | (code >> 12));
    else {
      nameByte(0xf0 | (code >> 18));
      nameByte(0x80 | ((code >> 12) & 63));
    }
    nameByte(0x80 | ((code >> 6) & 63));
    nameByte(0x80 | (code & 63));
  }
}

/** A half without its other half becomes three bytes that no UTF-8 name holds. */
function flushHigh(): void {
  if (high == 0) return;
  nameUtf8(high);
  high = 0;
}

function nameUnit(code: u32): void {
  if (high != 0 && (code & 0xfc00) == 0xdc00) {
    nameUtf8(0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00));
    high = 0;
    return;
  }
  flushHigh();
  if ((code & 0xfc00) == 0xd800) high = code;
  else nameUtf8(code);
}

function nameRun(from: usize, end: usize): void {
  if (from == end) return;
  flushHigh();
  for (; from < end; from++) nameByte(load<u8>(from));
}

/** What the letter after a backslash stands for; 0 for u, -1 for no escape. */
function unescape(letter: u32): i32 {
  if (letter == QUOTE || letter == BACKSLASH || letter == 0x2f) return letter;
  if (letter == 0x62) return 8;
  if (letter == 0x66) return 12;
  if (letter == 0x6e) return 10;
  if (letter == 0x72) return 13;
  if (letter == 0x74) return 9;
  return letter == 0x75 ? 0 : -1;
}

function hexDigit(c: u32): i32 {
  if (c - 0x30 < 10) return c - 0x30;
  const letter = (c | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : -1;
}

/** Opens a container inside a record; false when that is one too many. */
function push(isObject: bool): bool {
  if (depth == MAX_DEPTH) return false;
  const at = kinds + (depth >> 3);
  const bit: u32 = 1 << (depth & 7);
  const bits = <u32>load<u8>(at);
  store<u8>(at, isObject ? bits | bit : bits & ~bit);
  depth++;
  return true;
}

function inObject(): bool {
  return depth == 0 || ((load<u8>(kinds + ((depth - 1) >> 3)) >> ((depth - 1) & 7)) & 1) != 0;
}

/** What can stand where a state has met something else. */
function expected(s: i32): i32 {
  switch (s) {
    case FIELD_FIRST:
    case NAME_FIRST:
      return EXPECT_NAME_OR_END;
    case FIELD_NEXT:
    case NAME_NEXT:
      return EXPECT_NAME;
    case COLON:
      return EXPECT_COLON;
    case VALUE:
      return EXPECT_VALUE;
    case AFTER:
    case WHOLE:
    case WHOLE_ZERO:
    case WHOLE_FRACTION:
    case ZERO:
    case DIGITS:
    case FRACTION:
    case EXPONENT_DIGITS:
      return inObject() ? EXPECT_NEXT_FIELD : EXPECT_NEXT_ITEM;
    case ARRAY_AFTER:
      return EXPECT_NEXT_RECORD;
    case ARRAY_NEXT:
    case SEQUENCE_NEXT:
      return EXPECT_RECORD;
    case ARRAY_FIRST:
      return EXPECT_RECORD_OR_END;
    case SEQUENCE_AFTER:
      return EXPECT_SPACE;
    case STRING:
      return EXPECT_STRING;
    case ESCAPE:
      return EXPECT_ESCAPE;
    case HEX:
      return EXPECT_HEX;
    case ITEM_FIRST:
      return EXPECT_VALUE_OR_END;
    case LITERAL:
      return EXPECT_LITERAL;
    case MINUS:
    case DOT:
    case EXPONENT:
    case EXPONENT_SIGN:
    case WHOLE_DOT:
      return EXPECT_DIGIT;
    case START:
    case MARK_2:
    case MARK_3:
      return EXPECT_START;
    default:
      return 0;
  }
}

/** Whether a value begins with this byte. */
function beginsValue(c: u32): bool {
  return (
    c - 0x30 < 10 || c == 0x2d || c == QUOTE || c == OPEN || c == OPEN_ARRAY || c == 0x74 || c == 0x66 || c == 0x6e
  );
}

/**
 * Reads the piece at `from` and puts the values of the records that end in it into the sink. The 16 bytes after the
 * piece are overwritten. One call per piece: a frame that runs for long never gets the engine's better code.
 */
export function run(from: usize, length: usize): i32 {
  const end = from + length;
  v128.store(end, i8x16.splat(0));
  const origin = base - <u64>from;
  const vitPattern = v128.load(patterns);
  const vitMask = v128.load(patterns + 16);
  const tokensPattern = v128.load(patterns + 32);
  const tokensMask = v128.load(patterns + 48);
  let vitTo = vitOut;
  let tokensTo = tokensOut;
  let p = from;
  let s = state;
  let has = found;
  let want = field;
  let value = number;
  let text = from; // where the wanted value begins, or its part in this piece
  let c: u32 = 0;
  let status = OK;

  while (true) {
    switch (s) {
      case FIELD_FIRST:
      case FIELD_NEXT: {
        c = load<u8>(p);
        if (c <= 0x20) {
          p = skipSpace(p);
          c = load<u8>(p);
        }
        if (c != QUOTE) {
          if (c != CLOSE || s == FIELD_NEXT) break;
          p++;
          s = RECORD_END;
          continue;
        }
        const here = v128.load(p + 1);
        if (!v128.any_true(v128.xor(v128.and(here, vitMask), vitPattern))) {
          want = VIT;
          p += vitSkip + 1;
        } else if (!v128.any_true(v128.xor(v128.and(here, tokensMask), tokensPattern))) {
          want = TOKENS;
          p += tokensSkip + 1;
        } else {
          const close = skipText(p + 1);
          if (load<u8>(close) != QUOTE) {
            // Cut by the end of the piece, or with escapes: byte by byte.
            kind = FIELD_NAME;
            nameLength = 0;
            high = 0;
            p++;
            s = STRING;
            continue;
          }
          want = longNames ? fieldOf(p + 1, close - p - 1) : OTHER;
          p = close + 1;
        }
        // The common case in one go: a colon, a space or none, a number or a short string, a comma.
        s = COLON;
        if (load<u8>(p) != 0x3a) continue;
        s = VALUE;
        c = load<u8>(++p);
        if (c == 0x20) c = load<u8>(++p);
        if (c - 0x31 < 9) {
          text = p;
          value = c - 0x30;
          c = <u32>load<u8>(++p) - 0x30;
          while (c < 10) {
            value = value * 10 + c;
            c = <u32>load<u8>(++p) - 0x30;
          }
          if (want == OTHER) {
            s = DIGITS;
          } else {
            valueAt = origin + text;
            s = WHOLE;
            if (p - text > 10) value = u64.MAX_VALUE >> 8;
          }
          if (c != COMMA - 0x30 || (want != OTHER && value > MAX_VALUE)) continue;
          if (want == VIT) {
            vitValue = value;
            has |= 1;
          } else if (want == TOKENS) {
            tokensValue = value;
            has |= 2;
          }
          p++;
          s = FIELD_NEXT;
        }
        continue;
      }

      case COLON:
        c = load<u8>(p);
        if (c <= 0x20) {
          p = skipSpace(p);
          c = load<u8>(p);
        }
        if (c != 0x3a) break;
        p++;
        s = VALUE;
        continue;

      case ITEM_FIRST:
      case VALUE:
        c = load<u8>(p);
        if (c <= 0x20) {
          p = skipSpace(p);
          c = load<u8>(p);
        }
        if (want != OTHER) {
          if (!beginsValue(c)) break;
          valueAt = origin + p;
          text = p;
          if (c == QUOTE) {
            p++;
            s = REFUSED_STRING;
          } else if (c == OPEN || c == OPEN_ARRAY) {
            keepByte(c);
            status = BAD_VALUE;
            break;
          } else if (c == 0x30) {
            p++;
            value = 0;
            s = WHOLE_ZERO;
          } else if (c - 0x30 < 10) {
            value = 0;
            s = WHOLE;
          } else s = REFUSED;
          continue;
        }
        if (c == QUOTE) {
          kind = TEXT;
          p++;
          s = STRING;
        } else if (c == OPEN || c == OPEN_ARRAY) {
          if (!push(c == OPEN)) {
            status = TOO_DEEP;
            break;
          }
          p++;
          s = c == OPEN ? NAME_FIRST : ITEM_FIRST;
        } else if (c == 0x30) {
          p++;
          s = ZERO;
        } else if (c - 0x30 < 10) {
          p++;
          s = DIGITS;
        } else if (c == 0x2d) {
          p++;
          s = MINUS;
        } else if (c == 0x74 || c == 0x66 || c == 0x6e) {
          // The letters that must follow, the first one lowest.
          literal = c == 0x74 ? 0x657572 : c == 0x66 ? 0x65736c61 : 0x6c6c75;
          p++;
          s = LITERAL;
        } else if (c == CLOSE_ARRAY && s == ITEM_FIRST) {
          depth--;
          p++;
          s = AFTER;
        } else break;
        continue;

      case AFTER:
        c = load<u8>(p);
        if (c <= 0x20) {
          p = skipSpace(p);
          c = load<u8>(p);
        }
        if (depth == 0) {
          if (c == COMMA) s = FIELD_NEXT;
          else if (c == CLOSE) s = RECORD_END;
          else break;
        } else if (c == COMMA) {
          if (inObject()) s = NAME_NEXT;
          else {
            want = OTHER;
            s = VALUE;
          }
        } else if (c == (inObject() ? CLOSE : CLOSE_ARRAY)) depth--;
        else break;
        p++;
        continue;

      case RECORD_END:
        if (has != BOTH) {
          status = FIELD_MISSING;
          break;
        }
        store<u32>(vitTo, <u32>vitValue);
        store<u32>(tokensTo, <u32>tokensValue);
        vitTo += 4;
        tokensTo += 4;
        records++;
        s = isArray ? ARRAY_AFTER : SEQUENCE_AFTER;
        if (!isArray || load<u8>(p) != COMMA) continue;
        p++;
        s = ARRAY_NEXT;
        continue;

      case ARRAY_AFTER:
        c = load<u8>(p);
        if (c <= 0x20) {
          p = skipSpace(p);
          c = load<u8>(p);
        }
        if (c == COMMA) s = ARRAY_NEXT;
        else if (c == CLOSE_ARRAY) s = DONE;
        else break;
        p++;
        continue;

      case SEQUENCE_AFTER:
        if (!isSpace(load<u8>(p))) break;
        s = SEQUENCE_NEXT;
        continue;

      case ARRAY_FIRST:
      case ARRAY_NEXT:
      case SEQUENCE_NEXT:
        c = load<u8>(p);
        if (c <= 0x20) {
          p = skipSpace(p);
          c = load<u8>(p);
        }
        if (c != OPEN) {
          if (c == CLOSE_ARRAY && s == ARRAY_FIRST) {
            p++;
            s = DONE;
            continue;
          }
          if (!beginsValue(c)) break;
          keepByte(c);
          status = NOT_A_RECORD;
          break;
        }
        recordAt = origin + p;
        has = 0;
        p++;
        s = FIELD_FIRST;
        continue;

      case DONE:
        p = skipSpace(p);
        if (p == end) break;
        keepByte(load<u8>(p));
        status = TRAILING_BYTES;
        break;

      case START:
        if (origin + p == 0 && load<u8>(p) == 0xef) {
          p++;
          s = MARK_2;
          continue;
        }
        p = skipSpace(p);
        c = load<u8>(p);
        if (c == OPEN_ARRAY) {
          isArray = true;
          p++;
          s = ARRAY_FIRST;
        } else if (c == OPEN) s = SEQUENCE_NEXT;
        else break;
        continue;

      case MARK_2:
      case MARK_3:
        if (load<u8>(p) != (s == MARK_2 ? 0xbb : 0xbf)) break;
        p++;
        s = s == MARK_2 ? MARK_3 : START;
        continue;

      case WHOLE:
      case WHOLE_ZERO:
        c = load<u8>(p);
        if (s == WHOLE) {
          while (c - 0x30 < 10) {
            // Far beyond any length is far enough: more digits must not wrap.
            value = min<u64>(value * 10 + (c - 0x30), (<u64>1) << 40);
            c = load<u8>(++p);
          }
          if (p == end) break;
        } else if (p == end) break;
        if (c == 0x2e && value <= MAX_VALUE) {
          p++;
          s = WHOLE_DOT;
        } else if (c - 0x30 < 10 || c == 0x2e || (c | 0x20) == 0x65 || value > MAX_VALUE) s = REFUSED;
        else {
          if (want == VIT) {
            vitValue = value;
            has |= 1;
          } else {
            tokensValue = value;
            has |= 2;
          }
          clearSeen();
          s = AFTER;
        }
        continue;

      case WHOLE_DOT:
      case WHOLE_FRACTION:
        c = load<u8>(p);
        while (c == 0x30) {
          s = WHOLE_FRACTION;
          c = load<u8>(++p);
        }
        if (p == end) break;
        if (s == WHOLE_DOT || c - 0x30 < 10 || (c | 0x20) == 0x65) s = REFUSED;
        else {
          if (want == VIT) {
            vitValue = value;
            has |= 1;
          } else {
            tokensValue = value;
            has |= 2;
          }
          clearSeen();
          s = AFTER;
        }
        continue;

      case REFUSED:
      case REFUSED_STRING: {
        // Goes on to the value's end or as far as is shown, so that it reads the same wherever the piece was cut.
        const most = text + (SEEN_BYTES - seenLength);
        let ended = false;
        while (p < end && p < most && !ended) {
          c = load<u8>(p);
          if (s == REFUSED_STRING) {
            ended = c == QUOTE;
            p++;
          } else {
            ended = isSpace(c) || c == COMMA || c == CLOSE || c == CLOSE_ARRAY || c == 0x3a || c == QUOTE;
            p += <usize>!ended;
          }
        }
        if (p == end && p < most && !ended) break;
        keepSeen(text, p);
        status = BAD_VALUE;
        break;
      }

      case STRING: {
        const stop = skipText(p);
        if (kind == FIELD_NAME) nameRun(p, stop);
        p = stop;
        c = load<u8>(p);
        if (c == QUOTE) {
          p++;
          if (kind == TEXT) s = AFTER;
          else {
            if (kind == FIELD_NAME) {
              flushHigh();
              want = fieldOf(name, nameLength);
            } else want = OTHER;
            s = COLON;
          }
        } else if (c == BACKSLASH) {
          p++;
          s = ESCAPE;
        } else break;
        continue;
      }

      case ESCAPE: {
        const letter = unescape(load<u8>(p));
        if (letter < 0) break;
        p++;
        if (letter == 0) {
          unit = 0;
          hexLeft = 4;
          s = HEX;
          continue;
        }
        if (kind == FIELD_NAME) {
          flushHigh();
          nameByte(letter);
        }
        s = STRING;
        continue;
      }

      case HEX: {
        const digit = hexDigit(load<u8>(p));
        if (digit < 0) break;
        p++;
        unit = (unit << 4) | digit;
        if (--hexLeft > 0) continue;
        if (kind == FIELD_NAME) nameUnit(unit);
        s = STRING;
        continue;
      }

      case NAME_FIRST:
      case NAME_NEXT:
        c = load<u8>(p);
        if (c <= 0x20) {
          p = skipSpace(p);
          c = load<u8>(p);
        }
        if (c == QUOTE) {
          kind = NESTED_NAME;
          s = STRING;
        } else if (c == CLOSE && s == NAME_FIRST) {
          depth--;
          s = AFTER;
        } else break;
        p++;
        continue;

      case LITERAL:
        while (literal != 0 && load<u8>(p) == (literal & 0xff)) {
          literal >>= 8;
          p++;
        }
        if (literal != 0) break;
        s = AFTER;
        continue;

      case MINUS:
        c = load<u8>(p);
        if (c - 0x30 > 9) break;
        p++;
        s = c == 0x30 ? ZERO : DIGITS;
        continue;

      case ZERO:
      case DIGITS:
        c = load<u8>(p);
        if (s == DIGITS) while (c - 0x30 < 10) c = load<u8>(++p);
        if (p == end) break;
        if (c == 0x2e) {
          p++;
          s = DOT;
        } else if ((c | 0x20) == 0x65) {
          p++;
          s = EXPONENT;
        } else s = AFTER;
        continue;

      case DOT:
      case EXPONENT_SIGN:
        if (<u32>load<u8>(p) - 0x30 > 9) break;
        p++;
        s = s == DOT ? FRACTION : EXPONENT_DIGITS;
        continue;

      case FRACTION:
        c = load<u8>(p);
        while (c - 0x30 < 10) c = load<u8>(++p);
        if (p == end) break;
        if ((c | 0x20) == 0x65) {
          p++;
          s = EXPONENT;
        } else s = AFTER;
        continue;

      case EXPONENT:
        c = load<u8>(p);
        if (c == 0x2b || c == 0x2d) p++;
        else if (p == end) break;
        s = EXPONENT_SIGN;
        continue;

      case EXPONENT_DIGITS:
        while (<u32>load<u8>(p) - 0x30 < 10) p++;
        if (p == end) break;
        s = AFTER;
        continue;

      default:
        break;
    }
    // A state that could not go on came here with p where it stopped: at an error, at the end, or at a wrong byte.
    if (status == OK && p < end) {
      status = UNEXPECTED_BYTE;
      keepByte(load<u8>(p));
    }
    break;
  }

  setCounts((vitTo - vitOut) >> 2, (tokensTo - tokensOut) >> 2);
  if (status != OK) {
    fail(status, s, status == BAD_VALUE ? valueAt : status == FIELD_MISSING ? recordAt : origin + p, want, has);
    return status;
  }
  if (s >= WHOLE && s <= REFUSED_STRING) keepSeen(text, end);
  state = s;
  found = has;
  field = want;
  number = value;
  base += <u64>length;
  return OK;
}

function fail(status: i32, s: i32, at: u64, want: i32, has: u32): void {
  state = FAILED;
  const which = status == FIELD_MISSING ? ((has & 1) != 0 ? TOKENS : VIT) : want;
  setError(at, records, which, status == UNEXPECTED_BYTE || status == UNEXPECTED_END ? expected(s) : 0);
}

/** Ends the document: an error when something is still open, or when there was none. */
export function finish(): i32 {
  if (state == DONE || state == SEQUENCE_AFTER || state == SEQUENCE_NEXT) return OK;
  clearSeen();
  fail(UNEXPECTED_END, state, base, field, found);
  return UNEXPECTED_END;
}
