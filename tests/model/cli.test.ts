import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { planModel } from "../../src/model/index.ts";
import { omnibal, widest } from "../cli/run.ts";
import { testFolder } from "../folder.ts";
import { samples } from "../samples.ts";
import { modelConfig, modelProfile, smallProfile } from "./models.ts";

const folder = testFolder();
const core = await load();
const cwd = { cwd: folder };

writeFileSync(join(folder, "config.json"), JSON.stringify(modelConfig("internvl-6-20b")));
writeFileSync(join(folder, "small.json"), JSON.stringify(smallProfile()));

const plan = (...args: string[]) => omnibal(["model", "plan", ...args], cwd);
const shape = ["--stages=3", "--micro-batches=6"];

describe("profile", () => {
  const args = [
    "model",
    "profile",
    "--from-config",
    "config.json",
    "--gpu",
    "a100",
    "--tensor-parallel=2",
    "--samples=4",
  ];

  test("is the library's, and its formulas are on standard error", () => {
    const { code, out, err } = omnibal([...args, "--tokens=3800,4096", "--vit=8.5,9"], cwd);
    expect(code).toBe(0);
    const own = modelProfile("internvl-6-20b", {
      ...{ tensorParallel: 2, samples: 4, tokens: { mean: 3800, max: 4096 }, vit: { mean: 8.5, max: 9 } },
    });
    const { about, ...rest } = JSON.parse(out);
    expect(rest).toEqual({ ...own, about: undefined });
    expect(
      err
        .replaceAll(/\n {2}/g, " ")
        .trim()
        .split("\n"),
    ).toEqual(about);
    expect(widest(err)).toBeLessThanOrEqual(80);
  });

  test("goes to a file, and on to a plan by standard input", () => {
    expect(omnibal([...args, "-q", "-o", "profile.json"], cwd)).toEqual({ code: 0, out: "", err: "" });
    const input = readFileSync(join(folder, "profile.json"), "utf8");
    const { code, out } = omnibal(
      ["model", "plan", "-", "--stages=4", "--micro-batches=16", "--memory=76GB", "--json"],
      { ...cwd, input },
    );
    expect(code).toBe(0);
    const own = planModel(core, modelProfile("internvl-6-20b", { tensorParallel: 2, samples: 4 }), {
      ...{ stages: 4, microBatches: 16, memory: 76e9 },
    });
    expect(JSON.parse(out).plan).toMatchObject({ cuts: own.cuts, stepMs: own.stepMs, isProven: true });
  });
});

