// Which layers go to which stage, and what each stage recomputes.
import { InputError, OptionError } from "../core/errors.ts";
import { integer, type NamesOf, OWN, onlyNames, type Spec, take } from "../core/options.ts";
import {
  type CoreLayer,
  type CoreProblem,
  type ModelHost,
  type OpenProblem,
  SCHEDULES,
  type Schedule,
  withProblem,
} from "./core.ts";
import { type PlannedLoads, type Profile, profileLoads, toCoreLayers, UNITS_PER_MS } from "./profile.ts";
import { type Choice, measureSplit, type Shape, type Split } from "./split.ts";

export const PARTITION_METHODS = ["exact", "paper"] as const;
/**
 * How layers are assigned to stages. `exact`: the shortest simulated step. `paper`: the published way (OmniBal,
 * balanced model partition), the best among neighbours of a greedy anchor.
 */
export type PartitionMethod = (typeof PARTITION_METHODS)[number];

export const RECOMPUTE_METHODS = ["exact", "paper", "full", "none"] as const;
/**
 * What is recomputed. `exact`: the fastest choice that fits. `paper`: the published way (OmniBal, adaptive
 * re-computation), by two probes of memory. `full`: every layer that frees memory. `none`: nothing.
 */
export type RecomputeMethod = (typeof RECOMPUTE_METHODS)[number];

/** The pipeline to plan for, and how. `stages` and `microBatches` are required. */
export interface ModelPlanOptions {
  /** Devices in the pipeline: 1 .. 256, at most one per layer. */
  readonly stages: number;
  /** Micro-batches per step: 1 .. 4096; for `interleaved`, a multiple of `stages`. */
  readonly microBatches: number;
  /** Bytes per device for parameters and activations: 1 .. 2^50. Default: the profile's `device.memory`. */
  readonly memory?: number;
  /** The order of forwards and backwards. Default: `1f1b`. */
  readonly schedule?: Schedule;
  /** Virtual stages per device: 2 or more for `interleaved` (default 2), 1 otherwise; `stages` * `chunks` <= 256. */
  readonly chunks?: number;
  /** How to cut. Default: `exact`, which for `interleaved` is a heuristic of its own; `paper` is refused there. */
  readonly partition?: PartitionMethod;
  /** What to recompute. Default: `exact`. `paper` is refused for `interleaved`. */
  readonly recompute?: RecomputeMethod;
  /** How far a cut may be from the published anchor's, in layers: 1 .. 16. Default: 2. */
  readonly radius?: number;
  /** How many of the anchor's neighbours to look at: 1 .. 256. Default: 32. */
  readonly candidates?: number;
  /** Loads of the mean and of the largest micro-batch. Default: the profile's. */
  readonly loads?: PlannedLoads;
  /** How long to search if the shortest step is not soon proven: 0 quick, 1 normal, 2 long. Default: 1. */
  readonly effort?: number;
  /** The fewest layers of the first stage, for trainers that cannot cut everywhere: 1 .. layers. Default: 1. */
  readonly firstLeast?: number;
  /** The fewest layers of the last stage: 1 .. layers. Default: 1. */
  readonly lastLeast?: number;
}

/** The specs of `ModelPlanOptions`. */
export const MODEL_PLAN_OPTIONS = {
  stages: { kind: "integer", low: 1, high: 256, about: "devices in the pipeline" },
  microBatches: { kind: "integer", low: 1, high: 4096, about: "micro-batches per step" },
  memory: {
    kind: "own",
    argument: "BYTES",
    about: "bytes per device, as 80GB, 74.5GiB or 80e9; leave room for what is not in the profile",
    usual: "the profile's",
  },
  schedule: {
    kind: "choice",
    names: SCHEDULES,
    argument: "NAME",
    about: SCHEDULES.join(", "),
    default: "1f1b",
  },
  chunks: {
    kind: "integer",
    low: 1,
    high: 256,
    about: "virtual stages per device, for interleaved",
    usual: "2",
  },
  partition: {
    kind: "choice",
    names: PARTITION_METHODS,
    argument: "METHOD",
    about: "exact: the shortest step; paper: the published neighbours of a greedy anchor",
    default: "exact",
  },
  recompute: {
    kind: "choice",
    names: RECOMPUTE_METHODS,
    argument: "METHOD",
    about: "exact: the fastest choice; paper: the published two probes; full: all; none",
    default: "exact",
  },
  effort: { kind: "integer", low: 0, high: 2, about: "0 quick, 1 normal, 2 long", default: 1 },
  radius: { kind: "integer", low: 1, high: 16, default: 2 },
  candidates: { kind: "integer", low: 1, high: 256, default: 32 },
  loads: OWN,
  firstLeast: OWN,
  lastLeast: OWN,
} as const satisfies NamesOf<ModelPlanOptions, Spec>;

