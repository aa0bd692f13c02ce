import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packingSummary } from "../../src/cli/pack.ts";
import { load } from "../../src/index.ts";
import { trustedPacking } from "../../src/pack/packing.ts";
import { readNpy, testFolder } from "../folder.ts";
import { needs, unless } from "../needs.ts";
import { samples } from "../samples.ts";
import { MAIN, omnibal, shell, start, widest } from "./run.ts";

const folder = testFolder();
const core = await load();
const bounds = ["--max-vit", "9", "--max-tokens", "4096"];

function lengthsFile(name: string, vit: ArrayLike<number>, tokens: ArrayLike<number>): void {
  const records = Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i], image_flags: v }));
  writeFileSync(join(folder, name), JSON.stringify(records));
}

lengthsFile("small.json", [5, 0, 9, 12, 4], [2000, 1558, 93, 93, 5000]);
lengthsFile("a.json", [5, 0], [2000, 1558]);
lengthsFile("b.json", [9, 12, 4], [93, 93, 5000]);
const tiled = samples("tiled:200000");
lengthsFile("tiled.json", tiled.vit, tiled.tokens);

const made =
  '"made":{"version":1,"samples":5,"loads":{"vit":"6482fee4565e904f","tokens":"0e7657174019b4cb"},"bounds":{"vit":9,' +
  '"tokens":4096},"method":"isf","seed":1024,"min":{"vit":9,"tokens":3968},"rounds":50,"packing":"05e7f42f3e8a5159"}';
const json =
  '{"groups":[[2],[0,1]],"oversize":[3,4],"stats":{"groups":2,"samples":3,"oversize":2,"bound":2,' +
  '"fillVit":0.777778,"fillTokens":0.445679,"samplesPerGroup":1.500000,"rounds":50,"mix":0.098038},' +
  `${made}}\n`;
const summary = `\
groups       2
lower bound  2, 0.00 % above it
vit          77.78 % of 9 in a group filled
tokens       44.57 % of 4,096 in a group filled
samples      3 in groups, 1.50 per group
oversize     2 in no group: 3, 4
mix          0.098, where 1 is a random draw
rounds       50
`;
const time = /^time {9}\d+\.\d\d s \(read \d+\.\d\d s, pack \d+\.\d\d s, write \d+\.\d\d s\)\n$/;

