// What a newcomer adds is one file and one line in a list: here each list gets an entry at run time, and whatever knows
// the others knows it too. docs/recipes.md says how it is done.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import type { Values } from "../src/cli/command.ts";
import { compareCommand } from "../src/cli/compare.ts";
import { evaluateCommand } from "../src/cli/evaluate.ts";
import { packCommand } from "../src/cli/pack.ts";
import { planCommand } from "../src/cli/plan.ts";
import { compare } from "../src/compare/compare.ts";
import { deal } from "../src/compare/epoch.ts";
import { upTo } from "../src/compare/random.ts";
import type { System } from "../src/compare/system.ts";
import { systems } from "../src/compare/systems.ts";
import { allocate } from "../src/core/abi.ts";
import { vitTokens } from "../src/core/lengths.ts";
import { type Specs, take } from "../src/core/options.ts";
import { load } from "../src/index.ts";
import type { Method } from "../src/pack/method.ts";
import { methods } from "../src/pack/methods.ts";
import type { CommonPackOptions } from "../src/pack/options.ts";
import { trustedPacking } from "../src/pack/packing.ts";
import type { Sampler } from "../src/plan/sampler.ts";
import { samplers } from "../src/plan/sampler-kinds.ts";
import type { LengthsFormat } from "../src/read/format.ts";
import { lengthsFormats } from "../src/read/formats.ts";
import { readLengths, readPacking } from "../src/read/index.ts";
import { type Format, formats, type PlanFormat, planFormats } from "../src/write/index.ts";
import { testFolder } from "./folder.ts";

const omnibal = await load();
const folder = testFolder();
const input = { vit: Int32Array.of(1, 2, 3, 4, 9), tokens: Int32Array.of(100, 200, 300, 400, 9000) };
const bounds = { maxVit: 9, maxTokens: 4096 };
const lengthsFile = join(folder, "lengths.json");
writeFileSync(
  lengthsFile,
  JSON.stringify(Array.from(input.vit, (vit, i) => ({ vit_num: vit, token_num: input.tokens[i] }))),
);

/** Adds a line to a list until the test ends, before its entry `at`. */
function add<T>(list: readonly T[], entry: T, at = list.length): void {
  const lines = list as T[];
  lines.splice(at, 0, entry);
  onTestFinished(() => {
    lines.splice(lines.indexOf(entry), 1);
  });
}

/** The names in a list. */
const listed = (entries: readonly { readonly name: string }[]) => entries.map(({ name }) => name).join(", ");

/** Help as one line, however it is wrapped. */
const flat = (help: string) => help.replaceAll(/\s+/g, " ");

/** Runs a command as the command line does, with the values that it has parsed. */
async function written(run: (files: readonly string[], values: Values) => Promise<void>, values: Values, name: string) {
  const output = join(folder, name);
  await run([lengthsFile], { ...values, quiet: true, output });
  return readFileSync(output, "utf8");
}

test("a packing method", async () => {
  const own = {
    most: { kind: "integer", low: 1, high: 9, default: 1, about: "samples in a group" },
  } as const satisfies Specs;
  const few: Method = {
    name: "few",
    about: "Method few takes samples in their order, so many to a group",
    options: own,
    *run(_core, samples, options: CommonPackOptions & { most?: number }) {
      const { vit, tokens } = vitTokens(samples);
      const { maxVit, maxTokens } = options as { maxVit: number; maxTokens: number };
      const most = take(own, "most", options);
      const fits = (i: number) => vit[i] * most <= maxVit && tokens[i] * most <= maxTokens;
      const places = Array.from(vit.keys());
      const indices = Int32Array.from(places.filter(fits));
      const groups = Math.ceil(indices.length / most);
      const sums = (values: Int32Array) =>
        Int32Array.from({ length: groups }, (_, g) =>
          indices.subarray(g * most, (g + 1) * most).reduce((sum, i) => sum + values[i], 0),
        );
      yield { done: 1, samples: vit.length, groups };
      return trustedPacking({
        offsets: Int32Array.from({ length: groups + 1 }, (_, g) => Math.min(g * most, indices.length)),
        indices,
        loads: { vit: sums(vit), tokens: sums(tokens) },
        oversize: Int32Array.from(places.filter((i) => !fits(i))),
        bounds: { max: { vit: maxVit, tokens: maxTokens } },
        ...{ bound: 1, rounds: 0, method: "few" },
        settings: { bounds: { vit: maxVit, tokens: maxTokens }, method: "few" },
        lengths: { vit, tokens },
      });
    },
  };
  const two = { ...bounds, method: "few", most: 2 } as never;
  expect(() => omnibal.pack(input, two)).toThrow('pack has no option "most"');
  expect(() => omnibal.pack(input, { ...bounds, method: "few" } as never)).toThrow(`expected ${listed(methods)}`);
  add(methods, few);

  const packing = omnibal.pack(input, two);
  expect([Array.from(packing, (group) => [...group]), [...packing.oversize]]).toEqual([
    [
      [0, 1],
      [2, 3],
    ],
    [4],
  ]);
  expect(omnibal.pack(input, { ...bounds, method: "few" } as never).length).toBe(4);
  expect(() => omnibal.pack(input, { ...bounds, method: "few", most: 10 } as never)).toThrow(
    "most is 10, expected a whole number from 1 to 9",
  );
  // Options are for those who have them.
  expect(() => omnibal.pack(input, { ...bounds, most: 2 } as never)).toThrow(
    "most is given, expected none for method isf",
  );
  expect(() => omnibal.pack(input, { ...bounds, method: "few", rounds: 3 } as never)).toThrow(
    "rounds is given, expected none for method few",
  );
  expect(() => omnibal.pack(input, { ...bounds, mosd: 2 } as never)).toThrow("did you mean most?");

  expect(flat(packCommand.help)).toMatch(/ --method METHOD isf \(default\),[\w, -]* or few /);
  expect(packCommand.help).toContain(`${few.about}:\n  --most N            samples in a group (default 1)\n`);
  expect(packCommand.options).toHaveProperty("most");
  const asked = { "max-vit": "9", "max-tokens": "4096" };
  const text = await written(packCommand.run, { ...asked, method: "few", most: "2" }, "few.json");
  expect(JSON.parse(text)).toMatchObject({
    groups: [
      [0, 1],
      [2, 3],
    ],
    oversize: [4],
    made: { method: "few" },
  });
  await expect(packCommand.run([lengthsFile], { ...asked, most: "2" })).rejects.toThrow(
    "--most is given, but it is for --method few",
  );
  const most = packCommand.run([lengthsFile], { ...asked, method: "few", most: "0" });
  await expect(most).rejects.toThrow('--most is "0", expected a whole number from 1 to 9');
  const read = await readPacking(omnibal, join(folder, "few.json"), await readLengths([lengthsFile]));
  expect(read.method).toBe("few");
});

