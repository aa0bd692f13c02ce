import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testFolder } from "./folder.ts";
import { root } from "./installed.ts";

const all = testFolder();
const needs = JSON.stringify(join(root, "tests/needs.ts"));
const header = `import { describe, beforeAll, expect, test } from "vitest";\nimport { needs } from ${needs};\n`;

/** The lines from `skipped`, or from `time`, to the end of a run over these files, and its exit code. */
function run(name: string, files: Record<string, string>): { code: number | null; end: string[] } {
  const folder = join(all, name);
  mkdirSync(join(folder, "tests"), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, "tests", file), header + text);
  const reporter = JSON.stringify(join(root, "tests/reporter.ts"));
  const config = `export default { test: {
    include: ["tests/*.ts"], reporters: ["default", ${reporter}], expect: { requireAssertions: true } } };`;
  writeFileSync(join(folder, "vitest.config.js"), config);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const { status, stdout } = spawnSync(process.execPath, [vitest, "run", "--root", folder], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", CI: "" },
  });
  const lines = stdout.trimEnd().split("\n");
  const skipped = lines.indexOf("skipped");
  const from = skipped === -1 ? lines.findLastIndex((line) => line.startsWith("time  ")) : skipped;
  return { code: status, end: lines.slice(from).map((line) => line.replace(/^time {2}\d+ s$/, "time  N s")) };
}

test("a run that is all well ends with its time and its counts", () => {
  expect(run("well", { "a.ts": `test("a", () => expect(1).toBe(1)); test("b", () => expect(2).toBe(2));` })).toEqual({
    code: 0,
    end: ["time  N s", "2 passed, 0 failed, 0 skipped"],
  });
});

test("each reason for skipping is reported once, with its count; what fails outside a test counts as failed", () => {
  const { code, end } = run("not well", {
    "a.ts": `
      test("good", () => expect(1).toBe(1));
      test("wrong", () => expect(1).toBe(2));
      test("asserts nothing", () => {});
      test("no data", needs("the data are not there"), () => expect(1).toBe(2));
      test.each([1, 2])("no data %i", needs("the data are not there"), (x) => expect(x).toBe(0));
      test("noted", ({ skip }) => skip("not on this machine"));
      test.skip("without a word", () => expect(1).toBe(2));
      test("there", needs(undefined), () => expect(1).toBe(1));`,
    "cannot-be-loaded.ts": `throw new Error("no module");`,
    "hook.ts": `
      describe("hook", () => {
        beforeAll(() => { throw new Error("no set-up"); });
        test("never run", () => expect(1).toBe(1));
      });`,
  });
  expect(code).toBe(1);
  expect(end.toSorted()).toEqual(
    [
      "skipped",
      "  3  the data are not there",
      "  1  not on this machine",
      "  2  no reason is given",
      "time  N s",
      "2 passed, 4 failed, 6 skipped",
    ].toSorted(),
  );
  expect(end.at(-1)).toBe("2 passed, 4 failed, 6 skipped");
});
