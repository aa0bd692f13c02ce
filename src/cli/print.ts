import { toStream } from "../write/stream.ts";

/** Prints on standard output; not an error if its reader has gone. */
export function print(text: string): Promise<void> {
  return toStream(process.stdout, [new TextEncoder().encode(text)]);
}
