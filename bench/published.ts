// `pack` against the published code as its compiled Cython, which is built here from a folder of it:
//   npm run bench:published -- PATH [FILE...]
// PATH holds the published repository (https://github.com/ModelTC/OmniBal), FILEs are length files to measure beside
// tiled:1200000. Alternating pairs, in CPU time of the process, so that other work on the machine matters little. Both
// start with the lengths in memory in their own form, and end with the groups in theirs. The groups must be equal.
// --python NAME: a Python with Cython, numpy and setuptools, in place of one that is made in a folder for temporary files.
// --pairs N: 5 by default.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { load } from "../src/index.ts";
import { readLengths } from "../src/read/index.ts";
import { generate, type Samples } from "./inputs.ts";
import { median, publish } from "./results.ts";

const GENERATED = "tiled:1200000";
/** A pack takes milliseconds, and the published code seconds: a pair is so many of the one and one of the other. */
const PACKS = 20;
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

interface Answer {
  readonly seconds: number;
  readonly groups: number;
  readonly sha256: string;
}

function runner(python: string, inputs: readonly Samples[]) {
  const paths = inputs.map(({ vit, tokens }, i) => {
    const path = join(folder, `${i}.int32`);
    writeFileSync(path, Buffer.concat([vit, tokens].map((x) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength))));
    return path;
  });
  const script = fileURLToPath(new URL("published_isf.py", import.meta.url));
  const child = spawn(python, [script, folder, ...paths], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const { maxVit, maxTokens, minTokens, rounds, seed } = bounds;
  return {
    async run(input: number): Promise<Answer> {
      child.stdin.write(`${[input, maxVit, maxTokens, minTokens, rounds, seed].join(" ")}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error("the published code ended early");
      return JSON.parse(value) as Answer;
    },
    close: () => child.stdin.end(),
  };
}

try {
  const inputs: { name: string; samples: Samples }[] = [{ name: GENERATED, samples: generate(GENERATED) }];
  for (const file of files) inputs.push({ name: basename(file), samples: await readLengths([file]) });
  if (files.length > 1) inputs.push({ name: `these ${files.length} files`, samples: await readLengths(files) });

  const python = builder();
  const versions = build(python);
  const theirs = runner(
    python,
    inputs.map(({ samples }) => samples),
  );
  const omnibal = await load();
  const ours = (samples: Samples): Answer => {
    const start = process.cpuUsage();
    let packing = omnibal.pack(samples, bounds);
    for (let k = 1; k < PACKS; k++) packing = omnibal.pack(samples, bounds);
    const { user, system } = process.cpuUsage(start);
    const text = Array.from(packing, (group) => group.join(",")).join("\n");
    const sha256 = createHash("sha256").update(text).digest("hex");
    return { seconds: (user + system) / 1e6 / PACKS, groups: packing.length, sha256 };
  };

  const rows: string[][] = [];
  for (const [i, { name, samples }] of inputs.entries()) {
    const seconds: { ours: number; theirs: number }[] = [];
    let groups = 0;
    // The first pair warms both up.
    for (let pair = 0; pair <= pairs; pair++) {
      const own = ours(samples);
      const other = await theirs.run(i);
      if (own.sha256 !== other.sha256) {
        throw new Error(`${name}: ${own.groups} groups, and ${other.groups} others by the published code`);
      }
      groups = own.groups;
      if (pair > 0) seconds.push({ ours: own.seconds, theirs: other.seconds });
    }
    const ratios = seconds.map((pair) => pair.theirs / pair.ours);
    rows.push([
      name,
      samples.vit.length.toLocaleString("en"),
      groups.toLocaleString("en"),
      (median(seconds.map((pair) => pair.theirs)) * 1000).toFixed(0),
      (median(seconds.map((pair) => pair.ours)) * 1000).toFixed(1),
      median(ratios).toFixed(0),
      `${Math.min(...ratios).toFixed(0)} .. ${Math.max(...ratios).toFixed(0)}`,
    ]);
  }
  theirs.close();

  publish(
    "The published code",
    `ISF by the published code's compiled Cython (${versions}) and by \`pack\` with all it returns, 9 / 4096 / 3968, T = 50, ` +
      `seed 1024: medians of ${pairs} alternating pairs after one to warm up, in CPU time of the process.`,
    ["", "samples", "groups", "published, CPU ms", "omnibal, CPU ms", "ratio", "of the pairs"],
    rows,
    ["The groups are equal: SHA-256 of their indices."],
  );
} finally {
  rmSync(folder, { recursive: true });
}
