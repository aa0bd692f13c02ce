// Every snippet of the README and of the pages in docs/ is run, in order: on pages whose commands begin with
// `cd quickstart` in the folder that `npm start` leaves in a clone, on the others in one with the tarball installed.
// - `js` blocks as modules; the `text` block after one is what it prints;
// - `html` blocks as pages in Chromium; the `text` block after one is what it writes into #out;
// - `python` blocks likewise, or under the name in their first line, which a `console` block after it runs;
// - `console` blocks line by line: "$ command", then what it prints on both streams. The line `time` is masked.
// - `sh` blocks are commands for the repository; what runs them is in REPOSITORY below;
// - what is only to be read is in a language of TO_READ.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tiled } from "../bench/inputs.ts";
import { clone } from "./clone.ts";
import { missing as chromiumMissing, read as readPage } from "./hosts/chromium.ts";
import { python, pythonMissing } from "./hosts/wasmtime.ts";
import { whenThere } from "./hosts/when-there.ts";
import { install, remove, root } from "./installed.ts";

interface Block {
  language: string;
  text: string;
  line: number;
}

interface Page {
  readonly name: string;
  readonly blocks: readonly Block[];
  /** Its commands are for the folder that `npm start` leaves, where everything else of it is run too. */
  readonly quickstart: boolean;
}

const blocksOf = (text: string): Block[] =>
  Array.from(text.matchAll(/^```(\w*)\n(.*?)^```$/gms), (m) => ({
    language: m[1],
    text: m[2],
    line: text.slice(0, m.index).split("\n").length,
  }));

/** Pages whose snippets need more than this folder has, and the test that runs them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "docs/model.md": "tests/model/docs.test.ts",
  "docs/recipes.md": "tests/long/recipes.ts",
  "docs/your-own-data.md": "tests/measure/docs.test.ts",
};

const pages: readonly Page[] = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith(".md") && !(name in ELSEWHERE))
  .map((name) => {
    const blocks = blocksOf(readFileSync(join(root, name), "utf8"));
    return { name, blocks, quickstart: blocks.some(({ text }) => text.startsWith("$ cd quickstart\n")) };
  })
  .filter(({ blocks }) => blocks.length > 0);

/** Languages of blocks that are to be read, not run. */
const TO_READ = ["json", "ts", "py", "c"];

/** Commands of `sh` blocks, and what runs them. */
const REPOSITORY: Record<string, string> = {
  "npm ci && npm start": "beforeAll, but for npm ci",
  "npm ci && npm test": ".ci/run",
  "npm install omnibal": "installed.ts",
  "pip install omnibal": "npm run test:trainers, from the wheel",
};

/** With the tarball installed. */
let folder: string;
/** A clone; `started` is what `npm start` prints there. */
let copy: string;
let started: string;
/** What `npm start` leaves in its folder: each page begins with that. */
let left: readonly string[];
/** Where a page's commands are: `cd` changes it. */
let here: string;

beforeAll(() => {
  copy = clone();
  started = execFileSync("npm", ["--silent", "start"], { cwd: copy, encoding: "utf8", stdio: "pipe" });
  left = readdirSync(join(copy, "quickstart"));
  folder = install();
  const { vit, tokens } = tiled(100_000);
  const records = Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i], image_flags: v }));
  writeFileSync(join(folder, "lengths.json"), JSON.stringify(records));
  // The engine is the real one; only its command line comes from elsewhere, as PyPI's package has none.
  const wasmtime = `#!/bin/sh\nshift\nexec "${python}" "${join(root, "tests/hosts/wasmtime_run.py")}" "$@"\n`;
  mkdirSync(join(copy, "tools"));
  writeFileSync(join(copy, "tools/wasmtime"), wasmtime, { mode: 0o755 });
}, 180_000);
afterAll(() => {
  remove(folder);
  remove(copy);
});

