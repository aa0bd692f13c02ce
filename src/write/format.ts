import type { Core } from "../core/core.ts";
import type { Packing } from "../pack/packing.ts";

/** What a format may write of. */
export interface Written {
  readonly core: Core;
  readonly packing: Packing;
  /** Tokens of each sample. */
  readonly tokens: Int32Array;
  /** Where the samples are from, in order: the first holds samples 0 .. samples - 1, and so on. */
  readonly files: readonly { readonly path: string; readonly samples: number }[];
}

/** Bytes of one file, in pieces. */
export type Pieces = Iterable<Uint8Array>;

/** One file, which may go to standard output too, or a folder of files of fixed names; from `T`, a packing or a plan. */
export type Format<T = Written> =
  | { readonly name: string; readonly about: string; readonly file: (written: T) => Pieces }
  | {
      readonly name: string;
      readonly about: string;
      readonly folder: Readonly<Record<string, (written: T) => Pieces>>;
    };
