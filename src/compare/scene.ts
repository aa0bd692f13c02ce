// What every row of a comparison is given: the samples that fit the bounds, and what they cost.
import type { Core } from "../core/core.ts";
import type { Column, Columns, Cost, Priced } from "./cost.ts";

/** Samples, bounds, ranks and a cost. */
export interface Scene {
  /** An instance to pack and plan with. */
  readonly core: Core;
  /** Samples that fit the bounds; a row has all of them to place. */
  readonly samples: number;
  /** Their loads by name, a value each. */
  readonly columns: Columns;
  /** The most of each bounded load in a group. */
  readonly max: Readonly<Record<string, number>>;
  /** The load that sequences are padded and packed by if only one counts: tokens, if there is such a load. */
  readonly length: string;
  /** Data-parallel ranks. */
  readonly ranks: number;
  /** Samples of a fixed batch. */
  readonly batch: number;
  /** 0 .. 2^32 - 1. */
  readonly seed: number;
  /** What a load costs, as it was given. */
  readonly cost: Cost;
  /** The same by phases. @internal */
  readonly priced: Priced;
}

/** The column that sequences are padded and packed by. */
export function lengthColumn({ columns, length }: Scene): Column {
  return columns[length];
}