/** The file that a block's first line names. */
function named(block: Block): string | undefined {
  return /^(?:\/\/|#) (\S+\.\w+)\n/.exec(block.text)?.[1];
}

/** Commands that nobody gets with omnibal. Every other one finds only what its folder and the system have. */
const TOOL = /^(python|wasmtime|deno|esbuild) /;

/** What `sh -c` prints on both streams in the page's folder, without colours. */
function shell(command: string): string {
  const tools = [join(copy, "tools"), join(root, "node_modules/.bin"), join(python, "..")];
  const path = [...(TOOL.test(command) ? tools : []), process.env.PATH].join(delimiter);
  const env = {
    ...process.env,
    ...{ PATH: path, NO_COLOR: "1", COLUMNS: "80", npm_config_update_notifier: "false" },
    // The Python package as if it was installed; npm run test:trainers installs it.
    ...(command.startsWith("python ") ? { PYTHONPATH: join(root, "python") } : {}),
  };
  const out = execFileSync("sh", ["-c", `{ ${command}\n} 2>&1`], { cwd: here, encoding: "utf8", env });
  return out.replaceAll(`${here}/`, "").replaceAll(here, ".");
}

/** Runs a command of a page, where those before it have led. */
function follow(command: string): string {
  if (!command.startsWith("cd ")) return shell(command);
  here = resolve(here, command.slice(3));
  expect(existsSync(here)).toBe(true);
  return "";
}

/** Without what differs from run to run: how long it took. Times that are predicted stay. */
const masked = (text: string) => text.replaceAll(/^time .*$/gm, "time").trimEnd();

test("there are snippets of every kind, and a page whose commands have nothing but what npm start leaves", () => {
  const kinds = new Set(pages.flatMap(({ blocks }) => blocks.map(({ language }) => language)));
  expect([...kinds].filter((kind) => !TO_READ.includes(kind)).sort()).toEqual(
    ["console", "html", "js", "python", "sh", "text"].sort(),
  );
  const quick = pages.filter(({ quickstart }) => quickstart);
  expect(quick.map(({ name }) => name)).toEqual(expect.arrayContaining(["README.md", "docs/command-line.md"]));
  for (const { blocks } of quick) {
    expect(blocks.filter(({ language }) => language === "console").length).toBeGreaterThan(0);
  }
});

describe.each(pages)("$name", ({ blocks, quickstart }) => {
  beforeAll(() => {
    here = quickstart ? copy : folder;
    if (!quickstart) return;
    const started = join(copy, "quickstart");
    for (const name of readdirSync(started)) if (!left.includes(name)) remove(join(started, name));
  });

  for (const [i, block] of blocks.entries()) {
    const name = `${block.language} at line ${block.line}`;
    const next = blocks[i + 1];
    const file = named(block);
    if (block.language === "js" && file === "app.js") {
      test(`${name} is for the bundle that is made next`, () => {
        writeFileSync(join(here, file), block.text);
        expect(next.text).toMatch(/^\$ esbuild app\.js /);
      });
    } else if (block.language === "js") {
      test(name, () => {
        const script = file ?? `snippet-${block.line}.js`;
        writeFileSync(join(here, script), block.text);
        expect(next?.language).toBe("text");
        expect(masked(shell(`node ${script}`))).toBe(masked(next.text));
      });
    } else if (block.language === "python" && next?.language === "text") {
      whenThere(pythonMissing())(name, async () => {
        const script = file ?? `snippet-${block.line}.py`;
        writeFileSync(join(here, script), block.text);
        expect(masked(shell(`python ${script}`))).toBe(masked(next.text));
      });
    } else if (block.language === "python") {
      // Where there is no python, the command that runs it is skipped.
      test(`${name} is run next`, () => {
        writeFileSync(join(here, file ?? ""), block.text);
        expect(next?.language).toBe("console");
        expect(next.text).toContain(`$ python ${file}\n`);
      });
    } else if (block.language === "html") {
      whenThere(chromiumMissing())(name, async () => {
        writeFileSync(join(here, "index.html"), block.text);
        expect(next?.language).toBe("text");
        expect(await readPage(here, "index.html", "#out")).toBe(next.text.trimEnd());
      });
    } else if (block.language === "console") {
      // What follows a command that is skipped may read what it would have left.
      let run: typeof test | ReturnType<typeof whenThere> = test;
      for (const part of block.text.split(/^(?=\$ )/m)) {
        const [command, ...output] = part.split("\n");
        if (/^\$ (python|wasmtime) /.test(command)) run = whenThere(pythonMissing());
        run(`${name}: ${command}`, async () => {
          expect(command).toMatch(/^\$ /);
          expect(masked(follow(command.slice(2)))).toBe(masked(output.join("\n")));
        });
      }
    } else if (block.language === "sh") {
      test(name, () => {
        for (const command of block.text.trim().split("\n")) expect(Object.keys(REPOSITORY)).toContain(command);
      });
    } else if (block.language === "text") {
      test(`${name} is the output of the snippet before it`, () => {
        expect(["js", "html", "python"]).toContain(blocks[i - 1]?.language);
      });
    } else {
      test(`${name} is to be read`, () => expect(TO_READ).toContain(block.language));
    }
  }
});

test.each(Object.entries(ELSEWHERE))("%s has a test of its own", (name, file) => {
  expect(existsSync(join(root, name))).toBe(true);
  expect(readFileSync(join(root, file), "utf8")).toContain(name);
});

test("the README is at most 200 lines", () => {
  expect(readFileSync(join(root, "README.md"), "utf8").split("\n").length).toBeLessThanOrEqual(200);
});

test("npm start names the folder that it leaves, which is the one of the README", () => {
  expect(started).toContain("quickstart/lengths.json: 100,000 generated samples\n");
  expect(started.endsWith("\nTo go on: cd quickstart\n")).toBe(true);
});
