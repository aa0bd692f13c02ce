// `omnibal compare` as a user runs it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tiled } from "../../bench/inputs.ts";
import { omnibal, widest } from "../cli/run.ts";
import { testFolder } from "../folder.ts";

const folder = testFolder();
const { vit, tokens } = tiled(5000);
const records = Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i] }));
writeFileSync(join(folder, "lengths.json"), JSON.stringify(records));
const run = (...args: string[]) => omnibal(["compare", "lengths.json", ...args], { cwd: folder });

test("a table, what it assumes, and one sentence", () => {
  const { code, out, err } = run("--ranks", "16");
  expect([code, err]).toEqual([0, ""]);
  expect(widest(out)).toBeLessThanOrEqual(80);
  expect(out).toContain("bounds   vit 9, tokens ");
  expect(out).toContain(": for groups of 4 samples on average\n");
  expect(out).toContain("cost     vit 512, tokens 1: assumed, in tokens\n");
  for (const title of [
    "fixed batch, padded",
    "packed by tokens alone",
    "ISF, random order",
    "balanced + plan by cost",
  ]) {
    expect(out).toMatch(new RegExp(`^[* ]  ${title.replace("+", "\\+")} +\\d\\.\\d{4} `, "m"));
  }
  expect(out.replaceAll("\n", " ")).toMatch(/ saves \d+ % of an epoch against your batches of 4, and /);
});

test("bounds, a cost, systems and a batch of one's own", () => {
  const own = ["--max-vit", "9", "--max-tokens", "4096", "--cost", "vit=6,tokens=.02,tokens^2=4e-6,group=9.4,step=30"];
  const { out } = run("--ranks=16", ...own, "--batch=8", "--systems=fixed,lpt,balanced-plan", "--json");
  const seen = JSON.parse(out);
  expect(seen).toMatchObject({
    ...{ samples: 5000, oversize: 0, ranks: 16, batch: 8, max: { vit: 9, tokens: 4096 } },
    cost: { vit: 6, tokens: 0.02, "tokens^2": 4e-6, group: 9.4, step: 30 },
    ...{ assumed: { max: false, cost: false }, best: "balanced-plan" },
  });
  expect(seen.systems.map(({ name }: { name: string }) => name)).toEqual(["fixed", "lpt", "balanced-plan"]);
  const byName = ["--max=vit=9,tokens=4096", ...own.slice(4), "--batch=8", "--systems=fixed,lpt,balanced-plan"];
  expect(run("--ranks=16", ...byName, "--json").out).toBe(out);
  expect(run("--ranks=16", ...own, "--systems", "all").out).toContain("  LPT by tokens ");
});

test("what is wrong is said", () => {
  expect(run().err).toBe("omnibal: --ranks is missing (see omnibal compare --help)\n");
  const wrong = (...args: string[]) => run("--ranks=2", ...args).err;
  expect(wrong("--cost", "vit=1,tokens")).toContain('--cost has "tokens", expected NAME=NUMBER');
  expect(wrong("--cost", "vit=1,vit=2")).toContain("--cost has vit twice");
  expect(wrong("--cost", "frames=1")).toContain("lengths.json: record 0, byte 1: frames is missing");
  expect(wrong("--max-vit", "9")).toContain("--max-vit is given, but --max-tokens is missing");
  expect(wrong("--systems", "all,fast")).toContain('--systems has "all", expected all or some of fixed, ');
});

test("help", () => {
  const { out } = omnibal(["compare", "--help"]);
  expect(widest(out)).toBeLessThanOrEqual(80);
  expect(out).toContain("\n* fixed                 a fixed number of samples");
});

/** Groups of known costs, with noise that cancels out. */
const times = Array.from({ length: 400 }, (_, i) => {
  const [v, t] = [(i * 7) % 10, 500 + ((i * 911) % 3600)];
  return { vit: v, tokens: t, ms: (6 * v + 0.02 * t + 9.4) * (i % 2 === 0 ? 1.01 : 0.99) };
});
writeFileSync(join(folder, "times.jsonl"), times.map((row) => JSON.stringify(row)).join("\n"));
const fitted = (...args: string[]) => omnibal(["fit", ...args], { cwd: folder });

test("costs from a log: a table, the option, and the file that compare reads", () => {
  const { code, out, err } = fitted("times.jsonl", "-o", "cost.json");
  expect([code, err]).toEqual([0, ""]);
  expect(widest(out)).toBeLessThanOrEqual(80);
  expect(out).toMatch(/^rows {3}400\nnoise {2}1\.\d % of a row's time\nerror {2}1\.0 % in the median on 80 rows/);
  const [, text] = /\n--cost (vit=[\d.]+,tokens=[\d.]+,group=[\d.]+)\n$/.exec(out) ?? [];
  expect(text).toBeDefined();
  const compared = (cost: string) => JSON.parse(run("--ranks=8", "--systems=fixed", "--json", "--cost", cost).out).cost;
  const cost = compared("cost.json");
  for (const [name, truth] of Object.entries({ vit: 6, tokens: 0.02, group: 9.4 })) {
    expect(Math.abs(cost[name] / truth - 1), name).toBeLessThan(0.03);
    expect(Math.abs(compared(text)[name] / cost[name] - 1), name).toBeLessThan(0.001);
  }
});

test("one line of JSON, from standard input as CSV, of chosen fields", () => {
  const csv = ["vit,tokens,seconds", ...times.map(({ vit, tokens, ms }) => `${vit},${tokens},${ms}`)].join("\n");
  const { out } = omnibal(["fit", "-", "--json", "--time=seconds", "--loads=tokens,vit", "--warm-up=10"], {
    input: csv,
  });
  const seen = JSON.parse(out);
  expect(Object.keys(seen.cost)).toEqual(["tokens", "vit", "group"]);
  expect(seen).toMatchObject({ rows: 400, warmUp: 10, certain: true });
});

test("what is wrong with a log is said", () => {
  expect(fitted().err).toBe("omnibal: no LOG is given (- is standard input) (see omnibal fit --help)\n");
  expect(fitted("lengths.json").err).toContain('omnibal: row 0: ms is missing, it has "vit_num", "token_num"\n');
  expect(fitted("times.jsonl", "--per", "rank").err).toContain('--per is "rank", expected one of group, step');
  expect(run("--ranks=2", "--cost", "times.jsonl").err).toContain('--cost names "times.jsonl", expected a JSON object');
  expect(widest(omnibal(["fit", "--help"]).out)).toBeLessThanOrEqual(80);
});
