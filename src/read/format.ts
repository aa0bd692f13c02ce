import type { Core } from "../core/core.ts";
import type { Columns, Wanted, Watch } from "./columns.ts";
import type { Source } from "./peekable.ts";

/** Adds what a source holds to `out`; returns how many samples that is. */
export type ReadInto = (source: Source, out: Columns, watch: Watch) => Promise<number>;

/** A format that lengths are read from. A new one is a file that exports one, and a line in formats.ts. */
export interface LengthsFormat {
  readonly name: string;
  /** File names that mean this format and no other, including gzipped ones: *.gz. */
  readonly files: RegExp;
  /** A file of this name may be a list of other files instead. */
  readonly mayBeMeta: boolean;
  /**
   * Whether a file whose name says nothing may have this format, by its first byte that is neither white space nor part
   * of a byte order mark; undefined for an empty file. Formats are asked in order.
   */
  begins(first: number | undefined): boolean;
  /** Called once at most for all files of a call. `core`: the instance to read with; without it one of its own. */
  reader(wanted: Wanted, core?: Core): Promise<ReadInto>;
}
