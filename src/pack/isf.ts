import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import type { Lengths } from "../core/lengths.ts";
import { integer, MAX_INT32 } from "../core/options.ts";
import { findLowerBound } from "./lower-bound.ts";
import { type IsfOptions, type RoundInfo, resolveCommon, seenIn } from "./options.ts";
import { type Packing, takePacking } from "./packing.ts";

/** Samples per call into the core: a buffer that stays in the second-level cache. */
const PIECE = 16384;

/** Hands the lengths to `push` through a buffer in the core's memory, piece by piece. */
function feed(core: Core, { vit, tokens }: Lengths, push: (vit: number, tokens: number, count: number) => void): void {
  const vitAt = core.alloc(PIECE * 8, vit.length);
  const tokensAt = vitAt + PIECE * 4;
  const buffer = core.int32(vitAt, PIECE * 2);
  for (let from = 0; from < vit.length; from += PIECE) {
    const end = Math.min(from + PIECE, vit.length);
    buffer.set(vit.subarray(from, end));
    buffer.set(tokens.subarray(from, end), PIECE);
    push(vitAt, tokensAt, end - from);
  }
}

/** ISF (paper, Algorithm 1), a round at a time. The core is the caller's to enter and leave. */
export function* isf(core: Core, samples: Lengths, options: IsfOptions): Generator<RoundInfo, Packing, void> {
  const common = resolveCommon(options, "linear");
  const { maxVit, maxTokens, seed } = common;
  const minVit = integer("minVit", options.minVit ?? maxVit, 0, MAX_INT32);
  const minTokens = integer("minTokens", options.minTokens ?? Math.max(maxTokens - 128, 0), 0, MAX_INT32);
  const rounds = integer("rounds", options.rounds ?? 50, 1, MAX_INT32);
  const { abi } = core;
  const n = samples.vit.length;
  const seen = seenIn(samples);
  const tight = common.lowerBound === "tight" ? findLowerBound(core, samples, maxVit, maxTokens).best : undefined;
  check(abi, abi.isfBegin(n, maxVit, maxTokens, minVit, minTokens, seed), n, seen);
  feed(core, samples, (vitAt, tokensAt, count) => {
    check(abi, abi.isfPush(vitAt, tokensAt, count), n, seen);
  });
  let round = 0;
  let loose = n;
  while (round < rounds && loose > 0) {
    options.signal?.throwIfAborted();
    round++;
    loose = abi.isfRound(round === rounds ? 1 : 0);
    const done = loose === 0 ? 1 : round / rounds;
    const info = { done, round, rounds, samples: n, loose, groups: abi.isfGroups() };
    options.onRound?.(info);
    options.onProgress?.(info);
    yield info;
  }
  check(abi, abi.isfFinish(), n, seen);
  check(abi, abi.isfAttention(), n, seen);
  const bounds = { maxVit, maxTokens, minVit, minTokens };
  const settings = { seed, min: { vit: minVit, tokens: minTokens }, rounds };
  return takePacking(core, samples, bounds, "isf", round, tight ?? abi.packingBound(), settings);
}
