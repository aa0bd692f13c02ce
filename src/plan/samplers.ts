import { type Abi, allocate, BAD_ARGUMENT, BAD_LOAD, check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { InputError, OptionError, show } from "../core/errors.ts";
import { invalidLength } from "../core/lengths.ts";
import {
  integer,
  MAX_INT32,
  MAX_UINT32,
  type NamesOf,
  onlyNames,
  type Spec,
  type Specs,
  take,
} from "../core/options.ts";
import { type GroupLoads, type GroupLoadsInput, type GroupPart, toParts, type VitTokenGroups } from "./group-loads.ts";
import { GroupsIdentity, type GroupsMade } from "./made.ts";
import type { ResolvedPlan, Sampler } from "./sampler.ts";
import { kindSpec, type SamplerKind, samplers } from "./sampler-kinds.ts";

/** What the plan of an epoch depends on, besides the groups. */
export interface PlanOptions {
  /** Which sampler. */
  readonly kind: SamplerKind;
  /** Data-parallel ranks, 1 .. 2^31 - 1. With spSize, a rank is a team of spSize devices. */
  readonly ranks: number;
  /** Units per rank and step, 1 .. 2^31 - 1. Default: 1. */
  readonly microBatch?: number;
  /** Groups that a sequence-parallel team works on together; 1: none. Default: 1. */
  readonly spSize?: number;
  /** 0 .. 2^32 - 1. Each epoch draws with seed + epoch, mod 2^32. Default: 0, or 233 for length-group. */
  readonly seed?: number;
  /**
   * What becomes of units that do not fill a step (for group-random: a step of their source): `repeat` fills it with
   * units that this epoch has handed out already, `drop` leaves them out of this epoch. They differ from epoch to
   * epoch. Default: `repeat`.
   */
  readonly tail?: "repeat" | "drop";
  /** group-random: lengths are similar if tokens / binSize, rounded down, are equal. 1 .. 2^31 - 1. Default: 512. */
  readonly binSize?: number;
  /** length-group: steps in which units are sorted together, 1 .. 2^31 - 1. Default: 50. */
  readonly window?: number;
  /**
   * `reference`: the published samplers with their faults (blocks per rank, one order for all epochs, offsets that are
   * not cumulative, ...), to compare with, or to resume a run begun with them. `tail` and `window` do nothing then.
   */
  readonly compat?: "reference";
}

const POSITIVE = { kind: "integer", low: 1, high: MAX_INT32 } as const satisfies Spec;

/** What ranks get at each step: options of every plan. */
export const SHAPE = {
  ranks: { ...POSITIVE, about: "data-parallel ranks" },
  microBatch: { ...POSITIVE, default: 1, about: "groups per rank and step" },
  spSize: { ...POSITIVE, default: 1, usual: "1: none", about: "devices of a sequence-parallel rank" },
} as const;

/** The epoch that is planned or measured. */
export const EPOCH = { kind: "integer", low: 0, high: MAX_UINT32, default: 0 } as const satisfies Spec;

/** The options of every sampler but `kind` and those that a new sampler brings. */
export const PLAN_OPTIONS = {
  ...SHAPE,
  // The default is the sampler's own.
  seed: { kind: "integer", low: 0, high: MAX_UINT32 },
  tail: {
    kind: "choice",
    names: ["repeat", "drop"],
    default: "repeat",
    argument: "RULE",
    about: "groups that do not fill a step: repeat others, or drop them",
  },
  // Of one sampler each, but every state has them: format 2.
  binSize: { ...POSITIVE, default: 512 },
  window: { ...POSITIVE, default: 50 },
  compat: { kind: "choice", names: ["reference"] },
} as const satisfies NamesOf<Omit<PlanOptions, "kind">, Spec>;

/** The options of single samplers. */
export function samplerSpecs(): Specs {
  return Object.assign({}, ...samplers.map(({ options }) => options));
}

/** Which sampler, for which rank, and where it starts. */
export interface SamplerOptions extends PlanOptions {
  /** Whose share to hand out, 0 .. ranks - 1. */
  readonly rank: number;
  /** Where to start: 0 .. 2^32 - 1. Default: 0. */
  readonly epoch?: number;
  /** How many steps of that epoch are done, 0 .. its steps. Default: 0. */
  readonly step?: number;
}

const POSITION = { rank: true, epoch: EPOCH, step: true } as const;

function samplerOptions(): NamesOf<SamplerOptions, unknown> {
  return { kind: kindSpec(), ...PLAN_OPTIONS, ...POSITION, ...samplerSpecs() };
}

/** Where a sampler is, for a checkpoint: plain JSON. */
export interface SamplerState {
  /** Version of the state. */
  readonly version: 2;
  /** The epoch of the next batch. */
  readonly epoch: number;
  /** Steps of that epoch that were handed out. */
  readonly step: number;
  /** What the order depends on: a state is refused unless all of it is the same. */
  readonly plan: Omit<ResolvedPlan, "compat"> & { readonly compat: "reference" | null } & GroupsMade;
}

/** The packed groups of each sequence-parallel team of `spSize` devices, which work on them together. */
export interface SpGroups {
  /** How many teams there are. */
  readonly length: number;
  /** Devices of a team. */
  readonly spSize: number;
  /** int32[length * spSize]: the groups of each team, by ascending (tokens, index). */
  readonly groups: Int32Array;
  /** float64[length]: the sum of their tokens. */
  readonly tokens: Float64Array;
  /** How many places at the end repeat a group, and add no samples. */
  readonly repeated: number;
  /** Mean over all places of (most tiles - own) / most tiles in their team. */
  readonly vitDist: number;
  /** The same of tokens. */
  readonly tokenDist: number;
  /** Padding over all tokens computed on, if every group is padded to the longest of its team. */
  readonly pad: number;
}

export function resolvePlan(options: PlanOptions): ResolvedPlan {
  const kind = take({ kind: kindSpec() }, "kind", options);
  const sampler = samplerOf(kind);
  const ranks = take(SHAPE, "ranks", options);
  const microBatch = take(SHAPE, "microBatch", options);
  if (ranks * microBatch > MAX_INT32) {
    throw new OptionError(
      "INVALID_OPTION",
      `ranks x microBatch is ${ranks * microBatch}, expected at most ${MAX_INT32}`,
    );
  }
  const own: Readonly<Record<string, unknown>> = { ...options };
  const extra = Object.keys(sampler.options).map((name) => [name, take(sampler.options as Specs, name as never, own)]);
  return {
    kind,
    ranks,
    microBatch,
    spSize: take(SHAPE, "spSize", options),
    seed: take(PLAN_OPTIONS, "seed", options, sampler.seed),
    tail: take(PLAN_OPTIONS, "tail", options),
    binSize: take(PLAN_OPTIONS, "binSize", options),
    window: take(PLAN_OPTIONS, "window", options),
    compat: options.compat === undefined ? undefined : take(PLAN_OPTIONS, "compat", options),
    ...Object.fromEntries(extra),
  };
}

function samplerOf(kind: string): Sampler {
  return samplers.find(({ name }) => name === kind) as Sampler;
}

/** The loads of a group that the core evens out and measures, in its order, and what each is to it. */
export const GROUP_LOADS = [
  { name: "vit", kind: 2 },
  { name: "tokens", kind: 1 },
  { name: "attention", kind: 0 },
] as const;

/** Builds the core's units. What it allocates is the caller's to release. */
export function beginUnits(abi: Abi, parts: readonly GroupPart[], spSize: number): void {
  const groups = parts.reduce((sum, part) => sum + part.length, 0);
  const k = GROUP_LOADS.length;
  const values = allocate(abi, groups * k * 8, groups);
  const columns = allocate(abi, k * 4, groups);
  const kinds = allocate(abi, k, groups);
  const sizes = allocate(abi, parts.length * 4, groups);
  const { buffer } = abi.memory;
  new Uint32Array(buffer, sizes, parts.length).set(parts.map((part) => part.length));
  new Uint32Array(buffer, columns, k).set(GROUP_LOADS.map((_, j) => values + j * groups * 8));
  new Uint8Array(buffer, kinds, k).set(GROUP_LOADS.map(({ kind }) => kind));
  for (const [j, { name }] of GROUP_LOADS.entries()) {
    const column = new Float64Array(buffer, values + j * groups * 8, groups);
    let at = 0;
    for (const part of parts) {
      const own = part[name];
      if (own === undefined) column.fill(0, at, at + part.length);
      else column.set(own, at);
      at += part.length;
    }
  }
  const status = abi.unitsBegin(columns, kinds, k, sizes, parts.length, spSize);
  if (status === BAD_LOAD) {
    const [bad, load] = [abi.errorIndex(), abi.errorLoad()];
    const seen = new Float64Array(abi.memory.buffer, values + load * groups * 8, groups)[bad];
    const { name } = GROUP_LOADS[load];
    if (name !== "attention") throw invalidLength(name, bad, seen, MAX_INT32);
    throw new InputError("INVALID_LENGTH", `index ${bad}: attention is ${seen}, expected a number from 0 to 2^62`);
  }
  if (status === BAD_ARGUMENT) {
    throw new OptionError(
      "INVALID_OPTION",
      `spSize is ${spSize}: ${groups} groups and their repeats exceed ${MAX_INT32}`,
    );
  }
  check(abi, status, groups, () => undefined);
}

/**
 * Makes the plan of an epoch over the units that `beginUnits` left. Returns the step it starts with: 0, or `from` where
 * the published sampler sorts only what a resumed run has left.
 */
export function makePlan(abi: Abi, plan: ResolvedPlan, epoch: number, from: number): number {
  const { kind, ranks, microBatch, compat } = plan;
  const { draw, published } = samplerOf(kind);
  if (compat !== undefined && published === undefined) {
    throw new OptionError("INVALID_OPTION", `compat is "${compat}", but there is no published ${kind} sampler`);
  }
  const first = compat !== undefined && published?.resumes === true ? from : 0;
  const status =
    compat !== undefined && published !== undefined
      ? published.draw(abi, plan, epoch, from)
      : draw(abi, plan, (plan.seed + epoch) | 0);
  if (status === BAD_ARGUMENT) {
    const units = abi.unitCount();
    throw new OptionError(
      "INVALID_OPTION",
      compat === undefined
        ? `${units} groups to draw from, expected at most 214748363`
        : `${units} groups, the published ${kind} sampler needs a step of ${ranks * microBatch} at least`,
    );
  }
  check(abi, status, abi.unitCount(), () => undefined);
  return first;
}

/** A value as JSON with sorted members, since whatever stores a state may reorder them. */
function canonical(value: unknown): string | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  try {
    return JSON.stringify(isObject ? Object.fromEntries(Object.entries(value).sort()) : value);
  } catch {
    // What JSON cannot express, or is nested too deep for it, is in no state of ours.
    return show(value);
  }
}

