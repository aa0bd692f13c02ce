import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { testFolder } from "../folder.ts";
import { samples } from "../samples.ts";

const all = testFolder();
const script = fileURLToPath(new URL("../../examples/quickstart.mjs", import.meta.url));

/** A folder for one test. */
const empty = (name: string) => {
  mkdirSync(join(all, name));
  return join(all, name);
};

/** Runs it in `folder`; gives what it prints on both streams. */
function quickstart(folder: string): { out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8", cwd: folder });
  expect(status).toBe(0);
  return { out: stdout, err: stderr };
}

/** What a command prints in `folder`. */
function run(folder: string, command: string, ...args: string[]): string {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8", cwd: folder });
  expect(status).toBe(0);
  return stdout;
}

test("the quick start runs to its end, shows what it runs, and leaves its sample with omnibal beside it", async () => {
  const folder = empty("first");
  const { out, err } = quickstart(folder);
  expect(out).toContain("\n$ npx omnibal stats lengths.json\nsamples          100,000\n");
  expect(out).toContain("\n$ npx omnibal plan lengths.json --ranks 64 --max-vit 9 --max-tokens 4096 -o plan\n");
  const { vit, tokens } = samples("tiled:100000");
  const core = await load();
  const packing = core.pack({ vit, tokens }, { maxVit: 9, maxTokens: 4096, method: "balanced" });
  const [group] = core.plan(packing, { ranks: 64 }).batch(0, 63);
  expect(out).toContain(`\n  rank 63 group ${group}: samples ${packing.group(group).join(", ")}\n`);
  expect(err).toContain(`packing  ${packing.length.toLocaleString("en")} groups of 100,000 samples\n`);
  expect(out.endsWith("\nTo go on: cd quickstart\n")).toBe(true);
  expect(readdirSync(folder)).toEqual(["quickstart"]);
  const here = join(folder, "quickstart");
  expect(readdirSync(here).sort()).toEqual(["lengths.json", "node_modules", "package.json", "plan"]);
  expect(JSON.parse(readFileSync(join(here, "lengths.json"), "utf8"))).toEqual(
    Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i], image_flags: v })),
  );
  // The library of the README too, not only its command line.
  writeFileSync(join(here, "use.js"), 'import { load } from "omnibal"; console.log(typeof (await load()).pack);');
  expect(run(here, process.execPath, "use.js")).toBe("function\n");
  expect(run(here, "npx", "omnibal", "--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("a second run goes on with the folder of the first, and writes nothing there but the plan", () => {
  const folder = empty("second");
  quickstart(folder);
  const here = join(folder, "quickstart");
  writeFileSync(join(here, "groups.json"), "mine");
  const before = statSync(join(here, "lengths.json")).mtimeMs;
  expect(quickstart(folder).out).toContain("\nTo go on: cd quickstart\n");
  expect(readdirSync(folder)).toEqual(["quickstart"]);
  expect(statSync(join(here, "lengths.json")).mtimeMs).toBe(before);
  expect(readFileSync(join(here, "groups.json"), "utf8")).toBe("mine");
});

test("what has the name already is left alone, whatever it is, and the sample goes beside it", () => {
  const folder = empty("taken");
  writeFileSync(join(folder, "quickstart"), "mine");
  mkdirSync(join(folder, "quickstart-2"));
  mkdirSync(join(folder, "quickstart-3"));
  writeFileSync(join(folder, "quickstart-3", "lengths.json"), "mine");
  symlinkSync("nowhere", join(folder, "quickstart-4"));
  expect(quickstart(folder).out.endsWith("\nTo go on: cd quickstart-5\n")).toBe(true);
  expect(readFileSync(join(folder, "quickstart"), "utf8")).toBe("mine");
  expect(readdirSync(join(folder, "quickstart-2"))).toEqual([]);
  expect(readdirSync(join(folder, "quickstart-3"))).toEqual(["lengths.json"]);
  expect(readFileSync(join(folder, "quickstart-3", "lengths.json"), "utf8")).toBe("mine");
  expect(readlinkSync(join(folder, "quickstart-4"))).toBe("nowhere");
  expect(existsSync(join(folder, "nowhere"))).toBe(false);
  expect(existsSync(join(folder, "quickstart-5", "lengths.json"))).toBe(true);
  expect(readdirSync(folder)).toHaveLength(5);
});
