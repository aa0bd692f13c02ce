// Which rank runs which micro-batches of a step, and in what order, judged by the simulated time of the pipeline.
import { InputError, OptionError, show } from "../core/errors.ts";
import { type ModelHost, type OpenPipeline, withPipeline } from "./core.ts";
import type { ModelPlan } from "./plan.ts";
import { type PlannedLoads, type Profile, type Quantity, UNITS_PER_MS } from "./profile.ts";

/** The loads of every group, by name: one value per group in each column. Columns are equally long. */
export type GroupLoadColumns = Readonly<
  Record<
    string,
    {
      /** Sum of the load over the group's samples. */
      readonly sums: ArrayLike<number>;
      /** Sum of its squares over the group's samples. Needed if the profile has a `perSquare` rate for this load. */
      readonly squares?: ArrayLike<number>;
    }
  >
>;

/** Which groups each rank has at each step. A `Plan` is one. */
export interface GroupOrder {
  /** Data-parallel ranks, each of them a pipeline. */
  readonly ranks: number;
  /** Groups per rank and step: the micro-batches of its pipeline. */
  readonly microBatch: number;
  /** Group numbers, int32[steps][ranks][microBatch]; -1 where a short last step has none. */
  readonly order: Int32Array;
}

/** What `orderSteps` may change, and how long it searches. */
export interface OrderOptions {
  /** Whether to reorder each rank's micro-batches; false for trainers with an order of their own. Default: true. */
  readonly reorder?: boolean;
  /** Whether ranks may exchange micro-batches within a step, so that none is much slower. Default: true. */
  readonly even?: boolean;
  /** Roughly how many operations to simulate per rank and step, at some 10 ns each. Default: 100,000. */
  readonly work?: number;
}

/** An epoch in a better order, and what that saves. */
export interface OrderedSteps {
  /** Shaped like the order given, with the same groups at each step. */
  readonly order: Int32Array;
  /** Predicted milliseconds of the epoch in the order given, where every step takes as long as its slowest rank. */
  readonly beforeMs: number;
  /** The same in this order: at most `beforeMs`. */
  readonly epochMs: number;
}

/** A quantity summed over layers: rates per load, and per square of a load. */
interface Rates {
  fixed: number;
  readonly per: Map<string, number>;
  readonly perSquare: Map<string, number>;
}

function addQuantity(rates: Rates, quantity: Quantity, scale: number): void {
  if (typeof quantity === "number") {
    rates.fixed += quantity * scale;
    return;
  }
  rates.fixed += (quantity.fixed ?? 0) * scale;
  for (const [load, rate] of Object.entries(quantity.per ?? {})) {
    rates.per.set(load, (rates.per.get(load) ?? 0) + rate * scale);
  }
  for (const [load, rate] of Object.entries(quantity.perSquare ?? {})) {
    rates.perSquare.set(load, (rates.perSquare.get(load) ?? 0) + rate * scale);
  }
}

/** A function that gives a group's time in whole nanoseconds. */
function timer(rates: Rates, columns: GroupLoadColumns): (group: number) => number {
  const terms: { readonly column: ArrayLike<number>; readonly rate: number }[] = [];
  for (const [load, rate] of rates.per) terms.push({ column: columnOf(columns, load), rate: rate * UNITS_PER_MS });
  for (const [load, rate] of rates.perSquare) {
    const column = columns[load]?.squares;
    if (column === undefined) {
      throw new InputError("INVALID_INPUT", `the profile has a rate per square of ${show(load)}, groups have none`);
    }
    terms.push({ column, rate: rate * UNITS_PER_MS });
  }
  const fixed = rates.fixed * UNITS_PER_MS;
  return (group) => {
    let time = fixed;
    for (const { column, rate } of terms) time += rate * column[group];
    return Math.round(time);
  };
}

function columnOf(columns: GroupLoadColumns, load: string): ArrayLike<number> {
  if (Object.hasOwn(columns, load)) return columns[load].sums;
  const known = Object.keys(columns).join(", ");
  throw new InputError(
    "INVALID_INPUT",
    `the profile names the load ${show(load)}, expected one that groups have: ${known}`,
  );
}

/**
 * The loads to plan a model for: each load's mean over the groups, and its maximum (over all groups, load by load, so
 * no one group need reach all of them). 0 where there are no groups. O(groups * loads).
 */
