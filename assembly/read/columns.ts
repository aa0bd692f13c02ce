// Where the readers put what they find: a column of i32 per name, which the host empties after each push, and the place,
// field and text of the first error. The columns are filled on their own because a .npy in Fortran order brings all
// of one before any of the next.

import { alloc, allocArray } from "../base/memory";

/** Columns of one reader. */
export const MAX_COLUMNS: i32 = 8;

/**
 * A value's largest. Columns are i32: of the loads read so far none is larger, and half the memory of f64. The readers
 * keep values in 64 bits until they are stored, so that wider columns need another store and another bound.
 */
export const MAX_VALUE: u64 = i32.MAX_VALUE;

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
  /** i32[count][stride / 4]: what the current push has found. A push of n bytes finds at most n + 1 of each. */
  values: usize;
  /** Bytes from one column to the next. */
  stride: usize;
  /** u32[count]: values in each column. */
  counts: usize;
  /** u32[count + 1]: where each name begins in `names`, UTF-8. */
  starts: usize;
  names: usize;

  /** The error's byte offset in the whole input, its record, its column, and what can stand there (`EXPECT_...`). */
  errorOffset: u64;
  errorRecord: u32;
  errorField: i32;
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

  @inline
  put(k: i32, value: i32): void {
    const at = this.counts + ((<usize>k) << 2);
    const count = load<u32>(at);
    store<i32>(this.column(k) + ((<usize>count) << 2), value);
    store<u32>(at, count + 1);
  }

  /** Forgets what was found and the last error. */
  clear(): void {
    this.setCounts(0);
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

  setError(offset: u64, record: u32, field: i32, expected: i32): void {
    this.errorOffset = offset;
    this.errorRecord = record;
    this.errorField = field;
    this.errorExpected = expected;
  }
}

/** Columns for `count` names, whose bytes stand one after another at `names`; null without memory for them. */
export function makeColumns(names: usize, lengths: usize, count: i32, pieceBytes: u32): Columns | null {
  let bytes: u32 = 0;
  for (let k = 0; k < count; k++) bytes += load<u32>(lengths + ((<usize>k) << 2));
  const c = changetype<Columns>(alloc(offsetof<Columns>()));
  const counts = allocArray(count, 4);
  const starts = allocArray(count + 1, 4);
  const copy = alloc(bytes);
  const seen = alloc(SEEN_BYTES);
  const stride = ((<u64>pieceBytes + 1) * 4 + 15) & ~15;
  const values = allocArray(<usize>stride, count);
  if (changetype<usize>(c) == 0 || counts == 0 || starts == 0 || copy == 0 || seen == 0 || values == 0) return null;
  memory.fill(changetype<usize>(c), 0, offsetof<Columns>());
  memory.copy(copy, names, bytes);
  let start: u32 = 0;
  for (let k = 0; k < count; k++) {
    store<u32>(starts + ((<usize>k) << 2), start);
    start += load<u32>(lengths + ((<usize>k) << 2));
  }
  store<u32>(starts + ((<usize>count) << 2), start);
  c.count = count;
  c.values = values;
  c.stride = <usize>stride;
  c.counts = counts;
  c.starts = starts;
  c.names = copy;
  c.seen = seen;
  c.clear();
  return c;
}
