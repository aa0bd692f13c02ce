// `pack` against the published code as its compiled Cython, which is built here from a folder of it:
//   npm run bench:published -- PATH [FILE...]
// PATH holds the published repository (https://github.com/ModelTC/OmniBal), FILEs are length files to measure beside
// tiled:1200000. Alternating pairs, in CPU time of the processes, so that other work on the machine matters little. Both
// start with the lengths in memory in their own form, and end with the groups in theirs. The groups must be equal.
// `pack` is measured as the first call of a fresh process, which is what a job that packs once pays, and as a later one.
// --python NAME: a Python with Cython, numpy and setuptools, in place of one that is made in a folder for temporary files.
// --pairs N: 5 by default.
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { toVitTokens } from "../src/core/lengths.ts";
import { readLengths } from "../src/read/index.ts";
import { generate, type Samples } from "./inputs.ts";
import { median, publish } from "./results.ts";

const GENERATED = "tiled:1200000";
const bounds = { maxVit: 9, maxTokens: 4096, minTokens: 3968, rounds: 50, seed: 1024 };

const { values, positionals } = parseArgs({
  options: { python: { type: "string" }, pairs: { type: "string", default: "5" } },
  allowPositionals: true,
});
const [published, ...files] = positionals;
const pairs = Number(values.pairs);
if (published === undefined || !(pairs >= 1)) {
  console.error("npm run bench:published -- PATH [FILE...] [--python NAME] [--pairs N]: see bench/published.ts");
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "omnibal-bench-"));

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A Python that can build: the one given, or a new one of its own. */
function builder(): string {
  if (values.python !== undefined) return values.python;
  run("python3", "-m", "venv", "venv");
  const python = join(folder, "venv/bin/python");
  run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "cython", "numpy", "setuptools");
  return python;
}

/** Builds the published module in our own folder; gives the versions that it was built with. */
function build(python: string): string {
  for (const name of ["fast_random_group.pyx", "setup.py"]) {
    const path = join(published, "fast_isf", name);
    if (!existsSync(path)) throw new Error(`${path} is not there: expected a folder of the published code`);
    copyFileSync(path, join(folder, name));
  }
  run(python, "setup.py", "build_ext", "--inplace");
  const versions = `import platform, Cython, numpy
print(f"Python {platform.python_version()}, Cython {Cython.__version__}, numpy {numpy.__version__}")`;
  return run(python, "-c", versions).trim();
}

/** Writes samples as both programs read them: int32, all vit values, then all token values. */
function write({ vit, tokens }: Samples, name: string): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([vit, tokens].map((x) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength))));
  return path;
}

interface Groups {
  readonly groups: number;
  readonly sha256: string;
}

function pack(path: string): Groups & { first: number; later: number } {
  const script = fileURLToPath(new URL("published-pack.ts", import.meta.url));
  const args = ["--import", "tsx", script, path, JSON.stringify(bounds)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

function publishedCode(python: string, paths: readonly string[]) {
  const script = fileURLToPath(new URL("published_isf.py", import.meta.url));
  const child = spawn(python, [script, folder, ...paths], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const { maxVit, maxTokens, minTokens, rounds, seed } = bounds;
  return {
    async run(input: number): Promise<Groups & { seconds: number }> {
      child.stdin.write(`${[input, maxVit, maxTokens, minTokens, rounds, seed].join(" ")}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error("the published code ended early");
      return JSON.parse(value);
    },
    close: () => child.stdin.end(),
  };
}

try {
  const inputs: { name: string; samples: Samples }[] = [{ name: GENERATED, samples: generate(GENERATED) }];
  for (const file of files) inputs.push({ name: basename(file), samples: toVitTokens(await readLengths([file])) });
  if (files.length > 1)
    inputs.push({ name: `these ${files.length} files`, samples: toVitTokens(await readLengths(files)) });

  const paths = inputs.map(({ samples }, i) => write(samples, `${i}.int32`));
  const python = builder();
  const versions = build(python);
  const theirs = publishedCode(python, paths);

  const rows: string[][] = [];
  for (const [i, { name, samples }] of inputs.entries()) {
    const seen: { theirs: number; first: number; later: number }[] = [];
    let groups = 0;
    // The first run of the published code warms it up.
    await theirs.run(i);
    for (let pair = 0; pair < pairs; pair++) {
      const own = pack(paths[i]);
      const other = await theirs.run(i);
      if (own.sha256 !== other.sha256) {
        throw new Error(`${name}: ${own.groups} groups, and ${other.groups} others by the published code`);
      }
      groups = own.groups;
      seen.push({ theirs: other.seconds, first: own.first, later: own.later });
    }
    const ms = (of: "theirs" | "first" | "later", digits: number) =>
      (median(seen.map((pair) => pair[of])) * 1000).toFixed(digits);
    const ratios = (of: "first" | "later") => {
      const all = seen.map((pair) => pair.theirs / pair[of]);
      return `${median(all).toFixed(0)} (${Math.min(...all).toFixed(0)} .. ${Math.max(...all).toFixed(0)})`;
    };
    const counts = [samples.vit.length, groups].map((count) => count.toLocaleString("en"));
    rows.push([name, ...counts, ms("theirs", 0), ms("first", 1), ratios("first"), ms("later", 1), ratios("later")]);
  }
  theirs.close();

  publish(
    "The published code",
    `ISF by the published code's compiled Cython (${versions}) and by \`pack\` with all it returns, 9 / 4096 / 3968, T = 50, ` +
      `seed 1024: CPU ms of the processes, medians of ${pairs} alternating pairs, and the ratio to the published code, from ` +
      "the least of the pairs to the most.",
    ["", "samples", "groups", "published", "first `pack`", "ratio", "later `pack`", "ratio"],
    rows,
    [
      "The groups are equal: SHA-256 of their indices.",
      "First: the first call of a fresh process; later: one of 20 after it.",
    ],
  );
} finally {
  rmSync(folder, { recursive: true });
}
