import { type Abi, BAD_ARGUMENT, check } from "../core/abi.ts";
import { OptionError, show } from "../core/errors.ts";
import { integer, MAX_INT32, MAX_UINT32, type NamesOf, oneOf, onlyNames } from "../core/options.ts";
import { takeFigures } from "./evaluate.ts";
import {
  allocate,
  beginUnits,
  type GroupLoads,
  makePlan,
  resolvePlan,
  SAMPLER_KINDS,
  type SamplerKind,
} from "./samplers.ts";

/** What unevenness in each load counts against the others: 0 .. 1e12, not all 0. Default: vit 1, tokens 1. */
export interface BalanceWeights {
  readonly vit?: number;
  readonly tokens?: number;
  /** Sum of token^2 over the samples of a group. */
  readonly attention?: number;
}

/** What a group costs a rank, 0 .. 1e12 each, from a profile of the trainer: then this sum alone is evened out, and times are predicted. */
export interface CostModel {
  readonly msPerTile: number;
  readonly msPerToken: number;
  /** Per token^2 of each sample; default 0. */
  readonly msPerTokenSquared?: number;
}

export const TAIL_RULES = ["drop", "repeat", "short"] as const;
/**
 * What becomes of units that do not fill a step: left out of this epoch, filled up with others that are handed out
 * twice, or a last step in which some ranks have fewer units, or none. Which units it meets rotates with the epoch.
 */
export type TailRule = (typeof TAIL_RULES)[number];

export interface BalancedPlanOptions {
  /** Data-parallel ranks, 1 .. 2^31 - 1. With spSize, a rank is a team of spSize devices. */
  readonly ranks: number;
  /** Units that a rank is handed at a step, 1 .. 2^31 - 1. Default: 1. */
  readonly microBatch?: number;
  /** Groups that a sequence-parallel team works on together; 1: none. Default: 1. */
  readonly spSize?: number;
  /** 0 .. 2^32 - 1. Default: 0. */
  readonly epoch?: number;
  /** 0 .. 2^32 - 1. Default: 1024. */
  readonly seed?: number;
  /** Default: `repeat`. */
  readonly tail?: TailRule;
  readonly balance?: BalanceWeights | CostModel;
  /** Also measure what the published samplers would do with the same groups. Default: false. */
  readonly compare?: boolean;
}

/** How even a plan is. Ratios are 0 .. 1; a dist is the mean over steps of how far the ranks are below the heaviest. */
export interface PlanStats {
  readonly steps: number;
  /** Units in no step of this epoch. */
  readonly dropped: number;
  /** Units handed out a second time. */
  readonly repeated: number;
  readonly pad: number;
  readonly vitDist: number;
  readonly tokenDist: number;
  /** 0 where the groups have no `attention`. */
  readonly attentionDist: number;
  /** With a cost model: what the epoch takes when every step waits for its slowest rank. */
  readonly epochMs?: number;
  /** With a cost model: the mean step. */
  readonly stepMs?: number;
  /** With a cost model: share of all ranks' time spent waiting. */
  readonly idle?: number;
  /** With a cost model: the same of each rank, float64[ranks]. */
  readonly rankIdle?: Float64Array;
}

/** Where a plan is to go on, for a checkpoint: plain JSON. */
export interface PlanState {
  readonly version: 1;
  readonly epoch: number;
  readonly step: number;
}

export interface PlanParts {
  readonly ranks: number;
  readonly microBatch: number;
  readonly spSize: number;
  readonly epoch: number;
  readonly seed: number;
  readonly tail: TailRule;
  readonly shortSteps: number;
  readonly order: Int32Array;
  readonly stats: PlanStats;
  readonly published: Readonly<Partial<Record<SamplerKind, PlanStats>>> | undefined;
}

/**
 * One epoch: which groups each rank trains on at each step. A pure function of the groups (of their attention too, if it
 * is known: no load may follow the step number), the options, seed and epoch: to resume, make the plan of the state's epoch again and go on at its step; any step is O(1) away.
 */
