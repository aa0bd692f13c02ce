import { type Abi, allocate, BAD_ARGUMENT, check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { OptionError, show } from "../core/errors.ts";
import { integer, MAX_INT32, type NamesOf, OWN, onlyNames, SEED, type Spec, take } from "../core/options.ts";
import { takeFigures } from "./evaluate.ts";
import { type GroupLoadsInput, type GroupPart, toParts } from "./group-loads.ts";
import { GroupsIdentity, type GroupsMade } from "./made.ts";
import { type SamplerKind, samplers } from "./sampler-kinds.ts";
import {
  beginUnits,
  EPOCH,
  GROUP_LOADS,
  makePlan,
  refuseOther,
  refuseOtherGroups,
  resolvePlan,
  SHAPE,
} from "./samplers.ts";

/** What unevenness in each load counts against the others: 0 .. 1e12, not all 0. Default: vit 1, tokens 1. */
export interface BalanceWeights {
  /** Image tiles. */
  readonly vit?: number;
  /** Tokens. */
  readonly tokens?: number;
  /** Sum of token^2 over the samples of a group. */
  readonly attention?: number;
}

/**
 * What a group costs a rank, 0 .. 1e12 each, from a profile of the trainer. This sum alone is evened out then, and
 * times are predicted.
 */
export interface CostModel {
  /** Milliseconds per image tile. */
  readonly msPerTile: number;
  /** Milliseconds per token. */
  readonly msPerToken: number;
  /** Per token^2 of each sample; default 0. */
  readonly msPerTokenSquared?: number;
}

/** The tail rules. */
export const TAIL_RULES = ["drop", "repeat", "short"] as const;
/**
 * What becomes of units that do not fill a step: left out of this epoch, filled up with others that are handed out
 * twice, or a last step in which some ranks have fewer units, or none. Which units it meets rotates with the epoch.
 */
export type TailRule = (typeof TAIL_RULES)[number];

/** What a balanced plan is made by. */
export interface BalancedPlanOptions {
  /** Data-parallel ranks, 1 .. 2^31 - 1. With spSize, a rank is a team of spSize devices. */
  readonly ranks: number;
  /** Units per rank and step, 1 .. 2^31 - 1. Default: 1. */
  readonly microBatch?: number;
  /** Groups that a sequence-parallel team works on together; 1: none. Default: 1. */
  readonly spSize?: number;
  /** 0 .. 2^32 - 1. Default: 0. */
  readonly epoch?: number;
  /** 0 .. 2^32 - 1. Default: 1024. */
  readonly seed?: number;
  /** Default: `repeat`. */
  readonly tail?: TailRule;
  /** What is evened out: weights of the loads, or what they cost in time. Default: vit and tokens alike. */
  readonly balance?: BalanceWeights | CostModel;
  /** Also measure what the published samplers would do with the same groups. Default: false. */
  readonly compare?: boolean;
}

/** How even a plan is. Ratios are 0 .. 1; a dist is the mean over steps of how far the ranks are below the heaviest. */
export interface PlanStats {
  /** Steps, the same for every rank. */
  readonly steps: number;
  /** Units in no step of this epoch. */
  readonly dropped: number;
  /** Units handed out a second time. */
  readonly repeated: number;
  /** Padding over all tokens computed on. */
  readonly pad: number;
  /** Dist of tiles. */
  readonly vitDist: number;
  /** Dist of tokens. */
  readonly tokenDist: number;
  /** Dist of attention; 0 if the groups have none. */
  readonly attentionDist: number;
  /** With a cost model: the time of the epoch, in which every step takes as long as its slowest rank. */
  readonly epochMs?: number;
  /** With a cost model: the mean time of a step. */
  readonly stepMs?: number;
  /** With a cost model: share of all ranks' time spent waiting. */
  readonly idle?: number;
  /** With a cost model: the same of each rank, float64[ranks]. */
  readonly rankIdle?: Float64Array;
}

/** What a plan depends on, besides the groups and the epoch. */
export interface PlanBasis extends GroupsMade {
  /** Data-parallel ranks. */
  readonly ranks: number;
  /** Units that a rank is handed at a step. */
  readonly microBatch: number;
  /** Groups of a unit. */
  readonly spSize: number;
  /** 0 .. 2^32 - 1. */
  readonly seed: number;
  /** The tail rule. */
  readonly tail: TailRule;
  /** All weights or costs, defaults applied. */
  readonly balance: Readonly<Record<string, number>>;
}

/** What a plan was made of. */
export interface PlanMade extends PlanBasis {
  /** Version of this record: readers refuse a higher one. */
  readonly version: 1;
  /** Which epoch, 0 .. 2^32 - 1. */
  readonly epoch: number;
}

/** Where to resume a plan, for a checkpoint: plain JSON. */
export interface PlanState {
  /** Version of the state. */
  readonly version: 2;
  /** The epoch to make a plan of. */
  readonly epoch: number;
  /** How many of its steps are done. */
  readonly step: number;
  /** What the plan depends on: `resume` compares all of it. */
  readonly plan: PlanBasis;
}

/** The parts of a plan; `plan` fills them in. */
export interface PlanParts {
  readonly ranks: number;
  readonly microBatch: number;
  readonly spSize: number;
  readonly epoch: number;
  readonly seed: number;
  readonly tail: TailRule;
  readonly balance: Readonly<Record<string, number>>;
  readonly shortSteps: number;
  readonly order: Int32Array;
  readonly stats: PlanStats;
  readonly groups: GroupsIdentity;
  readonly published: Readonly<Partial<Record<SamplerKind, PlanStats>>> | undefined;
}

/**
 * One epoch: which groups each rank trains on at each step. A pure function of the groups (of their attention too, if
 * it is known: no load may follow the step number), the options, seed and epoch: to resume, make the plan of the
 * state's epoch again and go on at the step that `resume` returns. Any step is O(1) away.
 */
export class Plan {
  /** Data-parallel ranks. */
  readonly ranks: number;
  /** Units that a rank is handed at a step. */
  readonly microBatch: number;
  /** Groups of a unit, 1 without sequence parallelism. */
  readonly spSize: number;
  /** Which epoch, 0 .. 2^32 - 1. */
  readonly epoch: number;
  /** 0 .. 2^32 - 1. */
  readonly seed: number;
  /** What became of units that do not fill a step. */
  readonly tail: TailRule;
  /** All weights or costs that it was made with. */
  readonly balance: Readonly<Record<string, number>>;
  /** Steps, the same for every rank. */
  readonly length: number;
  /** With tail `short`: how many steps at the end have places of -1 in `order`. */
  readonly shortSteps: number;
  /** int32[length][ranks][microBatch][spSize]: groups; several sources are numbered one after another. */
  readonly order: Int32Array;
  /** How even it is. */
  readonly stats: PlanStats;
  /** With `compare`: the same for the published samplers, without those that cannot serve so few groups. */
  readonly published: Readonly<Partial<Record<SamplerKind, PlanStats>>> | undefined;
  readonly #groups: GroupsIdentity;

  /** Used by `plan`. To measure an order of your own, give it to `evaluatePlan`. */
  constructor(parts: PlanParts) {
    this.ranks = parts.ranks;
    this.microBatch = parts.microBatch;
    this.spSize = parts.spSize;
    this.epoch = parts.epoch;
    this.seed = parts.seed;
    this.tail = parts.tail;
    this.balance = parts.balance;
    this.shortSteps = parts.shortSteps;
    this.order = parts.order;
    this.length = parts.stats.steps;
    this.stats = parts.stats;
    this.published = parts.published;
    this.#groups = parts.groups;
  }

  /** This plan with its groups in another order, such as one for a pipeline. It fits the same packing. */
  reordered(order: Int32Array, stats: PlanStats): Plan {
    const { ranks, microBatch, spSize, epoch, seed, tail, balance, shortSteps, published } = this;
    const settings = { ranks, microBatch, spSize, epoch, seed, tail, balance };
    return new Plan({ ...settings, shortSteps, order, stats, groups: this.#groups, published });
  }

  #settings() {
    const { ranks, microBatch, spSize, seed, tail, balance } = this;
    return { ranks, microBatch, spSize, seed, tail, balance };
  }

  /** What it was made of, as files have it. The first call takes the fingerprint of the groups: O(samples), 3 ns each. */
  get made(): PlanMade {
    return { version: 1, ...this.#groups.made, epoch: this.epoch, ...this.#settings() };
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

  /**
   * What a checkpoint keeps when `step` steps of this epoch are done; at the end it is the next epoch's start. The first
   * call takes the fingerprint of the groups, as `made` does.
   */
  state(step: number): PlanState {
    integer("step", step, 0, this.length);
    const plan = { ...this.#groups.made, ...this.#settings() };
    return step < this.length || this.length === 0
      ? { version: 2, epoch: this.epoch, step, plan }
      : { version: 2, epoch: (this.epoch + 1) % 2 ** 32, step: 0, plan };
  }

  /**
   * The step at which to go on from a state.
   *
   * @throws OptionError when it was taken over other groups, with other options (ranks among them) or in another epoch,
   *   naming the first that differs.
   */
  resume(state: PlanState): number {
    if (state?.version !== 2) {
      throw new OptionError("INVALID_OPTION", `state has version ${show(state?.version)}, expected 2`);
    }
    refuseOther(state.plan, this.#settings(), "this plan");
    refuseOther(state, { epoch: this.epoch }, "this plan");
    refuseOtherGroups(state.plan, this.#groups, "this plan");
    return integer("step", state.step, 0, this.length);
  }
}

/** The largest weight or cost, so that sums over an epoch stay finite. */
export const MOST_WEIGHT = 1e12;

/** What each of `GROUP_LOADS` is called as a weight and as a cost, in their order. */
const WEIGHTS: NamesOf<BalanceWeights> = { vit: true, tokens: true, attention: true };
const COSTS: NamesOf<CostModel> = { msPerTile: true, msPerToken: true, msPerTokenSquared: true };

export const BALANCED_PLAN_OPTIONS = {
  ...SHAPE,
  epoch: EPOCH,
  seed: SEED,
  tail: {
    kind: "choice",
    names: TAIL_RULES,
    default: "repeat",
    argument: "RULE",
    about: "groups that do not fill a step: drop them in this epoch, repeat others to fill it, or make it short",
  },
  balance: {
    kind: "own",
    argument: "WEIGHTS",
    about: "how much unevenness of each load counts; 0 if it is not named",
    usual: "vit=1,tokens=1; attention is the third",
  },
  compare: OWN,
} as const satisfies NamesOf<BalancedPlanOptions, Spec>;

/** What each of `GROUP_LOADS` counts, or costs. */
interface Balance {
  readonly weights: readonly number[];
  readonly isCost: boolean;
  /** The same by the names that they were given under. */
  readonly named: Readonly<Record<string, number>>;
}

function resolveBalance(balance: BalanceWeights | CostModel | undefined): Balance {
  const asked: unknown = balance ?? { vit: 1, tokens: 1 };
  const isCost = typeof asked === "object" && asked !== null && ("msPerTile" in asked || "msPerToken" in asked);
  const list = isCost ? COSTS : WEIGHTS;
  onlyNames("balance", asked, list, "member");
  const names = Object.keys(list);
  const given = asked as Readonly<Record<string, unknown>>;
  const weights = names.map((name) => {
    const value = given[name] ?? 0;
    if (typeof value !== "number" || !(value >= 0 && value <= MOST_WEIGHT)) {
      throw new OptionError("INVALID_OPTION", `balance.${name} is ${show(value)}, expected a number from 0 to 1e12`);
    }
    return value;
  });
  if (weights.every((weight) => weight === 0)) {
    throw new OptionError("INVALID_OPTION", `balance is 0 throughout, expected one of ${names.join(", ")} above 0`);
  }
  return { weights, isCost, named: Object.fromEntries(names.map((name, k) => [name, weights[k]])) };
}

/** Copies the weights, or costs, into the core. */
function copyWeights(abi: Abi, { weights }: Balance): number {
  const at = allocate(abi, weights.length * 8, weights.length);
  new Float64Array(abi.memory.buffer, at, weights.length).set(weights);
  return at;
}

/** Measures the core's plan. */
function measure(abi: Abi, ranks: number, microBatch: number, balance: Balance): PlanStats {
  const stats: PlanStats = takeFigures(abi, ranks, microBatch);
  const { steps } = stats;
  if (!balance.isCost) return stats;
  const at = allocate(abi, ranks * 8, ranks);
  abi.evaluateCost(ranks, microBatch, copyWeights(abi, balance), at);
  const epochMs = abi.planTime();
  const rankIdle = new Float64Array(abi.memory.buffer, at, ranks).map((work) => (epochMs > 0 ? 1 - work / epochMs : 0));
  const idle = rankIdle.reduce((sum, own) => sum + own, 0) / ranks;
  return { ...stats, epochMs, stepMs: steps === 0 ? 0 : epochMs / steps, idle, rankIdle };
}

/** The body of `Omnibal.plan`. */
export function plan(core: Core, packings: GroupLoadsInput, options: BalancedPlanOptions): Plan {
  onlyNames("plan", options, BALANCED_PLAN_OPTIONS);
  const parts = toParts(packings);
  return core.exclusive(() => planEpoch(core.abi, parts, options));
}

function planEpoch(abi: Abi, parts: readonly GroupPart[], options: BalancedPlanOptions): Plan {
  const epoch = take(BALANCED_PLAN_OPTIONS, "epoch", options);
  const seed = take(BALANCED_PLAN_OPTIONS, "seed", options);
  const tail = take(BALANCED_PLAN_OPTIONS, "tail", options);
  const { ranks, microBatch, spSize } = resolvePlan({ ...options, kind: "random", tail: "repeat" });
  const balance = resolveBalance(options.balance);
  const attention = GROUP_LOADS.findIndex(({ name }) => name === "attention");
  if (balance.weights[attention] > 0) {
    const without = parts.findIndex((part) => part.attention === undefined);
    if (without !== -1) {
      throw new OptionError("INVALID_OPTION", `balance asks for attention, source ${without} has none`);
    }
  }
  beginUnits(abi, parts, spSize);
  const rule = TAIL_RULES.indexOf(tail);
  const weights = copyWeights(abi, balance);
  const status = abi.planBalanced(ranks, microBatch, seed, epoch, rule, weights, balance.isCost ? 1 : 0);
  const units = abi.unitCount();
  if (status === BAD_ARGUMENT) {
    throw new OptionError("INVALID_OPTION", `${units} groups to plan, expected at most 214748363`);
  }
  check(abi, status, units, () => undefined);
  const stats = measure(abi, ranks, microBatch, balance);
  if (stats.steps === 0 && units > 0) {
    throw new OptionError(
      "INVALID_OPTION",
      `no step: ${units} ${spSize > 1 ? "teams" : "groups"}, a step takes ${ranks * microBatch}${parts.length > 1 ? " of one source" : ""} (ranks ${ranks} x microBatch ${microBatch}) and tail is "drop"`,
    );
  }
  const shortSteps = abi.planShortSteps();
  const order = takeGroups(abi, spSize);
  let published: Partial<Record<SamplerKind, PlanStats>> | undefined;
  if (options.compare === true) {
    published = {};
    for (const { name, published: sampler } of samplers) {
      if (sampler === undefined || units === 0) continue;
      if (!sampler.takesFewUnits && units < ranks * microBatch) continue;
      const kind = name as SamplerKind;
      makePlan(abi, resolvePlan({ kind, ranks, microBatch, spSize, compat: "reference" }), 0, 0);
      const own = measure(abi, ranks, microBatch, balance);
      // Without a whole step there is nothing to measure, and 0 would be a perfect score.
      if (own.steps > 0) published[kind] = own;
    }
  }
  const groups = new GroupsIdentity(abi, parts);
  const settings = { ranks, microBatch, spSize, epoch, seed, tail, balance: balance.named };
  return new Plan({ ...settings, shortSteps, order, stats, groups, published });
}

/** The core's plan in groups rather than units. */
function takeGroups(abi: Abi, spSize: number): Int32Array {
  const order = new Int32Array(abi.memory.buffer, abi.planOrder() >>> 0, abi.planLength());
  if (spSize === 1) return order.slice();
  const members = new Int32Array(abi.memory.buffer, abi.unitGroups() >>> 0, abi.unitCount() * spSize);
  if (order.length * spSize > MAX_INT32) {
    throw new OptionError("INVALID_OPTION", `${order.length} x spSize ${spSize} places exceed ${MAX_INT32}`);
  }
  const groups = new Int32Array(order.length * spSize).fill(-1);
  for (const [place, unit] of order.entries()) {
    if (unit >= 0) groups.set(members.subarray(unit * spSize, (unit + 1) * spSize), place * spSize);
  }
  return groups;
}
