// Non-negative least squares over weighted rows (Lawson and Hanson's active set), for a handful of unknowns.

/** Solves A x = b for a symmetric positive definite A, n x n in rows; undefined where it is singular. */
function solve(a: readonly Float64Array[], b: Float64Array): Float64Array | undefined {
  const n = b.length;
  const l = a.map((row) => row.slice());
  // Cholesky; a pivot that is lost in rounding counts as none.
  for (let j = 0; j < n; j++) {
    let d = l[j][j];
    for (let k = 0; k < j; k++) d -= l[j][k] * l[j][k];
    if (!(d > a[j][j] * 1e-12)) return undefined;
    l[j][j] = Math.sqrt(d);
    for (let i = j + 1; i < n; i++) {
      let s = l[i][j];
      for (let k = 0; k < j; k++) s -= l[i][k] * l[j][k];
      l[i][j] = s / l[j][j];
    }
  }
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= l[i][k] * x[k];
    x[i] /= l[i][i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= l[k][i] * x[k];
    x[i] /= l[i][i];
  }
  return x;
}

/** X'WX and X'Wy of rows, with columns scaled so that each has a length of 1. */
export interface Normal {
  readonly gram: readonly Float64Array[];
  readonly right: Float64Array;
  /** What each column was divided by; 0 for one of zeros. */
  readonly scale: Float64Array;
}

/** Adds up the rows, float64[rows][unknowns]. O(rows x unknowns^2). */
export function normalOf(rows: Float64Array, unknowns: number, y: Float64Array, weights: Float64Array): Normal {
  const gram = Array.from({ length: unknowns }, () => new Float64Array(unknowns));
  const right = new Float64Array(unknowns);
  for (let i = 0; i < y.length; i++) {
    const w = weights[i];
    if (w === 0) continue;
    const at = i * unknowns;
    for (let j = 0; j < unknowns; j++) {
      const x = w * rows[at + j];
      if (x === 0) continue;
      right[j] += x * y[i];
      for (let k = 0; k <= j; k++) gram[j][k] += x * rows[at + k];
    }
  }
  const scale = Float64Array.from(gram, (row, j) => Math.sqrt(row[j]));
  for (let j = 0; j < unknowns; j++) {
    right[j] = scale[j] > 0 ? right[j] / scale[j] : 0;
    for (let k = 0; k <= j; k++) {
      const value = scale[j] > 0 && scale[k] > 0 ? gram[j][k] / scale[j] / scale[k] : 0;
      gram[j][k] = value;
      gram[k][j] = value;
    }
  }
  return { gram, right, scale };
}

const pick = (values: Float64Array, at: readonly number[]) => Float64Array.from(at, (k) => values[k]);
const part = (gram: readonly Float64Array[], at: readonly number[]) => at.map((j) => pick(gram[j], at));

/** The x >= 0 with the least weighted squares. A column that others make up for is left at 0. */
export function nonNegative({ gram, right, scale }: Normal): Float64Array {
  const n = right.length;
  const x = new Float64Array(n);
  const free: number[] = [];
  const barred = new Set<number>();
  for (let tries = 0; tries < 3 * n + 10; tries++) {
    // The unknown that would gain most by growing from 0.
    let best = -1;
    let most = 1e-10;
    for (let j = 0; j < n; j++) {
      if (free.includes(j) || barred.has(j) || scale[j] === 0) continue;
      let gain = right[j];
      for (let k = 0; k < n; k++) gain -= gram[j][k] * x[k];
      if (gain > most * Math.max(1, Math.abs(right[j]))) {
        most = gain / Math.max(1, Math.abs(right[j]));
        best = j;
      }
    }
    if (best < 0) break;
    free.push(best);
    for (;;) {
      const z = solve(part(gram, free), pick(right, free));
      if (z === undefined) {
        barred.add(best);
        free.splice(free.indexOf(best), 1);
        break;
      }
      // As far towards the solution as all stay at 0 or above.
      let step = 1;
      for (const [k, j] of free.entries()) if (z[k] <= 0) step = Math.min(step, x[j] / (x[j] - z[k] || 1));
      for (const [k, j] of free.entries()) x[j] += step * (z[k] - x[j]);
      if (step === 1 && z.every((value) => value > 0)) break;
      for (let k = free.length - 1; k >= 0; k--) {
        if (z[k] > 0 || x[free[k]] > 1e-14) continue;
        x[free[k]] = 0;
        free.splice(k, 1);
      }
      if (free.length === 0) break;
    }
  }
  return x.map((value, j) => (scale[j] > 0 ? value / scale[j] : 0));
}

/** How far each unknown is known, and how far the others make up for it. */
export interface Certainty {
  /** The standard error of each over the rows' own; Infinity where nothing is known of it. */
  readonly errors: Float64Array;
  /** How many times its variance is what it would be if the others were known (variance inflation). */
  readonly inflation: Float64Array;
}

/** Of the unknowns at `free`, those that are not at 0. */
export function certaintyOf({ gram, scale }: Normal, free: readonly number[]): Certainty {
  const n = scale.length;
  const errors = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const inflation = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const own = part(gram, free);
  for (const [k, j] of free.entries()) {
    const unit = new Float64Array(free.length);
    unit[k] = 1;
    const column = solve(own, unit);
    if (column === undefined || scale[j] === 0) continue;
    inflation[j] = column[k];
    errors[j] = Math.sqrt(column[k]) / scale[j];
  }
  return { errors, inflation };
}
