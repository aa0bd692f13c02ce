// JSON length files: one array of records, or records one after another with white space between (JSONL). Takes the
// input in pieces cut at any byte and remembers a few words between them, so that neither the size of the file nor
// its nesting costs memory. From each record it takes a whole number per column; everything else is checked against RFC 8259
// and skipped (that strings are well-formed UTF-8 is not checked: none of them is kept).
//
// Each piece is followed by 16 zero bytes. A zero byte is legal nowhere, so no step asks whether the piece has ended:
// the step that meets what it cannot use does (`p == end`), keeps its state and waits for the next piece. White space,
// strings and field names go 16 bytes at a time.

import { alloc, isSame } from "../base/memory";
import {
  BAD_VALUE,
  FIELD_MISSING,
  NOT_A_RECORD,
  OK,
  TOO_DEEP,
  TRAILING_BYTES,
  UNEXPECTED_BYTE,
  UNEXPECTED_END,
} from "../base/status";
import {
  Columns,
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
  MAX_NAMES,
  MAX_NARROW,
  MAX_VALUE,
  MINUS_ONE,
  SEEN_BYTES,
} from "./columns";

const MAX_DEPTH: i32 = 512;

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
const WHOLE_MINUS: i32 = 19; // after its -
const REFUSED: i32 = 20; // inside a wanted value that is none; only to show it
const REFUSED_STRING: i32 = 21;
const STRING: i32 = 22;
const ESCAPE: i32 = 23;
const HEX: i32 = 24;
const NAME_FIRST: i32 = 25; // after the { of a nested object
const NAME_NEXT: i32 = 26;
const ITEM_FIRST: i32 = 27; // after a [
const LITERAL: i32 = 28;
const MINUS: i32 = 29;
const ZERO: i32 = 30;
const DIGITS: i32 = 31;
const DOT: i32 = 32;
const FRACTION: i32 = 33;
const EXPONENT: i32 = 34;
const EXPONENT_SIGN: i32 = 35;
const EXPONENT_DIGITS: i32 = 36;
const FAILED: i32 = 37;

// What a string is.
const TEXT: i32 = 0;
const NESTED_NAME: i32 = 1;
const FIELD_NAME: i32 = 2;

/** A field that is not wanted; the wanted ones are slots. */
const OTHER: i32 = MAX_NAMES;

/** In `found`: the record may have a value that is above 31 bits, or -1. */
const ODD: u32 = 1 << 31;

const BACKSLASH: u32 = 0x5c;
const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const OPEN: u32 = 0x7b;
const CLOSE: u32 = 0x7d;
const OPEN_ARRAY: u32 = 0x5b;
const CLOSE_ARRAY: u32 = 0x5d;

/** Bytes of a pattern: a wanted name and its closing quote as 16 bytes, then which of them count. */
const PATTERN: usize = 32;

/** A JSON document being read, in the arena; behind it, u64[MAX_NAMES], the values of the record's slots so far. */
@unmanaged
export class JsonReader {
  columns: Columns;
  state: i32;
  isArray: bool;
  /** Names have changed places in the last record. */
  reordered: bool;
  /** A name is longer than 15 bytes. */
  longNames: bool;
  records: u32;
  /** Bytes of all pieces before this one. */
  base: u64;
  recordAt: u64;
  valueAt: u64;
  /** Which slots the record has brought so far, a bit each, and ODD. */
  found: u32;
  field: i32;
  number: u64;
  literal: u32;
  depth: i32;
  /** Which of the open containers are objects: one bit each, none for the record itself. */
  kinds: usize;
  /** Slots of the record that were -1, a bit each, and u64[MAX_NAMES]: where. */
  minuses: u32;
  minusAt: usize;
  /**
   * A slot for each name: that of column k at k for one of its names, the others behind. A record that brings another name
   * of its column makes the two change places, so that most records bring what is looked for first.
   * i32[MAX_NAMES]: the name of each slot.
   */
  slots: usize;
  /**
   * A pattern per slot, two at least. A name that is longer than 15 bytes, or that JSON must escape, gets one that
   * nothing matches, and is compared byte by byte.
   */
  patterns: usize;

