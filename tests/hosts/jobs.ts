// The ten packings that every host makes, and the SHA-256 that each has to come to.
import { readFileSync } from "node:fs";
import { plainIsf } from "../../bench/plain-isf.ts";
import { samples, sha256 } from "../samples.ts";
import type { Job } from "./answer.ts";

function job(
  input: string,
  [maxVit, maxTokens]: number[],
  [minVit, minTokens]: number[],
  rounds: number,
  seed: number,
) {
  return { input, maxVit, maxTokens, minVit, minTokens, rounds, seed };
}

/** Those at the published code's settings for 200,000 samples: their hashes must come from its own output. */
export const golden: readonly Job[] = ["uniform:200000", "tiled:200000"].map((input) =>
  job(input, [9, 4096], [9, 3968], 50, 1024),
);

export const jobs: readonly Job[] = [
  ...golden,
  job("tiled:20000", [14, 6400], [14, 6272], 10, 7),
  job("tiled:1000", [5, 2048], [5, 1920], 10, 1),
  job("uniform:20000", [9, 4096], [9, 3968], 2, 4294967295),
  job("uniform:1", [9, 4096], [9, 3968], 1, 1024),
  // A seed that wraps between rounds, thresholds below the bounds, and bounds that need words of 64 bits.
  job("uniform:1000", [9, 4096], [9, 3968], 10, 4294967293),
  job("tiled:20000", [9, 4096], [8, 3600], 10, 1024),
  job("uniform:20000", [40_000, 2_000_000], [40_000, 1_900_000], 5, 3),
  job("uniform:0", [9, 4096], [9, 3968], 50, 1024),
];

interface Vector {
  input: string;
  seed: number;
  vit_thresh: number;
  vit_max: number;
  llm_thresh: number;
  llm_max: number;
  iter_time: number;
  sha256: string;
  lost_though_fitting: number;
}

const { isf } = JSON.parse(readFileSync(new URL("../vectors/isf.json", import.meta.url), "utf8")) as { isf: Vector[] };

/** The published code's hash for this job, where there is one. */
export function vectorFor(j: Job): string | undefined {
  return isf.find(
    (v) =>
      v.input === j.input &&
      v.seed === j.seed &&
      v.vit_max === j.maxVit &&
      v.vit_thresh === j.minVit &&
      v.llm_max === j.maxTokens &&
      v.llm_thresh === j.minTokens &&
      v.iter_time === j.rounds &&
      v.lost_though_fitting === 0,
  )?.sha256;
}

/** The published code's hash, or that of a plain ISF where there is none. */
export function expected(j: Job): string {
  return (
    vectorFor(j) ??
    sha256(
      plainIsf(samples(j.input), j)
        .map((group) => group.join(","))
        .join("\n"),
    )
  );
}
