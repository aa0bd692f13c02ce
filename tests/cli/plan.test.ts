import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decimal } from "../../src/cli/command.ts";
import { load } from "../../src/index.ts";
import { readNpy, testFolder } from "../folder.ts";
import { vectorPacking } from "../loads.ts";
import { samples } from "../samples.ts";
import { omnibal, start, widest } from "./run.ts";

const folder = testFolder();
const core = await load();
const packing = vectorPacking(core);

function lengthsFile(name: string, vit: ArrayLike<number>, tokens: ArrayLike<number>): void {
  writeFileSync(join(folder, name), JSON.stringify(Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i] }))));
}

lengthsFile("small.json", [5, 0, 9, 12, 4, 2], [2000, 1558, 93, 93, 5000, 100]);
writeFileSync(join(folder, "small-groups.json"), "[[2],[0,1],[5],[3],[4]]");
lengthsFile("tiled.json", samples("tiled:1000").vit, samples("tiled:1000").tokens);
omnibal(["pack", "-q", "tiled.json", "--max-vit=9", "--max-tokens=4096", "--rounds=10", "-o", "groups.json"], {
  cwd: folder,
});

const plan = (...args: string[]) => omnibal(["plan", "tiled.json", "--packing=groups.json", ...args], { cwd: folder });
const small = (...args: string[]) =>
  omnibal(["plan", "small.json", "--packing=small-groups.json", "--ranks=2", ...args], { cwd: folder });
const masked = (text: string) => text.replaceAll(/^time .*$/gm, (line) => line.replaceAll(/\d+\.\d\d s\b/g, "T s"));

