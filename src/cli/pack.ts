import { setImmediate } from "node:timers/promises";
import type { LengthsInput } from "../core/lengths.ts";
import type { NumberSpec } from "../core/options.ts";
import { printable } from "../core/printable.ts";
import { load, type Omnibal } from "../omnibal.ts";
import type { IsfOptions, RoundInfo } from "../pack/isf.ts";
import type { Bounds } from "../pack/lower-bound.ts";
import type { Method } from "../pack/method.ts";
import { methods, type PackOptions } from "../pack/methods.ts";
import { methodSpec } from "../pack/option-names.ts";
import { BOUNDS, COMMON, type PackProgress, resolveLoads } from "../pack/options.ts";
import type { Packing } from "../pack/packing.ts";
import { PACK_SHARDS_OPTIONS, packShardsInSteps } from "../shards/pack.ts";
import { SHARD_OPTIONS } from "../shards/shard.ts";
import { formats, openOutput } from "../write/index.ts";
import { namesOfLoads, numbersByLoad } from "./by-load.ts";
import {
  type Command,
  type CommandOptions,
  given,
  givenOptions,
  optionName,
  optionsHelp,
  optionsOf,
  outputOption,
  requiredOption,
  textOption,
  textual,
  typed,
  UsageError,
  type Values,
} from "./command.ts";
import { chosenFormat, formatsHelp, outputOptions } from "./format.ts";
import { inputHelp, inputOptions, inputOptionsHelp, readFiles } from "./input.ts";
import { Progress } from "./progress.ts";
import { percent, seconds, thousands } from "./table.ts";

/** What decides about groups alone: `plan` has it too. */
const groupOptions = (): CommandOptions => ({
  ...optionsOf(COMMON, ["max", "maxVit", "maxTokens", "carry", "align"]),
  method: methodSpec(),
});
/** The options of every method, and those of each. */
const commonOptions = (): CommandOptions => ({
  ...groupOptions(),
  seed: COMMON.seed,
  ...optionsOf(PACK_SHARDS_OPTIONS, ["shards"]),
  ...outputOptions(formats),
});
const ownOf = ({ options }: Method) => optionsOf(options, typed(options));
const ownOptions = () => Object.assign({}, ...methods.map(ownOf)) as CommandOptions;
/** All that `pack` has to make groups by, but the seed. */
export const ownPackOptions = (): CommandOptions => ({ ...groupOptions(), ...ownOptions() });

const help = () => `Usage: omnibal pack --max-vit N --max-tokens N [options] FILE...
       omnibal pack --max NAME=N,... [options] FILE...

Packs samples into groups bounded on each load: image tiles (vit) and tokens, or
any loads by the names of their fields. NAME^2 is the sum of the squares of
NAME's values. The same input, options and seed give the same groups. Every
sample ends up in exactly one group, or in the list of oversize samples, which
exceed a bound by themselves.

${inputHelp}

Options:
${optionsHelp(commonOptions())}
${inputOptionsHelp}

${methods.map(methodHelp).join("\n\n")}

Formats:
${formatsHelp(formats)}

Samples are numbered from 0. OUT appears once it is complete, or not at all. The
mix shown at the end is the variance of tokens within groups over that of a
random draw: well below 1, the samples of a group are alike in length. If no
packing of tiles and tokens can fill a bound to 70 %, bounds that suit the
samples better are named.
`;

function methodHelp(method: Method): string {
  const { about } = method;
  const own = optionsHelp(ownOf(method));
  return own === "" ? `${about}.` : `${about}:\n${own}`;
}

/** What is asked of `pack`; `usual` is the method where none is named. */
export function packOptions(values: Values, usual = methods[0].name): PackOptions {
  const { method = usual } = givenOptions(values, { method: methodSpec() }, "method");
  const { options: own } = methods.find(({ name }) => name === method) as Method;
  for (const other of methods) {
    const foreign = Object.keys(other.options).find((name) => values[optionName(name)] !== undefined && !(name in own));
    if (foreign === undefined) continue;
    throw new UsageError(`--${optionName(foreign)} is given, but it is for --method ${other.name}`);
  }
  const max = numbersByLoad(values, "max", 1);
  const short =
    max === undefined
      ? { maxVit: requiredOption(values, BOUNDS, "maxVit"), maxTokens: requiredOption(values, BOUNDS, "maxTokens") }
      : givenOptions(values, BOUNDS, "maxVit", "maxTokens");
  return {
    method,
    ...givenOptions(values, own as Readonly<Record<string, NumberSpec>>, ...textual(own)),
    ...given({ max, min: numbersByLoad(values, "min", 0), carry: namesOfLoads(values, "carry") }),
    ...givenOptions(values, COMMON, "align", "seed"),
    ...short,
    lowerBound: "tight",
  } as PackOptions;
}

function shardsOption(values: Values): number | "auto" | undefined {
  return textOption(values, "shards") === "auto" ? "auto" : givenOptions(values, SHARD_OPTIONS, "shards").shards;
}

/** What the bar says beside its percentage. */
function progressNote(progress: PackProgress | RoundInfo): string {
  const groups = progress.groups > 0 ? `${thousands(progress.groups)} groups` : "";
  return "round" in progress ? `round ${thousands(progress.round)}, ${groups}` : groups;
}

