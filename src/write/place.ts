// Where OUT is: a name is resolved once, and the result is what is checked, claimed and written to.
import { createHash } from "node:crypto";
import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, sep } from "node:path";
import { InputError } from "../core/errors.ts";

export type Kind = "nothing" | "file" | "folder" | "other";

export interface Place {
  /** Absolute and without links, except for a device or pipe. */
  readonly path: string;
  readonly kind: Kind;
}

/** As many links as Linux follows. */
const MAX_LINKS = 40;

export function refuse(out: string, why: string): never {
  throw new InputError("INVALID_OUTPUT", `${out}: ${why}`);
}

/** Undefined if there is nothing at `path`, or something on the way to it is not a folder. */
export function statsOf(path: string, look: typeof statSync | typeof lstatSync): Stats | undefined {
  try {
    return look(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

function kindBy(stats: Stats | undefined): Kind {
  if (stats === undefined) return "nothing";
  return stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
}

/** What is at `path`, following links. */
export function kindOf(path: string): Kind {
  return kindBy(statsOf(path, statSync));
}

/** What is at `path` itself: a link is "other". */
export function ownKindOf(path: string): Kind {
  return kindBy(statsOf(path, lstatSync));
}

/**
 * The place that `out` names, as the system understands it: links are followed, even to nothing, and `missing/..`
 * is not the current folder, because there is no `missing`. Working on the text (`path.resolve`, which `realpathSync`
 * starts with unless it is the native one) gets both wrong.
 */
export function placeOf(out: string): Place {
  if (out === "") {
    throw new InputError("INVALID_OUTPUT", "the output's name is empty, expected the name of a file or folder");
  }
  let name = out;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const kind = kindOf(name);
    // A pipe at /dev/stdout has no path of its own, and needs none: nothing is made beside it.
    if (kind !== "nothing") return { path: kind === "other" ? name : realpathSync.native(name), kind };
    const folder = dirname(name);
    if (kindOf(folder) !== "folder") refuse(out, `cannot be written, ${folder} is not a folder`);
    const last = basename(name);
    if (last === "" || last === "." || last === "..") refuse(out, "cannot be written, it names no file or folder");
    const path = join(realpathSync.native(folder), last);
    if (statsOf(path, lstatSync)?.isSymbolicLink() !== true) return { path, kind: ownKindOf(path) };
    const target = readlinkSync(path);
    name = isAbsolute(target) ? target : `${dirname(path)}${sep}${target}`;
  }
  return refuse(out, "cannot be written, too many links");
}

/** Bytes of OUT's name in the names beside it, which may be 255 long, on some systems 143: ours add 27, seldom more. */
const STEM = 80;

/** A name beside `path` for what belongs to it, `.NAME` and `ending`: another for every NAME, however long. */
export function nameBeside(path: string, ending: string): string {
  let stem = basename(path);
  if (Buffer.byteLength(stem) > STEM) {
    const hash = createHash("sha256").update(stem).digest("hex").slice(0, 16);
    while (Buffer.byteLength(stem) > STEM - 17) stem = Array.from(stem).slice(0, -1).join("");
    stem = `${stem}~${hash}`;
  }
  return join(dirname(path), `.${stem}${ending}`);
}
