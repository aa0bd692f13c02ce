// The packers for K loads, called over the bare exports of the module: for benches and tests.
import { load } from "../src/index.ts";

/** A column of loads, a value a sample: int32, or whole doubles. */
export type Column = Int32Array | Float64Array;

export const { abi } = await load();

/** A packing: group g is order[offsets[g]] .. order[offsets[g + 1] - 1]. */
export interface Groups {
  readonly order: Uint32Array;
  readonly offsets: Uint32Array;
  readonly oversize: Uint32Array;
}

export class StatusError extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

export function check(status: number): void {
  if (status !== 0) throw new StatusError(status);
}

/** Copies a typed array into the module's memory; its address. */
export function put(values: Column | Uint32Array): number {
  const at = abi.alloc(values.byteLength) >>> 0;
  if (at === 0) throw new StatusError(1);
  new Uint8Array(abi.memory.buffer, at, values.byteLength).set(
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  );
  return at;
}

export function takeU32(at: number, n: number): Uint32Array {
  return new Uint32Array(abi.memory.buffer, at >>> 0, n).slice();
}

/** Pushes samples into a new handle, `piece` of them at a time; bounds may be infinite. */
export function pushLoads(columns: readonly Column[], bounds: readonly number[], piece = 1 << 30): number {
  const n = columns[0].length;
  const handle = abi.loadsBegin(n, columns.length, put(Float64Array.from(bounds)));
  if (handle === 0) throw new StatusError(abi.loadsStatus());
  const floats = columns.reduce((bits, column, k) => bits | (column instanceof Float64Array ? 1 << k : 0), 0);
  const top = abi.mark();
  for (let from = 0; from < n; from += piece) {
    const count = Math.min(piece, n - from);
    const pointers = put(Uint32Array.from(columns, (column) => put(column.subarray(from, from + count))));
    check(abi.loadsPush(handle, pointers, floats, count));
    abi.release(top);
  }
  return handle;
}

export function oversizeOf(handle: number): Uint32Array {
  const count = abi.loadsOversizeCount(handle);
  return takeU32(abi.loadsOversize(handle), count);
}

/** Runs with the arena as it was before. */
export function scoped<T>(run: () => T): T {
  const top = abi.mark();
  try {
    return run();
  } finally {
    abi.release(top);
  }
}

export interface RoundsOptions {
  readonly bounds: readonly number[];
  /** What makes a group full; infinity where a load makes none. */
  readonly minima: readonly number[];
  readonly rounds: number;
  readonly seed: number;
  readonly piece?: number;
}

/** ISF; the sums of the bounded loads come along. */
export function packRounds(columns: readonly Column[], options: RoundsOptions): Groups & { sums: Float64Array[] } {
  return scoped(() => {
    const { bounds, minima, rounds, seed } = options;
    const loads = pushLoads(columns, bounds, options.piece);
    const isf = abi.roundsBegin(loads, put(Float64Array.from(minima)), seed);
    if (isf === 0) throw new StatusError(abi.roundsStatus());
    for (let r = 1; r <= rounds && abi.roundsNext(isf, r === rounds ? 1 : 0) > 0; r++);
    const groups = abi.roundsGroups(isf);
    const out = abi.alloc(groups * 8) >>> 0;
    const sums = bounds.map((bound, k) => {
      if (bound === Number.POSITIVE_INFINITY) return new Float64Array(0);
      abi.roundsSums(isf, k, out);
      return new Float64Array(abi.memory.buffer, out, groups).slice();
    });
    const offsets = takeU32(abi.roundsOffsets(isf), groups + 1);
    return { offsets, order: takeU32(abi.roundsOrder(isf), offsets[groups]), oversize: oversizeOf(loads), sums };
  });
}

/** What a steered packing is to do: what suits, a stream with a reserve, or a steered draw. */
export const WAYS = { any: 0, stream: 1, draw: 2 } as const;

export interface PackOptions {
  readonly bounds: readonly number[];
  readonly seed?: number;
  readonly effort?: number;
  /** The steered packer alone, in this way; else the way is chosen from the data. */
  readonly way?: keyof typeof WAYS;
}

function run(handle: number, status: number, step: (handle: number) => number): void {
  if (handle === 0) throw new StatusError(status);
  let left = 1;
  while (left > 0) left = step(handle);
  if (left < 0) throw new StatusError(-left);
}

/** The balanced packing of loads in a handle; its mix and the oversize samples are there while the handle is. */
export function packHandle(
  loads: number,
  { seed = 1024, effort = 1, way }: PackOptions,
): Groups & { mixOf(k: number): number } {
  const steered = way !== undefined;
  const packer = steered ? abi.steeredBegin(loads, seed, effort, WAYS[way]) : abi.packerBegin(loads, seed, effort);
  if (steered) run(packer, abi.steeredStatus(), abi.steeredStep);
  else run(packer, abi.packerStatus(), abi.packerStep);
  const groups = steered ? abi.steeredGroups(packer) : abi.packerGroups(packer);
  const order = (steered ? abi.steeredOrder(packer) : abi.packerOrder(packer)) >>> 0;
  const offsets = (steered ? abi.steeredOffsets(packer) : abi.packerOffsets(packer)) >>> 0;
  const ends = takeU32(offsets, groups + 1);
  return {
    offsets: ends,
    order: takeU32(order, ends[groups]),
    get oversize() {
      return oversizeOf(loads);
    },
    mixOf: (k) => abi.loadsMix(loads, k, order, offsets, groups),
  };
}

/** The balanced packing; the sums of the bounded loads come along. */
export function packLoads(columns: readonly Column[], options: PackOptions): Groups & { sums: Float64Array[] } {
  return scoped(() => {
    const loads = pushLoads(columns, options.bounds);
    const packed = packHandle(loads, options);
    const groups = packed.offsets.length - 1;
    const out = abi.alloc(groups * 8) >>> 0;
    const sums = options.bounds.map((bound, k) => {
      if (bound === Number.POSITIVE_INFINITY) return new Float64Array(0);
      abi.loadsSums(loads, k, put(packed.order), put(packed.offsets), groups, out);
      return new Float64Array(abi.memory.buffer, out, groups).slice();
    });
    return { order: packed.order, offsets: packed.offsets, oversize: packed.oversize, sums };
  });
}

/** Lower bounds on the groups, and the best of them. */
export function boundsOf(loads: number): {
  linear: number;
  pattern: number;
  half: number;
  difference: number;
  best: string;
} {
  check(abi.boundsFind(loads));
  const names = ["linear", "pattern", "half", "difference"] as const;
  const [linear, pattern, half, difference] = names.map((_, kind) => abi.boundsGet(kind) >>> 0);
  return { linear, pattern, half, difference, best: names[abi.boundsBest()] };
}
