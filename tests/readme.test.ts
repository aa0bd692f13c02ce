// Every snippet of the README is run, in order: those of the command line in a clone, after `npm start`, the others in a
// folder with the tarball installed.
// - `js` blocks as modules; the `text` block after one is what it prints;
// - `html` blocks as pages in Chromium, which must come to write into #out;
// - `python` blocks under the name in their first line, which a `console` block after it runs, as some `js` blocks are;
// - `console` blocks line by line: "$ command", then what it prints on both streams. The line `time` is masked.
// - `sh` blocks are commands for the repository; what runs them is in REPOSITORY below.
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tiled } from "../bench/inputs.ts";
import { clone } from "./clone.ts";
import { missing as chromiumMissing, read as readPage } from "./hosts/chromium.ts";
import { example, python, pythonMissing } from "./hosts/wasmtime.ts";
import { whenThere } from "./hosts/when-there.ts";
import { install, remove, root } from "./installed.ts";

interface Block {
  language: string;
  text: string;
  line: number;
  /** The heading of the second level above it. */
  section: string;
}

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks: Block[] = Array.from(readme.matchAll(/^```(\w+)\n(.*?)^```$/gms), (m) => ({
  language: m[1],
  text: m[2],
  line: readme.slice(0, m.index).split("\n").length,
  section:
    readme
      .slice(0, m.index)
      .match(/^## .*$/gm)
      ?.at(-1)
      ?.slice(3) ?? "",
}));

/** Commands of `sh` blocks, and what runs them. */
const REPOSITORY: Record<string, string> = {
  "npm ci && npm start": "beforeAll, but for npm ci",
  "npm ci && npm test": ".ci/run",
  "npm install omnibal": "installed.ts",
};

/** With the tarball installed. */
let folder: string;
/** A clone; `started` is what `npm start` prints there. */
let copy: string;
let started: string;
/** Where the commands of the command line's section are: `cd` changes it. */
let here: string;

beforeAll(() => {
  copy = clone();
  started = execFileSync("npm", ["--silent", "start"], { cwd: copy, encoding: "utf8", stdio: "pipe" });
  here = copy;
  folder = install();
  const { vit, tokens } = tiled(100_000);
  const records = Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i], image_flags: v }));
  writeFileSync(join(folder, "lengths.json"), JSON.stringify(records));
  copyFileSync(join(example, "omnibal.py"), join(folder, "omnibal.py"));
  // The engine is the real one; only its command line comes from elsewhere, as PyPI's package has none.
  const wasmtime = `#!/bin/sh\nshift\nexec "${python}" "${join(root, "tests/hosts/wasmtime_run.py")}" "$@"\n`;
  writeFileSync(join(folder, "node_modules/.bin/wasmtime"), wasmtime, { mode: 0o755 });
}, 180_000);
afterAll(() => {
  remove(folder);
  remove(copy);
});

/** The file that a block's first line names. */
function named(block: Block): string | undefined {
  return /^(?:\/\/|#) (\S+\.\w+)\n/.exec(block.text)?.[1];
}

/** What `sh -c` prints on both streams in folder `at`, without colours, times masked. */
function shell(command: string, at = folder, tools: string[] = []): string {
  const path = [...tools, process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path, NO_COLOR: "1", COLUMNS: "80", npm_config_update_notifier: "false" };
  const out = execFileSync("sh", ["-c", `{ ${command}\n} 2>&1`], { cwd: at, encoding: "utf8", env });
  return out.replaceAll(`${at}/`, "").replaceAll(at, ".");
}

/** What the sections after the command line's take for granted: tools of its folder, and python. */
const tools = () => [join(folder, "node_modules/.bin"), join(root, "node_modules/.bin"), join(python, "..")];

/** Runs a line of the command line's section in the clone. */
function follow(command: string): string {
  if (!command.startsWith("cd ")) return shell(command, here);
  here = resolve(here, command.slice(3));
  expect(existsSync(here)).toBe(true);
  return "";
}

/** Without what differs from run to run: how long it took. Times that are predicted stay. */
const masked = (text: string) => text.replaceAll(/^time .*$/gm, "time").trimEnd();

/** Where the commands have nothing but what `npm ci && npm start` leaves. */
const COMMAND_LINE = "The command line";

describe("README", () => {
  test("has snippets of every kind", () => {
    const kinds = new Set(blocks.map(({ language }) => language));
    expect(kinds).toEqual(new Set(["sh", "console", "js", "text", "html", "python"]));
    const commands = blocks.filter(({ language, section }) => language === "console" && section === COMMAND_LINE);
    expect(commands.length).toBeGreaterThan(3);
  });

  for (const [i, block] of blocks.entries()) {
    const name = `${block.language} at line ${block.line}`;
    const next = blocks[i + 1];
    const file = named(block);
    if (block.language === "js" && file === "app.js") {
      test(`${name} is for the bundle that is made next`, () => {
        writeFileSync(join(folder, file), block.text);
        expect(next.text).toMatch(/^\$ esbuild app\.js /);
      });
    } else if (block.language === "js") {
      test(name, () => {
        const script = file ?? `snippet-${block.line}.js`;
        writeFileSync(join(folder, script), block.text);
        expect(next.language).toBe("text");
        expect(masked(shell(`node ${script}`))).toBe(masked(next.text));
      });
    } else if (block.language === "python") {
      // Where there is no python, the command that runs it is skipped.
      test(`${name} is run next`, () => {
        writeFileSync(join(folder, file ?? ""), block.text);
        expect(next.text).toMatch(`$ python ${file}\n`);
      });
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
          const line = command.slice(2);
          const printed = block.section === COMMAND_LINE ? follow(line) : shell(line, folder, tools());
          expect(masked(printed)).toBe(masked(output.join("\n")));
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
    // What the Python snippets read was written "as above".
    if (block.section === COMMAND_LINE && next.section !== COMMAND_LINE) {
      test("the command line leaves a plan for Python", () => {
        cpSync(join(here, "plan"), join(folder, "plan"), { recursive: true });
        expect(existsSync(join(folder, "plan/plan.npy"))).toBe(true);
      });
    }
  }

  test("npm start names the folder that it leaves, which is the one of the README", () => {
    expect(started).toContain("quickstart/lengths.json: 100,000 generated samples\n");
    expect(started.endsWith("\nTo go on: cd quickstart\n")).toBe(true);
    expect(here).toBe(join(copy, "quickstart"));
  });
});
