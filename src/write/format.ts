import type { Core } from "../core/core.ts";
import type { LoadColumn } from "../core/lengths.ts";
import type { Packing } from "../pack/packing.ts";

/** A packing to write, and the samples that it is of. */
export interface Written {
  /** The instance that makes the text; it is busy until the last piece is taken. */
  readonly core: Core;
  /** The packing to write. */
  readonly packing: Packing;
  /** Tokens of each sample; undefined where they are no load. */
  readonly tokens?: LoadColumn | undefined;
  /** The files that the samples are from, in order: the first holds samples 0 .. `samples` - 1, and so on. */
  readonly files: readonly {
    /** What messages call the file. */
    readonly path: string;
    /** How many samples it holds. */
    readonly samples: number;
  }[];
}

/** Bytes of one file, in pieces. */
export type Pieces = Iterable<Uint8Array>;

/** What every format says about itself. */
export interface FormatAbout {
  /** What `format` and `--format` call it. */
  readonly name: string;
  /** A line of the command line's help: what it writes. */
  readonly about: string;
}

/** A format that is one file, which may go to standard output as well. */
export interface FileFormat<T = Written> extends FormatAbout {
  /** Makes the file's bytes. */
  readonly file: (written: T) => Pieces;
}

/** A format that is a folder of files with fixed names. */
export interface FolderFormat<T = Written> extends FormatAbout {
  /** Makes the bytes of each file, by its name in the folder. */
  readonly folder: Readonly<Record<string, (written: T) => Pieces>>;
  /**
   * Files that are left out where they would say nothing, by what says whether they have something to say. One that a folder
   * has from before is written all the same: an old one must not stay.
   */
  readonly onlyIf?: Readonly<Record<string, (written: T) => boolean>>;
}

/** The files of a folder that are written, in their order. `isThere`: whether the folder has one already. */
export function filesToWrite<T>(
  { folder, onlyIf = {} }: FolderFormat<T>,
  written: T,
  isThere: (name: string) => boolean = () => false,
): (readonly [name: string, make: (written: T) => Pieces])[] {
  return Object.entries(folder).filter(([name]) => onlyIf[name]?.(written) !== false || isThere(name));
}

/** A way to write a `T`, which is a packing or a plan with what belongs to it. */
export type Format<T = Written> = FileFormat<T> | FolderFormat<T>;
