import { InputError, show } from "../core/errors.ts";
import type { LoadColumn } from "../core/lengths.ts";
import { ATTENTION, type ByLoad } from "../pack/packing.ts";

/** What samplers and `evaluate` need to know of groups. A `Packing` is one; single samples can be groups too. */
export interface GroupLoads {
  /** Groups there are. */
  readonly length: number;
  /** [length] each: the sum of every load inside each group, from 0 on, by the load's name. */
  readonly loads: ByLoad<LoadColumn>;
}

/** The same of the usual two loads, by their short names. */
export interface VitTokenGroups {
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
export type GroupLoadsInput = GroupLoads | VitTokenGroups | readonly (GroupLoads | VitTokenGroups)[];

/** A source in the form that planning takes. */
export type GroupPart = GroupLoads & VitTokenGroups;

/** A source by the names of its loads, if it is given by the short ones. */
function byName(part: GroupLoads | VitTokenGroups, p: number): GroupPart {
  if (typeof part === "object" && part !== null && "loads" in part) {
    const { length, loads } = part;
    // A packing is taken as it is, since it knows its samples as well.
    return "vit" in part ? (part as GroupPart) : ({ length, loads, ...shortNames(loads) } as GroupPart);
  }
  if (!(part?.vit instanceof Int32Array && part.tokens instanceof Int32Array)) {
    throw new InputError("INVALID_INPUT", `source ${p}: ${show(part)}, expected a packing or { length, vit, tokens }`);
  }
  const { vit, tokens, attention } = part;
  if (attention !== undefined && !(attention instanceof Float64Array)) {
    throw new InputError("INVALID_INPUT", `source ${p}: attention is ${show(attention)}, expected a Float64Array`);
  }
  return { ...part, loads: { vit, tokens, ...(attention === undefined ? {} : { [ATTENTION]: attention }) } };
}

function shortNames({ vit, tokens, [ATTENTION]: attention }: ByLoad<LoadColumn>) {
  return { vit, tokens, attention };
}

/** One source or several, as a list. @throws InputError for loads of different lengths. */
export function toParts(input: GroupLoadsInput): readonly GroupPart[] {
  const given = Array.isArray(input) ? input : [input as GroupLoads];
  const parts = given.map(byName);
  for (const [p, { length, loads }] of parts.entries()) {
    for (const [name, values] of Object.entries(loads)) {
      if (values.length === length) continue;
      const field = name === ATTENTION ? "attention" : name;
      throw new InputError(
        "LENGTH_MISMATCH",
        `source ${p}: ${values.length} values of ${field}, expected ${show(length)}`,
      );
    }
  }
  return parts;
}
