import { type Fit, fitCost } from "../compare/fit/fit.ts";
import { type LogRecord, readLog } from "../compare/fit/log.ts";
import { printable } from "../core/printable.ts";
import { openOutput } from "../write/index.ts";
import {
  type Command,
  type CommandOptions,
  choiceOption,
  given,
  numberOption,
  optionsHelp,
  outputOption,
  textOption,
  UsageError,
} from "./command.ts";
import { textFormat } from "./format.ts";
import { print } from "./print.ts";
import { interruptibly } from "./signals.ts";
import { pairs, table, thousands, wrap } from "./table.ts";

const options: CommandOptions = {
  time: { kind: "text", argument: "FIELD", about: "the field of the time, in ms", default: "ms" },
  loads: { kind: "text", argument: "FIELDS", about: "the fields of the loads", usual: "all that are whole numbers" },
  per: {
    kind: "choice",
    names: ["group", "step"],
    argument: "WHAT",
    about: "what the time of a row is of: group or step",
    usual: "seen from the rows",
  },
  "warm-up": {
    kind: "integer",
    low: 0,
    high: 2147483647,
    about: "rows at the beginning to leave out",
    usual: "those unlike the others",
  },
  output: { kind: "text", short: "o", argument: "OUT", about: "write the costs there as JSON, for --cost OUT" },
  json: { kind: "flag", about: "one line of JSON instead of the table" },
  quiet: { kind: "flag", short: "q", about: "only errors on standard error" },
};

const help = `Usage: omnibal fit [options] LOG...

Finds what each load costs, from logs of a trainer: rows of the loads of a group
and the milliseconds that it took. Prints the --cost that plan and compare take.

LOG is JSON Lines, a JSON list, CSV with a header or Parquet, plain or gzipped;
- is standard input. A row is of one rank's groups: {"vit":9,"tokens":3900,
"tokens^2":4100000,"ms":131.5}, with "groups" where they are several; or of a
step: {"vit":[9,8,...],"tokens":[3900,...],"ms":140.2}, or a row for each "rank"
of each "step". A step takes as long as its slowest rank. The tokens^2 of a
group is the sum of the squares of its samples' tokens, not the square of a sum.

Options:
${optionsHelp({ ...options, help: { kind: "flag", short: "h", about: "this text" } })}

Costs are 0 or above. A warm-up is left out, and rows that are far from what
their loads say have no say. Constants come out as group and step, where they
can be told apart.
`;

const percent = (value: number) => `${(value * 100).toFixed(Math.abs(value) < 0.0995 ? 1 : 0)} %`;

/** A number with four digits: 6.018, 0.02013, 4.03e-6. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** The option that other commands take. */
export function costArgument({ cost }: Fit): string {
  return Object.entries(cost)
    .map(([name, value]) => `${name}=${short(value)}`)
    .join(",");
}

/** What `omnibal fit` prints: lines of at most 80 columns, but for long names of loads. */
export function fitText(seen: Fit): string {
  const { rows, warmUp, outliers, noise, heldOut, costs, warnings } = seen;
  const out = [
    warmUp > 0 ? `${thousands(warmUp)} at the beginning left out` : "",
    outliers > 0 ? `${thousands(outliers)} outliers` : "",
  ].filter((text) => text !== "");
  const head = pairs([
    ["rows", [thousands(rows), ...out].join(", ")],
    ["noise", `${percent(noise)} of a row's time`],
    [
      "error",
      `${percent(heldOut.median)} in the median on ${thousands(heldOut.rows)} rows that were not fitted, ${percent(heldOut.bias)} on average`,
    ],
  ]);
  const body = table(
    ["", "ms each", "known to", "of the time"],
    "lrrr",
    costs.map(({ name, ms, within, share }) => [
      printable(name),
      short(ms),
      within === null || !Number.isFinite(within) ? "-" : `± ${percent(within)}`,
      percent(share),
    ]),
  );
  const notes = warnings.map((text) => `${wrap(printable(text), 78).join("\n  ")}\n`);
  return `${head}\n${body}\n\n${notes.length > 0 ? `${notes.map((note) => `- ${note}`).join("")}\n` : ""}--cost ${printable(costArgument(seen))}\n`;
}

export const fitCommand: Command = {
  name: "fit",
  about: "finds what each load costs, from a log of your trainer",
  help,
  options,
  async run(paths, values) {
    if (paths.length === 0) throw new UsageError("no LOG is given (- is standard input)");
    const loads = textOption(values, "loads")?.split(",");
    if (loads?.some((name) => name === "")) throw new UsageError("--loads has an empty name");
    const time = textOption(values, "time");
    if (time === "") throw new UsageError("--time is empty, expected the name of a field");
    const asked = {
      ...given({
        ...{ time, loads },
        per: choiceOption(values, "per", ["group", "step"]),
        warmUp: numberOption(values, "warm-up", 0, 2147483647),
      }),
    };
    const out = outputOption(values);
    const output = out === undefined ? undefined : openOutput(textFormat("the costs"), out, paths);
    const logs: LogRecord[][] = [];
    for (const path of paths) logs.push(await readLog(path));
    const seen = interruptibly(() => fitCost(logs, asked));
    await output?.write(`${JSON.stringify(seen.cost)}\n`);
    await print(values.json === true ? `${JSON.stringify(seen)}\n` : fitText(seen));
  },
};
