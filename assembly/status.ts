// What an export answers. Positive answers of an export that also counts are counts; statuses are then negated.

/** Done as asked. */
export const OK: i32 = 0;
/** The memory cannot grow to what the call needs; nothing was changed. */
export const OUT_OF_MEMORY: i32 = 1;
/** A bound, threshold, count or seed is outside its range. */
export const BAD_ARGUMENT: i32 = 2;
/** A vit value is negative; `errorIndex()` says which. */
export const NEGATIVE_VIT: i32 = 3;
/** A token value is negative; `errorIndex()` says which. */
export const NEGATIVE_TOKENS: i32 = 4;

/** Where the last NEGATIVE_VIT or NEGATIVE_TOKENS was seen. */
export let errorIndex: i32 = -1;

/** Notes where a status arose, and returns it. */
export function failAt(status: i32, index: i32): i32 {
  errorIndex = index;
  return status;
}
