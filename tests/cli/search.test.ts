import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packLine, searchText } from "../../src/cli/search.ts";
import { load, type SearchRow } from "../../src/index.ts";
import { testFolder } from "../folder.ts";
import { needs, unless } from "../needs.ts";
import { samples } from "../samples.ts";
import { MAIN, omnibal, shell, start, widest } from "./run.ts";

const folder = testFolder();
const core = await load();
const { vit, tokens } = samples("tiled:2000");
const records = (v: string, t: string) => JSON.stringify(Array.from(vit, (x, i) => ({ [v]: x, [t]: tokens[i] })));
writeFileSync(join(folder, "tiled.json"), records("vit_num", "token_num"));
const asked = ["--ranks", "8", "--samples-per-group", "4", "--candidates", "20", "--rounds", "5"];
const options = { ranks: 8, samplesPerGroup: 4, candidates: 20, rounds: 5 };
const search = (...args: string[]) => omnibal(["search", "tiled.json", ...asked, ...args], { cwd: folder });

test("the table, why, and the line to run next, of a search with one round and ten candidates", () => {
  const args = ["search", "tiled.json", "--ranks=4", "--samples-per-group=4", "--candidates=10", "--rounds=1"];
  expect(omnibal(args, { cwd: folder })).toEqual({ code: 0, err: "", out: TABLE });
});

