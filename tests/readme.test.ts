// Every snippet of the README is run, in order, in one folder with the tarball installed:
// - `js` blocks as modules; a `text` block right behind one is what it prints;
// - `html` blocks as pages in Chromium, which must come to write into #out;
// - `python` blocks are kept under the name in their first line, for commands that follow, as `js` blocks are;
// - `console` blocks line by line: "$ command", then what it prints on both streams. Times are masked.
// - `sh` blocks are commands for the repository; their own tests run them (see REPOSITORY below).
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tiled } from "../bench/inputs.ts";
import { missing as chromiumMissing, read as readPage } from "./hosts/chromium.ts";
import { example, python, pythonMissing } from "./hosts/wasmtime.ts";
import { whenThere } from "./hosts/when-there.ts";
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
  copyFileSync(join(example, "omnibal.py"), join(folder, "omnibal.py"));
  // The engine is the real one; only its command line comes from elsewhere, as PyPI's package has none.
  const wasmtime = `#!/bin/sh\nshift\nexec "${python}" "${join(root, "tests/hosts/wasmtime_run.py")}" "$@"\n`;
  writeFileSync(join(folder, "node_modules/.bin/wasmtime"), wasmtime, { mode: 0o755 });
}, 180_000);
afterAll(() => remove(folder));

/** The file that a block's first line names. */
function named(block: Block): string | undefined {
  return /^(?:\/\/|#) (\S+\.\w+)\n/.exec(block.text)?.[1];
}

/** What `sh -c` prints on both streams, without colours, times masked. */
function shell(command: string): string {
  const tools = [join(folder, "node_modules/.bin"), join(root, "node_modules/.bin"), join(python, "..")];
  const path = [...tools, process.env.PATH].join(delimiter);
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
        const file = named(block) ?? `snippet-${block.line}.js`;
        writeFileSync(join(folder, file), block.text);
        // What is for a bundle is run once it is built.
        if (file === "app.js") return;
        const printed = shell(`node ${file}`);
        const next = blocks[i + 1];
        if (next?.language === "text") expect(masked(printed)).toBe(masked(next.text));
      });
    } else if (block.language === "python") {
      test(name, () => writeFileSync(join(folder, named(block) ?? ""), block.text));
    } else if (block.language === "html") {
      whenThere(chromiumMissing())(name, async () => {
        writeFileSync(join(folder, "index.html"), block.text);
        expect(await readPage(folder, "index.html", "#out")).toBe("2 groups, 1 oversize");
      });
    } else if (block.language === "console") {
      for (const part of block.text.split(/^(?=\$ )/m)) {
        const [command, ...output] = part.split("\n");
        const run = /^\$ (python|wasmtime) /.test(command) ? whenThere(pythonMissing()) : test;
        run(`${name}: ${command}`, async () => {
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
