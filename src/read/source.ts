// Paths: files and named pipes in Node and Deno. Besides this, only folder.ts and meta.ts know of a file system.
import type { FileHandle } from "node:fs/promises";
import type { Socket } from "node:net";
import { InputError } from "../core/errors.ts";
import { needed } from "./host.ts";
import { type OpenOptions, unpacked } from "./open.ts";
import { Peekable, type Source, StreamSource } from "./peekable.ts";

export { openStream, underWatch } from "./open.ts";
export type { Source } from "./peekable.ts";

// This file is loaded when a path is to be read, so that the error for hosts without them comes from here.
const { open, stat } = needed("node:fs/promises");

/** The system's error in one line. */
export function fileError(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof InputError) return error as Error;
  const seen: Record<string, string> = {
    ENOENT: "no such file",
    ENOTDIR: "no such file",
    EISDIR: "is a folder, expected a file",
    EACCES: "not allowed to read it",
  };
  return new InputError("INVALID_FILE", `${path}: ${seen[code] ?? message}`, { cause: error });
}

class FileSource extends Peekable {
  readonly #file: FileHandle;

  constructor(path: string, quotes: boolean, file: FileHandle) {
    super(path, quotes);
    this.#file = file;
  }

  protected async next(into: Uint8Array): Promise<number> {
    try {
      return (await this.#file.read(into, 0, into.length, null)).bytesRead;
    } catch (error) {
      throw fileError(this.path, error);
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** How long a named pipe may bring nothing before `onWait` is called, in ms. */
const SILENCE = 1000;

/**
 * A named pipe. A call that opens one waits for a writer, and a process with such a call under way cannot even be ended
 * from JavaScript. So it is opened without waiting, and the event loop reports when something arrives.
 */
class PipeSource extends StreamSource {
  readonly #socket: Socket;
  readonly #options: OpenOptions;
  readonly #stop: () => void;
  #isSilent = true;

  constructor(path: string, quotes: boolean, socket: Socket, options: OpenOptions) {
    super(path, quotes, socket);
    this.#socket = socket;
    this.#options = options;
    const { signal } = options;
    this.#stop = () => socket.destroy(signal?.reason instanceof Error ? signal.reason : undefined);
    signal?.addEventListener("abort", this.#stop, { once: true });
  }

  protected override async chunk(): Promise<Uint8Array | undefined> {
    const { signal, onWait } = this.#options;
    signal?.throwIfAborted();
    const timer = this.#isSilent ? setTimeout(() => onWait?.(this.path), SILENCE) : undefined;
    try {
      const chunk = await super.chunk();
      signal?.throwIfAborted();
      return chunk;
    } catch (error) {
      signal?.throwIfAborted();
      throw fileError(this.path, error);
    } finally {
      clearTimeout(timer);
      this.#isSilent = false;
    }
  }

  override async close(): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#stop);
    this.#socket.destroy();
  }
}

/** Whether anything is at a path. */
export async function fileExists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Whether a folder is at a path. @throws InputError where nothing is. */
export async function isFolderAt(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw fileError(path, error);
  }
}

/** The size of a regular file, undefined for others, such as a named pipe. */
export async function fileSize(path: string, place = path): Promise<number | undefined> {
  try {
    const stats = await stat(place);
    if (stats.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    throw fileError(path, error);
  }
}

/** A named pipe, open for reading; undefined where the system or the host has no way to wait for one. */
function openPipe(place: string): Socket | undefined {
  if (process.platform !== "linux" || "Deno" in globalThis) return undefined;
  const { closeSync, constants, openSync } = needed("node:fs");
  const { Socket } = needed("node:net");
  const fd = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A named pipe, once somebody writes to it. */
async function openSilentPipe(path: string, place: string, { onWait }: OpenOptions): Promise<FileHandle> {
  const timer = setTimeout(() => onWait?.(path), SILENCE);
  try {
    return await open(place, "r");
  } finally {
    clearTimeout(timer);
  }
}

async function opened(path: string, options: OpenOptions): Promise<Source> {
  const { place = path, quotes = true } = options;
  try {
    if (!(await stat(place)).isFIFO()) return new FileSource(path, quotes, await open(place, "r"));
    const socket = openPipe(place);
    if (socket !== undefined) return new PipeSource(path, quotes, socket, options);
    return new FileSource(path, quotes, await openSilentPipe(path, place, options));
  } catch (error) {
    throw fileError(path, error);
  }
}

/** A file by its path, regular or not. */
export async function openFile(path: string, options: OpenOptions = {}): Promise<Source> {
  return unpacked(await opened(path, options));
}
