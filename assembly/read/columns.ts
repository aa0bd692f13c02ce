// Where the readers put what they find: a column of i32 per load, which the host empties after each push, and the place,
// field and text of the first error. The columns are filled on their own because a .npy in Fortran order brings all
// of one before any of the next. The few values above 31 bits have their upper halves in a list beside the columns, so
// that the many below cost 4 bytes each and one comparison.

import { alloc, allocArray } from "../base/memory";

/** Columns of one reader. */
export const MAX_COLUMNS: i32 = 8;

/** Names of all columns together: a load may be read from more than one field. */
export const MAX_NAMES: i32 = 16;

/** The largest value, 2^53 - 1: what a double holds exactly. */
export const MAX_VALUE: u64 = ((<u64>1) << 53) - 1;

/** The largest value without an upper half in the list. */
export const MAX_NARROW: u64 = i32.MAX_VALUE;

/** What a sample has in every load that is invalid: -1, in 64 bits. */
export const MINUS_ONE: u64 = u64.MAX_VALUE;

/** Stands for a column of a .npy that nobody asks for. */
export const SKIPPED: u32 = 255;

/** The beginning of the value, byte or header entry that was refused is kept up to here. */
export const SEEN_BYTES: usize = 40;

/** `readerExpected`: 0 for errors that need no such answer. */
export const EXPECT_START: i32 = 1; // [ or {
export const EXPECT_RECORD: i32 = 2; // {
export const EXPECT_RECORD_OR_END: i32 = 3; // { or ]
export const EXPECT_NEXT_RECORD: i32 = 4; // , or ]
export const EXPECT_SPACE: i32 = 5; // white space between two records
export const EXPECT_NAME: i32 = 6; // a field name
export const EXPECT_NAME_OR_END: i32 = 7; // a field name or }
export const EXPECT_COLON: i32 = 8;
export const EXPECT_VALUE: i32 = 9;
export const EXPECT_VALUE_OR_END: i32 = 10; // a value or ]
export const EXPECT_NEXT_FIELD: i32 = 11; // , or }
export const EXPECT_NEXT_ITEM: i32 = 12; // , or ]
export const EXPECT_DIGIT: i32 = 13;
export const EXPECT_LITERAL: i32 = 14; // the rest of true, false or null
export const EXPECT_ESCAPE: i32 = 15; // an escape letter
export const EXPECT_HEX: i32 = 16; // a hexadecimal digit
export const EXPECT_STRING: i32 = 17; // the rest of a string: no control characters
export const EXPECT_DATA: i32 = 18; // more of a .npy

/** The columns of one reader, in the arena. */
@unmanaged
export class Columns {
  /** 1 .. MAX_COLUMNS */
  count: i32;
  /** Names, `count` at least, and u32[nameCount]: the column of each. Of the names of one column the first counts. */
  nameCount: i32;
  columnsOf: usize;
  /** A record that lacks a column has 0 there. */
  zeros: bool;
  /** i32[count][stride / 4]: what the current push has found. A push of n bytes finds at most n + 1 of each. */
  values: usize;
  /** Bytes from one column to the next. */
  stride: usize;
  /** u32[count]: values in each column. */
  counts: usize;
  /** u32[nameCount + 1]: where each name begins in `names`, UTF-8. */
  starts: usize;
  names: usize;
  /** u32[wideCount][2]: column << 29 | place in it, and the upper half of the value there. */
  wide: usize;
  wideCount: u32;
  /** How often a .npy has -1: whether all columns of the sample are is for `refuse` of its owner to say. */
  minuses: u32;

  /** The error's byte offset in the whole input, its record, its name, and what can stand there (`EXPECT_...`). */
  errorOffset: u64;
  errorRecord: u32;
  errorName: i32;
  errorExpected: i32;
  /** u8[seenLength] */
  seen: usize;
  seenLength: usize;

  @inline
  nameAt(k: i32): usize {
    return this.names + load<u32>(this.starts + ((<usize>k) << 2));
  }

  @inline
  nameLength(k: i32): usize {
    const at = this.starts + ((<usize>k) << 2);
    return load<u32>(at, 4) - load<u32>(at);
  }

  @inline
  columnOf(name: i32): i32 {
    return load<i32>(this.columnsOf + ((<usize>name) << 2));
  }

  /** The last name of a column. */
  lastNameOf(k: i32): i32 {
    let name = this.nameCount - 1;
    while (this.columnOf(name) != k) name--;
    return name;
  }