export function loadsOfGroups(columns: GroupLoadColumns): PlannedLoads {
  const mean: Record<string, { sum: number; squares?: number }> = {};
  const max: Record<string, { sum: number; squares?: number }> = {};
  const figures = (column: ArrayLike<number>) => {
    let sum = 0;
    let most = 0;
    for (let g = 0; g < column.length; g++) {
      sum += column[g];
      most = Math.max(most, column[g]);
    }
    return { mean: column.length > 0 ? sum / column.length : 0, most };
  };
  for (const [load, { sums, squares }] of Object.entries(columns)) {
    const own = figures(sums);
    const squared = squares === undefined ? undefined : figures(squares);
    mean[load] = { sum: own.mean, ...(squared === undefined ? {} : { squares: squared.mean }) };
    max[load] = { sum: own.most, ...(squared === undefined ? {} : { squares: squared.most }) };
  }
  return { mean, max };
}

/** For each virtual stage, a group's times: forward, backward, and sending its output on. */
function stageTimers(profile: Profile, plan: ModelPlan, columns: GroupLoadColumns) {
  const rates = (): Rates => ({ fixed: 0, per: new Map(), perSquare: new Map() });
  return plan.stages.map(({ first, end, recomputed }) => {
    const [forward, backward, transfer] = [rates(), rates(), rates()];
    const again = new Set(recomputed);
    for (let l = first; l < end; l++) {
      const layer = profile.layers[l];
      addQuantity(forward, layer.forwardMs, 1);
      addQuantity(backward, layer.backwardMs, 1);
      if (again.has(l)) addQuantity(backward, layer.forwardMs, 1);
    }
    transfer.fixed += profile.link.latencyMs;
    addQuantity(transfer, profile.layers[end - 1].outputBytes, 1000 / profile.link.bytesPerSecond);
    return { forward: timer(forward, columns), backward: timer(backward, columns), transfer: timer(transfer, columns) };
  });
}

type StageTimers = ReturnType<typeof stageTimers>;

/** Steps of ranks with `size` micro-batches each, simulated in the core. */
class Ranks {
  readonly #open: OpenPipeline;
  readonly #timers: StageTimers;
  readonly #size: number;
  readonly #times: readonly [Float64Array, Float64Array, Float64Array];

  constructor(open: OpenPipeline, timers: StageTimers, size: number) {
    this.#open = open;
    this.#timers = timers;
    this.#size = size;
    const array = () => new Float64Array(timers.length * size);
    this.#times = [array(), array(), array()];
  }

