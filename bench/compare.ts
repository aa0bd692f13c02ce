// What an epoch takes with other ways to make batches, over the ideal: every system, on generated lengths and on files that
// are named. `npm run bench:compare -- FILE...`; files are taken together.
import { compare } from "../src/compare/index.ts";
import { load } from "../src/index.ts";
import { readLengths } from "../src/read/index.ts";
import { generate } from "./inputs.ts";
import { publish } from "./results.ts";

const files = process.argv.slice(2);
const omnibal = await load();
const inputs = [
  ...(files.length > 0 ? [[`${files.length} files`, await readLengths(files), { vit: 9, tokens: 4096 }] as const] : []),
  ...(files.length > 0
    ? [[`${files.length} files`, await readLengths(files), { vit: 28, tokens: 8192 }] as const]
    : []),
  ["tiled:1200000", generate("tiled:1200000"), { vit: 9, tokens: 4096 }] as const,
];

const rows: string[][] = [];
for (const [name, lengths, max] of inputs) {
  const seen = [64, 512].map((ranks) => compare(omnibal, lengths, { ranks, max, systems: "all" }));
  for (const [k, row] of seen[0].systems.entries()) {
    const over = seen.map(({ systems }) => systems[k].overIdeal.toFixed(4));
    const phases = seen.map(({ systems }) => systems[k].overIdealByPhase.toFixed(4));
    rows.push([
      `${name}, ${max.vit} / ${max.tokens}: ${row.title}`,
      over.join(" / "),
      phases.join(" / "),
      `${(row.idle * 100).toFixed(2)} %`,
      row.beyond.vit === 0 ? "never" : `${(row.beyond.vit * 100).toFixed(1)} %`,
    ]);
  }
}

publish(
  "Epochs",
  "The predicted time of an epoch over the ideal, at 64 / 512 ranks; a tile costs 512 tokens. Batches of `fixed` have as many samples as the mean group.",
  ["input, bounds: system", "epoch", "if ranks wait after each load", "idle at 64", "beyond the bound on vit"],
  rows,
);
