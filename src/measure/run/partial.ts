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
  writeFileSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../../core/errors.ts";
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

const NAMES = { columns: "columns.f64", problems: "problems.jsonl", checkpoint: "checkpoint.json", lock: "lock.json" };

/** Whether a process of this machine runs. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export class Partial {
  readonly folder: string;
  readonly #out: string;
  readonly #key: string;
  #columns = -1;
  #problems = -1;
  #problemBytes = 0;
  #samples = 0;
  #bad = 0;
  #segments: number[] = [];

  private constructor(out: string, folder: string, key: string) {
    this.#out = out;
    this.folder = folder;
    this.#key = key;
  }

  /**
   * Takes up what an earlier run has left beside `out`, or begins.
   *
   * @param key what the run is made of: only the same can be taken up.
   * @throws InputError INVALID_OUTPUT where another process is at it, or what is there is of another run.
   */
  static open(out: string, key: string, restart: boolean): Partial {
    // Room for what is put around the name.
    const name = basename(out).slice(0, 200);
    const folder = join(dirname(resolve(out)), `.${name}.measuring`);
    const partial = new Partial(out, folder, key);
    try {
      if (!existsSync(folder)) mkdirSync(folder);
      partial.#lock();
      partial.#resume(restart);
    } catch (error) {
      if (error instanceof InputError || (error as NodeJS.ErrnoException).code === undefined) throw error;
      throw new InputError(
        "INVALID_OUTPUT",
        `${out}: nothing can be written beside it (${(error as NodeJS.ErrnoException).code})`,
        { cause: error },
      );
    }
    return partial;
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

  #lock(): void {
    const path = this.#path("lock");
    const own = JSON.stringify({ pid: process.pid, host: hostname() });
    for (let round = 0; round < 2; round++) {
      try {
        writeFileSync(path, own, { flag: "wx" });
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      let other: { pid?: unknown; host?: unknown } = {};
      try {
        other = JSON.parse(readFileSync(path, "utf8")) as typeof other;
      } catch {
        // Killed before its name was in it.
      }
      const isAlive =
        typeof other.pid === "number" && (other.host !== hostname() || (other.pid !== process.pid && runs(other.pid)));
      if (isAlive) {
        throw new InputError(
          "INVALID_OUTPUT",
          `${this.#out}: process ${other.pid} on ${other.host} is writing it; if there is none, remove ${path}`,
        );
      }
      unlinkSync(path);
    }
    throw new InputError("INVALID_OUTPUT", `${this.#out}: another process has begun to write it`);
  }

  #resume(restart: boolean): void {
    let found: Checkpoint | undefined;
    if (!restart && existsSync(this.#path("checkpoint"))) {
      try {
        found = JSON.parse(readFileSync(this.#path("checkpoint"), "utf8")) as Checkpoint;
      } catch (error) {
        this.#release();
        throw new InputError("INVALID_OUTPUT", `${this.#path("checkpoint")}: is no JSON; --restart begins anew`, {
          cause: error,
        });
      }
      if (found.version !== VERSION || found.key !== this.#key) {
        this.#release();
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
    // What was written behind the last checkpoint is written again.
    ftruncateSync(this.#columns, this.#samples * RECORD);
    ftruncateSync(this.#problems, this.#problemBytes);
  }

  #write(file: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  }

  /** Adds samples, and the lines of those that are bad. */
  add(values: Float64Array, problems: readonly string[]): void {
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

  /** Tells that a part of the data is done, which had so many records. */
  endSegment(records: number): void {
    this.#segments.push(records);
  }

  /** From here on a killed run goes on: what is told to be there is on the disk before it is told. */
  checkpoint(): void {
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

  #release(): void {
    try {
      unlinkSync(this.#path("lock"));
    } catch {
      // Somebody was quicker.
    }
  }

  /** Lets another run take it up. */
  close(): void {
    for (const file of [this.#columns, this.#problems]) if (file >= 0) closeSync(file);
    this.#columns = -1;
    this.#problems = -1;
    this.#release();
  }

  /** Removes what was kept, by the names that it was given here; a folder with anything else in it stays. */
  remove(): void {
    this.close();
    for (const name of [...Object.values(NAMES), `${NAMES.checkpoint}.new`]) {
      try {
        unlinkSync(join(this.folder, name));
      } catch {
        // It was not there.
      }
    }
    try {
      rmdirSync(this.folder);
    } catch {
      // Something in it is not ours.
    }
  }
}
