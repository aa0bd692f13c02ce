// ISF for any number of loads in plain TypeScript, written straight from its definition: the tests' oracle.
import type { Column, RoundsOptions } from "./k-loads.ts";
import { shuffle } from "./plain-isf.ts";

/** Groups of sample indices; a load without a bound, or a minimum, has infinity for it. Sums must stay below 2^53. */
export function plainRounds(columns: readonly Column[], options: RoundsOptions): number[][] {
  const { bounds, minima, rounds, seed } = options;
  const kept: number[][] = [];
  let loose = Int32Array.from(columns[0], (_, i) => i);
  for (let round = 0; round < rounds && loose.length > 0; round++) {
    shuffle(loose, loose.length, (seed + Math.max(round - 1, 0)) >>> 0);
    if (round === 0) loose = loose.filter((i) => columns.every((column, k) => column[i] <= bounds[k]));
    const rest: number[] = [];
    let group: number[] = [];
    let sums = columns.map(() => 0);
    const close = () => {
      if (group.length === 0) return;
      const full = sums.some((sum, k) => bounds[k] !== Number.POSITIVE_INFINITY && sum >= minima[k]);
      if (full || round === rounds - 1) kept.push(group);
      else rest.push(...group);
      group = [];
      sums = columns.map(() => 0);
    };
    for (const i of loose) {
      // Differences, as a sum of two loads may not be a double.
      if (columns.some((column, k) => column[i] > bounds[k] - sums[k])) close();
      group.push(i);
      for (const [k, column] of columns.entries()) if (bounds[k] !== Number.POSITIVE_INFINITY) sums[k] += column[i];
    }
    close();
    loose = Int32Array.from(rest);
  }
  return kept;
}
