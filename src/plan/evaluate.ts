import { type Abi, allocate, BAD_UNIT, check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { InputError, OptionError, show } from "../core/errors.ts";
import { type LengthsInput, toVitTokens, type VitTokens } from "../core/lengths.ts";
import { type NamesOf, OWN, onlyNames, SEED, take } from "../core/options.ts";
import { ATTENTION, checkLists, Packing } from "../pack/packing.ts";
import { type GroupLoadsInput, type GroupPart, toParts } from "./group-loads.ts";
import { GroupsIdentity, type GroupsMade } from "./made.ts";
import { SAMPLER_KINDS } from "./sampler-kinds.ts";
import { beginUnits, EPOCH, makePlan, PLAN_OPTIONS, type PlanOptions, resolvePlan, samplerSpecs } from "./samplers.ts";

/** Which sampler and which of its epochs to measure. */
export interface EvaluateOptions extends Omit<PlanOptions, "kind" | "seed"> {
  /**
   * 0 .. 2^32 - 1. Default: 1024, as `plan` has it; with `compat` what the published sampler has, 0, of length-group 233.
   * To measure the very order of a sampler, give its seed.
   */
  readonly seed?: number;
  /** Default: `random`. */
  readonly sampler?: PlanOptions["kind"];
  /** The epoch to measure, 0 .. 2^32 - 1. Default: 0. */
  readonly epoch?: number;
  /** The samples' lengths, of one packing that has no `attention`: for attentionDist. Ignored otherwise. */
  readonly lengths?: LengthsInput;
}

/** Its own options, beside `sampler` and those of samplers. */
export const EVALUATE_OPTIONS = { ...PLAN_OPTIONS, seed: SEED, epoch: EPOCH, lengths: OWN } as const;

function evaluateOptions(): NamesOf<EvaluateOptions, unknown> {
  return { sampler: true, ...EVALUATE_OPTIONS, ...samplerSpecs() };
}

/** How even the ranks' loads are over one epoch. Ratios are 0 .. 1, 0 is perfect; all 0 when there is no step. */
export interface Evaluation {
  /**
   * Padding over all tokens computed on: a micro-batch is padded to its longest unit, a team's groups to the longest.
   */
  readonly pad: number;
  /** Mean over steps of sum over ranks (most - own) / (ranks x most), of tiles. */
  readonly vitDist: number;
  /** The same for tokens, where a rank has as many as the longest unit of its micro-batch. */
  readonly tokenDist: number;
  /** The same for sums of tokens^2 over samples, the cost of attention; null if the packing has no such sums. */
  readonly attentionDist: number | null;
  /** Steps of the epoch, the same for every rank. */
  readonly steps: number;
  /** How many groups there are. */
  readonly groups: number;
  /** Units (groups, or teams' groups with spSize) that no rank gets in this epoch. */
  readonly dropped: number;
  /** Units handed out a second time. */
  readonly repeated: number;
}

/** An order of groups to measure, such as a `Plan`, or one from elsewhere. */
export interface PlanOrder {
  /** Data-parallel ranks, 1 .. 2^31 - 1. */
  readonly ranks: number;
  /** Units that a rank is handed at a step. */
  readonly microBatch: number;
  /** Groups of a unit, 1 without sequence parallelism; then each unit is one of `spGroups`. */
  readonly spSize: number;
  /** int32[steps][ranks][microBatch][spSize]: groups, -1 for an empty place. */
  readonly order: Int32Array;
  /** The groups it is for, if known: others are refused. */
  readonly made?: GroupsMade | undefined;
}

/** The sums of groups that come from a file. */
export interface GroupSums {
  readonly vit: Int32Array;
  readonly tokens: Int32Array;
  readonly attention: Float64Array;
}

/**
 * Sums of tiles, tokens and tokens^2 per group, computed in the core. `offsets` and `indices` must have been checked: the
 * core reads where they point. What it allocates is the caller's to release.
 */
export function groupSums(abi: Abi, offsets: Int32Array, indices: Int32Array, lengths: VitTokens): GroupSums {
  const n = lengths.vit.length;
  const groups = offsets.length - 1;
  const room = (values: Int32Array) => allocate(abi, values.length * 4, n);
  const at = { vit: room(lengths.vit), tokens: room(lengths.tokens), order: room(indices), offsets: room(offsets) };
  const sumsAt = allocate(abi, groups * 8, n);
  const { buffer } = abi.memory;
  new Int32Array(buffer, at.vit, n).set(lengths.vit);
  new Int32Array(buffer, at.tokens, n).set(lengths.tokens);
  new Int32Array(buffer, at.order, indices.length).set(indices);
  new Int32Array(buffer, at.offsets, offsets.length).set(offsets);
  abi.groupSums(at.vit, at.order, at.offsets, groups, sumsAt);
  const vit = new Int32Array(buffer, sumsAt, groups).slice();
  abi.groupSums(at.tokens, at.order, at.offsets, groups, sumsAt);
  const tokens = new Int32Array(buffer, sumsAt, groups).slice();
  abi.groupAttention(at.tokens, at.order, at.offsets, groups, sumsAt);
  return { vit, tokens, attention: new Float64Array(buffer, sumsAt, groups).slice() };
}

/** Sums of tokens^2 per group, computed in the core; lengths that are not those of the packing are refused. */
export function groupAttention(abi: Abi, packing: Packing, input: LengthsInput): Float64Array {
  const lengths = toVitTokens(input);
  const { tokens } = lengths;
  const { indices, offsets } = packing;
  const last = indices.reduce((most, i) => Math.max(most, i), -1);
  if (last >= tokens.length) {
    throw new InputError("LENGTH_MISMATCH", `the packing holds sample ${last}, there are ${tokens.length} lengths`);
  }
  checkLists(packing);
  const low = indices.find((i) => i < 0);
  if (low !== undefined) {
    throw new InputError("INVALID_INPUT", `packing: a sample is ${low}, expected a whole number from 0 on`);
  }
  const sums = groupSums(abi, offsets, indices, lengths);
  for (const load of ["vit", "tokens"] as const) {
    const other = packing[load].findIndex((sum, g) => sum !== sums[load][g]);
    if (other === -1) continue;
    throw new InputError(
      "LENGTH_MISMATCH",
      `the lengths are not those of the packing: group ${other} has ${sums[load][other]} ${load} by them, not ${packing[load][other]}`,
    );
  }
  return sums.attention;
}

/** The body of `Omnibal.evaluate`. */
export function evaluate(core: Core, packings: GroupLoadsInput, options: EvaluateOptions): Evaluation {
  onlyNames("evaluate", options, evaluateOptions());
  return core.exclusive(() => {
    let parts = toParts(packings);
    const { lengths } = options;
    if (lengths !== undefined) {
      const [part] = parts;
      if (parts.length !== 1 || !(part instanceof Packing)) {
        throw new OptionError("INVALID_OPTION", `lengths are for one packing, there are ${parts.length} sources`);
      }
      const attention = part.attention ?? groupAttention(core.abi, part, lengths);
      const { length, loads, vit, tokens } = part;
      parts = [{ length, loads: { ...loads, [ATTENTION]: attention }, vit, tokens, attention }];
    }
    return evaluateParts(core.abi, parts, options);
  });
}

/** The body of `Omnibal.evaluatePlan`. */
export function evaluatePlan(core: Core, packings: GroupLoadsInput, plan: PlanOrder): Evaluation {
  const parts = toParts(packings);
  return core.exclusive(() => evaluateOrder(core.abi, parts, plan));
}

function evaluateParts(abi: Abi, parts: readonly GroupPart[], options: EvaluateOptions): Evaluation {
  const kind = options.sampler ?? SAMPLER_KINDS[0];
  const plan = resolvePlan(
    options.compat === undefined ? { ...options, kind, seed: options.seed ?? SEED.default } : { ...options, kind },
  );
  const epoch = take(EVALUATE_OPTIONS, "epoch", options);
  beginUnits(abi, parts, plan.spSize);
  makePlan(abi, plan, epoch, 0);
  return measure(abi, parts, plan);
}

/** Has the core measure its plan, and takes the figures that every report has. */
export function takeFigures(abi: Abi, ranks: number, microBatch: number) {
  abi.evaluatePlan(ranks, microBatch);
  return {
    steps: abi.planSteps(),
    dropped: abi.planDropped(),
    repeated: abi.planRepeated(),
    pad: abi.planPad(),
    vitDist: abi.planDist(0),
    tokenDist: abi.planDist(1),
    attentionDist: abi.planDist(2),
  };
}

/** Measures the core's plan. */
function measure(
  abi: Abi,
  parts: readonly GroupPart[],
  plan: { readonly ranks: number; readonly microBatch: number; readonly compat?: "reference" | undefined },
): Evaluation {
  const { pad, vitDist, tokenDist, attentionDist, steps, dropped, repeated } = takeFigures(
    abi,
    plan.ranks,
    plan.microBatch,
  );
  return {
    pad: plan.compat === undefined ? pad : abi.planOuterPad(),
    vitDist,
    tokenDist,
    attentionDist: parts.every((part) => part.attention !== undefined) ? attentionDist : null,
    steps,
    groups: parts.reduce((sum, part) => sum + part.length, 0),
    dropped,
    repeated,
  };
}

function evaluateOrder(abi: Abi, parts: readonly GroupPart[], plan: PlanOrder): Evaluation {
  const { ranks, microBatch, spSize } = resolvePlan({
    kind: "random",
    ranks: plan.ranks,
    microBatch: plan.microBatch,
    spSize: plan.spSize,
  });
  const { order } = plan;
  const stepSize = ranks * microBatch * spSize;
  if (!(order instanceof Int32Array) || order.length % stepSize !== 0) {
    const seen = order instanceof Int32Array ? `${order.length} places` : show(order);
    throw new InputError("INVALID_INPUT", `the order is ${seen}, expected an Int32Array of whole steps of ${stepSize}`);
  }
  const { made } = plan;
  const other = made === undefined ? undefined : new GroupsIdentity(abi, parts).differs(made);
  if (other !== undefined) {
    throw new InputError(
      "INVALID_INPUT",
      `the plan was made for other groups: ${other.name} ${other.made}, these have ${other.own}`,
    );
  }
  beginUnits(abi, parts, spSize);
  const units = spSize === 1 ? order : toUnits(abi, order, spSize, ranks * microBatch);
  const at = allocate(abi, units.length * 4, units.length);
  new Int32Array(abi.memory.buffer, at, units.length).set(units);
  const status = abi.planTake(at, units.length, ranks, microBatch);
  if (status === BAD_UNIT) {
    const place = abi.errorIndex();
    throw new InputError(
      "INVALID_INPUT",
      `${placeText(place, ranks, microBatch)}: group ${units[place]}, there are ${abi.unitCount()}`,
    );
  }
  check(abi, status, units.length, () => undefined);
  return measure(abi, parts, { ranks, microBatch });
}

function placeText(place: number, ranks: number, microBatch: number): string {
  return `step ${Math.floor(place / (ranks * microBatch))}, rank ${Math.floor(place / microBatch) % ranks}`;
}

/** Units by the groups they consist of. Sequence-parallel ones must be those that the core builds. */
function toUnits(abi: Abi, order: Int32Array, spSize: number, unitsPerStep: number): Int32Array {
  const count = abi.unitCount();
  const members = new Int32Array(abi.memory.buffer, abi.unitGroups() >>> 0, count * spSize);
  const known = new Map<string, number>([[new Int32Array(spSize).fill(-1).join(), -1]]);
  for (let u = 0; u < count; u++) known.set(members.subarray(u * spSize, (u + 1) * spSize).join(), u);
  return Int32Array.from({ length: order.length / spSize }, (_, place) => {
    const groups = order.subarray(place * spSize, (place + 1) * spSize).join();
    const unit = known.get(groups);
    if (unit !== undefined) return unit;
    throw new InputError(
      "INVALID_INPUT",
      `step ${Math.floor(place / unitsPerStep)}: groups ${groups} are not a sequence-parallel team of these groups`,
    );
  });
}
