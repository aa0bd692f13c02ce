// wasmtime as a library, from Python: through the package in python/.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./app.ts";
import { askCommand, findProgram, type Host, runs } from "./host.ts";

const venv = join(root, ".venv/bin/python");
export const python = findProgram("OMNIBAL_PYTHON", existsSync(venv) ? [] : ["python3"]) ?? venv;
export const wasm = join(root, "build/omnibal.wasm");

export function pythonMissing(): string | undefined {
  return runs(python, ["-c", "import numpy, wasmtime"])
    ? undefined
    : "wasmtime is not there: python3 -m venv .venv && .venv/bin/pip install -r python/requirements.txt";
}

export const wasmtime: readonly Host[] = [
  {
    name: "wasmtime, from Python",
    missing: pythonMissing,
    ask: (question) => askCommand(python, [join(root, "tests/hosts/wasmtime_host.py"), join(root, "python")], question),
  },
];
