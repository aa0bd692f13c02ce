import { InputError } from "../core/errors.ts";
import type { ChoiceSpec } from "../core/options.ts";
import { CONFIG_OPTIONS } from "../model/config.ts";
import {
  chromeTrace,
  compareModel,
  type LoadRange,
  type ModelComparison,
  type ModelPlan,
  type ModelPlanOptions,
  type ParetoPoint,
  type Profile,
  paretoSplits,
  parseGpu,
  parseProfile,
  profileFromConfig,
  profileLoads,
  type Split,
  simulateSplit,
  type Trainer,
  trainers,
} from "../model/index.ts";
import { MODEL_PLAN_OPTIONS } from "../model/plan.ts";
import type { Omnibal } from "../omnibal.ts";
import { load } from "../omnibal.ts";
import { openFile, openStream } from "../read/source.ts";
import { openOutput } from "../write/index.ts";
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
import { textFormat } from "./format.ts";
import { inputOptions } from "./input.ts";
import { print } from "./print.ts";
import { interruptibly } from "./signals.ts";
import { bar, pairs, percent, table, thousands, wrap } from "./table.ts";

const PLANNED = ["schedule", "chunks", "partition", "recompute", "effort"] as const;
const PROFILED = ["samples", "tensorParallel", "dataParallel", "expertParallel"] as const;

/** What `model plan` takes. */
const planOptions: CommandOptions = {
  ...optionsOf(MODEL_PLAN_OPTIONS, ["stages", "microBatches", "memory", ...PLANNED]),
  pareto: { kind: "flag", about: "also lists splits that need less memory or send less" },
  trainer: {
    kind: "choice",
    names: [...trainers.map(({ name }) => name), "all"],
    argument: "NAME",
    about: `also prints what to paste for a trainer: ${trainers.map(({ name }) => name).join(", ")}, or all`,
  },
  trace: { kind: "text", argument: "FILE", about: "the timeline of a step, for ui.perfetto.dev" },
  json: { kind: "flag", about: "one line of JSON instead of the tables" },
};

/** What `model profile` takes. */
const profileOptions: CommandOptions = {
  "from-config": { kind: "text", argument: "FILE", about: "config.json of a model on Hugging Face" },
  ...optionsOf(CONFIG_OPTIONS, ["gpu", "efficiency", "tokens", "vit", ...PROFILED]),
  output: { kind: "text", short: "o", argument: "OUT", about: "write here instead of to standard output" },
  quiet: inputOptions.quiet,
};

const help = `Usage: omnibal model plan --stages N --micro-batches N [options] PROFILE
       omnibal model profile --from-config FILE --gpu GPU [options]

Splits a model over pipeline stages, and chooses what each stage recomputes, so
that a step takes the least time and fits the memory of each device.

PROFILE has the time and memory of each layer: measured, or estimated by
\`omnibal model profile\` from a Hugging Face config.json. - is standard input.

Options of plan:
${optionsHelp(planOptions)}

Options of profile:
${optionsHelp(profileOptions)}

${optionsHelp({ help: { kind: "flag", short: "h", about: "this text" } })}

Exit code 1 also where nothing fits: the line says what memory would do.
`;

const SUBCOMMANDS: Readonly<
  Record<string, { readonly own: CommandOptions; run(files: readonly string[], values: Values): Promise<void> }>
> = {
  plan: { own: planOptions, run: runPlan },
  profile: { own: profileOptions, run: runProfile },
};

/** Bytes of a profile or a config that are read at most. */
const MOST_TEXT = 1 << 26;

export async function readText(path: string): Promise<string> {
  const source = path === "-" ? await openStream(process.stdin) : await openFile(path);
  try {
    const bytes = await source.peek(MOST_TEXT + 1);
    if (bytes.length > MOST_TEXT) {
      throw new InputError("INVALID_FILE", `${path}: more than ${MOST_TEXT} bytes, expected a profile`);
    }
    return new TextDecoder().decode(bytes);
  } finally {
    await source.close();
  }
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  ...{ b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 },
};

