// Runs the built command line as a user does.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function omnibal(
  args: readonly string[],
  options: { cwd?: string; input?: string; env?: NodeJS.ProcessEnv } = {},
): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...options,
  });
  return { code: status, out: stdout, err: stderr };
}

/** Starts it, and gives the process and the promise of how it ends. */
export function start(args: readonly string[], cwd: string) {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: ["pipe", "pipe", "pipe"] });
  child.stdout.resume();
  let err = "";
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  const end = new Promise<{ code: number | null; err: string }>((done) => {
    child.on("close", (code) => done({ code, err }));
  });
  return { child, end };
}

/** A shell command; `$OMNIBAL` in it starts the command line. */
export function shell(command: string, cwd: string): Run {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, OMNIBAL: `${process.execPath} ${MAIN}` },
  });
  return { code: status, out: stdout, err: stderr };
}

/** Columns of the widest line. None of the characters printed is wider than one. */
export function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => Array.from(line).length));
}
