import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { statsTables } from "../../src/cli/stats.ts";
import { load } from "../../src/index.ts";
import { testFolder } from "../folder.ts";
import { omnibal, widest } from "./run.ts";

const folder = testFolder();

function lengthsFile(name: string, samples: readonly (readonly [number, number])[]): void {
  writeFileSync(
    join(folder, name),
    JSON.stringify(samples.map(([vit_num, token_num]) => ({ vit_num, token_num, image_flags: vit_num }))),
  );
}

lengthsFile("a.json", [
  [1, 300],
  [1, 500],
  [3, 1000],
]);
lengthsFile("b.json", [[5, 2200]]);
lengthsFile("none.json", []);

const tables = `\
samples          4
tiles            10
tokens           4,000
tokens per tile  400.00

       vit                    tokens
────────────────────────────────────────────────────
min      1  ██▊                  300  █▉
p1       1  ██▊                  300  █▉
p5       1  ██▊                  300  █▉
p25      1  ██▊                  300  █▉
p50      1  ██▊                  500  ███▏
p75      3  ████████▍          1,000  ██████▍
p95      5  ██████████████     2,200  ██████████████
p99      5  ██████████████     2,200  ██████████████
max      5  ██████████████     2,200  ██████████████
mean  2.50  ███████         1,000.00  ██████▍

vit  samples    share  mean tokens
────────────────────────────────────────────────────────
  0        0   0.00 %            -
  1        2  50.00 %          400  ████████████████████
  2        0   0.00 %            -
  3        1  25.00 %        1,000  ██████████
  4        0   0.00 %            -
  5        1  25.00 %        2,200  ██████████
`;

test("tables of two files", () => {
  expect(omnibal(["stats", "a.json", "b.json"], { cwd: folder })).toEqual({
    code: 0,
    out: `file    samples\n───────────────\na.json        3\nb.json        1\n\n${tables}`,
    err: "",
  });
});

test("--json is the core's line, the same on every run and from standard input", () => {
  const expected =
    '{"samples":4,"vit":{"sum":10,"mean":2.500000,"min":1,"p1":1,"p5":1,"p25":1,"p50":1,"p75":3,"p95":5,"p99":5,"max":5},' +
    '"tokens":{"sum":4000,"mean":1000.000000,"min":300,"p1":300,"p5":300,"p25":300,"p50":500,"p75":1000,"p95":2200,"p99":2200,"max":2200},' +
    '"tokensPerTile":400.000000,"vitHistogram":[{"from":0,"to":0,"samples":0,"meanTokens":null},' +
    '{"from":1,"to":1,"samples":2,"meanTokens":400.000000},{"from":2,"to":2,"samples":0,"meanTokens":null},' +
    '{"from":3,"to":3,"samples":1,"meanTokens":1000.000000},{"from":4,"to":4,"samples":0,"meanTokens":null},' +
    '{"from":5,"to":5,"samples":1,"meanTokens":2200.000000}]}\n';
  const run = () => omnibal(["stats", "--json", "a.json", "b.json"], { cwd: folder });
  expect(run()).toEqual({ code: 0, out: expected, err: "" });
  expect(run().out).toBe(expected);
  const input = JSON.stringify([1, 1, 3, 5].map((v, i) => ({ vit_num: v, token_num: [300, 500, 1000, 2200][i] })));
  expect(omnibal(["stats", "--json", "-"], { input }).out).toBe(expected);
});

test("no samples", () => {
  expect(omnibal(["stats", "none.json"], { cwd: folder })).toEqual({
    code: 0,
    out: "samples          0\ntiles            0\ntokens           0\ntokens per tile  -\n",
    err: "",
  });
});

test("fields of other names", () => {
  const input = JSON.stringify([{ tiles: 2, length: 100 }]);
  const { code, out } = omnibal(["stats", "--json", "--vit-field", "tiles", "--token-field=length", "-"], { input });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ samples: 1, vit: { sum: 2 }, tokens: { sum: 100 } });
});

test("tables fit 80 columns, whatever the numbers and names", async () => {
  const core = await load();
  const most = 2147483647;
  for (const vit of [[0, 9], [0, 12_345_678], [0, most], new Array<number>(1000).fill(most)]) {
    const stats = core.stats({ vit, tokens: vit.map(() => most) });
    const many = { ...stats, samples: 110_000_000 };
    const bins = { ...many, vitHistogram: stats.vitHistogram.map((bin) => ({ ...bin, samples: 110_000_000 })) };
    const files = Array.from({ length: 12 }, (_, i) => ({ path: `/${"folder/".repeat(20)}${i}.json`, samples: most }));
    const text = statsTables(bins, files);
    expect(widest(text)).toBeLessThanOrEqual(80);
    expect(text).toContain("older/folder/9.json");
    expect(text).toContain("\n2 files more\n");
  }
});
