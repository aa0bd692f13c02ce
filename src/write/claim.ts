// Which run an OUT belongs to while it is being written. A claim is a symbolic link whose target is the run's marker. Unlike
// a file, a link appears with all its content in one step, so a run that is killed at any moment leaves either a marker
// that says who it was, or nothing. Where links cannot be made, it is a file.
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { show } from "../core/errors.ts";
import { isPlainName } from "../core/folder-commit.ts";
import { refuse, statsOf } from "./place.ts";

/** What a run attaches to everything that it makes under a name of its own. */
export interface Marker {
  readonly omnibal: "claim";
  readonly version: 1;
  readonly host: string;
  /** What tells machines of the same name apart, and containers of the same machine; "" if nothing does. */
  readonly machine: string;
  readonly boot: string;
  readonly processes: string;
  readonly pid: number;
  /** When the process began, as the kernel counts, since process ids are reused. "" if it is not known. */
  readonly began: string;
  readonly since: string;
  /** The random part of its names. */
  readonly draw: string;
  /** Names of the files in the folder that it fills; none if it fills a file. */
  readonly names: readonly string[];
}

const FIELDS = ["host", "machine", "boot", "processes", "began", "since"] as const;

function firstOf(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return "";
  }
}

/** State and start of a process from /proc; undefined if there is none. */
function processStat(pid: number | "self"): { state: string; began: string } | undefined {
  const text = firstOf(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  // The name in parentheses may hold anything, parentheses included.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields.length > 19 ? { state: fields[0], began: fields[19] } : undefined;
}

/** Who this process is, for others that find what it left. */
function own(): Omit<Marker, "draw" | "names"> {
  const machine = firstOf(() => readFileSync("/etc/machine-id", "latin1"));
  return {
    omnibal: "claim",
    version: 1,
    host: hostname(),
    // machine-id(5) asks not to expose it as it is.
    machine: machine === "" ? "" : createHash("sha256").update(`omnibal ${machine}`).digest("hex").slice(0, 16),
    boot: firstOf(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1")),
    processes: firstOf(() => readlinkSync("/proc/self/ns/pid")),
    pid: process.pid,
    began: processStat("self")?.began ?? "",
    since: new Date().toISOString(),
  };
}

export function newMarker(names: readonly string[]): Marker {
  return { ...own(), draw: randomBytes(8).toString("hex"), names };
}

/** The marker in a claim; undefined if it is not one of ours. */
export function parseMarker(text: string): Marker | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof found !== "object" || found === null) return undefined;
  const marker = found as Record<string, unknown>;
  const { omnibal, version, pid, draw, names } = marker;
  if (omnibal !== "claim" || version !== 1) return undefined;
  if (!FIELDS.every((field) => typeof marker[field] === "string")) return undefined;
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid < 1) return undefined;
  if (typeof draw !== "string" || !/^[0-9a-f]{16}$/.test(draw)) return undefined;
  return Array.isArray(names) && names.every(isPlainName) ? (found as Marker) : undefined;
}

/** Whether the process of a marker is alive; "unknown" if that cannot be seen from here. */
export function lifeOf(marker: Marker): "live" | "dead" | "unknown" {
  const here = own();
  if (marker.host !== here.host || marker.machine !== here.machine) return "unknown";
  // Without a machine-id another boot may be another machine of the same name.
  if (marker.boot !== here.boot) return here.machine === "" ? "unknown" : "dead";
  // Another container, whose process ids mean nothing here.
  if (marker.processes !== here.processes) return "unknown";
  try {
    process.kill(marker.pid, 0);
  } catch (error) {
    // EPERM: it exists, and is another user's.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return "dead";
  }
  const stat = marker.began === "" ? undefined : processStat(marker.pid);
  if (stat === undefined) return "live";
  // A zombie is dead, and stays forever if nobody asks for its exit code, as in many containers.
  return stat.began === marker.began && !/[ZXx]/.test(stat.state) ? "live" : "dead";
}

