import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import type { Lengths } from "../core/lengths.ts";
import { integer } from "../core/options.ts";
import { takeLowerBound } from "./lower-bound.ts";
import { type BalancedOptions, type PackProgress, resolveCommon, seenIn } from "./options.ts";
import { type Packing, takePacking } from "./packing.ts";

/** The balanced packer, some milliseconds of work at a time. The core is the caller's to enter and leave. */
export function* balanced(
  core: Core,
  samples: Lengths,
  options: BalancedOptions,
): Generator<PackProgress, Packing, void> {
  const { maxVit, maxTokens, seed, lowerBound } = resolveCommon(options, "tight");
  const effort = integer("effort", options.effort ?? 1, 0, 3);
  const { abi } = core;
  const n = samples.vit.length;
  const seen = seenIn(samples);
  const vitAt = core.copyIn(samples.vit, n);
  const tokensAt = core.copyIn(samples.tokens, n);
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
  const bounds = { maxVit, maxTokens, minVit: maxVit, minTokens: maxTokens };
  return takePacking(core, samples, bounds, "balanced", 0, least, { seed, effort });
}
