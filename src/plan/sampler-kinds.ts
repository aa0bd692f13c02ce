import type { ChoiceSpec } from "../core/options.ts";
import { groupRandom } from "./group-random.ts";
import { lengthGroup } from "./length-group.ts";
import { random } from "./random.ts";
import type { Sampler } from "./sampler.ts";

/** The samplers; the first is the default of `evaluate`. A new one is a file beside this one and a line here. */
const SAMPLERS = [random, lengthGroup, groupRandom] as const satisfies readonly Sampler[];

/**
 * - `random`: all groups in random order, cut into steps.
 * - `length-group`: windows of steps sorted by tokens, each step dealt to the ranks so that their sums are even.
 * - `group-random`: every step from one source and of similar lengths, the steps in random order.
 */
export type SamplerKind = (typeof SAMPLERS)[number]["name"];

/** The names of the samplers, the default first. */
export const SAMPLER_KINDS: readonly SamplerKind[] = SAMPLERS.map(({ name }) => name);

/** The samplers as what they have in common. */
export const samplers: readonly Sampler[] = SAMPLERS;

/** The option that names one. */
export function kindSpec(): ChoiceSpec & { readonly names: readonly SamplerKind[] } {
  return { kind: "choice", names: SAMPLERS.map(({ name }) => name), argument: "SAMPLER" };
}
