// Standard output, and other streams.
import { fstatSync, readSync, statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { InputError } from "../core/errors.ts";
import type { Pieces } from "./format.ts";

/** What is needed of a Node stream, such as `process.stdout`. */
export interface Writable {
  /** Writes a piece, and calls `done` once it is accepted or has failed. */
  write(piece: Uint8Array, done: (error?: Error | null) => void): boolean;
  /** Adds a listener for the stream's errors. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Removes it. */
  off(event: "error", listener: (error: Error) => void): unknown;
}

/** The file system's error in one line that names what the user named, not the temporary name beside it. */
export function unwritable(name: string, error: unknown): unknown {
  if (!(error instanceof Error && "syscall" in error)) return error;
  const why = error.message.split(",", 1)[0];
  return new InputError("INVALID_OUTPUT", `${name}: cannot be written (${why})`, { cause: error });
}

/** Whether a descriptor is /dev/null, open for reading too. */
function isReadableNull(fd: number): boolean {
  try {
    const { rdev } = fstatSync(fd);
    return rdev !== 0 && rdev === statSync("/dev/null").rdev && readSync(fd, new Uint8Array(1)) === 0;
  } catch {
    return false;
  }
}

/**
 * Throws if standard output is closed (`>&-`): what is printed would be lost, with exit code 0. Node replaces a closed
 * descriptor with /dev/null, open for reading and writing. A shell's `> /dev/null` is open for writing only. Some
 * programs that discard another's output (Python's DEVNULL, Node's "ignore") open it for both as well, which looks like
 * a closed one; if standard error looks like that too, it is taken as intended.
 *
 * @throws InputError INVALID_OUTPUT
 */
function checkStdout(): void {
  if (isReadableNull(1) && !isReadableNull(2)) {
    throw new InputError("INVALID_OUTPUT", "standard output: is closed (to discard it, use > /dev/null)");
  }
}

/** Waits for each piece, so that a slow reader slows down the writer instead of filling up memory. */
export async function toStream(stream: Writable, pieces: Pieces): Promise<void> {
  if (stream === process.stdout) checkStdout();
  // A stream that breaks also emits an event, which ends the process if nobody listens.
  const ignore = () => {};
  stream.on("error", ignore);
  try {
    for (const piece of pieces) {
      await new Promise<void>((done, fail) => {
        stream.write(piece, (error) => (error ? fail(error) : done()));
      });
    }
  } catch (error) {
    // The reader has seen enough, as `head` does: that is no failure.
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw unwritable("standard output", error);
  } finally {
    // The event comes after the callback.
    await setImmediate();
    stream.off("error", ignore);
  }
}
