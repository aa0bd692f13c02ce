// The files of a folder as they belong together, also while a run replaces them or after one that was killed: see
// docs/formats.md. Nothing is ever changed: the folder may be where nobody can write, and many may read it at once.
import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../core/errors.ts";
import { COMMIT, type CommitFile, MAX_COMMIT, parseCommit } from "../core/folder-commit.ts";
import { fileError } from "./source.ts";

/** How often a folder is read that is replaced meanwhile. A run replaces it in milliseconds. */
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
  if (size === undefined || size > MAX_COMMIT) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    // Removed just now: the files have their places. But without one that is there nobody knows which are in force.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileError(path, error);
  }
}

async function matches(path: string, { bytes, sha256 }: CommitFile): Promise<boolean> {
  if ((await sizeOf(path)) !== bytes) return false;
  const hash = createHash("sha256");
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Uint8Array);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw fileError(path, error);
  }
  return hash.digest("hex") === sha256;
}

/** Where the files of a commit stand, which a run may be moving to their places. */
async function placesOf(folder: string, text: string | undefined): Promise<ReadonlyMap<string, string>> {
  const places = new Map<string, string>();
  const commit = text === undefined ? undefined : parseCommit(join(folder, COMMIT), text);
  if (commit === undefined) return places;
  for (const [name, file] of Object.entries(commit.files)) {
    const waiting = join(folder, commit.work, name);
    const moved = join(folder, name);
    if (await matches(waiting, file)) places.set(name, waiting);
    else if (await matches(moved, file)) places.set(name, moved);
    else {
      throw new InputError(
        "INVALID_FILE",
        `${moved}: not the file that ${COMMIT} beside it names: copy the folder whole, or remove ${COMMIT} and write it again`,
      );
    }
  }
  return places;
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
    const look = (path: string) => {
      if (!seen.has(path)) seen.set(path, identity(path));
      return path;
    };
    const reading = placesOf(folder, before).then((places) => {
      for (const path of places.values()) look(path);
      return read((name) => look(places.get(name) ?? join(folder, name)));
    });
    const result = await reading.then(
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