/** 80GB, 74.5GiB or 80e9 as bytes. */
export function bytesOption(values: Values, name: string): number | undefined {
  const text = textOption(values, name);
  if (text === undefined) return undefined;
  const match = /^(\d+\.?\d*(?:e\d+)?|\.\d+)\s*([a-z]*)$/i.exec(text);
  const bytes = match === null ? Number.NaN : Number(match[1]) * (UNITS[match[2].toLowerCase()] ?? Number.NaN);
  if (!(bytes >= 1 && bytes <= 2 ** 50)) {
    throw new UsageError(`--${name} is ${JSON.stringify(text)}, expected bytes such as 80GB, 74.5GiB or 80e9`);
  }
  return Math.floor(bytes);
}

/** N or N,MAX. */
function rangeOption(values: Values, name: string): LoadRange | undefined {
  const text = textOption(values, name);
  if (text === undefined) return undefined;
  const parts = text.split(",").map(decimal);
  const [mean, max = mean] = parts;
  if (parts.length > 2 || !(mean > 0 && max >= mean && max <= 2 ** 31)) {
    throw new UsageError(`--${name} is ${JSON.stringify(text)}, expected N or N,MAX with MAX from N on`);
  }
  return { mean, max };
}

function chosenTrainers(values: Values): readonly Trainer[] {
  const { trainer: chosen } = givenOptions(values, planOptions as { trainer: ChoiceSpec }, "trainer");
  return trainers.filter(({ name }) => chosen === "all" || chosen === name);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function milliseconds(ms: number): string {
  return `${thousands(ms, 1)} ms`;
}

function splitTable({ byLayers, byParameters, cutsAlone, plan }: ModelComparison): string {
  const rows: [string, Split][] = [
    ["by layers", byLayers],
    ["by parameters", byParameters],
    ...(cutsAlone === undefined ? [] : ([["best cuts", cutsAlone]] as [string, Split][])),
    ["this plan", plan],
  ];
  const most = Math.max(...rows.map(([, { stepMs }]) => stepMs));
  const cells = rows.map(([name, split]) => [
    name,
    milliseconds(split.stepMs),
    bar(split.stepMs, most, 10),
    milliseconds(split.largestMs),
    percent(split.bubble),
    `${gigabytes(split.bytes)}${split.fits ? "" : " !"}`,
  ]);
  return table(["", "step", "", "largest stage", "bubble", "memory"], "lrlrrr", cells);
}

/** `vit 28, projector, decoder 3`, cut to a number of columns. */
function composition(profile: Profile, first: number, end: number, width: number): string {
  const runs: { type: string; count: number }[] = [];
  for (const { type } of profile.layers.slice(first, end)) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  const text = runs.map(({ type, count }) => (count === 1 ? type : `${type} ${count}`)).join(", ");
  const characters = Array.from(text);
  return characters.length > width ? `${characters.slice(0, width - 1).join("")}…` : text;
}

function stageTable(profile: Profile, plan: ModelPlan): string {
  const times = plan.stages.map(({ forwardMs, backwardMs }) => forwardMs + backwardMs);
  const most = Math.max(...times);
  const { memory, chunks } = plan.shape;
  const rows = plan.stages.map(({ device, chunk, first, end, recomputed }, q) => [
    chunks === 1 ? String(device) : `${device}.${chunk}`,
    end - first === 1 ? String(first) : `${first}-${end - 1}`,
    composition(profile, first, end, 15),
    recomputed.length === 0 ? "-" : String(recomputed.length),
    milliseconds(times[q]),
    bar(times[q], most, 6),
    ...(chunk === 0 ? [gigabytes(plan.devices[device].bytes), bar(plan.devices[device].bytes, memory, 6)] : ["", ""]),
  ]);
  return table(["stage", "layers", "", "recomputed", "time", "", "memory", ""], "lllrrlrl", rows);
}

/** What is saved of the step of the faster usual split (of one that fits, where one does), and by what. */
export function savings({ byLayers, byParameters, cutsAlone, plan }: ModelComparison) {
  const usual = { byLayers, byParameters };
  const [before] = (["byLayers", "byParameters"] as const).toSorted(
    (a, b) => Number(usual[b].fits) - Number(usual[a].fits) || usual[a].stepMs - usual[b].stepMs,
  );
  const { stepMs } = usual[before];
  const between = cutsAlone?.stepMs ?? plan.stepMs;
  const share = (ms: number) => (stepMs > 0 ? ms / stepMs : 0);
  return {
    before,
    all: share(stepMs - plan.stepMs),
    cuts: share(stepMs - between),
    recomputation: share(between - plan.stepMs),
  } as const;
}

function summary(profile: Profile, comparison: ModelComparison): string {
  const { plan } = comparison;
  const { schedule, stages, chunks, microBatches, memory } = plan.shape;
  const { before, all, cuts, recomputation } = savings(comparison);
  const saved = `${percent(all)} of a step split ${before === "byLayers" ? "by layers" : "by parameters"}: cuts ${percent(cuts)}, recomputation ${percent(recomputation)}`;
  const lines: [string, string][] = [
    ["model", `${profile.name ?? "unnamed"}, ${profile.layers.length} layers`],
    [
      "pipeline",
      `${stages} stages${chunks > 1 ? ` x ${chunks}` : ""} of ${gigabytes(memory)}, ${microBatches} micro-batches, ${schedule}`,
    ],
    ["saved", saved],
  ];
  if (schedule === "interleaved") lines.push(["bound", "none: interleaved stages are cut by a heuristic"]);
  else if (plan.boundMs !== undefined) {
    const gap = plan.stepMs / plan.boundMs - 1;
    lines.push([
      "bound",
      plan.isProven
        ? `${milliseconds(plan.boundMs)}: proven, no split has a shorter step`
        : `${milliseconds(plan.boundMs)}: no split has a shorter step, this one is ${percent(gap)} above`,
    ]);
  }
  if (plan.leastLargestMs !== undefined && plan.optima !== undefined) {
    const ways = plan.optima < 2 ** 53 ? thousands(plan.optima) : plan.optima.toExponential(1);
    lines.push([
      "largest",
      `${milliseconds(plan.leastLargestMs)} at best, which ${ways} split${plan.optima === 1 ? " has" : "s have"}`,
    ]);
  }
  const fit = [comparison.byLayers, comparison.byParameters].every(({ fits }) => fits)
    ? ""
    : "! is more than there is.\n";
  const note = `By layers, by parameters and best cuts recompute every layer that frees memory.\n${fit}`;
  return `${pairs(lines)}\n${splitTable(comparison)}\n\n${stageTable(profile, plan)}\n\n${note}`;
}

function paretoTable(points: readonly ParetoPoint[]): string {
  const rows = points.map(({ stepMs, bytes, transferMs, split }) => [
    milliseconds(stepMs),
    gigabytes(bytes),
    milliseconds(transferMs),
    `${split.stages.reduce((sum, { recomputed }) => sum + recomputed.length, 0)}`,
  ]);
  return table(["step", "memory", "transfers", "recomputed"], "rrrr", rows);
}

function handovers(
  omnibal: Omnibal,
  profile: Profile,
  options: ModelPlanOptions,
  plan: ModelPlan,
  chosen: readonly Trainer[],
) {
  return chosen.map(({ name, about, write }) => ({ name, about, ...write({ host: omnibal, profile, options, plan }) }));
}

function handoverText({ about, text, notes }: ReturnType<typeof handovers>[number]): string {
  const lines = notes.flatMap((note) => wrap(note, 76).map((line, i) => `${i === 0 ? "- " : "  "}${line}`));
  return `${[`${about}`, ...lines].join("\n")}\n${text === "" ? "" : `\n${text}`}`;
}

/** Numbers of milliseconds to the nanosecond, ratios to twelve decimals: the same on every host. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toFixed(12)) : value;
}

async function runPlan(files: readonly string[], values: Values): Promise<void> {
  if (files.length !== 1) {
    throw new UsageError(
      files.length === 0 ? "no PROFILE is given (- is standard input)" : "more than one PROFILE is given",
    );
  }
  const options: ModelPlanOptions = {
    stages: requiredOption(values, MODEL_PLAN_OPTIONS, "stages"),
    microBatches: requiredOption(values, MODEL_PLAN_OPTIONS, "microBatches"),
    ...given({ memory: bytesOption(values, "memory") }),
    ...givenOptions(values, MODEL_PLAN_OPTIONS, ...PLANNED),
  };
  const chosen = chosenTrainers(values);
  const trace = textOption(values, "trace");
  if (trace === "") throw new UsageError("--trace is empty, expected the name of a file");
  const traceOutput = trace === undefined ? undefined : openOutput(textFormat("the trace"), trace, files);
  const profile = parseProfile(await readText(files[0]), files[0]);
  const omnibal = await load();
  const { comparison, points, texts } = interruptibly(() => {
    const comparison = compareModel(omnibal, profile, options);
    return {
      comparison,
      points: values.pareto === true ? paretoSplits(omnibal, profile, options) : undefined,
      texts: handovers(omnibal, profile, options, comparison.plan, chosen),
    };
  });
  const { plan } = comparison;
  if (traceOutput !== undefined) {
    const { mean } = profileLoads(profile);
    const seen = simulateSplit(omnibal, profile, plan.shape, plan, new Array(plan.shape.microBatches).fill(mean));
    await traceOutput.write(chromeTrace(seen));
  }
  if (values.json === true) {
    const json = { ...comparison, saved: savings(comparison), pareto: points, trainers: texts };
    return print(`${JSON.stringify(json, rounded)}\n`);
  }
  const parts = [summary(profile, comparison)];
  if (points !== undefined) parts.push(`${paretoTable(points)}\n`);
  parts.push(...texts.map(handoverText));
  await print(parts.join("\n"));
}

async function runProfile(files: readonly string[], values: Values): Promise<void> {
  if (files.length > 0)
    throw new UsageError(`unexpected ${JSON.stringify(files[0])}: name the config with --from-config`);
  const path = textOption(values, "from-config");
  if (path === undefined) throw new UsageError("--from-config is missing");
  const gpu = textOption(values, "gpu");
  if (gpu === undefined) throw new UsageError("--gpu is missing");
  const efficiency = textOption(values, "efficiency");
  if (efficiency !== undefined && !(decimal(efficiency) > 0 && decimal(efficiency) <= 1)) {
    throw new UsageError(`--efficiency is ${JSON.stringify(efficiency)}, expected above 0 up to 1`);
  }
  const options = {
    gpu: parseGpu(gpu),
    ...given({
      efficiency: efficiency === undefined ? undefined : decimal(efficiency),
      tokens: rangeOption(values, "tokens"),
      vit: rangeOption(values, "vit"),
    }),
    ...givenOptions(values, CONFIG_OPTIONS, ...PROFILED),
  };
  const output = openOutput(textFormat("the profile"), outputOption(values) ?? process.stdout, [path]);
  const text = await readText(path);
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new InputError("INVALID_FILE", `${path}: not JSON (${(error as Error).message})`, { cause: error });
  }
  const profile = profileFromConfig(config, options, path);
  await output.write(`${JSON.stringify(profile, null, 1)}\n`);
  if (values.quiet === true) return;
  const lines = (profile.about ?? []).flatMap((line) =>
    wrap(line, 78).map((part, i) => `${i === 0 ? "" : "  "}${part}\n`),
  );
  process.stderr.write(lines.join(""));
}

export const modelCommand: Command = {
  name: "model",
  about: "splits a model into pipeline stages, and chooses what to recompute",
  help,
  options: Object.assign({}, ...Object.values(SUBCOMMANDS).map(({ own }) => own)),
  async run(paths, values) {
    const [first, ...files] = paths;
    const names = Object.keys(SUBCOMMANDS).join(" or ");
    if (first === undefined) throw new UsageError(`no ${names} is given after model`);
    if (!Object.hasOwn(SUBCOMMANDS, first)) throw new UsageError(`unknown ${JSON.stringify(first)}, expected ${names}`);
    const { own, run } = SUBCOMMANDS[first];
    const foreign = Object.keys(values).find((name) => values[name] !== undefined && !Object.hasOwn(own, name));
    if (foreign !== undefined) throw new UsageError(`--${foreign} is not for model ${first}`);
    await run(files, values);
  },
};