  /** A bit for each pattern from the third on, by its first bytes (see `bitOf`): most other fields have none of them. */
  filter: u32;

  // The string that is open over a seam or has escapes: a field's name is decoded into `name`, up to `nameRoom` bytes.
  kind: i32;
  name: usize;
  nameRoom: usize;
  nameLength: usize;
  unit: u32;
  hexLeft: i32;
  /** A high surrogate that waits for the low one. */
  high: u32;

  @inline
  nameOf(slot: i32): i32 {
    return load<i32>(this.slots + ((<usize>slot) << 2));
  }

  @inline
  value(slot: i32): u64 {
    return load<u64>(changetype<usize>(this) + ((<usize>slot) << 3), offsetof<JsonReader>());
  }
}

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

/** Which bit of the filter a name has by its first four bytes, a quote among them. */
function bitOf(at: usize): u32 {
  return (load<u32>(at) * 0x9e3779b1) >> 27;
}

/** A reader of documents into `columns`, or null without memory for it. */
export function make(columns: Columns): JsonReader | null {
  const count = columns.nameCount;
  const r = changetype<JsonReader>(alloc(offsetof<JsonReader>() + (MAX_NAMES << 3)));
  const minusAt = alloc(MAX_NAMES << 3);
  const slots = alloc(MAX_NAMES << 2);
  const kinds = alloc(MAX_DEPTH >> 3);
  const patterns = alloc(<usize>max(count, 2) * PATTERN);
  let longest: usize = 0;
  for (let k = 0; k < count; k++) longest = max(longest, columns.nameLength(k));
  const name = alloc(longest + 1);
  if (changetype<usize>(r) == 0 || minusAt == 0 || slots == 0) return null;
  if (kinds == 0 || patterns == 0 || name == 0) return null;
  memory.fill(changetype<usize>(r), 0, offsetof<JsonReader>());
  r.columns = columns;
  r.minusAt = minusAt;
  r.slots = slots;
  r.kinds = kinds;
  r.patterns = patterns;
  r.name = name;
  r.nameRoom = longest;
  r.longNames = longest > 15;
  // One that nothing matches in the place of a second slot.
  setPattern(patterns + PATTERN, name, 16);
  let behind = columns.count;
  for (let k = 0; k < count; k++) {
    const column = columns.columnOf(k);
    const slot = columns.lastNameOf(column) == k ? column : behind++;
    store<i32>(slots + ((<usize>slot) << 2), k);
    setPattern(patterns + <usize>slot * PATTERN, columns.nameAt(k), columns.nameLength(k));
  }
  setFilter(r);
  restart(r);
  return r;
}

function setFilter(r: JsonReader): void {
  r.filter = 0;
  for (let slot = 2; slot < r.columns.nameCount; slot++) {
    // Any byte may follow a shorter name and its quote.
    if (r.columns.nameLength(r.nameOf(slot)) < 3) r.filter = u32.MAX_VALUE;
    else r.filter |= (<u32>1) << bitOf(r.patterns + <usize>slot * PATTERN);
  }
}

