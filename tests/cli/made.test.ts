// Packings and plans that do not fit what they are used with: each of these once ended with code 0 and wrong figures.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { load, SAMPLER_KINDS } from "../../src/index.ts";
import { testFolder } from "../folder.ts";
import { samples } from "../samples.ts";
import { omnibal as command } from "./run.ts";

const folder = testFolder();
const omnibal = (...args: string[]) => command(args, { cwd: folder });
const core = await load();
const bounds = ["--max-vit=9", "--max-tokens=4096", "--rounds=5"];

function lengthsFile(name: string, vit: ArrayLike<number>, tokens: ArrayLike<number>): void {
  writeFileSync(join(folder, name), JSON.stringify(Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i] }))));
}

const { vit, tokens } = samples("tiled:1000");
lengthsFile("a.json", vit.subarray(0, 400), tokens.subarray(0, 400));
lengthsFile("b.json", vit.subarray(400), tokens.subarray(400));
const packings = { json: "groups.json", jsonl: "groups.jsonl", npy: "groups-npy", xtuner: "groups-xtuner" };

beforeAll(() => {
  for (const [format, out] of Object.entries(packings)) {
    omnibal("pack", "-q", "a.json", "b.json", ...bounds, "--format", format, "-o", out);
  }
});

/** Where a file says what it was made of. */
const says = (out: string) => (out.includes(".") ? out : `${out}/packing.json`);

describe("a packing used with other samples", () => {
  const refused = (...args: string[]) => {
    const { code, out, err } = omnibal(...args);
    expect([code, out]).toEqual([1, ""]);
    return err.replaceAll(/[0-9a-f]{16}/g, "#");
  };

  test.each(Object.values(packings))("FILEs in another order than at pack: %s", (out) => {
    for (const name of ["evaluate", "plan"]) {
      expect(omnibal(name, "a.json", "b.json", "-q", "--packing", out, "--ranks=8").code).toBe(0);
      expect(refused(name, "b.json", "a.json", "--packing", out, "--ranks=8")).toBe(
        `omnibal: ${says(out)}: made of other samples, or of the files in another order: vit was #, now it is #\n`,
      );
    }
  });

  test.each([packings.jsonl, packings.xtuner])("more or fewer samples: %s", (out) => {
    expect(refused("evaluate", "a.json", "--packing", out, "--ranks=8")).toBe(
      `omnibal: ${says(out)}: made of 1000 samples, there are 400 in the files given\n`,
    );
  });

  test.each([packings.jsonl, packings.xtuner])("one token more in one sample: %s", (out) => {
    lengthsFile(
      "longer.json",
      vit,
      tokens.map((t, i) => t + Number(i === 500)),
    );
    expect(refused("plan", "longer.json", "--packing", out, "--ranks=8")).toBe(
      `omnibal: ${says(out)}: made of other samples, or of the files in another order: tokens was #, now it is #\n`,
    );
  });

  test.each([packings.jsonl, packings.xtuner])("the same samples under other names are the same: %s", (out) => {
    lengthsFile("all.json", vit, tokens);
    const args = ["--packing", out, "--ranks=8", "--json"];
    expect(omnibal("evaluate", "all.json", ...args)).toEqual(omnibal("evaluate", "a.json", "b.json", ...args));
  });
});

describe("a plan used with another packing", () => {
  const pack = (out: string, ...args: string[]) =>
    omnibal("pack", "-q", "a.json", "b.json", "--max-vit=9", "--max-tokens=4096", ...args, "-o", out);

  test.each(["json", "npy"])("of another number of groups, of as many other groups: %s", (format) => {
    const out = `plan-${format}`;
    const made = ["a.json", "b.json", "-q", "--packing=groups.json", "--ranks=8", "--format", format, "-o", out];
    expect(omnibal("plan", ...made).code).toBe(0);
    const evaluate = (packing: string) => omnibal("evaluate", "a.json", "b.json", "--packing", packing, "--plan", out);
    expect(evaluate("groups.json").code).toBe(0);
    // Whatever format the packing has.
    expect(evaluate("groups-npy")).toEqual(evaluate("groups.json"));
    const groups = JSON.parse(readFileSync(join(folder, "groups.json"), "utf8")).groups.length;
    pack("one-round.json", "--rounds=1");
    const fewer = JSON.parse(readFileSync(join(folder, "one-round.json"), "utf8")).groups.length;
    expect(evaluate("one-round.json")).toEqual({
      ...{ code: 1, out: "" },
      err: `omnibal: ${out}: made for another packing: groups ${groups}, this packing has ${fewer}\n`,
    });
    const { groups: list, made: own, ...rest } = JSON.parse(readFileSync(join(folder, "groups.json"), "utf8"));
    writeFileSync(join(folder, "turned.json"), JSON.stringify({ ...rest, groups: list.toReversed() }));
    const { code, err } = evaluate("turned.json");
    expect(code).toBe(1);
    expect(err).toMatch(
      new RegExp(
        `^omnibal: ${out}: made for another packing: packing ${own.packing}, this packing has [0-9a-f]{16}\n$`,
      ),
    );
  });

  test("in the library", () => {
    const one = core.pack({ vit, tokens }, { maxVit: 9, maxTokens: 4096, rounds: 1 });
    const two = core.pack({ vit, tokens }, { maxVit: 9, maxTokens: 4096, rounds: 1, seed: 2 });
    const plan = core.plan(one, { ranks: 8 });
    expect(core.evaluatePlan(one, plan).steps).toBe(plan.length);
    expect(() => core.evaluatePlan(two, plan)).toThrow(/^the plan was made for other groups: (groups|packing) /);
  });
});

