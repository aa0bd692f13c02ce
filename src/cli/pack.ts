import { setImmediate } from "node:timers/promises";
import type { Lengths } from "../lengths.ts";
import { load } from "../load.ts";
import type { Omnibal, PackOptions } from "../omnibal.ts";
import { MAX_INT32, MAX_UINT32 } from "../options.ts";
import type { Packing } from "../packing.ts";
import { checkOutput, formats, writeAs } from "../write/index.ts";
import { type Command, numberOption, requiredNumber, textOption, type Values } from "./command.ts";
import { chosenFormat, formatsHelp } from "./format.ts";
import { inputHelp, inputOptions, inputOptionsHelp, readFiles } from "./input.ts";
import { Progress } from "./progress.ts";
import { percent, seconds, thousands } from "./table.ts";

const help = `Usage: omnibal pack --max-vit N --max-tokens N [options] FILE...

Packs samples into groups, each with at most so many image tiles (vit) and so
many tokens, by Iterative Sampling and Filtering. The same input, options and
seed give the same groups. Every sample is in exactly one group, or in the list
of oversize samples, which are beyond a bound by themselves.

${inputHelp}

Options:
  --max-vit N         most tiles in a group
  --max-tokens N      most tokens in a group
  --min-vit N         a group with so many tiles is full (default: --max-vit)
  --min-tokens N      a group with so many tokens is full
                      (default: --max-tokens less 128)
  --rounds N          at most so many rounds (default 50)
  --seed N            0 to 4294967295 (default 1024)
  -o, --output OUT    write there and not to standard output
  --format FORMAT     ${formats.map((format) => format.name).join(", ")} (default json)
${inputOptionsHelp}

Formats:
${formatsHelp(formats)}

Samples are numbered from 0 on. OUT appears when it is whole, or not at all.
`;

function packOptions(values: Values): PackOptions {
  const optional = {
    minVit: numberOption(values, "min-vit", 0, MAX_INT32),
    minTokens: numberOption(values, "min-tokens", 0, MAX_INT32),
    rounds: numberOption(values, "rounds", 1, MAX_INT32),
    seed: numberOption(values, "seed", 0, MAX_UINT32),
  };
  return {
    maxVit: requiredNumber(values, "max-vit", 1, MAX_INT32),
    maxTokens: requiredNumber(values, "max-tokens", 1, MAX_INT32),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

/** Packs with a turn of the event loop after each round, so that signals are answered and the bar is drawn. */
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
      const { round, rounds, groups } = step.value;
      progress.update(round, rounds, `round ${thousands(round)}, ${thousands(groups)} groups`);
      await setImmediate();
      step = steps.next();
    }
    return step.value;
  } finally {
    progress.end();
  }
}

function oversizeLine({ oversize }: Packing): string {
  if (oversize.length === 0) return "none";
  const first = Array.from(oversize.subarray(0, 3)).join(", ");
  return `${thousands(oversize.length)} in no group: ${first}${oversize.length > 3 ? ", ..." : ""}`;
}

/** How good a packing is, for people: lines of at most 80 columns. */
export function packingSummary(packing: Packing): string {
  const { stats, bounds } = packing;
  const above = stats.bound > 0 ? `, ${percent(stats.groups / stats.bound - 1)} above it` : "";
  const lines = [
    ["groups", thousands(stats.groups)],
    ["lower bound", `${thousands(stats.bound)}${above}`],
    ["vit", `${percent(stats.fillVit)} of ${thousands(bounds.maxVit)} in a group filled`],
    ["tokens", `${percent(stats.fillTokens)} of ${thousands(bounds.maxTokens)} in a group filled`],
    ["samples", `${thousands(stats.samples)} in groups, ${stats.samplesPerGroup.toFixed(2)} per group`],
    ["oversize", oversizeLine(packing)],
    ["rounds", thousands(stats.rounds)],
  ];
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
    "min-vit": { type: "string" },
    "min-tokens": { type: "string" },
    rounds: { type: "string" },
    seed: { type: "string" },
    output: { type: "string", short: "o" },
    format: { type: "string" },
  },
  async run(paths, values) {
    const options = packOptions(values);
    const out = textOption(values, "output");
    const format = chosenFormat(formats, values, out);
    const quiet = values.quiet === true;
    if (out !== undefined) checkOutput(format, out);
    const start = performance.now();
    const lengths = await readFiles(paths, values);
    const read = performance.now();
    const omnibal = await load();
    const packing = await packWithProgress(omnibal, lengths, options, quiet);
    const packed = performance.now();
    await writeAs(format, { omnibal, packing, ...lengths }, out ?? process.stdout);
    if (quiet) return;
    const written = performance.now();
    const times = `${seconds(written - start)} (read ${seconds(read - start)}, pack ${seconds(packed - read)}, write ${seconds(written - packed)})`;
    process.stderr.write(`${packingSummary(packing)}${"time".padEnd(13)}${times}\n`);
  },
};
