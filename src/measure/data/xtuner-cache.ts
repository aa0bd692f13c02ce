// XTuner's cache of lengths: num_tokens.npy, one whole number for a sample. It tells nothing of pictures.
import { open } from "node:fs/promises";
import { InputError, show } from "../../core/errors.ts";
import { fileError } from "../../read/source.ts";
import { BATCH_RECORDS, type Counted, type RecordFile } from "./batch.ts";

export class XtunerCache implements RecordFile {
  readonly path: string;
  readonly size: number | undefined;

  constructor(path: string, size: number | undefined) {
    this.path = path;
    this.size = size;
  }

  async #open() {
    try {
      const file = await open(this.path, "r");
      const head = Buffer.alloc(4096);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      const wide = head[6] >= 2;
      const start = wide ? 12 : 10;
      const length = wide ? head.readUInt32LE(8) : head.readUInt16LE(8);
      const text = head.toString("latin1", start, start + length);
      const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
      const shape = /'shape':\s*\((\d+),\)/.exec(text)?.[1];
      if (head.toString("latin1", 0, 6) !== "\x93NUMPY" || start + length > bytesRead || shape === undefined) {
        await file.close();
        throw new InputError("INVALID_FILE", `${this.path}: not an .npy file of one column`);
      }
      if (descr !== "<i8" && descr !== "<i4") {
        await file.close();
        throw new InputError("INVALID_FILE", `${this.path}: descr is ${show(descr)}, expected '<i8' or '<i4'`);
      }
      return { file, start: start + length, width: descr === "<i8" ? 8 : 4, count: Number(shape) };
    } catch (error) {
      throw error instanceof InputError ? error : fileError(this.path, error);
    }
  }

  async *batches(from: number, to: number): AsyncGenerator<Counted> {
    const { file, start, width, count } = await this.#open();
    try {
      for (let at = from; at < Math.min(to, count); at += BATCH_RECORDS) {
        const records = Math.min(BATCH_RECORDS, to - at, count - at);
        const bytes = Buffer.alloc(records * width);
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start + at * width);
        if (bytesRead < bytes.length)
          throw new InputError("INVALID_FILE", `${this.path}: the file ends before sample ${at + records}`);
        const values = Array.from({ length: records }, (_, i) =>
          width === 8 ? Number(bytes.readBigInt64LE(i * 8)) : bytes.readInt32LE(i * 4),
        );
        yield {
          batch: { kind: "objects", records: values.map((value) => ({ _text_tokens: value })) },
          records,
          problems: [],
          bytes: bytes.length,
        };
      }
    } finally {
      await file.close();
    }
  }

  async count(): Promise<number> {
    const { file, count } = await this.#open();
    await file.close();
    return count;
  }
}