describe("a packing that was cut or edited", () => {
  const jsonl = () => readFileSync(join(folder, "groups.jsonl"), "utf8");
  const evaluated = (text: string, name = "cut.jsonl") => {
    writeFileSync(join(folder, name), text);
    return omnibal("evaluate", "a.json", "b.json", "--packing", name, "--ranks=8");
  };

  test("JSON Lines cut at the end of a line", () => {
    const lines = jsonl().split("\n");
    const groups = lines.length - 2;
    for (const kept of [0, 1, groups - 1]) {
      const { code, err } = evaluated(`${lines.slice(0, 1 + kept).join("\n")}\n`);
      expect([code, err]).toEqual([1, `omnibal: cut.jsonl: the file ends after ${kept} of ${groups} groups\n`]);
    }
    expect(evaluated(jsonl() + lines[1]).err).toBe(
      `omnibal: cut.jsonl: ${groups + 1} groups, its first line says ${groups}\n`,
    );
    expect(evaluated(jsonl() + jsonl()).err).toMatch(/: a second number of groups\n$/);
    expect(evaluated(jsonl()).code).toBe(0);
  });

  test("JSON Lines without their oversize samples", () => {
    lengthsFile("wide.json", [...vit, 99], [...tokens, 1]);
    const { out } = omnibal("pack", "-q", "wide.json", ...bounds, "--format=jsonl");
    writeFileSync(join(folder, "wide.jsonl"), out.replace('{"oversize":[1000]}\n', ""));
    const { code, err } = omnibal("evaluate", "wide.json", "--packing=wide.jsonl", "--ranks=8");
    expect(code).toBe(1);
    expect(err).toMatch(
      /^omnibal: wide\.jsonl: cut or edited since it was made: its groups have fingerprint [0-9a-f]{16}, expected [0-9a-f]{16}\n$/,
    );
  });

  test("a group that is gone, or in another place", () => {
    const json = JSON.parse(readFileSync(join(folder, "groups.json"), "utf8"));
    const edited = (groups: number[][]) => evaluated(JSON.stringify({ ...json, groups }), "edited.json");
    expect(edited(json.groups).code).toBe(0);
    expect(edited(json.groups.slice(1)).err).toMatch(/^omnibal: edited\.json: cut or edited since it was made: /);
    expect(edited(json.groups.toReversed()).err).toMatch(/^omnibal: edited\.json: cut or edited since it was made: /);
    // Without `made` it is a packing of another tool.
    const { made: _, ...bare } = json;
    const { code, err } = evaluated(JSON.stringify({ ...bare, groups: json.groups.slice(1) }), "edited.json");
    expect([code, err]).toEqual([0, `omnibal: edited.json: leaves out ${json.groups[0].length} of 1,000 samples\n`]);
  });
});

