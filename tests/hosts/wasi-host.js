// Runs the module's WASI command by node:wasi, once per case (wasi.ts), and prints how each run ended. Argument: module.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WASI } from "node:wasi";

const folder = mkdtempSync(join(tmpdir(), "omnibal-wasi-"));
const module = new WebAssembly.Module(readFileSync(process.argv[2]));

function start({ args, folders = {} }, [stdin, stdout, stderr]) {
  const wasi = new WASI({
    version: "preview1",
    args: ["omnibal.wasm", ...args],
    preopens: folders,
    stdin,
    stdout,
    stderr,
    returnOnExit: true,
  });
  // Called from a function of its own, each import finds memory as it has grown; Node 20 crashes without.
  const names = WebAssembly.Module.imports(module).map(({ name }) => name);
  const imports = Object.fromEntries(names.map((name) => [name, (...values) => wasi.wasiImport[name](...values)]));
  try {
    return wasi.start(new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports }));
  } catch (error) {
    return String(error);
  }
}

function run(found) {
  const paths = ["out", "err"].map((name) => join(folder, name));
  const files = [openSync(found.input ?? "/dev/null", "r"), ...paths.map((path) => openSync(path, "w"))];
  const code = start(found, files);
  for (const file of files) closeSync(file);
  const [out, err] = paths.map((path) => readFileSync(path).toString("base64"));
  return { code, out, err };
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(run)));
rmSync(folder, { recursive: true });
