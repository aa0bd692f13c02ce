import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { validLengths } from "../core/invalid.ts";
import { type LengthsInput, toLengths, USUAL, vitTokens } from "../core/lengths.ts";
import { take } from "../core/options.ts";
import { Counted } from "./counted.ts";
import type { LowerBound } from "./find-lower-bound.ts";
import { checkPackOptions } from "./option-names.ts";
import { BOUNDS, type CommonPackOptions, resolveLoads, seenIn } from "./options.ts";

/** What lower bounds depend on, beside the samples. */
export type LowerBoundOptions = Pick<CommonPackOptions, "max" | "align" | "maxVit" | "maxTokens">;

/**
 * Lower bounds on the number of groups of any packing of these samples, those beyond a bound left out. O(samples), 4 to
 * 64 bytes per sample and 1 MB.
 *
 * @throws InputError for lengths, OptionError for bounds, EngineError OUT_OF_MEMORY.
 */
export function lowerBound(core: Core, lengths: LengthsInput, options: LowerBoundOptions): LowerBound {
  checkPackOptions("lowerBound", options);
  const loads = resolveLoads(options);
  const samples = validLengths(toLengths(lengths, loads.names)).lengths;
  return core.exclusive(() => new Counted(core, samples, loads).lowerBound());
}

/** Bounds of a group on the usual two loads. */
export type Bounds = Required<Pick<CommonPackOptions, "maxVit" | "maxTokens">>;

/** The body of `Omnibal.suitableBounds`. */
export function suitableBounds(core: Core, lengths: LengthsInput, options: Bounds): Bounds[] {
  checkPackOptions("suitableBounds", options);
  const { lengths: valid } = validLengths(toLengths(lengths, USUAL));
  // Beyond 31 bits a load is no number of tiles or tokens that bounds would suit.
  if (Object.values(valid).some((values) => values instanceof Float64Array)) return [];
  const samples = vitTokens(valid);
  const maxVit = take(BOUNDS, "maxVit", options);
  const maxTokens = take(BOUNDS, "maxTokens", options);
  return core.exclusive(() => {
    const { abi } = core;
    const n = samples.vit.length;
    const vitAt = core.copyIn(samples.vit, n);
    const tokensAt = core.copyIn(samples.tokens, n);
    check(abi, abi.adviseBounds(vitAt, tokensAt, n, maxVit, maxTokens, 0), n, seenIn({ ...samples }));
    return Array.from({ length: abi.adviceCount() }, (_, k) => ({
      maxVit: abi.adviceVit(k),
      maxTokens: abi.adviceTokens(k),
    }));
  });
}
