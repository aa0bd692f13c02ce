import type { Core } from "../core/core.ts";
import type { Lengths } from "../core/lengths.ts";
import type { Specs } from "../core/options.ts";
import type { CommonPackOptions, PackProgress } from "./options.ts";
import type { Packing } from "./packing.ts";

/** A way to make groups. A new one is a file that exports one, and a line in methods.ts. */
export interface Method {
  /** What `method` and `--method` call it. */
  readonly name: string;
  /** The heading of its options in the command line's help: at most 79 columns. */
  readonly about: string;
  /** The options that it takes beside those of every method. */
  readonly options: Specs;
  /**
   * Packs, some milliseconds of work at a time; `samples` are checked for their kind, not for their range. The core is
   * the caller's to enter and leave, and what is allocated in it the caller's to free.
   */
  run(core: Core, samples: Lengths, options: CommonPackOptions): Generator<PackProgress, Packing, void>;
}
