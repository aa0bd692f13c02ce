// What packing takes where it is not told otherwise: the same as the specs of the library's options in src/pack.

/** Rounds of ISF at most. */
export const ROUNDS: i32 = 50;
export const SEED: u32 = 1024;
/** A group with so many tokens less than the bound is full. */
export const FULL_BELOW: i32 = 128;
/** Of the balanced packer. */
export const EFFORT: i32 = 1;
