// A placeholder for the streaming readers, which are written beside this: JSON lists alone, read whole.
import { readFileSync } from "node:fs";
import { InputError } from "../errors.ts";
import { type SampleRecord, toLengths } from "../lengths.ts";

export interface ReadOptions {
  readonly vitField?: string;
  readonly tokenField?: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly onProgress?: (bytesRead: number, totalBytes: number | undefined) => void;
  readonly signal?: AbortSignal;
}

export interface LengthsFile {
  readonly path: string;
  readonly name?: string;
  readonly samples: number;
}

export async function readLengths(
  paths: readonly string[],
  options: ReadOptions = {},
): Promise<{ vit: Int32Array; tokens: Int32Array; files: LengthsFile[] }> {
  const records: SampleRecord[] = [];
  const files: LengthsFile[] = [];
  for (const path of paths) {
    const chunks: Uint8Array[] = [];
    if (path === "-") for await (const chunk of options.stdin ?? process.stdin) chunks.push(chunk);
    else {
      try {
        chunks.push(readFileSync(path));
      } catch (error) {
        throw new InputError("INVALID_INPUT", `${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
      }
    }
    const bytes = Buffer.concat(chunks);
    options.onProgress?.(bytes.length, path === "-" ? undefined : bytes.length);
    let list: Record<string, number>[];
    try {
      list = JSON.parse(bytes.toString());
    } catch {
      throw new InputError("INVALID_INPUT", `${path}: not JSON`);
    }
    for (const r of list) {
      records.push({
        vit_num: r[options.vitField ?? "vit_num"],
        token_num: r[options.tokenField ?? "token_num"],
      });
    }
    files.push({ path, samples: list.length });
  }
  return { ...toLengths(records), files };
}
