// The files of a folder as they belong together, also while a run replaces them or after one that was killed: see
// docs/formats.md. Nothing is ever changed: the folder may be where nobody can write, and many may read it at once.
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../core/errors.ts";
import { COMMIT, type CommitFile, MAX_COMMIT, parseCommit } from "../core/folder-commit.ts";
import { fileError } from "./source.ts";

/** As often is a folder read that changes while it is read. A run replaces it in milliseconds. */
const TRIES = 5;

/** Where the file of a name stands; there need be none. */
export type FileOf = (name: string) => string;

/** The size of a regular file; undefined where there is none. */
async function sizeOf(path: string): Promise<number | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true ? stats.size : undefined;
}

async function commitIn(folder: string): Promise<string | undefined> {
  const path = join(folder, COMMIT);
  const size = await sizeOf(path);
  // Removed just now, or not to be read: the files are looked at as they stand.
  return size === undefined || size > MAX_COMMIT ? undefined : readFile(path, "utf8").catch(() => undefined);
}

async function matches(path: string, { bytes, sha256 }: CommitFile): Promise<boolean> {
  if ((await sizeOf(path)) !== bytes) return false;
  const hash = createHash("sha256");
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Uint8Array);
  } catch (error) {
    throw fileError(path, error);
  }
  return hash.digest("hex") === sha256;
}

/** Where the files stand that are in force: as they are called, unless a run has committed others and not moved them yet. */
async function places(folder: string, text: string | undefined): Promise<FileOf> {
  const commit = text === undefined ? undefined : parseCommit(join(folder, COMMIT), text);
  if (commit === undefined) return (name) => join(folder, name);
  const moved = new Map<string, string>();
  for (const [name, file] of Object.entries(commit.files)) {
    const waiting = join(folder, commit.work, name);
    const place = (await sizeOf(waiting)) === undefined ? join(folder, name) : waiting;
    if (!(await matches(place, file))) {
      throw new InputError(
        "INVALID_FILE",
        `${place}: not the file that ${COMMIT} names, the folder is incomplete: write it once more, or copy it whole`,
      );
    }
    moved.set(name, place);
  }
  return (name) => moved.get(name) ?? join(folder, name);
}

/** Tells a file from one that has taken its name. */
function identity(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs}`;
  } catch {
    // None, or one that is not to be read: its reader will say so.
    return "";
  }
}

/**
 * What `read` makes of the files of a folder, all of them old or all of them new: it is read again where they were replaced
 * meanwhile.
 *
 * @throws InputError INVALID_FILE; what `read` throws.
 */
export async function readWhole<T>(folder: string, read: (fileOf: FileOf) => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left--) {
    const before = await commitIn(folder);
    const seen = new Map<string, string>();
    const result = await places(folder, before)
      .then((fileOf) =>
        read((name) => {
          const path = fileOf(name);
          if (!seen.has(path)) seen.set(path, identity(path));
          return path;
        }),
      )
      .then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
    const same = (await commitIn(folder)) === before && [...seen].every(([path, own]) => identity(path) === own);
    if (same || left <= 1) {
      if ("error" in result) throw result.error;
      if (same) return result.value;
      throw new InputError("INVALID_FILE", `${folder}: replaced again and again while it is read`);
    }
  }
}
