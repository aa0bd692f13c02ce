// What a run has done so far, kept beside its output: the columns, what was bad, and how far both are sure to be on the
// disk. A run that is killed is taken up from there, with the same bytes in the end.
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { InputError } from "../../core/errors.ts";
import { Claim } from "../../write/claim.ts";
import { claimIn } from "../../write/folder.ts";
import { nameBeside, ownKindOf, placeOf } from "../../write/place.ts";
import { COLUMNS } from "../columns.ts";

const VERSION = 1;
const RECORD = COLUMNS.length * 8;

/** How far a run is. */
export interface Progressed {
  /** Samples that are done. */
  readonly samples: number;
  readonly bad: number;
  /** Records of each part of the data that is done, in order. */
  readonly segments: readonly number[];
}

interface Checkpoint extends Progressed {
  readonly version: number;
  readonly key: string;
  /** Bytes of the file of problems. */
  readonly problemBytes: number;
}

const NAMES = { columns: "columns.f64", problems: "problems.jsonl", checkpoint: "checkpoint.json" };

/** Claims `folder`, which is made where there is none; what a dead run left in it is what this one goes on with. */
function claimFolder(out: string, folder: string): Claim {
  for (;;) {
    try {
      mkdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    try {
      return new Claim(out, claimIn(folder), [], () => {});
    } catch (error) {
      // A run that ended just now has removed the folder. A link to nothing stays one.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || ownKindOf(folder) === "other") throw error;
    }
  }
}

export class Partial {
  readonly folder: string;
  readonly #out: string;
  readonly #key: string;
  readonly #claim: Claim;
  #columns = -1;
  #problems = -1;
  #problemBytes = 0;
  #samples = 0;
  #bad = 0;
  #segments: number[] = [];

  private constructor(out: string, folder: string, key: string, claim: Claim) {
    this.#out = out;
    this.folder = folder;
    this.#key = key;
    this.#claim = claim;
  }

  /**
   * Takes up what an earlier run has left beside `out`, or begins.
   *
   * @param key what the run is made of: only the same can be taken up.
   * @throws InputError INVALID_OUTPUT where another process is at it, or what is there is of another run.
   */
  static open(out: string, key: string, restart: boolean): Partial {
    const folder = nameBeside(placeOf(out).path, ".measuring");
    let partial: Partial | undefined;
    try {
      partial = new Partial(out, folder, key, claimFolder(out, folder));
      partial.#claim.removePassing();
      partial.#resume(restart);
      return partial;
    } catch (error) {
      partial?.close();
      if (error instanceof InputError || (error as NodeJS.ErrnoException).code === undefined) throw error;
      throw new InputError(
        "INVALID_OUTPUT",
        `${out}: nothing can be written beside it (${(error as NodeJS.ErrnoException).code})`,
        { cause: error },
      );
    }
  }

  #path(name: keyof typeof NAMES): string {
    return join(this.folder, NAMES[name]);
  }

  /** The file that holds the columns of all samples. */
  get columnsPath(): string {
    return this.#path("columns");
  }

  get progressed(): Progressed {
    return { samples: this.#samples, bad: this.#bad, segments: this.#segments };
  }

  #resume(restart: boolean): void {
    let found: Checkpoint | undefined;
    if (!restart && existsSync(this.#path("checkpoint"))) {
      try {
        found = JSON.parse(readFileSync(this.#path("checkpoint"), "utf8")) as Checkpoint;
      } catch (error) {
        throw new InputError("INVALID_OUTPUT", `${this.#path("checkpoint")}: is not JSON; --restart starts over`, {
          cause: error,
        });
      }
      if (found.version !== VERSION || found.key !== this.#key) {
        throw new InputError(
          "INVALID_OUTPUT",
          `${this.#out}: an unfinished run with other data or options is beside it, in ${this.folder}; go on with those, or begin anew with --restart`,
        );
      }
    }
    this.#columns = openSync(this.#path("columns"), "a+");
    this.#problems = openSync(this.#path("problems"), "a+");
    this.#samples = found?.samples ?? 0;
    this.#bad = found?.bad ?? 0;
    this.#segments = [...(found?.segments ?? [])];
    this.#problemBytes = found?.problemBytes ?? 0;
    // What was written after the last checkpoint is written again.
    ftruncateSync(this.#columns, this.#samples * RECORD);
    ftruncateSync(this.#problems, this.#problemBytes);
  }

  #write(file: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  }

  /**
   * Adds samples, and the lines of those that are bad.
   *
   * @throws InputError INVALID_OUTPUT where the claim was removed by hand: another run may be writing these files.
   */
  add(values: Float64Array, problems: readonly string[]): void {
    this.#claim.check();
    const bytes = Buffer.alloc(values.length * 8);
    for (let i = 0; i < values.length; i++) bytes.writeDoubleLE(values[i], i * 8);
    this.#write(this.#columns, bytes);
    if (problems.length > 0) {
      const lines = Buffer.from(`${problems.join("\n")}\n`);
      this.#write(this.#problems, lines);
      this.#problemBytes += lines.length;
    }
    this.#samples += values.length / COLUMNS.length;
    this.#bad += problems.length;
  }

  /** Columns of samples that were added before. */
  read(first: number, samples: number): Float64Array {
    const bytes = Buffer.alloc(samples * RECORD);
    for (let have = 0; have < bytes.length; ) {
      const more = readSync(this.#columns, bytes, have, bytes.length - have, first * RECORD + have);
      if (more === 0) throw new Error("the collected columns are too short");
      have += more;
    }
    return Float64Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(i * 8));
  }

  /** Lines of bad samples, in order. */
  *problems(): Generator<string> {
    const piece = Buffer.alloc(1 << 16);
    let rest = Buffer.alloc(0);
    for (let at = 0; at < this.#problemBytes; ) {
      const length = readSync(this.#problems, piece, 0, Math.min(piece.length, this.#problemBytes - at), at);
      if (length === 0) break;
      at += length;
      rest = Buffer.concat([rest, piece.subarray(0, length)]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield rest.toString("utf8", 0, end);
        rest = rest.subarray(end + 1);
      }
    }
  }

  /** Records that a part of the data is done, and how many records it had. */
  endSegment(records: number): void {
    this.#segments.push(records);
  }

  /** A killed run resumes from here: what a checkpoint says is there is on disk before the checkpoint is. */
  checkpoint(): void {
    this.#claim.check();
    fsyncSync(this.#columns);
    fsyncSync(this.#problems);
    const found: Checkpoint = {
      version: VERSION,
      key: this.#key,
      samples: this.#samples,
      bad: this.#bad,
      segments: this.#segments,
      problemBytes: this.#problemBytes,
    };
    const path = this.#path("checkpoint");
    const file = openSync(`${path}.new`, "w");
    try {
      writeSync(file, JSON.stringify(found));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.new`, path);
  }

  #closeFiles(): void {
    for (const file of [this.#columns, this.#problems]) if (file >= 0) closeSync(file);
    this.#columns = -1;
    this.#problems = -1;
  }

  /** Lets another run take it up. */
  close(): void {
    this.#closeFiles();
    this.#claim.release();
  }

  /** Removes what was kept, by the names that it was given here; a folder with anything else in it stays. */
  remove(): void {
    this.#closeFiles();
    // If the claim was removed by hand, the files may be another run's by now.
    if (!this.#claim.stands) return;
    this.#claim.removePassing();
    // The checkpoint goes first: it must never tell of columns that are not there. The claim goes last, or another run
    // would lose what it has just taken up.
    for (const name of [NAMES.checkpoint, `${NAMES.checkpoint}.new`, NAMES.columns, NAMES.problems]) {
      try {
        unlinkSync(join(this.folder, name));
      } catch {
        // It was not there.
      }
    }
    this.#claim.release();
    try {
      rmdirSync(this.folder);
    } catch {
      // Something in it is not ours, or another run has begun.
    }
  }
}
