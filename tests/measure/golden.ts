// Facts that other programs made: sizes, counts and renderings. They are read from OMNIBAL_GOLDEN, else from the folder
// beside the checkout, else from the smaller ones of this repository.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const own = fileURLToPath(new URL("../vectors/measure", import.meta.url));
const beside = fileURLToPath(new URL("../../../shared/golden", import.meta.url));

const folder = resolve(process.env.OMNIBAL_GOLDEN || (existsSync(join(beside, "images.json")) ? beside : own));

/** The facts in a file of that name, whatever cases it holds. */
export function golden<T>(name: string): T {
  // A folder that is given may hold some of the files only.
  const path = [folder, own].map((place) => join(place, name)).find((place) => existsSync(place));
  if (path === undefined) throw new Error(`${name} is neither in ${folder} nor in ${own}`);
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

/** Whether the facts are the few of this repository. */
export const isOwn = folder === own;
