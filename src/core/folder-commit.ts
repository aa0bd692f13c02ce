// commit.json, by which a folder of several files goes from old to new at one moment: see docs/formats.md. Written by
// src/write/folder.ts, read by src/read/folder.ts.
import { InputError } from "./errors.ts";

export const COMMIT = "commit.json";

/** Anything longer is not a commit.json of ours. */
export const MAX_COMMIT = 1 << 16;

/** One file of a commit, wherever it is at the moment. */
export interface CommitFile {
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

export interface Commit {
  /** The subfolder that the files are renamed out of. */
  readonly work: string;
  /** All files of the new state, by their names in the folder. */
  readonly files: Readonly<Record<string, CommitFile>>;
}

export function commitText({ work, files }: Commit): string {
  return `${JSON.stringify({ omnibal: "commit", version: 1, work, files })}\n`;
}

/** Whether a name stays in the folder it is looked up in. */
export function isPlainName(name: unknown): name is string {
  return typeof name === "string" && name !== "" && name !== "." && name !== ".." && !/[/\\\0]/.test(name);
}

function isFile(file: unknown): file is CommitFile {
  const { bytes, sha256 } = (file ?? {}) as Partial<Record<keyof CommitFile, unknown>>;
  return (
    typeof bytes === "number" &&
    Number.isSafeInteger(bytes) &&
    bytes >= 0 &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256)
  );
}

/**
 * The commit in a commit.json; undefined if the file is not ours.
 *
 * @throws InputError INVALID_FILE if it is ours and broken, or of a later version.
 */
export function parseCommit(path: string, text: string): Commit | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof found !== "object" || found === null) return undefined;
  const { omnibal, version, work, files } = found as Record<string, unknown>;
  if (omnibal !== "commit") return undefined;
  if (version !== 1) throw new InputError("INVALID_FILE", `${path}: version is not 1, expected a file of this program`);
  const entries = typeof files === "object" && files !== null ? Object.entries(files) : [];
  const isWork = typeof work === "string" && /^\.omnibal-[0-9a-f]{16}$/.test(work);
  if (!isWork || entries.length === 0 || !entries.every(([name, file]) => isPlainName(name) && isFile(file))) {
    throw new InputError("INVALID_FILE", `${path}: no list of files with sizes and hashes`);
  }
  return { work, files: files as Record<string, CommitFile> };
}
