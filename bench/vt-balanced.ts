// The rule of NeMo Automodel's vt_balanced packing, from its description: first-fit-decreasing on tokens alone, then the
// groups sorted by their visual load. There is no bound on that load, so groups may be beyond maxVit.
import type { Assignment } from "./best-fit.ts";
import type { Samples } from "./inputs.ts";

/**
 * Group after group takes the longest sample left that still fits, which is what first-fit-decreasing comes to; then they
 * are numbered by ascending vit. Samples beyond maxTokens are in none. O(samples + maxTokens), but for the sort.
 */
export function vtBalanced({ vit, tokens }: Samples, maxTokens: number): Assignment {
  const waiting: number[][] = Array.from({ length: maxTokens + 1 }, () => []);
  let left = 0;
  for (let i = vit.length - 1; i >= 0; i--) {
    if (tokens[i] > maxTokens) continue;
    waiting[tokens[i]].push(i);
    left++;
  }
  // below[t + 1]: a length up to t that may have samples left, -1 + 1 when there is none; shortened as it is walked.
  const below = Int32Array.from({ length: maxTokens + 2 }, (_, t) => t);
  const longest = (limit: number): number => {
    let t = limit + 1;
    while (t > 0 && (below[t] !== t || waiting[t - 1].length === 0)) {
      if (below[t] === t) below[t] = t - 1;
      below[t] = below[below[t]];
      t = below[t];
    }
    return t - 1;
  };
  const groups: number[][] = [];
  while (left > 0) {
    const group: number[] = [];
    let room = maxTokens;
    for (let t = longest(room); t >= 0; t = longest(room)) {
      group.push(waiting[t].pop()!);
      room -= t;
      left--;
    }
    groups.push(group);
  }
  const load = (group: readonly number[]) => group.reduce((sum, i) => sum + vit[i], 0);
  const loads = groups.map(load);
  const order = Array.from(groups.keys()).sort((a, b) => loads[a] - loads[b] || a - b);
  const groupOf = new Int32Array(vit.length).fill(-1);
  order.forEach((g, rank) => {
    for (const i of groups[g]) groupOf[i] = rank;
  });
  return { groupOf, groups: groups.length };
}