/** A planned split, and how close to the best it is. */
export interface ModelPlan extends Split {
  /** The pipeline it was planned for. */
  readonly shape: Shape;
  /** The option, defaults applied. */
  readonly partition: PartitionMethod;
  /** The option, defaults applied. */
  readonly recompute: RecomputeMethod;
  /** A lower bound, in milliseconds: no split has a shorter step. Undefined for `interleaved` and `paper` cuts. */
  readonly boundMs: number | undefined;
  /** Whether no split has a shorter step than this one. */
  readonly isProven: boolean;
  /** The smallest possible time per micro-batch of the slowest stage, in milliseconds. Undefined as `boundMs` is. */
  readonly leastLargestMs: number | undefined;
  /** How many ways to cut reach `leastLargestMs`. Undefined as `boundMs` is. */
  readonly optima: number | undefined;
  /** How many splits were simulated on the way; 0 for `interleaved`, which does not count them. */
  readonly simulated: number;
}

interface Resolved extends Shape {
  readonly layers: readonly CoreLayer[];
  readonly partition: PartitionMethod;
  readonly recompute: RecomputeMethod;
  readonly radius: number;
  readonly candidates: number;
  readonly work: number;
  readonly startWork: number;
  readonly types: readonly number[];
  readonly firstLeast: number;
  readonly lastLeast: number;
  readonly rule: RecomputeRule | undefined;
}

/** What a trainer recomputes if it cannot be configured layer by layer. */
export interface RecomputeRule {
  /** Per layer: 0 never, 1 always, 2 if it is among the first `count` such layers of its (virtual) stage. */
  readonly kinds: ArrayLike<number>;
  readonly count: number;
}

/** Roughly how many operations to simulate, by effort: some 10 ns each. */
const WORK = [1e6, 3e7, 1e9];
/** The same for improving each start, by effort. */
const START_WORK = [1e5, 2e6, 2e7];

function refuse(message: string): never {
  throw new OptionError("INVALID_OPTION", message);
}

