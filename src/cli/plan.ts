import { MAX_INT32, MAX_UINT32 } from "../core/options.ts";
import { load } from "../omnibal.ts";
import {
  type BalancedPlanOptions,
  type BalanceWeights,
  type CostModel,
  MOST_WEIGHT,
  type Plan,
  type PlanStats,
  TAIL_RULES,
} from "../plan/plan.ts";
import { planInBackground } from "../workers/background.ts";
import { openOutput, planFormats } from "../write/index.ts";
import {
  type Command,
  choiceOption,
  decimal,
  given,
  numberOption,
  outputOption,
  requiredNumber,
  textOption,
  UsageError,
  type Values,
} from "./command.ts";
import { shape } from "./evaluate.ts";
import { chosenFormat, formatsHelp } from "./format.ts";
import { inputHelp, inputOptions, inputOptionsHelp } from "./input.ts";
import { packingHelp, packingLine, packingOption, readPacked } from "./packed.ts";
import { pairs, percent, seconds, table, thousands } from "./table.ts";

const help = `Usage: omnibal plan --packing PACKING --ranks N [options] FILE...

Plans one epoch: which groups each rank trains on at each step, so that the
ranks of a step have alike tiles and tokens. Steps come in random order, and
ranks are dealt at random. The same options give the same plan on every machine;
another epoch another one.

${inputHelp}

${packingHelp}

Options:
  --packing PACKING   the groups
  --ranks N           data-parallel ranks
  --micro-batch N     groups that a rank is handed at a step (default 1)
  --sp-size N         groups of a sequence-parallel team (default 1: none)
  --epoch N           0 to 4294967295 (default 0)
  --seed N            0 to 4294967295 (default 1024)
  --tail RULE         groups that fill no step: drop them in this epoch, repeat
                      others to fill it, or make it short (default repeat)
  --balance WEIGHTS   what unevenness in each counts, 0 where it is not named
                      (default vit=1,tokens=1; attention is the third)
  --cost TIMES        in place of weights, what a rank's time is made of:
                      ms-per-tile=6,ms-per-token=0.02,ms-per-token2=4e-6
  -o, --output OUT    write there and not to standard output
  --format FORMAT     ${planFormats.map((format) => format.name).join(", ")} (default json)
${inputOptionsHelp}

Formats:
${formatsHelp(planFormats)}

Groups are numbered from 0 on, as in PACKING. OUT appears when it is whole, or
not at all.
`;

/** name=number,... as members; `names` are those it may have, and what they are called inside. */
function assignments(option: string, text: string, names: Readonly<Record<string, string>>): Record<string, number> {
  const found: Record<string, number> = {};
  for (const part of text.split(",")) {
    const [name, value, ...more] = part.split("=");
    const number = value === undefined || more.length > 0 ? Number.NaN : decimal(value);
    if (!Object.hasOwn(names, name) || !Number.isFinite(number)) {
      const known = Object.keys(names).join(", ");
      throw new UsageError(`--${option} has ${JSON.stringify(part)}, expected NAME=NUMBER with one of ${known}`);
    }
    if (number > MOST_WEIGHT) {
      throw new UsageError(`--${option} has ${JSON.stringify(part)}, expected a number from 0 to 1e12`);
    }
    if (Object.hasOwn(found, names[name])) throw new UsageError(`--${option} has ${name} twice`);
    found[names[name]] = number;
  }
  if (Object.values(found).every((value) => value === 0)) {
    throw new UsageError(`--${option} is 0 throughout, expected a number above 0`);
  }
  return found;
}

const WEIGHTS = { vit: "vit", tokens: "tokens", attention: "attention" };
const TIMES = { "ms-per-tile": "msPerTile", "ms-per-token": "msPerToken", "ms-per-token2": "msPerTokenSquared" };

function balanceOption(values: Values): BalanceWeights | CostModel | undefined {
  const weights = textOption(values, "balance");
  const times = textOption(values, "cost");
  if (times !== undefined) {
    if (weights !== undefined) throw new UsageError("--balance and --cost are both given, expected one of them");
    return { msPerTile: 0, msPerToken: 0, ...assignments("cost", times, TIMES) };
  }
  return weights === undefined ? undefined : assignments("balance", weights, WEIGHTS);
}