describe("packings of other tools", () => {
  beforeAll(() => {
    lengthsFile("small.json", [5, 0, 9, 12, 4, 2], [2000, 1558, 93, 93, 5000, 100]);
    writeFileSync(join(folder, "foreign.json"), '{"groups":[[2],[0,1]],"oversize":[3]}');
  });

  test("samples that they leave out are counted on standard error", () => {
    const warning = "omnibal: foreign.json: leaves out 2 of 6 samples\n";
    expect(omnibal("evaluate", "small.json", "--packing=foreign.json", "--ranks=2").err).toBe(warning);
    expect(omnibal("plan", "small.json", "--packing=foreign.json", "--ranks=2").err.startsWith(warning)).toBe(true);
    expect(omnibal("plan", "-q", "small.json", "--packing=foreign.json", "--ranks=2").err).toBe("");
  });

  test("must be within the bounds, if any are given", () => {
    writeFileSync(join(folder, "bounded.json"), '{"groups":[[2],[0,1]],"stats":{"maxVit":9,"maxTokens":3000}}');
    expect(omnibal("evaluate", "small.json", "--packing=bounded.json", "--ranks=2")).toMatchObject({
      code: 1,
      err: "omnibal: bounded.json: group 1 has 3558 tokens, the packing's bound is 3000\n",
    });
  });

  test("written along with a plan, they know their samples from there on", () => {
    const args = ["small.json", "-q", "--packing=foreign.json", "--ranks=2", "--format=npy", "-o", "known"];
    expect(omnibal("plan", ...args)).toEqual({ code: 0, out: "", err: "" });
    const { made } = JSON.parse(readFileSync(join(folder, "known/packing.json"), "utf8"));
    expect(Object.keys(made)).toEqual(["version", "samples", "loads", "packing"]);
    expect(made.samples).toBe(6);
    const evaluate = (file: string) => omnibal("evaluate", "-q", file, "--packing=known", "--plan=known");
    expect(evaluate("small.json")).toMatchObject({ code: 0, err: "" });
    lengthsFile("other.json", [5, 0, 9, 12, 4, 3], [2000, 1558, 93, 93, 5000, 100]);
    expect(evaluate("other.json").err).toMatch(/^omnibal: known\/packing\.json: made of other samples, /);
  });
});

describe("plans without a step", () => {
  test("ranks 4000 and tail drop: an error, not a perfect score", () => {
    const args = ["a.json", "b.json", "--packing=groups.json", "--ranks=4000", "--tail=drop", "-o", "never.json"];
    const groups = JSON.parse(readFileSync(join(folder, "groups.json"), "utf8")).groups.length;
    expect(omnibal("plan", ...args)).toEqual({
      ...{ code: 1, out: "" },
      err: `omnibal: no step: ${groups} groups, a step takes 4000 (ranks 4000 x microBatch 1) and tail is "drop"\n`,
    });
  });

  test("of no groups: an empty plan, of which nothing is measured", () => {
    writeFileSync(join(folder, "none.json"), "[]");
    omnibal("pack", "-q", "none.json", ...bounds, "-o", "no-groups.json");
    for (const format of ["json", "npy"]) {
      const out = `no-plan-${format}`;
      const args = ["none.json", "--packing=no-groups.json", "--ranks=8", "--format", format, "-o", out];
      const { code, err } = omnibal("plan", ...args);
      expect(code).toBe(0);
      expect(err).toContain("steps    0 of 8 ranks x 1 group\n");
      expect(err).not.toContain("published");
      const seen = omnibal("evaluate", "none.json", "--packing=no-groups.json", "--plan", out);
      expect([seen.code, seen.err]).toEqual([0, ""]);
      expect(seen.out).toContain("steps           0\n");
      expect(seen.out).toContain("token dist      -\n");
    }
  });
});

test("evaluate and plan take the same default seed", () => {
  const args = ["a.json", "b.json", "--packing=groups.json", "--ranks=8", "--sampler=length-group", "--json"];
  expect(omnibal("evaluate", ...args)).toEqual(omnibal("evaluate", ...args, "--seed=1024"));
  const plan = ["plan", "-q", "a.json", "b.json", "--packing=groups.json", "--ranks=8"];
  expect(omnibal(...plan).out).toBe(omnibal(...plan, "--seed=1024").out);
  const packing = core.pack({ vit, tokens }, { maxVit: 9, maxTokens: 4096 });
  for (const sampler of SAMPLER_KINDS) {
    const seen = core.evaluate(packing, { ranks: 8, sampler });
    expect(seen).toEqual(core.evaluate(packing, { ranks: 8, sampler, seed: 1024 }));
    for (const seed of [0, 233]) expect(seen).not.toEqual(core.evaluate(packing, { ranks: 8, sampler, seed }));
  }
  const evaluate = (options: object) => core.evaluate(packing, { ranks: 8, sampler: "length-group", ...options });
  // The published samplers keep the seeds that they have.
  expect(evaluate({ compat: "reference" })).toEqual(evaluate({ compat: "reference", seed: 233 }));
});
