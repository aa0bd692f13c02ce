import { resolve } from "node:path";
import { MAX_INT32, MAX_UINT32 } from "../core/options.ts";
import { load } from "../omnibal.ts";
import { type SearchOptions, type SearchResult, type SearchRow, sampleText } from "../search/search.ts";
import { rounded } from "../write/index.ts";
import {
  type Command,
  choiceOption,
  decimal,
  given,
  numberOption,
  requiredNumber,
  textOption,
  UsageError,
  type Values,
} from "./command.ts";
import { inputHelp, inputOptions, inputOptionsHelp, readFiles } from "./input.ts";
import { print } from "./print.ts";
import { Progress } from "./progress.ts";
import { percent, table, thousands, wrap } from "./table.ts";

const help = `Usage: omnibal search --ranks N --samples-per-group N [options] FILE...

Finds bounds to pack with: tries many, packs with each, and takes those for
which the ranks of a step are most alike, among those with as few groups as can
be. Prints the best, why it won, and the \`omnibal pack\` line to run next.

${inputHelp}

Options:
  --ranks N           data-parallel ranks
  --samples-per-group N
                      samples in a group on average: N to N + 1, or LOW-HIGH
  --max-vit-limit N   no bound on tiles above this: what a device can take
  --max-tokens-limit N
                      the same of tokens
  --rounds N          at most so many rounds of packing (default 50)
  --strategy NAME     scan: all that the window and the limits allow;
                      reference: the published walk (default scan)
  --candidates N      how many scan tries (default 200)
  --slack RATIO       how much more groups than the best a winner may have
                      (default 0.01)
  --max-left-out N    samples that the winner of scan may leave out as too large
                      (default 0)
  --seed N            0 to 4294967295 (default 1024)
  --workers N         threads; the result is the same (default: one for each
                      processor, up to 8)
  --json              one line of JSON in place of the table
${inputOptionsHelp}

One of --samples-per-group and the limits is needed. No bounds within them, or
none that hold every sample: the nearest candidates are shown or the largest
sample and the bounds that it needs, and the exit code is 1. The published walk
counts what it leaves out, and takes its winner all the same. Ratios in JSON
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

function slackOption(values: Values): number | undefined {
  const text = textOption(values, "slack");
  if (text === undefined) return undefined;
  const slack = decimal(text);
  if (!(slack <= 1)) throw new UsageError(`--slack is ${JSON.stringify(text)}, expected a number from 0 to 1`);
  return slack;
}

function searchOptions(values: Values): SearchOptions {
  const options: SearchOptions = {
    ranks: requiredNumber(values, "ranks", 1, MAX_INT32),
    ...given({
      samplesPerGroup: samplesPerGroup(values),
      maxVitLimit: numberOption(values, "max-vit-limit", 1, MAX_INT32),
      maxTokensLimit: numberOption(values, "max-tokens-limit", 1, MAX_INT32),
      rounds: numberOption(values, "rounds", 1, MAX_INT32),
      strategy: choiceOption(values, "strategy", ["scan", "reference"]),
      candidates: numberOption(values, "candidates", 10, 100_000),
      slack: slackOption(values),
      maxLeftOut: numberOption(values, "max-left-out", 0, MAX_INT32),
      seed: numberOption(values, "seed", 0, MAX_UINT32),
      workers: numberOption(values, "workers", 0, 1024),
    }),
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

/** A word as a shell takes it, and a terminal: control characters only by their number, in a way that bash and zsh know. */
function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (!/\p{Cc}/u.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = word.replaceAll(/[\\']/g, "\\$&");
  return `$'${escaped.replaceAll(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}'`;
}

/** A name for the groups that is not of a file that they are made of. */
function outputName(files: readonly string[]): string {
  const taken = new Set(files.map((file) => resolve(file).toLowerCase()));
  let name = "groups.json";
  for (let k = 2; taken.has(resolve(name).toLowerCase()); k++) name = `groups-${k}.json`;
  return name;
}

/** How this command line was started: what npx has started is found by npx alone. */
function program(): string {
  const { npm_lifecycle_event, npm_lifecycle_script = "" } = process.env;
  return npm_lifecycle_event === "npx" && /^'?omnibal\b/.test(npm_lifecycle_script) ? "npx omnibal" : "omnibal";
}

/** What to run next, in lines of 80 columns where its words allow that. */
export function packLine(row: SearchRow, files: readonly string[], values: Values): string {
  const options: (readonly [string, string])[] = [
    ["--max-vit", String(row.maxVit)],
    ["--max-tokens", String(row.maxTokens)],
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
    // Two columns for the space and the backslash behind it.
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
  // The reference's rows stand in the order of its steps.
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

function jsonRow(row: SearchRow): Record<string, unknown> {
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
  options: {
    ...inputOptions,
    ranks: { type: "string" },
    "samples-per-group": { type: "string" },
    "max-vit-limit": { type: "string" },
    "max-tokens-limit": { type: "string" },
    rounds: { type: "string" },
    strategy: { type: "string" },
    candidates: { type: "string" },
    slack: { type: "string" },
    "max-left-out": { type: "string" },
    seed: { type: "string" },
    workers: { type: "string" },
    json: { type: "boolean" },
  },
  async run(paths, values) {
    const options = searchOptions(values);
    const lengths = await readFiles(paths, values);
    const omnibal = await load();
    const progress = new Progress("searching", values.quiet === true);
    let result: SearchResult;
    try {
      result = await omnibal.search(lengths, {
        ...options,
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
    // The table is the answer, and yet there is nothing to go on with.
    process.exitCode = 1;
    process.stderr.write(`omnibal: ${noneText(result, values)}\n`);
  },
};
