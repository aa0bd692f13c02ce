import type { BalancedPlanOptions, Plan, PlanStats } from "../plan/plan.ts";
import type { Format, Pieces, Written } from "./format.ts";
import { npyFormat } from "./npy.ts";
import { npyInt64 } from "./npy-file.ts";
import { xtunerFormat } from "./xtuner.ts";

/** A plan to write, and the packing whose groups it deals out. */
export interface PlanWritten extends Written {
  /** The plan to write. */
  readonly plan: Plan;
}

/** Text per piece, in characters. */
const PIECE = 65536;

/** Rounds a figure to the twelve decimals that files have, so that they are the same on every host. */
export function rounded(ratio: number): number {
  return Number(ratio.toFixed(12));
}

/** The figures of a plan, as JSON has them. */
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

/** A format of plans. */
export type PlanFormat = Format<PlanWritten> & {
  /** The option, if any, that the format cannot express, as the command line calls it. Checked before a plan is made. */
  readonly lacks?: (asked: Pick<BalancedPlanOptions, "spSize" | "tail">) => string | undefined;
};

const jsonFormat: PlanFormat = {
  name: "json",
  about: '{"ranks":64,"steps":[[[groups of rank 0],[groups of rank 1],...],...],"stats":{...},"made":{...}}',
  file: jsonText,
};

/** All of a plan except its steps. */
function head({ plan }: PlanWritten): Pieces {
  const { ranks, made } = plan;
  return [new TextEncoder().encode(`${JSON.stringify({ ranks, stats: planFigures(plan), made })}\n`)];
}

/** The packing's own folder plus the plan, so that a trainer has all it needs in one place. */
const npyPlanFormat: PlanFormat = {
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

const xtunerPlanFormat: PlanFormat = {
  name: "xtuner",
  lacks: ({ spSize = 1, tail }) => (spSize > 1 ? "--sp-size" : tail === "short" ? "--tail short" : undefined),
  about:
    "XTuner's preset-pack folder with sampler_order.npy and plan.json; its global batch size is ranks x micro batch. Not with --sp-size, nor with --tail short",
  folder: {
    "sampler_order.npy": sampleOrder,
    "plan.json": head,
    ...(xtunerFormat as Extract<Format, { folder: unknown }>).folder,
  },
};

/** The formats of plans. A new one is a line here. */
export const planFormats: readonly PlanFormat[] = [jsonFormat, npyPlanFormat, xtunerPlanFormat];
