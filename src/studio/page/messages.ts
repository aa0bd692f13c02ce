// What passes between the page and its workers.
import type { Comparison } from "../../compare/index.ts";
import type { LoadColumn, PackingStats, PlanStats, SearchResult, SearchRow } from "../../index.ts";
import type { ByLoad, View } from "../view.ts";

/** A file that samples are from. */
export interface SourceFile {
  readonly path: string;
  readonly samples: number;
}

/** How groups are made. */
export type PackSettings = Pick<View, "max" | "min" | "method" | "effort" | "rounds" | "seed">;

/** How they are dealt out, and which steps are looked at. */
export type StepSettings = Pick<View, "ranks" | "microBatch" | "seed" | "aim" | "cost" | "step">;

/** The frame of the density: cells of one width over low .. high of both axes. */
export interface Frame {
  readonly x: string;
  readonly y: string;
  readonly low: readonly [x: number, y: number];
  readonly high: readonly [x: number, y: number];
  readonly cells: readonly [x: number, y: number];
}

export type Request =
  | { readonly kind: "open"; readonly module: ArrayBuffer }
  | { readonly kind: "read"; readonly id: number; readonly files: readonly File[]; readonly loads: readonly string[] }
  | {
      readonly kind: "take";
      readonly id: number;
      readonly columns: Readonly<Record<string, LoadColumn>>;
      readonly files: readonly SourceFile[];
    }
  | { readonly kind: "density"; readonly id: number; readonly frame: Frame }
  | {
      readonly kind: "compute";
      readonly id: number;
      readonly pack: PackSettings;
      /** What else is wanted of the packing once it is there. */
      readonly steps?: StepSettings;
      readonly group?: number;
    }
  | {
      readonly kind: "search";
      readonly id: number;
      readonly ranks: number;
      readonly perGroup: number;
      readonly seed: number;
      readonly rounds: number;
    }
  | {
      readonly kind: "compare";
      readonly id: number;
      readonly ranks: number;
      readonly seed: number;
      readonly max: ByLoad;
      readonly cost: ByLoad;
    }
  | {
      readonly kind: "file";
      readonly id: number;
      readonly what: "packing" | "plan" | "trace";
      readonly format: string;
      readonly pack: PackSettings;
      readonly steps: StepSettings;
    };

/** A load as the page knows it. */
export interface LoadAbout {
  readonly name: string;
  readonly most: number;
  readonly mean: number;
}

export interface Opened {
  readonly kind: "opened";
  readonly id: number;
  readonly samples: number;
  readonly files: readonly SourceFile[];
  readonly loads: readonly LoadAbout[];
  /** Bounds to begin with, where none are given. */
  readonly max: ByLoad;
  /** What is assumed of costs where none are given. */
  readonly cost: ByLoad;
}

export interface Density {
  readonly kind: "density";
  readonly id: number;
  readonly frame: Frame;
  /** uint32[sources][y][x]: samples in each cell, of the first sources; those of all others are in the last. */
  readonly counts: readonly Uint32Array[];
}

/** One point of the curve that shows how a packing came about. */
export interface CurvePoint {
  /** The round, of ISF; else the share of the work, in percent. */
  readonly at: number;
  readonly groups: number;
  /** ISF: samples whose group was not full enough. */
  readonly loose?: number;
}

export interface Packed {
  readonly kind: "packed";
  readonly id: number;
  readonly settings: PackSettings;
  /** Samples that were packed, where these are a part of all. */
  readonly part?: number;
  readonly ms: number;
  readonly stats: PackingStats;
  /** Groups by how full they are of each bounded load: 50 bins of 2 %. */
  readonly fill: Readonly<Record<string, Uint32Array>>;
  /** Groups of 1, 2, 3, ... samples; the last bin is of those of more. */
  readonly perGroup: Uint32Array;
  readonly curve: readonly CurvePoint[];
}

export interface Steps {
  readonly kind: "steps";
  readonly id: number;
  readonly settings: StepSettings;
  /** Steps of the epoch. */
  readonly count: number;
  /** The first one that is shown. */
  readonly from: number;
  /** The loads that cost time, in the order of `parts`. */
  readonly costs: readonly string[];
  /** float64[steps shown][ranks][costs]: predicted time. */
  readonly parts: Float64Array;
  /** Predicted time of the epoch: the slowest rank of each step, added up. */
  readonly time: number;
  /** Share of all ranks' time spent waiting. */
  readonly idle: number;
  readonly plan: PlanStats;
  /** The published samplers over the same groups. */
  readonly published: Readonly<Record<string, PlanStats>>;
}

export interface SampleRow {
  readonly index: number;
  readonly file: string;
  /** Its index in that file. */
  readonly at: number;
  readonly loads: ByLoad;
}

export interface Glass {
  readonly kind: "glass";
  readonly id: number;
  readonly group: number;
  readonly groups: number;
  readonly samples: readonly SampleRow[];
  /** Samples of the group; `samples` lists the first ones. */
  readonly count: number;
  readonly sums: ByLoad;
  readonly max: ByLoad;
  /** Samples outside the group that would fit into the room left. */
  readonly fitting: number;
  /** The smallest value of each bounded load in any sample outside. */
  readonly least: ByLoad;
}

export interface Searched {
  readonly kind: "searched";
  readonly id: number;
  readonly winner: SearchRow | null;
  readonly pareto: readonly SearchRow[];
  readonly others: readonly SearchRow[];
  readonly why: SearchResult["why"];
}

export type Answer =
  | Opened
  | Density
  | Packed
  | Steps
  | Glass
  | Searched
  /** Bounds that the samples would fill better; none where these suit. */
  | { readonly kind: "advice"; readonly id: number; readonly advised: readonly ByLoad[] }
  | { readonly kind: "no-steps"; readonly id: number; readonly message: string }
  | { readonly kind: "compared"; readonly id: number; readonly comparison: Comparison }
  | { readonly kind: "file"; readonly id: number; readonly name: string; readonly bytes: ArrayBuffer }
  /** Share done, 0 .. 1, of what takes long. */
  | { readonly kind: "progress"; readonly id: number; readonly done: number; readonly what: string }
  /** Nothing more comes of this request: it is done, or a newer one has come. */
  | { readonly kind: "end"; readonly id: number }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
