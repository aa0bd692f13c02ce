// What each load costs, from a log of a trainer.
import { InputError, OptionError, show } from "../../core/errors.ts";
import { type NamesOf, onlyNames } from "../../core/options.ts";
import type { Cost } from "../cost.ts";
import { draws, shuffle, upTo } from "../random.ts";
import { certaintyOf } from "./least-squares.ts";
import type { LogRecord } from "./log.ts";
import { type Observations, observe } from "./observations.ts";
import { EFFICIENCY, fitRobustly, median, type Problem, type RobustFit } from "./robust.ts";

/** How a log is read. */
export interface FitOptions {
  /** The field of the time, in ms. Default: ms. */
  readonly time?: string;
  /** The fields of the loads. Default: all that are whole numbers from 0 on, but for step, rank, groups and epoch. */
  readonly loads?: readonly string[];
  /** What a row's time is of: a rank's groups by themselves, or a step of all ranks. Default: seen from the rows. */
  readonly per?: "group" | "step";
  /** Rows at the beginning of each log to leave out, 0 .. 2^31 - 1. Default: as many as do not look like the others. */
  readonly warmUp?: number;
}

const FIT_OPTIONS: NamesOf<FitOptions> = { time: true, loads: true, per: true, warmUp: true };

/** A cost that was fitted. */
export interface FittedCost {
  /** The load's name, `group` or `step`. */
  readonly name: string;
  /** Milliseconds each. */
  readonly ms: number;
  /** How far it is known, as a share of it: half the width of its 95 % interval; null where it came out at 0. */
  readonly within: number | null;
  /** Its share of all the time that is predicted, 0 .. 1. */
  readonly share: number;
  /** The load that it is most like, and their correlation over the rows; null for constants, and where there is one load. */
  readonly like: {
    /** The load's name. */
    readonly name: string;
    /** -1 .. 1. */
    readonly correlation: number;
  } | null;
  /** How much it differs from row to row: its standard deviation over its mean. */
  readonly variation: number;
}

/** What a fit found. */
export interface Fit {
  /** What `--cost`, `plan` and `compare` take. */
  readonly cost: Cost;
  /** The same with how far each is known. */
  readonly costs: readonly FittedCost[];
  /** Rows of the log: groups, or steps. */
  readonly rows: number;
  /** Rows at the beginning that were left out. */
  readonly warmUp: number;
  /** Rows that took far longer, or less long, than their loads say: they have no say. */
  readonly outliers: number;
  /** How far single rows are from what their loads say, as a standard deviation, outliers left out. */
  readonly noise: number;
  /** How far off the fit is on rows that it has not seen, as shares of the predicted times. */
  readonly heldOut: {
    /** Rows held out. */
    readonly rows: number;
    /** The median of how far off it is. */
    readonly median: number;
    /** The 95th percentile of that. */
    readonly p95: number;
    /** The mean, by sign: above 0, predictions are too short. */
    readonly bias: number;
  };
  /** Every cost that matters is known to 3 %. */
  readonly certain: boolean;
  /** What to know before it is used: sentences. */
  readonly warnings: readonly string[];
}

/** Rows that a fit needs for each unknown. */
const ROWS_EACH = 5;
/** A cost is known once half of its 95 % interval is within this. */
const KNOWN = 0.03;
/** A cost with less of the time than this may be known less well. */
const MINOR = 0.02;
/** Rows of a block that is looked at for a warm-up. */
const BLOCK = 5;
/** A load that differs by less than this is a constant. */
const ALIKE = 0.02;
/** Loads are called collinear from this correlation on. */
const COLLINEAR = 0.98;
/** More rows than this teach nothing more. */
const MOST_ROWS = 200_000;

/** Which constants can be told apart. */
function problemOf(seen: Observations): Problem {
  const steps = seen.isStep.some((flag) => flag === 1);
  const alone = seen.isStep.some((flag) => flag === 0);
  const [first] = seen.groups;
  const alike = seen.groups.every((count) => count === first);
  const constants = [...(alone || !alike ? ["group"] : []), ...(steps ? ["step"] : [])];
  return { seen, names: [...seen.names, ...constants] };
}

/** Rows of the log from `from` to `to` that look unlike the others: blocks whose median is beyond what chance does. */
function warmUpOf({ residuals, spread }: RobustFit, from: number, to: number): number {
  let end = from;
  while (end + BLOCK <= from + (to - from) / 2) {
    // The median of five normal values has a standard deviation of .536; 2.5 of these.
    if (median(residuals.subarray(end, end + BLOCK)) <= 2.5 * 0.536 * spread) break;
    end += BLOCK;
  }
  return end - from;
}