describe("what it writes", () => {
  test("json on standard output, the summary on standard error", () => {
    const { code, out, err } = omnibal(["pack", "small.json", ...bounds], { cwd: folder });
    expect([code, out]).toEqual([0, json]);
    expect(err.slice(0, summary.length)).toBe(summary);
    expect(err.slice(summary.length)).toMatch(time);
  });

  test("--quiet: nothing on standard error", () => {
    expect(omnibal(["pack", "-q", "small.json", ...bounds], { cwd: folder })).toEqual({ code: 0, out: json, err: "" });
  });

  test("two files are one after another", () => {
    expect(omnibal(["pack", "-q", "a.json", "b.json", ...bounds], { cwd: folder }).out).toBe(json);
  });

  test("-o: nothing on standard output", () => {
    const { code, out } = omnibal(["pack", "small.json", ...bounds, "-o", "groups.json"], { cwd: folder });
    expect([code, out]).toEqual([0, ""]);
    expect(readFileSync(join(folder, "groups.json"), "utf8")).toBe(json);
  });

  test("the packing is that of the library, with all options", () => {
    const args = ["--min-vit=8", "--min-tokens=3000", "--rounds=3", "--seed=4294967295"];
    const { out } = omnibal(["pack", "-q", "tiled.json", ...bounds, ...args], { cwd: folder });
    const options = { maxVit: 9, maxTokens: 4096, minVit: 8, minTokens: 3000, rounds: 3, seed: 4294967295 };
    const packing = core.pack(tiled, options);
    expect(JSON.parse(out).groups).toEqual(Array.from(packing, (group) => Array.from(group)));
    expect(JSON.parse(out).stats).toMatchObject({ groups: packing.length, bound: packing.bound, rounds: 3 });
  });

  test("squares, what is carried and --align are in the file and in the summary", () => {
    const own = ["--max", "tokens=2048,tokens^2=4200000", "--carry", "vit", "--align", "16"];
    const { out, err, code } = omnibal(["pack", "small.json", ...own], { cwd: folder });
    expect(code).toBe(0);
    const { made, groups, oversize } = JSON.parse(out);
    expect(made).toMatchObject({ bounds: { tokens: 2048, "tokens^2": 4200000 }, carry: ["vit"], align: 16 });
    expect(oversize).toEqual([4]);
    // 2,000 counts 2,000, 1,558 counts 1,568 and 93 counts 96.
    const counted = [2000, 1568, 96, 96];
    expect(groups.flat().sort()).toEqual([0, 1, 2, 3]);
    for (const group of groups as number[][]) {
      expect(group.reduce((sum, i) => sum + counted[i], 0)).toBeLessThanOrEqual(2048);
      expect(group.reduce((sum, i) => sum + counted[i] ** 2, 0)).toBeLessThanOrEqual(4_200_000);
    }
    expect(err).toMatch(/^tokens {7}\d+\.\d\d % of 2,048 in a group filled$/m);
    expect(err).toMatch(/^tokens\^2 {5}\d+\.\d\d % of 4,200,000 in a group filled$/m);
    expect(err).toMatch(/^vit {10}26 in groups, without a bound$/m);
  });

  test("jsonl", () => {
    const { out } = omnibal(["pack", "-q", "small.json", ...bounds, "--format", "jsonl"], { cwd: folder });
    expect(out).toBe(
      `{${made},"groups":2}\n{"group":[2],"vit":9,"tokens":93}\n{"group":[0,1],"vit":5,"tokens":3558}\n{"oversize":[3,4]}\n`,
    );
  });

  test("npy", () => {
    expect(omnibal(["pack", "-q", "small.json", ...bounds, "--format=npy", "-o", "npy"], { cwd: folder }).code).toBe(0);
    expect(readNpy(join(folder, "npy", "offsets.npy")).values).toEqual([0, 1, 3]);
    expect(readNpy(join(folder, "npy", "indices.npy")).values).toEqual([2, 0, 1]);
    expect(readNpy(join(folder, "npy", "oversize.npy")).values).toEqual([3, 4]);
    const head = readFileSync(join(folder, "npy", "packing.json"), "utf8");
    expect(head).toBe(`{${json.slice(json.indexOf('"stats"'))}`);
  });

  test("xtuner of two files", () => {
    const args = ["pack", "-q", "a.json", "b.json", ...bounds, "--format", "xtuner", "-o", "packs"];
    expect(omnibal(args, { cwd: folder }).code).toBe(0);
    const read = (name: string) => readNpy(join(folder, "packs", name)).values;
    expect(read("boundaries.npy")).toEqual([0, 1, 3]);
    expect(read("samples.npy")).toEqual([1, 0, -1, -1, 0, 93, 0, 0, -1, -1, 0, 2000, 0, 1, -1, -1, 0, 1558]);
    expect(read("oversize.npy")).toEqual([1, 1, -1, -1, 0, 93, 1, 2, -1, -1, 0, 5000]);
    expect(JSON.parse(readFileSync(join(folder, "packs", "paths.json"), "utf8"))).toEqual(["a.json", "b.json"]);
    const head = readFileSync(join(folder, "packs", "packing.json"), "utf8");
    const files = '"files":[{"path":"a.json","samples":2},{"path":"b.json","samples":3}]';
    expect(head).toBe(`{${json.slice(json.indexOf('"stats"'), -2)},${files}}\n`);
  });

  test("nothing from nothing", () => {
    const { code, out, err } = omnibal(["pack", "-", ...bounds], { input: "[]" });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ groups: [], oversize: [] });
    expect(err).toMatch(/^groups {7}0\nlower bound {2}0\n/);
  });

  test("0.00 % above the lower bound at 56 % and 34 % filled: which bounds would do", () => {
    lengthsFile(
      "fives.json",
      new Array(60).fill(5),
      Array.from({ length: 60 }, (_, i) => 1300 + ((i * 37) % 200)),
    );
    const pack = (...args: string[]) =>
      omnibal(["pack", "fives.json", "--method=balanced", "-o", "fives-groups.json", ...args], { cwd: folder }).err;
    expect(pack(...bounds)).toContain(`\
groups       60
lower bound  60, 0.00 % above it
vit          55.56 % of 9 in a group filled
tokens       34.22 % of 4,096 in a group filled
bounds       do not suit: --max-vit 10 --max-tokens 3084 would
samples      60 in groups, 1.00 per group
`);
    const suited = pack("--max-vit=10", "--max-tokens=3084");
    expect(suited).toContain("vit          100.00 % of 10 in a group filled\ntokens       90.89 % of 3,084 ");
    expect(suited).not.toContain("do not suit");
  });

  test("a summary fits 80 columns, whatever the numbers", () => {
    const most = 2147483647;
    const oversize = Int32Array.from({ length: 100 }, (_, i) => most - i);
    const text = packingSummary(
      // More samples than could be here: only what is said of them is.
      trustedPacking({
        offsets: Int32Array.of(0, most),
        indices: new Int32Array(0),
        vit: Int32Array.of(most),
        tokens: Int32Array.of(most),
        oversize,
        bounds: { maxVit: most, maxTokens: most, minVit: most, minTokens: most },
        bound: 1,
        rounds: most,
      }),
      {},
      [
        { maxVit: most - 1, maxTokens: most },
        { maxVit: most, maxTokens: most - 1 },
      ],
    );
    expect(text).toContain("bounds       do not suit: --max-vit 2147483646 or --max-tokens 2147483646 would\n");
    expect(text).toContain("oversize     100 in no group: 2147483647, 2147483646, 2147483645, ...\n");
    // A count of nine digits with its commas takes eight columns more than 100.
    expect(widest(text)).toBeLessThanOrEqual(80);
    expect(widest(text.replace(/^bounds .*$/m, ""))).toBeLessThanOrEqual(72);
  });
});

