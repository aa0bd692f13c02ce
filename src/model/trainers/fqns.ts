// Trainers on torch.distributed.pipelining: a list of modules per part, and recomputation of all layers or none.
import type { Split } from "../split.ts";
import {
  allOrNothing,
  aroundDecoder,
  bestByRule,
  counted,
  type Handover,
  type HandoverInput,
  isSame,
  longer,
  milliseconds,
  NO_DECODER,
  type Roles,
  rolesOf,
} from "./handover.ts";

export interface Parts {
  readonly split: Split;
  readonly roles: Roles;
  /** Whether every layer is recomputed, or none. */
  readonly recompute: boolean;
  readonly notes: readonly string[];
}

/** The best split with the encoder in the first part and all layers recomputed or none, or why there is none. */
export function planParts(input: HandoverInput): Parts | Handover {
  const { profile, plan } = input;
  const roles = rolesOf(profile);
  if (roles === undefined) return { text: "", notes: [NO_DECODER] };
  const best = bestByRule(input, aroundDecoder(input, roles), allOrNothing(input));
  if (best === undefined) {
    const where = roles.hasEncoder ? " with the encoder in the first part" : "";
    return { text: "", notes: [`nothing fits${where}, whether all layers are recomputed or none`] };
  }
  const own = best.plan;
  const notes: string[] = [];
  if (roles.hasEncoder) {
    const kept = Math.max(0, own.stages[0].end - roles.firstDecoder);
    notes.push(`the encoder is not cut: it stays in the first part, which keeps ${counted(kept, "decoder layer")}`);
  }
  if (!isSame(own, plan)) {
    const how = best.rule === "all" ? "all layers are recomputed" : "no layer is recomputed";
    notes.push(`${how}, and a step takes ${milliseconds(own.stepMs)}, ${longer(own, plan)} than planned`);
  }
  return { split: own, roles, recompute: best.rule === "all", notes };
}

export function isParts(parts: Parts | Handover): parts is Parts {
  return "roles" in parts;
}
