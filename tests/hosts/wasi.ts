// The hosts of the module's WASI command: how many runs of it are asked for at once, and how each ended.
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findProgram } from "./host.ts";
import { python, pythonMissing, wasm } from "./wasmtime.ts";

export interface Run {
  readonly args: readonly string[];
  /** The file that is standard input; none by default. */
  readonly input?: string;
  /** Folders that are open to it, by the names that it knows them by. */
  readonly folders?: Readonly<Record<string, string>>;
  /** The most bytes its memory may have, where the host can say so. */
  readonly memory?: number;
}

export interface End {
  /** The exit code, or the words of a trap. */
  readonly code: number | string;
  readonly out: Buffer;
  readonly err: string;
}

export interface WasiHost {
  readonly name: string;
  missing(): string | undefined;
  run(runs: readonly Run[]): End[];
}

function ask(command: string, args: readonly string[], runs: readonly Run[]): End[] {
  const { status, stdout, stderr } = spawnSync(command, [...args, wasm], {
    input: JSON.stringify(runs),
    encoding: "utf8",
    maxBuffer: 1 << 29,
  });
  if (status !== 0) throw new Error(stderr);
  return (JSON.parse(stdout) as { code: number | string; out: string; err: string }[]).map(({ code, out, err }) => ({
    code,
    out: Buffer.from(out, "base64"),
    err: Buffer.from(err, "base64").toString(),
  }));
}

function beside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

export const wasmtime: WasiHost = {
  name: "wasmtime",
  missing: pythonMissing,
  run: (runs) => ask(python, [beside("wasi_host.py")], runs),
};

export const node: WasiHost = {
  name: "node:wasi",
  missing: () => undefined,
  run: (runs) => ask(process.execPath, ["--no-warnings", beside("wasi-host.js")], runs),
};

const program = findProgram("OMNIBAL_WASMTIME", ["wasmtime"]);

/** wasmtime's own command line, where there is one: PyPI's package has the engine without it. */
export const commandLine: WasiHost = {
  name: "wasmtime run",
  missing: () =>
    program === undefined
      ? "wasmtime's command line is not there: see https://wasmtime.dev, or say where it is in OMNIBAL_WASMTIME"
      : undefined,
  run: (runs) =>
    runs.map(({ args, input, folders = {} }) => {
      const stdin = openSync(input ?? "/dev/null", "r");
      const open = Object.entries(folders).map(([guest, folder]) => `--dir=${folder}::${guest}`);
      const { status, stdout, stderr } = spawnSync(program!, ["run", ...open, wasm, ...args], {
        stdio: [stdin, "pipe", "pipe"],
        maxBuffer: 1 << 28,
      });
      closeSync(stdin);
      return { code: status ?? "killed", out: stdout, err: stderr.toString() };
    }),
};
