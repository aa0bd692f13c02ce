import { USUAL } from "../core/lengths.ts";
import { printable } from "../core/printable.ts";
import { load } from "../omnibal.ts";
import type { LengthStats, LoadStats, LoadsStats } from "../pack/stats.ts";
import { type Command, type CommandOptions, optionsHelp } from "./command.ts";
import { inputHelp, inputOptions, inputOptionsHelp, namedLoads, readFiles } from "./input.ts";
import { print } from "./print.ts";
import { bar, table, thousands } from "./table.ts";

const options = {
  json: { kind: "flag", about: "one line of JSON instead of the tables" },
} as const satisfies CommandOptions;

const help = `Usage: omnibal stats [options] FILE...

Shows how many samples there are, how their image tiles (vit) and tokens are
distributed, and how many tokens there are per tile; or how each of the loads is
distributed that --load or --columns names.

${inputHelp}

Options:
${optionsHelp(options)}
${inputOptionsHelp}

Percentile p is the value at rank ceil(p n / 100) of the n values in ascending
order. Ratios in JSON have six decimals.
`;

const RANKS = ["min", "p1", "p5", "p25", "p50", "p75", "p95", "p99", "max"] as const;

function decimals(value: number | null): string {
  return value === null ? "-" : thousands(value, 2);
}

function files(list: readonly { readonly path: string; readonly samples: number }[]): string {
  const shown = list.slice(0, 10).map(({ path, samples }) => {
    // The end of a path says more than its start.
    const characters = Array.from(printable(path));
    return [characters.length > 60 ? `…${characters.slice(-59).join("")}` : characters.join(""), thousands(samples)];
  });
  const more = list.length > 10 ? `\n${thousands(list.length - 10)} files more` : "";
  return `${table(["file", "samples"], "lr", shown)}${more}`;
}

function histogram(stats: LengthStats): string {
  const most = Math.max(...stats.vitHistogram.map((bin) => bin.samples));
  // A range of ten-digit numbers takes 27 columns of the 80.
  const width = (stats.vit.max ?? 0) > 9_999_999 ? 12 : 20;
  const rows = stats.vitHistogram.map((bin) => [
    bin.from === bin.to ? String(bin.from) : `${thousands(bin.from)}-${thousands(bin.to)}`,
    thousands(bin.samples),
    `${((bin.samples / stats.samples) * 100).toFixed(2)} %`,
    bin.meanTokens === null ? "-" : thousands(Math.round(bin.meanTokens)),
    bar(bin.samples, most, width),
  ]);
  return table(["vit", "samples", "share", "mean tokens", ""], "rrrrl", rows);
}

function percentiles({ vit, tokens }: LengthStats): string {
  const row = (name: string, show: (load: LoadStats) => string, of: (load: LoadStats) => number | null) => [
    name,
    show(vit),
    bar(of(vit) ?? 0, vit.max ?? 0, 14),
    show(tokens),
    bar(of(tokens) ?? 0, tokens.max ?? 0, 14),
  ];
  const rows = RANKS.map((rank) =>
    row(
      rank,
      (load) => thousands(load[rank] ?? 0),
      (load) => load[rank],
    ),
  );
  rows.push(
    row(
      "mean",
      (load) => decimals(load.mean),
      (load) => load.mean,
    ),
  );
  return table(["", "vit", "", "tokens", ""], "lrlrl", rows);
}

/** The tables of `omnibal stats`: at most 80 columns, whatever the numbers. */
export function statsTables(
  stats: LengthStats,
  list: readonly { readonly path: string; readonly samples: number }[],
): string {
  const parts = list.length > 1 ? [files(list)] : [];
  parts.push(
    [
      `samples          ${thousands(stats.samples)}`,
      `tiles            ${thousands(stats.vit.sum)}`,
      `tokens           ${thousands(stats.tokens.sum)}`,
      `tokens per tile  ${decimals(stats.tokensPerTile)}`,
    ].join("\n"),
  );
  if (stats.samples > 0) parts.push(percentiles(stats), histogram(stats));
  return `${parts.join("\n\n")}\n`;
}

/** A row for each load; ranks go, the least telling first, until the table fits 80 columns. */
function loadsTable({ samples, loads }: LoadsStats): string {
  const whole = (value: number | null) => (value === null ? "-" : thousands(value));
  const columns: readonly (readonly [header: string, worth: number, cell: (load: LoadStats) => string])[] = [
    ["min", 6, ({ min }) => whole(min)],
    ["p5", 2, ({ p5 }) => whole(p5)],
    ["p25", 1, ({ p25 }) => whole(p25)],
    ["p50", 5, ({ p50 }) => whole(p50)],
    ["p75", 1, ({ p75 }) => whole(p75)],
    ["p95", 4, ({ p95 }) => whole(p95)],
    ["p99", 3, ({ p99 }) => whole(p99)],
    ["max", 7, ({ max }) => whole(max)],
    ["mean", 6, ({ mean }) => decimals(mean)],
    ["sum", 6, ({ sum }) => thousands(sum)],
  ];
  for (let least = 0; ; least++) {
    const shown = columns.filter(([, worth]) => worth > least);
    const rows = Object.entries(loads).map(([name, load]) => [
      printable(name),
      ...shown.map(([, , cell]) => cell(load)),
    ]);
    const text = table(["", ...shown.map(([header]) => header)], `l${"r".repeat(shown.length)}`, rows);
    const isFit = Math.max(...text.split("\n").map((line) => line.length)) <= 80;
    if (isFit || least === 6) return `samples  ${thousands(samples)}\n\n${text}`;
  }
}

export const statsCommand: Command = {
  name: "stats",
  about: "shows how the tiles and tokens of samples are distributed",
  help,
  options: { ...inputOptions, ...options },
  async run(paths, values) {
    const loads = namedLoads(values);
    const lengths = await readFiles(paths, values, loads);
    const omnibal = await load();
    if (values.json === true) return print(omnibal.statsText(lengths, loads));
    const isUsual =
      loads.length === 2 && loads.every((name, k) => name === USUAL[k] && lengths[name] instanceof Int32Array);
    if (isUsual) return print(statsTables(omnibal.stats(lengths), lengths.files));
    const list = lengths.files.length > 1 ? `${files(lengths.files)}\n\n` : "";
    await print(`${list}${loadsTable(omnibal.loadStats(lengths, loads))}\n`);
  },
};