describe("the table", () => {
  test("fits 80 columns, shows ten and marks the winner, which is the library's", async () => {
    const { code, out, err } = search();
    expect([code, err]).toEqual([0, ""]);
    expect(widest(out)).toBeLessThanOrEqual(80);
    const { winner, candidates } = await core.search({ vit, tokens }, options);
    const rows = out.split("\n").slice(2, 12);
    expect(rows[0]).toMatch(new RegExp(`^\\* +${winner?.maxVit} +${winner?.maxTokens} +${winner?.minTokens} `));
    expect(rows.every((row) => /^[-*+ ] {2,}\d+ +\d+ /.test(row))).toBe(true);
    expect(out.match(/^\*/gm)).toHaveLength(2);
    expect(out).toContain(`${candidates.length - 10} candidates more`);
  });

  test("fits whatever the numbers: columns that tell least go", () => {
    const most = 2147483647;
    const row: SearchRow = {
      ...{ maxVit: most, maxTokens: most, minVit: most, minTokens: most, rounds: most, seed: most },
      ...{ groups: most, bound: 1, ratio: 1000 },
      ...{ samplesPerGroup: 1234.5, leftOut: most, pad: 0, vitDist: 0.5, tokenDist: 0.5, attentionDist: 0.5 },
      ...{ score: 1, inWindow: true, pareto: true },
    };
    const result = {
      ...{
        strategy: "scan" as const,
        winner: row,
        candidates: [row],
        pareto: [row],
        nearest: [],
        pruned: 0,
        workers: 0,
        largest: null,
        needed: { maxVit: most, maxTokens: most },
        beyondLimits: 0,
      },
      why: "Because of the figures above. ".repeat(10).trimEnd(),
    };
    const text = searchText(result, ["a.json"], {});
    expect(widest(text)).toBeLessThanOrEqual(80);
    expect(text).toContain("vit dist");
    expect(text).toContain("left out");
    expect(text).not.toContain("full at");
  });

  test("--samples-per-group and --slack take 4e0-50e-1: exponents have a dash of their own", () => {
    const given = ["search", "tiled.json", "--ranks=8", "--candidates=10", "--rounds=1", "--json"];
    const plain = omnibal([...given, "--samples-per-group=4-5", "--slack=0.001"], { cwd: folder });
    expect(plain.code).toBe(0);
    expect(omnibal([...given, "--samples-per-group=4e0-50e-1", "--slack=1e-3"], { cwd: folder })).toEqual(plain);
  });

  test("the reference's walk", () => {
    const { code, out } = search("--strategy=reference");
    expect(code).toBe(0);
    expect(out).toMatch(/^\* +\d+/m);
    expect(out).toContain(" won among ");
  });

  test("nothing in the window: the nearest, a line on standard error, code 1", () => {
    const args = ["search", "tiled.json", "--ranks=8", "--samples-per-group=900-901", "--max-vit-limit=9"];
    const { code, out, err } = omnibal([...args, "--candidates=10", "--rounds=2"], { cwd: folder });
    expect([code, err]).toEqual([1, "omnibal: no bounds found in this window and these limits\n"]);
    expect(out).toContain("No packing with 900 to 901 samples per group and maxVit up to 9");
    expect(out.split("\n")[2]).toMatch(/^- +\d+/);
    expect(out).not.toContain("omnibal pack");
    const json = omnibal([...args, "--candidates=10", "--rounds=2", "--json"], { cwd: folder });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ winner: null });
    expect(JSON.parse(json.out).nearest).toHaveLength(5);
  });

  describe("bounds that leave samples out were recommended, with code 0", () => {
    const large = Array.from(vit.entries()).filter(([, v]) => v > 4);
    const [first] = large[0];
    const giant = Array.from({ length: 200 }, (_, i) => (i === 7 ? [500, 90000] : [1, 300]));
    writeFileSync(join(folder, "giant.json"), JSON.stringify(giant.map(([v, t]) => ({ vit_num: v, token_num: t }))));
    writeFileSync(join(folder, "first.json"), JSON.stringify([{ vit_num: 1, token_num: 1 }]));
    const limited = ["search", "first.json", "tiled.json", "--ranks=8", "--max-vit-limit=4"];
    const fast = ["--candidates=10", "--rounds=1"];

    test("code 1, the largest sample with its file, and the limit that would do", () => {
      const { code, out, err } = omnibal([...limited, "-q", ...fast], { cwd: folder });
      expect([code, err]).toEqual([
        1,
        `omnibal: ${large.length} samples too large for these limits, the largest is sample ${first + 1} (${first} of ` +
          `tiled.json) with 5 tiles and ${tokens[first]} tokens: --max-vit-limit 5 would hold all\n`,
      ]);
      expect(out.replaceAll("\n", " ")).toContain(
        `No bounds with maxVit up to 4 hold every sample: ${large.length} samples are beyond`,
      );
      expect(widest(out)).toBeLessThanOrEqual(80);
      expect(out).not.toContain("omnibal pack");
      const json = JSON.parse(omnibal([...limited, "--json", ...fast], { cwd: folder }).out);
      expect(json).toMatchObject({ winner: null, candidates: [], beyondLimits: large.length, needed: { maxVit: 5 } });
      expect(json.largest).toEqual({
        index: first + 1,
        file: { path: "tiled.json", index: first },
        vit: 5,
        tokens: tokens[first],
      });
      expect(omnibal([...limited.slice(0, -1), "--max-vit-limit=5", ...fast], { cwd: folder }).code).toBe(0);
    });

    test("--max-left-out permits as many, and the winner says so", () => {
      const few = omnibal([...limited, ...fast, `--max-left-out=${large.length - 1}`], { cwd: folder });
      expect(few.code).toBe(1);
      const { code, out, err } = omnibal([...limited, ...fast, `--max-left-out=${large.length}`], { cwd: folder });
      expect([code, err]).toEqual([
        0,
        `omnibal: the winner leaves out ${large.length} of the samples: they are too large\n`,
      ]);
      expect(out.replaceAll("\n", " ")).toContain(`leave out ${large.length} samples, and`);
      expect(out).toMatch(/ left out /);
    });

    test("the published walk keeps its winner, and says what it leaves out", () => {
      const walk = ["search", "giant.json", "--ranks=2", "--samples-per-group=4", "--rounds=3", "--strategy=reference"];
      const { code, out, err } = omnibal([...walk, "--json"], { cwd: folder });
      expect(JSON.parse(out).winner.leftOut).toBe(1);
      expect([code, err]).toEqual([0, "omnibal: the winner leaves out 1 of the samples: they are too large\n"]);
      expect(omnibal([...walk, "-q"], { cwd: folder })).toMatchObject({ code: 0, err: "" });
      expect(omnibal([...walk, "--max-left-out=9"], { cwd: folder })).toEqual({
        code: 2,
        out: "",
        err: "omnibal: --max-left-out is given, but it is for --strategy scan (see omnibal search --help)\n",
      });
    });

    test("a giant that no bounds in the window hold", () => {
      const args = ["search", "giant.json", "--ranks=2", "--samples-per-group=4", ...fast];
      const { code, out, err } = omnibal(args, { cwd: folder });
      expect([code, err]).toEqual([1, "omnibal: no bounds found in this window and these limits\n"]);
      expect(out.replaceAll("\n", " ")).toContain(
        "The largest is sample 7 of giant.json with 500 tiles and 90000 tokens: bounds that hold it hold more of the others.",
      );
    });
  });

  test("no samples: no table, code 1", () => {
    const { code, out } = omnibal(["search", "-", ...asked], { input: "[]" });
    expect([code, out]).toEqual([1, "There are no samples, so there is nothing to pack.\n"]);
  });
});

