// docs/glossary.md: one word for one thing, and every symbol of the paper.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../docs/glossary.md", import.meta.url), "utf8");
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, name, paper, , about]) => ({ name, paper, about }))
  .filter(({ name }) => name !== "name");
const names = rows.flatMap(({ name }) => name.split(", "));
const symbols = rows.flatMap(({ paper }) => paper.split(/, | \+ /)).filter((symbol) => symbol !== "");

test("names and symbols stand there once", () => {
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  expect(symbols.filter((symbol, i) => symbols.indexOf(symbol) !== i)).toEqual([]);
  for (const { about } of rows) expect(about).toMatch(/[.)]$/);
});

test.each([
  ...["sample", "load", "bound", "group", "packing", "rank", "step", "epoch", "micro-batch", "data parallel"],
  ...["sequence parallel", "pipeline stage", "vit", "tiles", "patches", "tokens", "pad ratio", "dist ratio"],
  ...["oversize", "ISF", "Next-Fit", "lower bound"],
])("%s is explained", (name) => expect(names).toContain(name));

test.each(["Q_v", "Q_t", "Q'_v", "Q'_t", "T", "VAR", "SUM", "M_r", "M_t", "Dist Ratio", "Pad Ratio"])(
  "the paper's %s has our name",
  (symbol) => expect(symbols).toContain(symbol),
);
