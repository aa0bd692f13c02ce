// A folder as a user of the package has it: the files that are published under node_modules, and a few scripts.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { print } from "./host.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const modules = join(root, "node_modules");

let made: Promise<string> | undefined;

/** The folder, made when first asked for. */
export function appFolder(): Promise<string> {
  made ??= make();
  return made;
}

export async function removeApp(): Promise<void> {
  if (made !== undefined) rmSync(await made, { recursive: true, force: true });
  made = undefined;
}

async function make(): Promise<string> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "omnibal-hosts-")));
  const omnibal = join(folder, "node_modules/omnibal");
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
  mkdirSync(omnibal, { recursive: true });
  // dist is built into place rather than copied: another test may be writing the one in the tree.
  for (const file of ["package.json", ...files.filter((file) => file.startsWith("build/"))]) {
    cpSync(join(root, file), join(omnibal, file));
  }
  cpSync(join(modules, "@assemblyscript/loader"), join(folder, "node_modules/@assemblyscript/loader"), {
    recursive: true,
  });
  cpSync(join(root, "tests/hosts/app"), folder, { recursive: true });
  await Promise.all([
    print(process.execPath, [
      join(modules, "typescript/bin/tsc"),
      "--project",
      join(root, "tsconfig.build.json"),
      "--outDir",
      join(omnibal, "dist"),
    ]),
    esbuild(join(root, "tests/hosts/answer.ts"), "--bundle", "--format=esm", `--outfile=${join(folder, "answer.js")}`),
  ]);
  return folder;
}

/** esbuild's command line. */
export async function esbuild(...args: string[]): Promise<void> {
  await print(process.execPath, [join(modules, "esbuild/bin/esbuild"), "--log-level=warning", ...args]);
}

/** Vite's command line. */
export async function vite(...args: string[]): Promise<void> {
  await print(process.execPath, [join(modules, "vite/bin/vite.js"), ...args]);
}
