// Samples in the core, as packers of any loads take them, and the packing that is copied out.
import { check, outOfMemory } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { InputError } from "../core/errors.ts";
import {
  alignTokens,
  invalidLength,
  type Lengths,
  type LoadColumn,
  loadColumn,
  MAX_LOAD,
  sampleCount,
} from "../core/lengths.ts";
import { MAX_INT32 } from "../core/options.ts";
import { type LowerBound, takeLowerBound } from "./find-lower-bound.ts";
import type { PackLoads } from "./options.ts";
import { ATTENTION, type Packing, type PackingSettings, packingBounds, trustedPacking } from "./packing.ts";

/** Samples per call into the core: a buffer that stays in the second-level cache. */
const PIECE = 16384;

/** A status of the core for a sum above 2^53 - 1. */
const SUM_TOO_LARGE = 19;

/** The groups that a packer has left in the core. */
export interface CoreGroups {
  /** u32 sample indices, group after group. */
  readonly order: number;
  /** u32[groups + 1]: where each starts. */
  readonly offsets: number;
  readonly groups: number;
  /** Writes the sums of bounded load k to f64[groups] at `out`, where the packer has them at hand. */
  readonly sums?: (k: number, out: number) => void;
}

/** Samples in the core, until the mark before them is released. */
export class Counted {
  /** Samples there are. */
  readonly count: number;
  /** The loads' columns, as they count: bounded ones first. */
  readonly columns: readonly LoadColumn[];
  /** What the core calls them. */
  readonly handle: number;
  readonly #core: Core;
  readonly #lengths: Lengths;
  readonly #loads: PackLoads;

  /**
   * Copies the samples in, in pieces. 4 to 64 bytes of the core's memory per sample.
   *
   * @throws InputError for a value that is negative, EngineError OUT_OF_MEMORY.
   */
  constructor(core: Core, lengths: Lengths, loads: PackLoads) {
    const { abi } = core;
    const { names, max, align } = loads;
    const counted = align > 1 ? alignTokens(lengths, align) : lengths;
    this.#core = core;
    this.#lengths = lengths;
    this.#loads = loads;
    this.count = sampleCount(lengths);
    this.columns = names.map((name) => loadColumn(counted, name));
    this.handle = abi.loadsBegin(
      this.count,
      names.length,
      this.#doubles(names.map((name) => max[name] ?? Number.POSITIVE_INFINITY)),
    );
    if (this.handle === 0) this.check(abi.loadsStatus());
    this.#push();
  }