export class Plan {
  readonly ranks: number;
  readonly microBatch: number;
  readonly spSize: number;
  readonly epoch: number;
  readonly seed: number;
  readonly tail: TailRule;
  /** Steps, the same for every rank. */
  readonly length: number;
  /** Steps at the end, of tail `short`, in which `order` has places of -1. */
  readonly shortSteps: number;
  /** int32[length][ranks][microBatch][spSize]: groups; several data groups are numbered one after another. */
  readonly order: Int32Array;
  readonly stats: PlanStats;
  /** With `compare`: the same of the published samplers; one that cannot serve so few groups is missing. */
  readonly published: Readonly<Partial<Record<SamplerKind, PlanStats>>> | undefined;

  constructor(parts: PlanParts) {
    this.ranks = parts.ranks;
    this.microBatch = parts.microBatch;
    this.spSize = parts.spSize;
    this.epoch = parts.epoch;
    this.seed = parts.seed;
    this.tail = parts.tail;
    this.shortSteps = parts.shortSteps;
    this.order = parts.order;
    this.length = parts.stats.steps;
    this.stats = parts.stats;
    this.published = parts.published;
  }

  /** The groups of a rank at a step: microBatch x spSize of them, fewer in a short step. O(microBatch x spSize). */
  batch(step: number, rank: number): Int32Array {
    for (const [name, value, end] of [
      ["step", step, this.length],
      ["rank", rank, this.ranks],
    ] as const) {
      if (!Number.isInteger(value) || value < 0 || value >= end) {
        throw new RangeError(`${name} ${value} asked for, there are ${end}`);
      }
    }
    const size = this.microBatch * this.spSize;
    const at = (step * this.ranks + rank) * size;
    const batch = this.order.subarray(at, at + size);
    return step < this.length - this.shortSteps ? batch : batch.filter((group) => group >= 0);
  }

  /** A rank's batches from `step` on. */
  *rank(rank: number, step = 0): IterableIterator<Int32Array> {
    for (let s = step; s < this.length; s++) yield this.batch(s, rank);
  }

  /** What a checkpoint keeps when `step` steps of this epoch are done; at the end it is the next epoch's start. */
  state(step: number): PlanState {
    integer("step", step, 0, this.length);
    return step < this.length || this.length === 0
      ? { version: 1, epoch: this.epoch, step }
      : { version: 1, epoch: (this.epoch + 1) % 2 ** 32, step: 0 };
  }
}

/** No weight or cost is larger: sums over an epoch stay finite. */
export const MOST_WEIGHT = 1e12;

/** What each of the three loads is called as a weight and as a cost, in the order of the core's. */
const WEIGHTS: NamesOf<BalanceWeights> = { vit: true, tokens: true, attention: true };
const COSTS: NamesOf<CostModel> = { msPerTile: true, msPerToken: true, msPerTokenSquared: true };

export const BALANCED_PLAN_OPTIONS: NamesOf<BalancedPlanOptions> = {
  ranks: true,
  microBatch: true,
  spSize: true,
  epoch: true,
  seed: true,
  tail: true,
  balance: true,
  compare: true,
};

interface Loads {
  readonly vit: number;
  readonly tokens: number;
  readonly attention: number;
  readonly isCost: boolean;
}

function resolveBalance(balance: BalanceWeights | CostModel | undefined): Loads {
  const asked: unknown = balance ?? { vit: 1, tokens: 1 };
  const isCost = typeof asked === "object" && asked !== null && ("msPerTile" in asked || "msPerToken" in asked);
  const list = isCost ? COSTS : WEIGHTS;
  onlyNames("balance", asked, list, "member");
  const names = Object.keys(list);
  const given = asked as Readonly<Record<string, unknown>>;
  const [vit, tokens, attention] = names.map((name) => {
    const value = given[name] ?? 0;
    if (typeof value !== "number" || !(value >= 0 && value <= MOST_WEIGHT)) {
      throw new OptionError("INVALID_OPTION", `balance.${name} is ${show(value)}, expected a number from 0 to 1e12`);
    }
    return value;
  });
  if (vit + tokens + attention === 0) {
    throw new OptionError("INVALID_OPTION", `balance is 0 throughout, expected one of ${names.join(", ")} above 0`);
  }
  return { vit, tokens, attention, isCost };
}

