// npm run test:trainers: the Python package with the real trainers, pinned in python/requirements-trainers.txt, into .venv or
// OMNIBAL_TRAINERS_VENV; with the oldest numpy and wasmtime that it allows; and from its wheel in a clean environment, where the
// README's lines run on a folder that the command line wrote. Needs `npm run build`.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { tiled } from "../../bench/inputs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "python");
const scratch = mkdtempSync(join(tmpdir(), "omnibal-trainers-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

function run(command: string, args: readonly string[], cwd = root): void {
  execFileSync(command, args, { cwd, stdio: "inherit" });
}

function step(what: string, work: () => void): void {
  const start = performance.now();
  console.log(`\n== ${what}`);
  work();
  console.log(`== ${what}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
}

/** The python of a virtual environment, made where it is not there, with these requirements. */
function environment(folder: string, requirements: readonly string[]): string {
  const python = join(folder, "bin/python");
  if (!existsSync(python)) run("python3", ["-m", "venv", folder]);
  const quiet = ["--quiet", "--disable-pip-version-check"];
  run(python, ["-m", "pip", "install", ...quiet, ...requirements]);
  return python;
}

const venv = resolve(root, process.env.OMNIBAL_TRAINERS_VENV ?? ".venv");
let python = "";

step("the trainers are installed", () => {
  python = environment(venv, ["-r", join(source, "requirements-trainers.txt")]);
});
step("types", () => run(python, ["-m", "mypy"], source));
step("the package, and every trainer", () => run(python, ["-m", "pytest", "-q", "--durations=5"], source));
step("the oldest numpy and wasmtime", () => {
  const oldest = environment(join(root, ".venv-oldest"), ["-r", join(source, "requirements-oldest.txt")]);
  run(oldest, ["-m", "pytest", "-q", "--ignore=tests/trainers"], source);
});
step("the wheel in a clean environment", () => {
  run(python, ["-m", "pip", "wheel", "--quiet", "--no-deps", "-w", scratch, source]);
  const wheel = readdirSync(scratch).find((name) => name.endsWith(".whl")) as string;
  const clean = environment(join(scratch, "venv"), [join(scratch, wheel)]);
  const { vit, tokens } = tiled(100_000);
  const records = Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i] }));
  writeFileSync(join(scratch, "lengths.json"), JSON.stringify(records));
  const bounds = ["--ranks", "64", "--max-vit", "9", "--max-tokens", "4096"];
  const plan = ["plan", "lengths.json", ...bounds, "-q", "-o", "plan"];
  run(process.execPath, [join(root, "dist/cli/main.js"), ...plan], scratch);
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, script, expected] = /```python\n(# train\.py\n.*?)```\n\n```console\n\$ python train\.py\n(.*?)```/s.exec(
    readme,
  ) as unknown as string[];
  writeFileSync(join(scratch, "train.py"), script);
  const printed = execFileSync(clean, ["train.py"], { cwd: scratch, encoding: "utf8" });
  if (printed !== expected) throw new Error(`train.py printed ${printed}, the README has ${expected}`);
});
