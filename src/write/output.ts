// Where the bytes go. A file or folder is written under another name beside OUT and renamed when it is whole, so that OUT
// is never half there. Disk is written synchronously, a piece at a time, with a turn of the event loop in between: a
// signal is answered between two pieces, and the removal at exit cannot race with a write that is still under way.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { InputError } from "../core/errors.ts";
import type { Format, Pieces } from "./format.ts";

/** Names that are to be gone when the process ends, however it does. */
const unfinished = new Set<string>();
let watching = false;

function removeUnfinished(): void {
  for (const path of unfinished) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // At exit nobody is left to be told.
    }
  }
}

function besides(path: string, purpose: string): string {
  if (!watching) process.on("exit", removeUnfinished);
  watching = true;
  const chance = Math.random().toString(36).slice(2, 8);
  return join(dirname(path), `.${basename(path)}.${purpose}-${process.pid}-${chance}`);
}

function refuse(path: string, why: string): never {
  throw new InputError("INVALID_OUTPUT", `${path}: ${why}`);
}

/** The file system's error in a line that names what the user named, not the name beside it that was being written. */
function unwritable(name: string, error: unknown): unknown {
  if (!(error instanceof Error && "syscall" in error)) return error;
  const why = error.message.split(",", 1)[0];
  return new InputError("INVALID_OUTPUT", `${name}: cannot be written (${why})`, { cause: error });
}

type Kind = "nothing" | "file" | "folder" | "other";

/** Where OUT is: the one path that is checked and written to, and what stands there. */
interface Place {
  readonly path: string;
  readonly kind: Kind;
}

function kindOf(path: string): Kind {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return "nothing";
  return stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
}

/**
 * The place that `out` names, as the system understands it: links are followed, and `missing/..` is not the current
 * folder, since nothing is at `missing`. Text alone (`path.resolve`, and `realpathSync` but for its native form) sees neither.
 */
function placeOf(out: string): Place {
  if (out === "")
    throw new InputError("INVALID_OUTPUT", "the output's name is empty, expected the name of a file or folder");
  const kind = kindOf(out);
  if (kind !== "nothing") return { path: realpathSync.native(out), kind };
  const folder = dirname(out);
  if (kindOf(folder) !== "folder") refuse(out, `cannot be written, ${folder} is not a folder`);
  const name = basename(out);
  if (name === "" || name === "." || name === "..") refuse(out, "cannot be written, it names no file or folder");
  return { path: join(realpathSync.native(folder), name), kind };
}

/** Refuses a folder that holds anything but regular files of this format's names. */
function checkFolder<T>(format: Format<T> & { readonly folder: object }, out: string, path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (!Object.hasOwn(format.folder, entry.name)) {
      refuse(out, `holds ${entry.name}, which is not of ${format.name}: name another folder`);
    }
    if (!entry.isFile()) refuse(out, `${entry.name} in it is not a regular file: name another folder`);
  }
}

function checkPlace<T>(format: Format<T>, out: string): Place {
  const place = placeOf(out);
  if (!("folder" in format)) {
    if (place.kind === "folder") refuse(out, `is a folder, ${format.name} is written as a file`);
  } else if (place.kind === "folder") checkFolder(format, out, place.path);
  else if (place.kind !== "nothing") refuse(out, `is not a folder, ${format.name} is written as one`);
  return place;
}

/**
 * Throws unless `out` can become what `format` makes: asked before the work, so that hours of it are not lost to a
 * wrong name. A folder is replaced when it holds nothing but regular files of this format's names.
 */
export function checkOutput<T>(format: Format<T>, out: string): void {
  checkPlace(format, out);
}

async function fill(path: string, flags: "w" | "wx", pieces: Pieces): Promise<void> {
  const file = openSync(path, flags);
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
      await setImmediate();
    }
    // A rename may reach the disk before the bytes do. Devices and pipes know no such order and refuse.
    if (flags === "wx") fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Runs `make` for a name beside `target`, then `put`; removes what `make` left there, also when anything fails. */
async function whole(
  target: string,
  make: (path: string) => Promise<void>,
  put: (path: string) => void = (path) => renameSync(path, target),
): Promise<void> {
  const path = besides(target, "part");
  unfinished.add(path);
  try {
    await make(path);
    put(path);
  } finally {
    rmSync(path, { recursive: true, force: true });
    unfinished.delete(path);
  }
}

/** Waits for each piece, so that a slow reader slows the writer rather than filling the memory. */
export async function toStream(stream: Writable, pieces: Pieces): Promise<void> {
  // A stream that breaks says so by an event too, which ends the process if nobody listens.
  const ignore = () => {};
  stream.on("error", ignore);
  try {
    for (const piece of pieces) {
      await new Promise<void>((done, fail) => {
        stream.write(piece, (error) => (error ? fail(error) : done()));
      });
    }
  } catch (error) {
    // The reader has seen enough, as `head` does: no failure.
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw unwritable("standard output", error);
  } finally {
    // The event comes after the callback.
    await setImmediate();
    stream.off("error", ignore);
  }
}

/**
 * Writes a packing or a plan to the file or folder `out`, or to standard output where the format is one file. What fails or is
 * interrupted (also by `process.exit`) leaves `out` as it was and nothing beside it.
 *
 * @throws InputError INVALID_OUTPUT when `out` cannot become what the format makes, or the disk is full, and so on.
 */
export async function writeAs<T>(format: Format<T>, written: T, out: string | Writable): Promise<void> {
  if (typeof out !== "string") {
    if ("folder" in format) throw new InputError("INVALID_OUTPUT", `${format.name} is a folder, it needs a name`);
    return toStream(out, format.file(written));
  }
  const place = checkPlace(format, out);
  try {
    await toDisk(format, written, out, place);
  } catch (error) {
    throw unwritable(out, error);
  }
}

async function toDisk<T>(format: Format<T>, written: T, out: string, { path: target, kind }: Place): Promise<void> {
  if ("folder" in format) {
    const make = async (path: string) => {
      mkdirSync(path);
      for (const [name, pieces] of Object.entries(format.folder)) await fill(join(path, name), "wx", pieces(written));
    };
    return whole(target, make, (path) => {
      // A folder that stands there stays, and so does whatever came into it meanwhile: only its files are replaced.
      if (kindOf(target) === "nothing") mkdirSync(target);
      checkFolder(format, out, target);
      for (const name of Object.keys(format.folder)) renameSync(join(path, name), join(target, name));
    });
  }
  // A rename would put a file in the place of a device.
  if (kind === "other") return fill(target, "w", format.file(written));
  return whole(target, (path) => fill(path, "wx", format.file(written)));
}
