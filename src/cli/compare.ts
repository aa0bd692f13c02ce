import { COMPARE_OPTIONS, type ComparedSystem, type Comparison, compare } from "../compare/compare.ts";
import { CONSTANTS, type Cost } from "../compare/cost.ts";
import { systems } from "../compare/systems.ts";
import { USUAL } from "../core/lengths.ts";
import { load } from "../omnibal.ts";
import { BOUNDS, COMMON, resolveLoads } from "../pack/options.ts";
import { rounded } from "../write/index.ts";
import { numbersByLoad } from "./by-load.ts";
import {
  type Command,
  type CommandOptions,
  given,
  givenOptions,
  optionsHelp,
  optionsOf,
  requiredOption,
  textOption,
  UsageError,
  type Values,
} from "./command.ts";
import { COST_OPTION, costOption } from "./cost.ts";
import { inputHelp, inputOptions, inputOptionsHelp, readFiles } from "./input.ts";
import { print } from "./print.ts";
import { interruptibly } from "./signals.ts";
import { pairs, percent, table, thousands, wrap } from "./table.ts";

const options = (): CommandOptions => ({
  ...optionsOf(COMPARE_OPTIONS, ["ranks", "batch"]),
  ...optionsOf(COMMON, ["max", "maxVit", "maxTokens"]),
  cost: COST_OPTION,
  systems: { kind: "text", argument: "NAMES", about: "which to compare, or all", usual: "those that are marked" },
  ...optionsOf(COMPARE_OPTIONS, ["seed"]),
  json: { kind: "flag", about: "one line of JSON instead of the table" },
});

/** The systems, the usual ones marked: lines of at most 80 columns. */
function systemsHelp(): string {
  return systems
    .flatMap(({ name, about, usual }) =>
      wrap(about, 56).map((line, k) => `${(k === 0 ? `${usual ? "*" : " "} ${name}` : "").padEnd(24)}${line}`),
    )
    .join("\n");
}

const help = () => `Usage: omnibal compare --ranks N [options] FILE...

Predicts the time of an epoch for different ways to make batches of the same
samples, and says whether it is worth it to change.

${inputHelp}

Options:
${optionsHelp(options())}
${inputOptionsHelp}

Systems:
${systemsHelp()}

Without bounds, groups have as many samples on average as a batch has. The time
of a step is that of its slowest rank. It is predicted from the loads alone:
\`omnibal fit\` finds what each costs from a log of your trainer.
`;

function maxOption(values: Values): Readonly<Record<string, number>> | undefined {
  const max = numbersByLoad(values, "max", 1);
  const { maxVit, maxTokens } = givenOptions(values, BOUNDS, "maxVit", "maxTokens");
  if (max === undefined) {
    if (maxVit === undefined && maxTokens === undefined) return undefined;
    if (maxVit === undefined) throw new UsageError("--max-tokens is given, but --max-vit is missing");
    if (maxTokens === undefined) throw new UsageError("--max-vit is given, but --max-tokens is missing");
  }
  return resolveLoads(given({ max, maxVit, maxTokens })).max;
}

function systemsOption(values: Values): readonly string[] | "all" | undefined {
  const text = textOption(values, "systems");
  if (text === undefined || text === "all") return text;
  const names = systems.map(({ name }) => name);
  const asked = text.split(",");
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown === undefined) return asked;
  throw new UsageError(`--systems has ${JSON.stringify(unknown)}, expected all or some of ${names.join(", ")}`);
}

/** The load that fills the batches of most systems most: the one that binds. */
function fullest({ systems, best, max }: Comparison): string {
  const { fill } = systems.find(({ name }) => name === best) ?? systems[0];
  return Object.keys(max).reduce((most, name) => (fill[name] > fill[most] ? name : most));
}

const costText = (cost: Cost) =>
  Object.entries(cost)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

/** What `omnibal compare` prints: lines of at most 80 columns. */
export function compareText(comparison: Comparison): string {
  const { samples, oversize, ranks, batch, max, cost, assumed } = comparison;
  const load = fullest(comparison);
  const row = (seen: ComparedSystem) => [
    seen.name === comparison.best ? "*" : "",
    seen.title,
    seen.overIdeal.toFixed(4),
    seen.overIdealByPhase.toFixed(4),
    percent(seen.idle),
    thousands(seen.steps),
    `${(seen.fill[load] * 100).toFixed(1)} %`,
    seen.beyondAny === 0 ? "-" : `${(seen.beyondAny * 100).toFixed(1)} %`,
  ];
  const bounds = Object.entries(max).map(([name, bound]) => `${name} ${thousands(bound)}`);
  const head = pairs([
    ["samples", `${thousands(samples)}${oversize > 0 ? `, ${thousands(oversize)} beyond the bounds left out` : ""}`],
    ["ranks", thousands(ranks)],
    ["bounds", `${bounds.join(", ")}${assumed.max ? `: for groups of ${batch} samples on average` : ""}`],
    ["cost", assumed.cost ? `${costText(cost)}: assumed, in tokens` : `${costText(cost)}, in ms`],
  ]);
  const header = ["", "", "epoch", "by phase", "idle", "steps", "fill", "beyond"];
  const rows = table(header, "llrrrrrr", comparison.systems.map(row));
  const notes = `epoch: its time over the ideal, in which no rank waits and nothing is padded. by phase: the same if the ranks wait for each other after each load. fill: of the bound on ${load}. beyond: batches beyond a bound, which a device may not hold.${assumed.cost ? " Your costs may be others: omnibal fit finds them." : ""}`;
  return `${head}\n${rows}\n\n${wrap(notes, 80).join("\n")}\n\n${wrap(comparison.answer, 80).join("\n")}\n`;
}

/** Numbers to twelve decimals: the same on every host. */
function shortened(_key: string, value: unknown): unknown {
  return typeof value === "number" ? rounded(value) : value;
}

export const compareCommand: Command = {
  name: "compare",
  about: "predicts what an epoch takes, with omnibal and without",
  get help() {
    return help();
  },
  get options() {
    return { ...inputOptions, ...options() };
  },
  async run(paths, values) {
    const asked = {
      ranks: requiredOption(values, COMPARE_OPTIONS, "ranks"),
      ...givenOptions(values, COMPARE_OPTIONS, "batch", "seed"),
      ...given({ max: maxOption(values), cost: await costOption(values), systems: systemsOption(values) }),
    };
    const priced = Object.keys(asked.cost ?? {}).filter((name) => !CONSTANTS.some((own) => own === name));
    const bounded = asked.max === undefined ? USUAL : Object.keys(asked.max);
    const loads = [...new Set([...bounded, ...priced])];
    const lengths = await readFiles(paths, values, loads);
    const omnibal = await load();
    const comparison = interruptibly(() => compare(omnibal, lengths, asked));
    await print(values.json === true ? `${JSON.stringify(comparison, shortened)}\n` : compareText(comparison));
  },
};
