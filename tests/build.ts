// The command line is tested as it is shipped, so what is built must not be older than its source.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function newest(folder: string): number {
  return Math.max(
    0,
    ...readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(`${entry.parentPath}/${entry.name}`).mtimeMs),
  );
}

function run(script: string): void {
  execFileSync("npm", ["run", "--silent", script], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}

export default function setup(): void {
  const wasm = `${root}build/omnibal.wasm`;
  if (!existsSync(wasm) || statSync(wasm).mtimeMs < newest("assembly")) run("build:wasm");
  const main = `${root}dist/cli/main.js`;
  if (!existsSync(main) || statSync(main).mtimeMs < newest("src")) run("build:ts");
}
