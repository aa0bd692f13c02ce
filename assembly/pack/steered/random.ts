// PCG32 (64-bit LCG state, xorshift and rotate output), a generator to each packing: fast, the same on every host.

/** 64-bit constants, put together of halves: a literal above 2^53 is taken for an imprecise number by linters. */
const SPREAD: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15;
const START: u64 = ((<u64>0x632be59b) << 32) | 0xd9b4e019;
const FACTOR: u64 = ((<u64>0x5851f42d) << 32) | 0x4c957f2d;
const STEP: u64 = ((<u64>0x14057b7e) << 32) | 0xf767814f;

@unmanaged
export class Random {
  state: u64;

  @inline
  static of(at: usize): Random {
    return changetype<Random>(at);
  }

  /** Starts the sequence of a seed; `stream` separates the uses of one seed. */
  start(seed: u32, stream: u32): void {
    this.state = (((<u64>stream) << 32) | <u64>seed) * SPREAD + START;
    this.word();
    this.word();
  }

  /** The next 32 random bits. */
  @inline
  word(): u32 {
    const s = this.state;
    this.state = s * FACTOR + STEP;
    return rotr<u32>(<u32>(((s >> 18) ^ s) >> 27), <u32>(s >> 59));
  }

  /** A number from 0 to n - 1 (bias below n / 2^32). */
  @inline
  below(n: u32): u32 {
    return <u32>((<u64>this.word() * <u64>n) >> 32);
  }
}

/** Bytes that a `Random` takes. */
export const RANDOM_BYTES: usize = 8;
