import { type NamesOf, OWN, type Spec } from "../core/options.ts";
import { COLUMNS, type Column } from "./columns.ts";
import { type LoadModelOptions, MODEL_OPTIONS } from "./model-options.ts";
import { lengthFormats } from "./run/formats.ts";

/** What `measure` measures by, and how. */
export interface MeasureOptions extends Omit<LoadModelOptions, "library" | "tokenizer"> {
  /** Folder of the tokenizer, for a model that is given by its name or as a JSON file. */
  readonly tokenizer?: string;
  /** The folder below which pictures are read. Default: the folder of each file of records, or a meta file's root. */
  readonly images?: string;
  /**
   * Worker threads, 0 .. 512; 0 measures on the calling thread. The result does not depend on them. Default: one per
   * core.
   */
  readonly workers?: number;
  /** Measures part i of n alone, 0 <= i < n <= 1,000,000: the samples k with floor(k n / total) = i. */
  readonly part?: readonly [i: number, n: number];
  /** `jsonl`, `json`, `npy` or `parquet`. Default: by the ending of the output's name, else `jsonl`. */
  readonly format?: string;
  /** The columns to write, in this order. Default: all. */
  readonly columns?: readonly Column[];
  /** Whether JSON Lines begin with a line that says what the columns are. Default: false. */
  readonly header?: boolean;
  /** Whether to start over instead of resuming an unfinished run. Default: false. */
  readonly restart?: boolean;
  /** Where to write InternVL's meta file again, with a file of lengths for each of its sets. */
  readonly metaOut?: string;
  /** What is read for `"-"`. Default: `process.stdin`. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Stops the run; the next one resumes it. */
  readonly signal?: AbortSignal;
  /** Called several times a second. */
  readonly onProgress?: (progress: MeasureProgress) => void;
  /** Called with lines for people: the model, its parameters, how texts are counted. */
  readonly onNote?: (line: string) => void;
}

/** How far a run has come. */
export interface MeasureProgress {
  /** `counting` records, where parts or repetitions need their number; then `measuring`, then `writing`. */
  readonly stage: "counting" | "measuring" | "writing";
  /** Samples done. */
  readonly samples: number;
  /** How many of them an earlier, unfinished run had done. */
  readonly before: number;
  /** Share of the input that is done, 0 .. 1; undefined if it is not known. */
  readonly share: number | undefined;
}

const { library: _library, ...MODEL } = MODEL_OPTIONS;

export const MEASURE_OPTIONS = {
  images: {
    kind: "text",
    argument: "ROOT",
    about: "reads pictures below ROOT and nowhere else",
    usual: "the folder of each DATA file",
  },
  ...MODEL,
  format: {
    kind: "choice",
    names: lengthFormats.map(({ name }) => name),
    argument: "FORMAT",
    about: lengthFormats.map(({ name }) => name).join(", "),
    usual: "by OUT's ending",
  },
  columns: {
    kind: "own",
    argument: "LIST",
    about: "what to write for each sample",
    usual: COLUMNS.join(", "),
  },
  header: { kind: "flag", about: "begins JSON Lines with a line that says what the columns are" },
  metaOut: {
    kind: "text",
    argument: "FILE",
    about: "writes InternVL's meta file again, with token_lengths added",
  },
  part: { kind: "own", argument: "I/N", about: "measures part I of N, from 0; the parts join end to end" },
  workers: {
    kind: "integer",
    low: 0,
    high: 512,
    about: "worker threads; 0: none",
    usual: "one per core",
  },
  restart: { kind: "flag", about: "starts over, even if there is an unfinished run" },
  stdin: OWN,
  signal: OWN,
  onProgress: OWN,
  onNote: OWN,
} as const satisfies NamesOf<MeasureOptions, Spec>;
