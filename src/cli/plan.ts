import { load } from "../omnibal.ts";
import {
  BALANCED_PLAN_OPTIONS,
  type BalancedPlanOptions,
  type BalanceWeights,
  type CostModel,
  MOST_WEIGHT,
  type Plan,
  type PlanStats,
} from "../plan/plan.ts";
import { planInBackground } from "../workers/background.ts";
import { openEpochs, openOutput, type PlanFormat, type PlanWritten, planFormats } from "../write/index.ts";
import {
  type Command,
  type CommandOptions,
  decimal,
  given,
  givenOptions,
  optionsHelp,
  optionsOf,
  outputOption,
  requiredOption,
  textOption,
  UsageError,
  type Values,
} from "./command.ts";
import { shape } from "./evaluate.ts";
import { chosenFormat, formatsHelp, outputOptions } from "./format.ts";
import { inputHelp, inputOptions, inputOptionsHelp } from "./input.ts";
import { ownPackOptions } from "./pack.ts";
import { groupsOption, packingHelp, packingLine, packingOptions, readOrPack } from "./packed.ts";
import { orderByPipeline, pipelineOptions, readPipeline } from "./pipeline.ts";
import { interruptibly } from "./signals.ts";
import { pairs, percent, seconds, table, thousands } from "./table.ts";

/** Epochs that one run may write, each into a folder. */
const MAX_EPOCHS = 10000;
const EPOCHS = {
  epochs: {
    kind: "integer",
    low: 1,
    high: MAX_EPOCHS,
    about: "in place of --epoch: plans that many, into OUT/epoch-0 and so on, over one packing",
  },
} as const;

const options = (): CommandOptions => ({
  ...optionsOf(BALANCED_PLAN_OPTIONS, ["ranks", "microBatch", "spSize", "epoch"]),
  ...optionsOf(EPOCHS),
  ...optionsOf(BALANCED_PLAN_OPTIONS, ["seed", "tail", "balance"]),
  cost: {
    kind: "text",
    argument: "TIMES",
    about: "in place of weights, what a rank's time is made of: ms-per-tile=6,ms-per-token=0.02,ms-per-token2=4e-6",
  },
  ...pipelineOptions,
  ...outputOptions(planFormats, "npy; json on standard output"),
});

const groupsOptions = (): CommandOptions => {
  const { method, ...own } = ownPackOptions();
  return { ...packingOptions, ...own, method: { ...method, default: "balanced" } as CommandOptions[string] };
};

