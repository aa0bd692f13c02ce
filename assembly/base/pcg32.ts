// PCG32 (64-bit LCG state, xorshift and rotate output): small, fast, the same on every host.

/** 64-bit constants in two halves: linters take a literal above 2^53 for an imprecise number. */
const SPREAD: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15;
const START: u64 = ((<u64>0x632be59b) << 32) | 0xd9b4e019;
const FACTOR: u64 = ((<u64>0x5851f42d) << 32) | 0x4c957f2d;
const STEP: u64 = ((<u64>0x14057b7e) << 32) | 0xf767814f;

let state: u64 = 1;

/** Starts the sequence of a seed; `stream` keeps different uses of one seed apart. */
export function seedRandom(seed: u32, stream: u32): void {
  state = (((<u64>stream) << 32) | <u64>seed) * SPREAD + START;
  randomWord();
  randomWord();
}

/** The next 32 random bits. */
export function randomWord(): u32 {
  const s = state;
  state = s * FACTOR + STEP;
  return rotr<u32>(<u32>(((s >> 18) ^ s) >> 27), <u32>(s >> 59));
}

/** A number from 0 to n - 1, with a bias below n / 2^32. */
export function randomBelow(n: u32): u32 {
  return <u32>((<u64>randomWord() * <u64>n) >> 32);
}
