// Lengths as files: from the columns that a run has collected on the disk, some thousand samples at a time.
import { closeSync, openSync, readSync } from "node:fs";
import { OptionError } from "../../core/errors.ts";
import type { Format, Pieces } from "../../write/format.ts";
import { COLUMNS, type Column } from "../columns.ts";

/** What a format may write of. */
export interface Lengths {
  /** The file of all columns: float64, little-endian, sample after sample. */
  readonly path: string;
  /** How many samples are written, from the first on. */
  readonly first: number;
  readonly samples: number;
  readonly columns: readonly Column[];
  /** A line in front of JSON Lines that says what the columns are, or undefined for none. */
  readonly header: Readonly<Record<string, unknown>> | undefined;
}

/** Samples of a piece. */
const PIECE = 8192;

/** Pieces of the samples: values of all columns, and how many samples they are. */
function* parts({ path, first, samples }: Lengths): Generator<readonly [Float64Array, number]> {
  const width = COLUMNS.length;
  const file = openSync(path, "r");
  try {
    for (let at = 0; at < samples; at += PIECE) {
      const count = Math.min(PIECE, samples - at);
      const bytes = Buffer.alloc(count * width * 8);
      let have = 0;
      while (have < bytes.length) {
        const more = readSync(file, bytes, have, bytes.length - have, (first + at) * width * 8 + have);
        if (more === 0) throw new Error("the collected columns are too short");
        have += more;
      }
      const values = new Float64Array(count * width);
      for (let i = 0; i < values.length; i++) values[i] = bytes.readDoubleLE(i * 8);
      yield [values, count];
    }
  } finally {
    closeSync(file);
  }
}

const places = (columns: readonly Column[]) => columns.map((column) => COLUMNS.indexOf(column));

function* lines(lengths: Lengths, between: string): Generator<string> {
  const { columns } = lengths;
  const at = places(columns);
  const width = COLUMNS.length;
  let isFirst = true;
  for (const [values, count] of parts(lengths)) {
    let text = "";
    for (let i = 0; i < count; i++) {
      text += `${isFirst ? "" : between}{`;
      isFirst = false;
      for (let c = 0; c < at.length; c++) text += `${c > 0 ? "," : ""}"${columns[c]}":${values[i * width + at[c]]}`;
      text += "}";
    }
    yield text;
  }
}

const encoder = new TextEncoder();

function* jsonl(lengths: Lengths): Pieces {
  if (lengths.header !== undefined) yield encoder.encode(`${JSON.stringify({ lengths: lengths.header })}\n`);
  for (const text of lines(lengths, "\n")) yield encoder.encode(text);
  if (lengths.samples > 0) yield encoder.encode("\n");
}

function* json(lengths: Lengths): Pieces {
  yield encoder.encode("[\n");
  for (const text of lines(lengths, ",\n")) yield encoder.encode(text);
  yield encoder.encode("\n]\n");
}

function* npy(lengths: Lengths): Pieces {
  const { samples, columns } = lengths;
  const at = places(columns);
  const text = `{'descr': '<i8', 'fortran_order': False, 'shape': (${samples}, ${columns.length}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10 + length, 0x20);
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8]);
  head.write(text, 10, "latin1");
  head[head.length - 1] = 10;
  yield head;
  for (const [values, count] of parts(lengths)) {
    const piece = new DataView(new ArrayBuffer(count * at.length * 8));
    let to = 0;
    for (let i = 0; i < count; i++) {
      for (const column of at) {
        const value = values[i * COLUMNS.length + column];
        // Whole numbers up to 2^53 in two halves: a BigInt for each took three times as long.
        piece.setUint32(to, value >>> 0, true);
        piece.setInt32(to + 4, Math.floor(value / 2 ** 32), true);
        to += 8;
      }
    }
    yield new Uint8Array(piece.buffer);
  }
}

/** The library that writes Parquet, loaded before it is needed, as formats are written without waiting. */
let parquetLibrary: typeof import("hyparquet-writer") | undefined;

async function loadParquet(): Promise<void> {
  try {
    parquetLibrary = await import("hyparquet-writer");
  } catch (error) {
    throw new OptionError("INVALID_OPTION", "writing Parquet takes hyparquet-writer: npm install hyparquet-writer", {
      cause: error,
    });
  }
}

function* parquet(lengths: Lengths): Pieces {
  if (parquetLibrary === undefined) throw new Error("the library is not loaded");
  const { columns } = lengths;
  const { ByteWriter, ParquetWriter } = parquetLibrary;
  const writer = new ByteWriter();
  const schema = [
    { name: "root", num_children: columns.length },
    ...columns.map((name) => ({ name, type: "INT64" as const, repetition_type: "REQUIRED" as const })),
  ];
  const file = new ParquetWriter({ writer, schema, createdBy: "omnibal" });
  const drain = () => {
    const bytes = writer.getBytes().slice();
    // The library's own file writer empties it the same way.
    (writer as { index: number }).index = 0;
    return bytes;
  };
  const at = places(columns);
  let held: bigint[][] = columns.map(() => []);
  const flush = () => {
    file.write({
      columnData: columns.map((name, c) => ({
        name,
        data: BigInt64Array.from(held[c]),
        type: "INT64" as const,
        nullable: false,
      })),
      rowGroupSize: PIECE * 16,
    });
    held = columns.map(() => []);
    return drain();
  };
  for (const [values, count] of parts(lengths)) {
    for (let i = 0; i < count; i++)
      for (const [c, column] of at.entries()) held[c].push(BigInt(values[i * COLUMNS.length + column]));
    if (held[0].length >= PIECE * 16) yield flush();
  }
  if (held[0].length > 0 || lengths.samples === 0) yield flush();
  file.finish();
  yield drain();
}

/** A format, and what it needs before. */
export type LengthFormat = Format<Lengths> & { readonly prepare?: () => Promise<void> };

/** What lengths can be written as. */
export const lengthFormats: readonly LengthFormat[] = [
  { name: "jsonl", about: "JSON Lines, a record for each sample", file: jsonl },
  { name: "json", about: "a list of records, as the published code has it", file: json },
  { name: "npy", about: "int64 of shape (samples, columns)", file: npy },
  { name: "parquet", about: "Parquet, a column of int64 each", file: parquet, prepare: loadParquet },
];
