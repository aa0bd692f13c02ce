import { InputError, show } from "../core/errors.ts";

/**
 * What a sampler or `evaluate` needs of groups: a `Packing` has it, and so have single samples. int32[length] tiles and
 * tokens; float64[length] sums of tokens^2, 0 .. 2^62, where attention is to be measured.
 */
export interface GroupLoads {
  readonly length: number;
  readonly vit: Int32Array;
  readonly tokens: Int32Array;
  readonly attention?: Float64Array | undefined;
}

/** Groups of one data group, or of several with bounds of their own each. */
export type GroupLoadsInput = GroupLoads | readonly GroupLoads[];

/** One data group or several, as several. @throws InputError for loads of different lengths. */
export function toParts(input: GroupLoadsInput): readonly GroupLoads[] {
  const parts = Array.isArray(input) ? (input as readonly GroupLoads[]) : [input as GroupLoads];
  for (const [p, part] of parts.entries()) {
    if (!(part?.vit instanceof Int32Array && part.tokens instanceof Int32Array)) {
      throw new InputError(
        "INVALID_INPUT",
        `data group ${p}: ${show(part)}, expected a packing or { length, vit, tokens }`,
      );
    }
    if (part.attention !== undefined && !(part.attention instanceof Float64Array)) {
      throw new InputError(
        "INVALID_INPUT",
        `data group ${p}: attention is ${show(part.attention)}, expected a Float64Array`,
      );
    }
    for (const field of ["vit", "tokens", "attention"] as const) {
      const seen = part[field]?.length ?? part.length;
      if (seen === part.length) continue;
      throw new InputError(
        "LENGTH_MISMATCH",
        `data group ${p}: ${seen} values of ${field}, expected ${show(part.length)}`,
      );
    }
  }
  return parts;
}
