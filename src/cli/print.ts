import { toStream } from "../write/stream.ts";

/** Prints on standard output, and is quiet when its reader has left. */
export function print(text: string): Promise<void> {
  return toStream(process.stdout, [new TextEncoder().encode(text)]);
}
