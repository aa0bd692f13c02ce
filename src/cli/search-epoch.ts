// `omnibal search` where it minimises the predicted time of an epoch.
import { load } from "../omnibal.ts";
import {
  EPOCH_SEARCH_OPTIONS,
  type EpochSearchOptions,
  type EpochSearchResult,
  type EpochSearchRow,
} from "../search/epoch.ts";
import { rounded } from "../write/index.ts";
import { decimal, given, givenOptions, requiredOption, textOption, UsageError, type Values } from "./command.ts";
import { costOption, namedNumbers } from "./cost.ts";
import { readFiles } from "./input.ts";
import { print } from "./print.ts";
import { Progress } from "./progress.ts";
import { outputName, program, quoted } from "./shell.ts";
import { percent, table, thousands, wrap } from "./table.ts";

const WIDTH = 80;
const SHOWN = 10;

/** Options that are for the published objective only. */
const PUBLISHED_ONLY = ["strategy", "slack", "max-left-out"];
/** Options that ask for the epoch by themselves. */
const EPOCH_ONLY = ["method", "cost", "memory", "bytes"];

/** Whether the epoch is what is to be minimised. */
export function asksForEpoch(values: Values): boolean {
  const objective = textOption(values, "objective");
  const own = EPOCH_ONLY.find((name) => values[name] !== undefined);
  const published = PUBLISHED_ONLY.find((name) => values[name] !== undefined);
  const isEpoch = objective === undefined ? own !== undefined : objective === "epoch";
  if (isEpoch && published !== undefined) {
    throw new UsageError(`--${published} is given, but it is for --objective published`);
  }
  if (!isEpoch && own !== undefined) throw new UsageError(`--${own} is given, but it is for --objective epoch`);
  return isEpoch;
}

function memoryOptions(values: Values): Pick<EpochSearchOptions, "memory" | "bytes"> {
  const memory = textOption(values, "memory");
  const bytes = textOption(values, "bytes");
  if ((memory === undefined) !== (bytes === undefined)) {
    throw new UsageError(
      `--${memory === undefined ? "bytes" : "memory"} is given alone, expected --memory and --bytes`,
    );
  }
  if (memory === undefined || bytes === undefined) return {};
  const room = decimal(memory);
  if (!(room > 0)) throw new UsageError(`--memory is ${JSON.stringify(memory)}, expected bytes, such as 60e9`);
  return { memory: room, bytes: namedNumbers("bytes", bytes, Number.MAX_VALUE, "vit, tokens or group") };
}

/** The commands to run next. */
function nextLines(
  row: EpochSearchRow,
  cost: EpochSearchResult["cost"],
  files: readonly string[],
  values: Values,
): string {
  const out = outputName(files);
  const pack = [
    ["--method", row.method],
    ["--max-vit", String(row.max.vit)],
    ["--max-tokens", String(row.max.tokens)],
    ...(row.min === undefined ? [] : [["--min-tokens", String(row.min.tokens)]]),
    ...(row.method === "isf" ? [["--rounds", String(row.rounds)]] : []),
    ...(values.seed === undefined ? [] : [["--seed", String(row.seed)]]),
  ];
  const fields = ["vit-field", "token-field"].flatMap((name) => {
    const value = textOption(values, name);
    return value === undefined ? [] : [[`--${name}`, value]];
  });
  const { vit = 0, tokens = 0, "tokens^2": squares = 0 } = cost;
  const times = `ms-per-tile=${vit},ms-per-token=${tokens}${squares > 0 ? `,ms-per-token2=${squares}` : ""}`;
  const plan = [
    ["--packing", out],
    ["--ranks", String(textOption(values, "ranks"))],
    ["--cost", times],
    ...(values.seed === undefined ? [] : [["--seed", String(row.seed)]]),
    ["-o", "plan.json"],
  ];
  const command = (name: string, options: readonly string[][]) => {
    const words = [...(files.some((file) => file.startsWith("-") && file !== "-") ? ["--"] : []), ...files.map(quoted)];
    const lines = [`${program()} ${name}`];
    for (const word of [...options, ...fields].map(([option, value]) => `${option} ${quoted(value)}`).concat(words)) {
      const last = lines[lines.length - 1];
      if (last.length + 1 + word.length <= WIDTH - 2) lines[lines.length - 1] += ` ${word}`;
      else lines.push(`  ${word}`);
    }
    return lines.join(" \\\n");
  };
  return `${command("pack", [...pack, ["-o", out]])}\n${command("plan", plan)}`;
}

