import type { Abi } from "./abi.ts";
import { InputError } from "./errors.ts";
import { type LengthsInput, toLengths } from "./lengths.ts";
import { integer, MAX_UINT32 } from "./options.ts";
import type { Packing } from "./packing.ts";
import { allocate, beginUnits, type GroupLoads, makePlan, type PlanOptions, resolvePlan } from "./samplers.ts";

export interface EvaluateOptions extends Omit<PlanOptions, "kind"> {
  /** Default: `random`. */
  readonly sampler?: PlanOptions["kind"];
  /** The epoch to measure, 0 .. 2^32 - 1. Default: 0. */
  readonly epoch?: number;
  /** The samples' lengths, of one packing that has no `attention`: for attentionDist. Not looked at otherwise. */
  readonly lengths?: LengthsInput;
}

/** How even the ranks' loads are over one epoch. Ratios are 0 .. 1, 0 is perfect; all 0 when there is no step. */
export interface Evaluation {
  /** Padding tokens over tokens computed on: a micro batch is padded to its longest unit, an sp group to its longest group. */
  readonly pad: number;
  /** Mean over steps of sum over ranks (most - own) / (ranks x most), of tiles. */
  readonly vitDist: number;
  /** The same of tokens; a rank's are those of the longest unit of its micro batch. */
  readonly tokenDist: number;
  /** The same of sums of tokens^2 over samples, which attention costs; null when the packing has no such sums. */
  readonly attentionDist: number | null;
  /** Steps of the epoch, the same for every rank. */
  readonly steps: number;
  /** Groups there are. */
  readonly groups: number;
  /** Units (groups, with spSize sp groups) no rank is handed in this epoch. */
  readonly dropped: number;
  /** Units handed out a second time. */
  readonly repeated: number;
}

/** Sums of tokens^2 per group, computed in the core. */
export function groupAttention(abi: Abi, packing: Packing, input: LengthsInput): Float64Array {
  const { tokens } = toLengths(input);
  const { indices, offsets, length } = packing;
  const last = indices.reduce((most, i) => Math.max(most, i), -1);
  if (last >= tokens.length) {
    throw new InputError("LENGTH_MISMATCH", `the packing holds sample ${last}, there are ${tokens.length} lengths`);
  }
  // The core reads where these point: a packing from elsewhere must not send it out of its arrays.
  const low = indices.find((i) => i < 0);
  const bad = offsets.findIndex((at, g) => at < (g === 0 ? 0 : offsets[g - 1]) || at > indices.length);
  if (low !== undefined || bad !== -1) {
    const what = low === undefined ? `offset ${bad} is ${offsets[bad]}` : `a sample is ${low}`;
    throw new InputError(
      "INVALID_INPUT",
      `${what}: expected rising offsets up to ${indices.length} and samples from 0 on`,
    );
  }
  const n = tokens.length;
  const tokensAt = allocate(abi, n * 4, n);
  const orderAt = allocate(abi, indices.length * 4, n);
  const offsetsAt = allocate(abi, offsets.length * 4, n);
  const out = allocate(abi, length * 8, n);
  const { buffer } = abi.memory;
  new Int32Array(buffer, tokensAt, n).set(tokens);
  new Int32Array(buffer, orderAt, indices.length).set(indices);
  new Int32Array(buffer, offsetsAt, offsets.length).set(offsets);
  abi.groupAttention(tokensAt, orderAt, offsetsAt, length, out);
  return new Float64Array(buffer, out, length).slice();
}

/** The body of `Omnibal.evaluate`; the arena is the caller's to release. */
export function evaluateParts(abi: Abi, parts: readonly GroupLoads[], options: EvaluateOptions): Evaluation {
  const plan = resolvePlan({ ...options, kind: options.sampler ?? "random" });
  const epoch = integer("epoch", options.epoch ?? 0, 0, MAX_UINT32);
  beginUnits(abi, parts, plan.spSize);
  makePlan(abi, plan, epoch, 0);
  abi.evaluatePlan(plan.ranks, plan.microBatch);
  return {
    pad: plan.compat === undefined ? abi.planPad() : abi.planOuterPad(),
    vitDist: abi.planVitDist(),
    tokenDist: abi.planTokenDist(),
    attentionDist: parts.every((part) => part.attention !== undefined) ? abi.planAttentionDist() : null,
    steps: abi.planSteps(),
    groups: parts.reduce((sum, part) => sum + part.length, 0),
    dropped: abi.planDropped(),
    repeated: abi.planRepeated(),
  };
}
