// An option's range and default stand in its spec. Where they have to be said again, in another language or in words,
// they are held against it here.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { packCommand } from "../src/cli/pack.ts";
import { searchCommand } from "../src/cli/search.ts";
import { statsCommand } from "../src/cli/stats.ts";
import { type NumberSpec, SEED, type Specs } from "../src/core/options.ts";
import { BALANCED_OPTIONS } from "../src/pack/balanced.ts";
import { FULL_BELOW, ISF_OPTIONS } from "../src/pack/isf.ts";
import { COMMON } from "../src/pack/options.ts";
import { PACKER_OPTIONS } from "../src/pack/stream.ts";
import { EVALUATE_OPTIONS } from "../src/plan/evaluate.ts";
import { BALANCED_PLAN_OPTIONS } from "../src/plan/plan.ts";
import { PLAN_OPTIONS } from "../src/plan/samplers.ts";
import { SEARCH_OPTIONS } from "../src/search/search.ts";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const numbers = (specs: Specs) =>
  Object.entries(specs).filter((entry): entry is [string, NumberSpec] => ["integer", "number"].includes(entry[1].kind));

/** 2^31 - 1, 1,000,000 or 7 */
function number(text: string): number {
  const power = /^2\^(\d+) - 1$/.exec(text);
  return power === null ? Number(text.replaceAll(",", "")) : 2 ** Number(power[1]) - 1;
}

/** The docstring of each member of an interface. */
function docstrings(path: string, name: string): Map<string, string> {
  const body = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, "m").exec(read(path))?.[1] ?? "";
  const members = body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}readonly (\w+)\??:/g);
  return new Map(Array.from(members, ([, text, member]) => [member, text.replaceAll(/\s*\n\s*\* ?/g, " ")]));
}

describe.each([
  ["src/pack/options.ts", "CommonPackOptions", COMMON],
  ["src/pack/isf.ts", "IsfOptions", ISF_OPTIONS],
  ["src/pack/balanced.ts", "BalancedOptions", BALANCED_OPTIONS],
  ["src/pack/stream.ts", "PackerOptions", PACKER_OPTIONS],
  ["src/plan/samplers.ts", "PlanOptions", { ...PLAN_OPTIONS, seed: { ...PLAN_OPTIONS.seed, default: 0 } }],
  ["src/plan/evaluate.ts", "EvaluateOptions", { seed: SEED, epoch: EVALUATE_OPTIONS.epoch }],
  ["src/plan/plan.ts", "BalancedPlanOptions", BALANCED_PLAN_OPTIONS],
  ["src/search/search.ts", "SearchOptions", SEARCH_OPTIONS],
] as const)("%s: the docstrings of %s say what the specs do", (path, name, specs: Specs) => {
  const docs = docstrings(path, name);
  const own = numbers(specs).filter(([option]) => docs.has(option));

  test("defaults", () => {
    const said = own.map(([option]) => /Default: ([\d.,]*\d)/.exec(docs.get(option) ?? "")?.[1]);
    expect(said.map((text) => (text === undefined ? undefined : number(text)))).toEqual(
      own.map(([, spec]) => spec.default),
    );
  });

  test("ranges, where they are given", () => {
    const said = own.flatMap(([option, { low, high }]) => {
      const range = /(\d+) \.\. (2\^\d+ - 1|[\d,]*\d)/.exec(docs.get(option) ?? "");
      return range === null ? [] : [{ option, seen: [number(range[1]), number(range[2])], own: [low, high] }];
    });
    for (const { option, seen, own } of said) expect([option, ...seen]).toEqual([option, ...own]);
    expect(docs.size).toBeGreaterThan(0);
  });
});

