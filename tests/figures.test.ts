// The figures that the README states and that are the same on every machine.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bestFitDecreasing } from "../bench/best-fit.ts";
import { load } from "../src/index.ts";
import { needs } from "./needs.ts";
import { noData, samples } from "./samples.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const omnibal = await load();

/** The cells of the README's table whose header begins with `first`, row by row. */
function table(first: string): string[][] {
  const [, rows] = new RegExp(`^\\| ${first} \\|.*\\n\\|[-:|]+\\|\\n((?:\\|.*\\n)+)`, "m").exec(readme)!;
  return Array.from(rows.matchAll(/^\|(.*)\|$/gm), ([, row]) => row.split("|").map((cell) => cell.trim()));
}

describe("groups of each packer", () => {
  const inputs: Record<string, string> = { ai2d: "ai2d_train_12k", synthdog: "synthdog_en" };
  let name = "";
  for (const [label, ...cells] of table("groups")) {
    const [, what, maxVit, maxTokens] = /^(.*), (\d+) \/ (\d+)$/.exec(label)!;
    const generated = /^([\d,]+) (generated|uniform) samples$/.exec(what);
    if (generated !== null) {
      name = `${generated[2] === "uniform" ? "uniform" : "tiled"}:${generated[1].replaceAll(",", "")}`;
    } else if (what !== "the same") name = inputs[what];
    const input = name;
    test(label, needs(noData(input)), () => {
      const bounds = { maxVit: Number(maxVit), maxTokens: Number(maxTokens) };
      const rounds: number[] = [];
      omnibal.pack(samples(input), { ...bounds, onRound: ({ groups }) => rounds.push(groups) });
      const seen = [
        omnibal.lowerBound(samples(input), bounds).best,
        omnibal.pack(samples(input), { ...bounds, method: "balanced" }).length,
        Math.min(...rounds),
        bestFitDecreasing(samples(input), bounds.maxVit, bounds.maxTokens).groups,
      ];
      expect(seen.map((groups) => groups.toLocaleString("en"))).toEqual(cells);
    });
  }

  test("there are seven", () => expect(table("groups")).toHaveLength(7));
});

test("the packings of the published code that prove its groups", () => {
  const { isf } = JSON.parse(readFileSync(new URL("vectors/isf.json", import.meta.url), "utf8")) as {
    isf: { lost_though_fitting: number }[];
  };
  const [, count] = /which (\d+) packings of the published code prove/.exec(readme)!;
  expect(isf.filter((vector) => vector.lost_though_fitting === 0)).toHaveLength(Number(count));
});

test("what the published code takes is what bench:published has measured last", () => {
  const results = readFileSync(new URL("../bench/RESULTS.md", import.meta.url), "utf8");
  const row = /^\| tiled:1200000 \| 1,200,000 \| 297,070 \| (\d+) \| [\d.]+ \| (\d+) \(.*?\) \| [\d.]+ \| (\d+) \(/m;
  const [, ms, first, later] = row.exec(results)!;
  const claim =
    /takes ([\d.]+) s of CPU time for this: (\d+) times as much as the first `pack` of a\nprocess, (\d+) times/;
  expect(claim.exec(readme)!.slice(1)).toEqual([(Number(ms) / 1000).toFixed(1), first, later]);
});
