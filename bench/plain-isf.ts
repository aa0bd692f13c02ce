// ISF in plain TypeScript, written straight from its definition: the bench's competitor on V8 and the tests' oracle.
import type { Samples } from "./inputs.ts";

export class Mt19937 {
  readonly #state = new Uint32Array(624);
  #at = 624;

  constructor(seed: number) {
    let x = seed >>> 0;
    this.#state[0] = x;
    for (let j = 1; j < 624; j++) {
      x = (Math.imul(1812433253, x ^ (x >>> 30)) + j) >>> 0;
      this.#state[j] = x;
    }
  }

  next(): number {
    const s = this.#state;
    if (this.#at === 624) {
      for (let k = 0; k < 624; k++) {
        const y = (s[k] & 0x80000000) | (s[(k + 1) % 624] & 0x7fffffff);
        s[k] = s[(k + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.#at = 0;
    }
    let y = s[this.#at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }
}

/** numpy's RandomState(seed).shuffle of a[0 .. n). */
export function shuffle(a: Int32Array, n: number, seed: number): void {
  const words = new Mt19937(seed);
  for (let i = n - 1; i > 0; i--) {
    const mask = 0xffffffff >>> Math.clz32(i);
    let j = (words.next() & mask) >>> 0;
    while (j > i) j = (words.next() & mask) >>> 0;
    const x = a[i];
    a[i] = a[j];
    a[j] = x;
  }
}

export interface PlainOptions {
  readonly maxVit: number;
  readonly maxTokens: number;
  readonly minVit: number;
  readonly minTokens: number;
  readonly rounds: number;
  readonly seed: number;
  /** The published rule: a group is kept early for exactly `minVit` tiles, not for more. */
  readonly exactVit?: boolean;
}

/** Groups in CSR form; oversize samples are left out, the last group of each round is closed. */
export function plainIsfCsr({ vit, tokens }: Samples, options: PlainOptions): { order: Int32Array; offsets: number[] } {
  const { maxVit, maxTokens, minVit, minTokens, rounds, seed, exactVit = false } = options;
  const order = new Int32Array(vit.length);
  const offsets = [0];
  let out = 0;
  let loose = Int32Array.from(vit, (_, i) => i);
  let count = loose.length;
  for (let round = 0; round < rounds && count > 0; round++) {
    shuffle(loose, count, (seed + Math.max(round - 1, 0)) >>> 0);
    const rest = new Int32Array(count);
    const last = round === rounds - 1;
    let left = 0;
    let start = 0;
    let v = 0;
    let t = 0;
    if (round === 0) {
      loose = loose.filter((x) => vit[x] <= maxVit && tokens[x] <= maxTokens);
      count = loose.length;
    }
    const close = (end: number) => {
      if (end === start) return;
      if (last || (exactVit ? v === minVit : v >= minVit) || t >= minTokens) {
        for (let k = start; k < end; k++) order[out++] = loose[k];
        offsets.push(out);
      } else {
        for (let k = start; k < end; k++) rest[left++] = loose[k];
      }
      start = end;
    };
    for (let k = 0; k < count; k++) {
      const x = loose[k];
      if (v + vit[x] > maxVit || t + tokens[x] > maxTokens) {
        close(k);
        v = 0;
        t = 0;
      }
      v += vit[x];
      t += tokens[x];
    }
    close(count);
    loose = rest;
    count = left;
  }
  return { order: order.subarray(0, out), offsets };
}

/** The same as arrays of sample indices. */
export function plainIsf(input: Samples, options: PlainOptions): number[][] {
  const { order, offsets } = plainIsfCsr(input, options);
  return offsets.slice(1).map((end, g) => Array.from(order.subarray(offsets[g], end)));
}