/** Throws unless a state was taken with these options, naming the first that differs. */
export function refuseOther(seen: unknown, own: object, owner: string): void {
  for (const [name, value] of Object.entries(own)) {
    const other = canonical((seen as Record<string, unknown> | undefined)?.[name]);
    if (other === canonical(value)) continue;
    throw new OptionError(
      "INVALID_OPTION",
      `state was taken with ${name} ${show(other)}, ${owner} has ${show(canonical(value))}`,
    );
  }
}

/** Throws unless a state was taken over these groups. */
export function refuseOtherGroups(seen: GroupsMade, own: GroupsIdentity, owner: string): void {
  const other = own.differs(seen);
  if (other === undefined) return;
  throw new OptionError(
    "INVALID_OPTION",
    `state was taken over other groups: ${other.name} ${other.made}, ${owner} has ${other.own}`,
  );
}

/** What one epoch of a sampler does with the groups. */
export interface EpochCounts {
  /** Steps of the whole epoch, the same for every rank. */
  readonly steps: number;
  /** Units (groups, or teams' groups with spSize) that no rank gets. */
  readonly dropped: number;
  /** Units handed out a second time to fill a step. */
  readonly repeated: number;
}

/** A rank's share of one epoch. */
export interface Share extends EpochCounts {
  /** int32[batches * microBatch]: its units from the first step asked for. */
  readonly units: Int32Array;
  /** The step that units[0] belongs to. */
  readonly from: number;
}