const help = () => `Usage: omnibal plan --ranks N --max-vit N --max-tokens N [options] FILE...
       omnibal plan --ranks N --packing PACKING [options] FILE...

Plans one epoch: which groups each rank trains on at each step, so that the
ranks of a step have nearly equal tiles and tokens. The groups are made first,
as \`omnibal pack\` makes them, or those of PACKING. Steps come in random order,
and ranks are dealt at random. The same options give the same plan on every
machine, and each epoch has a plan of its own. OUT is a folder of .npy arrays
that a trainer needs nothing else beside.

${inputHelp}

Options:
${optionsHelp(options())}
${inputOptionsHelp}

Groups (see omnibal pack --help):
${optionsHelp(groupsOptions())}

${packingHelp}

Formats:
${formatsHelp(planFormats)}

Groups are numbered from 0, as in PACKING. OUT appears once it is complete, or
not at all; with --epochs that holds for each of its folders.
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
export function planSummary(plan: Plan, packingText: string, epochs?: number): string {
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
  if (epochs !== undefined) lines.push(["epochs", `${thousands(epochs)}, this is the first`]);
  if (stats.epochMs !== undefined) lines.push(["epoch", seconds(stats.epochMs)]);
  return `${pairs(lines)}\n${table(header, `l${"r".repeat(header.length - 1)}`, rows)}\n`;
}

/** Where the plans go: one output, or a folder for each epoch. */
interface PlanOutput {
  refuseInputs(paths: readonly string[]): void;
  write(epoch: number, written: PlanWritten): Promise<void>;
  close(): void;
}

function openPlans(
  format: PlanFormat,
  out: string | undefined,
  epochs: number | undefined,
  inputs: readonly string[],
): PlanOutput {
  if (epochs !== undefined) return openEpochs(format, out as string, epochs, inputs);
  const output = openOutput(format, out ?? process.stdout, inputs);
  return {
    refuseInputs: (paths) => output.refuseInputs(paths),
    write: (_, written) => output.write(written),
    close: () => output.close(),
  };
}

/** How many epochs are asked for, if that is. */
function epochsOption(values: Values, format: PlanFormat, out: string | undefined): number | undefined {
  const { epochs } = givenOptions(values, EPOCHS, "epochs");
  if (epochs === undefined) return undefined;
  if (values.epoch !== undefined) throw new UsageError("--epoch and --epochs are both given, expected one of them");
  if (out === undefined) throw new UsageError("--epochs makes folders: name the one that they go to with -o");
  if (!("folder" in format)) {
    const folders = planFormats.filter((own) => "folder" in own).map(({ name }) => name);
    throw new UsageError(
      `--epochs makes folders, and ${format.name} is one file: use --format ${folders.join(" or ")}`,
    );
  }
  return epochs;
}

export const planCommand: Command = {
  name: "plan",
  about: "plans an epoch of steps that load every rank alike",
  get help() {
    return help();
  },
  get options() {
    return { ...inputOptions, ...options(), ...groupsOptions() };
  },
  async run(paths, values) {
    const groups = groupsOption(values);
    const asked: BalancedPlanOptions = {
      ranks: requiredOption(values, BALANCED_PLAN_OPTIONS, "ranks"),
      compare: values.quiet !== true,
      ...givenOptions(values, BALANCED_PLAN_OPTIONS, "microBatch", "spSize", "epoch", "seed", "tail"),
      ...given({ balance: balanceOption(values) }),
    };
    const out = outputOption(values);
    const format = chosenFormat(planFormats, values, out, out === undefined ? "json" : "npy");
    const lacking = format.lacks?.(asked);
    if (lacking !== undefined) throw new UsageError(`--format ${format.name} has no place for ${lacking}`);
    const epochs = epochsOption(values, format, out);
    const output = openPlans(format, out, epochs, "path" in groups ? [groups.path, ...paths] : paths);
    const pipeline = await readPipeline(values);
    const start = performance.now();
    const omnibal = await load();
    const { lengths, packing, packMs = 0 } = await readOrPack(omnibal, paths, groups, values);
    output.refuseInputs(lengths.files.map((file) => file.path));
    const readMs = performance.now() - start - packMs;
    const { tokens, files } = lengths;
    let planMs = 0;
    let writeMs = 0;
    for (let k = 0; k < (epochs ?? 1); k++) {
      const begun = performance.now();
      const own = {
        ...asked,
        ...(epochs === undefined ? {} : { epoch: k }),
        compare: asked.compare === true && k === 0,
      };
      // This thread answers signals meanwhile, and OUT is given up by them.
      const even = await planInBackground(omnibal.core, packing, own);
      const piped = pipeline && interruptibly(() => orderByPipeline(omnibal, pipeline, packing, lengths, even));
      const plan = piped?.plan ?? even;
      const planned = performance.now();
      await output.write(k, { core: omnibal.core, packing, tokens, files, plan });
      planMs += planned - begun;
      writeMs += performance.now() - planned;
      if (values.quiet === true || k > 0) continue;
      const line = piped === undefined ? "" : `pipeline ${piped.text}\n`;
      process.stderr.write(`${planSummary(even, packingLine(packing, lengths), epochs)}\n${line}`);
    }
    output.close();
    if (values.quiet === true) return;
    const times = [
      ["read", readMs],
      ...("path" in groups ? [] : [["pack", packMs] as const]),
      ["plan", planMs],
      ["write", writeMs],
    ] as const;
    const parts = times.map(([what, ms]) => `${what} ${seconds(ms)}`).join(", ");
    process.stderr.write(`time     ${seconds(performance.now() - start)} (${parts})\n`);
  },
};
