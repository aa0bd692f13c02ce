// What a trainer is handed. If it cannot express the plan, the model is planned again within its limits, and the cost
// is reported.
import type { ModelHost } from "../core.ts";
import { type ModelPlan, type ModelPlanOptions, planByRule, recomputable } from "../plan.ts";
import { type Profile, profileLoads, toCoreLayers } from "../profile.ts";
import type { Split } from "../split.ts";

/** A plan to hand over, with all that is needed to plan again within a trainer's limits. */
export interface HandoverInput {
  /** An instance to plan with. */
  readonly host: ModelHost;
  /** The profile that `plan` was made from. */
  readonly profile: Profile;
  /** The options that `plan` was made with. */
  readonly options: ModelPlanOptions;
  /** The plan, free of any trainer's limits. */
  readonly plan: ModelPlan;
}

/** A plan in a trainer's own words. */
export interface Handover {
  /** Flags, YAML, Python or JSON, ready to paste. Empty if the trainer cannot run such a pipeline; `notes` say why. */
  readonly text: string;
  /** What the trainer cannot express and what that costs, and what it needs besides: a sentence each. */
  readonly notes: readonly string[];
  /** The split that the text gives, where it is planned within the trainer's limits. */
  readonly split?: Split;
}

/**
 * A training framework that plans can be handed to. A new one is a file in src/model/trainers and a line in its index.
 */
export interface Trainer {
  /** What `--trainer` calls it. */
  readonly name: string;
  /** A line for help: the framework, and what is written for it. */
  readonly about: string;
  /** Writes the configuration. Plans again, quickly, where the trainer is more limited than the plan. */
  write(input: HandoverInput): Handover;
}

/** Where in a model the layers are that trainers treat alike. */
export interface Roles {
  /** First layer of the decoder, and the one after its last. */
  readonly firstDecoder: number;
  readonly endDecoder: number;
  /** Whether anything but an embedding comes before the decoder. */
  readonly hasEncoder: boolean;
}

/** Undefined if there are no layers of type `decoder`, or if they do not follow one another. */
export function rolesOf({ layers }: Profile): Roles | undefined {
  const first = layers.findIndex(({ type }) => type === "decoder");
  const last = layers.findLastIndex(({ type }) => type === "decoder");
  if (first === -1 || layers.slice(first, last).some(({ type }) => type !== "decoder")) return undefined;
  const hasEncoder = layers.slice(0, first).some(({ type }) => type !== "embedding");
  return { firstDecoder: first, endDecoder: last + 1, hasEncoder };
}

export const NO_DECODER =
  "the profile has no layers of type decoder in one piece: it does not say which of them the trainer counts";

/** Options that keep everything before the decoder in the first stage, and everything after it in the last. */
export function aroundDecoder(input: HandoverInput, { firstDecoder, endDecoder }: Roles): ModelPlanOptions {
  const after = input.profile.layers.length - endDecoder;
  return { ...input.options, firstLeast: Math.max(1, firstDecoder), lastLeast: Math.max(1, after) };
}

/** How much longer a step is than planned, such as "4.2 % longer". */
export function longer(split: Split, plan: Split): string {
  const share = (split.stepMs / plan.stepMs - 1) * 100;
  return share < 0.05 ? "no longer" : `${share.toFixed(1)} % longer`;
}

export function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

/** A count with its noun, such as "3 decoder layers". */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** The best of several rules for what to recompute, tried one after another. */
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

/** Per layer, 1 if recomputing it frees memory. */
export function recomputableLayers({ profile, options }: HandoverInput): Uint8Array {
  return recomputable(toCoreLayers(profile, options.loads ?? profileLoads(profile)));
}

/** The two rules of trainers that recompute every layer or none. */
export function allOrNothing(
  input: HandoverInput,
): (readonly [rule: "all" | "none", kinds: Uint8Array, count: number])[] {
  const all = recomputableLayers(input);
  return [
    ["none", new Uint8Array(all.length), 0],
    ["all", all, 0],
  ];
}

/** Whether two splits have the same cuts and recompute the same layers. */
export function isSame(a: Split, b: Split): boolean {
  const text = ({ cuts, stages }: Split) => JSON.stringify([cuts, stages.map(({ recomputed }) => recomputed)]);
  return text(a) === text(b);
}
