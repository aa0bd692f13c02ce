// Every snippet of the README is run, in order, in one folder with the tarball installed:
// - `js` blocks as modules; a `text` block right behind one is what it prints;
// - `console` blocks line by line: "$ command", then what it prints on both streams. Times are masked.
// - `sh` blocks are commands for the repository or for hosts; their own tests run them (see REPOSITORY below).
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tiled } from "../bench/inputs.ts";
import { install, remove, root } from "./installed.ts";

interface Block {
  language: string;
  text: string;
  line: number;
}

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks: Block[] = Array.from(readme.matchAll(/^```(\w+)\n(.*?)^```$/gms), (m) => ({
  language: m[1],
  text: m[2],
  line: readme.slice(0, m.index).split("\n").length,
}));

/** Commands of `sh` blocks, and the test that runs them. */
const REPOSITORY: Record<string, string> = {
  "npm ci && npm start": "start",
  "npm ci && npm test": "itself",
  "npm install omnibal": "tests/installed.ts",
  "npm run bench": "by hand: it takes minutes",
};

let folder: string;
beforeAll(() => {
  folder = install();
  const { vit, tokens } = tiled(100_000);
  const records = Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i], image_flags: v }));
  writeFileSync(join(folder, "lengths.json"), JSON.stringify(records));
}, 180_000);
afterAll(() => remove(folder));

/** What `sh -c` prints on both streams, without colours, times masked. */
function shell(command: string): string {
  const path = `${join(folder, "node_modules/.bin")}:${process.env.PATH}`;
  const env = { ...process.env, PATH: path, NO_COLOR: "1", COLUMNS: "80" };
  const out = execFileSync("sh", ["-c", `{ ${command}\n} 2>&1`], { cwd: folder, encoding: "utf8", env });
  return out.replaceAll(folder, ".");
}

const masked = (text: string) => text.replaceAll(/\d+\.\d+ (s|ms)\b/g, "T $1").trimEnd();

describe("README", () => {
  test("has snippets", () => expect(blocks.length).toBeGreaterThan(5));

  for (const [i, block] of blocks.entries()) {
    const name = `${block.language} at line ${block.line}`;
    if (block.language === "js") {
      test(name, () => {
        writeFileSync(join(folder, `snippet-${block.line}.js`), block.text);
        const printed = shell(`node snippet-${block.line}.js`);
        const next = blocks[i + 1];
        if (next?.language === "text") expect(masked(printed)).toBe(masked(next.text));
      });
    } else if (block.language === "console") {
      for (const part of block.text.split(/^(?=\$ )/m)) {
        const [command, ...output] = part.split("\n");
        test(`${name}: ${command}`, () => {
          expect(command).toMatch(/^\$ /);
          expect(masked(shell(command.slice(2)))).toBe(masked(output.join("\n")));
        });
      }
    } else if (block.language === "sh") {
      test(name, () => {
        for (const command of block.text.trim().split("\n")) expect(Object.keys(REPOSITORY)).toContain(command);
      });
    } else {
      test(`${name} is the output of the snippet before it`, () => {
        expect([block.language, blocks[i - 1]?.language]).toEqual(["text", "js"]);
      });
    }
  }

  test("npm start runs the main job", () => {
    const out = execFileSync("npm", ["--silent", "start"], { cwd: root, encoding: "utf8", stdio: "pipe" });
    expect(out).toContain("$ omnibal pack lengths.json");
    expect(out).toContain("groups.json starts with");
  });
});
