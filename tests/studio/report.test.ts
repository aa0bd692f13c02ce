// The samples inside a report: the same when they are taken out, and nothing in them that a browser would run.
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { studioPage, studioReport } from "../../dist/studio/index.js";
import { MODULE_ID, type ReportData, SAMPLES_ID } from "../../src/studio/report.ts";
import { omnibal } from "../cli/run.ts";
import { testFolder } from "../folder.ts";
import { needs } from "../needs.ts";
import { noData, samples } from "../samples.ts";

const folder = testFolder();

function dataIn(page: string): ReportData {
  const found = new RegExp(`<script type="application/json" id="${SAMPLES_ID}">([^<]*)</script>`).exec(page);
  return JSON.parse(found?.[1] ?? "null");
}

test("columns are what they were", async () => {
  const vit = Int32Array.of(1, 0, 2147483647);
  const area = Float64Array.of(2 ** 53 - 1, 0, 3);
  const files = [{ path: "a.json", samples: 3 }];
  const page = await studioReport({ vit, area, files, invalid: Int32Array.of() }, { max: { vit: 9 }, ranks: 4 });
  const { columns, ...others } = dataIn(page);
  expect(others).toEqual({ version: 1, files, view: "max.vit=9&ranks=4" });
  expect(columns.map(({ name, type }) => [name, type])).toEqual([
    ["vit", "int32"],
    ["area", "float64"],
  ]);
  const bytes = columns.map(({ data }) => new Uint8Array(gunzipSync(Buffer.from(data, "base64"))).buffer);
  expect(new Int32Array(bytes[0])).toEqual(vit);
  expect(new Float64Array(bytes[1])).toEqual(area);
});

test("no name of a file or a load ends the element that it is in", async () => {
  const path = "</script><script>alert(1)</script><!--$&$1\u2028";
  const page = await studioReport({ [path]: Int32Array.of(1), files: [{ path, samples: 1 }] });
  const data = dataIn(page);
  expect(data.files).toEqual([{ path, samples: 1 }]);
  expect(data.columns[0].name).toBe(path);
  expect(page.match(/<script/g)).toHaveLength((await studioPage()).match(/<script/g)?.length ?? 0);
});

test("columns of different lengths, or none, are refused", async () => {
  await expect(studioReport({ a: Int32Array.of(1), b: Int32Array.of(1, 2) })).rejects.toThrow(
    "b has 2 values, the load before it 1",
  );
  await expect(studioReport({})).rejects.toThrow("there is no load");
});

test("the page asks for nothing, and its policy lets nothing in or out", async () => {
  const page = await studioPage();
  const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
  // The policy comes before everything that it is for.
  expect(page.indexOf(policy)).toBeLessThan(page.search(/<style|<script/));
  expect(page).not.toMatch(/<(?:script|link|img|iframe)[^>]*\b(?:src|href)="(?!data:,")/);
  expect(page).toContain(`id="${MODULE_ID}">H4sI`);
});

test("the report of 12,413 samples is below 1 MB", needs(noData("ai2d_train_12k")), () => {
  const { vit, tokens } = samples("ai2d_train_12k");
  const records = Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i] }));
  expect(records).toHaveLength(12_413);
  writeFileSync(join(folder, "lengths.json"), JSON.stringify(records));
  const run = omnibal(["studio", "-q", "lengths.json", "--max", "vit=9,tokens=4096", "-o", "report.html"], {
    cwd: folder,
  });
  expect(run).toEqual({ code: 0, out: "", err: "" });
  const { size } = statSync(join(folder, "report.html"));
  process.stdout.write(`report of 12,413 samples: ${Math.round(size / 1024)} KB\n`);
  expect(size).toBeLessThan(1_000_000);
});

test.each([
  ["--max=vit=0,tokens=1", "--max has vit=0, expected a whole number from 1 to 9007199254740991"],
  ["--max=patches=9", '--max names "patches", the samples have vit, tokens'],
  ["--max=vit=9,vit=9", '--max names "vit" twice'],
  ["--port=1", "--port is given, but --output writes a file"],
  ["--ranks=0", '--ranks is "0", expected a whole number from 1 to 2147483647'],
])("%s is refused", (option, message) => {
  writeFileSync(join(folder, "one.json"), '[{"vit_num":1,"token_num":2}]');
  const { code, err } = omnibal(["studio", "one.json", option, "-o", "out.html"], { cwd: folder });
  expect({ code, err }).toEqual({ code: 2, err: `omnibal: ${message} (see omnibal studio --help)\n` });
});
