// Writes one file to disk: synchronously, a piece at a time, with a turn of the event loop in between. So signals are
// handled between two pieces, and what is removed at exit cannot race with a write that is still under way.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  type Stats,
  writeSync,
} from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { Pieces } from "./format.ts";

async function writePieces(file: number, pieces: Pieces, each: (piece: Uint8Array) => void): Promise<void> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    each(piece);
    await setImmediate();
  }
}

/** Gives an open file the mode of the one that it will replace, and its owner if that is allowed. */
function likeOf(file: number, { uid, gid, mode }: Stats): void {
  const now = fstatSync(file);
  if (now.uid !== uid || now.gid !== gid) {
    try {
      fchownSync(file, uid, gid);
    } catch {
      // Only root may give files away; others replace a file with one of their own.
    }
  }
  if ((now.mode & 0o7777) !== (mode & 0o7777)) fchmodSync(file, mode & 0o7777);
}

/**
 * Makes a file of a name that is free, and has it on the disk before it is renamed. `like`: the one to be replaced; `each`
 * sees the pieces.
 */
export async function fillNew(
  path: string,
  pieces: Pieces,
  like: Stats | undefined,
  each: (piece: Uint8Array) => void = () => {},
): Promise<void> {
  // From the first byte on, nobody may read it who may not read the old one.
  const file = openSync(path, "wx", like === undefined ? 0o666 : like.mode & 0o777);
  try {
    if (like !== undefined) likeOf(file, like);
    await writePieces(file, pieces, each);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Writes to a device or a pipe: nothing is created or truncated. */
export async function fillDevice(path: string, pieces: Pieces): Promise<void> {
  const file = openSync(path, constants.O_WRONLY);
  try {
    await writePieces(file, pieces, () => {});
  } finally {
    closeSync(file);
  }
}

/** Syncs a folder's entries to disk, in the order in which they were made. Not every system can. */
export function syncFolder(path: string): void {
  try {
    const folder = openSync(path, "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // They are there all the same, unless the power fails now.
  }
}
