// What --pipeline adds to `plan`: micro-batches ordered, and ranks evened out, by the simulated time of a pipeline.

import {
  type GroupLoadColumns,
  loadsOfGroups,
  orderSteps,
  type Profile,
  parseProfile,
  planModel,
} from "../model/index.ts";
import { MODEL_PLAN_OPTIONS } from "../model/plan.ts";
import type { Omnibal } from "../omnibal.ts";
import type { Packing } from "../pack/packing.ts";
import type { Plan } from "../plan/plan.ts";
import type { ReadResult } from "../read/index.ts";
import { type CommandOptions, givenOptions, optionsOf, textOption, UsageError, type Values } from "./command.ts";
import { bytesOption, readText } from "./model.ts";
import { thousands } from "./table.ts";

const STAGES = {
  stages: { ...MODEL_PLAN_OPTIONS.stages, about: "devices in the pipeline, for --pipeline" },
} as const;

export const pipelineOptions: CommandOptions = {
  pipeline: {
    kind: "text",
    argument: "PROFILE",
    about:
      "a model's profile (see omnibal model): each rank is a pipeline whose micro-batches are its groups, ordered and evened out between ranks by simulated time",
  },
  ...optionsOf(STAGES),
  memory: { kind: "text", argument: "BYTES", about: "bytes per stage, as 80GB (default: the profile's)" },
  "fixed-order": { kind: "flag", about: "keeps each rank's groups in their order" },
};

export interface Pipeline {
  readonly profile: Profile;
  readonly stages: number;
  readonly memory: number | undefined;
  readonly reorder: boolean;
}

/** The pipeline that was asked for, if any. */
export async function readPipeline(values: Values): Promise<Pipeline | undefined> {
  const path = textOption(values, "pipeline");
  const { stages } = givenOptions(values, STAGES, "stages");
  const memory = bytesOption(values, "memory");
  if (path === undefined) {
    const lonely = ["stages", "memory", "fixed-order"].find((name) => values[name] !== undefined);
    if (lonely !== undefined) throw new UsageError(`--${lonely} is given, but it is for --pipeline`);
    return undefined;
  }
  if (stages === undefined) throw new UsageError("--pipeline is given without --stages");
  if (values.cost !== undefined) throw new UsageError("--cost and --pipeline are both given, expected one of them");
  if (values["sp-size"] !== undefined) throw new UsageError("--pipeline has no place for --sp-size");
  return { profile: parseProfile(await readText(path), path), stages, memory, reorder: values["fixed-order"] !== true };
}

function loadsOf({ vit, tokens, attention, indices, offsets }: Packing, lengths: ReadResult<string>): GroupLoadColumns {
  const squares = new Float64Array(vit.length);
  for (let g = 0; g < squares.length; g++) {
    for (let i = offsets[g]; i < offsets[g + 1]; i++) squares[g] += lengths.vit[indices[i]] ** 2;
  }
  return {
    vit: { sums: vit, squares },
    tokens: { sums: tokens, ...(attention === undefined ? {} : { squares: attention }) },
  };
}

/** The plan with its steps in order, and what that brings, in a line. */
export function orderByPipeline(
  omnibal: Omnibal,
  { profile, stages, memory, reorder }: Pipeline,
  packing: Packing,
  lengths: ReadResult<string>,
  plan: Plan,
): { readonly plan: Plan; readonly text: string } {
  const columns = loadsOf(packing, lengths);
  const { ranks, microBatch, spSize } = plan;
  const loads = loadsOfGroups(columns);
  const model = planModel(omnibal, profile, {
    ...{ stages, microBatches: microBatch, loads },
    ...(memory === undefined ? {} : { memory }),
  });
  const { order, beforeMs, epochMs } = orderSteps(omnibal, profile, model, columns, plan, { reorder });
  const seen = omnibal.evaluatePlan(packing, { ranks, microBatch, spSize, order });
  const stepMs = plan.length === 0 ? 0 : epochMs / plan.length;
  const stats = {
    ...plan.stats,
    ...{ vitDist: seen.vitDist, tokenDist: seen.tokenDist, attentionDist: seen.attentionDist ?? 0, epochMs, stepMs },
  };
  const saved = beforeMs > 0 ? (1 - epochMs / beforeMs) * 100 : 0;
  const text = `${stages} stages, step ${thousands(stepMs, 1)} ms, ${saved.toFixed(2)} % less than ${reorder ? "unordered" : "unevened"}`;
  return {
    plan: plan.reordered(order, stats),
    text,
  };
}