describe("--json", () => {
  test("is the same with any number of workers, and again", () => {
    const first = search("--json", "--workers=0");
    expect(first).toMatchObject({ code: 0, err: "" });
    expect(search("--json", "--workers=0").out).toBe(first.out);
    expect(search("--json", "--workers=2").out).toBe(first.out);
    expect(first.out).not.toContain("workers");
  });

  test("winner and candidates are the library's, to twelve decimals", async () => {
    const { winner, candidates } = await core.search({ vit, tokens }, options);
    const json = JSON.parse(search("--json").out);
    expect(json.winner).toEqual(json.candidates[0]);
    expect(json.winner).toMatchObject({
      ...{ maxVit: winner?.maxVit, maxTokens: winner?.maxTokens, minTokens: winner?.minTokens, rounds: winner?.rounds },
      ...{ groups: winner?.groups, leftOut: 0, tokenDist: Number(winner?.tokenDist.toFixed(12)) },
    });
    expect(json.candidates).toHaveLength(candidates.length);
  });
});

describe("the line to run next", () => {
  const line = (out: string) => /^(?:npx )?omnibal pack [\s\S]*/m.exec(out)![0].trimEnd();
  /** Runs it as it stands. */
  const run = (out: string) => shell(`omnibal() { $OMNIBAL "$@"; }; ${line(out)}`, folder);

  test("makes the winner's groups, with its seed", async () => {
    const { winner } = await core.search({ vit, tokens }, { ...options, seed: 7 });
    const { out } = search("--seed=7");
    expect(line(out)).toContain("--seed 7");
    expect(run(out).code).toBe(0);
    const { groups } = JSON.parse(readFileSync(join(folder, "groups.json"), "utf8"));
    expect(groups).toEqual(Array.from(core.pack({ vit, tokens }, winner!), (group) => Array.from(group)));
  });

  test("does not write over a file that it packs", () => {
    const row = { maxVit: 9, maxTokens: 4096, minTokens: 3968, rounds: 50 } as SearchRow;
    expect(packLine(row, ["./groups.json"], {})).toMatch(/ -o groups-2\.json$/);
    expect(packLine(row, ["groups.json", "x/../Groups-2.json"], {})).toMatch(/ -o groups-3\.json$/);
    expect(packLine(row, ["x/groups.json"], {})).toMatch(/ -o groups\.json$/);
  });

  test("tells a terminal nothing that a file's name holds", () => {
    const name = "a\u001b[2J\n'\\\u009b.json";
    writeFileSync(join(folder, name), "");
    const row = { maxVit: 9, maxTokens: 4096, minTokens: 3968, rounds: 50 } as SearchRow;
    const text = packLine(row, [name], {});
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none but the line breaks of the command
    expect(text.replaceAll("\\\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    const read = 'omnibal() { printf "%s" "$2"; }; ';
    const bash = spawnSync("bash", ["-c", read + text], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C.UTF-8" },
    });
    expect(bash.stdout).toBe(name);
  });

  test.each(["it's here.json", "-dash.json", "$HOME `x`.json"])("a file called %s", (name) => {
    writeFileSync(join(folder, name), records("vit field", "--t"));
    const fields = ["--vit-field=vit field", "--token-field=--t"];
    const { code, out } = omnibal(["search", ...asked, ...fields, "--", name], { cwd: folder });
    expect(code).toBe(0);
    expect(run(out)).toMatchObject({ code: 0, err: expect.stringContaining("2,000 in groups") });
  });

  test("begins with npx where npx has started the command line: what npx has found is not on the PATH", () => {
    const first = (script: string) => {
      const env = { ...process.env, npm_lifecycle_event: "npx", npm_lifecycle_script: script };
      const args = ["search", "tiled.json", ...asked, "--candidates=10", "--rounds=1"];
      return line(omnibal(args, { cwd: folder, env }).out);
    };
    // npm 10 and before give the command as it is, npm 11 in quotes; another command may run omnibal itself.
    for (const script of ["omnibal", "'omnibal'"]) expect(first(script)).toMatch(/^npx omnibal pack tiled\.json /);
    for (const script of ["vitest", "omnibalance"]) expect(first(script)).toMatch(/^omnibal pack tiled\.json /);
  });

  test("is broken where it passes 80 columns", () => {
    const row = { maxVit: 9, maxTokens: 4096, minTokens: 3968, rounds: 50 } as SearchRow;
    expect(packLine(row, ["a.json"], {})).toBe(
      "omnibal pack a.json --max-vit 9 --max-tokens 4096 --min-tokens 3968 \\\n  --rounds 50 -o groups.json",
    );
    const files = Array.from({ length: 12 }, (_, i) => `folder/part-${i}.json`);
    expect(widest(packLine({ ...row, seed: 1 }, files, { seed: "1" }))).toBeLessThanOrEqual(80);
  });
});

describe("wrong usage: code 2 and one line", () => {
  test.each([
    [["a"], "--ranks is missing"],
    [["a", "--ranks=8"], "one of --samples-per-group, --max-vit-limit and --max-tokens-limit is needed"],
    [["a", "--ranks=8", "--max-vit-limit=9", "--strategy=reference"], "--samples-per-group is missing"],
    [
      ["a", "--ranks=8", "--samples-per-group=5-4"],
      '--samples-per-group is "5-4", expected a number above 0 or LOW-HIGH',
    ],
    [["a", "--ranks=8", "--samples-per-group=x"], '--samples-per-group is "x", expected a number above 0 or LOW-HIGH'],
    [["a", ...asked, "--strategy=walk"], '--strategy is "walk", expected one of scan, reference'],
    [["a", ...asked, "--slack=1.5"], '--slack is "1.5", expected a number from 0 to 1'],
    [["a", ...asked, "--workers=2000"], '--workers is "2000", expected a whole number from 0 to 1024'],
    [asked, "no FILE is given (- is standard input)"],
  ])("%j", (args, why) => {
    expect(omnibal(["search", ...args])).toEqual({
      code: 2,
      out: "",
      err: `omnibal: ${why} (see omnibal search --help)\n`,
    });
  });

  test("a file that is not there: code 1", () => {
    expect(omnibal(["search", "none.json", ...asked], { cwd: folder })).toEqual({
      code: 1,
      out: "",
      err: "omnibal: none.json: no such file\n",
    });
  });
});

describe("while it works", () => {
  const long = ["search", "long.json", "--ranks=8", "--samples-per-group=4", "--candidates=5000"];
  const large = samples("tiled:200000");
  writeFileSync(
    join(folder, "long.json"),
    JSON.stringify(Array.from(large.vit, (x, i) => ({ vit_num: x, token_num: large.tokens[i] }))),
  );

  test.each(["0", "2"])("an interrupt ends it, code 130, with %s workers", async (workers) => {
    const { child, end } = start([...long, `--workers=${workers}`], folder);
    await new Promise((turn) => setTimeout(turn, 1500));
    child.kill("SIGINT");
    expect(await end).toEqual({ code: 130, err: "" });
  });

  const script = shell("script -qec true /dev/null", folder).code === 0;
  test("a bar on a terminal, gone at the end", needs(unless(script, "a terminal needs script(1)")), () => {
    const command = `${process.execPath} ${MAIN} search long.json --ranks=8 --samples-per-group=4 --candidates=30`;
    const { out } = shell(`script -qec "stty cols 80; ${command} --rounds=5" /dev/null`, folder);
    expect(out).toContain("searching");
    expect(out.slice(out.lastIndexOf("\x1b[2K"))).toContain("omnibal pack long.json");
  });
});

const TABLE = `\
   vit  tokens  full at  rounds  groups     over  each  vit dist  token dist
────────────────────────────────────────────────────────────────────────────
*   13    4598     4342       1     403  16.81 %  4.96   0.12262     0.10460
+   13    4598     4470       1     403  16.81 %  4.96   0.12262     0.10460
+   13    4598     4534       1     403  16.81 %  4.96   0.12262     0.10460
-   13    4828     4572       1     394  14.20 %  5.08   0.10674     0.10574
-   13    4828     4700       1     394  14.20 %  5.08   0.10674     0.10574
-   13    4828     4764       1     394  14.20 %  5.08   0.10674     0.10574
-   13    5058     4930       1     387  12.17 %  5.17   0.09734     0.11302
-   13    5517     5389       1     381  10.43 %  5.25   0.08834     0.13028
-   13    6207     6079       1     378   9.57 %  5.29   0.08283     0.13658
-   13    8276     8148       1     377   9.28 %  5.31   0.07706     0.14133

* the winner, - too few or too many samples in a group (each), + as good in its
way: none is better in all of groups over the lower bound (over), vit dist and
token dist.

maxVit 13, maxTokens 4598, minTokens 4342, rounds 1 won among 10 candidates, 3
of them with 4 to 5 samples per group: 403 groups, 16.81 % over the lower bound
of 345, leave out no sample, and pad 0.0000 + vitDist 0.1226 + tokenDist 0.1046
= 0.2272 is the least of the 3 with groups / bound within 1 % of the best, the
next has 0.2272.

omnibal pack tiled.json --max-vit 13 --max-tokens 4598 --min-tokens 4342 \\
  --rounds 1 -o groups.json
`;