describe("the WASI command", () => {
  const source = read("assembly/command/arguments.ts");
  const name = source.slice(source.indexOf("function nameOf"), source.indexOf("/** The letter of an option"));
  const names = Array.from(name.matchAll(/ascii\("([a-z-]+)"\)/g), ([, text]) => text);
  const all = { ...statsCommand.options, ...packCommand.options, ...searchCommand.options };
  /** What needs a file system of Node's, or threads; the search for the shortest epoch, and names of columns of .npy. */
  const absent = ["root", "workers", "shards", "objective", "cost", "memory", "bytes", "columns"];

  test("has the options of pack, stats and search, but for what only Node has", () => {
    const expected = [...Object.keys(all), "help"].filter((option) => !absent.includes(option));
    expect([...names].sort()).toEqual(expected.sort());
  });

  test("has their letters and flags", () => {
    const letters = Object.entries(all).flatMap(([option, { short }]) =>
      short === undefined ? [] : [[option, short]],
    );
    expect(letters).toEqual([
      ["quiet", "q"],
      ["output", "o"],
    ]);
    const flags = names.slice(names.indexOf("quiet"));
    expect(flags.sort()).toEqual(
      Object.keys(all)
        .filter((option) => all[option].kind === "flag")
        .concat("help")
        .sort(),
    );
  });

  test("has their ranges and defaults", () => {
    const run = read("assembly/command/run.ts");
    const pack = read("assembly/command/pack.ts");
    const value = (text: string) =>
      ({ "i32.MAX_VALUE": 2 ** 31 - 1, "u32.MAX_VALUE": 2 ** 32 - 1 })[text] ?? Number(text);
    const seen = Array.from(
      pack.matchAll(/(?:numberOption|requiredNumber)\(([A-Z_]+), (\S+), (\S+)\)/g),
      ([, option, low, high]) => [option.toLowerCase().replaceAll("_", "-"), value(low), value(high)],
    );
    const specs = numbers(packCommand.options).map(([option, { low, high }]) => [option, low, high]);
    const unique = [...new Set(seen.map((own) => own.join()))];
    expect(unique.sort()).toEqual(specs.map((own) => own.join()).sort());
    const constant = (path: string, name: string) =>
      Number(new RegExp(`const ${name}: [iu]32 = (\\d+);`).exec(read(path))?.[1]);
    expect(
      ["ROUNDS", "SEED", "FULL_BELOW", "EFFORT"].map((name) => constant("assembly/pack/defaults.ts", name)),
    ).toEqual([ISF_OPTIONS.rounds.default, SEED.default, FULL_BELOW, BALANCED_OPTIONS.effort.default]);
    expect(constant("assembly/search/search.ts", "SLACK_TOKENS")).toBe(FULL_BELOW);
    for (const [option, { default: usual }] of Object.entries(all)) {
      if (usual === undefined || all[option].kind === "choice") continue;
      expect(run).toMatch(new RegExp(`--${option} [A-Z]+\\s.*\\(default ${usual}\\)`));
    }
    expect(run).toContain(`less ${FULL_BELOW})`);
  });
});

test("the Python package has the defaults of the specs", () => {
  const constant = (path: string, name: string) =>
    Number(new RegExp(`^${name} = ([\\d_.]+)$`, "m").exec(read(`python/omnibal/${path}`))?.[1].replaceAll("_", ""));
  const pack = ["SEED", "ROUNDS", "EFFORT", "FULL_BELOW"].map((name) => constant("_pack.py", name));
  expect(pack).toEqual([SEED.default, ISF_OPTIONS.rounds.default, BALANCED_OPTIONS.effort.default, FULL_BELOW]);
  const stream = ["SEED", "BUFFER", "MOST_BUFFER"].map((name) => constant("_stream.py", name));
  expect(stream).toEqual([SEED.default, PACKER_OPTIONS.buffer.default, PACKER_OPTIONS.buffer.high]);
  const search = ["CANDIDATES", "SLACK"].map((name) => constant("_search.py", name));
  expect(search).toEqual([SEARCH_OPTIONS.candidates.default, SEARCH_OPTIONS.slack.default]);
  const sampler = ["SEED", "BIN_SIZE", "WINDOW"].map((name) => constant("_evaluate.py", name));
  expect(sampler).toEqual([SEED.default, PLAN_OPTIONS.binSize.default, PLAN_OPTIONS.window.default]);
});