/** Computes a rank's share of an epoch, in the core. */
export type Draw = (epoch: number, from: number) => Share;

/** Copies a rank's column out of a plan, but for the `skip` steps at its start. */
function takeShare(abi: Abi, { ranks, microBatch }: ResolvedPlan, rank: number, from: number, skip: number): Share {
  const length = abi.planLength();
  const order = new Int32Array(abi.memory.buffer, abi.planOrder() >>> 0, length);
  const stepSize = ranks * microBatch;
  // Only the published length-group has a last step that reaches some ranks and not others.
  const first = skip * stepSize + rank * microBatch;
  const batches = Math.max(Math.floor((length - first - microBatch) / stepSize) + 1, 0);
  const units = new Int32Array(batches * microBatch);
  for (let b = 0; b < batches; b++) {
    const at = first + b * stepSize;
    units.set(order.subarray(at, at + microBatch), b * microBatch);
  }
  return { units, from, steps: abi.planSteps(), dropped: abi.planDropped(), repeated: abi.planRepeated() };
}

/**
 * One rank's batches: iterating hands out the rest of the current epoch, each batch int32[microBatch] of group indices
 * (with spSize >= 2 of sp groups), and then stands at the start of the next epoch. Groups of several sources are
 * numbered one source after another; `locate` says which is which. Every rank has the same number of steps.
 *
 * The order is a pure function of groups, options, seed and epoch: `state()` is two numbers and what they hold for.
 */