test("a sampler", async () => {
  const backwards: Sampler = {
    name: "backwards",
    seed: 7,
    options: { skip: { kind: "integer", low: 0, high: 2, default: 0 } },
    draw(abi, plan, seed) {
      const { ranks, microBatch, skip } = plan as typeof plan & { skip: number };
      expect(seed).toBe(7);
      const units = Int32Array.from({ length: abi.unitCount() - skip }, (_, i) => abi.unitCount() - 1 - i);
      const at = allocate(abi, units.length * 4, units.length);
      new Int32Array(abi.memory.buffer, at, units.length).set(units);
      return abi.planTake(at, units.length, ranks, microBatch);
    },
  };
  const packing = omnibal.pack(input, { maxVit: 4, maxTokens: 400 });
  expect(packing.length).toBe(3);
  const asked = { kind: "backwards", ranks: 3, rank: 1 } as never;
  expect(() => omnibal.sampler(packing, asked)).toThrow(`expected ${listed(samplers)}`);
  add(samplers, backwards);

  expect(Array.from(omnibal.sampler(packing, asked), (batch) => [...batch])).toEqual([[1]]);
  const one = omnibal.sampler(packing, { kind: "backwards", ranks: 1, rank: 0, skip: 2 } as never);
  expect(Array.from(one, (batch) => [...batch])).toEqual([[2]]);
  expect(one.state().plan).toMatchObject({ kind: "backwards", seed: 7, skip: 2 });
  expect(() => omnibal.sampler(packing, { ...(asked as object), skip: 3 } as never)).toThrow(
    "skip is 3, expected a whole number from 0 to 2",
  );
  expect(omnibal.evaluate(packing, { sampler: "backwards", ranks: 1, seed: 7 } as never).steps).toBe(3);
  expect(() => omnibal.sampler(packing, { ...(asked as object), compat: "reference" } as never)).toThrow(
    "there is no published backwards sampler",
  );
  // Nothing was published under this name, so that it is not what a plan is compared with.
  expect(Object.keys(omnibal.plan(packing, { ranks: 1, compare: true }).published ?? {})).not.toContain("backwards");

  expect(flat(evaluateCommand.help)).toMatch(/ --sampler SAMPLER random \(default\),[\w, -]* or backwards /);
  expect(evaluateCommand.help).toContain("\n  --skip N            0 to 2 (default 0)\n");
  const own = { packing: "-", plan: "plan.json", skip: "1" };
  await expect(evaluateCommand.run([lengthsFile], own)).rejects.toThrow("--skip comes from the plan");
  const none = { packing: "-", ranks: "1", sampler: "backwards", skip: "3" };
  await expect(evaluateCommand.run([lengthsFile], none)).rejects.toThrow('--skip is "3", expected a whole number');
});

