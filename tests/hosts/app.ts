// A folder as a user of the package has it: the files that are published under node_modules, and a few scripts.
import { cpSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import build from "../build.ts";
import { print } from "./host.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string | undefined;
let made: Promise<string> | undefined;

/** The folder, made when first asked for. */
export function appFolder(): Promise<string> {
  made ??= make();
  return made;
}

export function removeApp(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
  made = undefined;
}

async function make(): Promise<string> {
  build();
  const to = realpathSync(mkdtempSync(join(tmpdir(), "omnibal-hosts-")));
  folder = to;
  for (const path of ["package.json", "dist", "build/omnibal.wasm"]) {
    cpSync(join(root, path), join(to, "node_modules/omnibal", path), { recursive: true });
  }
  for (const name of ["@assemblyscript/loader", "csv-parse", "pako"]) {
    cpSync(join(root, "node_modules", name), join(to, "node_modules", name), { recursive: true });
  }
  cpSync(join(root, "tests/hosts/app"), to, { recursive: true });
  const answer = join(root, "tests/hosts/answer.ts");
  await tool("esbuild", answer, "--bundle", "--format=esm", `--outfile=${join(to, "answer.js")}`);
  return to;
}

/** Runs a command line tool that this package develops with. */
export async function tool(name: "esbuild" | "vite", ...args: string[]): Promise<void> {
  await print(join(root, "node_modules/.bin", name), args);
}
