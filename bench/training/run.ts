// Measured and predicted times of real training steps: costs are fitted from a log, an epoch is planned by them, run, and
// held against its prediction. tsx bench/training/run.ts [PYTHON] [ROUNDS] [INPUT...]; PYTHON needs torch. On a GPU where
// there is one.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Fit, fitCost } from "../../src/compare/index.ts";
import { publish } from "../results.ts";
import { prepare, RANKS } from "./prepare.ts";

const [python = "python3", rounds = "3", ...given] = process.argv.slice(2);
const inputs = given.length > 0 ? given : ["tiled:20000", "native:20000"];
const script = fileURLToPath(new URL("train.py", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "omnibal-training-"));

interface StepRow {
  readonly kind: "step";
  readonly run: string;
  readonly step: number;
  readonly ms: readonly number[];
  readonly loads: readonly Readonly<Record<string, number>>[];
}
type Row =
  | StepRow
  | { readonly kind: "log" | "equal"; readonly ms: number }
  | { readonly kind: "device"; readonly name: string; readonly torch: string };

function train(prepared: unknown, turns: string): Row[] {
  const [inFile, outFile] = ["prepared.json", "times.jsonl"].map((name) => join(folder, name));
  writeFileSync(inFile, JSON.stringify(prepared));
  execFileSync(python, [script, inFile, outFile, "--rounds", turns], { stdio: ["ignore", "inherit", "inherit"] });
  return readFileSync(outFile, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

/** Files by their names alone. */
const label = (input: string) =>
  input
    .split(",")
    .map((file) => basename(file))
    .join(" + ");
const percent = (x: number, digits = 1) => `${(x * 100).toFixed(digits)} %`;
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

const rows: string[][] = [];
const notes: string[] = [];
let device = "";
try {
  for (const input of inputs) {
    const usual = input.startsWith("native") ? { patches: 1, tokens: 1 } : { vit: 16, tokens: 1 };
    const log = train(prepare(input, usual), "0").filter(({ kind }) => kind === "log");
    const groups = log.map(({ kind: _, ...row }) => row as unknown as Readonly<Record<string, number>>);
    // The same log as steps of eight groups, which take as long as the slowest: what a step has beyond its slowest group.
    const names = Object.keys(groups[0]).filter((name) => name !== "ms");
    const steps = Array.from({ length: Math.floor(groups.length / RANKS) }, (_, s) => {
      const own = groups.slice(s * RANKS, (s + 1) * RANKS);
      const lists = names.map((name) => [name, own.map((row) => row[name])] as const);
      return { ...Object.fromEntries(lists), ms: Math.max(...own.map(({ ms }) => ms)) };
    });
    const fitted: Fit = fitCost([groups, steps], { warmUp: 0 });
    const { group = 0, step = 0, ...each } = fitted.cost;
    const cost = Object.fromEntries(Object.entries(each).filter(([, value]) => value > 0));
    const prepared = prepare(input, { ...cost, group, step });
    const measured = train(prepared, rounds);
    for (const row of measured) if (row.kind === "device") device = `${row.name}, torch ${row.torch}`;
    const equal = measured.flatMap((row) => (row.kind === "equal" ? [row.ms] : []));
    const noise = Math.sqrt(mean(equal.map((ms) => (ms - mean(equal)) ** 2))) / mean(equal);
    const eights = Array.from({ length: Math.floor(equal.length / RANKS) }, (_, k) =>
      equal.slice(k * RANKS, (k + 1) * RANKS),
    );
    const hindered = mean(eights.map((ms) => Math.max(...ms))) / mean(equal) - 1;
    const timeOf = (loads: Readonly<Record<string, number>>) =>
      Object.entries(loads).reduce((ms, [name, x]) => ms + (cost[name] ?? 0) * x, group);
    const epochs = prepared.runs.map(({ name, title }) => {
      const own = measured.filter((row): row is StepRow => row.kind === "step" && row.run === name);
      const steps = Array.from({ length: Math.max(...own.map(({ step }) => step)) + 1 }, (_, s) =>
        own.filter(({ step }) => step === s),
      );
      return {
        title,
        steps: steps.length,
        // Of each step, the mean of the rounds.
        seen: steps.map((turns) => mean(turns.map(({ ms }) => Math.max(...ms)))),
        // The slowest rank by the mean of its rounds.
        still: steps.map((turns) => Math.max(...turns[0].ms.map((_, r) => mean(turns.map(({ ms }) => ms[r]))))),
        told: steps.map(([{ loads }]) => Math.max(...loads.map(timeOf)) + step),
        idle: 1 - mean(own.map(({ ms }) => mean(ms) / Math.max(...ms))),
      };
    });
    const total = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0);
    const first = epochs[0];
    for (const { title, steps, seen, still, told, idle } of epochs) {
      rows.push([
        `${label(input)}: ${title}`,
        String(steps),
        mean(seen).toFixed(1),
        mean(told).toFixed(1),
        percent(mean(told) / mean(seen) - 1),
        percent(mean(told) / mean(still) - 1),
        percent(idle),
        (total(seen) / total(first.seen)).toFixed(3),
        (total(told) / total(first.told)).toFixed(3),
      ]);
    }
    const costs = fitted.costs.map(
      ({ name, ms, within }) => `${name} ${ms}${within === null ? "" : ` (± ${percent(within)})`}`,
    );
    notes.push(
      `${label(input)}: a group that is run ${equal.length} times in between takes ${mean(equal).toFixed(1)} ms, with a standard deviation of ${percent(noise)}: the machine's noise, which is in every figure. The slowest of ${RANKS} such runs takes ${percent(hindered)} more than the mean: a step of equal groups does so by noise alone, and predictions know nothing of it. Costs in ms, from ${groups.length} other groups, alone and as steps of ${RANKS}: ${costs.join(", ")}; off by ${percent(fitted.heldOut.median)} in the median on rows that were not fitted.`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}

publish(
  "Training steps",
  `A vision encoder and a causal transformer over packed sequences, 3 layers each, forward and backward, on ${device}; samples scaled down 16 times. ${RANKS} ranks, run one after another: a step takes as long as its slowest rank. ${rounds} rounds in alternating order; costs are fitted from a log of other groups before that, and plans are made by them.`,
  [
    "input, system",
    "steps",
    "measured step, ms",
    "predicted, ms",
    "error",
    "against mean times",
    "idle, measured",
    "epoch, measured",
    "epoch, predicted",
  ],
  rows,
  [
    ...notes,
    "Epochs are over that of fixed batches. Against mean times: the error where each rank's time is the mean of its rounds, so that noise has less of a say in who is slowest.",
    "The machine was shared with other work; on a CPU it is the CPU time of one thread that is measured.",
  ],
);
