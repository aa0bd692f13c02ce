// docs/formats.md against what is written: every file of every format, its dtype and shape, every key of its JSON.
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { load } from "../src/index.ts";
import { COLUMNS, measure } from "../src/measure/index.ts";
import { lengthFormats } from "../src/measure/run/formats.ts";
import { Partial } from "../src/measure/run/partial.ts";
import { formats, planFormats, writeAs } from "../src/write/index.ts";
import { readNpy, testFolder } from "./folder.ts";
import { modelFolder } from "./measure/model-folder.ts";

const page = readFileSync(new URL("../docs/formats.md", import.meta.url), "utf8");
const folder = testFolder();
const omnibal = await load();

const lengths = { vit: Int32Array.of(5, 0, 9, 12, 4, 2), tokens: Int32Array.of(2000, 1558, 93, 93, 5000, 100) };
const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096 });
const balanced = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096, method: "balanced" });
const cost = { msPerTile: 6, msPerToken: 0.02 };
const plan = omnibal.plan(packing, { ranks: 2, balance: cost });
const written = { core: omnibal.core, packing, plan, files: [{ path: "a.json", samples: 6 }], ...lengths };

/** The text under a heading, up to the next one. */
function section(heading: string): string {
  const [, text] = new RegExp(`^#+ ${heading}\n([^]*?)(?=^#)`, "m").exec(`${page}\n#`) ?? [];
  if (text === undefined) throw new Error(`no section "${heading}"`);
  return text;
}

/** The files in a section's table, and what is said of their dtype and shape. */
function filesIn(heading: string): Map<string, string> {
  return new Map(
    Array.from(section(heading).matchAll(/^\| `([\w.]+)` \| ([^|]*) \|/gm), (row) => [row[1], row[2].trim()]),
  );
}

/** The names of members, however deep, but for those of `but`. */
function keysOf(value: unknown, but: readonly string[] = []): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, own]) => [key, ...(but.includes(key) ? [] : keysOf(own))]);
}

function expectKeys(value: unknown, ...headings: string[]): void {
  const text = headings.map(section).join("\n");
  const named = new Set(Array.from(text.matchAll(/`(\w+)`|"(\w+)":/g), (match) => match[1] ?? match[2]));
  expect(keysOf(value).filter((key) => !named.has(key))).toEqual([]);
}

const parents: Record<string, string[]> = {
  "Packing: npy": ["Packing: npy"],
  "Packing: xtuner": ["Packing: xtuner"],
  "Plan: npy": ["Plan: npy", "Packing: npy"],
  "Plan: xtuner": ["Plan: xtuner", "Packing: xtuner"],
  "Plan: groups.npy": ["Plan: groups.npy"],
};

describe.each([["Packing", formats] as const, ["Plan", planFormats] as const])("%s", (kind, all) => {
  for (const format of all) {
    test(format.name, async () => {
      const heading = `${kind}: ${format.name}`;
      expect(section(heading).trim()).not.toBe("");
      const out = join(mkdtempSync(join(folder, "out-")), "out");
      await writeAs(format, written, out);
      const made = [`\`made\` of a ${kind.toLowerCase()}`, "`made` of a packing"];
      const json = kind === "Packing" ? "Packing: json" : "Plan: json";
      if (!("folder" in format)) {
        const lines = readFileSync(out, "utf8").trimEnd().split("\n");
        // A format may have text of its own in place of JSON.
        for (const line of lines.filter((own) => own.startsWith("{")))
          expectKeys(JSON.parse(line), heading, json, ...made);
        return;
      }
      const described = new Map(parents[heading].flatMap((own) => [...filesIn(own)]));
      // There is none without invalid samples.
      expect([...described.keys()].filter((name) => name !== "invalid.npy").sort()).toEqual(readdirSync(out).sort());
      for (const [name, type] of described) {
        if (!existsSync(join(out, name))) continue;
        if (name.endsWith(".json")) {
          const value = JSON.parse(readFileSync(join(out, name), "utf8"));
          expectKeys(Array.isArray(value) ? {} : value, ...parents[heading], json, "Packing: json", ...made);
          continue;
        }
        const [, shape] = /^int64 \((.*)\)$/.exec(type) as unknown as string[];
        const { header } = readNpy(join(out, name));
        const [, seen] = /^\{'descr': '<i8', 'fortran_order': False, 'shape': \((.*)\), \}$/.exec(
          header,
        ) as unknown as string[];
        const sizes = (text: string) => text.split(",").filter((size) => size.trim() !== "").length;
        expect(sizes(seen)).toBe(sizes(shape));
      }
    });
  }
});

