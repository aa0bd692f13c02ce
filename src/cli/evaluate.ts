import type { NumberSpec } from "../core/options.ts";
import { load } from "../omnibal.ts";
import { EVALUATE_OPTIONS, type Evaluation } from "../plan/evaluate.ts";
import { kindSpec, SAMPLER_KINDS, samplers } from "../plan/sampler-kinds.ts";
import { samplerSpecs } from "../plan/samplers.ts";
import { readPlan } from "../read/index.ts";
import { rounded } from "../write/index.ts";
import {
  type Command,
  type CommandOptions,
  givenOptions,
  optionName,
  optionsHelp,
  optionsOf,
  requiredOption,
  textOption,
  textual,
  UsageError,
} from "./command.ts";
import { inputHelp, inputOptions, inputOptionsHelp, sayWaiting } from "./input.ts";
import { missingSamples, packingHelp, packingLine, packingOption, packingOptions, readPacked } from "./packed.ts";
import { print } from "./print.ts";
import { interruptibly } from "./signals.ts";
import { pairs, thousands } from "./table.ts";

const OF_A_SAMPLER = ["microBatch", "spSize", "tail", "epoch", "seed"] as const;
/** What a plan brings with it. */
const ofThePlan = () => ["sampler", ...OF_A_SAMPLER, ...Object.keys(samplerSpecs())].map(optionName);

const options = (): CommandOptions => ({
  ...packingOptions,
  ...optionsOf(EVALUATE_OPTIONS, ["ranks"]),
  sampler: { ...kindSpec(), default: SAMPLER_KINDS[0] },
  plan: { kind: "text", argument: "PLAN", about: "what `omnibal plan` wrote for this PACKING, json or npy" },
  ...optionsOf(EVALUATE_OPTIONS, OF_A_SAMPLER),
  ...optionsOf(samplerSpecs()),
  json: { kind: "flag", about: "one line of JSON instead of the figures" },
});

const help = () => `Usage: omnibal evaluate --packing PACKING --ranks N [options] FILE...
       omnibal evaluate --packing PACKING --plan PLAN [options] FILE...

Measures how even the loads of the ranks are over one epoch of a sampler or of a
plan. A dist is the mean over steps of how far the ranks are below the heaviest:
0 is perfect, at 0.3 they wait 30 % of the time.

${inputHelp}

${packingHelp}

Options:
${optionsHelp(options())}
${inputOptionsHelp}

Ratios in JSON have at most twelve decimals, and are null if there is no step.
`;

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
  about: "measures how even the ranks' loads are, with a sampler or a plan",
  get help() {
    return help();
  },
  get options() {
    return { ...inputOptions, ...options() };
  },
  async run(paths, values) {
    const path = packingOption(values);
    const planPath = textOption(values, "plan");
    const clash = planPath === undefined ? undefined : ofThePlan().find((name) => values[name] !== undefined);
    if (clash !== undefined) throw new UsageError(`--${clash} comes from the plan: leave it out with --plan`);
    const ranks =
      planPath === undefined
        ? requiredOption(values, EVALUATE_OPTIONS, "ranks")
        : givenOptions(values, EVALUATE_OPTIONS, "ranks").ranks;
    const { sampler = SAMPLER_KINDS[0] } = givenOptions(values, { sampler: kindSpec() }, "sampler");
    const own = samplers.find(({ name }) => name === sampler)?.options as Readonly<Record<string, NumberSpec>>;
    const asked = {
      sampler,
      ...givenOptions(values, EVALUATE_OPTIONS, ...OF_A_SAMPLER),
      ...givenOptions(values, own, ...textual(own)),
    };
    const omnibal = await load();
    const { lengths, packing } = await readPacked(omnibal, paths, path, values);
    let seen: Evaluation;
    let order: [string, string];
    if (planPath === undefined) {
      const all = { ...asked, ranks: ranks as number };
      const { microBatch, spSize } = EVALUATE_OPTIONS;
      seen = interruptibly(() => omnibal.evaluate(packing, all));
      order = ["sampler", `${sampler}, ${shape({ microBatch: microBatch.default, spSize: spSize.default, ...all })}`];
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