test("a format of lengths", async () => {
  const pairs: LengthsFormat = {
    name: "couples",
    files: /\.couples$/,
    mayBeMeta: false,
    begins: (first) => first === 0x25,
    reader: async () => async (source, out) => {
      const bytes = new Uint8Array(100);
      const size = await source.read(bytes);
      const lines = new TextDecoder().decode(bytes.subarray(0, size)).trim().split("\n").slice(1);
      for (const [vit, tokens] of lines.map((line) => line.split(" ").map(Number))) {
        out.loads[0].push(vit);
        out.loads[1].push(tokens);
      }
      return lines.length;
    },
  };
  const named = join(folder, "lengths.couples");
  const nameless = join(folder, "lengths");
  for (const path of [named, nameless]) writeFileSync(path, "% tiles tokens\n3 700\n4 1024\n");
  await expect(readLengths([nameless])).rejects.toThrow("vit_num is missing");
  add(lengthsFormats, pairs, lengthsFormats.length - 1);

  const read = await readLengths([named, lengthsFile, nameless]);
  expect([...read.vit]).toEqual([3, 4, ...input.vit, 3, 4]);
  expect([...read.tokens]).toEqual([700, 1024, ...input.tokens, 700, 1024]);
  expect(read.files.map(({ samples }) => samples)).toEqual([2, 5, 2]);
});

test("a format of packings, and one of plans", async () => {
  const lines: Format = {
    name: "rows",
    about: "a line of samples per group",
    file: ({ packing }) => Array.from(packing, (group) => new TextEncoder().encode(`${group.join(" ")}\n`)),
  };
  const steps: PlanFormat = {
    name: "steps",
    about: "a line of groups per step",
    lacks: ({ spSize = 1 }) => (spSize > 1 ? "--sp-size" : undefined),
    file: ({ plan }) => Array.from(plan.rank(0), (batch) => new TextEncoder().encode(`${batch.join(" ")}\n`)),
  };
  const asked = { "max-vit": "4", "max-tokens": "400" };
  const run = () => written(packCommand.run, { ...asked, format: "rows" }, "groups.txt");
  await expect(run()).rejects.toThrow(`--format is "rows", expected one of ${listed(formats)}`);
  add(formats, lines);
  add(planFormats, steps);

  const groups = Array.from(omnibal.pack(input, { maxVit: 4, maxTokens: 400 }), (group) => group.join(" "));
  expect((await run()).trimEnd().split("\n")).toEqual(groups);
  expect(flat(packCommand.help)).toContain(` --format FORMAT ${listed(formats)} `);
  expect(packCommand.help).toContain("\n  rows    a line of samples per group\n");

  await written(packCommand.run, asked, "groups.json");
  const packing = join(folder, "groups.json");
  const text = await written(planCommand.run, { packing, ranks: "1", format: "steps" }, "steps.txt");
  expect(text.trimEnd().split("\n").sort()).toEqual(["0", "1", "2"]);
  const teams = { packing, ranks: "1", format: "steps", "sp-size": "2" };
  await expect(planCommand.run([lengthsFile], teams)).rejects.toThrow("--format steps has no place for --sp-size");
  expect(planCommand.help).toContain("\n  steps         a line of groups per step\n");
});

test("a row of a comparison", () => {
  const inOrder: System = {
    name: "in-order",
    title: "one by one",
    about: "samples as they come, one at a time",
    usual: false,
    run: ({ samples, ranks }) => ({
      ...{ offsets: upTo(samples + 1), indices: upTo(samples), order: deal(upTo(samples), ranks) },
    }),
  };
  const asked = { ranks: 2, max: { vit: 9, tokens: 9000 }, systems: ["in-order"] };
  expect(() => compare(omnibal, input, asked)).toThrow('systems has "in-order", expected all or some of fixed');
  add(systems, inOrder);
  const { systems: rows } = compare(omnibal, input, asked);
  // Steps of samples 0 and 1, 2 and 3, 4 and 0 again: each waits for the larger one.
  const cost = (i: number) => 512 * input.vit[i] + input.tokens[i];
  expect(rows).toMatchObject([{ name: "in-order", steps: 3, repeated: 1, time: cost(1) + cost(3) + cost(4) }]);
  expect(compareCommand.help).toContain("\n  in-order              samples as they come, one at a time\n");
});

test("a command", () => {
  const dist = (name: string) => pathToFileURL(join(import.meta.dirname, "../dist/cli", name)).href;
  const script = join(folder, "main.mjs");
  writeFileSync(
    script,
    `import { commands } from ${JSON.stringify(dist("commands.js"))};
     import { givenOptions, optionsHelp } from ${JSON.stringify(dist("command.js"))};
     import { print } from ${JSON.stringify(dist("print.js"))};
     const options = { times: { kind: "integer", low: 1, high: 9, default: 2, about: "how often" } };
     commands.push({
       name: "echo",
       about: "says the names of files",
       help: \`Usage: omnibal echo\\n\${optionsHelp(options)}\\n\`,
       options,
       run: (files, values) => print(files.join(" ").repeat(givenOptions(values, options, "times").times ?? 2)),
     });
     await import(${JSON.stringify(dist("main.js"))});`,
  );
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
    return [status, stdout, stderr];
  };
  expect(run("echo", "a", "b", "--times=3")).toEqual([0, "a ba ba b", ""]);
  expect(run("echo", "--help")).toEqual([0, "Usage: omnibal echo\n  --times N           how often (default 2)\n", ""]);
  expect(run("--help")[1]).toContain("\n  echo      says the names of files\n");
  expect(run("echo", "--times=0")).toEqual([
    2,
    "",
    'omnibal: --times is "0", expected a whole number from 1 to 9 (see omnibal echo --help)\n',
  ]);
});
