import { load } from "../omnibal.ts";
import { EPOCH_SEARCH_OPTIONS } from "../search/epoch.ts";
import { SEARCH_OPTIONS, type SearchOptions, type SearchResult, type SearchRow, sampleText } from "../search/search.ts";
import { rounded } from "../write/index.ts";
import {
  type Command,
  type CommandOptions,
  decimal,
  given,
  givenOptions,
  optionsHelp,
  optionsOf,
  requiredOption,
  textOption,
  UsageError,
  type Values,
} from "./command.ts";
import { COST_OPTION } from "./cost.ts";
import { inputHelp, inputOptions, inputOptionsHelp, readFiles } from "./input.ts";
import { print } from "./print.ts";
import { Progress } from "./progress.ts";
import { asksForEpoch, runEpochSearch } from "./search-epoch.ts";
import { outputName, program, quoted } from "./shell.ts";
import { percent, table, thousands, wrap } from "./table.ts";

const NUMBERS = [
  "maxVitLimit",
  "maxTokensLimit",
  "rounds",
  "strategy",
  "candidates",
  "slack",
  "maxLeftOut",
  "seed",
  "workers",
] as const;
const options: CommandOptions = {
  ...optionsOf(SEARCH_OPTIONS, ["ranks", "samplesPerGroup", ...NUMBERS]),
  objective: {
    kind: "choice",
    names: ["epoch", "published"],
    argument: "WHAT",
    about: "published: groups, then evenness in random order;\nepoch: the predicted time of a planned epoch",
    usual: "published, unless an option of epoch is given",
  },
  ...optionsOf(EPOCH_SEARCH_OPTIONS, ["method"]),
  cost: COST_OPTION,
  ...optionsOf(EPOCH_SEARCH_OPTIONS, ["memory", "bytes"]),
  json: { kind: "flag", about: "one line of JSON instead of the table" },
};

const help = `Usage: omnibal search --ranks N --samples-per-group N [options] FILE...

Finds bounds to pack with. Tries many, packs with each, and of those that need
close to the fewest groups picks the ones that make the ranks of a step most
alike. Prints the best, why the first of them won, and the \`omnibal pack\`
command to run next.

${inputHelp}

Options:
${optionsHelp(options)}
${inputOptionsHelp}

With --objective epoch, --method, --cost or --memory it finds the bounds and the
method with which an epoch, planned by the cost, takes least time: with no
sample left out, and within the memory where that is given.

Needs --samples-per-group or one of the limits. If no bounds are within them, or
none hold every sample, it shows the nearest candidates, or the largest sample
and the bounds that it needs, and exits with code 1. The published walk counts
the samples that it leaves out, and has a winner all the same. Ratios in JSON
have at most twelve decimals.
`;

/** N, or LOW-HIGH. */
function samplesPerGroup(values: Values): number | [number, number] | undefined {
  const text = textOption(values, "samples-per-group");
  if (text === undefined) return undefined;
  // The dash of an exponent, as in 5e-1, separates nothing.
  const [low, high, ...more] = text.split(/(?<![\d.]e)-/i).map(decimal);
  if (!(low > 0) || more.length > 0 || (high !== undefined && !(high >= low))) {
    throw new UsageError(`--samples-per-group is ${JSON.stringify(text)}, expected a number above 0 or LOW-HIGH`);
  }
  return high === undefined ? low : [low, high];
}

function searchOptions(values: Values): SearchOptions {
  const options: SearchOptions = {
    ranks: requiredOption(values, SEARCH_OPTIONS, "ranks"),
    ...given({ samplesPerGroup: samplesPerGroup(values) }),
    ...givenOptions(values, SEARCH_OPTIONS, ...NUMBERS),
  };
  if (options.strategy === "reference" && options.maxLeftOut !== undefined) {
    throw new UsageError("--max-left-out is given, but it is for --strategy scan");
  }
  if (options.samplesPerGroup !== undefined) return options;
  if (options.strategy === "reference") throw new UsageError("--samples-per-group is missing");
  if (options.maxVitLimit === undefined && options.maxTokensLimit === undefined) {
    throw new UsageError("one of --samples-per-group, --max-vit-limit and --max-tokens-limit is needed");
  }
  return options;
}

