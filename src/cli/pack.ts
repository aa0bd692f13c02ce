import { setImmediate } from "node:timers/promises";
import type { Lengths } from "../core/lengths.ts";
import { MAX_INT32, MAX_UINT32 } from "../core/options.ts";
import { load, type Omnibal } from "../omnibal.ts";
import type { PackOptions, PackProgress, RoundInfo } from "../pack/options.ts";
import type { Packing, PackingBounds } from "../pack/packing.ts";
import { formats, openOutput } from "../write/index.ts";
import {
  type Command,
  numberOption,
  outputOption,
  requiredNumber,
  textOption,
  UsageError,
  type Values,
} from "./command.ts";
import { chosenFormat, formatsHelp } from "./format.ts";
import { inputHelp, inputOptions, inputOptionsHelp, readFiles } from "./input.ts";
import { Progress } from "./progress.ts";
import { percent, seconds, thousands } from "./table.ts";

const help = `Usage: omnibal pack --max-vit N --max-tokens N [options] FILE...

Packs samples into groups, each with at most so many image tiles (vit) and so
many tokens. The same input, options and seed give the same groups. Every sample
is in exactly one group, or in the list of oversize samples, which are beyond a
bound by themselves.

${inputHelp}

Options:
  --max-vit N         most tiles in a group
  --max-tokens N      most tokens in a group
  --method METHOD     isf (default) or balanced
  --seed N            0 to 4294967295 (default 1024)
  -o, --output OUT    write there and not to standard output
  --format FORMAT     ${formats.map((format) => format.name).join(", ")} (default json)
${inputOptionsHelp}

Method isf, Iterative Sampling and Filtering, makes the published groups:
  --min-vit N         a group with so many tiles is full (default: --max-vit)
  --min-tokens N      a group with so many tokens is full
                      (default: --max-tokens less 128)
  --rounds N          at most so many rounds (default 50)

Method balanced makes fewer groups, near the lower bound, in some more time:
  --effort N          0 quick, 1 normal, 2 long, 3 very long (default 1)

Formats:
${formatsHelp(formats)}

Samples are numbered from 0 on. OUT appears when it is whole, or not at all. The
mix shown at the end is the variance of tokens within groups over that of a
random draw: well below 1, the samples of a group are of one length. Where no
packing fills a bound to 70 %, the bounds do not suit the tokens per tile or the
sizes of the samples, and those that would are named.
`;

const METHODS = ["isf", "balanced"];

/** Options that only one method takes. */
const METHOD_OPTIONS: readonly (readonly [method: string, options: readonly string[]])[] = [
  ["isf", ["min-vit", "min-tokens", "rounds"]],
  ["balanced", ["effort"]],
];

function packOptions(values: Values): PackOptions {
  const method = textOption(values, "method") ?? "isf";
  if (!METHODS.includes(method)) {
    throw new UsageError(`--method is ${JSON.stringify(method)}, expected one of ${METHODS.join(", ")}`);
  }
  for (const [owner, names] of METHOD_OPTIONS) {
    const foreign = owner === method ? undefined : names.find((name) => values[name] !== undefined);
    if (foreign !== undefined) throw new UsageError(`--${foreign} is given, but it is for --method ${owner}`);
  }
  const optional = {
    minVit: numberOption(values, "min-vit", 0, MAX_INT32),
    minTokens: numberOption(values, "min-tokens", 0, MAX_INT32),
    rounds: numberOption(values, "rounds", 1, MAX_INT32),
    effort: numberOption(values, "effort", 0, 3),
    seed: numberOption(values, "seed", 0, MAX_UINT32),
  };
  return {
    method,
    maxVit: requiredNumber(values, "max-vit", 1, MAX_INT32),
    maxTokens: requiredNumber(values, "max-tokens", 1, MAX_INT32),
    lowerBound: "tight",
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  } as PackOptions;
}

/** What the bar says beside its percentage. */
function progressNote(progress: PackProgress | RoundInfo): string {
  const groups = progress.groups > 0 ? `${thousands(progress.groups)} groups` : "";
  return "round" in progress ? `round ${thousands(progress.round)}, ${groups}` : groups;
}

/** Packs with a turn of the event loop after each piece of the work, so that signals are answered and the bar is drawn. */
async function packWithProgress(
  omnibal: Omnibal,
  lengths: Lengths,
  options: PackOptions,
  quiet: boolean,
): Promise<Packing> {
  const progress = new Progress("packing", quiet);
  const steps = omnibal.packInRounds(lengths, options);
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

type Bounds = Pick<PackingBounds, "maxVit" | "maxTokens">;

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

/** How good a packing is, for people: lines of at most 80 columns. `advised` is what `suitableBounds` says of its bounds. */
export function packingSummary(packing: Packing, advised: readonly Bounds[] = []): string {
  const { stats, bounds } = packing;
  const above = stats.bound > 0 ? `, ${percent(stats.groups / stats.bound - 1)} above it` : "";
  const lines = [
    ["groups", thousands(stats.groups)],
    ["lower bound", `${thousands(stats.bound)}${above}`],
    ["vit", `${percent(stats.fillVit)} of ${thousands(bounds.maxVit)} in a group filled`],
    ["tokens", `${percent(stats.fillTokens)} of ${thousands(bounds.maxTokens)} in a group filled`],
    ...(advised.length > 0 ? [["bounds", adviceLine(bounds, advised)]] : []),
    ["samples", `${thousands(stats.samples)} in groups, ${stats.samplesPerGroup.toFixed(2)} per group`],
    ["oversize", oversizeLine(packing)],
    ["mix", mixLine(packing)],
  ];
  if (packing.method !== "balanced") lines.push(["rounds", thousands(stats.rounds)]);
  return lines.map(([name, text]) => `${name.padEnd(13)}${text}\n`).join("");
}

export const packCommand: Command = {
  name: "pack",
  about: "packs samples into groups within bounds on tiles and tokens",
  help,
  options: {
    ...inputOptions,
    "max-vit": { type: "string" },
    "max-tokens": { type: "string" },
    method: { type: "string" },
    effort: { type: "string" },
    "min-vit": { type: "string" },
    "min-tokens": { type: "string" },
    rounds: { type: "string" },
    seed: { type: "string" },
    output: { type: "string", short: "o" },
    format: { type: "string" },
  },
  async run(paths, values) {
    const options = packOptions(values);
    const out = outputOption(values);
    const format = chosenFormat(formats, values, out);
    const quiet = values.quiet === true;
    const output = openOutput(format, out ?? process.stdout, paths);
    const start = performance.now();
    const lengths = await readFiles(paths, values);
    output.refuseInputs(lengths.files.map((file) => file.path));
    const read = performance.now();
    const omnibal = await load();
    const packing = await packWithProgress(omnibal, lengths, options, quiet);
    const packed = performance.now();
    await output.write({ core: omnibal.core, packing, ...lengths });
    if (quiet) return;
    const written = performance.now();
    const times = `${seconds(written - start)} (read ${seconds(read - start)}, pack ${seconds(packed - read)}, write ${seconds(written - packed)})`;
    const advised = omnibal.suitableBounds(lengths, packing.bounds);
    process.stderr.write(`${packingSummary(packing, advised)}${"time".padEnd(13)}${times}\n`);
  },
};
