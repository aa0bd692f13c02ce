import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { type Lengths, vitTokens } from "../core/lengths.ts";
import { type NamesOf, type Spec, take } from "../core/options.ts";
import { takeLowerBound } from "./find-lower-bound.ts";
import type { Method } from "./method.ts";
import { type CommonPackOptions, type PackProgress, resolveCommon, seenIn } from "./options.ts";
import { type Packing, packingBounds, takePacking } from "./packing.ts";

/** Options of the method that comes close to the lower bound. */
export interface BalancedOptions extends CommonPackOptions {
  /** The packer for close to the fewest groups. */
  readonly method: "balanced";
  /** 0 quick, 1 normal, 2 long, 3 very long: 2 may take 10 times as long as 1 to save a few groups. Default: 1. */
  readonly effort?: number;
}

export const BALANCED_OPTIONS = {
  effort: { kind: "integer", low: 0, high: 3, default: 1, about: "0 quick, 1 normal, 2 long, 3 very long" },
} as const satisfies NamesOf<Omit<BalancedOptions, keyof CommonPackOptions | "method">, Spec>;

/** The balanced packer, some milliseconds of work at a time. The core is the caller's to enter and leave. */
export function* balanced(
  core: Core,
  samples: Lengths,
  options: BalancedOptions,
): Generator<PackProgress, Packing, void> {
  const { maxVit, maxTokens, seed, lowerBound } = resolveCommon(options, "tight");
  const effort = take(BALANCED_OPTIONS, "effort", options);
  const { abi } = core;
  const n = samples.vit.length;
  const seen = seenIn(samples);
  const { vit, tokens } = vitTokens(samples);
  const vitAt = core.copyIn(vit, n);
  const tokensAt = core.copyIn(tokens, n);
  check(abi, abi.balancedBegin(vitAt, tokensAt, n, maxVit, maxTokens, seed, effort), n, seen);
  let done = 0;
  for (let left = 1000; left > 0; ) {
    options.signal?.throwIfAborted();
    left = abi.balancedStep();
    if (left < 0) check(abi, -left, n, seen);
    done = Math.max(done, 1 - left / 1000);
    const progress = { done, samples: n, groups: abi.balancedGroups() };
    options.onProgress?.(progress);
    yield progress;
  }
  if (lowerBound === "tight") check(abi, abi.lowerBound(vitAt, tokensAt, n, maxVit, maxTokens), n, seen);
  const least = lowerBound === "tight" ? takeLowerBound(core).best : abi.packingBound();
  const bounds = packingBounds({ vit: maxVit, tokens: maxTokens });
  return takePacking(core, samples, bounds, "balanced", 0, least, { seed, effort });
}

export const balancedMethod = {
  name: "balanced",
  about: "Method balanced makes fewer groups, near the lower bound, in some more time",
  options: BALANCED_OPTIONS,
  run: balanced,
} as const satisfies Method;