function tailLine({ tail, spSize, shortSteps, stats: { dropped, repeated } }: Plan): string {
  const units = (count: number) => `${thousands(count)} ${spSize > 1 ? "team" : "group"}${count === 1 ? "" : "s"}`;
  if (tail === "drop") return `drop: ${units(dropped)} not in this epoch, others in the next`;
  if (tail === "repeat") return `repeat: ${units(repeated)} a second time, others in the next epoch`;
  return shortSteps === 0 ? "short: there is none" : "short: some ranks have less in the last step";
}

/** How even the plan is, and what the published samplers would make of the same groups: at most 80 columns. */
export function planSummary(plan: Plan, packingText: string): string {
  const { stats, published } = plan;
  const hasTimes = stats.stepMs !== undefined;
  const cells = ({ vitDist, tokenDist, attentionDist, stepMs, idle }: PlanStats) => [
    ...[vitDist, tokenDist, attentionDist].map((dist) => dist.toFixed(6)),
    ...(hasTimes ? [`${(stepMs ?? 0).toFixed(2)} ms`, percent(idle ?? 0)] : []),
  ];
  const rows = [["this plan", ...cells(stats)]];
  for (const [name, own] of Object.entries(published ?? {})) rows.push([`published ${name}`, ...cells(own)]);
  const header = ["", "vit dist", "token dist", "attention", ...(hasTimes ? ["step", "idle"] : [])];
  const lines: [string, string][] = [
    ["packing", packingText],
    ["steps", `${thousands(stats.steps)} of ${shape(plan)}`],
    ["tail", tailLine(plan)],
  ];
  if (stats.epochMs !== undefined) lines.push(["epoch", seconds(stats.epochMs)]);
  return `${pairs(lines)}\n${table(header, `l${"r".repeat(header.length - 1)}`, rows)}\n`;
}

export const planCommand: Command = {
  name: "plan",
  about: "plans an epoch: steps that are even on every rank",
  help,
  options: {
    ...inputOptions,
    packing: { type: "string" },
    ranks: { type: "string" },
    "micro-batch": { type: "string" },
    "sp-size": { type: "string" },
    epoch: { type: "string" },
    seed: { type: "string" },
    tail: { type: "string" },
    balance: { type: "string" },
    cost: { type: "string" },
    output: { type: "string", short: "o" },
    format: { type: "string" },
  },
  async run(paths, values) {
    const path = packingOption(values);
    const options: BalancedPlanOptions = {
      ranks: requiredNumber(values, "ranks", 1, MAX_INT32),
      compare: values.quiet !== true,
      ...given({
        microBatch: numberOption(values, "micro-batch", 1, MAX_INT32),
        spSize: numberOption(values, "sp-size", 1, MAX_INT32),
        epoch: numberOption(values, "epoch", 0, MAX_UINT32),
        seed: numberOption(values, "seed", 0, MAX_UINT32),
        tail: choiceOption(values, "tail", TAIL_RULES),
        balance: balanceOption(values),
      }),
    };
    const out = outputOption(values);
    const format = chosenFormat(planFormats, values, out);
    if (format.name === "xtuner") {
      if ((options.spSize ?? 1) > 1) throw new UsageError("--format xtuner has no place for --sp-size");
      if (options.tail === "short") throw new UsageError("--format xtuner has no place for --tail short");
    }
    const output = openOutput(format, out ?? process.stdout, [path, ...paths]);
    const start = performance.now();
    const omnibal = await load();
    const { lengths, packing } = await readPacked(omnibal, paths, path, values);
    output.refuseInputs(lengths.files.map((file) => file.path));
    const read = performance.now();
    // This thread answers signals meanwhile, and OUT is given up by them.
    const plan = await planInBackground(omnibal.core, packing, options);
    const planned = performance.now();
    const { tokens, files } = lengths;
    await output.write({ core: omnibal.core, packing, tokens, files, plan });
    if (values.quiet === true) return;
    const written = performance.now();
    const times = `${seconds(written - start)} (read ${seconds(read - start)}, plan ${seconds(planned - read)}, write ${seconds(written - planned)})`;
    process.stderr.write(`${planSummary(plan, packingLine(packing, lengths))}\ntime     ${times}\n`);
  },
};