  @inline
  column(k: i32): usize {
    return this.values + <usize>k * this.stride;
  }

  @inline
  countOf(k: i32): u32 {
    return load<u32>(this.counts + ((<usize>k) << 2));
  }

  setCounts(count: u32): void {
    for (let k = 0; k < this.count; k++) store<u32>(this.counts + ((<usize>k) << 2), count);
  }

  /** Counts values that stand in a column. */
  add(k: i32, more: u32): void {
    const at = this.counts + ((<usize>k) << 2);
    store<u32>(at, load<u32>(at) + more);
  }

  /** Starts a push. */
  startPush(): void {
    this.setCounts(0);
    this.wideCount = 0;
  }

  @inline
  put(k: i32, value: u64): void {
    const at = this.counts + ((<usize>k) << 2);
    const count = load<u32>(at);
    store<u32>(this.column(k) + ((<usize>count) << 2), <u32>value);
    store<u32>(at, count + 1);
    if (value > MAX_NARROW) this.putUpper(k, count, value);
  }

  /** Notes what of a value is not in its column: nothing of -1. */
  putUpper(k: i32, place: u32, value: u64): void {
    if (value == MINUS_ONE) {
      this.minuses++;
      return;
    }
    const at = this.wide + ((<usize>this.wideCount) << 3);
    this.wideCount++;
    store<u32>(at, ((<u32>k) << 29) | place);
    store<u32>(at, <u32>(value >> 32), 4);
  }

  /** Forgets what was found and the last error. */
  clear(): void {
    this.startPush();
    this.minuses = 0;
    this.seenLength = 0;
    this.errorExpected = 0;
  }

  /** Appends bytes to what was seen, as far as there is room. */
  keepSeen(from: usize, end: usize): void {
    const count = min(end - from, SEEN_BYTES - this.seenLength);
    memory.copy(this.seen + this.seenLength, from, count);
    this.seenLength += count;
  }

  keepByte(byte: u32): void {
    if (this.seenLength < SEEN_BYTES) store<u8>(this.seen + this.seenLength++, byte);
  }

  setError(offset: u64, record: u32, name: i32, expected: i32): void {
    this.errorOffset = offset;
    this.errorRecord = record;
    this.errorName = name;
    this.errorExpected = expected;
  }
}

/**
 * Columns for `nameCount` names, whose bytes stand one after another at `names`; `columnsOf`: u32[nameCount], as in
 * `Columns`. null without memory for them.
 */
export function makeColumns(
  names: usize,
  lengths: usize,
  columnsOf: usize,
  nameCount: i32,
  pieceBytes: u32,
): Columns | null {
  let bytes: u32 = 0;
  let count = 0;
  for (let k = 0; k < nameCount; k++) {
    bytes += load<u32>(lengths + ((<usize>k) << 2));
    count = max(count, load<i32>(columnsOf + ((<usize>k) << 2)) + 1);
  }
  const c = changetype<Columns>(alloc(offsetof<Columns>()));
  const counts = allocArray(count, 4);
  const columns = allocArray(nameCount, 4);
  const starts = allocArray(nameCount + 1, 4);
  const copy = alloc(bytes);
  const seen = alloc(SEEN_BYTES);
  // A wide value takes 4 bytes of the input at least, and 8 are kept from the pieces before.
  const wide = allocArray((<usize>pieceBytes >> 2) + 1 + MAX_COLUMNS, 8);
  const stride = ((<u64>pieceBytes + 1) * 4 + 15) & ~15;
  const values = allocArray(<usize>stride, count);
  if (changetype<usize>(c) == 0 || counts == 0 || columns == 0 || starts == 0 || copy == 0 || seen == 0) return null;
  if (wide == 0 || values == 0) return null;
  memory.fill(changetype<usize>(c), 0, offsetof<Columns>());
  memory.copy(copy, names, bytes);
  memory.copy(columns, columnsOf, (<usize>nameCount) << 2);
  let start: u32 = 0;
  for (let k = 0; k < nameCount; k++) {
    store<u32>(starts + ((<usize>k) << 2), start);
    start += load<u32>(lengths + ((<usize>k) << 2));
  }
  store<u32>(starts + ((<usize>nameCount) << 2), start);
  c.count = count;
  c.nameCount = nameCount;
  c.columnsOf = columns;
  c.values = values;
  c.stride = <usize>stride;
  c.counts = counts;
  c.starts = starts;
  c.names = copy;
  c.wide = wide;
  c.seen = seen;
  c.clear();
  return c;
}
