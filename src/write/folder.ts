// How all files of a folder are replaced together, so that a run that is killed at any moment leaves either the old
// folder or the new one. Their names are fixed, and no system renames several files at once, so one small file decides:
//
// 1. The new files are written to a subfolder of a drawn name, OUT/.omnibal-0123456789abcdef/, and synced.
// 2. commit.json, with that name and the size and hash of each file, is written there, synced, and renamed to
//    OUT/commit.json. Before this rename the folder is the old one, after it the new one: a reader that finds commit.json
//    reads each of its files in the subfolder, or in OUT if it is not in the subfolder any more.
// 3. The files are renamed to their places in OUT. Then commit.json is removed, and the empty subfolder.
//
// If a run is killed in step 3, the next run finishes it. Readers do not: they get the same bytes either way, may not be
// allowed to write, and may be many at once.
//
// A folder that does not exist is made under a drawn name beside OUT, and renamed once it is whole.
import { createHash } from "node:crypto";
import {
  closeSync,
  type Dirent,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { COMMIT, type Commit, type CommitFile, commitText, MAX_COMMIT, parseCommit } from "../core/folder-commit.ts";
import { isPassing, type Marker } from "./claim.ts";
import { syncFolder } from "./fill.ts";
import { ownKindOf, refuse } from "./place.ts";

/** The claim on an existing folder is inside it: that may be the only place on its file system that can be written. */
export function claimIn(folder: string): string {
  return join(folder, ".omnibal");
}

/** Refuses a folder that holds anything but regular files named in `names`, and what `isOurs` recognizes. */
export function checkEntries(
  out: string,
  folder: string,
  names: readonly string[],
  format: string,
  isOurs: (entry: Dirent) => boolean,
): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (isOurs(entry) || isPassing(basename(claimIn(folder)), entry.name)) continue;
    if (!names.includes(entry.name)) {
      refuse(out, `holds ${entry.name}, which is not of ${format}: name another folder`);
    }
    if (!entry.isFile()) refuse(out, `${entry.name} in it is not a regular file: name another folder`);
  }
}

/**
 * Removes a folder with a drawn name and the files of `names` in it. If it holds anything else, that stays, and the
 * folder too.
 */
export function removeDrawn(path: string, names: readonly string[]): void {
  if (ownKindOf(path) !== "folder") return;
  for (const name of [...names, COMMIT]) {
    const file = join(path, name);
    if (ownKindOf(file) === "file") unlinkSync(file);
  }
  rmdirSync(path);
}

/** Whether a regular file is as the commit describes it. */
function matches(path: string, { bytes, sha256 }: CommitFile): boolean {
  if (ownKindOf(path) !== "file" || lstatSync(path).size !== bytes) return false;
  const file = openSync(path, "r");
  try {
    const hash = createHash("sha256");
    const piece = new Uint8Array(1 << 20);
    for (let have = readSync(file, piece); have > 0; have = readSync(file, piece)) hash.update(piece.subarray(0, have));
    return hash.digest("hex") === sha256;
  } finally {
    closeSync(file);
  }
}

/** Step 3. Whatever is in the way is left alone, and the commit stays in force. */
function renameAll(out: string, folder: string, { work, files }: Commit): void {
  for (const name of Object.keys(files)) {
    const from = join(folder, work, name);
    const to = join(folder, name);
    if (ownKindOf(from) === "nothing") continue;
    const kind = ownKindOf(to);
    if (kind !== "file" && kind !== "nothing") {
      refuse(
        out,
        `${name} in it has become something that is not a regular file: it is left alone, the new one is in ${join(folder, work)}`,
      );
    }
    renameSync(from, to);
  }
  syncFolder(folder);
  unlinkSync(join(folder, COMMIT));
  removeDrawn(join(folder, work), Object.keys(files));
}

/** Finishes what a dead run had committed, if anything. The claim on the folder must be held. */
export function finishCommit(out: string, folder: string): void {
  const path = join(folder, COMMIT);
  if (ownKindOf(path) !== "file" || lstatSync(path).size > MAX_COMMIT) return;
  const commit = parseCommit(path, readFileSync(path, "utf8"));
  if (commit === undefined) return;
  for (const [name, file] of Object.entries(commit.files)) {
    const places = [join(folder, commit.work, name), join(folder, name)];
    const place = ownKindOf(places[0]) === "nothing" ? places[1] : places[0];
    if (!matches(place, file)) {
      refuse(
        out,
        `${place} is not the file that ${path} names: to give up what that names, remove it and ${commit.work}`,
      );
    }
  }
  renameAll(out, folder, commit);
}

/** Steps 2 and 3: the files of the folder `work`, whose name was drawn, become those of `folder`. */
export function commitFiles(
  out: string,
  folder: string,
  work: string,
  files: Readonly<Record<string, CommitFile>>,
): void {
  const commit = { work: basename(work), files };
  const drawn = join(work, COMMIT);
  const file = openSync(drawn, "wx");
  try {
    // Whoever may read the files must be able to read which they are.
    fchmodSync(file, 0o644);
    writeSync(file, commitText(commit));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncFolder(work);
  const path = join(folder, COMMIT);
  if (ownKindOf(path) !== "nothing") refuse(out, `${COMMIT} has appeared in it: nothing is replaced`);
  renameSync(drawn, path);
  try {
    syncFolder(folder);
    renameAll(out, folder, commit);
  } catch (error) {
    // If no file is in its place yet, as in a folder where other users' files may not be replaced, the old folder
    // stays.
    if (Object.keys(files).every((name) => ownKindOf(join(work, name)) === "file")) unlinkSync(path);
    throw error;
  }
}

/** Whether a commit in force has files in `work`, which must then stay. */
export function isInForce(folder: string, work: string): boolean {
  const path = join(folder, COMMIT);
  if (ownKindOf(path) !== "file" || lstatSync(path).size > MAX_COMMIT) return false;
  return parseCommit(path, readFileSync(path, "utf8"))?.work === basename(work);
}

/** Clears away what a dead run left at `path`, the name that it drew. Refuses if anything there is not its own. */
export function removeLeft(out: string, path: string, { names }: Marker): void {
  const kind = ownKindOf(path);
  if (kind === "nothing") return;
  if (names.length === 0 && kind === "file") {
    unlinkSync(path);
    return;
  }
  if (names.length > 0 && kind === "folder") {
    const strange = readdirSync(path, { withFileTypes: true }).find(
      ({ name }) => !(names.includes(name) || name === COMMIT) || ownKindOf(join(path, name)) !== "file",
    );
    if (strange === undefined) {
      removeDrawn(path, names);
      return;
    }
    refuse(
      out,
      `${path} was left by a run that was killed, and holds ${strange.name}, which is not of it: remove it by hand`,
    );
  }
  refuse(out, `${path} has the name of what a killed run left, and is something else: it is left as it is`);
}
