// Packing by one load alone, the way that trainers without a bound on anything else do it.
import type { Column } from "../cost.ts";
import { upTo } from "../random.ts";

/**
 * The greedy knapsack of most trainers: a group takes the longest sample left that fits, again and again, until none
 * does. The number of each sample's group, and how many there are. O(samples + longest), amortised.
 */
export function knapsack(lengths: Column, samples: number, bound: number): { groupOf: Int32Array; groups: number } {
  // A list of samples for each length that there is, by ascending length.
  const values = sortedValues(lengths, samples);
  const head = new Int32Array(values.length).fill(-1);
  const next = new Int32Array(samples);
  for (let i = samples - 1; i >= 0; i--) {
    const list = floorOf(values, lengths[i]);
    next[i] = head[list];
    head[list] = i;
  }
  // From list k - 1, at k, to the longest one at or below it that is not empty; 0: there is none.
  const down = upTo(values.length + 1);
  const groupOf = new Int32Array(samples);
  let groups = 0;
  for (let left = samples; left > 0; groups++) {
    let room = bound;
    for (;;) {
      let at = floorOf(values, room) + 1;
      while (down[at] !== at) {
        down[at] = down[down[at]];
        at = down[at];
      }
      if (at === 0) break;
      const sample = head[at - 1];
      head[at - 1] = next[sample];
      if (head[at - 1] < 0) down[at] = at - 1;
      groupOf[sample] = groups;
      room -= lengths[sample];
      left--;
    }
  }
  return { groupOf, groups };
}

/** The different values of a column, ascending. */
function sortedValues(lengths: Column, samples: number): Float64Array {
  const sorted = Float64Array.from(lengths.subarray(0, samples)).sort();
  let count = 0;
  for (let i = 0; i < samples; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[count++] = sorted[i];
  return sorted.subarray(0, count);
}

/** The place of the largest value that is at most x; -1 where there is none. */
function floorOf(values: Float64Array, x: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** First fit: each sample, in this order, goes to the first group that has room. O(samples log groups). */
export function firstFit(
  lengths: Column,
  order: Int32Array,
  bound: number,
): { readonly groupOf: Int32Array; readonly groups: number } {
  const groupOf = new Int32Array(lengths.length);
  let size = 1024;
  // A tree of the most room in each half; leaf g is at size + g.
  let room = new Float64Array(2 * size).fill(bound);
  let groups = 0;
  for (const sample of order) {
    const x = lengths[sample];
    let at = 1;
    while (at < size) {
      at *= 2;
      if (room[at] < x) at++;
    }
    const group = at - size;
    if (group >= groups) groups = group + 1;
    groupOf[sample] = group;
    room[at] -= x;
    for (at >>= 1; at >= 1; at >>= 1) room[at] = Math.max(room[2 * at], room[2 * at + 1]);
    if (groups === size) {
      // Twice the leaves, the old ones first.
      const old = room;
      const wide = new Float64Array(4 * size).fill(bound);
      wide.set(old.subarray(size, 2 * size), 2 * size);
      size *= 2;
      for (let k = size - 1; k >= 1; k--) wide[k] = Math.max(wide[2 * k], wide[2 * k + 1]);
      room = wide;
    }
  }
  return { groupOf, groups };
}
