// MT19937 with the 32-bit seeding that numpy's RandomState and torch's CPU generator share, and numpy's shuffle.
// Words are made 624 at a time, twisted and tempered with SIMD (a whole shuffle + Next-Fit then takes 0.57 of plain C's
// time, not 0.68), so that consumers read an array instead of calling a function per word.

const N: usize = 624;
const M: usize = 397;

const state: usize = memory.data(624 * 4, 16);
/** The current block of tempered words, of which `position` are used up. */
const words: usize = memory.data(624 * 4, 16);
/**
 * Accepted swap partners of one block. One slot more than a block, as the branch-free writer stores before it decides.
 */
const partners: usize = memory.data(625 * 4, 16);
let position: usize = N;

/** Starts the sequence of `seed`: mt[j] = 1812433253 (mt[j-1] ^ mt[j-1] >> 30) + j. */
export function seed(seed: u32): void {
  let x = seed;
  store<u32>(state, x);
  for (let j: u32 = 1; j < <u32>N; j++) {
    x = 1812433253 * (x ^ (x >> 30)) + j;
    store<u32>(state + ((<usize>j) << 2), x);
  }
  position = N;
}

/** Twists the words at bytes from .. end, by the words that follow them and those `far` bytes away. Returns the end. */
function twist(from: usize, end: usize, far: usize): usize {
  for (; from < end; from += 16) {
    const at = state + from;
    const here = v128.load(at);
    const y = v128.or(v128.and(here, i32x4.splat(0x80000000)), v128.and(v128.load(at, 4), i32x4.splat(0x7fffffff)));
    const odd = i32x4.neg(v128.and(y, i32x4.splat(1)));
    const x = v128.xor(i32x4.shr_u(y, 1), v128.and(odd, i32x4.splat(0x9908b0df)));
    v128.store(at, v128.xor(v128.load(at + far), x));
  }
  return from;
}

function temper(x: v128): v128 {
  x = v128.xor(x, i32x4.shr_u(x, 11));
  x = v128.xor(x, v128.and(i32x4.shl(x, 7), i32x4.splat(0x9d2c5680)));
  x = v128.xor(x, v128.and(i32x4.shl(x, 15), i32x4.splat(0xefc60000)));
  return v128.xor(x, i32x4.shr_u(x, 18));
}

function twistOne(at: usize, next: usize, far: usize): void {
  const y = (load<u32>(state + at) & 0x80000000) | (load<u32>(state + next) & 0x7fffffff);
  store<u32>(state + at, load<u32>(state + far) ^ (y >> 1) ^ (-(y & 1) & 0x9908b0df));
}

/** Makes the next 624 words. */
export function refill(): void {
  let k = twist(0, 224 * 4, M * 4);
  for (; k < 227 * 4; k += 4) twistOne(k, k + 4, k + M * 4);
  twist(k, 623 * 4, 0 - 227 * 4);
  twistOne(623 * 4, 0, (M - 1) * 4);
  for (k = 0; k < N * 4; k += 16) v128.store(words + k, temper(v128.load(state + k)));
  position = 0;
}

/** The next 32-bit word. */
export function next(): u32 {
  if (position == N) refill();
  return load<u32>(words + (position++ << 2));
}

/**
 * One block of numpy's shuffle: for i downwards, while `mask` is the smallest 2^k - 1 >= i, swaps a[i] with the element
 * at the first word & mask that is <= i. Uses words of the current block only, and returns the i it came to. A rejected
 * word is overwritten rather than branched around: no branch predictor learns a coin toss.
 */
export function shuffleBlock(a: usize, i: u32, mask: u32): u32 {
  const low = mask >> 1;
  let from = words + (position << 2);
  const end = words + (N << 2);
  let current = i;
  let out = partners;
  while (from < end && current > low) {
    // This many words can be taken without leaving the band even if all are accepted.
    const left = min((end - from) >> 2, <usize>(current - low));
    const stop = from + (left << 2);
    for (; from < stop; from += 4) {
      const j = load<u32>(from) & mask;
      store<u32>(out, j);
      // 1 if j <= current: both are below 2^31.
      const accepted = (j - current - 1) >> 31;
      out += accepted << 2;
      current -= accepted;
    }
  }
  position = (from - words) >> 2;
  let top = a + ((<usize>i) << 2);
  for (let p = partners; p < out; p += 4, top -= 4) {
    const other = a + ((<usize>load<u32>(p)) << 2);
    const x = load<u32>(other);
    store<u32>(other, load<u32>(top));
    store<u32>(top, x);
  }
  return current;
}

/** numpy's RandomState.shuffle of n u32 values, with the next words. */
export function shuffle(a: usize, n: i32): void {
  let i: u32 = <u32>max(n, 1) - 1;
  while (i > 0) {
    if (position == N) refill();
    i = shuffleBlock(a, i, <u32>-1 >> clz(i));
  }
}

/** The exchanges of torch.randperm (CPU, n < 214,748,364) on n u32 values: one word per place, no rejection. */
export function torchShuffle(a: usize, n: i32): void {
  for (let i = 0; i < n - 1; i++) {
    const here = a + ((<usize>i) << 2);
    const other = here + ((<usize>(next() % <u32>(n - i))) << 2);
    const x = load<u32>(here);
    store<u32>(here, load<u32>(other));
    store<u32>(other, x);
  }
}

/** Fills a with 0 .. n-1. */
export function iota(a: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<u32>(a + ((<usize>i) << 2), i);
}
