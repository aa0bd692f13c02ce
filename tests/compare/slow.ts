// The rows of a comparison and its clock once more, as plainly as they can be said: lists of lists, no shortcuts.
import { draws, shuffle, upTo } from "../../src/compare/random.ts";

/** Steps of ranks of batches of samples; an empty batch is none. */
export type Steps = readonly (readonly (readonly number[])[])[];

export interface SlowScene {
  readonly columns: Readonly<Record<string, ArrayLike<number>>>;
  readonly max: Readonly<Record<string, number>>;
  readonly ranks: number;
  readonly batch: number;
  readonly seed: number;
}

const order = ({ columns, seed }: SlowScene): number[] => [...shuffle(upTo(columns.tokens.length), draws(seed))];

/** Batches dealt in order, from the front again at the end. */
function deal(batches: readonly (readonly number[])[], ranks: number): Steps {
  const steps: (readonly number[])[][] = [];
  for (let at = 0; at < batches.length; at += ranks) {
    steps.push(Array.from({ length: ranks }, (_, r) => batches[(at + r) % batches.length]));
  }
  return steps;
}

function knapsack(tokens: ArrayLike<number>, samples: readonly number[], bound: number): number[][] {
  let left = [...samples];
  const groups: number[][] = [];
  while (left.length > 0) {
    const group: number[] = [];
    let room = bound;
    for (;;) {
      const able = left.filter((i) => tokens[i] <= room);
      if (able.length === 0) break;
      const longest = Math.max(...able.map((i) => tokens[i]));
      const taken = able.find((i) => tokens[i] === longest) as number;
      group.push(taken);
      room -= tokens[taken];
      left = left.filter((i) => i !== taken);
    }
    groups.push(group);
  }
  return groups;
}

/** The lightest rank, the first of equal ones. */
const lightest = (sums: readonly number[]) => sums.indexOf(Math.min(...sums));

function longestFirst(tokens: ArrayLike<number>, samples: readonly number[], ranks: number): number[][] {
  const sums = new Array(ranks).fill(0);
  const own: number[][] = Array.from({ length: ranks }, () => []);
  for (const i of [...samples].sort((a, b) => tokens[b] - tokens[a] || a - b)) {
    const rank = lightest(sums);
    sums[rank] += tokens[i];
    own[rank].push(i);
  }
  return own;
}

export const slowSystems: Readonly<Record<string, (scene: SlowScene) => Steps>> = {
  fixed(scene) {
    const samples = order(scene);
    const batches: number[][] = [];
    while (samples.length > 0) batches.push(samples.splice(0, scene.batch));
    return deal(batches, scene.ranks);
  },
  "fixed-flat": (scene) => slowSystems.fixed(scene),
  "length-grouped"(scene) {
    const { ranks, batch } = scene;
    const { tokens } = scene.columns;
    const samples = order(scene);
    const sorted: number[] = [];
    while (samples.length > 0)
      sorted.push(...samples.splice(0, 50 * batch * ranks).sort((a, b) => tokens[b] - tokens[a]));
    const first = Array.from({ length: ranks }, (_, r) => sorted.filter((_, at) => at % ranks === r).slice(0, batch));
    const steps: number[][][] = [];
    while (sorted.length > 0) {
      const step = sorted.splice(0, batch * ranks);
      const own = Array.from({ length: ranks }, (_, r) => step.filter((_, at) => at % ranks === r));
      steps.push(own.map((samples, r) => (samples.length > 0 ? samples : first[r])));
    }
    return steps;
  },
  knapsack(scene) {
    const { columns, max, ranks, seed } = scene;
    const groups = knapsack(columns.tokens, [...upTo(columns.tokens.length)], max.tokens);
    return deal(
      [...shuffle(upTo(groups.length), draws(seed))].map((g) => groups[g]),
      ranks,
    );
  },
  "buffered-knapsack"(scene) {
    const samples = order(scene);
    const groups: number[][] = [];
    while (samples.length > 0)
      groups.push(...knapsack(scene.columns.tokens, samples.splice(0, 1000), scene.max.tokens));
    return deal(groups, scene.ranks);
  },
  "first-fit"(scene) {
    const { tokens } = scene.columns;
    const groups: number[][] = [];
    for (const i of order(scene)) {
      const room = (group: readonly number[]) => scene.max.tokens - group.reduce((sum, k) => sum + tokens[k], 0);
      const group = groups.find((own) => room(own) >= tokens[i]);
      if (group === undefined) groups.push([i]);
      else group.push(i);
    }
    return deal(groups, scene.ranks);
  },
  "next-fit"(scene) {
    const { tokens } = scene.columns;
    const groups: number[][] = [[]];
    for (const i of order(scene)) {
      const last = groups[groups.length - 1];
      if ([...last, i].reduce((sum, k) => sum + tokens[k], 0) <= scene.max.tokens) last.push(i);
      else groups.push([i]);
    }
    return deal(groups, scene.ranks);
  },
  lpt(scene) {
    const { columns, max, ranks } = scene;
    const { tokens } = columns;
    const samples = order(scene);
    const sum = (own: readonly number[]) => own.reduce((all, i) => all + tokens[i], 0);
    const steps: number[][][] = [];
    while (samples.length > 0) {
      let fits = Math.min(ranks, samples.length);
      let not = fits + 1;
      while (not <= samples.length && sum(samples.slice(0, not)) <= max.tokens * ranks) not++;
      while (not - fits > 1) {
        const middle = Math.floor((fits + not) / 2);
        const sums = longestFirst(tokens, samples.slice(0, middle), ranks).map(sum);
        if (Math.max(...sums) <= max.tokens) fits = middle;
        else not = middle;
      }
      steps.push(longestFirst(tokens, samples.splice(0, fits), ranks));
    }
    return steps;
  },
};

/** What a batch costs of one load, and of all. */
function batchCosts(
  { columns }: Pick<SlowScene, "columns">,
  cost: Readonly<Record<string, number>>,
  batch: readonly number[],
  padded: boolean,
): Map<string, number> {
  const costs = new Map<string, number>();
  for (const [name, each] of Object.entries(cost)) {
    if (name === "group" || name === "step") continue;
    const load = name.replace("^2", "");
    const power = name.endsWith("^2") ? 2 : 1;
    const own = batch.map((i) => columns[load][i]);
    const counted = padded && load === "tokens" ? own.map(() => Math.max(...own)) : own;
    costs.set(load, (costs.get(load) ?? 0) + each * counted.reduce((sum, x) => sum + x ** power, 0));
  }
  return costs;
}

/** The time of an epoch, of one whose ranks wait after each load, and the share of it that they wait. */
export function slowTime(
  scene: Pick<SlowScene, "columns" | "ranks">,
  cost: Readonly<Record<string, number>>,
  steps: Steps,
  padded: boolean,
): { time: number; byPhase: number; idle: number } {
  const { group = 0, step: constant = 0 } = cost;
  let time = 0;
  let byPhase = 0;
  let work = 0;
  for (const step of steps) {
    const ranks = step.filter((batch) => batch.length > 0).map((batch) => batchCosts(scene, cost, batch, padded));
    const totals = ranks.map((costs) => [...costs.values()].reduce((sum, x) => sum + x, group));
    time += Math.max(...totals) + constant;
    work += totals.reduce((sum, x) => sum + x, 0);
    byPhase += group + constant;
    for (const load of ranks[0].keys()) byPhase += Math.max(...ranks.map((costs) => costs.get(load) as number));
  }
  return { time, byPhase, idle: 1 - work / ((time - constant * steps.length) * scene.ranks) };
}
