// What is packed and what came of it: set by pack.ts, read by what words it.
import { isSame } from "../base/memory";

/** Loads that are counted, bounded ones first, and a packing. */
@unmanaged
export class Packed {
  counted: i32;
  bounded: i32;
  /** A sample's tokens count rounded up to a multiple of this. */
  align: i32;
  /** u32 order and offsets of the groups, u32 oversize. */
  groups: i32;
  order: usize;
  offsets: usize;
  oversize: usize;
  oversizeCount: i32;
  rounds: i32;
  bound: u32;
  mix: f64;
  /** Loads of which a group is full a little below the bound, a bit each. */
  fine: u32;

  /** Of counted load k: where its name is, its bytes, its bound (Infinity for none), what makes a group full. */
  @inline
  name(k: i32): usize {
    return load<usize>(names + ((<usize>k) << 2));
  }

  @inline
  nameLength(k: i32): usize {
    return load<u32>(nameLengths + ((<usize>k) << 2));
  }

  @inline
  boundOf(k: i32): f64 {
    return load<f64>(bounds + ((<usize>k) << 3));
  }

  @inline
  minimumOf(k: i32): f64 {
    return load<f64>(minima + ((<usize>k) << 3));
  }

  /** f64[groups]: its sum inside each group. */
  @inline
  sumsOf(k: i32): usize {
    return load<usize>(sums + ((<usize>k) << 2));
  }

  isNamed(k: i32, text: usize, length: usize): bool {
    return this.nameLength(k) == length && isSame(this.name(k), text, length);
  }

  /** The load of a name, -1 for none. */
  find(at: usize, length: usize): i32 {
    for (let k = 0; k < this.counted; k++) if (this.isNamed(k, at, length)) return k;
    return -1;
  }
}

export const packed: Packed = changetype<Packed>(memory.data(64, 8));

/** Arrays of MAX_LOADS, as the exports of the rooms take them. */
export const names: usize = memory.data(8 * 4, 4);
export const nameLengths: usize = memory.data(8 * 4, 4);
export const bounds: usize = memory.data(8 * 8, 8);
export const minima: usize = memory.data(8 * 8, 8);
export const sums: usize = memory.data(8 * 4, 4);
