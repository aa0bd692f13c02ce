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
  expect(run("--ranks=16", ...own, "--systems", "all").out).toContain("  LPT by tokens ");
});

test("what is wrong is said", () => {
  expect(run().err).toBe("omnibal: --ranks is missing (see omnibal compare --help)\n");
  const wrong = (...args: string[]) => run("--ranks=2", ...args).err;
  expect(wrong("--cost", "vit")).toContain('--cost has "vit", expected NAME=NUMBER');
  expect(wrong("--cost", "vit=1,vit=2")).toContain("--cost has vit twice");
  expect(wrong("--cost", "frames=1")).toContain('cost names "frames", the samples have vit, tokens');
  expect(wrong("--max-vit", "9")).toContain("--max-vit is given, but --max-tokens is missing");
  expect(wrong("--systems", "all,fast")).toContain('--systems has "all", expected all or some of fixed, ');
});

test("help", () => {
  const { out } = omnibal(["compare", "--help"]);
  expect(widest(out)).toBeLessThanOrEqual(80);
  expect(out).toContain("\n* fixed                 a fixed number of samples");
});