function correlation(rows: Float64Array, unknowns: number, trust: Float64Array, a: number, b: number): number {
  let w = 0;
  let meanA = 0;
  let meanB = 0;
  for (let i = 0; i < trust.length; i++) {
    w += trust[i];
    meanA += trust[i] * rows[i * unknowns + a];
    meanB += trust[i] * rows[i * unknowns + b];
  }
  meanA /= w;
  meanB /= w;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < trust.length; i++) {
    const x = rows[i * unknowns + a] - meanA;
    const y = rows[i * unknowns + b] - meanB;
    ab += trust[i] * x * y;
    aa += trust[i] * x * x;
    bb += trust[i] * y * y;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

/** A number with as many digits as are known. */
function digits(value: number): number {
  return Number(value.toPrecision(6));
}

const percent = (value: number) => `${(value * 100).toFixed(value < 0.0995 ? 1 : 0)} %`;

/** How far each cost is known, what of the time it is, and what it is like. */
function describe({ names, seen }: Problem, fit: RobustFit): FittedCost[] {
  const { costs, rows, trust, residuals, predicted, normal } = fit;
  const unknowns = names.length;
  const free = [...costs.keys()].filter((j) => costs[j] > 0);
  const { errors } = certaintyOf(normal, free);
  let weight = 0;
  let squares = 0;
  let total = 0;
  for (let i = 0; i < trust.length; i++) {
    weight += trust[i];
    squares += trust[i] * residuals[i] ** 2;
    if (trust[i] > 0) total += predicted[i];
  }
  const sigma = Math.sqrt(squares / Math.max(weight - free.length, 1) / EFFICIENCY);
  return names.map((name, j) => {
    let sum = 0;
    let own = 0;
    for (let i = 0; i < trust.length; i++) {
      if (trust[i] === 0) continue;
      own++;
      sum += rows[i * unknowns + j];
    }
    let spread = 0;
    for (let i = 0; i < trust.length; i++) if (trust[i] > 0) spread += (rows[i * unknowns + j] - sum / own) ** 2;
    let like: FittedCost["like"] = null;
    for (let k = 0; k < seen.names.length && j < seen.names.length; k++) {
      if (k === j) continue;
      const own = correlation(rows, unknowns, trust, j, k);
      if (like === null || Math.abs(own) > Math.abs(like.correlation)) like = { name: names[k], correlation: own };
    }
    return {
      name,
      ms: digits(costs[j]),
      within: costs[j] > 0 ? (1.96 * sigma * errors[j]) / costs[j] : null,
      share: total > 0 ? (costs[j] * sum) / total : 0,
      like,
      variation: sum > 0 ? Math.sqrt(spread / own) / (sum / own) : 0,
    };
  });
}

/** 12345 as 13,000: two digits, rounded up. */
function about(value: number): string {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return String(Math.ceil(value / unit) * unit).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

function warningsOf(costs: readonly FittedCost[], heldOut: Fit["heldOut"], problem: Problem, warmUp: number): string[] {
  const { seen } = problem;
  const warnings: string[] = [];
  const total = seen.ms.length;
  const width = seen.names.length;
  const isNone = (name: string) => {
    const column = seen.names.indexOf(name);
    return seen.loads.every((value, at) => at % width !== column || value === 0);
  };
  const alike = costs.filter(({ name, variation }) => seen.names.includes(name) && variation < ALIKE && !isNone(name));
  const constants = problem.names.slice(seen.names.length).join(" and ");
  for (const { name } of alike) {
    warnings.push(`${name} is much the same in every row: its cost cannot be told from that of ${constants}.`);
  }
  for (const { name, ms, within, share, like } of costs) {
    const isConstant = name === "group" || name === "step";
    // What is the same in every row has been said.
    if (alike.some((load) => isConstant || load.name === name)) continue;
    const zero = ms === 0;
    const follows = like !== null && Math.abs(like.correlation) >= COLLINEAR;
    const because = follows
      ? `: in this log it goes with ${like.name} (correlation ${like.correlation.toFixed(3)}); log groups in which they differ, such as text alone`
      : within === null || !Number.isFinite(within)
        ? ": log rows that differ more"
        : `: ${percent(KNOWN)} takes about ${about(total * (within / KNOWN) ** 2)} rows like these, or fewer that differ more`;
    if (zero && !isConstant) {
      warnings.push(
        isNone(name)
          ? `${name} is 0 in every row: its cost is not known.`
          : `${name} comes out at 0${follows ? because : ""}.`,
      );
    } else if (within !== null && within > KNOWN && share >= MINOR) {
      warnings.push(`${name} is known to ${percent(within)} only${because}.`);
    } else if (follows && within !== null) {
      warnings.push(
        `${name} goes with ${like.name} (correlation ${like.correlation.toFixed(3)}): their sum is known better than either.`,
      );
    }
  }
  if (heldOut.median > 0.1) {
    warnings.push(
      `The loads explain the time badly: half of the rows are off by more than ${percent(heldOut.median)}.`,
    );
  }
  if (warmUp > total / 4)
    warnings.push(`${warmUp} of ${total} rows look like a warm-up: the time changes over the log.`);
  if (!problem.names.includes("group")) {
    warnings.push("All ranks have as many groups in every step: what a group takes by itself is part of step.");
  }
  return warnings;
}

function check(options: FitOptions): void {
  onlyNames("fitCost", options, FIT_OPTIONS);
  const { loads, per, warmUp, time } = options;
  if (time !== undefined && (typeof time !== "string" || time === "")) {
    throw new OptionError("INVALID_OPTION", `time is ${show(time)}, expected the name of a field`);
  }
  if (
    loads !== undefined &&
    !(Array.isArray(loads) && loads.length > 0 && loads.every((name) => typeof name === "string"))
  ) {
    throw new OptionError("INVALID_OPTION", `loads is ${show(loads)}, expected names of fields`);
  }
  if (per !== undefined && per !== "group" && per !== "step") {
    throw new OptionError("INVALID_OPTION", `per is ${show(per)}, expected group or step`);
  }
  if (warmUp !== undefined && !(Number.isInteger(warmUp) && warmUp >= 0)) {
    throw new OptionError("INVALID_OPTION", `warmUp is ${show(warmUp)}, expected a whole number from 0 on`);
  }
}

/**
 * Fits what each load costs to logs of a trainer, each a list of rows: a time and the loads of one rank, or of every rank
 * of a step, which takes as long as its slowest. Costs are 0 or above. The relative error is what is made small, so that
 * short and long groups count alike; a warm-up is left out, and rows far off have no say (Tukey's biweight).
 * O(rows x costs^2), a few dozen times.
 *
 * @throws InputError for rows without a time or loads, or too few of them; OptionError.
 */
export function fitCost(logs: readonly LogRecord[] | readonly (readonly LogRecord[])[], options: FitOptions = {}): Fit {
  check(options);
  const list = (Array.isArray(logs[0]) ? logs : [logs]) as readonly (readonly LogRecord[])[];
  const thinned = list.map((log) => {
    const every = Math.ceil(log.length / MOST_ROWS);
    return every > 1 && log.every((record) => record.rank === undefined) ? log.filter((_, i) => i % every === 0) : log;
  });
  const seen = observe(thinned, { time: options.time ?? "ms", loads: options.loads, per: options.per });
  const problem = problemOf(seen);
  const n = seen.ms.length;
  const used = new Uint8Array(n).fill(1);
  const needed = ROWS_EACH * (problem.names.length + 1);
  const tooFew = (rows: number, what: string) => {
    if (rows >= needed) return;
    throw new InputError(
      "INVALID_INPUT",
      `the log has ${rows} ${what}, expected at least ${needed} for ${problem.names.join(", ")}`,
    );
  };
  tooFew(n, "rows");

  let warmUp = 0;
  const skip = (from: number, count: number) => {
    for (let i = from; i < from + count; i++) used[i] = 0;
    warmUp += count;
  };
  const ends = [...seen.starts.slice(1), n];
  if (options.warmUp !== undefined) {
    for (const [k, from] of seen.starts.entries()) skip(from, Math.min(options.warmUp, ends[k] - from));
  } else {
    // Twice: without the first rows the others show better what is unlike them.
    for (let round = 0; round < 2; round++) {
      const first = fitRobustly(problem, used);
      used.fill(1);
      warmUp = 0;
      for (const [k, from] of seen.starts.entries()) skip(from, warmUpOf(first, from, ends[k]));
    }
  }
  tooFew(n - warmUp, "rows after the warm-up");

  const rest = Int32Array.from(upTo(n).filter((i) => used[i] === 1));
  const order = shuffle(rest, draws(1024));
  const hidden = order.subarray(0, Math.floor(order.length / 5));
  const taught = used.slice();
  for (const i of hidden) taught[i] = 0;
  const blind = fitRobustly(problem, taught);
  const off = Float64Array.from(hidden, (i) => Math.abs(blind.residuals[i])).sort();
  const near = Array.from(hidden, (i) => blind.residuals[i]).filter((r) => Math.abs(r) < 4.685 * blind.spread);
  const heldOut = {
    rows: hidden.length,
    median: median(off),
    p95: off.length > 0 ? off[Math.min(off.length - 1, Math.floor(off.length * 0.95))] : 0,
    bias: near.length > 0 ? near.reduce((sum, r) => sum + r, 0) / near.length : 0,
  };

  const whole = fitRobustly(problem, used);
  const costs = describe(problem, whole);
  let outliers = 0;
  for (let i = 0; i < n; i++) if (used[i] === 1 && whole.trust[i] === 0) outliers++;
  const warnings = warningsOf(costs, heldOut, problem, warmUp);
  return {
    cost: Object.fromEntries(costs.map(({ name, ms }) => [name, ms])),
    costs,
    rows: n,
    ...{ warmUp, outliers, noise: whole.spread, heldOut },
    certain: costs.every(({ within, share }) => within !== null && (within <= KNOWN || share < MINOR)),
    warnings,
  };
}