function resolve(profile: Profile, options: ModelPlanOptions, rule?: RecomputeRule): Resolved {
  onlyNames("the model's plan", options, MODEL_PLAN_OPTIONS);
  const schedule = take(MODEL_PLAN_OPTIONS, "schedule", options);
  const stages = take(MODEL_PLAN_OPTIONS, "stages", options);
  const microBatches = take(MODEL_PLAN_OPTIONS, "microBatches", options);
  const chunks = take(MODEL_PLAN_OPTIONS, "chunks", options, schedule === "interleaved" ? 2 : 1);
  if (schedule !== "interleaved" && chunks !== 1) refuse(`chunks is ${chunks}, but ${schedule} has one per stage`);
  if (schedule === "interleaved" && chunks === 1) refuse("chunks is 1, expected 2 or more for interleaved (or 1f1b)");
  if (stages * chunks > 256) refuse(`${stages} stages x ${chunks} chunks, expected at most 256 virtual stages`);
  if (schedule === "interleaved" && microBatches % stages !== 0) {
    refuse(`microBatches is ${microBatches}, expected a multiple of the ${stages} stages for interleaved`);
  }
  if (stages * chunks * microBatches > 1 << 21) {
    refuse(`${stages * chunks} stages x ${microBatches} micro-batches, expected at most ${1 << 21}`);
  }
  const memory = options.memory ?? profile.device.memory;
  if (!Number.isFinite(memory) || memory < 1 || memory > 2 ** 50) {
    refuse(`memory is ${memory}, expected bytes from 1 to 2^50`);
  }
  const layers = toCoreLayers(profile, options.loads ?? profileLoads(profile));
  const firstLeast = integer("firstLeast", options.firstLeast ?? 1, 1, layers.length);
  const lastLeast = integer("lastLeast", options.lastLeast ?? 1, 1, layers.length);
  const least = stages * chunks === 1 ? 1 : firstLeast + lastLeast + stages * chunks - 2;
  if (layers.length < least) {
    const what = least === stages * chunks ? "" : ` (the first has ${firstLeast} or more, the last ${lastLeast})`;
    refuse(`${layers.length} layers are too few for ${stages * chunks} stages of a layer or more each${what}`);
  }
  const flying = (schedule === "gpipe" ? microBatches : Math.min(stages * chunks * 2, microBatches * chunks)) + 1;
  if (flying * layers.reduce((sum, { kept, parameters }) => sum + kept + parameters, 0) > 2 ** 53) {
    throw new InputError("INVALID_INPUT", `profile: ${flying} micro-batches in flight hold more than 2^53 bytes`);
  }
  const effort = take(MODEL_PLAN_OPTIONS, "effort", options);
  const names = [...new Set(profile.layers.map(({ type }) => type))];
  return {
    ...{ schedule, stages, chunks, microBatches, memory: Math.floor(memory), layers, firstLeast, lastLeast },
    partition: take(MODEL_PLAN_OPTIONS, "partition", options),
    recompute: take(MODEL_PLAN_OPTIONS, "recompute", options),
    radius: take(MODEL_PLAN_OPTIONS, "radius", options),
    candidates: take(MODEL_PLAN_OPTIONS, "candidates", options),
    work: WORK[effort],
    startWork: START_WORK[effort],
    types: profile.layers.map(({ type }) => names.indexOf(type)),
    rule,
  };
}

function problemOf(given: Resolved, changes: Partial<CoreProblem> = {}): CoreProblem {
  const { layers, stages, chunks, microBatches, memory, schedule, firstLeast, lastLeast } = given;
  return { layers, stages: stages * chunks, microBatches, memory, schedule, firstLeast, lastLeast, ...changes };
}

/** Per layer, 1 if recomputing it frees memory. */
export function recomputable(layers: readonly CoreLayer[]): Uint8Array {
  return Uint8Array.from(layers, ({ kept, recomputed }) => (kept > recomputed ? 1 : 0));
}

function setMode(open: OpenProblem, { recompute, layers, rule }: Resolved): void {
  if (rule !== undefined) open.setGiven(rule.kinds, rule.count);
  else if (recompute === "none") open.setMode("none");
  else if (recompute === "full") open.setGiven(recomputable(layers), 0);
  else open.setMode("joint");
}

/** Chooses what each stage of these cuts recomputes; undefined if one does not fit. */
function chooseLayers(open: OpenProblem, given: Resolved, cuts: readonly number[]): Choice | undefined {
  const starts = [0, ...cuts, given.layers.length];
  const recomputed: boolean[] = [];
  for (let s = 0; s < starts.length - 1; s++) {
    const [i, j] = [starts[s], starts[s + 1]];
    const choice = given.recompute === "paper" ? open.probe(s, i, j, given.types) : open.stage(s, i, j);
    if (choice.time === Number.POSITIVE_INFINITY) return undefined;
    recomputed.push(...choice.recomputed);
  }
  return { cuts, recomputed };
}

/** Cuts that even out the number of layers. */
export function cutsByLayers(layers: number, stages: number): number[] {
  return Array.from({ length: stages - 1 }, (_, s) => Math.floor(((s + 1) * layers) / stages));
}

/** Cuts that minimize the largest stage by a weight of each layer. */
function cutsByWeight(host: ModelHost, given: Resolved, weight: (layer: CoreLayer) => number): number[] {
  const layers = given.layers.map((layer) => ({
    ...{ forward: weight(layer), backward: 0, kept: 0, recomputed: 0, parameters: 0, transfer: 0 },
  }));
  const problem = problemOf(given, { layers, memory: 0, firstLeast: 1, lastLeast: 1 });
  return withProblem(host, problem, (open) => {
    open.setMode("free");
    return open.partition()?.cuts ?? [];
  });
}