export class RankSampler implements Iterable<Int32Array> {
  /** Whose share it hands out, 0 .. ranks - 1. */
  readonly rank: number;
  /** What it was made with, defaults included. */
  readonly options: ResolvedPlan;
  /** Groups of each source. */
  readonly sizes: readonly number[];
  readonly #draw: Draw;
  readonly #groups: GroupsIdentity;
  readonly #sp: Int32Array | undefined;
  #epoch: number;
  #step: number;
  #share: Share | undefined;

  /** For `sampler`. */
  constructor(
    draw: Draw,
    groups: GroupsIdentity,
    options: ResolvedPlan,
    sizes: readonly number[],
    sp: Int32Array | undefined,
    position: { rank: number; epoch: number; step: number },
  ) {
    this.#draw = draw;
    this.#groups = groups;
    this.options = options;
    this.sizes = sizes;
    this.#sp = sp;
    this.rank = position.rank;
    this.#epoch = 0;
    this.#step = 0;
    this.seek(position.epoch, position.step);
  }

  /** The epoch of the next batch. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Steps of this epoch that were handed out. */
  get step(): number {
    return this.#step;
  }

  /** Steps, dropped and repeated units of the current epoch. */
  get counts(): EpochCounts {
    const { steps, dropped, repeated } = this.#current();
    return { steps, dropped, repeated };
  }

  /**
   * Goes to a step of an epoch. What follows is what an uninterrupted run would have handed out.
   *
   * @throws OptionError for an epoch out of 0 .. 2^32 - 1 or a step beyond the epoch's last.
   */
  seek(epoch: number, step = 0): void {
    integer("epoch", epoch, 0, MAX_UINT32);
    integer("step", step, 0, MAX_INT32);
    const share = this.#draw(epoch, step);
    if (this.options.compat === undefined) integer("step", step, 0, share.steps);
    this.#epoch = epoch;
    this.#step = step;
    this.#share = share;
  }