/** The text of a claim; undefined if there is none. */
function readClaim(path: string): string | undefined {
  const stats = statsOf(path, lstatSync);
  try {
    if (stats?.isSymbolicLink() === true) return readlinkSync(path);
    if (stats?.isFile() === true) return stats.size < 1 << 16 ? readFileSync(path, "utf8") : "";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return stats === undefined ? undefined : "";
}

/** Makes a claim; false if something is there already. */
function makeClaim(path: string, text: string): boolean {
  try {
    symlinkSync(text, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // The folder is gone. It may be back in a moment, but then a link can be made in it.
    if (code === "ENOENT") throw error;
    // Not every file system has links. If the reason was another one, making a file fails as well.
  }
  let file: number;
  try {
    file = openSync(path, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  try {
    writeSync(file, text);
    fsyncSync(file);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(file);
  }
  return true;
}

/** Removes a claim, unless somebody has done so. */
function removeClaim(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** A name that a run drew: what it makes at `path`, until that is whole. */
export function drawnName(path: string, { draw }: Marker): string {
  return `${path}-${draw}`;
}

function refuseHeld(out: string, path: string, marker: Marker | undefined, life: "live" | "unknown"): never {
  if (marker === undefined) refuse(out, `${path} is in the way and not of this program: it is left as it is`);
  const { pid, host, since } = marker;
  if (life === "live") refuse(out, `another run is writing it: process ${pid}, since ${show(since)}`);
  const who = `process ${pid} on host ${show(host)}, since ${show(since)}`;
  refuse(
    out,
    `another run is writing it or was killed: ${who}, not to be seen from here; if it is gone, remove ${path}`,
  );
}

/**
 * Claims `out` by a marker at `path`, or refuses if another run has claimed it. The claim of a dead process is replaced
 * after `settle` has cleared away what else that process left.
 *
 * However many runs try this at once, at most one succeeds. To replace a claim whose draw is d, a run must first make
 * `path-after-d`, which only one can, in the same way. It then checks that the dead claim is still there: from here on
 * nobody else can replace it. Renaming `path-after-d` to `path` leaves no moment without a claim. If a run is killed on
 * the way, the next one replaces its `path-after-d` first, by the same rule.
 */
function take(out: string, path: string, text: string, settle: (dead: Marker) => void): void {
  while (!makeClaim(path, text)) {
    const seen = readClaim(path);
    if (seen === undefined) continue;
    const marker = parseMarker(seen);
    const life = marker === undefined ? "unknown" : lifeOf(marker);
    if (marker === undefined || life !== "dead") refuseHeld(out, path, marker, life === "live" ? life : "unknown");
    const right = `${path}-after-${marker.draw}`;
    take(out, right, text, () => {});
    try {
      if (readClaim(path) === seen) {
        settle(marker);
        renameSync(right, path);
        return;
      }
    } catch (error) {
      removeClaim(right);
      throw error;
    }
    removeClaim(right);
  }
}

/** Whether a name belongs to a claim made only to replace another, which comes and goes. */
export function isPassing(path: string, name: string): boolean {
  return name.startsWith(`${path}-after-`);
}

/** A claim that this process holds. */
export class Claim {
  readonly path: string;
  readonly marker: Marker;
  readonly #out: string;
  readonly #text: string;

  /** @throws InputError INVALID_OUTPUT when another run holds it, or something else is there. */
  constructor(out: string, path: string, names: readonly string[], settle: (dead: Marker) => void) {
    this.path = path;
    this.#out = out;
    this.marker = newMarker(names);
    this.#text = JSON.stringify(this.marker);
    take(out, path, this.#text, settle);
  }

  /** Whether it is still there: somebody may have removed it by hand. */
  get stands(): boolean {
    return readClaim(this.path) === this.#text;
  }

  /** @throws InputError INVALID_OUTPUT when it does not stand any more: another run may be writing OUT by now. */
  check(): void {
    if (this.stands) return;
    refuse(this.#out, `${this.path} is gone, by which other runs know of this one: nothing more is written`);
  }

  /**
   * Removes the claims beside this one that runs were making to replace an earlier one, and left when they were killed.
   * While this one stands no other claim can be replaced, so nobody needs them. Reads the whole folder.
   */
  removePassing(): void {
    const folder = dirname(this.path);
    for (const name of readdirSync(folder)) {
      if (!isPassing(basename(this.path), name)) continue;
      const path = join(folder, name);
      const marker = parseMarker(readClaim(path) ?? "");
      if (marker !== undefined && lifeOf(marker) === "dead") removeClaim(path);
    }
  }

  release(): void {
    if (this.stands) unlinkSync(this.path);
  }
}

/** Whether there is anything where a claim would be. */
export function isClaimed(path: string): boolean {
  return readClaim(path) !== undefined;
}