describe("json", () => {
  test("exactly, of five groups and two ranks", () => {
    const { code, out, err } = small();
    expect([code, masked(err)]).toEqual([0, SUMMARY]);
    expect(out).toBe(JSON_TEXT);
    const { steps } = JSON.parse(out);
    // Tiles: 12 and 9, 5 and 4, 9 and 9.
    expect(err).toContain(`this plan               ${((3 / 24 + 1 / 10 + 0) / 3).toFixed(6)} `);
    // The sixth place holds one of the five for a second time.
    expect(new Set(steps.flat(2))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(steps.map((ranks: unknown[]) => ranks.length)).toEqual([2, 2, 2]);
  });

  test("is the library's plan, with all options", () => {
    const args = ["--ranks=4", "--micro-batch=2", "--sp-size=3", "--epoch=6", "--seed=9", "--tail=short"];
    const { out, err } = plan(...args, "--balance=vit=1,attention=2,tokens=.5", "-q");
    const own = core.plan(packing, {
      ...{ ranks: 4, microBatch: 2, spSize: 3, epoch: 6, seed: 9, tail: "short" },
      balance: { vit: 1, tokens: 0.5, attention: 2 },
    });
    const { ranks, steps, stats } = JSON.parse(out);
    expect([err, ranks, steps.length]).toEqual(["", 4, own.length]);
    for (const [s, row] of steps.entries()) {
      for (const [r, groups] of row.entries()) expect(groups).toEqual(Array.from(own.batch(s, r)));
    }
    expect(stats).toMatchObject({ microBatch: 2, spSize: 3, epoch: 6, seed: 9, tail: "short", steps: own.length });
    expect(stats.attentionDist).toBe(Number(own.stats.attentionDist.toFixed(12)));
    expect(plan(...args, "--balance=vit=1,attention=2,tokens=.5", "-q").out).toBe(out);
  });

  test("another epoch is another plan, of the same groups", () => {
    const groups = (epoch: number) => JSON.parse(plan("-q", "--ranks=8", `--epoch=${epoch}`).out).steps.flat(2);
    expect(groups(0)).not.toEqual(groups(1));
    expect(groups(0).toSorted((a: number, b: number) => a - b)).toEqual(Array.from(packing, (_, g) => g));
  });
});

describe("folders", () => {
  test("npy: the steps, the figures and the packing", () => {
    const args = ["--ranks=5", "--micro-batch=3", "--tail=short", "-q"];
    expect(plan(...args, "--format=npy", "-o", "npy")).toEqual({ code: 0, out: "", err: "" });
    const own = core.plan(packing, { ranks: 5, microBatch: 3, tail: "short" });
    const at = join(folder, "npy");
    const names = ["indices.npy", "offsets.npy", "oversize.npy", "packing.json", "plan.json", "plan.npy"];
    expect(readdirSync(at).sort()).toEqual(names);
    expect(readNpy(join(at, "plan.npy"))).toEqual({
      header: `{'descr': '<i8', 'fortran_order': False, 'shape': (${own.length}, 5, 3), }`,
      values: Array.from(own.order),
    });
    expect(own.order.includes(-1)).toBe(true);
    expect(readNpy(join(at, "indices.npy")).values).toEqual(Array.from(packing.indices));
    const { stats, made } = JSON.parse(plan(...args).out);
    expect(made).toEqual(own.made);
    expect(made.packing).toBe(core.made(packing).packing);
    expect(JSON.parse(readFileSync(join(at, "plan.json"), "utf8"))).toEqual({ ranks: 5, stats, made });
    // The packing is that which was read, and says what it was made of as its own file does.
    const { stats: figures, made: origin } = JSON.parse(readFileSync(join(folder, "groups.json"), "utf8"));
    const head = JSON.parse(readFileSync(join(at, "packing.json"), "utf8"));
    expect(head.made).toEqual(origin);
    expect({ ...head.stats, mix: null }).toEqual({ ...figures, mix: null });
  });

  test("xtuner: order[rank::ranks] is what each rank is handed", () => {
    const args = ["--ranks=4", "--micro-batch=3", "--format=xtuner", "-o", "xtuner", "-q"];
    expect(plan(...args).code).toBe(0);
    const own = core.plan(packing, { ranks: 4, microBatch: 3 });
    const { header, values } = readNpy(join(folder, "xtuner", "sampler_order.npy"));
    expect(header).toContain(`'shape': (${own.order.length},)`);
    for (let rank = 0; rank < 4; rank++) {
      const handed = values.filter((_, i) => i % 4 === rank);
      expect(handed).toEqual(Array.from(own.rank(rank)).flatMap((batch) => Array.from(batch)));
    }
    expect(readNpy(join(folder, "xtuner", "boundaries.npy")).values).toEqual(Array.from(packing.offsets));
    expect(JSON.parse(readFileSync(join(folder, "xtuner", "paths.json"), "utf8"))).toEqual(["tiled.json"]);
    expect(JSON.parse(readFileSync(join(folder, "xtuner", "plan.json"), "utf8")).made).toEqual(own.made);
    const { made, files } = JSON.parse(readFileSync(join(folder, "xtuner", "packing.json"), "utf8"));
    expect([made, files]).toEqual([core.made(packing), [{ path: "tiled.json", samples: 1000 }]]);
  });
});

describe("groups in plan order: group k goes to rank k % R, at step k / (R m), as its k / R % m-th", () => {
  const shape = ["--ranks=4", "--micro-batch=3"];
  const own = core.plan(packing, { ranks: 4, microBatch: 3 });
  /** Samples by the rule. */
  const expected = Array.from({ length: own.order.length }, (_, k) => {
    const group = own.batch(Math.floor(k / 12), k % 4)[Math.floor(k / 4) % 3];
    return Array.from(packing.group(group));
  });

  test("JSON, on standard output too", () => {
    const { out } = plan(...shape, "--format=groups", "-q");
    const { groups, oversize, plan: head } = JSON.parse(out);
    expect([groups, oversize, head.made]).toEqual([expected, [], own.made]);
    expect(plan(...shape, "--format=groups", "-q", "-o", "order.json").code).toBe(0);
    expect(readFileSync(join(folder, "order.json"), "utf8")).toBe(out);
  });

  test("JSON Lines", () => {
    expect(plan(...shape, "-q", "-o", "order.jsonl").code).toBe(0);
    const [head, ...rows] = readFileSync(join(folder, "order.jsonl"), "utf8").trimEnd().split("\n");
    expect(JSON.parse(head)).toMatchObject({ plan: { made: own.made }, groups: expected.length });
    expect(rows.map((row) => JSON.parse(row).group)).toEqual(expected);
    // A sample beyond a bound comes last.
    const { out } = omnibal(
      ["plan", "small.json", "--ranks=2", "--max-vit=9", "--max-tokens=4096", "--format=groups.jsonl", "-q"],
      { cwd: folder },
    );
    expect(out).toMatch(/\n\{"oversize":\[3,4\]\}\n$/);
  });

  test("npy, whose files are those of a packing", () => {
    expect(plan(...shape, "--format=groups", "-q", "-o", "order.npy").code).toBe(0);
    const at = join(folder, "order.npy");
    expect(readdirSync(at).sort()).toEqual(["indices.npy", "offsets.npy", "oversize.npy", "plan.json"]);
    const [offsets, indices] = ["offsets", "indices"].map((name) => readNpy(join(at, `${name}.npy`)).values);
    expect(expected.map((_, k) => indices.slice(offsets[k], offsets[k + 1]))).toEqual(expected);
  });
});

describe("from lengths alone", () => {
  const direct = (...args: string[]) =>
    omnibal(["plan", "tiled.json", "--max-vit=9", "--max-tokens=4096", "--ranks=8", ...args], { cwd: folder });
  const lengths = samples("tiled:1000");
  const packed = core.pack(lengths, { maxVit: 9, maxTokens: 4096, method: "balanced" });

  test("the folder is that of the packing made by pack, balanced by default", () => {
    const { code, err } = direct("-o", "direct");
    expect([code, masked(err)]).toEqual([0, expect.stringContaining(" s, pack T s, plan T s, write T s)\n")]);
    omnibal(
      ["pack", "-q", "tiled.json", "--method=balanced", "--max-vit=9", "--max-tokens=4096", "-o", "balanced.json"],
      { cwd: folder },
    );
    omnibal(["plan", "-q", "tiled.json", "--packing=balanced.json", "--ranks=8", "-o", "later"], { cwd: folder });
    const names = readdirSync(join(folder, "direct")).sort();
    expect(names).toEqual(["indices.npy", "offsets.npy", "oversize.npy", "packing.json", "plan.json", "plan.npy"]);
    for (const name of names.filter((other) => other !== "packing.json")) {
      expect(readFileSync(join(folder, "direct", name))).toEqual(readFileSync(join(folder, "later", name)));
    }
    const { made } = JSON.parse(readFileSync(join(folder, "direct", "plan.json"), "utf8"));
    expect(made).toEqual(core.plan(packed, { ranks: 8 }).made);
  });

  test("by another method, with its options; --seed is for both", () => {
    const { out } = direct("-q", "--method=isf", "--rounds=3", "--seed=7");
    const own = core.pack(lengths, { maxVit: 9, maxTokens: 4096, rounds: 3, seed: 7 });
    expect(JSON.parse(out).made).toEqual(core.plan(own, { ranks: 8, seed: 7 }).made);
    expect(omnibal(["plan", "tiled.json", "--ranks=8"], { cwd: folder })).toMatchObject({
      code: 2,
      err: "omnibal: --max-vit is missing (see omnibal plan --help)\n",
    });
  });

  test("--epochs: a folder for each, of the same form and over one packing", () => {
    const { code, err } = direct("--epochs=3", "-o", "epochs");
    expect([code, err]).toEqual([0, expect.stringContaining("\nepochs   3, this is the first\n")]);
    expect(readdirSync(join(folder, "epochs"))).toEqual(["epoch-0", "epoch-1", "epoch-2"]);
    direct("-q", "-o", "alone", "--epoch=2");
    for (const name of readdirSync(join(folder, "alone"))) {
      const bytes = readFileSync(join(folder, "alone", name));
      expect(readFileSync(join(folder, "epochs", "epoch-2", name))).toEqual(bytes);
    }
    // Again, and over fewer: what an earlier run left beyond them is not mixed with these.
    expect(direct("-q", "--epochs=3", "-o", "epochs", "--seed=1").code).toBe(0);
    expect(direct("-q", "--epochs=2", "-o", "epochs")).toEqual({
      ...{ code: 1, out: "" },
      err: "omnibal: epochs: holds epoch-2, beyond the 2 epochs to write: remove it or name another folder\n",
    });
  });

  test("--epochs: an OUT that holds anything else is refused, and one that fails is as it was", () => {
    mkdirSync(join(folder, "other"));
    writeFileSync(join(folder, "other", "mine.txt"), "mine");
    expect(direct("-q", "--epochs=2", "-o", "other")).toMatchObject({
      code: 1,
      err: "omnibal: other: holds mine.txt, which is not an epoch: name another folder\n",
    });
    expect(direct("-q", "--epochs=2", "--ranks=9000", "--tail=drop", "-o", "none").code).toBe(1);
    expect(existsSync(join(folder, "none"))).toBe(false);
    expect(direct("-q", "--epochs=2", "-o", "groups.json", "--format=npy").err).toBe(
      "omnibal: groups.json: is not a folder, epochs are written as one\n",
    );
  });
});

describe("the summary", () => {
  const summary = (...args: string[]) => plan("--ranks=8", "-o", "s.json", ...args).err;

  test("has the published samplers beside the plan, within 80 columns", () => {
    const text = summary("--cost=ms-per-tile=6,ms-per-token=0.02,ms-per-token2=0.000004");
    expect(widest(text)).toBeLessThanOrEqual(80);
    const own = core.plan(packing, {
      ...{ ranks: 8, compare: true },
      balance: { msPerTile: 6, msPerToken: 0.02, msPerTokenSquared: 0.000004 },
    });
    const rows = [["this plan", own.stats] as const, ...Object.entries(own.published!)];
    expect(rows).toHaveLength(4);
    for (const [name, { vitDist, tokenDist, attentionDist, stepMs, idle }] of rows) {
      const cells = [vitDist, tokenDist, attentionDist].map((dist) => dist.toFixed(6));
      const row = [...cells, `${stepMs!.toFixed(2)} ms`, `${(idle! * 100).toFixed(2)} %`].join(" +");
      expect(text).toMatch(new RegExp(`^(published )?${name} +${row.replaceAll(".", "\\.")}$`, "m"));
    }
    expect(text).toContain(`epoch    ${(own.stats.epochMs! / 1000).toFixed(2)} s\n`);
  });

  test("tells what becomes of the tail", () => {
    expect(summary("--micro-batch=3", "--tail=drop")).toContain("tail     drop: 8 groups not in this epoch, ");
    expect(summary("--micro-batch=3")).toContain("tail     repeat: 16 groups a second time, ");
    expect(summary("--micro-batch=3", "--tail=short")).toContain("tail     short: some ranks have less ");
    expect(summary("--tail=short")).toContain("tail     short: there is none\n");
  });
});

describe("errors", () => {
  test.each([
    [[], "--ranks is missing"],
    [["--ranks=8", "--tail=long"], '--tail is "long", expected one of drop, repeat, short'],
    [
      ["--ranks=8", "--balance=vit=1,text=1"],
      '--balance has "text=1", expected NAME=NUMBER with one of vit, tokens, attention',
    ],
    [["--ranks=8", "--balance=vit"], '--balance has "vit", expected NAME=NUMBER with one of vit, tokens, attention'],
    [["--ranks=8", "--balance=vit=1,vit=2"], "--balance has vit twice"],
    [["--ranks=8", "--balance=vit=0,tokens=0"], "--balance is 0 throughout, expected a number above 0"],
    [
      ["--ranks=8", "--cost=ms-per-tile=-1"],
      '--cost has "ms-per-tile=-1", expected NAME=NUMBER with one of ms-per-tile, ms-per-token, ms-per-token2',
    ],
    [["--ranks=8", "--cost=ms-per-tile=1e308"], '--cost has "ms-per-tile=1e308", expected a number from 0 to 1e12'],
    [
      ["--ranks=8", "--balance=vit=1", "--cost=ms-per-tile=1"],
      "--balance and --cost are both given, expected one of them",
    ],
    [
      ["--ranks=8", "--format=jsonl"],
      '--format is "jsonl", expected one of json, npy, xtuner, groups, groups.jsonl, groups.npy',
    ],
    [["--ranks=8", "--format=npy"], "--format npy makes a folder: name it with -o"],
    [["--ranks=8", "--format=xtuner", "-o", "x", "--sp-size=2"], "--format xtuner has no place for --sp-size"],
    [["--ranks=8", "--format=xtuner", "-o", "x", "--tail=short"], "--format xtuner has no place for --tail short"],
    [["--ranks=8", "--format=groups", "--sp-size=2"], "--format groups has no place for --sp-size"],
    [["--ranks=8", "-o", "x.jsonl", "--tail=short"], "--format groups.jsonl has no place for --tail short"],
    [
      ["--ranks=8", "-o", "x.parquet"],
      '--output is "x.parquet", but there is no format parquet: name one of json, npy, xtuner, groups, groups.jsonl, groups.npy with --format',
    ],
    [["--ranks=8", "--max-vit=9"], "--max-vit is given, but --packing has its groups already"],
    [["--ranks=8", "--rounds=9"], "--rounds is given, but --packing has its groups already"],
    [["--ranks=8", "--epochs=2"], "--epochs makes folders: name the one that they go to with -o"],
    [["--ranks=8", "--epochs=2", "--epoch=1", "-o", "x"], "--epoch and --epochs are both given, expected one of them"],
    [
      ["--ranks=8", "--epochs=2", "-o", "x.json"],
      "--epochs makes folders, and json is one file: use --format npy or xtuner or groups.npy",
    ],
    [["--ranks=8", "--epochs=0", "-o", "x"], '--epochs is "0", expected a whole number from 1 to 10000'],
  ])("%j: code 2", (args, why) => {
    expect(plan(...args)).toEqual({ code: 2, out: "", err: `omnibal: ${why} (see omnibal plan --help)\n` });
  });

  test("--cost takes 4e-06, the way Python prints it", () => {
    const { code, out } = plan("-q", "--ranks=8", "--cost=ms-per-tile=6.,ms-per-token=2E-2,ms-per-token2=4e-06");
    expect(code).toBe(0);
    const own = core.plan(packing, { ranks: 8, balance: { msPerTile: 6, msPerToken: 0.02, msPerTokenSquared: 4e-6 } });
    expect(JSON.parse(out).steps.flat(2)).toEqual(Array.from(own.order));
  });

  test("numbers as people and programs write them, and nothing else", () => {
    for (const text of ["4e-6", "4E-06", "4.e-6", ".4e-5", "0.000004", "400e-8"]) expect(decimal(text)).toBe(4e-6);
    for (const text of ["e-6", "4e", "4e-", "4e1.5", "1e999", "-4e-6", "+4", "0x4", "NaN", "inf", ".", ""]) {
      expect(decimal(text)).toBe(Number.NaN);
    }
  });

  test("a weight alone counts alone", () => {
    const { stats } = JSON.parse(plan("-q", "--ranks=8", "--balance=attention=1").out);
    const own = core.plan(packing, { ranks: 8, balance: { attention: 1 } });
    expect(stats.attentionDist).toBe(Number(own.stats.attentionDist.toFixed(12)));
    const all = core.plan(packing, { ranks: 8, balance: { vit: 1, tokens: 1, attention: 1 } });
    expect(own.stats.attentionDist).toBeLessThan(all.stats.attentionDist);
  });

  test("a packing that is wrong: code 1, no OUT; an OUT in the way is found before it is read", () => {
    writeFileSync(join(folder, "wrong.json"), "[[0],[0]]");
    const args = ["plan", "small.json", "--packing=wrong.json", "--ranks=2"];
    expect(omnibal([...args, "-o", "never.json"], { cwd: folder })).toEqual({
      code: 1,
      out: "",
      err: "omnibal: wrong.json: group 1: sample 0 is in group 0 already\n",
    });
    expect(existsSync(join(folder, "never.json"))).toBe(false);
    mkdirSync(join(folder, "mine"));
    expect(omnibal([...args, "--format=json", "-o", "mine"], { cwd: folder })).toMatchObject({
      code: 1,
      err: "omnibal: mine: is a folder, json is written as a file\n",
    });
  });

  /** 1.2 M groups of one sample: planning takes seconds. */
  function manyGroups(): string[] {
    const large = samples("tiled:1200000");
    if (!existsSync(join(folder, "singles.json"))) {
      lengthsFile("large.json", large.vit, large.tokens);
      writeFileSync(join(folder, "singles.json"), `[${Array.from(large.vit, (_, i) => `[${i}]`).join()}]`);
    }
    return ["plan", "../large.json", "--packing=../singles.json", "--ranks=8"];
  }

  test("an interrupt while it plans ends it, and nothing is left", async () => {
    const args = manyGroups();
    // How soon a machine is done nobody knows: interrupted sooner and sooner until it is not.
    for (const wait of [1600, 1200, 900, 700, 500, 300]) {
      const here = join(folder, `planning-${wait}`);
      mkdirSync(here);
      const { child, end } = start([...args, "-o", "out"], here);
      await new Promise((turn) => setTimeout(turn, wait));
      child.kill("SIGINT");
      const { err } = await end;
      if (child.exitCode === 0) continue;
      expect([child.exitCode, child.signalCode, err]).toEqual([130, null, ""]);
      expect(readdirSync(here)).toEqual([]);
      return;
    }
    throw new Error("it was done before each interrupt");
  });

  test.each(["json", "npy", "xtuner"])("an interrupt while it writes %s: code 130, nothing left", async (format) => {
    const here = join(folder, `writing-${format}`);
    mkdirSync(here);
    const args = [...manyGroups(), "-q", "--format", format];
    const { child, end } = start([...args, "-o", "out"], here);
    const watcher = watch(here, (_, name) => {
      if (/^\.out\.omnibal-/.test(String(name))) child.kill("SIGINT");
    });
    expect(await end).toEqual({ code: 130, err: "" });
    watcher.close();
    expect(readdirSync(here)).toEqual([]);
  });
});

const JSON_TEXT = `\
{"ranks":2,"steps":[[[3],[0]],[[1],[4]],[[2],[2]]],"stats":{"microBatch":1,"spSize":1,"epoch":0,"seed":1024,"tail":"repeat","steps":3,"dropped":0,"repeated":1,"pad":0,"vitDist":0.075,"tokenDist":0.048066666667,"attentionDist":0.123817573333},"made":{"version":1,"groups":[5],"packing":"7cb95491856d276c","epoch":0,"ranks":2,"microBatch":1,"spSize":1,"seed":1024,"tail":"repeat","balance":{"vit":1,"tokens":1,"attention":0}}}
`;
const SUMMARY = `\
packing  5 groups of 6 samples
steps    3 of 2 ranks x 1 group
tail     repeat: 1 group a second time, others in the next epoch

                        vit dist  token dist  attention
───────────────────────────────────────────────────────
this plan               0.075000    0.048067   0.123818
published random        0.340278    0.260965   0.283439
published length-group  0.274074    0.223300   0.312943
published group-random  0.226852    0.173977   0.188959

time     T s (read T s, plan T s, write T s)
`;
