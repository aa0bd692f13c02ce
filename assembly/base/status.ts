// What exports return. Where an export also returns a count, that is positive and a status is negated.

/** Done as asked. */
export const OK: i32 = 0;
/** Memory cannot grow to what the call needs; nothing was changed. */
export const OUT_OF_MEMORY: i32 = 1;
/** A bound, threshold, count or seed is outside its range. */
export const BAD_ARGUMENT: i32 = 2;
/** A vit value is negative; `errorIndex()` says which. */
export const NEGATIVE_VIT: i32 = 3;
/** A token value is negative; `errorIndex()` says which. */
export const NEGATIVE_TOKENS: i32 = 4;
/** Reading: a byte (`readerSeen`) that cannot be at `readerOffset`; `readerExpected` says what can. */
export const UNEXPECTED_BYTE: i32 = 5;
/** Reading: the input ends before the document does. */
export const UNEXPECTED_END: i32 = 6;
/** Reading: an item of the array, or of the sequence of records, is not an object. */
export const NOT_A_RECORD: i32 = 7;
/** Reading: record `readerIndex`, which starts at `readerOffset`, ends without `readerField`. */
export const FIELD_MISSING: i32 = 8;
/** Reading: `readerField` of record `readerIndex` is not a whole number in 0 .. 2^31 - 1; `readerSeen` shows it. */
export const BAD_VALUE: i32 = 9;
/** Reading: objects and arrays inside a record are nested more than 512 deep. */
export const TOO_DEEP: i32 = 10;
/** Reading: something follows the end of the array or of the .npy data. */
export const TRAILING_BYTES: i32 = 11;
/** Reading: not a .npy header of version 1.0 to 3.0, or longer than 4096 bytes. */
export const NPY_HEADER: i32 = 12;
/** Reading: the .npy does not hold integers or floats of 1 to 8 bytes; `readerSeen` shows its descr. */
export const NPY_DTYPE: i32 = 13;
/** Reading: the .npy does not have shape (n, 2) with n < 2^31; `readerSeen` shows its shape. */
export const NPY_SHAPE: i32 = 14;
/** The bytes are not a saved packer, or are one of another format version. */
export const FOREIGN_STATE: i32 = 15;
/** The bytes of a saved packer are cut short or altered. */
export const DAMAGED_STATE: i32 = 16;

/** A plan names a unit that does not exist; `errorIndex()` says at which place. */
export const BAD_UNIT: i32 = 17;

/** A load is not a whole number from 0 to 2^53 - 1; `errorIndex()` is the sample or group, `errorLoad()` the load. */
export const BAD_LOAD: i32 = 18;

/** A group's sum of a load without a bound is above 2^53 - 1; `errorIndex()` is the group. */
export const SUM_TOO_LARGE: i32 = 19;

/** Where the last NEGATIVE_VIT, NEGATIVE_TOKENS, BAD_UNIT or BAD_LOAD was seen. */
export let errorIndex: i32 = -1;

/** Records where a status arose, and returns it. */
export function failAt(status: i32, index: i32): i32 {
  errorIndex = index;
  return status;
}

/** Which load the last BAD_LOAD was about, from 0. */
export let errorLoad: i32 = -1;

/** `failAt` for one of several loads. */
export function failAtLoad(index: i32, load: i32): i32 {
  errorLoad = load;
  return failAt(BAD_LOAD, index);
}
