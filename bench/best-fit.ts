// Best-fit-decreasing on tokens, in plain TypeScript: what many trainers pack with, here with both bounds held.
import type { Samples } from "./inputs.ts";

/** Sorted sets of whole numbers 0 .. limit, as bits in two levels. */
class BitSet {
  readonly #words: Uint32Array;
  readonly #summary: Uint32Array;

  constructor(limit: number) {
    this.#words = new Uint32Array((limit >>> 5) + 1);
    this.#summary = new Uint32Array((limit >>> 10) + 1);
  }

  add(x: number): void {
    this.#words[x >>> 5] |= 1 << (x & 31);
    this.#summary[x >>> 10] |= 1 << ((x >>> 5) & 31);
  }

  remove(x: number): void {
    this.#words[x >>> 5] &= ~(1 << (x & 31));
    if (this.#words[x >>> 5] === 0) this.#summary[x >>> 10] &= ~(1 << ((x >>> 5) & 31));
  }

  /** The least member that is at least x, or -1. */
  atLeast(x: number): number {
    const here = this.#words[x >>> 5] & (-1 << (x & 31));
    if (here !== 0) return (x & ~31) | (31 - Math.clz32(here & -here));
    let word = (x >>> 5) + 1;
    let s = word >>> 5;
    if (s >= this.#summary.length) return -1;
    let some = this.#summary[s] & (-1 << (word & 31));
    while (some === 0) {
      if (++s >= this.#summary.length) return -1;
      some = this.#summary[s];
    }
    word = (s << 5) | (31 - Math.clz32(some & -some));
    const found = this.#words[word];
    return (word << 5) | (31 - Math.clz32(found & -found));
  }
}

/** The group of each sample, -1 for those beyond a bound, and how many groups there are. */
export interface Assignment {
  readonly groupOf: Int32Array;
  readonly groups: number;
}

/**
 * Samples by descending tokens, each into the open group with the least free tokens, then the least free vit, that can take
 * it. O(samples maxVit); maxVit * maxTokens bits and up to as many lists, so for bounds that are not large.
 */
export function bestFitDecreasing({ vit, tokens }: Samples, maxVit: number, maxTokens: number): Assignment {
  const groupOf = new Int32Array(vit.length).fill(-1);
  const order = Uint32Array.from(vit.keys())
    .filter((i) => vit[i] <= maxVit && tokens[i] <= maxTokens)
    .sort((a, b) => tokens[b] - tokens[a] || a - b);
  const rows = Array.from({ length: maxVit + 1 }, () => new BitSet(maxTokens));
  const open = new Map<number, number[]>();
  const key = (v: number, t: number) => v * (maxTokens + 1) + t;
  let groups = 0;
  for (const i of order) {
    let freeVit = -1;
    let freeTokens = maxTokens + 1;
    for (let v = vit[i]; v <= maxVit; v++) {
      const t = rows[v].atLeast(tokens[i]);
      if (t !== -1 && t < freeTokens) {
        freeVit = v;
        freeTokens = t;
      }
    }
    let group: number;
    if (freeVit === -1) {
      group = groups++;
      freeVit = maxVit;
      freeTokens = maxTokens;
    } else {
      const list = open.get(key(freeVit, freeTokens))!;
      group = list.pop()!;
      if (list.length === 0) rows[freeVit].remove(freeTokens);
    }
    groupOf[i] = group;
    freeVit -= vit[i];
    freeTokens -= tokens[i];
    const at = key(freeVit, freeTokens);
    const list = open.get(at);
    if (list === undefined) open.set(at, [group]);
    else list.push(group);
    rows[freeVit].add(freeTokens);
  }
  return { groupOf, groups };
}