describe("what ends it early", () => {
  test("a reader that has seen enough is no error", () => {
    const { code, out, err } = shell(`$OMNIBAL pack -q tiled.json ${bounds.join(" ")} | head -c 100`, folder);
    expect([code, err]).toEqual([0, ""]);
    expect(out.length).toBe(100);
    expect(out.slice(0, 12)).toBe('{"groups":[[');
  });

  test("a file that is missing or wrong: one line, code 1, and no OUT", () => {
    writeFileSync(join(folder, "wrong.json"), '[{"vit_num":1}]');
    for (const name of ["missing.json", "wrong.json"]) {
      const { code, out, err } = omnibal(["pack", name, ...bounds, "-o", "never.json"], { cwd: folder });
      expect([code, out]).toEqual([1, ""]);
      expect(err).toMatch(/^omnibal: .+\n$/);
      expect(existsSync(join(folder, "never.json"))).toBe(false);
    }
  });

  test("an OUT that cannot be is refused before the files are read", () => {
    const { code, err } = omnibal(["pack", "missing.json", ...bounds, "-o", "none/x.json"], { cwd: folder });
    expect([code, err]).toEqual([1, "omnibal: none/x.json: cannot be written, none is not a folder\n"]);
  });

  test("a full disk, on standard output", needs(unless(existsSync("/dev/full"), "there is no /dev/full")), () => {
    expect(shell(`$OMNIBAL pack -q small.json ${bounds.join(" ")} > /dev/full`, folder)).toMatchObject({
      code: 1,
      err: "omnibal: standard output: cannot be written (ENOSPC: no space left on device)\n",
    });
  });

  const mount = shell("unshare -rm mount -t tmpfs -o size=64k none .", folder).code === 0;
  const noMount = unless(mount, "a full disk needs unshare(1) and leave to mount a tmpfs");
  test.each(["json", "npy"])("a full disk leaves nothing: %s", needs(noMount), (format) => {
    mkdirSync(join(folder, "disk"), { recursive: true });
    const pack = `$OMNIBAL pack -q tiled.json ${bounds.join(" ")} --format ${format} -o disk/out`;
    const inside = `mount -t tmpfs -o size=64k none disk; ${pack}; echo code $?; ls -A disk`;
    expect(shell(`unshare -rm sh -c '${inside}'`, folder)).toMatchObject({
      out: "code 1\n",
      err: "omnibal: disk/out: cannot be written (ENOSPC: no space left on device)\n",
    });
  });

  test("an interrupt while it reads: code 130, no OUT", async () => {
    const here = join(folder, "reading");
    mkdirSync(here);
    const { child, end } = start(["pack", "-", ...bounds, "-o", "out.json"], here);
    // Written bytes are taken only by a process that runs; then it waits for more of them.
    await new Promise((taken) => child.stdin.write(`[${'{"vit_num":1,"token_num":1},'.repeat(10000)}`, taken));
    await new Promise((turn) => setTimeout(turn, 500));
    child.kill("SIGINT");
    expect(await end).toEqual({ code: 130, err: "" });
    expect(readdirSync(here)).toEqual([]);
  });

  test.each(["json", "xtuner"])("an interrupt while it writes %s: code 130, nothing left", async (format) => {
    const here = join(folder, `writing-${format}`);
    mkdirSync(here);
    // Sixteen times the samples, so that writing takes long enough to be met.
    const files = new Array<string>(16).fill("../tiled.json");
    const { child, end } = start(["pack", ...files, ...bounds, "--rounds=1", "--format", format, "-o", "out"], here);
    const watcher = watch(here, (_, name) => {
      if (/^\.out\.omnibal-/.test(String(name))) child.kill("SIGINT");
    });
    expect(await end).toEqual({ code: 130, err: "" });
    watcher.close();
    expect(readdirSync(here)).toEqual([]);
  });
});

