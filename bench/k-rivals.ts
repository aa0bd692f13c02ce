// What else packs samples of several loads, in plain TypeScript: the bench's competitors. They hold all bounds, and look
// only so far for what fits, as real ones do.
import type { Column } from "./k-loads.ts";

/** Samples that fit, by descending load. */
function descending(columns: readonly Column[], bounds: readonly number[], by: number): Uint32Array {
  const fitting = Uint32Array.from(columns[0].keys()).filter((i) => columns.every((c, k) => c[i] <= bounds[k]));
  return fitting.sort((a, b) => columns[by][b] - columns[by][a] || a - b);
}

/**
 * Greedy knapsack: group after group takes the sample left with the most of load `by` that fits, of 256 looked at. The
 * number of groups.
 */
export function greedyKnapsack(columns: readonly Column[], bounds: readonly number[], by: number): number {
  const order = descending(columns, bounds, by);
  const n = order.length;
  // The next sample left at or after a place; shortened as it is walked.
  const next = Int32Array.from({ length: n + 1 }, (_, p) => p);
  const left = (p: number): number => {
    let end = p;
    while (next[end] !== end) end = next[end];
    while (next[p] !== end) [p, next[p]] = [next[p], end];
    return end;
  };
  /** The first place with at most x of the load. */
  const upTo = (x: number): number => {
    let low = 0;
    let high = n;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (columns[by][order[middle]] > x) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  let groups = 0;
  for (let first = left(0); first < n; first = left(0), groups++) {
    const room = bounds.slice();
    for (let p = first, looks = 256; p < n && looks > 0; looks--) {
      const i = order[p];
      if (columns.every((column, k) => column[i] <= room[k])) {
        for (const [k, column] of columns.entries()) room[k] -= column[i];
        next[p] = p + 1;
        p = Math.max(p, upTo(room[by]));
      } else p++;
      p = left(p);
    }
  }
  return groups;
}

/**
 * Best-fit-decreasing by load `by`: each sample goes to the group with the least of it free that takes the sample, of the
 * 500 emptiest ones. The number of groups.
 */
export function bestFitDecreasing(columns: readonly Column[], bounds: readonly number[], by: number): number {
  const open: number[][] = [];
  let groups = 0;
  for (const i of descending(columns, bounds, by)) {
    let best = -1;
    let fullest = 0;
    for (let g = 0; g < open.length; g++) {
      const room = open[g];
      if (room[by] < open[fullest][by]) fullest = g;
      if (best !== -1 && room[by] >= open[best][by]) continue;
      let fits = true;
      for (let k = 0; fits && k < bounds.length; k++) fits = columns[k][i] <= room[k];
      if (fits) best = g;
    }
    if (best === -1) {
      groups++;
      best = open.length < 500 ? open.length : fullest;
      open[best] = bounds.slice();
    }
    for (const [k, column] of columns.entries()) open[best][k] -= column[i];
  }
  return groups;
}
