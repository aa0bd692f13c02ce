import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { type Lengths, type LengthsInput, toLengths } from "../core/lengths.ts";
import { integer, MAX_INT32 } from "../core/options.ts";
import { checkPackOptions } from "./option-names.ts";
import { type CommonPackOptions, seenIn } from "./options.ts";

/** Lower bounds on the number of groups, each one by itself. */
export interface LowerBound {
  /** The larger of the sums of vit and of tokens over their bounds, rounded up. */
  readonly linear: number;
  /** What the multisets of vit values that fit a group allow (Gilmore and Gomory's linear programme). */
  readonly pattern: number;
  /** What samples above half of a bound allow, on the load where it is more (Martello and Toth's L2). */
  readonly half: number;
  /** The largest of them. */
  readonly best: number;
}

/**
 * Lower bounds on the number of groups of any packing of these samples, those beyond a bound left out. O(samples), 8
 * bytes per sample and 1 MB.
 *
 * @throws InputError for lengths, OptionError for bounds out of 1 .. 2^31 - 1, EngineError OUT_OF_MEMORY.
 */
export function lowerBound(
  core: Core,
  lengths: LengthsInput,
  options: Pick<CommonPackOptions, "maxVit" | "maxTokens">,
): LowerBound {
  checkPackOptions("lowerBound", options);
  const samples = toLengths(lengths);
  const maxVit = integer("maxVit", options.maxVit, 1, MAX_INT32);
  const maxTokens = integer("maxTokens", options.maxTokens, 1, MAX_INT32);
  return core.exclusive(() => findLowerBound(core, samples, maxVit, maxTokens));
}

/** `lowerBound` for whoever has the core to himself. */
export function findLowerBound(core: Core, samples: Lengths, maxVit: number, maxTokens: number): LowerBound {
  const { abi } = core;
  const n = samples.vit.length;
  const top = abi.mark();
  const vitAt = core.copyIn(samples.vit, n);
  const tokensAt = core.copyIn(samples.tokens, n);
  check(abi, abi.lowerBound(vitAt, tokensAt, n, maxVit, maxTokens), n, seenIn(samples));
  abi.release(top);
  return takeLowerBound(core);
}

/** What the core's last `lowerBound` found. */
export function takeLowerBound({ abi }: Core): LowerBound {
  const linear = abi.linearBound() >>> 0;
  const pattern = abi.patternBound() >>> 0;
  const half = abi.halfBound() >>> 0;
  return { linear, pattern, half, best: Math.max(linear, pattern, half) };
}

/** Bounds of a group on the usual two loads. */
export type Bounds = Pick<CommonPackOptions, "maxVit" | "maxTokens">;

/** The body of `Omnibal.suitableBounds`. */
export function suitableBounds(core: Core, lengths: LengthsInput, options: Bounds): Bounds[] {
  checkPackOptions("suitableBounds", options);
  const samples = toLengths(lengths);
  const maxVit = integer("maxVit", options.maxVit, 1, MAX_INT32);
  const maxTokens = integer("maxTokens", options.maxTokens, 1, MAX_INT32);
  return core.exclusive(() => {
    const { abi } = core;
    const n = samples.vit.length;
    const vitAt = core.copyIn(samples.vit, n);
    const tokensAt = core.copyIn(samples.tokens, n);
    check(abi, abi.adviseBounds(vitAt, tokensAt, n, maxVit, maxTokens, 0), n, seenIn(samples));
    return Array.from({ length: abi.adviceCount() }, (_, k) => ({
      maxVit: abi.adviceVit(k),
      maxTokens: abi.adviceTokens(k),
    }));
  });
}