const script = shell("script -qec true /dev/null", folder).code === 0;
const noTerminal = unless(script, "a terminal needs script(1)");

describe("the progress bar", () => {
  const run = (options: string) =>
    shell(
      `script -qec "stty cols 80; ${process.execPath} ${MAIN} pack tiled.json ${bounds.join(" ")} -o bar.json ${options}" /dev/null`,
      folder,
    ).out;

  test("is drawn on a terminal, within its columns, and gone at the end", needs(noTerminal), () => {
    const drawn = run("");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is told what to do by control characters
    const frames = drawn.split(/\r|\x1b\[1G|\x1b\[2K/).filter((frame) => frame.includes("%") && frame.includes("█"));
    expect(frames.some((frame) => frame.includes("reading"))).toBe(true);
    expect(frames.some((frame) => frame.includes("packing") && frame.includes("groups"))).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    const widths = frames.map((frame) => widest(frame.replace(/\x1b(\[[?\d]*[A-Za-z]|[78])/g, "")));
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
    expect(drawn.lastIndexOf("\x1b[?25h")).toBeGreaterThan(drawn.lastIndexOf("\x1b[?25l"));
    expect(drawn.slice(drawn.lastIndexOf("\x1b[2K"))).toMatch(/groups {7}\d/);
  });

  test("is not with --quiet", needs(noTerminal), () => {
    expect(run("--quiet")).toBe("");
  });
});

describe("bounds by the names of loads", () => {
  const file = join(folder, "named.json");
  writeFileSync(file, JSON.stringify(Array.from({ length: 40 }, (_, i) => ({ vit_num: i % 4, token_num: 10 + i }))));

  test("--max and --min are the options of the usual two, for any load", () => {
    const named = omnibal(["pack", "--max", "tokens=1e2,vit=5", "--min", "vit=4", file]);
    const usual = omnibal(["pack", "--max-vit", "5", "--max-tokens", "100", "--min-vit", "4", file]);
    expect([named.code, named.out]).toEqual([0, usual.out]);
    expect(omnibal(["pack", "--max", "tokens=100", "--max-vit", "5", "--min", "vit=4", file]).out).toBe(usual.out);
  });

  test("a load of many values is full at 99 % of its bound, which is said unless it was asked for", () => {
    const fine = join(folder, "fine.json");
    writeFileSync(fine, JSON.stringify(Array.from({ length: 99 }, (_, i) => ({ vit_num: i, token_num: 1 }))));
    const line = /^full at {6}990 vit: 99 %, as it has over 64 values$/m;
    expect(omnibal(["pack", "--max", "vit=1000,tokens=99", fine]).err).toMatch(line);
    expect(omnibal(["pack", "--max", "vit=1000,tokens=99", "--min-vit", "990", fine]).err).not.toMatch(line);
    expect(omnibal(["pack", "--max", "vit=1000,tokens=99", "--min", "vit=990", fine]).err).not.toMatch(line);
    expect(omnibal(["pack", "--max", "vit=1000,tokens=99", "--method", "balanced", fine]).err).not.toMatch(line);
  });

  test.each([
    [["--max", "vit"], '--max has "vit", expected NAME=N, with commas between several'],
    [["--max", "=3"], '--max has "=3", expected NAME=N, with commas between several'],
    [["--max", "vit=0"], "--max has vit=0, expected a whole number from 1 to 9007199254740991"],
    [["--max", "vit=1.5"], "--max has vit=1.5, expected a whole number from 1 to 9007199254740991"],
    [["--max", "vit=3,vit=4"], '--max names "vit" twice'],
    [["--max", "attention=3,tokens^2=4"], '--max names "tokens^2" twice'],
    [["--max", "vit=3", "--carry", "tokens,"], '--carry is "tokens,", expected names with commas between'],
    [["--max-vit", "3"], "--max-tokens is missing"],
  ])("%j", (options, why) => {
    const { code, err } = omnibal(["pack", ...options, file]);
    expect([code, err]).toEqual([2, `omnibal: ${why} (see omnibal pack --help)\n`]);
  });
});
