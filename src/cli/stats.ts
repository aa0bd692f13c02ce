import { printable } from "../core/printable.ts";
import { load } from "../omnibal.ts";
import type { LengthStats, LoadStats } from "../pack/stats.ts";
import { type Command, type CommandOptions, optionsHelp } from "./command.ts";
import { inputHelp, inputOptions, inputOptionsHelp, namedLoads, readFiles } from "./input.ts";
import { print } from "./print.ts";
import { bar, table, thousands } from "./table.ts";

const options = {
  json: { kind: "flag", about: "one line of JSON instead of the tables" },
} as const satisfies CommandOptions;

const help = `Usage: omnibal stats [options] FILE...

Shows how many samples there are, how their image tiles (vit) and tokens are
distributed, and how many tokens there are per tile.

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
    // The end of a path tells more than its start.
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

export const statsCommand: Command = {
  name: "stats",
  about: "shows how the tiles and tokens of samples are distributed",
  help,
  options: { ...inputOptions, ...options },
  async run(paths, values) {
    const loads = namedLoads(values);
    const lengths = await readFiles(paths, values, loads);
    const omnibal = await load();
    await print(
      values.json === true ? omnibal.statsText(lengths, loads) : statsTables(omnibal.stats(lengths), lengths.files),
    );
  },
};
