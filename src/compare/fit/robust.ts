// A fit that stragglers and other outliers have no say in.
import { type Normal, nonNegative, normalOf } from "./least-squares.ts";
import type { Observations } from "./observations.ts";

/** What is fitted: the loads' costs, then the constants that can be told apart. */
export interface Problem {
  readonly seen: Observations;
  /** Names of the unknowns: loads, then "group" and "step" if these can be told apart. */
  readonly names: readonly string[];
}

/** A fit of some of the rows. */
export interface RobustFit {
  readonly costs: Float64Array;
  /** (measured - predicted) / predicted, of all rows. */
  readonly residuals: Float64Array;
  readonly predicted: Float64Array;
  /** The spread of the residuals of the rows that were used, as a standard deviation. */
  readonly spread: number;
  /** 0 .. 1: how much a row counted; 0 for one that was not used, or is an outlier. */
  readonly trust: Float64Array;
  /** The rows that unknowns are a product with, float64[rows][unknowns]. */
  readonly rows: Float64Array;
  readonly normal: Normal;
}

/**
 * Tukey's biweight: beyond this many spreads a row has no weight. It keeps 95 % of the efficiency of plain least
 * squares.
 */
const TUKEY = 4.685;
export const EFFICIENCY = 0.95;
/** Huber's weights come first: they lead to one fit only, wherever one starts. */
const HUBER = 1.345;
const HUBER_ROUNDS = 10;
const ROUNDS = 60;

/** Of each row the loads and constants of the rank that `costs` say is the slowest. */
function slowestRows({ seen, names }: Problem, costs: Float64Array | undefined, out: Float64Array): void {
  const { loads, groups, offsets, isStep, ms } = seen;
  const k = seen.names.length;
  const group = names.indexOf("group");
  const step = names.indexOf("step");
  const unknowns = names.length;
  // Before there is a fit: by the loads over their means.
  const guess = new Float64Array(k);
  if (costs === undefined) {
    for (let at = 0; at < loads.length; at++) guess[at % k] += loads[at];
    for (let j = 0; j < k; j++) guess[j] = guess[j] > 0 ? 1 / guess[j] : 0;
  }
  const each = costs ?? guess;
  for (let i = 0; i < ms.length; i++) {
    let slowest = offsets[i];
    let most = -1;
    for (let r = offsets[i]; r < offsets[i + 1]; r++) {
      let time = group >= 0 && costs !== undefined ? costs[group] * groups[r] : 0;
      for (let j = 0; j < k; j++) time += each[j] * loads[r * k + j];
      if (time <= most) continue;
      most = time;
      slowest = r;
    }
    const at = i * unknowns;
    for (let j = 0; j < k; j++) out[at + j] = loads[slowest * k + j];
    if (group >= 0) out[at + group] = groups[slowest];
    if (step >= 0) out[at + step] = isStep[i];
  }
}

export function median(values: Float64Array): number {
  if (values.length === 0) return 0;
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Fits the rows for which `used` is 1: iteratively reweighted non-negative least squares of the relative residuals,
 * with Huber's weights first and Tukey's biweight then. The slowest rank of a step is found again in each round.
 */
export function fitRobustly(problem: Problem, used: Uint8Array): RobustFit {
  const { seen, names } = problem;
  const { ms } = seen;
  const n = ms.length;
  const unknowns = names.length;
  const rows = new Float64Array(n * unknowns);
  const weights = new Float64Array(n);
  const trust = new Float64Array(n);
  const predicted = new Float64Array(n);
  const residuals = new Float64Array(n);
  const hasSteps = seen.isStep.some((flag) => flag === 1);
  slowestRows(problem, undefined, rows);
  for (let i = 0; i < n; i++) weights[i] = used[i] === 1 ? 1 / ms[i] ** 2 : 0;
  let normal = normalOf(rows, unknowns, ms, weights);
  let costs = nonNegative(normal);
  let spread = 0;
  let scale = 0;
  for (const time of ms) scale += time / n;
  const apply = () => {
    if (hasSteps) slowestRows(problem, costs, rows);
    for (let i = 0; i < n; i++) {
      let time = 0;
      for (let j = 0; j < unknowns; j++) time += costs[j] * rows[i * unknowns + j];
      predicted[i] = time;
      residuals[i] = (ms[i] - time) / Math.max(time, scale * 1e-9);
    }
    // 1.4826: the median of |residual| of a normal distribution is 1 / 1.4826 standard deviations.
    spread = Math.max(1.4826 * median(residuals.filter((_, i) => used[i] === 1).map(Math.abs)), 1e-7);
  };
  for (let round = 0; round < ROUNDS; round++) {
    apply();
    for (let i = 0; i < n; i++) {
      const far = Math.abs(residuals[i]) / spread;
      const tukey = far < TUKEY ? (1 - (far / TUKEY) ** 2) ** 2 : 0;
      trust[i] = used[i] === 0 ? 0 : round < HUBER_ROUNDS ? Math.min(1, HUBER / Math.max(far, 1e-9)) : tukey;
      weights[i] = trust[i] / Math.max(predicted[i], scale * 1e-9) ** 2;
    }
    normal = normalOf(rows, unknowns, ms, weights);
    const next = nonNegative(normal);
    const moved = next.some((value, j) => Math.abs(value - costs[j]) > 1e-10 * Math.max(value, costs[j]));
    costs = next;
    if (!moved && round > HUBER_ROUNDS) break;
  }
  apply();
  return { costs, residuals, predicted, spread, trust, rows, normal };
}
