import type { Core } from "../core/core.ts";
import type { Lengths } from "../core/lengths.ts";
import { type NamesOf, type Spec, take } from "../core/options.ts";
import { Counted } from "./counted.ts";
import type { Method } from "./method.ts";
import { type CommonPackOptions, type PackProgress, resolveCommon } from "./options.ts";
import type { Packing } from "./packing.ts";

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
  const { loads, seed, lowerBound } = resolveCommon(options, "tight");
  const effort = take(BALANCED_OPTIONS, "effort", options);
  const { abi } = core;
  const counted = new Counted(core, samples, loads);
  const packer = abi.packerBegin(counted.handle, seed, effort);
  if (packer === 0) counted.check(abi.packerStatus());
  let done = 0;
  for (let left = 1000; left > 0; ) {
    options.signal?.throwIfAborted();
    left = abi.packerStep(packer);
    if (left < 0) counted.check(-left);
    done = Math.max(done, 1 - left / 1000);
    const progress = { done, samples: counted.count, groups: abi.packerGroups(packer) };
    options.onProgress?.(progress);
    yield progress;
  }
  const groups = abi.packerGroups(packer);
  const found = { order: abi.packerOrder(packer), offsets: abi.packerOffsets(packer), groups };
  const bound = counted.least(lowerBound, groups);
  return counted.take(found, { method: "balanced", bound, settings: { seed, effort } });
}

export const balancedMethod = {
  name: "balanced",
  about: "Method balanced makes fewer groups, near the lower bound, in some more time",
  options: BALANCED_OPTIONS,
  run: balanced,
} as const satisfies Method;