/** Starts another document with the same names. */
export function restart(r: JsonReader): void {
  r.state = START;
  r.isArray = false;
  r.records = 0;
  r.base = 0;
  r.depth = 0;
  r.field = OTHER;
  r.found = 0;
  r.minuses = 0;
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

/** The slot of a name. */
function fieldOf(r: JsonReader, at: usize, length: usize): i32 {
  const columns = r.columns;
  for (let slot = 0; slot < columns.nameCount; slot++) {
    const name = r.nameOf(slot);
    if (length == columns.nameLength(name) && isSame(at, columns.nameAt(name), length)) return slot;
  }
  return OTHER;
}

function nameByte(r: JsonReader, byte: u32): void {
  // One byte too many stays in the length, which then matches no name.
  if (r.nameLength <= r.nameRoom) store<u8>(r.name + r.nameLength++, byte);
}

function nameUtf8(r: JsonReader, code: u32): void {
  if (code < 0x80) nameByte(r, code);
  else if (code < 0x800) {
    nameByte(r, 0xc0 | (code >> 6));
    nameByte(r, 0x80 | (code & 63));
  } else {
    if (code < 0x10000) nameByte(r, 0xe0 | (code >> 12));
    else {
      nameByte(r, 0xf0 | (code >> 18));
      nameByte(r, 0x80 | ((code >> 12) & 63));
    }
    nameByte(r, 0x80 | ((code >> 6) & 63));
    nameByte(r, 0x80 | (code & 63));
  }
}

/** A half without its other half becomes three bytes that no UTF-8 name holds. */
function flushHigh(r: JsonReader): void {
  if (r.high == 0) return;
  nameUtf8(r, r.high);
  r.high = 0;
}

function nameUnit(r: JsonReader, code: u32): void {
  if (r.high != 0 && (code & 0xfc00) == 0xdc00) {
    nameUtf8(r, 0x10000 + ((r.high - 0xd800) << 10) + (code - 0xdc00));
    r.high = 0;
    return;
  }
  flushHigh(r);
  if ((code & 0xfc00) == 0xd800) r.high = code;
  else nameUtf8(r, code);
}

function nameRun(r: JsonReader, from: usize, end: usize): void {
  if (from == end) return;
  flushHigh(r);
  for (; from < end; from++) nameByte(r, load<u8>(from));
}

function keepValue(r: JsonReader, slot: i32, value: u64): void {
  store<u64>(changetype<usize>(r) + ((<usize>slot) << 3), value, offsetof<JsonReader>());
}

/** Takes a value of a slot; returns what it adds to `found`. */
function take(r: JsonReader, slot: i32, value: u64): u32 {
  keepValue(r, slot, value);
  r.columns.seenLength = 0;
  if (value == MINUS_ONE) {
    r.minuses |= 1 << slot;
    store<u64>(r.minusAt + ((<usize>slot) << 3), r.valueAt);
  }
  return (1 << slot) | (value > MAX_NARROW ? ODD : 0);
}

/** Puts the values from the third on where the first one goes to `to`. */
function putOthers(r: JsonReader, to: usize): void {
  const columns = r.columns;
  for (let k = 2; k < columns.count; k++) store<u32>(to + <usize>k * columns.stride, <u32>r.value(k));
}

/** Whether a slot from the third on has the pattern that is at `at`; it is then `field`. */
function matching(r: JsonReader, at: usize): bool {
  const here = v128.load(at);
  let pattern = r.patterns + 2 * PATTERN;
  for (let slot = 2; slot < r.columns.nameCount; slot++, pattern += PATTERN) {
    if (v128.any_true(v128.xor(v128.and(here, v128.load(pattern, 16)), v128.load(pattern)))) continue;
    r.field = slot;
    return true;
  }
  return false;
}

/** Makes a slot's name the one of its column that is looked for first. */
function prefer(r: JsonReader, slot: i32, k: i32): void {
  const name = r.nameOf(slot);
  store<i32>(r.slots + ((<usize>slot) << 2), r.nameOf(k));
  store<i32>(r.slots + ((<usize>k) << 2), name);
  const from = r.patterns + <usize>slot * PATTERN;
  const to = r.patterns + <usize>k * PATTERN;
  const pattern = v128.load(from);
  const mask = v128.load(from, 16);
  memory.copy(from, to, PATTERN);
  v128.store(to, pattern);
  v128.store(to, mask, 16);
  setFilter(r);
  r.reordered = true;
}

/**
 * The end of a record that is not as most are: one that lacks a column, has one under another name, or a value that is odd.
 * Puts its values where the first one goes to `to`; returns a status, with `field` a slot where it is an error. A -1 is one
 * unless all columns are -1.
 */
function settle(r: JsonReader, has: u32, to: usize): i32 {
  const columns = r.columns;
  const count = columns.count;
  const wide = columns.wideCount;
  const place = <u32>((to - columns.values) >> 2);
  let minuses = r.minuses;
  for (let slot = 0; slot < columns.nameCount; slot++) {
    if (((minuses >> slot) & 1) == 1 && r.value(slot) != MINUS_ONE) minuses = ~0;
  }
  for (let k = 0; k < count; k++) {
    let best = OTHER;
    for (let slot = 0; slot < columns.nameCount; slot++) {
      const name = r.nameOf(slot);
      if (((has >> slot) & 1) == 0 || columns.columnOf(name) != k) continue;
      if (best == OTHER || name < r.nameOf(best)) best = slot;
    }
    const value = best == OTHER ? 0 : r.value(best);
    if (minuses != 0 && (minuses == ~0 || value != MINUS_ONE)) {
      columns.wideCount = wide;
      r.field = <i32>ctz(r.minuses);
      return BAD_VALUE;
    }
    if (best == OTHER && !columns.zeros) {
      columns.wideCount = wide;
      r.field = k;
      return FIELD_MISSING;
    }
    store<u32>(to + <usize>k * columns.stride, <u32>value);
    if (value > MAX_NARROW && minuses == 0) columns.putUpper(k, place, value);
  }
  r.minuses = 0;
  for (let slot = count; slot < columns.nameCount; slot++) {
    const k = columns.columnOf(r.nameOf(slot));
    if (((has >> slot) & 1) == 1 && ((has >> k) & 1) == 0) prefer(r, slot, k);
  }
  return OK;
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

/** Opens a container inside a record; false if they are nested too deep. */
function push(r: JsonReader, isObject: bool): bool {
  const depth = r.depth;
  if (depth == MAX_DEPTH) return false;
  const at = r.kinds + (depth >> 3);
  const bit: u32 = 1 << (depth & 7);
  const bits = <u32>load<u8>(at);
  store<u8>(at, isObject ? bits | bit : bits & ~bit);
  r.depth = depth + 1;
  return true;
}

function inObject(r: JsonReader): bool {
  const depth = r.depth;
  return depth == 0 || ((load<u8>(r.kinds + ((depth - 1) >> 3)) >> ((depth - 1) & 7)) & 1) != 0;
}

/** What a state expected in place of what it has met. */
function expected(r: JsonReader, s: i32): i32 {
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
      return inObject(r) ? EXPECT_NEXT_FIELD : EXPECT_NEXT_ITEM;
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
    case WHOLE_MINUS:
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
 * Reads the piece at `from` and puts the values of the records that end in it into the columns. The 16 bytes after the
 * piece are overwritten. One call per piece: a frame that runs for long never gets the engine's better code.
 */
export function run(r: JsonReader, from: usize, length: usize): i32 {
  const end = from + length;
  v128.store(end, i8x16.splat(0));
  let status = OK;
  for (let left = length; left > 0 && status == OK; ) {
    const before = r.base;
    status = scan(r, end - left, end);
    left -= <usize>(r.base - before);
  }
  return status;
}

/** Reads up to `end`, or to the end of a record after which other names are looked for first. */
function scan(r: JsonReader, from: usize, end: usize): i32 {
  const origin = r.base - <u64>from;
  const columns = r.columns;
  const count = columns.count;
  const all: u32 = (1 << count) - 1;
  const patterns = r.patterns;
  // The first two are kept at hand: most files have no more.
  const pattern0 = v128.load(patterns);
  const mask0 = v128.load(patterns + 16);
  const skip0 = columns.nameLength(r.nameOf(0)) + 2;
  const pattern1 = v128.load(patterns + PATTERN);
  const mask1 = v128.load(patterns + PATTERN + 16);
  const skip1 = columns.nameCount > 1 ? columns.nameLength(r.nameOf(1)) + 2 : 0;
  const outAt = columns.values + ((<usize>columns.countOf(0)) << 2);
  let to = outAt;
  let to2 = outAt + columns.stride;
  r.reordered = false;
  let p = from;
  let s = r.state;
  const filter = r.filter;
  let has = r.found;
  let want = r.field;
  let value = r.number;
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
        if (!v128.any_true(v128.xor(v128.and(here, mask0), pattern0))) {
          want = 0;
          p += skip0;
        } else if (!v128.any_true(v128.xor(v128.and(here, mask1), pattern1))) {
          want = 1;
          p += skip1;
        } else if (((filter >> bitOf(p + 1)) & 1) != 0 && matching(r, p + 1)) {
          want = r.field;
          p += columns.nameLength(r.nameOf(want)) + 2;
        } else {
          const close = skipText(p + 1);
          if (load<u8>(close) != QUOTE) {
            // Cut by the end of the piece, or with escapes: byte by byte.
            r.kind = FIELD_NAME;
            r.nameLength = 0;
            r.high = 0;
            p++;
            s = STRING;
            continue;
          }
          want = r.longNames ? fieldOf(r, p + 1, close - p - 1) : OTHER;
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
            r.valueAt = origin + text;
            s = WHOLE;
            // More digits than 64 bits hold.
            if (p - text > 19) value = MAX_VALUE + 1;
          }
          if (c != COMMA - 0x30 || (want != OTHER && value > MAX_NARROW)) continue;
          if (want == 0) {
            keepValue(r, 0, value);
            has |= 1;
          } else if (want == 1) {
            keepValue(r, 1, value);
            has |= 2;
          } else if (want != OTHER) {
            keepValue(r, want, value);
            has |= 1 << want;
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
          r.valueAt = origin + p;
          text = p;
          if (c == QUOTE) {
            p++;
            s = REFUSED_STRING;
          } else if (c == OPEN || c == OPEN_ARRAY) {
            columns.keepByte(c);
            status = BAD_VALUE;
            break;
          } else if (c == 0x30) {
            p++;
            value = 0;
            s = WHOLE_ZERO;
          } else if (c - 0x30 < 10) {
            value = 0;
            s = WHOLE;
          } else if (c == 0x2d) {
            p++;
            s = WHOLE_MINUS;
          } else s = REFUSED;
          continue;
        }
        if (c == QUOTE) {
          r.kind = TEXT;
          p++;
          s = STRING;
        } else if (c == OPEN || c == OPEN_ARRAY) {
          if (!push(r, c == OPEN)) {
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
          r.literal = c == 0x74 ? 0x657572 : c == 0x66 ? 0x65736c61 : 0x6c6c75;
          p++;
          s = LITERAL;
        } else if (c == CLOSE_ARRAY && s == ITEM_FIRST) {
          r.depth--;
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
        if (r.depth == 0) {
          if (c == COMMA) s = FIELD_NEXT;
          else if (c == CLOSE) s = RECORD_END;
          else break;
        } else if (c == COMMA) {
          if (inObject(r)) s = NAME_NEXT;
          else {
            want = OTHER;
            s = VALUE;
          }
        } else if (c == (inObject(r) ? CLOSE : CLOSE_ARRAY)) r.depth--;
        else break;
        p++;
        continue;

      case RECORD_END:
        if (has == all) {
          store<u32>(to, <u32>r.value(0));
          if (count > 1) store<u32>(to2, <u32>r.value(1));
          if (count > 2) putOthers(r, to);
        } else {
          status = settle(r, has, to);
          if (status != OK) break;
        }
        to += 4;
        to2 += 4;
        s = r.isArray ? ARRAY_AFTER : SEQUENCE_AFTER;
        if (r.reordered) break;
        // The common case in one go: what separates records, and the { of the next.
        if (load<u16>(p) != (r.isArray ? 0x7b2c : 0x7b0a)) continue;
        p++;
        r.recordAt = origin + p;
        has = 0;
        p++;
        s = FIELD_FIRST;
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
          columns.keepByte(c);
          status = NOT_A_RECORD;
          break;
        }
        r.recordAt = origin + p;
        has = 0;
        p++;
        s = FIELD_FIRST;
        continue;

      case DONE:
        p = skipSpace(p);
        if (p == end) break;
        columns.keepByte(load<u8>(p));
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
          r.isArray = true;
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
            value = min<u64>(value, (<u64>1) << 60) * 10 + (c - 0x30);
            c = load<u8>(++p);
          }
          if (p == end) break;
        } else if (p == end) break;
        if (value > MAX_VALUE && value != MINUS_ONE) s = REFUSED;
        else if (c == 0x2e) {
          p++;
          s = WHOLE_DOT;
        } else if (c - 0x30 < 10 || (c | 0x20) == 0x65) s = REFUSED;
        else {
          has |= take(r, want, value);
          s = AFTER;
        }
        continue;

      case WHOLE_MINUS:
        if (p == end) break;
        if (load<u8>(p) == 0x31) {
          p++;
          value = MINUS_ONE;
          s = WHOLE;
        } else s = REFUSED;
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
          has |= take(r, want, value);
          s = AFTER;
        }
        continue;

      case REFUSED:
      case REFUSED_STRING: {
        // Goes on to the value's end or as far as is shown, so that it reads the same wherever the piece was cut.
        const most = text + (SEEN_BYTES - columns.seenLength);
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
        columns.keepSeen(text, p);
        status = BAD_VALUE;
        break;
      }

      case STRING: {
        const stop = skipText(p);
        if (r.kind == FIELD_NAME) nameRun(r, p, stop);
        p = stop;
        c = load<u8>(p);
        if (c == QUOTE) {
          p++;
          if (r.kind == TEXT) s = AFTER;
          else {
            if (r.kind == FIELD_NAME) {
              flushHigh(r);
              want = fieldOf(r, r.name, r.nameLength);
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
          r.unit = 0;
          r.hexLeft = 4;
          s = HEX;
          continue;
        }
        if (r.kind == FIELD_NAME) {
          flushHigh(r);
          nameByte(r, letter);
        }
        s = STRING;
        continue;
      }

      case HEX: {
        const digit = hexDigit(load<u8>(p));
        if (digit < 0) break;
        p++;
        r.unit = (r.unit << 4) | digit;
        if (--r.hexLeft > 0) continue;
        if (r.kind == FIELD_NAME) nameUnit(r, r.unit);
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
          r.kind = NESTED_NAME;
          s = STRING;
        } else if (c == CLOSE && s == NAME_FIRST) {
          r.depth--;
          s = AFTER;
        } else break;
        p++;
        continue;

      case LITERAL:
        while (r.literal != 0 && load<u8>(p) == (r.literal & 0xff)) {
          r.literal >>= 8;
          p++;
        }
        if (r.literal != 0) break;
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
    if (status == OK && p < end && !r.reordered) {
      status = UNEXPECTED_BYTE;
      columns.keepByte(load<u8>(p));
    }
    break;
  }

  const records = <u32>((to - outAt) >> 2);
  columns.setCounts(columns.countOf(0) + records);
  r.records += records;
  if (status != OK) {
    let at = origin + p;
    if (s == RECORD_END) {
      want = r.field;
      at = r.recordAt;
      if (status == BAD_VALUE) {
        at = load<u64>(r.minusAt + ((<usize>want) << 3));
        columns.keepByte(0x2d);
        columns.keepByte(0x31);
      }
    } else if (status == BAD_VALUE) at = r.valueAt;
    fail(r, status, s, at, want);
    return status;
  }
  if (s >= WHOLE && s <= REFUSED_STRING) columns.keepSeen(text, p);
  r.state = s;
  r.found = has;
  r.field = want;
  r.number = value;
  r.base += <u64>(p - from);
  return OK;
}

function fail(r: JsonReader, status: i32, s: i32, at: u64, slot: i32): void {
  r.state = FAILED;
  const isOpen = status == UNEXPECTED_BYTE || status == UNEXPECTED_END;
  r.columns.setError(at, r.records, slot == OTHER ? 0 : r.nameOf(slot), isOpen ? expected(r, s) : 0);
}

/** Ends the document: an error if something is still open, or if there was no document. */
export function finish(r: JsonReader): i32 {
  const state = r.state;
  if (state == DONE || state == SEQUENCE_AFTER || state == SEQUENCE_NEXT) return OK;
  r.columns.seenLength = 0;
  fail(r, UNEXPECTED_END, state, r.base, r.field);
  return UNEXPECTED_END;
}