/** Measures the core's plan. */
function measure(abi: Abi, ranks: number, microBatch: number, loads: Loads): PlanStats {
  const stats: PlanStats = takeFigures(abi, ranks, microBatch);
  const { steps } = stats;
  if (!loads.isCost) return stats;
  const at = allocate(abi, ranks * 8, ranks);
  abi.evaluateCost(ranks, microBatch, loads.vit, loads.tokens, loads.attention, at);
  const epochMs = abi.planTime();
  const rankIdle = new Float64Array(abi.memory.buffer, at, ranks).map((work) => (epochMs > 0 ? 1 - work / epochMs : 0));
  const idle = rankIdle.reduce((sum, own) => sum + own, 0) / ranks;
  return { ...stats, epochMs, stepMs: steps === 0 ? 0 : epochMs / steps, idle, rankIdle };
}

/** Plans an epoch in the core. What it allocates is the caller's to release. */
export function planEpoch(abi: Abi, parts: readonly GroupLoads[], options: BalancedPlanOptions): Plan {
  const epoch = integer("epoch", options.epoch ?? 0, 0, MAX_UINT32);
  const seed = integer("seed", options.seed ?? 1024, 0, MAX_UINT32);
  const tail = oneOf("tail", options.tail ?? "repeat", TAIL_RULES);
  const { ranks, microBatch, spSize } = resolvePlan({ ...options, kind: "random", tail: "repeat" });
  const loads = resolveBalance(options.balance);
  if (loads.attention > 0) {
    const without = parts.findIndex((part) => part.attention === undefined);
    if (without !== -1) {
      throw new OptionError("INVALID_OPTION", `balance asks for attention, data group ${without} has none`);
    }
  }
  beginUnits(abi, parts, spSize);
  const { vit, tokens, attention, isCost } = loads;
  const rule = TAIL_RULES.indexOf(tail);
  const status = abi.planBalanced(ranks, microBatch, seed, epoch, rule, vit, tokens, attention, isCost ? 1 : 0);
  const units = abi.unitCount();
  if (status === BAD_ARGUMENT) {
    throw new OptionError("INVALID_OPTION", `${units} groups to plan, expected at most 214748363`);
  }
  check(abi, status, units, () => undefined);
  const stats = measure(abi, ranks, microBatch, loads);
  const shortSteps = abi.planShortSteps();
  const order = takeGroups(abi, spSize);
  let published: Partial<Record<SamplerKind, PlanStats>> | undefined;
  if (options.compare === true) {
    published = {};
    for (const kind of SAMPLER_KINDS) {
      if (kind === "random" && units < ranks * microBatch) continue;
      makePlan(abi, resolvePlan({ kind, ranks, microBatch, spSize, compat: "reference" }), 0, 0);
      published[kind] = measure(abi, ranks, microBatch, loads);
    }
  }
  return new Plan({ ranks, microBatch, spSize, epoch, seed, tail, shortSteps, order, stats, published });
}

/** The core's plan in groups rather than units. */
function takeGroups(abi: Abi, spSize: number): Int32Array {
  const order = new Int32Array(abi.memory.buffer, abi.planOrder() >>> 0, abi.planLength());
  if (spSize === 1) return order.slice();
  const members = new Int32Array(abi.memory.buffer, abi.unitGroups() >>> 0, abi.unitCount() * spSize);
  if (order.length * spSize > MAX_INT32) {
    throw new OptionError("INVALID_OPTION", `${order.length} x spSize ${spSize} places pass ${MAX_INT32}`);
  }
  const groups = new Int32Array(order.length * spSize).fill(-1);
  for (const [place, unit] of order.entries()) {
    if (unit >= 0) groups.set(members.subarray(unit * spSize, (unit + 1) * spSize), place * spSize);
  }
  return groups;
}
