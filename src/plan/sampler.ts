import type { Abi } from "../core/abi.ts";
import type { Specs } from "../core/options.ts";

/** Options of a sampler, defaults applied. Options of its own, if any, are there too. */
export interface ResolvedPlan {
  readonly kind: string;
  readonly ranks: number;
  readonly microBatch: number;
  readonly spSize: number;
  readonly seed: number;
  readonly tail: "repeat" | "drop";
  readonly binSize: number;
  readonly window: number;
  readonly compat: "reference" | undefined;
}

/** The sampler that was published under this name, with its faults. */
export interface PublishedSampler {
  /** Whether it has an order even if there are fewer units than a step takes. */
  readonly takesFewUnits: boolean;
  /** Whether it sorts only what a resumed run has left, so that its order begins at step `from`. */
  readonly resumes: boolean;
  /** Makes the core's plan of an epoch; returns a status. */
  draw(abi: Abi, plan: ResolvedPlan, epoch: number, from: number): number;
}

/** An order in which groups are handed to the ranks. A new one is a file that exports one, and a line in sampler-kinds.ts. */
export interface Sampler {
  /** What `kind` and `--sampler` call it. */
  readonly name: string;
  /** The default seed. */
  readonly seed: number;
  /** Options of its own, besides those of every sampler: numbers and choices. */
  readonly options: Specs;
  /**
   * Makes the core's plan of an epoch over the units that are begun; returns a status. `seed` is that of the epoch, as
   * an int32.
   */
  draw(abi: Abi, plan: ResolvedPlan, seed: number): number;
  readonly published?: PublishedSampler;
}
