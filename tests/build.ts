// The command line is tested as it is shipped, so what is built must not be older than what it is built from.
import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The build scripts of package.json: what each makes, and the files and folders that decide what comes out. */
const BUILDS = {
  "build:wasm": { output: "build/omnibal.wasm", inputs: ["assembly", "asconfig.json", "package.json"] },
  "build:ts": {
    output: "dist/cli/main.js",
    inputs: ["src", "tsconfig.build.json", "tsconfig.json", "package.json"],
  },
  "build:studio": {
    output: "dist/studio/studio.html",
    inputs: ["src", "build/omnibal.wasm", "package.json"],
  },
} as const;

/** When a file, or the newest file in a folder, was written; -Infinity where there is none. */
function written(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return Number.NEGATIVE_INFINITY;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(...readdirSync(path).map((name) => written(join(path, name))));
}

/** The build scripts whose output in `folder` is missing or older than one of its inputs, in the order to run them. */
export function stale(folder: string): string[] {
  return Object.entries(BUILDS)
    .filter(([, { output, inputs }]) => {
      const made = written(join(folder, output));
      return !Number.isFinite(made) || inputs.some((input) => written(join(folder, input)) > made);
    })
    .map(([script]) => script);
}

export default function setup(): void {
  for (const script of stale(root)) {
    execFileSync("npm", ["run", "--silent", script], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  }
}