  /** Where it is now. The first call takes the fingerprint of the groups: O(samples), 3 ns each. */
  state(): SamplerState {
    return { version: 2, epoch: this.#epoch, step: this.#step, plan: { ...this.#plan(), ...this.#groups.made } };
  }

  /**
   * Goes to where `state` was taken, by this rank or another. A state of version 1 has no fingerprint: of its groups only
   * the number is compared.
   *
   * @throws OptionError when it was taken over other groups or with other options, naming the first that differs.
   */
  resume(state: SamplerState): void {
    const version: unknown = state?.version;
    if (version !== 1 && version !== 2) {
      throw new OptionError("INVALID_OPTION", `state has version ${show(version)}, expected 1 or 2`);
    }
    refuseOther(state.plan, { ...this.#plan(), groups: this.sizes }, "this sampler");
    if (version === 2) refuseOtherGroups(state.plan, this.#groups, "this sampler");
    this.seek(state.epoch, state.step);
  }

  #plan() {
    return { ...this.options, compat: this.options.compat ?? null };
  }

  #current(): Share {
    this.#share ??= this.#draw(this.#epoch, this.#step);
    return this.#share;
  }

  /** The batches that are left of the current epoch. */
  *[Symbol.iterator](): Generator<Int32Array, void, undefined> {
    const share = this.#current();
    const { microBatch } = this.options;
    const epoch = this.#epoch;
    // The position belongs to the sampler: a loop that is left and begun again goes on, and `seek` ends a loop.
    while (this.#share === share) {
      const at = (this.#step - share.from) * microBatch;
      if (at >= share.units.length) break;
      this.#step++;
      yield share.units.slice(at, at + microBatch);
    }
    if (this.#share !== share) return;
    this.#epoch = (epoch + 1) % 2 ** 32;
    this.#step = 0;
    this.#share = undefined;
  }

  /** The groups of a unit: itself, or the spSize groups of a team. */
  groups(unit: number): Int32Array {
    const { spSize } = this.options;
    const units = this.#sp === undefined ? this.sizes.reduce((a, b) => a + b, 0) : this.#sp.length / spSize;
    if (!Number.isInteger(unit) || unit < 0 || unit >= units) {
      throw new RangeError(`unit ${unit} asked for, there are ${units}`);
    }
    return this.#sp === undefined ? Int32Array.of(unit) : this.#sp.slice(unit * spSize, (unit + 1) * spSize);
  }

  /** Which source a group belongs to, and its index there. O(sources). */
  locate(group: number): { readonly part: number; readonly group: number } {
    let left = group;
    for (const [part, size] of this.sizes.entries()) {
      if (left >= 0 && left < size) return { part, group: left };
      left -= size;
    }
    throw new RangeError(`group ${group} asked for, there are ${group - left}`);
  }
}

/** Takes the units the core has built over one source apart into `SpGroups`. */
function takeSpGroups(abi: Abi, loads: GroupPart, spSize: number): SpGroups {
  const length = abi.unitCount();
  const groups = new Int32Array(abi.memory.buffer, abi.unitGroups() >>> 0, length * spSize).slice();
  const tokens = new Float64Array(length);
  let vitDist = 0;
  let tokenDist = 0;
  let computed = 0;
  let padding = 0;
  for (let u = 0; u < length; u++) {
    const own = groups.subarray(u * spSize, (u + 1) * spSize);
    const mostVit = own.reduce((most, g) => Math.max(most, loads.vit[g]), 0);
    const mostTokens = own.reduce((most, g) => Math.max(most, loads.tokens[g]), 0);
    for (const g of own) {
      tokens[u] += loads.tokens[g];
      vitDist += (mostVit - loads.vit[g]) / Math.max(mostVit, 1);
      tokenDist += (mostTokens - loads.tokens[g]) / Math.max(mostTokens, 1);
      padding += mostTokens - loads.tokens[g];
    }
    computed += mostTokens * spSize;
  }
  const places = Math.max(groups.length, 1);
  return {
    length,
    spSize,
    groups,
    tokens,
    repeated: abi.unitsRepeated(),
    vitDist: vitDist / places,
    tokenDist: tokenDist / places,
    pad: computed === 0 ? 0 : padding / computed,
  };
}

/** The body of `Omnibal.sampler`. */
export function sampler(core: Core, packings: GroupLoadsInput, options: SamplerOptions): RankSampler {
  onlyNames("sampler", options, samplerOptions());
  const { abi } = core;
  const parts = toParts(packings);
  const plan = resolvePlan(options);
  const rank = integer("rank", options.rank, 0, plan.ranks - 1);
  let sp: Int32Array | undefined;
  if (plan.spSize > 1) {
    sp = core.exclusive(() => {
      beginUnits(abi, parts, plan.spSize);
      return core.int32(abi.unitGroups(), abi.unitCount() * plan.spSize).slice();
    });
  }
  return new RankSampler(
    (epoch, from) =>
      core.exclusive(() => {
        beginUnits(abi, parts, plan.spSize);
        const first = makePlan(abi, plan, epoch, from);
        return takeShare(abi, plan, rank, from, from - first);
      }),
    new GroupsIdentity(abi, parts),
    plan,
    parts.map((part) => part.length),
    sp,
    { rank, epoch: options.epoch ?? 0, step: options.step ?? 0 },
  );
}

/** The body of `Omnibal.spGroups`. */
export function spGroups(core: Core, packing: GroupLoads | VitTokenGroups, spSize: number): SpGroups {
  const size = integer("spSize", spSize, 2, MAX_INT32);
  return core.exclusive(() => {
    const parts = toParts(packing);
    beginUnits(core.abi, parts, size);
    return takeSpGroups(core.abi, parts[0], size);
  });
}