/** The splits that are usual where there is no profile. */
function usualCuts(host: ModelHost, given: Resolved): { byLayers: number[]; byParameters: number[] } {
  return {
    byLayers: cutsByLayers(given.layers.length, given.stages * given.chunks),
    byParameters: cutsByWeight(host, given, ({ parameters }) => parameters),
  };
}

/** Bytes as GB with one decimal, rounded up so that the amount named is enough. */
function gigabytes(bytes: number): string {
  return `${(Math.ceil(bytes / 1e8) / 10).toFixed(1)} GB`;
}

/** The least memory in which anything fits, to a thousandth; undefined if even 2^50 bytes are too few. */
function leastMemory(host: ModelHost, given: Resolved): number | undefined {
  const fits = (memory: number) =>
    withProblem(host, problemOf(given, { memory }), (open) => {
      setMode(open, given);
      return open.partition() !== undefined;
    });
  let low = given.memory;
  let high = Math.max(low * 2, 1);
  if (fits(low)) return low;
  while (!fits(high)) {
    if (high > 2 ** 50) return undefined;
    low = high;
    high *= 2;
  }
  while (high - low > high / 1000) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function infeasible(host: ModelHost, given: Resolved): OptionError {
  const { stages, chunks, memory, recompute, partition, schedule } = given;
  const how =
    recompute === "none"
      ? "with nothing recomputed"
      : recompute === "full"
        ? "with all recomputed"
        : "whatever is recomputed";
  const what = `nothing fits ${stages} stages of ${gigabytes(memory)} ${how}`;
  if (schedule === "interleaved") {
    return new OptionError(
      "INFEASIBLE",
      `${what}, as far as the search for ${chunks} chunks a stage finds: give it more stages or memory`,
    );
  }
  const least = leastMemory(host, { ...given, partition: "exact" });
  if (partition === "paper" && least !== undefined && least <= memory) {
    return new OptionError(
      "INFEASIBLE",
      `${what} among the ${given.candidates} best neighbours of the anchor, which is cut without regard to memory: partition exact looks at both`,
    );
  }
  const need = least === undefined ? "" : `: about ${gigabytes(least)} would do, or more stages`;
  return new OptionError("INFEASIBLE", `${what}${need}`);
}

interface Found {
  readonly choice: Choice;
  readonly bound?: number;
  readonly isProven?: boolean;
  readonly largest?: number | undefined;
  readonly optima?: number | undefined;
  readonly simulated: number;
}

/**
 * The shortest step, by a search that starts from the smallest largest stage, the usual splits and the paper's
 * candidates.
 */
function planExactly(host: ModelHost, given: Resolved): Found | undefined {
  const usual = usualCuts(host, given);
  return withProblem(host, problemOf(given), (open) => {
    setMode(open, given);
    // Under a trainer's rule a longer stage may cost less than one inside it, which the dynamic program rules out.
    const even = given.rule === undefined ? open.partition() : undefined;
    if (even === undefined && given.rule === undefined) return undefined;
    open.beginSearch();
    const starts = even === undefined ? [] : [even.cuts];
    starts.push(usual.byLayers, usual.byParameters);
    if (given.stages > 1 && given.rule === undefined) {
      starts.push(...open.rank(given.radius, given.candidates, 1 / UNITS_PER_MS).best.map(({ cuts }) => cuts));
    }
    for (const cuts of starts) open.offer(cuts, given.startWork);
    open.search(given.work);
    const { cuts, step, bound, simulated } = open.best;
    if (step === Number.POSITIVE_INFINITY) return undefined;
    const choice = chooseLayers(open, given, cuts);
    if (choice === undefined) return undefined;
    const isExact = open.isExact;
    let floor = bound;
    if (!isExact) {
      // Some stage times are not proven minimal, so the bound cannot rest on them: those without recomputation are
      // lower.
      open.setMode("free");
      open.restartSearch();
      open.offer(cuts, given.startWork);
      open.search(given.work);
      floor = open.best.bound;
    }
    const isProven = given.recompute !== "paper" && isExact && bound >= step;
    return { choice, bound: floor, isProven, largest: even?.largest, optima: even?.optima, simulated };
  });
}

/** The best of the anchor's neighbours, each with its own choice of what to recompute. */
function planAsPublished(host: ModelHost, given: Resolved): Found | undefined {
  const choices = withProblem(host, problemOf(given), (open) => {
    setMode(open, given);
    const ranked = given.stages === 1 ? [] : open.rank(given.radius, given.candidates, 1 / UNITS_PER_MS).best;
    const { firstLeast, lastLeast, layers } = given;
    const all = given.stages === 1 ? [[]] : ranked.map(({ cuts }) => cuts);
    const allowed = all.filter(
      (cuts) => (cuts[0] ?? layers.length) >= firstLeast && layers.length - (cuts.at(-1) ?? 0) >= lastLeast,
    );
    return allowed.map((cuts) => chooseLayers(open, given, cuts)).filter((choice) => choice !== undefined);
  });
  let best: Choice | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const choice of choices) {
    const { stepMs } = measureSplit(host, given.layers, given, choice);
    if (stepMs >= least) continue;
    least = stepMs;
    best = choice;
  }
  return best === undefined ? undefined : { choice: best, simulated: choices.length };
}

