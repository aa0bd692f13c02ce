import { InputError, show } from "../core/errors.ts";

/**
 * What a sampler or `evaluate` needs of groups: a `Packing` has it, and so have single samples. int32[length] tiles and
 * tokens; float64[length] sums of tokens^2, 0 .. 2^62, where attention is to be measured.
 */
export interface GroupLoads {
  /** Groups there are. */
  readonly length: number;
  /** int32[length]: tiles of each group, from 0 on. */
  readonly vit: Int32Array;
  /** int32[length]: tokens of each group, from 0 on. */
  readonly tokens: Int32Array;
  /** float64[length]: sums of tokens^2, 0 .. 2^62. */
  readonly attention?: Float64Array | undefined;
}

/** Groups of one source, or of several with bounds of their own each. */
export type GroupLoadsInput = GroupLoads | readonly GroupLoads[];

/** One source or several, as several. @throws InputError for loads of different lengths. */
export function toParts(input: GroupLoadsInput): readonly GroupLoads[] {
  const parts = Array.isArray(input) ? (input as readonly GroupLoads[]) : [input as GroupLoads];
  for (const [p, part] of parts.entries()) {
    if (!(part?.vit instanceof Int32Array && part.tokens instanceof Int32Array)) {
      throw new InputError(
        "INVALID_INPUT",
        `source ${p}: ${show(part)}, expected a packing or { length, vit, tokens }`,
      );
    }
    if (part.attention !== undefined && !(part.attention instanceof Float64Array)) {
      throw new InputError(
        "INVALID_INPUT",
        `source ${p}: attention is ${show(part.attention)}, expected a Float64Array`,
      );
    }
    for (const field of ["vit", "tokens", "attention"] as const) {
      const seen = part[field]?.length ?? part.length;
      if (seen === part.length) continue;
      throw new InputError("LENGTH_MISMATCH", `source ${p}: ${seen} values of ${field}, expected ${show(part.length)}`);
    }
  }
  return parts;
}
