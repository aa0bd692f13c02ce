// What groups that come from elsewhere have of each load.
import { outOfMemory } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { EngineError } from "../core/errors.ts";
import { zeroInvalid } from "../core/invalid.ts";
import { alignTokens, type Lengths, type LoadColumn, loadColumn } from "../core/lengths.ts";
import { MAX_INT32 } from "../core/options.ts";
import { ATTENTION, type ByLoad } from "./packing.ts";

/** Statuses of the core. */
const OUT_OF_MEMORY = 1;
/** A sum is above 2^53 - 1: `errorIndex()` is the group. */
const SUM_TOO_LARGE = 19;

/** Groups of samples that are there and valid, whichever tool has made them. */
export interface SampleGroups {
  readonly offsets: Int32Array;
  readonly indices: Int32Array;
}

/** Puts a column into the core; returns where it is. */
function put(core: Core, column: LoadColumn): number {
  if (column instanceof Int32Array) return core.copyIn(column, column.length);
  const at = core.alloc(column.length * 8, column.length);
  core.float64(at, column.length).set(column);
  return at;
}

/** The sums of tokens^2 inside groups, to the nearest double. */
function squares(tokens: Float64Array, { offsets, indices }: SampleGroups): Float64Array {
  const sums = new Float64Array(offsets.length - 1);
  for (let g = 0; g < sums.length; g++) {
    for (let i = offsets[g]; i < offsets[g + 1]; i++) sums[g] += tokens[indices[i]] ** 2;
  }
  return sums;
}

/**
 * The sums of loads inside groups, and of tokens^2 where there are tokens. `align`: a sample's tokens count rounded up to a
 * multiple of it. `tooLarge` throws for a group whose sum is above 2^53 - 1. O(samples) for each load.
 *
 * @throws EngineError OUT_OF_MEMORY.
 */
export function groupLoads(
  core: Core,
  groups: SampleGroups,
  lengths: Lengths,
  names: readonly string[],
  align: number | undefined,
  tooLarge: (group: number, name: string) => never,
): ByLoad<LoadColumn> {
  const { abi } = core;
  const { offsets, indices } = groups;
  const valid = zeroInvalid(lengths);
  const samples = align === undefined ? valid : alignTokens(valid, align);
  const count = offsets.length - 1;
  const top = abi.mark();
  try {
    const order = core.copyIn(indices, indices.length);
    const ends = core.copyIn(offsets, indices.length);
    const out = core.alloc(count * 8, indices.length);
    const loads: Record<string, LoadColumn> = {};
    for (const name of names) {
      const column = loadColumn(samples, name);
      const before = abi.mark();
      const at = put(core, column);
      const status = abi.columnSums(at, column instanceof Int32Array ? 0 : 1, order, ends, count, out);
      if (status === SUM_TOO_LARGE) tooLarge(abi.errorIndex(), name);
      if (status === OUT_OF_MEMORY) throw outOfMemory(indices.length);
      if (status !== 0) throw new EngineError("LOAD_FAILED", `the core answered ${status} to checked groups`);
      const sums = core.float64(out, count);
      loads[name] = sums.every((sum) => sum <= MAX_INT32) ? Int32Array.from(sums) : sums.slice();
      if (name === "tokens" && !names.includes(ATTENTION) && column instanceof Int32Array) {
        abi.groupAttention(at, order, ends, count, out);
        loads[ATTENTION] = core.float64(out, count).slice();
      }
      abi.release(before);
    }
    const { tokens } = samples;
    if (names.includes("tokens") && tokens instanceof Float64Array) loads[ATTENTION] ??= squares(tokens, groups);
    // Last, as packers have it.
    const { [ATTENTION]: attention, ...others } = loads;
    return attention === undefined || names.includes(ATTENTION) ? loads : { ...others, [ATTENTION]: attention };
  } finally {
    abi.release(top);
  }
}