/** What to run next, in lines of 80 columns if its words allow that. */
export function packLine(row: SearchRow, files: readonly string[], values: Values): string {
  const options: (readonly [string, string])[] = [
    ["--max-vit", String(row.maxVit)],
    ["--max-tokens", String(row.maxTokens)],
    // Below 64 tiles it is what pack takes by itself.
    ...(row.maxVit < 64 ? [] : [["--min-vit", String(row.minVit)] as const]),
    ["--min-tokens", String(row.minTokens)],
    ["--rounds", String(row.rounds)],
  ];
  // Without one, pack takes the same as search.
  if (values.seed !== undefined) options.push(["--seed", String(row.seed)]);
  for (const name of ["vit-field", "token-field"]) {
    const value = textOption(values, name);
    if (value !== undefined) options.push([`--${name}`, value]);
  }
  options.push(["-o", outputName(files)]);
  // A value or a file that starts with a dash is not taken for an option.
  const words = options.map(([name, value]) =>
    value.startsWith("-") ? quoted(`${name}=${value}`) : `${name} ${quoted(value)}`,
  );
  const names = files.map(quoted);
  const dashed = files.some((file) => file.startsWith("-") && file !== "-");
  const all = dashed ? [...words, "--", ...names] : [...names, ...words];
  const lines = [`${program()} pack`];
  for (const word of all) {
    const last = lines[lines.length - 1];
    // Two columns for the space and the backslash after it.
    if (last.length + 1 + word.length <= 78) lines[lines.length - 1] += ` ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines.join(" \\\n");
}

const SHOWN = 10;
const WIDTH = 80;

/** The first rows; columns go, the least telling first, until the table fits. */
function rowsTable(rows: readonly SearchRow[], winner: SearchRow | null): string {
  const shown = rows.slice(0, SHOWN);
  type Column = readonly [header: string, worth: number, cell: (row: SearchRow) => string];
  let columns: readonly Column[] = [
    ["", 9, (row) => (row === winner ? "*" : row.pareto ? "+" : row.inWindow ? "" : "-")],
    ["vit", 9, (row) => String(row.maxVit)],
    ["tokens", 9, (row) => String(row.maxTokens)],
    ["full at", 3, (row) => String(row.minTokens)],
    ["rounds", 2, (row) => String(row.rounds)],
    ["groups", 5, (row) => thousands(row.groups)],
    ["over", 6, (row) => percent(row.ratio - 1)],
    ["each", 4, (row) => row.samplesPerGroup.toFixed(2)],
    ["left out", shown.some((row) => row.leftOut > 0) ? 7 : 0, (row) => thousands(row.leftOut)],
    ["vit dist", 8, (row) => row.vitDist.toFixed(5)],
    ["token dist", 8, (row) => row.tokenDist.toFixed(5)],
  ];
  columns = columns.filter(([, worth]) => worth > 0);
  for (;;) {
    const text = table(
      columns.map(([header]) => header),
      "r".repeat(columns.length),
      shown.map((row) => columns.map(([, , cell]) => cell(row))),
    );
    const width = Math.max(...text.split("\n").map((line) => line.length));
    if (width <= WIDTH) return text;
    const least = Math.min(...columns.map(([, worth]) => worth));
    if (least >= 8) return text;
    columns = columns.filter(([, worth]) => worth !== least);
  }
}

/** What `omnibal search` prints: lines of at most 80 columns, but for long names of files. */
export function searchText(result: SearchResult, files: readonly string[], values: Values): string {
  const { winner, candidates, nearest, why, pruned } = result;
  const parts: string[] = [];
  // The rows of the published walk are in the order of its steps.
  const rows =
    winner === null
      ? nearest
      : result.strategy === "scan"
        ? candidates
        : [winner, ...candidates.filter((row) => row !== winner)];
  if (rows.length > 0) parts.push(rowsTable(rows, winner));
  const more = candidates.length - Math.min(rows.length, SHOWN);
  const outside = rows.slice(0, SHOWN).some((row) => !row.inWindow);
  const others = rows.slice(0, SHOWN).some((row) => row.pareto && row !== winner);
  const marks = [
    winner === null ? "" : "* the winner",
    outside ? "- too few or too many samples in a group (each)" : "",
    others
      ? "+ as good in its way: none is better in all of groups over the lower bound (over), vit dist and token dist"
      : "",
  ].filter((text) => text !== "");
  const notes = [
    marks.length > 0 ? `${marks.join(", ")}. ` : "",
    more > 0 ? `${thousands(more)} candidates more: --json lists them. ` : "",
    pruned > 0 ? `${thousands(pruned)} were tried on a part of the samples only. ` : "",
  ].join("");
  if (rows.length > 0 && notes !== "") parts.push(wrap(notes.trimEnd(), WIDTH).join("\n"));
  parts.push(wrap(why, WIDTH).join("\n"));
  if (winner !== null) parts.push(packLine(winner, files, values));
  return `${parts.join("\n\n")}\n`;
}

function jsonRow({ minVit: _, ...row }: SearchRow): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === "number" ? rounded(value) : value]),
  );
}

function searchJson(result: SearchResult): string {
  const { strategy, winner, candidates, pareto, nearest, why, pruned, largest, needed, beyondLimits } = result;
  return `${JSON.stringify({
    winner: winner === null ? null : jsonRow(winner),
    candidates: candidates.map(jsonRow),
    pareto: pareto.map(jsonRow),
    nearest: nearest.map(jsonRow),
    ...{ why, strategy, pruned, largest, needed, beyondLimits },
  })}\n`;
}

/** Why there is no winner, in a line. */
function noneText({ strategy, largest, needed, beyondLimits, candidates }: SearchResult, values: Values): string {
  if (strategy === "reference" || largest === null || candidates.length > 0) {
    return "no bounds found in this window and these limits";
  }
  const raised = [["max-vit-limit", needed.maxVit] as const, ["max-tokens-limit", needed.maxTokens] as const]
    .filter(([name, value]) => value > Number(textOption(values, name) ?? value))
    .map(([name, value]) => `--${name} ${value}`);
  const large = `${thousands(beyondLimits)} sample${beyondLimits === 1 ? "" : "s"} too large for these limits`;
  return `${large}, the largest is ${sampleText(largest)}: ${raised.join(" ")} would hold all`;
}

export const searchCommand: Command = {
  name: "search",
  about: "finds bounds to pack with",
  help,
  options: { ...inputOptions, ...options },
  async run(paths, values) {
    if (asksForEpoch(values)) return runEpochSearch(paths, values, samplesPerGroup(values));
    const asked = searchOptions(values);
    const lengths = await readFiles(paths, values);
    const omnibal = await load();
    const progress = new Progress("searching", values.quiet === true);
    let result: SearchResult;
    try {
      result = await omnibal.search(lengths, {
        ...asked,
        onProgress: ({ done, total, last }) =>
          progress.update(done, total === 0 ? undefined : total, `${last.maxVit} / ${last.maxTokens}`),
      });
    } finally {
      progress.end();
    }
    await print(values.json === true ? searchJson(result) : searchText(result, paths, values));
    if (result.winner !== null) {
      const out = result.winner.leftOut;
      if (out > 0 && values.quiet !== true) {
        process.stderr.write(`omnibal: the winner leaves out ${thousands(out)} of the samples: they are too large\n`);
      }
      return;
    }
    // There is a table to show, but nothing to go on with.
    process.exitCode = 1;
    process.stderr.write(`omnibal: ${noneText(result, values)}\n`);
  },
};