/** Packs with a turn of the event loop after each piece of the work, so that signals are answered and the bar is drawn. */
export async function packWithProgress(
  omnibal: Omnibal,
  lengths: LengthsInput,
  options: PackOptions,
  quiet: boolean,
  shards: number | "auto" = 1,
): Promise<Packing> {
  const progress = new Progress("packing", quiet);
  const steps =
    shards === 1
      ? omnibal.packInRounds(lengths, options)
      : packShardsInSteps(omnibal.core, lengths, { ...options, lowerBound: "linear", shards });
  try {
    let step = steps.next();
    while (!step.done) {
      progress.update(step.value.done, 1, progressNote(step.value));
      await setImmediate();
      step = steps.next();
    }
    return step.value;
  } finally {
    progress.end();
  }
}

function mixLine({ mix }: Packing): string {
  return mix === null ? "-" : `${mix.toFixed(3)}, where 1 is a random draw`;
}

function oversizeLine({ oversize }: Packing): string {
  if (oversize.length === 0) return "none";
  const first = Array.from(oversize.subarray(0, 3)).join(", ");
  return `${thousands(oversize.length)} in no group: ${first}${oversize.length > 3 ? ", ..." : ""}`;
}

/** Bounds that suit the samples better, as options: those of each that are others than now. */
function adviceLine(bounds: Bounds, advised: readonly Bounds[]): string {
  const options = advised.map(({ maxVit, maxTokens }) =>
    [
      maxVit === bounds.maxVit ? "" : `--max-vit ${maxVit}`,
      maxTokens === bounds.maxTokens ? "" : `--max-tokens ${maxTokens}`,
    ].filter((text) => text !== ""),
  );
  return `do not suit: ${options.map((texts) => texts.join(" ")).join(" or ")} would`;
}

/** What a group holds of a load. */
function loadLine({ stats, bounds, loads }: Packing, name: string): string {
  if (!Object.hasOwn(bounds.max, name)) {
    return `${thousands((loads[name] as Float64Array).reduce((sum, own) => sum + own, 0))} in groups, without a bound`;
  }
  return `${percent(stats.fill[name])} of ${thousands(bounds.max[name])} in a group filled`;
}

/** Loads of which a group is full below the bound, because they have many values and nobody said when it is. */
function fineLines({ bounds, method }: Packing, options: PackOptions): string[][] {
  if (method !== "isf") return [];
  const { min, minVit } = options as IsfOptions;
  const asked = { ...min, ...given({ vit: minVit }) };
  return Object.keys(bounds.max)
    .filter((name) => name !== "tokens" && !Object.hasOwn(asked, name) && bounds.min[name] < bounds.max[name])
    .map((name) => ["full at", `${thousands(bounds.min[name])} ${printable(name)}: 99 %, as it has over 64 values`]);
}

/** How good a packing is, for people: lines of at most 80 columns. `advised` is what `suitableBounds` says of its bounds. */
export function packingSummary(packing: Packing, options: PackOptions, advised: readonly Bounds[] = []): string {
  const { stats, bounds } = packing;
  const above = stats.bound > 0 ? `, ${percent(stats.groups / stats.bound - 1)} above it` : "";
  const lines = [
    ["groups", thousands(stats.groups)],
    ["lower bound", `${thousands(stats.bound)}${above}`],
    ...packing.names.map((name) => [printable(name), loadLine(packing, name)]),
    ...fineLines(packing, options),
    ...(advised.length > 0
      ? [["bounds", adviceLine({ maxVit: bounds.max.vit, maxTokens: bounds.max.tokens }, advised)]]
      : []),
    ...(packing.settings?.shards === undefined ? [] : [["shards", thousands(packing.settings.shards)]]),
    ["samples", `${thousands(stats.samples)} in groups, ${stats.samplesPerGroup.toFixed(2)} per group`],
    ["oversize", oversizeLine(packing)],
    ["mix", mixLine(packing)],
  ];
  const method = methods.find(({ name }) => name === packing.method);
  if (method !== undefined && "rounds" in method.options) lines.push(["rounds", thousands(stats.rounds)]);
  return lines.map(([name, text]) => `${`${name} `.padEnd(13)}${text}\n`).join("");
}

export const packCommand: Command = {
  name: "pack",
  about: "packs samples into groups within bounds on their loads",
  get help() {
    return help();
  },
  get options() {
    return { ...inputOptions, ...commonOptions(), ...ownOptions() };
  },
  async run(paths, values) {
    const options = packOptions(values);
    const shards = shardsOption(values);
    const out = outputOption(values);
    const format = chosenFormat(formats, values, out);
    const quiet = values.quiet === true;
    const output = openOutput(format, out ?? process.stdout, paths);
    const start = performance.now();
    const { names, max, align } = resolveLoads(options);
    const lengths = await readFiles(paths, values, names);
    output.refuseInputs(lengths.files.map((file) => file.path));
    const read = performance.now();
    const omnibal = await load();
    const packing = await packWithProgress(omnibal, lengths, options, quiet, shards);
    const packed = performance.now();
    await output.write({ core: omnibal.core, packing, ...lengths });
    if (quiet) return;
    const written = performance.now();
    const times = `${seconds(written - start)} (read ${seconds(read - start)}, pack ${seconds(packed - read)}, write ${seconds(written - packed)})`;
    const usual = names.length === 2 && Object.hasOwn(max, "vit") && Object.hasOwn(max, "tokens") && align === 1;
    const advised = usual ? omnibal.suitableBounds(lengths, { maxVit: max.vit, maxTokens: max.tokens }) : [];
    process.stderr.write(`${packingSummary(packing, options, advised)}${"time".padEnd(13)}${times}\n`);
  },
};