  #doubles(values: readonly number[]): number {
    const at = this.#core.alloc(values.length * 8, this.count);
    this.#core.float64(at, values.length).set(values);
    return at;
  }

  #push(): void {
    const core = this.#core;
    const { columns, count } = this;
    const size = Math.min(PIECE, count);
    const places = columns.map((column) => core.alloc(size * column.BYTES_PER_ELEMENT, count));
    const pointers = core.copyIn(Int32Array.from(places), count);
    const floats = columns.reduce((bits, column, k) => bits | (column instanceof Float64Array ? 1 << k : 0), 0);
    const buffers = columns.map((column, k) =>
      column instanceof Int32Array ? core.int32(places[k], size) : core.float64(places[k], size),
    );
    for (let from = 0; from < count; from += PIECE) {
      const end = Math.min(from + PIECE, count);
      for (const [k, column] of columns.entries()) buffers[k].set(column.subarray(from, end));
      const status = core.abi.loadsPush(this.handle, pointers, floats, end - from);
      if (status !== 0) this.#refuseNegative(from, end);
      this.check(status);
    }
  }

  /** Names the first sample with a negative load, which only the core has looked for. */
  #refuseNegative(from: number, end: number): void {
    for (let i = from; i < end; i++) {
      const k = this.columns.findIndex((column) => column[i] < 0);
      if (k !== -1) throw invalidLength(this.#loads.names[k], i, this.columns[k][i]);
    }
  }

  /** Throws what a status of the core means. */
  check(status: number): void {
    check(this.#core.abi, status, this.count, (load, at) => loadColumn(this.#lengths, load)[at], this.#loads.names);
  }

  /** f64[loads], for an export that takes a number for each load; Infinity for a load that has none. */
  byLoad(values: Readonly<Record<string, number>>): number {
    return this.#doubles(this.#loads.names.map((name) => values[name] ?? Number.POSITIVE_INFINITY));
  }

  /** Lower bounds on the number of groups. O(samples). */
  lowerBound(): LowerBound {
    this.check(this.#core.abi.boundsFind(this.handle));
    return takeLowerBound(this.#core);
  }

  /**
   * The linear bound, at no cost, or the best of all. `groups`: those of a packing that is done; where the linear bound
   * reaches them, none is better, and the others are not looked for (a tenth of a balanced packing of 1.2 M samples).
   */
  least(kind: "linear" | "tight", groups = Number.POSITIVE_INFINITY): number {
    const linear = this.#core.abi.loadsLinearBound(this.handle) >>> 0;
    return kind === "linear" || linear >= groups ? linear : this.lowerBound().best;
  }

  /** Copies a packing out of the core: `settings` are what is of its method. */
  take(
    { order, offsets, groups, sums: sumsOf }: CoreGroups,
    made: {
      readonly method: string;
      readonly min?: Readonly<Record<string, number>>;
      readonly rounds?: number;
      readonly bound: number;
      readonly settings: PackingSettings;
    },
  ): Packing {
    const core = this.#core;
    const { abi } = core;
    const { names, max, carry, align } = this.#loads;
    const bounded = names.length - carry.length;
    const all = sumsOf === undefined;
    const firstAt = core.alloc(groups * 8 * (all ? names.length : 1), this.count);
    if (all) abi.loadsAllSums(this.handle, order, offsets, groups, firstAt);
    const squaresAt = core.alloc(groups * 8, this.count);
    // How random groups are is said by their tokens, or else by the load that comes first.
    const tokens = names.indexOf("tokens");
    const mixed = tokens >= 0 && tokens < bounded ? tokens : 0;
    let mix = -1;
    const columns = names.map((name, k): readonly [string, LoadColumn] => {
      const sumsAt = all ? firstAt + groups * 8 * k : firstAt;
      if (k >= bounded) return [name, this.#carried(k, order, offsets, groups, sumsAt)];
      sumsOf?.(k, sumsAt);
      if (k === mixed) {
        abi.loadsSquares(this.handle, k, order, offsets, groups, squaresAt);
        mix = abi.groupsMix(offsets, sumsAt, squaresAt, groups);
      }
      const sums = core.float64(sumsAt, groups);
      return [name, max[name] <= MAX_INT32 ? new Int32Array(sums) : sums.slice()];
    });
    const loads = Object.fromEntries(columns);
    if (names[mixed] === "tokens") loads[ATTENTION] ??= core.float64(squaresAt, groups).slice();
    const oversizeAt = abi.loadsOversize(this.handle);
    if (oversizeAt === 0) throw outOfMemory(this.count);
    const ends = core.int32(offsets, groups + 1).slice();
    const { method, min = max, rounds = 0, bound, settings } = made;
    return trustedPacking({
      offsets: ends,
      indices: core.int32(order, ends[groups]).slice(),
      loads,
      oversize: core.int32(oversizeAt, abi.loadsOversizeCount(this.handle)).slice(),
      bounds: packingBounds(max, min),
      bound,
      rounds,
      method,
      mix: mix < 0 ? null : mix,
      settings: {
        bounds: max,
        ...(carry.length === 0 ? {} : { carry }),
        ...(align === 1 ? {} : { align }),
        method,
        ...settings,
      },
      lengths: this.#lengths,
    });
  }

  /** The sums of a load without a bound, which the core has checked and not kept. */
  #carried(k: number, order: number, offsets: number, groups: number, out: number): LoadColumn {
    const core = this.#core;
    const { abi } = core;
    const column = this.columns[k];
    const floats = column instanceof Float64Array;
    const top = abi.mark();
    const at = core.alloc(column.byteLength, this.count);
    if (floats) core.float64(at, this.count).set(column);
    else core.int32(at, this.count).set(column);
    const status = abi.columnSums(at, floats ? 1 : 0, order, offsets, groups, out);
    abi.release(top);
    if (status === SUM_TOO_LARGE) {
      const name = this.#loads.names[k];
      throw new InputError(
        "INVALID_LENGTH",
        `the sum of ${name} in group ${abi.errorIndex()} is above ${MAX_LOAD}, which cannot be counted exactly`,
      );
    }
    this.check(status);
    const sums = core.float64(out, groups);
    return sums.every((sum) => sum <= MAX_INT32) ? new Int32Array(sums) : sums.slice();
  }
}
