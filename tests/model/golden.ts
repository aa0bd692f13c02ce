// The published facts that the model's partition is held against: from OMNIBAL_GOLDEN, or beside the checkout, or else the
// smaller set in the repository.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface GoldenOptimum {
  readonly value: number;
  readonly cuts: number[];
  readonly recompute: string;
  readonly optima: number;
}

export interface GoldenRank {
  readonly anchor: number[];
  readonly candidates: number;
  readonly best: [score: number, cuts: number[]][];
}

export interface GoldenPartition {
  readonly id: string;
  readonly family: string;
  readonly stages: number;
  readonly microbatches: number;
  readonly memory: number;
  readonly link: { readonly bandwidth: number; readonly latency: number };
  /** forward, backward, kept, recomputed, parameters, output */
  readonly layers: [number, number, number, number, number, number][];
  readonly note?: string;
  readonly expected: Record<"free" | "none" | "full" | "joint" | "step", GoldenOptimum | null> & {
    readonly paper1?: GoldenRank;
    readonly paper2?: GoldenRank;
  };
}

export interface GoldenSimulation {
  readonly id: string;
  readonly schedule: "gpipe" | "1f1b" | "interleaved";
  readonly stages: number;
  readonly chunks: number;
  readonly microbatches: number;
  readonly forward: number[][];
  readonly backward: number[][];
  readonly transfer: number[][];
  readonly activation: number[][];
  readonly expected: {
    readonly step: number;
    readonly busy: number[];
    readonly bubble: number;
    readonly inflight: number[];
    readonly activation: number[];
    readonly timeline: string;
  };
}

export interface Golden {
  readonly partition: GoldenPartition[];
  readonly simulate: GoldenSimulation[];
}

const own = fileURLToPath(new URL("../vectors", import.meta.url));
const beside = fileURLToPath(new URL("../../../shared/golden", import.meta.url));

export function readGolden(): Golden {
  const folder = process.env.OMNIBAL_GOLDEN || (existsSync(join(beside, "model.json")) ? beside : own);
  return JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
}
