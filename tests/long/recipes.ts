// npm run test:recipes: docs/recipes.md followed word for word in a copy of the repository. Its blocks are written to files
// or added to them, what comes of that is built, linted, type-checked and tested, and its commands print what it says.
//
// - `ts` and `js` blocks are files, by the name in their first line; without one they are to be read.
// - `diff` blocks change the file in their first line. Hunks have `...` between them: lines after "+" are added, lines
//   after "-" removed, the others stay. A hunk of added lines alone goes to the end of the file.
// - `text` is what the `js` block before it prints.
// - `console` blocks are commands, and what each prints, in the folder that `npm start` leaves.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { clone } from "../clone.ts";
import { remove, root } from "../installed.ts";

const page = readFileSync(join(root, "docs/recipes.md"), "utf8");
const blocks = Array.from(page.matchAll(/^```(\w+)\n(.*?)^```$/gms), ([, language, text]) => ({ language, text }));
const copy = clone();
const quickstart = join(copy, "quickstart");
let wrong = 0;

function run(command: string, ...args: string[]): void {
  console.log(`$ ${command} ${args.join(" ")}`);
  execFileSync(command, args, {
    cwd: copy,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NO_COLOR: "1" },
  });
}

/** Changes a file as a `diff` block says. */
function change(path: string, hunks: string): void {
  const file = join(copy, path);
  let text = readFileSync(file, "utf8");
  for (const hunk of hunks.split(/^\.\.\.\n/m)) {
    const lines = hunk.trimEnd().split("\n");
    const without = (mark: string) =>
      lines.flatMap((line) => (line.startsWith(mark) ? [] : [`${line.slice(1)}\n`])).join("");
    const [before, after] = [without("+"), without("-")];
    if (before === "") text += after;
    else {
      // Whole lines: the line break before them counts.
      const parts = `\n${text}`.split(`\n${before}`);
      if (parts.length !== 2) throw new Error(`${path}: ${parts.length - 1} places for\n${before}`);
      text = parts.join(`\n${after}`).slice(1);
    }
  }
  writeFileSync(file, text);
}

function show(what: string, printed: string, expected: string): void {
  const isRight = printed.trimEnd() === expected.trimEnd();
  if (!isRight) wrong++;
  console.log(isRight ? `ok: ${what}` : `WRONG: ${what} prints\n${printed}\nexpected\n${expected}`);
}

/** Files and changes first; what is to be run then, in order. */
const toRun: (() => void)[] = [];
try {
  for (const [i, { language, text }] of blocks.entries()) {
    const [, path, rest] = /^\/\/ (\S+)\n(.*)/s.exec(text) ?? [];
    if (language === "diff") change(path, rest);
    else if (language === "ts" && path !== undefined) {
      const file = join(copy, path);
      if (existsSync(file)) throw new Error(`${path} exists already`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, rest);
    } else if (language === "js") {
      toRun.push(() => {
        writeFileSync(join(quickstart, path), rest);
        show(path, execFileSync("node", [path], { cwd: quickstart, encoding: "utf8" }), blocks[i + 1].text);
      });
    } else if (language === "console") {
      for (const part of text.split(/^\$ /m).slice(1)) {
        const [command, ...printed] = part.split("\n");
        if (command === "cd quickstart") continue;
        toRun.push(() => {
          const { stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: quickstart, encoding: "utf8" });
          show(command, stdout + stderr, printed.join("\n"));
        });
      }
    }
  }
  run("npx", "biome", "ci", "--error-on-warnings", ".");
  run("npx", "tsc", "--noEmit");
  run("npm", "run", "build");
  run("node", "examples/quickstart.mjs");
  for (const check of toRun) check();
  const near = [
    "registries",
    "house",
    "specs",
    "formats",
    "core/abi",
    "compare/compare",
    "measure/families",
    "measure/square",
  ];
  run("npx", "vitest", "run", ...near.map((name) => `tests/${name}.test.ts`));
  run("npx", "vitest", "run", "-t", "table of models", "tests/measure/docs.test.ts");
} finally {
  remove(copy);
}
console.log(`${blocks.length} blocks followed, ${wrong} outputs wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
