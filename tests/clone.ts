// A copy of the repository as `npm ci` leaves a clone: what is tracked, what was built, and the dependencies.
import { cpSync, mkdtempSync, realpathSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { root } from "./installed.ts";

/** Not copied: the dependencies are linked, and the others are no part of a clone. */
const LEFT_OUT = /^(node_modules|\.git|\.venv|quickstart.*|coverage|.*\.tgz)$/;

export function clone(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "omnibal-clone-")));
  const top = dirname(join(root, "package.json"));
  cpSync(top, folder, {
    recursive: true,
    filter: (path) => dirname(path) !== top || !LEFT_OUT.test(basename(path)),
  });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}