/** Interleaved stages: cuts are moved as long as that helps, with no proof. */
function planInterleaved(host: ModelHost, given: Resolved): Found | undefined {
  const starts = Object.values(usualCuts(host, given));
  starts.unshift(cutsByWeight(host, given, ({ forward, backward }) => forward + backward));
  starts.push(cutsByWeight(host, given, ({ forward, backward }) => 2 * forward + backward));
  return withProblem(host, problemOf(given), (open) => {
    setMode(open, given);
    open.beginInterleaved(given.chunks);
    for (const cuts of starts) open.offerInterleaved(cuts, given.work / 2);
    const { step, cuts, recomputed } = open.bestInterleaved;
    return step === Number.POSITIVE_INFINITY ? undefined : { choice: { cuts, recomputed }, simulated: 0 };
  });
}

function finderOf({
  schedule,
  partition,
  recompute,
}: Resolved): (host: ModelHost, given: Resolved) => Found | undefined {
  if (schedule !== "interleaved") return partition === "exact" ? planExactly : planAsPublished;
  if (partition === "paper" || recompute === "paper") {
    refuse("partition and recompute of the paper are not for interleaved stages, expected exact");
  }
  return planInterleaved;
}

function toPlan(host: ModelHost, given: Resolved, found: Found): ModelPlan {
  const { partition, recompute } = given;
  return {
    ...measureSplit(host, given.layers, given, found.choice),
    ...{ shape: shapeOf(given), partition, recompute, simulated: found.simulated, optima: found.optima },
    boundMs: found.bound === undefined ? undefined : found.bound / UNITS_PER_MS,
    isProven: found.isProven ?? false,
    leastLargestMs: found.largest === undefined ? undefined : found.largest / UNITS_PER_MS,
  };
}

/**
 * Splits a model over the stages of a pipeline so that a step of equal micro-batches is shortest and every device stays
 * within its memory; what to recompute is chosen per layer, together with the cuts. Times are planned for the mean
 * micro-batch, memory for the largest. Deterministic. A second or less for 200 layers.
 *
 * Dynamic programming for the smallest largest stage, a covering knapsack per stage, then branch and bound over the
 * simulated step. See [Balancing the model](../../docs/model.md#what-is-planned-and-how).
 *
 * @throws OptionError INVALID_OPTION for an option out of range, INFEASIBLE if nothing fits (the message names the memory
 *   that would do); InputError INVALID_INPUT for a profile whose numbers are too large to add up exactly.
 */
export function planModel(host: ModelHost, profile: Profile, options: ModelPlanOptions): ModelPlan {
  const given = resolve(profile, options);
  const found = finderOf(given)(host, given);
  if (found === undefined) throw infeasible(host, given);
  return toPlan(host, given, found);
}

/** The same under a trainer's rule instead of a choice per layer; undefined if nothing fits. */
export function planByRule(
  host: ModelHost,
  profile: Profile,
  options: ModelPlanOptions,
  rule: RecomputeRule,
): ModelPlan | undefined {
  const given = resolve(profile, { ...options, partition: "exact", recompute: "exact" }, rule);
  const found = finderOf(given)(host, given);
  return found === undefined ? undefined : toPlan(host, given, found);
}

