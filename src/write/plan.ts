import type { Plan, PlanStats } from "../plan/plan.ts";
import type { Format, Pieces, Written } from "./format.ts";
import { npyFormat } from "./npy.ts";
import { npyInt64 } from "./npy-file.ts";
import { xtunerFormat } from "./xtuner.ts";

/** What the format of a plan may write of: the plan, and the packing it is over. */
export interface PlanWritten extends Written {
  readonly plan: Plan;
}

/** Text per piece, in characters. */
const PIECE = 65536;

/** Twelve decimals are as many as the figures are good for; the same on every host. */
export function rounded(ratio: number): number {
  return Number(ratio.toFixed(12));
}

/** The figures of a plan as JSON has them. */
export function planFigures(plan: Plan): Record<string, unknown> {
  const { microBatch, spSize, epoch, seed, tail, stats } = plan;
  const { rankIdle, ...figures } = stats as PlanStats & Record<string, number>;
  return {
    ...{ microBatch, spSize, epoch, seed, tail },
    ...Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, rounded(value as number)])),
    ...(rankIdle === undefined ? {} : { rankIdle: Array.from(rankIdle, rounded) }),
  };
}

/** {"ranks":2,"steps":[[[4],[0]],[[1],[3]]],"stats":{...},"made":{...}}, in pieces. */
function* jsonText({ plan }: PlanWritten): Pieces {
  const encoder = new TextEncoder();
  let text = `{"ranks":${plan.ranks},"steps":[`;
  for (let step = 0; step < plan.length; step++) {
    text += step === 0 ? "[" : ",[";
    for (let rank = 0; rank < plan.ranks; rank++) {
      text += `${rank === 0 ? "" : ","}[${plan.batch(step, rank).join()}]`;
      if (text.length < PIECE) continue;
      yield encoder.encode(text);
      text = "";
    }
    text += "]";
  }
  yield encoder.encode(`${text}],"stats":${JSON.stringify(planFigures(plan))},"made":${JSON.stringify(plan.made)}}\n`);
}

const jsonFormat: Format<PlanWritten> = {
  name: "json",
  about: '{"ranks":64,"steps":[[[groups of rank 0],[groups of rank 1],...],...],"stats":{...},"made":{...}}',
  file: jsonText,
};

/** All of a plan but its steps. */
function head({ plan }: PlanWritten): Pieces {
  const { ranks, made } = plan;
  return [new TextEncoder().encode(`${JSON.stringify({ ranks, stats: planFigures(plan), made })}\n`)];
}

/** The packing's own folder with the plan in it, so that a trainer has all it needs in one place. */
const npyPlanFormat: Format<PlanWritten> = {
  name: "npy",
  about:
    "a folder: plan.npy, int64 of shape (steps, ranks, groups of a rank), -1 where a short step has none; plan.json with the figures and what it was made of; the packing as pack --format npy writes it",
  folder: {
    "plan.npy": ({ plan: { length, ranks, microBatch, spSize, order } }) =>
      npyInt64([length, ranks, microBatch * spSize], (i) => order[i]),
    "plan.json": head,
    ...(npyFormat as Extract<Format, { folder: unknown }>).folder,
  },
};

/**
 * XTuner's PresetSampler hands order[rank::ranks] to each rank: of a step, the first groups of all ranks come first,
 * then their second ones, and so on.
 */
function sampleOrder({ plan: { ranks, microBatch, order } }: PlanWritten): Pieces {
  const stepSize = ranks * microBatch;
  return npyInt64([order.length], (i) => {
    const place = i % stepSize;
    return order[i - place + (place % ranks) * microBatch + Math.floor(place / ranks)];
  });
}

const xtunerPlanFormat: Format<PlanWritten> = {
  name: "xtuner",
  about:
    "XTuner's preset-pack folder with sampler_order.npy and plan.json; its global batch size is ranks x micro batch. Not with --sp-size, nor with --tail short",
  folder: {
    "sampler_order.npy": sampleOrder,
    "plan.json": head,
    ...(xtunerFormat as Extract<Format, { folder: unknown }>).folder,
  },
};

/** What a plan can be written as. */
export const planFormats: readonly Format<PlanWritten>[] = [jsonFormat, npyPlanFormat, xtunerPlanFormat];
