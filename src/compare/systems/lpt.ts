import type { Epoch } from "../epoch.ts";
import { draws, shuffle, upTo } from "../random.ts";
import { lengthColumn, type Scene } from "../scene.ts";
import type { System } from "../system.ts";

/** Ranks by what they have so far, the least on top: a binary heap. */
class Lightest {
  readonly sums: Float64Array;
  readonly #heap: Int32Array;

  constructor(ranks: number) {
    this.sums = new Float64Array(ranks);
    this.#heap = upTo(ranks);
  }

  reset(): void {
    this.sums.fill(0);
    for (let r = 0; r < this.#heap.length; r++) this.#heap[r] = r;
  }

  /** Gives the lightest rank this much; which rank that is. */
  give(x: number): number {
    const { sums } = this;
    const heap = this.#heap;
    const rank = heap[0];
    sums[rank] += x;
    const own = sums[rank];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && before(sums, heap[right], heap[child])) child = right;
      if (own < sums[heap[child]] || (own === sums[heap[child]] && rank < heap[child])) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = rank;
    return rank;
  }
}

function before(sums: Float64Array, a: number, b: number): boolean {
  return sums[a] < sums[b] || (sums[a] === sums[b] && a < b);
}

/**
 * Samples in random order; each step takes as many as the ranks can hold when the longest comes first and goes to the rank
 * with the fewest tokens (longest processing time first): imoneoi's multipack. O(samples log^2 of a step).
 */
export const lpt = {
  name: "lpt",
  title: "LPT by tokens",
  about: "each step dealt longest first to the rank with the fewest tokens (imoneoi's multipack)",
  usual: false,
  run(scene: Scene): Epoch {
    const { samples, max, length, ranks, seed } = scene;
    const bound = max[length];
    const lengths = lengthColumn(scene);
    const shuffled = shuffle(upTo(samples), draws(seed));
    const upToSample = new Float64Array(samples + 1);
    for (let i = 0; i < samples; i++) upToSample[i + 1] = upToSample[i] + lengths[shuffled[i]];
    const lightest = new Lightest(ranks);
    const descending = (from: number, count: number) => {
      const own = Float64Array.from(shuffled.subarray(from, from + count), (sample) => lengths[sample]).sort();
      return own.reverse();
    };
    const fits = (from: number, count: number): boolean => {
      lightest.reset();
      for (const x of descending(from, count)) {
        const rank = lightest.give(x);
        if (lightest.sums[rank] > bound) return false;
      }
      return true;
    };

    const offsets = [0];
    const indices = new Int32Array(samples);
    let count = 0;
    const order: number[] = [];
    let reach = 0;
    for (let from = 0; from < samples; ) {
      // `low` samples fit, one for each rank; what is more than all ranks hold does not.
      while (reach < samples && upToSample[reach + 1] - upToSample[from] <= bound * ranks) reach++;
      let low = Math.min(ranks, samples - from);
      let high = Math.max(reach - from, low) + 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (fits(from, middle)) low = middle;
        else high = middle;
      }
      const step = Array.from(shuffled.subarray(from, from + low)).sort((a, b) => lengths[b] - lengths[a] || a - b);
      lightest.reset();
      const ofRank: number[][] = Array.from({ length: ranks }, () => []);
      for (const sample of step) ofRank[lightest.give(lengths[sample])].push(sample);
      for (const own of ofRank) {
        if (own.length === 0) {
          order.push(-1);
          continue;
        }
        for (const sample of own) indices[count++] = sample;
        order.push(offsets.length - 1);
        offsets.push(count);
      }
      from += low;
    }
    return { offsets: Int32Array.from(offsets), indices, order: Int32Array.from(order) };
  },
} as const satisfies System;
