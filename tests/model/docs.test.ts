// docs/model.md: its commands and its code, run.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { shell } from "../cli/run.ts";
import { testFolder } from "../folder.ts";
import { modelConfig } from "./models.ts";

const text = readFileSync(new URL("../../docs/model.md", import.meta.url), "utf8");
const blocks = Array.from(text.matchAll(/^```(\w+)\n(.*?)^```$/gms), ([, language, code]) => ({ language, code }));
const folder = testFolder();
writeFileSync(join(folder, "config.json"), JSON.stringify(modelConfig("internvl-6-20b")));

test("commands print what it says", () => {
  let commands = 0;
  for (const { language, code } of blocks) {
    if (language !== "console") continue;
    for (const part of code.split(/^(?=\$ )/m)) {
      const [command, ...output] = part.split("\n");
      expect(command).toMatch(/^\$ omnibal /);
      const { code: status, out, err } = shell(command.replace(/^\$ omnibal/, "$OMNIBAL"), folder);
      expect([status, err]).toEqual([0, ""]);
      expect(out.trimEnd()).toBe(output.join("\n").trimEnd());
      commands++;
    }
  }
  expect(commands).toBe(2);
});

test("the code prints what it says", () => {
  const at = blocks.findIndex(({ language }) => language === "js");
  const dist = new URL("../../dist/", import.meta.url).href;
  const code = blocks[at].code
    .replaceAll('"omnibal/model"', `"${dist}model/index.js"`)
    .replaceAll('"omnibal"', `"${dist}index.js"`);
  writeFileSync(join(folder, "snippet.mjs"), code);
  const out = execFileSync(process.execPath, ["snippet.mjs"], { cwd: folder, encoding: "utf8" });
  expect(out).toBe(blocks[at + 1].code);
});

test("the entry reaches nothing outside of the package, and nothing of Node", () => {
  const dist = new URL("../../dist/", import.meta.url);
  const seen = new Set<string>();
  const outside = new Set<string>();
  const visit = (url: URL) => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    for (const [, from] of readFileSync(url, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
      if (from.startsWith(".")) visit(new URL(from, url));
      else outside.add(from);
    }
  };
  visit(new URL("model/index.js", dist));
  expect([...outside]).toEqual([]);
  expect(seen.size).toBeGreaterThan(10);
});