  #put(groups: ArrayLike<number>): void {
    const [forwards, backwards, transfers] = this.#times;
    for (const [q, { forward, backward, transfer }] of this.#timers.entries()) {
      for (let b = 0; b < this.#size; b++) {
        const at = q * this.#size + b;
        forwards[at] = forward(groups[b]);
        backwards[at] = backward(groups[b]);
        transfers[at] = transfer(groups[b]);
      }
    }
    this.#open.put(forwards, backwards, transfers);
  }

  /** The time of a step in this order. */
  step(groups: ArrayLike<number>): number {
    this.#put(groups);
    return this.#open.step();
  }

  /** These groups in a better order, and its time. */
  arrange(groups: ArrayLike<number>, work: number): { readonly groups: number[]; readonly time: number } {
    this.#put(groups);
    const identity = Array.from({ length: this.#size }, (_, b) => b);
    const { order, step } = this.#open.arrange(identity, work);
    return { groups: order.map((b) => groups[b]), time: step };
  }
}

interface RankStep {
  groups: number[];
  time: number;
}

/** Exchanges tried per step between its slowest rank and another. */
const EXCHANGES = 24;

/**
 * Lets the slowest rank of a step swap a micro-batch for a lighter one from one of the fastest ranks, as long as that
 * makes the slower of the two faster.
 */
function evenOut(ranks: RankStep[], workOf: (group: number) => number, settle: (groups: number[]) => RankStep): void {
  for (let tries = EXCHANGES; tries > 0; ) {
    const byTime = ranks.toSorted((a, b) => b.time - a.time);
    const slow = byTime[0];
    let done = false;
    for (const fast of byTime.toReversed().slice(0, 3)) {
      const gap = slow.time - fast.time;
      if (gap <= 0 || tries === 0) break;
      // About half of the gap should move over: take the exchange whose difference comes nearest to that.
      const total = slow.groups.reduce((sum, group) => sum + workOf(group), 0);
      const wanted = (gap / slow.time) * total * 0.5;
      let best: [number, number] | undefined;
      let nearest = wanted;
      for (const [a, mine] of slow.groups.entries()) {
        for (const [b, theirs] of fast.groups.entries()) {
          const off = Math.abs(workOf(mine) - workOf(theirs) - wanted);
          if (off >= nearest) continue;
          nearest = off;
          best = [a, b];
        }
      }
      if (best === undefined) continue;
      tries--;
      const [a, b] = best;
      const mine = settle(slow.groups.with(a, fast.groups[b]));
      const theirs = settle(fast.groups.with(b, slow.groups[a]));
      if (Math.max(mine.time, theirs.time) >= slow.time) continue;
      Object.assign(slow, mine);
      Object.assign(fast, theirs);
      done = true;
      break;
    }
    if (!done) return;
  }
}

/**
 * Orders the micro-batches of every rank and step, and evens out the ranks by exchanging micro-batches within a step,
 * both judged by the simulated time of the pipeline. Every step keeps its groups. Deterministic. O(steps * ranks *
 * work).
 *
 * @param plan The model's split, from `planModel`.
 * @param columns The loads of the groups that `given` numbers.
 * @throws InputError INVALID_INPUT if the profile names a load that groups do not have; OptionError INVALID_OPTION if
 *   `given` has no whole number of steps, or more or fewer micro-batches than an interleaved schedule can take.
 */
export function orderSteps(
  host: ModelHost,
  profile: Profile,
  plan: ModelPlan,
  columns: GroupLoadColumns,
  given: GroupOrder,
  options: OrderOptions = {},
): OrderedSteps {
  const { reorder = true, even = true, work = 1e5 } = options;
  const { ranks, microBatch, order } = given;
  const { schedule, stages, chunks } = plan.shape;
  const size = ranks * microBatch;
  if (!(size >= 1) || order.length % size !== 0) {
    throw new OptionError(
      "INVALID_OPTION",
      `the order has ${order.length} places, expected steps of ${ranks} x ${microBatch}`,
    );
  }
  if (chunks > 1 && (microBatch % stages !== 0 || order.includes(-1))) {
    const seen = order.includes(-1) ? "a short step" : `${microBatch} micro-batches`;
    throw new OptionError(
      "INVALID_OPTION",
      `${seen} at a rank, expected a multiple of the ${stages} stages for interleaved`,
    );
  }
  const timers = stageTimers(profile, plan, columns);
  const sumOfTimes = (group: number) => {
    let sum = 0;
    for (const { forward, backward } of timers) sum += forward(group) + backward(group);
    return sum;
  };
  const out = order.slice();
  let before = 0;
  let after = 0;
  const shape = { schedule, devices: stages, chunks };
  const inTurn = (step: number, rank: number) => {
    const at = step * size + rank * microBatch;
    return Array.from(order.subarray(at, at + microBatch)).filter((group) => group >= 0);
  };
  const steps = order.length / size;
  /** Full steps share one pipeline; a short one gets pipelines of its own. */
  const runStep = (step: number, pipelineOf: <T>(count: number, use: (own: Ranks) => T) => T) => {
    const own = Array.from({ length: ranks }, (_, rank): RankStep => ({ groups: inTurn(step, rank), time: 0 }));
    const settle = (groups: number[], effort: number): RankStep => {
      if (groups.length === 0) return { groups, time: 0 };
      return pipelineOf(groups.length, (pipeline) =>
        reorder ? pipeline.arrange(groups, effort) : { groups, time: pipeline.step(groups) },
      );
    };
    before += own.reduce((most, { groups }) => {
      const time = groups.length === 0 ? 0 : pipelineOf(groups.length, (pipeline) => pipeline.step(groups));
      return Math.max(most, time);
    }, 0);
    for (const rank of own) Object.assign(rank, settle(rank.groups, work));
    if (even && ranks > 1) {
      const works = new Map(own.flatMap(({ groups }) => groups).map((group) => [group, sumOfTimes(group)]));
      evenOut(
        own,
        (group) => works.get(group) as number,
        (groups) => settle(groups, work / 4),
      );
    }
    after += own.reduce((most, { time }) => Math.max(most, time), 0);
    for (const [rank, { groups }] of own.entries()) {
      const at = step * size + rank * microBatch;
      out.fill(-1, at, at + microBatch);
      out.set(groups, at);
    }
  };
  const isFull = (step: number) => !order.subarray(step * size, (step + 1) * size).includes(-1);
  withPipeline(host, { ...shape, microBatches: microBatch }, (open) => {
    const full = new Ranks(open, timers, microBatch);
    for (let step = 0; step < steps; step++) if (isFull(step)) runStep(step, (_, use) => use(full));
  });
  for (let step = 0; step < steps; step++) {
    if (isFull(step)) continue;
    runStep(step, (microBatches, use) =>
      withPipeline(host, { ...shape, microBatches }, (open) => use(new Ranks(open, timers, microBatches))),
    );
  }
  return { order: out, beforeMs: before / UNITS_PER_MS, epochMs: after / UNITS_PER_MS };
}
