// Parquet by hyparquet, which is loaded only where a file is one.
import { InputError, OptionError } from "../../core/errors.ts";
import type { Counted, RecordFile } from "./batch.ts";

/** Columns that may hold a part of a sample; others, embeddings and such, are not read. */
const COLUMNS = new Set(
  "messages conversations conversation texts image images video videos width height fps num_frames text txt caption question query instruction prompt answer response output tools _text_tokens mm_inputs_meta".split(
    " ",
  ),
);

/** Rows of a batch, and bytes of it before compression. A batch is a part of a row group, which is decoded for it. */
const MOST_ROWS = 8192;
const MOST_BYTES = 1 << 26;

async function library() {
  try {
    const [parquet, codecs] = await Promise.all([import("hyparquet"), import("hyparquet-compressors")]);
    return { ...parquet, ...codecs };
  } catch (error) {
    throw new OptionError(
      "INVALID_OPTION",
      "reading Parquet takes hyparquet and hyparquet-compressors: npm install hyparquet hyparquet-compressors",
      { cause: error },
    );
  }
}

/** Reads rows of a Parquet file as records. */
export class ParquetRows {
  readonly #path: string;
  #open: ReturnType<ParquetRows["open"]> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  private async open() {
    const hyparquet = await library();
    try {
      const file = await hyparquet.asyncBufferFromFile(this.#path);
      const metadata = await hyparquet.parquetMetadataAsync(file);
      const names = hyparquet.parquetSchema(metadata).children.map(({ element }) => element.name);
      return { hyparquet, file, metadata, columns: names.filter((name) => COLUMNS.has(name)), names };
    } catch (error) {
      throw new InputError(
        "INVALID_FILE",
        `${this.#path}: not a Parquet file that can be read (${(error as Error).message})`,
        { cause: error },
      );
    }
  }

  #opened() {
    this.#open ??= this.open();
    return this.#open;
  }

  async count(): Promise<number> {
    return Number((await this.#opened()).metadata.num_rows);
  }

  /** Ends of the row groups, and how many rows of each make a batch. */
  async groups(): Promise<{ readonly end: number; readonly rows: number }[]> {
    const { metadata } = await this.#opened();
    let end = 0;
    return metadata.row_groups.map(({ num_rows, total_byte_size }) => {
      end += Number(num_rows);
      const bytes = Number(total_byte_size) / Math.max(Number(num_rows), 1);
      return { end, rows: Math.min(Math.max(Math.floor(MOST_BYTES / Math.max(bytes, 1)), 64), MOST_ROWS) };
    });
  }

  async read(from: number, to: number): Promise<readonly unknown[]> {
    const { hyparquet, file, metadata, columns, names } = await this.#opened();
    if (columns.length === 0) {
      throw new InputError(
        "MISSING_FIELD",
        `${this.#path}: no column of a sample, such as messages; it has ${names.slice(0, 12).join(", ")}`,
      );
    }
    try {
      return await hyparquet.parquetReadObjects({
        file,
        metadata,
        columns,
        rowStart: from,
        rowEnd: to,
        useOffsetIndex: true,
        compressors: hyparquet.compressors,
        // Bytes of pictures stay bytes.
        utf8: false,
      });
    } catch (error) {
      throw new InputError(
        "INVALID_FILE",
        `${this.#path}: rows ${from} to ${to} cannot be read (${(error as Error).message})`,
        { cause: error },
      );
    }
  }
}

export class ParquetFile implements RecordFile {
  readonly path: string;
  readonly size: number | undefined;
  readonly #rows: ParquetRows;

  constructor(path: string, size: number | undefined) {
    this.path = path;
    this.size = size;
    this.#rows = new ParquetRows(path);
  }

  async *batches(from: number, to: number): AsyncGenerator<Counted> {
    const total = await this.#rows.count();
    const last = Math.min(to, total);
    const perRow = (this.size ?? 0) / Math.max(total, 1);
    const groups = await this.#rows.groups();
    let group = 0;
    for (let at = from; at < last; ) {
      while (groups[group].end <= at) group++;
      const end = Math.min(at + groups[group].rows, groups[group].end, last);
      yield {
        batch: { kind: "parquet", path: this.path, from: at, to: end },
        records: end - at,
        problems: [],
        bytes: Math.round(perRow * (end - at)),
      };
      at = end;
    }
  }

  count(): Promise<number> {
    return this.#rows.count();
  }
}
