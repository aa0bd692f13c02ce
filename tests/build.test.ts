import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { stale } from "./build.ts";
import { testFolder } from "./folder.ts";

const folder = testFolder();
const outputs = ["build/omnibal.wasm", "dist/cli/main.js", "dist/studio/studio.html"];
const inputs = [
  "assembly/index.ts",
  "assembly/pack/isf/isf.ts",
  "asconfig.json",
  "package.json",
  "src/cli/main.ts",
  "src/studio/page/app.tsx",
  "tsconfig.json",
  "tsconfig.build.json",
];

/** Writes a file as of `seconds` after 1970. */
function write(name: string, seconds: number): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), "");
  utimesSync(join(folder, name), seconds, seconds);
}

beforeEach(() => {
  for (const name of inputs) write(name, 1000);
  // The page holds the module, so it is the newest.
  for (const [k, name] of outputs.entries()) write(name, 2000 + k);
});

test("what is newer than its sources is not built again", () => {
  expect(stale(folder)).toEqual([]);
});

test.each([
  ["assembly/index.ts", ["build:wasm"]],
  ["assembly/pack/isf/isf.ts", ["build:wasm"]],
  ["asconfig.json", ["build:wasm"]],
  ["src/cli/main.ts", ["build:ts", "build:studio"]],
  ["src/studio/page/app.tsx", ["build:ts", "build:studio"]],
  ["tsconfig.json", ["build:ts"]],
  ["tsconfig.build.json", ["build:ts"]],
  ["package.json", ["build:wasm", "build:ts", "build:studio"]],
  [outputs[0], ["build:studio"]],
])("a change of %s is built", (name, scripts) => {
  write(name, 3000);
  expect(stale(folder)).toEqual(scripts);
});

test.each([
  [outputs[0], ["build:wasm"]],
  [outputs[1], ["build:ts"]],
  [outputs[2], ["build:studio"]],
])("a missing %s is built", (name, scripts) => {
  rmSync(join(folder, name));
  expect(stale(folder)).toEqual(scripts);
});
