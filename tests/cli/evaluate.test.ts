import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { load, SAMPLER_KINDS } from "../../src/index.ts";
import { testFolder } from "../folder.ts";
import { vectorPacking, vectors } from "../loads.ts";
import { samples, sha256 } from "../samples.ts";
import { omnibal, widest } from "./run.ts";

const folder = testFolder();
const core = await load();
const packing = vectorPacking(core);

function lengthsFile(name: string, vit: ArrayLike<number>, tokens: ArrayLike<number>): void {
  writeFileSync(join(folder, name), JSON.stringify(Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i] }))));
}

lengthsFile("small.json", [5, 0, 9, 12, 4, 2], [2000, 1558, 93, 93, 5000, 100]);
writeFileSync(join(folder, "small-groups.json"), '{"groups":[[2],[0,1],[5]],"oversize":[3]}');
lengthsFile("tiled.json", samples("tiled:1000").vit, samples("tiled:1000").tokens);
const bounds = ["--max-vit=9", "--max-tokens=4096", "--rounds=10"];
for (const [format, out] of [
  ["json", "groups.json"],
  ["jsonl", "groups.jsonl"],
  ["npy", "groups-npy"],
  ["xtuner", "groups-xtuner"],
]) {
  omnibal(["pack", "-q", "tiled.json", ...bounds, "--format", format, "-o", out], { cwd: folder });
}

const evaluate = (...args: string[]) => omnibal(["evaluate", "tiled.json", ...args], { cwd: folder });

test("the figures of two ranks and two groups, worked out by hand", () => {
  const args = ["evaluate", "small.json", "--packing", "small-groups.json", "--ranks", "2", "--tail=drop"];
  const { code, out, err } = omnibal([...args, "--seed=3"], { cwd: folder });
  // torch.randperm(3) of seed 3 begins with 0 and 1: the groups [2] and [0, 1], 9 and 5 tiles, 93 and 3558 tokens.
  expect([code, err]).toEqual([0, "omnibal: small-groups.json: leaves out 1 of 6 samples\n"]);
  expect(out).toBe(SMALL);
  const attention = (2000 ** 2 + 1558 ** 2 - 93 ** 2) / (2 * (2000 ** 2 + 1558 ** 2));
  expect(out).toContain(`attention dist  ${attention.toFixed(6)}\n`);
  expect(out).toContain(`token dist      ${((3558 - 93) / (2 * 3558)).toFixed(6)}\n`);
  expect(out).toContain(`vit dist        ${((9 - 5) / (2 * 9)).toFixed(6)}\n`);
});

describe("--json", () => {
  test.each(["groups.json", "groups.jsonl", "groups-npy", "groups-xtuner"])("of %s is the library's", (path) => {
    for (const sampler of ["random", "length-group", "group-random"] as const) {
      const options = { ranks: 4, sampler, microBatch: 3, spSize: 2, epoch: 5, seed: 11, tail: "drop" as const };
      const { code, out, err } = evaluate(
        ...["--packing", path, "--ranks=4", "--sampler", sampler, "--micro-batch=3", "--sp-size=2"],
        ...["--epoch=5", "--seed=11", "--tail=drop", "--json"],
      );
      expect([code, err]).toEqual([0, ""]);
      const { pad, vitDist, tokenDist, attentionDist, ...counts } = core.evaluate(packing, options);
      const json = JSON.parse(out);
      expect(json).toMatchObject({ ...counts, samples: 1000, oversize: 0, missing: 0 });
      for (const [name, value] of Object.entries({ pad, vitDist, tokenDist, attentionDist })) {
        expect(Math.abs(json[name] - (value as number))).toBeLessThanOrEqual(5e-13);
      }
      expect(out.endsWith("}\n")).toBe(true);
    }
  });

  test("begins as it is documented, and is the same again", () => {
    const args = ["--packing", "groups.json", "--ranks", "8", "--json"];
    const { out } = evaluate(...args);
    expect(Object.keys(JSON.parse(out)).slice(0, 5)).toEqual(["pad", "vitDist", "tokenDist", "attentionDist", "steps"]);
    expect(evaluate(...args).out).toBe(out);
  });

  test("no step was a perfect score: ratios are null", () => {
    const { code, out } = evaluate("--packing=groups.json", "--ranks=4000", "--tail=drop", "--json");
    expect(code).toBe(0);
    const ratios = { pad: null, vitDist: null, tokenDist: null, attentionDist: null };
    expect(JSON.parse(out)).toMatchObject({ ...ratios, steps: 0, dropped: packing.length });
  });

  test("the packing is that of the vectors", () => {
    const { groups } = JSON.parse(readFileSync(join(folder, "groups.json"), "utf8")) as { groups: number[][] };
    const [{ isf_sha256 }] = Object.values(vectors.packs);
    expect(sha256(groups.map((group) => group.join(",")).join("\n"))).toBe(isf_sha256);
  });
});

