// What is common to all that is opened: gzip is unpacked, and what no reader can read is refused.
import { InputError } from "../core/errors.ts";
import type { Watch } from "./columns.ts";
import { BEGINNING, foreignFormat } from "./foreign.ts";
import { builtin } from "./host.ts";
import { type Source, StreamSource } from "./peekable.ts";

/** How a file is opened. */
export interface OpenOptions {
  /** Ends the wait for a named pipe. */
  readonly signal?: AbortSignal | undefined;
  /** See `ReadOptions.onWait`. */
  readonly onWait?: ((path: string) => void) | undefined;
  /** Where the file is, if messages call it otherwise. */
  readonly place?: string;
  /** See `Source.quotes`. Default: true. */
  readonly quotes?: boolean;
}

/** Loaded for gzip files only. */
async function gunzipped(source: Source): Promise<Source> {
  const zlib = builtin("node:zlib");
  const Readable = builtin("node:stream")?.Readable;
  if (zlib === undefined || Readable === undefined) return new (await import("./gunzip.ts")).Gunzip(source);
  return new (await import("./zlib.ts")).Zlib(source, { zlib, Readable });
}

/** Unpacks what is gzip, and refuses what no reader here can read. */
export async function unpacked(source: Source): Promise<Source> {
  let plain = source;
  try {
    const [first, second] = await source.peek(2);
    if (first === 0x1f && second === 0x8b) plain = await gunzipped(source);
    const foreign = foreignFormat(await plain.peek(BEGINNING));
    if (foreign === undefined) return plain;
    throw new InputError("INVALID_FILE", `${source.path}: is ${foreign}`);
  } catch (error) {
    await plain.close();
    throw error;
  }
}

/** A stream of bytes, such as the standard input. */
export function openStream(stream: AsyncIterable<Uint8Array>, path = "stdin"): Promise<Source> {
  return unpacked(new StreamSource(path, true, stream));
}

/** The options to open a file with that is read under this watch. */
export function underWatch({ signal, onWait }: Watch): OpenOptions {
  return { signal, onWait };
}
