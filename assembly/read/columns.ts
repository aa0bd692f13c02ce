// Where the readers put what they find: two columns of i32 that the host empties after each push, and the place,
// field and text of the first error. The columns are filled on their own because a .npy in Fortran order brings all
// of one before any of the other.

/** i32[]: values of each field that the current push has found. A push of n bytes finds at most n + 1 of each. */
export let vit: usize = 0;
export let tokens: usize = 0;
export let vitCount: usize = 0;
export let tokensCount: usize = 0;

export const VIT: i32 = 0;
export const TOKENS: i32 = 1;

/** The error's byte offset in the whole input, its record, its field, and what can stand there (`EXPECT_...`). */
export let errorOffset: u64 = 0;
export let errorRecord: u32 = 0;
export let errorField: i32 = VIT;
export let errorExpected: i32 = 0;

/** The beginning of the value, byte or header entry that was refused. */
export const SEEN_BYTES: usize = 40;
export const seen: usize = memory.data(40);
export let seenLength: usize = 0;

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

export function setColumns(vitAt: usize, tokensAt: usize): void {
  vit = vitAt;
  tokens = tokensAt;
  clearColumns();
}

/** Forgets what was found and the last error. */
export function clearColumns(): void {
  vitCount = 0;
  tokensCount = 0;
  seenLength = 0;
  errorExpected = 0;
}

export function setCounts(ofVit: usize, ofTokens: usize): void {
  vitCount = ofVit;
  tokensCount = ofTokens;
}

export function put(field: i32, value: i32): void {
  if (field == VIT) store<i32>(vit + (vitCount++ << 2), value);
  else store<i32>(tokens + (tokensCount++ << 2), value);
}

export function clearSeen(): void {
  seenLength = 0;
}

/** Appends bytes to what was seen, as far as there is room. */
export function keepSeen(from: usize, end: usize): void {
  const count = min(end - from, SEEN_BYTES - seenLength);
  memory.copy(seen + seenLength, from, count);
  seenLength += count;
}

export function keepByte(byte: u32): void {
  if (seenLength < SEEN_BYTES) store<u8>(seen + seenLength++, byte);
}

export function setError(offset: u64, record: u32, field: i32, expected: i32): void {
  errorOffset = offset;
  errorRecord = record;
  errorField = field;
  errorExpected = expected;
}
