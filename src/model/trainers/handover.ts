// What a trainer is handed, and what it cannot be told: that is planned again within its limits, and its cost said.
import type { ModelHost } from "../core.ts";
import { type ModelPlan, type ModelPlanOptions, planByRule, recomputable } from "../plan.ts";
import { type Profile, profileLoads, toCoreLayers } from "../profile.ts";
import type { Split } from "../split.ts";

/** What a hand-over is made of. */
export interface HandoverInput {
  readonly host: ModelHost;
  readonly profile: Profile;
  readonly options: ModelPlanOptions;
  /** The plan without a trainer's limits. */
  readonly plan: ModelPlan;
}

export interface Handover {
  /** Ready to paste. Empty if the trainer cannot do it. */
  readonly text: string;
  /** What it cannot be told, and what that costs, a sentence each. */
  readonly notes: readonly string[];
  /** What the text amounts to, if that is another split than the plan. */
  readonly split?: Split;
}

export interface Trainer {
  readonly name: string;
  readonly about: string;
  write(input: HandoverInput): Handover;
}

/** Where the layers of a model are that trainers treat alike. */
export interface Roles {
  /** First layer of the decoder, and the one after its last. */
  readonly firstDecoder: number;
  readonly endDecoder: number;
  /** Whether anything stands before the decoder but an embedding. */
  readonly hasEncoder: boolean;
}

/** Undefined when there are no layers of type `decoder`, or not in one piece. */
export function rolesOf({ layers }: Profile): Roles | undefined {
  const first = layers.findIndex(({ type }) => type === "decoder");
  const last = layers.findLastIndex(({ type }) => type === "decoder");
  if (first === -1 || layers.slice(first, last).some(({ type }) => type !== "decoder")) return undefined;
  const hasEncoder = layers.slice(0, first).some(({ type }) => type !== "embedding");
  return { firstDecoder: first, endDecoder: last + 1, hasEncoder };
}

export const NO_DECODER =
  "the profile has no layers of type decoder in one piece: which of them the trainer counts cannot be told";

/** Options that keep all before the decoder in the first stage, and all after it in the last. */
export function aroundDecoder(input: HandoverInput, { firstDecoder, endDecoder }: Roles): ModelPlanOptions {
  const after = input.profile.layers.length - endDecoder;
  return { ...input.options, firstLeast: Math.max(1, firstDecoder), lastLeast: Math.max(1, after) };
}

/** How much longer a step is than planned: "4.2 % longer". */
export function longer(split: Split, plan: Split): string {
  const share = (split.stepMs / plan.stepMs - 1) * 100;
  return share < 0.05 ? "no longer" : `${share.toFixed(1)} % longer`;
}

export function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

/** Layers a to b as people count them: "3 decoder layers". */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** The best of several rules for what is recomputed, tried one after another. */
export function bestByRule<T>(
  input: HandoverInput,
  options: ModelPlanOptions,
  rules: Iterable<readonly [rule: T, kinds: ArrayLike<number>, count: number]>,
): { readonly rule: T; readonly plan: ModelPlan } | undefined {
  let best: { readonly rule: T; readonly plan: ModelPlan } | undefined;
  for (const [rule, kinds, count] of rules) {
    const plan = planByRule(input.host, input.profile, { ...options, effort: 0 }, { kinds, count });
    if (plan !== undefined && plan.stepMs < (best?.plan.stepMs ?? Number.POSITIVE_INFINITY)) best = { rule, plan };
  }
  return best;
}

/** Which layers free memory when they are recomputed. */
export function recomputableLayers({ profile, options }: HandoverInput): Uint8Array {
  return recomputable(toCoreLayers(profile, options.loads ?? profileLoads(profile)));
}

/** All that can be recomputed, or nothing. */
export function allOrNothing(
  input: HandoverInput,
): (readonly [rule: "all" | "none", kinds: Uint8Array, count: number])[] {
  const all = recomputableLayers(input);
  return [
    ["none", new Uint8Array(all.length), 0],
    ["all", all, 0],
  ];
}

/** Whether two splits are the same: cuts, and what is recomputed. */
export function isSame(a: Split, b: Split): boolean {
  const text = ({ cuts, stages }: Split) => JSON.stringify([cuts, stages.map(({ recomputed }) => recomputed)]);
  return text(a) === text(b);
}