describe("plan", () => {
  test("exactly, of a small profile", () => {
    const { code, out, err } = plan("small.json", ...shape, "--memory=9GB");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toBe(PLAN);
  });

  test("tables of large models stay within 80 columns", () => {
    omnibal(["model", "profile", "--from-config=config.json", "--gpu=a100", "-q", "-o", "large.json"], cwd);
    for (const more of [
      [],
      ["--schedule=interleaved", "--chunks=3"],
      ["--schedule=gpipe", "--micro-batches=1024", "--memory=100TB"],
    ]) {
      const { code, out, err } = plan(
        "large.json",
        "--stages=8",
        "--micro-batches=16",
        "--memory=200GB",
        "--pareto",
        "--effort=0",
        ...more,
      );
      if (more[0] === "--schedule=interleaved")
        expect([code, err]).toEqual([1, "omnibal: the list of splits is not for interleaved stages\n"]);
      else expect([code, err]).toEqual([0, ""]);
      expect(widest(out)).toBeLessThanOrEqual(80);
    }
    const { out } = plan(
      "large.json",
      "--stages=8",
      "--micro-batches=16",
      "--memory=200GB",
      "--effort=0",
      "--schedule=interleaved",
    );
    expect(out).toContain("bound     none: interleaved stages are cut by a heuristic");
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test("--json has what the tables have", () => {
    const { out } = plan("small.json", ...shape, "--memory=9GB", "--json", "--pareto", "--trainer=all");
    expect(out.endsWith("}\n")).toBe(true);
    const seen = JSON.parse(out);
    const own = planModel(core, smallProfile(), { stages: 3, microBatches: 6, memory: 9e9 });
    expect(seen.plan).toMatchObject({ cuts: own.cuts, stepMs: own.stepMs, boundMs: own.boundMs, devices: own.devices });
    expect(seen.byLayers.cuts).toEqual([3, 6]);
    expect(seen.pareto[0].stepMs).toBe(own.stepMs);
    expect(seen.trainers.map(({ name }: { name: string }) => name)).toEqual([
      ...["megatron", "torchtitan", "automodel", "deepspeed", "json"],
    ]);
    const { before, all, cuts, recomputation } = seen.saved;
    expect(all).toBeCloseTo(1 - own.stepMs / seen[before].stepMs, 9);
    expect(cuts + recomputation).toBeCloseTo(all, 9);
  });

  test("--trainer prints what to paste, --trace the timeline", () => {
    const { code, out } = plan("small.json", ...shape, "--trainer=megatron", "--trace=trace.json");
    expect(code).toBe(0);
    expect(out).toContain('--pipeline-model-parallel-size 3 \\\n--pipeline-model-parallel-layout "E');
    const { traceEvents } = JSON.parse(readFileSync(join(folder, "trace.json"), "utf8"));
    expect(traceEvents).toHaveLength(3 + 3 * 6 * 2);
  });

  test("methods of the paper", () => {
    const { code, out } = plan(
      "small.json",
      ...shape,
      "--memory=12GB",
      "--partition=paper",
      "--recompute=paper",
      "--json",
    );
    expect(code).toBe(0);
    expect(JSON.parse(out).plan).toMatchObject({ partition: "paper", recompute: "paper", isProven: false });
  });
});

describe("wrong usage: code 2 and one line", () => {
  test.each([
    [[], "no plan or profile is given after model"],
    [["draw"], 'unknown "draw", expected plan or profile'],
    [["plan"], "no PROFILE is given (- is standard input)"],
    [["plan", "a", "b"], "more than one PROFILE is given"],
    [["plan", "a"], "--stages is missing"],
    [["plan", "a", "--stages=2"], "--micro-batches is missing"],
    [["plan", "a", "--stages=0"], '--stages is "0", expected a whole number from 1 to 256'],
    [["plan", "a", ...shape, "--memory=80XB"], '--memory is "80XB", expected bytes such as 80GB, 74.5GiB or 80e9'],
    [["plan", "a", ...shape, "--memory=0"], '--memory is "0", expected bytes such as 80GB, 74.5GiB or 80e9'],
    [["plan", "a", ...shape, "--schedule=zb"], '--schedule is "zb", expected one of gpipe, 1f1b, interleaved'],
    [
      ["plan", "a", ...shape, "--trainer=nano"],
      '--trainer is "nano", expected one of megatron, torchtitan, automodel, deepspeed, json, all',
    ],
    [["plan", "a", ...shape, "--gpu=h100"], "--gpu is not for model plan"],
    [["profile", "--from-config=config.json"], "--gpu is missing"],
    [["profile", "--gpu=h100"], "--from-config is missing"],
    [["profile", "config.json", "--gpu=h100"], 'unexpected "config.json": name the config with --from-config'],
    [
      ["profile", "--from-config=config.json", "--gpu=h100", "--vit=9,8"],
      '--vit is "9,8", expected N or N,MAX with MAX from N on',
    ],
    [
      ["profile", "--from-config=config.json", "--gpu=h100", "--efficiency=0"],
      '--efficiency is "0", expected above 0 up to 1',
    ],
  ])("%j", (args, line) => {
    expect(omnibal(["model", ...args], cwd)).toEqual({
      code: 2,
      out: "",
      err: `omnibal: ${line} (see omnibal model --help)\n`,
    });
  });
});

describe("what is wrong with the input: code 1 and one line", () => {
  test.each([
    ["no.json", undefined, "no.json: no such file"],
    [".", undefined, ".: is a folder, expected a file"],
    ["bad.json", "{", "bad.json: not JSON ("],
    ["bad.json", "{}", 'bad.json: format is missing, expected "omnibal-profile"'],
    ["bad.json", '{"format":"omnibal-profile","version":9}', "bad.json: version is 9, expected 1"],
  ])("%s: %s", (name, text, why) => {
    if (text !== undefined) writeFileSync(join(folder, name), text);
    const { code, out, err } = plan(name, ...shape);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^omnibal: .*\n$/);
    expect(err).toContain(why);
  });

  test("nothing fits: what would, and no trace", () => {
    const { code, err } = plan("small.json", ...shape, "--memory=2GB", "--trace=never.json");
    expect([code, err]).toEqual([
      1,
      "omnibal: nothing fits 3 stages of 2.0 GB whatever is recomputed: about 5.4 GB would do, or more stages\n",
    ]);
    expect(existsSync(join(folder, "never.json"))).toBe(false);
  });

  test("a gpu, a config", () => {
    expect(omnibal(["model", "profile", "--from-config=config.json", "--gpu=b200"], cwd).err).toMatch(
      /^omnibal: gpu is "b200", expected h100, a100 or FLOPS,BYTES/,
    );
    expect(omnibal(["model", "profile", "--from-config=small.json", "--gpu=h100"], cwd)).toMatchObject({
      code: 1,
      err: "omnibal: small.json: hidden_size is missing, expected a whole number from 1 to 1048576\n",
    });
  });
});

describe("plan --pipeline", () => {
  const { vit, tokens } = samples("tiled:1000");
  writeFileSync(
    join(folder, "lengths.json"),
    JSON.stringify(Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i] }))),
  );
  omnibal(["pack", "-q", "lengths.json", "--max-vit=9", "--max-tokens=4096", "--rounds=5", "-o", "groups.json"], cwd);
  const profile = {
    ...smallProfile(),
    loads: { vit: { mean: 8, max: 9 }, tokens: { mean: 3000, max: 4096 } },
    layers: smallProfile().layers.map((layer) => ({
      ...layer,
      forwardMs: { per: layer.type === "vit" ? { vit: 0.4 } : { tokens: 0.0005 } },
      backwardMs: { per: layer.type === "vit" ? { vit: 0.8 } : { tokens: 0.001 } },
    })),
  };
  writeFileSync(join(folder, "loads.json"), JSON.stringify(profile));
  const args = ["plan", "lengths.json", "--packing=groups.json", "--ranks=4", "--micro-batch=8"];

  test("the same steps in less time, with the figures in stats", () => {
    const even = JSON.parse(omnibal([...args, "-q"], cwd).out);
    const { code, out, err } = omnibal([...args, "--pipeline=loads.json", "--stages=3"], cwd);
    expect(code).toBe(0);
    const seen = JSON.parse(out);
    const groups = (plan: { steps: number[][][] }) => plan.steps.map((ranks) => ranks.flat().toSorted((a, b) => a - b));
    expect(groups(seen)).toEqual(groups(even));
    expect(seen.steps).not.toEqual(even.steps);
    expect(seen.stats.stepMs).toBeCloseTo(seen.stats.epochMs / seen.steps.length, 9);
    const [, step, share] = /^pipeline 3 stages, step ([\d.,]+) ms, ([\d.]+) % less than unordered$/m.exec(err) ?? [];
    expect(Number(step.replaceAll(",", ""))).toBeCloseTo(seen.stats.stepMs, 1);
    expect(Number(share)).toBeGreaterThan(0);
    writeFileSync(join(folder, "plan.json"), out);
    expect(
      omnibal(["evaluate", "lengths.json", "--packing=groups.json", "--plan=plan.json", "--json"], cwd).out,
    ).toContain(`"vitDist":${seen.stats.vitDist}`);
    const fixed = omnibal([...args, "--pipeline=loads.json", "--stages=3", "--fixed-order", "--memory=30GB"], cwd);
    expect(fixed.err).toContain("less than unevened");
    expect(groups(JSON.parse(fixed.out))).toEqual(groups(even));
  });

  test.each([
    [["--stages=3"], 2, "--stages is given, but it is for --pipeline (see omnibal plan --help)"],
    [["--fixed-order"], 2, "--fixed-order is given, but it is for --pipeline (see omnibal plan --help)"],
    [["--pipeline=loads.json"], 2, "--pipeline is given without --stages (see omnibal plan --help)"],
    [
      ["--pipeline=loads.json", "--stages=3", "--sp-size=2"],
      2,
      "--pipeline has no place for --sp-size (see omnibal plan --help)",
    ],
    [
      ["--pipeline=loads.json", "--stages=3", "--cost=ms-per-tile=1"],
      2,
      "--cost and --pipeline are both given, expected one of them (see omnibal plan --help)",
    ],
    [["--pipeline=none.json", "--stages=3"], 1, "none.json: no such file"],
    [["--pipeline=loads.json", "--stages=11"], 1, "10 layers are too few for 11 stages of a layer or more each"],
  ])("%j", (more, code, line) => {
    expect(omnibal([...args, ...more], cwd)).toEqual({ code, out: "", err: `omnibal: ${line}\n` });
  });
});

const PLAN = `model     small, 10 layers
pipeline  3 stages of 9.0 GB, 6 micro-batches, 1f1b
saved     19.65 % of a step split by layers: cuts 0.00 %, recomputation 19.65 %
bound     174.2 ms: proven, no split has a shorter step
largest   22.0 ms at best, which 1 split has

                   step              largest stage   bubble  memory
───────────────────────────────────────────────────────────────────
by layers      216.8 ms  █████████▊        28.0 ms  29.89 %  5.3 GB
by parameters  221.2 ms  ██████████        32.0 ms  31.28 %  6.3 GB
best cuts      216.8 ms  █████████▊        28.0 ms  29.89 %  5.5 GB
this plan      174.2 ms  ███████▉          22.0 ms  26.52 %  8.2 GB

stage  layers                   recomputed     time          memory
───────────────────────────────────────────────────────────────────────────
0      0-1     vit 2                     1  21.0 ms  █████▊  8.2 GB  █████▌
1      2-5     embedding, dec…           2  22.0 ms  ██████  7.3 GB  ████▉
2      6-9     decoder 3, head           -  21.0 ms  █████▊  7.3 GB  ████▉

By layers, by parameters and best cuts recompute every layer that frees memory.
`;
