/** Records that belong together on their way to a worker. */
export type Batch =
  /** Records of JSON, back to back; `ends` is where each ends. */
  | { readonly kind: "json"; readonly bytes: Uint8Array<ArrayBuffer>; readonly ends: Uint32Array<ArrayBuffer> }
  /** Records as they are. */
  | { readonly kind: "objects"; readonly records: readonly unknown[] }
  /** Rows of a Parquet file, which the worker reads itself. */
  | { readonly kind: "parquet"; readonly path: string; readonly from: number; readonly to: number };

/** A batch, and what is known of it without looking into it. */
export interface Counted {
  readonly batch: Batch;
  readonly records: number;
  /** Records that are bad as they stand, by their place in the batch. */
  readonly problems: readonly (readonly [place: number, why: string])[];
  /** Bytes of the input that were read for it. */
  readonly bytes: number;
}

/** A file of records. */
export interface RecordFile {
  readonly path: string;
  /** Bytes, or undefined where that is not known. */
  readonly size: number | undefined;
  /** Records from number `from` on, up to number `to`. */
  batches(from: number, to: number): AsyncIterable<Counted>;
  /** How many records there are. */
  count(): Promise<number>;
}

/** Records and bytes of a batch at most: some milliseconds of work. */
export const BATCH_RECORDS = 512;
export const BATCH_BYTES = 1 << 19;

/** A longer record is a file in which quotes or line breaks are missing, or one that was made to fill the memory. */
export const LONGEST_RECORD = 1 << 26;