test("made of both methods, of a plan with weights, and states", () => {
  expectKeys(omnibal.made(balanced), "`made` of a packing");
  const weighted = omnibal.plan(packing, { ranks: 2 });
  const { vit, tokens, length } = packing;
  for (const { made } of [weighted, plan, omnibal.plan({ vit, tokens, length }, { ranks: 2 })]) {
    expectKeys(made, "`made` of a plan");
  }
  const sampler = omnibal.sampler(packing, { kind: "random", ranks: 2, rank: 0 });
  for (const state of [weighted.state(1), sampler.state()]) expectKeys(state, "States", "`made` of a plan");
});

test("lengths of measure, its report and its folder", async () => {
  const own = mkdtempSync(join(folder, "measure-"));
  const data = join(own, "data.jsonl");
  writeFileSync(data, '{"text":"a cat"}\n{"text":7}\n{"text":"the picture of a cat"}\n');
  const model = modelFolder(join(own, "model"));
  const read = (out: string) => readFileSync(join(own, out), "utf8");
  const run = (out: string, options: object = {}) => measure([data], model, join(own, out), { workers: 0, ...options });
  await run("a.jsonl", { header: true, part: [0, 1] });
  const [header, ...rows] = read("a.jsonl").trimEnd().split("\n").map((line) => JSON.parse(line)); // biome-ignore format: short
  const [report, ...bad] = read("a.jsonl.report.jsonl").trimEnd().split("\n").map((line) => JSON.parse(line)); // biome-ignore format: short

  expect(header).toEqual({ lengths: report.report });
  const columns = Array.from(section("Lengths of measure").matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm), ([, names]) =>
    names.replaceAll("`", "").split(", "),
  ).flat();
  expect(columns.slice(0, -lengthFormats.length)).toEqual([...COLUMNS]);
  expect(columns.slice(-lengthFormats.length)).toEqual(lengthFormats.map(({ name }) => name));
  for (const row of rows) expect(Object.keys(row)).toEqual([...COLUMNS]);
  expectKeys({ ...report, report: { ...report.report, parameters: {} } }, "Report of measure");
  expect(Object.keys(report.report.parameters)).toEqual(["image", "video"]);
  expect(bad).toEqual([{ sample: 1, set: data, record: 1, why: expect.any(String) }]);
  expectKeys(bad[0], "Report of measure");

  await run("a.json");
  expect(JSON.parse(read("a.json"))).toEqual(rows);
  await run("a.npy");
  expect(section("Lengths of measure")).toContain("| `npy` | int64 (samples, columns).");
  const { header: npyHeader, values } = readNpy(join(own, "a.npy"));
  expect(npyHeader).toContain("'descr': '<i8', 'fortran_order': False, 'shape': (3, 7)");
  expect(values).toEqual(rows.flatMap((row) => Object.values(row)));

  const partial = Partial.open(join(own, "b.jsonl"), "key", false);
  partial.add(Float64Array.from(values), ["{}"]);
  partial.checkpoint();
  const described = filesIn("Folder of measure");
  expect(readdirSync(partial.folder).sort()).toEqual([...described.keys()].sort());
  expectKeys(JSON.parse(readFileSync(join(partial.folder, "checkpoint.json"), "utf8")), "Folder of measure");
  expect(described.get("columns.f64")).toContain("(samples, 7)");
  const kept = readFileSync(partial.columnsPath);
  expect(Array.from({ length: kept.length / 8 }, (_, i) => kept.readDoubleLE(i * 8))).toEqual(values);
  partial.remove();
});