function rowsTable({ candidates, winner, runnerUp, published }: EpochSearchResult): string {
  const shown = candidates.slice(0, SHOWN);
  for (const row of [runnerUp, published]) if (row !== null && !shown.includes(row)) shown.push(row);
  const mark = (row: EpochSearchRow) => (row === winner ? "*" : row === published ? "p" : row === runnerUp ? "+" : "");
  return table(
    ["", "method", "vit", "tokens", "groups", "each", "steps", "epoch", "idle"],
    "llrrrrrrr",
    shown.map((row) => [
      mark(row),
      row.method,
      thousands(row.max.vit),
      thousands(row.max.tokens),
      thousands(row.groups),
      row.samplesPerGroup.toFixed(2),
      thousands(row.steps),
      row.overIdeal.toFixed(5),
      percent(row.idle),
    ]),
  );
}

/** What `omnibal search` prints then: lines of at most 80 columns, but for long names of files. */
export function epochText(result: EpochSearchResult, files: readonly string[], values: Values): string {
  const { winner, why, cost, costAssumed } = result;
  if (winner === null) return `${wrap(why, WIDTH).join("\n")}\n`;
  const costs = Object.entries(cost).map(([name, value]) => `${name} ${value}`);
  const notes = `* the winner, + the next that differs from it by more than 3 %, p the published search's winner, planned the same way. epoch: its time over the ideal, by the cost ${costs.join(", ")}${costAssumed ? ", which is assumed: omnibal fit finds yours" : ""}.`;
  const parts = [
    rowsTable(result),
    wrap(notes, WIDTH).join("\n"),
    wrap(why, WIDTH).join("\n"),
    nextLines(winner, cost, files, values),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Numbers to twelve decimals: the same on every host. */
function shortened(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? rounded(value) : value;
}

export async function runEpochSearch(
  paths: readonly string[],
  values: Values,
  samplesPerGroup: EpochSearchOptions["samplesPerGroup"],
): Promise<void> {
  const asked: EpochSearchOptions = {
    ranks: requiredOption(values, EPOCH_SEARCH_OPTIONS, "ranks"),
    ...givenOptions(
      values,
      EPOCH_SEARCH_OPTIONS,
      "maxVitLimit",
      "maxTokensLimit",
      "rounds",
      "candidates",
      "seed",
      "workers",
      "method",
    ),
    ...given({ samplesPerGroup, cost: await costOption(values) }),
    ...memoryOptions(values),
  };
  if (
    samplesPerGroup === undefined &&
    asked.maxVitLimit === undefined &&
    asked.maxTokensLimit === undefined &&
    asked.memory === undefined
  ) {
    throw new UsageError("one of --samples-per-group, --max-vit-limit, --max-tokens-limit and --memory is needed");
  }
  const lengths = await readFiles(paths, values);
  const omnibal = await load();
  const progress = new Progress("searching", values.quiet === true);
  let result: EpochSearchResult;
  try {
    result = await omnibal.searchEpoch(lengths, {
      ...asked,
      onProgress: ({ done, total }) => progress.update(done, total, ""),
    });
  } finally {
    progress.end();
  }
  const { workers: _, ...shown } = result;
  await print(values.json === true ? `${JSON.stringify(shown, shortened)}\n` : epochText(result, paths, values));
  if (result.winner !== null) return;
  process.exitCode = 1;
  process.stderr.write("omnibal: no bounds found in this window and these limits\n");
}
