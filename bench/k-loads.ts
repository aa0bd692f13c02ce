// The packers for K loads, called over the bare exports of the module: for benches and tests.
import { load } from "../src/index.ts";

/** A column of loads, a value a sample: int32, or whole doubles. */
export type Column = Int32Array | Float64Array;

/** What of the module's exports is used here; they are described in assembly/index.ts. */
export interface LoadsAbi {
  readonly memory: WebAssembly.Memory;
  alloc(bytes: number): number;
  mark(): number;
  release(mark: number): void;
  errorIndex(): number;
  loadsBegin(n: number, columns: number, bounds: number): number;
  loadsPush(handle: number, columns: number, floats: number, count: number): number;
  loadsStatus(): number;
  loadsBadColumn(): number;
  loadsOversize(handle: number): number;
  loadsOversizeCount(handle: number): number;
  loadsLayout(handle: number): number;
  loadsLinearBound(handle: number): number;
  loadsTotal(handle: number, load: number): number;
  columnSums(column: number, floats: number, order: number, offsets: number, groups: number, out: number): number;
  roundsBegin(loads: number, minima: number, seed: number): number;
  roundsStatus(): number;
  roundsNext(handle: number, last: number): number;
  roundsGroupsNow(handle: number): number;
  roundsGroups(handle: number): number;
  roundsOrder(handle: number): number;
  roundsOffsets(handle: number): number;
  roundsSums(handle: number, load: number, out: number): void;
}

export const abi = (await load()).abi as unknown as LoadsAbi;

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
