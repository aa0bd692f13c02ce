import { type NamesOf, OWN, type Spec } from "../core/options.ts";
import { COLUMNS, type Column } from "./columns.ts";
import { type LoadModelOptions, MODEL_OPTIONS } from "./model-options.ts";
import { lengthFormats } from "./run/formats.ts";

export interface MeasureOptions extends Omit<LoadModelOptions, "library" | "tokenizer"> {
  /** Folder of the tokenizer, for a model that is given by name or as a JSON file. */
  readonly tokenizer?: string;
  /** Folder that pictures are read below. Default: the folder of each file of records, or a meta file's root. */
  readonly images?: string;
  /** Threads beside this one; 0 measures on this one. Default: one for each core. */
  readonly workers?: number;
  /** Part i of n: the samples k with floor(k n / total) = i. */
  readonly part?: readonly [i: number, n: number];
  /** One of jsonl, json, npy, parquet. Default: by the ending of the output's name, else jsonl. */
  readonly format?: string;
  /** What is written, in this order. Default: all columns. */
  readonly columns?: readonly Column[];
  /** Puts a line in front of JSON Lines that says what the columns are. */
  readonly header?: boolean;
  /** Forgets what an unfinished run has left. */
  readonly restart?: boolean;
  /** Writes a meta file of InternVL here, with lengths for each of its sets. */
  readonly metaOut?: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: MeasureProgress) => void;
  /** Told in words what is done and found: the model, its parameters, how texts are counted. */
  readonly onNote?: (line: string) => void;
}

export interface MeasureProgress {
  readonly stage: "counting" | "measuring" | "writing";
  readonly samples: number;
  /** Samples at the beginning of this run: those that an earlier one has done. */
  readonly before: number;
  /** Share of the input that is done, 0 to 1; undefined where that is not known. */
  readonly share: number | undefined;
}

const { library: _library, ...MODEL } = MODEL_OPTIONS;

export const MEASURE_OPTIONS = {
  images: {
    kind: "text",
    argument: "ROOT",
    about: "pictures are read below ROOT and nowhere else",
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
    about: "what is written of each sample",
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
    about: "threads; 0: no other than the main one",
    usual: "one for each core",
  },
  restart: { kind: "flag", about: "starts anew, whatever an unfinished run has left" },
  stdin: OWN,
  signal: OWN,
  onProgress: OWN,
  onNote: OWN,
} as const satisfies NamesOf<MeasureOptions, Spec>;
