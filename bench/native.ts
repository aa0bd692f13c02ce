// The C competitors: compiled with `cc -O3` where there is a compiler, then asked for one run at a time.
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Native {
  readonly compiler: string;
  /** One run of the variant: milliseconds by its own clock, and how many groups it made. */
  run(variant: "plain" | "tricks"): Promise<{ ms: number; groups: number }>;
  close(): void;
}

/** Builds bench/native/isf.c for the input tiled:n; undefined where there is no C compiler. */
export function compileNative(n: number): Native | undefined {
  const folder = mkdtempSync(join(tmpdir(), "omnibal-bench-"));
  const binary = join(folder, "isf");
  let compiler: string;
  try {
    compiler = execFileSync("cc", ["--version"], { encoding: "utf8" }).split("\n")[0];
    execFileSync("cc", ["-O3", "-o", binary, fileURLToPath(new URL("native/isf.c", import.meta.url))]);
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const running = new Map<string, { child: ChildProcessWithoutNullStreams; lines: AsyncIterator<string> }>();
  return {
    compiler,
    async run(variant) {
      let process = running.get(variant);
      if (process === undefined) {
        const child = spawn(binary, [variant, String(n)]);
        process = { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
        running.set(variant, process);
      }
      process.child.stdin.write("\n");
      const [ms, groups] = String((await process.lines.next()).value).split(" ");
      return { ms: Number(ms), groups: Number(groups) };
    },
    close() {
      for (const { child } of running.values()) child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}
