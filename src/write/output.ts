// Where the bytes go. OUT is looked up and claimed before the work starts, so that hours of it are not lost to a wrong
// name or to another run. Whenever the run ends, OUT is the old one or the new one, whole. The only files ever removed
// are regular ones with known names, in a place whose name a run drew for itself; the only folders, empty ones.
import { createHash } from "node:crypto";
import { chmodSync, fstatSync, lstatSync, mkdirSync, readdirSync, renameSync, statSync, unlinkSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { InputError } from "../core/errors.ts";
import type { CommitFile } from "../core/folder-commit.ts";
import { Claim, drawnName, isClaimed } from "./claim.ts";
import { fillDevice, fillNew, syncFolder } from "./fill.ts";
import { checkEntries, claimIn, commitFiles, finishCommit, isInForce, removeDrawn, removeLeft } from "./folder.ts";
import { type Format, filesToWrite, type Pieces } from "./format.ts";
import { type Kind, nameBeside, ownKindOf, type Place, placeOf, refuse, statsOf } from "./place.ts";
import { toStream, unwritable, type Writable } from "./stream.ts";

/** Where the claim is if OUT is not a folder yet: beside it. */
function claimBeside(path: string): string {
  return nameBeside(path, ".omnibal");
}

/** Identifies a file or folder, whatever its name; undefined for what cannot be looked at: reading it will say why. */
function identity(path: string): string | undefined {
  try {
    const stats = path === "-" ? fstatSync(0, { bigint: true }) : statSync(path, { bigint: true });
    return stats.isFile() || stats.isDirectory() ? `${stats.dev}:${stats.ino}` : undefined;
  } catch {
    return undefined;
  }
}

/** An input and, if it is a folder (a packing may be one), the files in it. */
function withEntries(path: string): readonly string[] {
  try {
    return path === "-" ? [path] : [path, ...readdirSync(path).map((name) => join(path, name))];
  } catch {
    return [path];
  }
}

/** Outputs that are open when the process ends, however it does. */
const open = new Set<DiskOutput<never>>();
let watching = false;

function abandonAll(): void {
  for (const output of open) {
    try {
      output.close();
    } catch {
      // At exit there is nobody left to tell.
    }
  }
}

/** Where a packing or a plan will be written. */
export interface Output<T> {
  /**
   * Refuses OUT if it is one of these inputs, under whatever name, or a file in one of them.
   *
   * @param paths Files and folders, or "-" for standard input.
   * @throws InputError INVALID_OUTPUT
   */
  refuseInputs(paths: readonly string[]): void;
  /**
   * Writes it and closes. If that fails or is interrupted (by `process.exit` as well), OUT is as it was, with nothing
   * left beside it.
   *
   * @throws InputError INVALID_OUTPUT, and whatever making the bytes throws.
   */
  write(written: T): Promise<void>;
  /** Gives OUT up if it is not written yet. May be called again. */
  close(): void;
}

class StreamOutput<T> implements Output<T> {
  readonly #format: Format<T>;
  readonly #stream: Writable;

  constructor(format: Format<T>, stream: Writable) {
    if ("folder" in format) throw new InputError("INVALID_OUTPUT", `${format.name} is a folder, it needs a name`);
    this.#format = format;
    this.#stream = stream;
  }

  refuseInputs(): void {}

  write(written: T): Promise<void> {
    return toStream(this.#stream, "file" in this.#format ? this.#format.file(written) : []);
  }

  close(): void {}
}

type NamedPieces = readonly (readonly [name: string, pieces: () => Pieces])[];

class DiskOutput<T> implements Output<T> {
  readonly #format: Format<T>;
  readonly #out: string;
  /** The folder's file names; none if the format is a file. */
  readonly #names: readonly string[];
  #place: Place;
  #claim: Claim | undefined;

  constructor(format: Format<T>, out: string, inputs: readonly string[]) {
    this.#format = format;
    this.#out = out;
    this.#names = "folder" in format ? Object.keys(format.folder) : [];
    this.#place = placeOf(out);
    const { kind } = this.#place;
    if (!("folder" in format)) {
      const isFolder = kind === "folder" || out.endsWith("/") || out.endsWith(sep);
      if (isFolder) refuse(out, `is a folder, ${format.name} is written as a file`);
    } else if (kind === "file" || kind === "other") refuse(out, `is not a folder, ${format.name} is written as one`);
    this.refuseInputs(inputs);
    this.#hold();
    if (!watching) process.on("exit", abandonAll);
    watching = true;
    open.add(this);
  }

  refuseInputs(paths: readonly string[]): void {
    const { path, kind } = this.#place;
    if (kind === "nothing" || kind === "other") return;
    const own = [path, ...(kind === "folder" ? this.#names.map((name) => join(path, name)) : [])];
    const identities = new Set(own.map(identity));
    for (const input of paths) {
      for (const read of withEntries(input)) {
        const seen = identity(read);
        if (seen !== undefined && identities.has(seen)) {
          refuse(this.#out, `is an input, read as ${read === "-" ? "standard input" : read}: name another output`);
        }
      }
    }
  }

  /** Claims OUT, and clears away what a killed run has left of it. */
  #hold(): void {
    const { path, kind } = this.#place;
    if (kind === "other") return;
    const out = this.#out;
    const beside = claimBeside(path);
    const claim = () => new Claim(out, beside, this.#names, (dead) => removeLeft(out, drawnName(beside, dead), dead));
    if (kind !== "folder") {
      this.#claim = claim();
      return;
    }
    const inside = claimIn(path);
    const left = /^\.omnibal(-[0-9a-f]{16})?$|^commit\.json$/;
    // Checked twice: nothing is touched in a folder that cannot be OUT, and afterwards it holds nothing but what it
    // may.
    this.#checkEntries((name) => left.test(name));
    // Left by a run that was killed just after it had made the folder.
    if (isClaimed(beside)) claim().release();
    this.#claim = new Claim(out, inside, this.#names, (dead) => {
      finishCommit(out, path);
      removeLeft(out, drawnName(inside, dead), dead);
    });
    this.#claim.removePassing();
    try {
      finishCommit(out, path);
      this.#checkEntries((name) => name === basename(inside));
    } catch (error) {
      this.#claim.release();
      throw error;
    }
  }

  #checkEntries(isOurs: (name: string) => boolean): void {
    checkEntries(this.#out, this.#place.path, this.#names, this.#format.name, ({ name }) => isOurs(name));
  }

  async write(written: T): Promise<void> {
    try {
      await this.#write(written);
    } catch (error) {
      throw unwritable(this.#out, error);
    } finally {
      this.close();
    }
  }

  /** Since then, someone may have removed the claim by hand, and the folder with it, or put another there. */
  #holdStill(kind: Kind): void {
    if (this.#claim?.stands === true && (kind === "folder") === (this.#place.kind === "folder")) return;
    this.#claim?.release();
    this.#place = { path: this.#place.path, kind };
    this.#hold();
  }

  async #write(written: T): Promise<void> {
    const format = this.#format;
    const { path, kind } = this.#place;
    if (!("folder" in format)) {
      return kind === "other" ? fillDevice(path, format.file(written)) : this.#writeFile(format.file(written));
    }
    const now = ownKindOf(path);
    if (now !== "nothing" && now !== "folder") {
      refuse(this.#out, "is now something other than a folder: it is left alone");
    }
    this.#holdStill(now);
    // One file after another: both may take their pieces from the same core.
    const isThere = (name: string) => now === "folder" && ownKindOf(join(path, name)) === "file";
    const files = filesToWrite(format, written, isThere).map(
      ([name, pieces]) => [name, () => pieces(written)] as const,
    );
    return now === "nothing" ? this.#writeNewFolder(files) : this.#writeIntoFolder(files);
  }

  async #writeFile(pieces: Pieces): Promise<void> {
    const { path, kind } = this.#place;
    this.#holdStill(kind);
    const drawn = this.#drawn();
    await fillNew(drawn, pieces, this.#replaced(path));
    this.#claim?.check();
    const now = ownKindOf(path);
    if (now !== "nothing" && now !== "file") {
      refuse(this.#out, "is now something other than a file: it is left alone");
    }
    renameSync(drawn, path);
    syncFolder(dirname(path));
  }

  async #writeNewFolder(files: NamedPieces): Promise<void> {
    const { path } = this.#place;
    const drawn = this.#drawn();
    mkdirSync(drawn);
    for (const [name, pieces] of files) await fillNew(join(drawn, name), pieces(), undefined);
    syncFolder(drawn);
    this.#claim?.check();
    if (ownKindOf(path) !== "nothing") refuse(this.#out, "has appeared while it was being written: it is left alone");
    renameSync(drawn, path);
    syncFolder(dirname(path));
  }

  async #writeIntoFolder(files: NamedPieces): Promise<void> {
    const { path } = this.#place;
    const drawn = this.#drawn();
    mkdirSync(drawn);
    // Once committed, the files are read from there.
    chmodSync(drawn, (statSync(path).mode & 0o777) | 0o700);
    const sums: Record<string, CommitFile> = {};
    for (const [name, pieces] of files) {
      const hash = createHash("sha256");
      let bytes = 0;
      await fillNew(join(drawn, name), pieces(), this.#replaced(join(path, name)), (piece) => {
        hash.update(piece);
        bytes += piece.length;
      });
      sums[name] = { bytes, sha256: hash.digest("hex") };
    }
    this.#claim?.check();
    this.#checkEntries((name) => name === basename(claimIn(path)) || name === basename(drawn));
    commitFiles(this.#out, path, drawn, sums);
  }

  #drawn(): string {
    const claim = this.#claim as Claim;
    return drawnName(claim.path, claim.marker);
  }

  #replaced(path: string) {
    const stats = statsOf(path, lstatSync);
    return stats?.isFile() === true ? stats : undefined;
  }

  close(): void {
    open.delete(this as DiskOutput<never>);
    const claim = this.#claim;
    if (claim === undefined) return;
    this.#claim = undefined;
    const drawn = drawnName(claim.path, claim.marker);
    const isFolder = this.#place.kind === "folder";
    if (ownKindOf(drawn) === "file") unlinkSync(drawn);
    else if (!(isFolder && isInForce(this.#place.path, drawn))) removeDrawn(drawn, this.#names);
    claim.release();
  }
}

/**
 * Finds and claims the file or folder `out` before any work is done, or takes a stream if the format is one file.
 *
 * @param inputs The paths that are read, or "-"; `out` may be none of them.
 * @throws InputError INVALID_OUTPUT if `out` cannot become what the format makes, is an input, or another run is writing it.
 */
export function openOutput<T>(format: Format<T>, out: string | Writable, inputs: readonly string[] = []): Output<T> {
  if (typeof out !== "string") return new StreamOutput(format, out);
  try {
    return new DiskOutput(format, out, inputs);
  } catch (error) {
    throw unwritable(out, error);
  }
}

/**
 * Writes a packing or a plan to the file or folder `out`, or to a stream if the format is one file: whole, or not at
 * all.
 *
 * @throws InputError INVALID_OUTPUT as `openOutput`, and if writing fails (a full disk, a lost permission).
 */
export async function writeAs<T>(format: Format<T>, written: T, out: string | Writable): Promise<void> {
  return openOutput(format, out).write(written);
}
