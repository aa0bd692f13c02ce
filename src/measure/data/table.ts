// Tables of sizes: a row for a sample with one picture, or one video, and tokens that were counted before.
import { pipeline } from "node:stream/promises";
import { CsvError, parse } from "csv-parse";
import { InputError, show } from "../../core/errors.ts";
import type { Source } from "../../read/source.ts";
import { BATCH_RECORDS, type Counted, type RecordFile } from "./batch.ts";

const NAMES = {
  height: ["height", "image_height", "h"],
  width: ["width", "image_width", "w"],
  frames: ["frames", "num_frames"],
  fps: ["fps"],
  tokens: ["text_tokens", "_text_tokens", "tokens", "token_num", "num_tokens"],
  text: ["text", "caption"],
} as const;

type Columns = { readonly [name in keyof typeof NAMES]: number };

/** A row as a record: sizes as NeMo Automodel has them, or a caption. */
function recordOf(row: readonly string[], at: Columns): unknown {
  const cell = (name: keyof Columns) => (at[name] < 0 ? "" : row[at[name]].trim());
  const number = (name: keyof Columns): number | string => {
    const text = cell(name);
    return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  };
  const hasPicture = cell("height") !== "" || cell("width") !== "";
  const size = [number("height"), number("width")];
  const isVideo = cell("frames") !== "";
  if (at.tokens < 0 && at.text >= 0) {
    const video = { num_frames: number("frames"), height: size[0], width: size[1], fps: number("fps") };
    return {
      text: row[at.text],
      ...(hasPicture && (isVideo ? { videos: [video] } : { images: [{ height: size[0], width: size[1] }] })),
    };
  }
  const meta = isVideo ? { videos_meta: [[number("frames"), ...size, number("fps")]] } : { images_meta: [size] };
  return { _text_tokens: at.tokens < 0 ? 0 : number("tokens"), mm_inputs_meta: hasPicture ? meta : {} };
}

export class TableFile implements RecordFile {
  readonly path: string;
  readonly size: number | undefined;
  readonly #open: () => Promise<Source>;

  constructor(path: string, size: number | undefined, open: () => Promise<Source>) {
    this.path = path;
    this.size = size;
    this.#open = open;
  }

  #columns(header: readonly string[]): Columns {
    const names = header.map((name) => name.trim().toLowerCase());
    const found = Object.fromEntries(
      Object.entries(NAMES).map(([name, all]) => [
        name,
        names.findIndex((own) => (all as readonly string[]).includes(own)),
      ]),
    ) as unknown as Columns;
    if (found.height < 0 || found.width < 0) {
      throw new InputError(
        "MISSING_FIELD",
        `${this.path}: line 1: height and width are missing, the header has ${names.slice(0, 12).map(show).join(", ")}`,
      );
    }
    return found;
  }

  async *batches(from: number, to: number): AsyncGenerator<Counted> {
    const source = await this.#open();
    let read = 0;
    async function* pieces() {
      for (;;) {
        const piece = new Uint8Array(1 << 16);
        const length = await source.read(piece);
        if (length === 0) return;
        read += length;
        yield piece.subarray(0, length);
      }
    }
    const head = new TextDecoder().decode(await source.peek(4096)).split(/\r|\n/, 1)[0];
    const delimiter = head.includes(",") ? "," : head.includes("\t") ? "\t" : head.includes(";") ? ";" : ",";
    const parser = parse({ bom: true, delimiter, skip_empty_lines: true, max_record_size: 1 << 26 });
    // Errors of the source arrive through the parser.
    pipeline(pieces, parser).catch(() => {});
    let columns: Columns | undefined;
    let number = 0;
    let records: unknown[] = [];
    const take = (): Counted => {
      const counted: Counted = {
        batch: { kind: "objects", records },
        records: records.length,
        problems: [],
        bytes: read,
      };
      records = [];
      read = 0;
      return counted;
    };
    try {
      for await (const row of parser as AsyncIterable<string[]>) {
        if (columns === undefined) {
          columns = this.#columns(row);
          continue;
        }
        if (number >= to) break;
        if (number++ >= from) records.push(recordOf(row, columns));
        if (records.length >= BATCH_RECORDS) yield take();
      }
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      const { lines, message } = error as CsvError & { lines?: number };
      throw new InputError("INVALID_FILE", `${this.path}: line ${lines ?? "?"}: ${message.split("\n", 1)[0]}`, {
        cause: error,
      });
    } finally {
      await source.close();
    }
    if (columns === undefined)
      throw new InputError("INVALID_FILE", `${this.path}: the file is empty, expected a header line`);
    if (records.length > 0) yield take();
  }

  async count(): Promise<number> {
    let count = 0;
    for await (const { records } of this.batches(0, Number.POSITIVE_INFINITY)) count += records;
    return count;
  }
}