function shapeOf({ schedule, stages, chunks, microBatches, memory }: Resolved): Shape {
  return { schedule, stages, chunks, microBatches, memory };
}

/** A plan beside the splits that are usual where there is no profile. These recompute every layer that frees memory. */
export interface ModelComparison {
  /** As many layers per stage. May not fit: see `fits`. */
  readonly byLayers: Split;
  /** Parameters per stage as even as cuts can make them. May not fit. */
  readonly byParameters: Split;
  /** The best cuts if every layer that frees memory is recomputed; undefined if none fit. */
  readonly cutsAlone: ModelPlan | undefined;
  /** What `planModel` returns. */
  readonly plan: ModelPlan;
}

/**
 * Plans a model, and measures what the plan saves over the usual splits, and how much of that its cuts alone save.
 * Takes about twice as long as `planModel`.
 *
 * @throws As `planModel`.
 */
export function compareModel(host: ModelHost, profile: Profile, options: ModelPlanOptions): ModelComparison {
  const plan = planModel(host, profile, options);
  const given = resolve(profile, options);
  const { byLayers, byParameters } = usualCuts(host, given);
  const all = recomputable(given.layers);
  const measure = (cuts: readonly number[]) => measureSplit(host, given.layers, given, { cuts, recomputed: all });
  let cutsAlone: ModelPlan | undefined;
  try {
    cutsAlone = planModel(host, profile, { ...options, recompute: "full" });
  } catch (error) {
    if (!(error instanceof OptionError && error.code === "INFEASIBLE")) throw error;
  }
  return { byLayers: measure(byLayers), byParameters: measure(byParameters), cutsAlone, plan };
}

/** A split that no other beats in step time, memory and transfers at once. */
export interface ParetoPoint {
  /** Simulated time of a step, in milliseconds. */
  readonly stepMs: number;
  /** Bytes of the fullest device. */
  readonly bytes: number;
  /** Time of all transfers of one micro-batch in one direction, in milliseconds. */
  readonly transferMs: number;
  /** The split itself. */
  readonly split: Split;
}

/** How many bounds on memory to try. */
const MEMORY_LEVELS = 12;

/**
 * The Pareto front of step time, memory of the fullest device and time of transfers, by ascending step time: the plans
 * for tighter and tighter bounds on memory, those beaten in all three left out. Takes some 12 quick plans.
 *
 * @throws As `planModel`; OptionError INVALID_OPTION for interleaved stages.
 */
export function paretoSplits(host: ModelHost, profile: Profile, options: ModelPlanOptions): ParetoPoint[] {
  const given = resolve(profile, options);
  if (given.schedule === "interleaved") refuse("the list of splits is not for interleaved stages");
  const top = planModel(host, profile, options);
  const bottom = leastMemory(host, { ...given, memory: 1 }) ?? given.memory;
  const splits: Split[] = [top];
  for (let level = 0; level < MEMORY_LEVELS; level++) {
    const memory = Math.ceil(bottom + ((top.bytes - bottom) * level) / MEMORY_LEVELS);
    if (memory > given.memory) continue;
    try {
      splits.push(planModel(host, profile, { ...options, memory, effort: 0 }));
    } catch (error) {
      if (!(error instanceof OptionError && error.code === "INFEASIBLE")) throw error;
    }
  }
  const beats = (a: Split, b: Split) =>
    a.stepMs <= b.stepMs &&
    a.bytes <= b.bytes &&
    a.transferMs <= b.transferMs &&
    (a.stepMs < b.stepMs || a.bytes < b.bytes || a.transferMs < b.transferMs);
  const same = (a: Split, b: Split) => a.stepMs === b.stepMs && a.bytes === b.bytes && a.transferMs === b.transferMs;
  return splits
    .filter((split, i) => !splits.some((other, k) => beats(other, split) || (k < i && same(other, split))))
    .toSorted((a, b) => a.stepMs - b.stepMs || a.bytes - b.bytes)
    .map((split) => ({ stepMs: split.stepMs, bytes: split.bytes, transferMs: split.transferMs, split }));
}
