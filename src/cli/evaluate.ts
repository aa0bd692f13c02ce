import { MAX_INT32, MAX_UINT32 } from "../core/options.ts";
import { load } from "../omnibal.ts";
import type { Evaluation } from "../plan/evaluate.ts";
import { SAMPLER_KINDS } from "../plan/samplers.ts";
import { readPlan } from "../read/index.ts";
import { rounded } from "../write/index.ts";
import { type Command, choiceOption, given, numberOption, requiredNumber, textOption, UsageError } from "./command.ts";
import { inputHelp, inputOptions, inputOptionsHelp, sayWaiting } from "./input.ts";
import { missingSamples, packingHelp, packingLine, packingOption, readPacked } from "./packed.ts";
import { print } from "./print.ts";
import { interruptibly } from "./signals.ts";
import { pairs, thousands } from "./table.ts";

const help = `Usage: omnibal evaluate --packing PACKING --ranks N [options] FILE...
       omnibal evaluate --packing PACKING --plan PLAN [options] FILE...

Tells how even the loads of the ranks are over one epoch, with a sampler or a
plan. A dist is the mean over steps of how far the ranks are below the heaviest:
0 is perfect, 0.3 leaves 30 % of what they could do unused.

${inputHelp}

${packingHelp}

Options:
  --packing PACKING   the groups
  --ranks N           data-parallel ranks
  --sampler SAMPLER   random, length-group or group-random (default random)
  --plan PLAN         what \`omnibal plan\` wrote of this PACKING, json or npy
  --micro-batch N     groups that a rank is handed at a step (default 1)
  --sp-size N         groups of a sequence-parallel team (default 1: none)
  --tail RULE         groups that fill no step: repeat others or drop them
                      (default repeat)
  --epoch N           0 to 4294967295 (default 0)
  --seed N            0 to 4294967295 (default 1024)
  --json              one line of JSON in place of the figures
${inputOptionsHelp}

Ratios in JSON have twelve decimals at most, and are null where there is no
step.
`;

/** What a plan brings with it. */
const OF_THE_PLAN = ["sampler", "micro-batch", "sp-size", "tail", "epoch", "seed"];

function figures(seen: Evaluation): [string, string][] {
  // Where there is no step nothing was measured: 0 would be a perfect score.
  const ratio = (value: number | null) => (value === null || seen.steps === 0 ? "-" : value.toFixed(6));
  return [
    ["steps", thousands(seen.steps)],
    ["dropped", thousands(seen.dropped)],
    ["repeated", thousands(seen.repeated)],
    ["pad", ratio(seen.pad)],
    ["vit dist", ratio(seen.vitDist)],
    ["token dist", ratio(seen.tokenDist)],
    ["attention dist", ratio(seen.attentionDist)],
  ];
}

/** "64 ranks x 2 groups", and the size of the teams if there are such. */
export function shape({ ranks, microBatch, spSize }: { ranks: number; microBatch: number; spSize: number }): string {
  const each = spSize > 1 ? `${thousands(microBatch)} x ${thousands(spSize)}` : thousands(microBatch);
  return `${thousands(ranks)} ranks x ${each} group${microBatch * spSize === 1 ? "" : "s"}`;
}

export const evaluateCommand: Command = {
  name: "evaluate",
  about: "tells how even the ranks' loads are, with a sampler or a plan",
  help,
  options: {
    ...inputOptions,
    packing: { type: "string" },
    ranks: { type: "string" },
    sampler: { type: "string" },
    plan: { type: "string" },
    "micro-batch": { type: "string" },
    "sp-size": { type: "string" },
    tail: { type: "string" },
    epoch: { type: "string" },
    seed: { type: "string" },
    json: { type: "boolean" },
  },
  async run(paths, values) {
    const path = packingOption(values);
    const planPath = textOption(values, "plan");
    const clash = planPath === undefined ? undefined : OF_THE_PLAN.find((name) => values[name] !== undefined);
    if (clash !== undefined) throw new UsageError(`--${clash} is the plan's own where --plan is given`);
    const ranks =
      planPath === undefined
        ? requiredNumber(values, "ranks", 1, MAX_INT32)
        : numberOption(values, "ranks", 1, MAX_INT32);
    const sampler = choiceOption(values, "sampler", SAMPLER_KINDS) ?? "random";
    const options = {
      sampler,
      microBatch: numberOption(values, "micro-batch", 1, MAX_INT32) ?? 1,
      spSize: numberOption(values, "sp-size", 1, MAX_INT32) ?? 1,
      ...given({
        tail: choiceOption(values, "tail", ["repeat", "drop"]),
        epoch: numberOption(values, "epoch", 0, MAX_UINT32),
        seed: numberOption(values, "seed", 0, MAX_UINT32),
      }),
    };
    const omnibal = await load();
    const { lengths, packing } = await readPacked(omnibal, paths, path, values);
    let seen: Evaluation;
    let order: [string, string];
    if (planPath === undefined) {
      const asked = { ...options, ranks: ranks as number };
      seen = interruptibly(() => omnibal.evaluate(packing, asked));
      order = ["sampler", `${sampler}, ${shape(asked)}`];
    } else {
      const plan = await readPlan(planPath, { fits: { omnibal, packing }, onWait: sayWaiting(values) });
      if (ranks !== undefined && ranks !== plan.ranks) {
        throw new UsageError(`--ranks is ${ranks}, ${planPath} is for ${plan.ranks}`);
      }
      seen = interruptibly(() => omnibal.evaluatePlan(packing, plan));
      order = ["plan", shape(plan)];
    }
    const missing = missingSamples(packing, lengths);
    if (values.json === true) {
      const { pad, vitDist, tokenDist, attentionDist, ...counts } = seen;
      const ratios = { pad, vitDist, tokenDist, attentionDist };
      const json = Object.fromEntries(
        Object.entries(ratios).map(([name, value]) => [
          name,
          value === null || seen.steps === 0 ? null : rounded(value),
        ]),
      );
      const samples = { samples: packing.indices.length, oversize: packing.oversize.length, missing };
      return print(`${JSON.stringify({ ...json, ...counts, ...samples })}\n`);
    }
    await print(pairs([["packing", packingLine(packing, lengths)], order, ...figures(seen)]));
  },
};
