// The defaults of packing: those in the specs of the library's options in src/pack.

/** Rounds of ISF at most. */
export const ROUNDS: i32 = 50;
export const SEED: u32 = 1024;
/** A group is full once it is within this many tokens of the bound. */
export const FULL_BELOW: i32 = 128;
/** Of the balanced packer. */
export const EFFORT: i32 = 1;
