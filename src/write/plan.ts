import type { BalancedPlanOptions, Plan, PlanStats } from "../plan/plan.ts";
import type { Format, Pieces, Written } from "./format.ts";
import { npyFormat } from "./npy.ts";
import { npyInt64, npyVector } from "./npy-file.ts";
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
  /**
   * The option, if any, that the format cannot express, as the command line calls it. Checked before a plan is made.
   */
  readonly lacks?: (asked: Pick<BalancedPlanOptions, "spSize" | "tail">) => string | undefined;
};

const jsonFormat: PlanFormat = {
  name: "json",
  about: '{"ranks":64,"steps":[[[groups of rank 0],[groups of rank 1],...],...],"stats":{...},"made":{...}}',
  file: jsonText,
};

/** All of a plan except its steps: the members of plan.json. */
function headOf(plan: Plan): Record<string, unknown> {
  const { ranks, made } = plan;
  return { ranks, stats: planFigures(plan), made };
}

function head({ plan }: PlanWritten): Pieces {
  return [new TextEncoder().encode(`${JSON.stringify(headOf(plan))}\n`)];
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
    ...npyFormat.folder,
  },
  onlyIf: npyFormat.onlyIf,
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
    ...xtunerFormat.folder,
  },
  onlyIf: xtunerFormat.onlyIf,
};

/**
 * The groups that a plan hands out, in its order: group k goes to rank k % ranks, at step floor(k / (ranks
 * microBatch)), as its floor(k / ranks) % microBatch-th. A sampler that does not shuffle then follows the plan.
 */
function* inPlanOrder({ order, ranks, microBatch }: Plan): IterableIterator<number> {
  const stepSize = ranks * microBatch;
  for (let step = 0; step < order.length; step += stepSize) {
    for (let i = 0; i < microBatch; i++) {
      for (let rank = 0; rank < ranks; rank++) yield order[step + rank * microBatch + i];
    }
  }
}

/** Lines of text in pieces, from parts that are made one by one. */
function* inPieces(parts: Iterable<string>): Pieces {
  const encoder = new TextEncoder();
  let text = "";
  for (const part of parts) {
    text += part;
    if (text.length < PIECE) continue;
    yield encoder.encode(text);
    text = "";
  }
  if (text !== "") yield encoder.encode(text);
}

function* groupsJson({ plan, packing }: PlanWritten): IterableIterator<string> {
  let before = '{"groups":[';
  for (const group of inPlanOrder(plan)) {
    yield `${before}[${packing.group(group).join()}]`;
    before = ",";
  }
  const opened = before === "," ? "" : before;
  yield `${opened}],"oversize":[${packing.oversize.join()}],"plan":${JSON.stringify(headOf(plan))}}\n`;
}

function* groupsJsonl({ plan, packing }: PlanWritten): IterableIterator<string> {
  yield `${JSON.stringify({ plan: headOf(plan), groups: plan.order.length })}\n`;
  for (const group of inPlanOrder(plan)) yield `{"group":[${packing.group(group).join()}]}\n`;
  if (packing.oversize.length > 0) yield `{"oversize":[${packing.oversize.join()}]}\n`;
}

/** Where each group in plan order begins, and where the last one ends. */
function offsetsInOrder({ plan, packing: { offsets } }: PlanWritten): Int32Array {
  const out = new Int32Array(plan.order.length + 1);
  let k = 0;
  for (const group of inPlanOrder(plan)) {
    out[k + 1] = out[k] + offsets[group + 1] - offsets[group];
    k++;
  }
  return out;
}

function indicesInOrder(written: PlanWritten): Int32Array {
  const { plan, packing } = written;
  const at = offsetsInOrder(written);
  const out = new Int32Array(at[at.length - 1]);
  let k = 0;
  for (const group of inPlanOrder(plan)) out.set(packing.group(group), at[k++]);
  return out;
}

const lacksOrder: PlanFormat["lacks"] = ({ spSize = 1, tail }) =>
  spSize > 1 ? "--sp-size" : tail === "short" ? "--tail short" : undefined;

const PLAN_ORDER =
  "group k goes to rank k % ranks, at step floor(k / (ranks x micro batch)): what a sampler that does not shuffle hands out";

/** The formats of plans. A new one is a line here. */
export const planFormats: readonly PlanFormat[] = [
  jsonFormat,
  npyPlanFormat,
  xtunerPlanFormat,
  {
    name: "groups",
    about: `{"groups":[[3,1],...],"oversize":[7],"plan":{...}}, the samples of each group in plan order: ${PLAN_ORDER}. An OUT ending in .jsonl or .npy gets the next two`,
    lacks: lacksOrder,
    file: (written) => inPieces(groupsJson(written)),
  },
  {
    name: "groups.jsonl",
    about: 'the same as lines {"group":[3,1]}',
    lacks: lacksOrder,
    file: (written) => inPieces(groupsJsonl(written)),
  },
  {
    name: "groups.npy",
    about: "the same as a folder: offsets.npy, indices.npy, oversize.npy, plan.json",
    lacks: lacksOrder,
    folder: {
      "offsets.npy": (written) => npyVector(offsetsInOrder(written)),
      "indices.npy": (written) => npyVector(indicesInOrder(written)),
      "oversize.npy": ({ packing }) => npyVector(packing.oversize),
      "plan.json": head,
    },
  },
];