describe("a plan", () => {
  const plan = (...args: string[]) =>
    omnibal(["plan", "-q", "tiled.json", "--packing=groups.json", "--ranks=8", ...args], { cwd: folder });

  test.each([
    ["json", "plan.json", []],
    ["npy", "plan-npy", []],
    ["json", "short.json", ["--tail=short", "--micro-batch=3"]],
    ["npy", "sp-npy", ["--sp-size=4", "--tail=short"]],
  ])("as %s in %s has the figures it was made with", (format, out, args) => {
    expect(plan("--format", format, "-o", out, ...args)).toEqual({ code: 0, out: "", err: "" });
    const { stats } = JSON.parse(plan(...args).out);
    const seen = evaluate("--packing=groups.json", "--plan", out, "--json");
    expect(seen).toMatchObject({ code: 0, err: "" });
    const { pad, vitDist, tokenDist, attentionDist, steps, dropped, repeated } = stats;
    expect(JSON.parse(seen.out)).toMatchObject({ pad, vitDist, tokenDist, attentionDist, steps, dropped, repeated });
  });

  test("an npy plan is a packing too", () => {
    plan("--format=npy", "-o", "both");
    const args = ["--ranks=8", "--json"];
    expect(evaluate("--packing=both", ...args).out).toBe(evaluate("--packing=groups.json", ...args).out);
  });

  test("of another packing, or other ranks, is refused", () => {
    plan("-o", "plan.json");
    const small = omnibal(["evaluate", "small.json", "--packing=small-groups.json", "--plan=plan.json"], {
      cwd: folder,
    });
    expect(small).toEqual({
      ...{ code: 1, out: "" },
      err: "omnibal: small-groups.json: leaves out 1 of 6 samples\nomnibal: plan.json: made for another packing: groups 248, this packing has 3\n",
    });
    // A plan of another tool does not say what it is for; groups that are not there are found all the same.
    writeFileSync(join(folder, "foreign.json"), '{"ranks":2,"steps":[[[0],[3]]]}');
    const foreign = ["evaluate", "-q", "small.json", "--packing=small-groups.json", "--plan=foreign.json"];
    expect(omnibal(foreign, { cwd: folder })).toEqual({
      ...{ code: 1, out: "" },
      err: "omnibal: step 0, rank 1: group 3, there are 3\n",
    });
    expect(evaluate("--packing=groups.json", "--plan=plan.json", "--ranks=4")).toEqual({
      code: 2,
      out: "",
      err: "omnibal: --ranks is 4, plan.json is for 8 (see omnibal evaluate --help)\n",
    });
  });
});

describe("errors", () => {
  test.each([
    [["--ranks=8"], 2, "--packing is missing (see omnibal evaluate --help)"],
    [["--packing=groups.json"], 2, "--ranks is missing (see omnibal evaluate --help)"],
    [
      ["--packing=groups.json", "--ranks=8", "--sampler=sorted"],
      2,
      `--sampler is "sorted", expected one of ${SAMPLER_KINDS.join(", ")} (see omnibal evaluate --help)`,
    ],
    [
      ["--packing=groups.json", "--plan=x", "--seed=1"],
      2,
      "--seed comes from the plan: leave it out with --plan (see omnibal evaluate --help)",
    ],
    [["--packing=none.json", "--ranks=8"], 1, "none.json: no such file"],
    [["--packing=tiled.json", "--ranks=8"], 1, "tiled.json: byte 1: found {, expected a list of whole numbers: ["],
    [["--packing=groups.json", "--plan=none", "--json"], 1, "none: no such file"],
    [
      ["--packing=groups.json", "--ranks=99999", "--micro-batch=99999"],
      1,
      "ranks x microBatch is 9999800001, expected at most 2147483647",
    ],
  ])("%j", (args, code, why) => {
    expect(evaluate(...args)).toEqual({ code, out: "", err: `omnibal: ${why}\n` });
  });

  test("a packing of more samples than there are", () => {
    const { code, err } = omnibal(["evaluate", "small.json", "--packing=groups.json", "--ranks=8"], { cwd: folder });
    expect([code, err]).toEqual([1, "omnibal: groups.json: made of 1000 samples, there are 6 in the files given\n"]);
    const { groups } = JSON.parse(readFileSync(join(folder, "groups.json"), "utf8"));
    writeFileSync(join(folder, "bare.json"), JSON.stringify(groups));
    const bare = omnibal(["evaluate", "small.json", "--packing=bare.json", "--ranks=8"], { cwd: folder });
    expect(bare.code).toBe(1);
    expect(bare.err).toMatch(/^omnibal: bare\.json: group 0: sample \d+, there are 6\n$/);
  });

  test("the output fits 80 columns", () => {
    expect(
      widest(evaluate("--packing=groups.json", "--ranks=2147483647", "--sampler=length-group", "--tail=drop").out),
    ).toBeLessThanOrEqual(80);
  });
});

const SMALL = `\
packing         3 groups of 4 samples, 1 oversize, 1 in none
sampler         random, 2 ranks x 1 group
steps           1
dropped         1
repeated        0
pad             0.000000
vit dist        0.222222
token dist      0.486931
attention dist  0.499327
`;
