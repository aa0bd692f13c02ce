// Groups for the tests of samplers and balance: the packing the vectors are about, single samples, made-up groups.
import { readFileSync } from "node:fs";
import type { Omnibal, Packing, RankSampler, SamplerKind, VitTokenGroups } from "../src/index.ts";
import { samples } from "./samples.ts";

export interface SamplerVector {
  sampler: string;
  total_samples: number | number[];
  consumed_samples: number;
  micro_batch_size: number;
  dp: number;
  extra: { seed?: number; bin_size?: number };
  batches_per_rank?: number[];
  yielded?: number;
  distinct?: number;
  sha256?: string;
  error?: string;
}

export interface SpVector {
  packs: string;
  sp_num: number;
  packs_after_padding: number;
  sp_groups?: number;
  sha256?: string;
  lengths_sha256?: string;
  ave_sp_vit_dist_ratio?: number;
  ave_sp_llm_dist_ratio?: number;
  ave_sp_llm_pad_ratio?: number;
  result?: number[][][];
}

export interface BalanceVector {
  packs: string;
  sp_num: number;
  sampler: string;
  dp: number;
  micro_bs: number;
  pad_ratio: number;
  vit_dist_ratio: number;
  llm_dist_ratio: number;
}

export const vectors = JSON.parse(readFileSync(new URL("vectors/balance.json", import.meta.url), "utf8")) as {
  packs: Record<string, { isf_sha256: string; lengths_sha256: string }>;
  samplers: SamplerVector[];
  sp_groups: SpVector[];
  pad_dist: BalanceVector[];
};

/** tiled:1000 at 9 / 4096 / 3968 in 10 rounds: 248 groups. */
export function vectorPacking(omnibal: Omnibal): Packing {
  return omnibal.pack(samples("tiled:1000"), { maxVit: 9, maxTokens: 4096, rounds: 10 });
}

/** The vectors' names of samplers. */
export function kindOf(name: string): SamplerKind {
  return name.replace("_", "-") as SamplerKind;
}

/** One group per sample. */
export function unpacked(name: string): VitTokenGroups {
  const { vit, tokens } = samples(name);
  return { length: vit.length, vit, tokens, attention: Float64Array.from(tokens, (t) => t * t) };
}

/** Groups `from` .. `to` of a packing as a source of their own. */
export function slice(loads: VitTokenGroups, from: number, to: number): VitTokenGroups {
  return { length: to - from, vit: loads.vit.slice(from, to), tokens: loads.tokens.slice(from, to) };
}

/** The rest of a rank's epoch. */
export function batches(sampler: RankSampler): number[][] {
  return Array.from(sampler, (batch) => Array.from(batch));
}
