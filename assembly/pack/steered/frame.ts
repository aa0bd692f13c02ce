// What a steered packing looks at: records of the samples' loads as i32 lanes, the loads that guide it first. These are the
// one that binds, and those that random groups would exceed where it is full.
//
// A record is 2, 4 or 8 lanes of 31 bits; a room less a record shows a negative lane where a bound is exceeded. Loads with
// bounds of up to 2^30 - 1 stand in it as they are. Larger ones are scaled, loads rounded up, to a bound with many divisors,
// so that samples of a half, a third, .. of the bound still fill it.

import { Loads, WORD_32 } from "../../loads/loads";

/** Bounds up to this are exact. */
const EXACT: u64 = (1 << 30) - 1;
/** 2^4 3^3 5 7 11 13 17 19: what larger bounds are scaled to. */
const SCALED: u64 = 698_377_680;

/** Samples that moments are taken from at most. */
const LOOKED_AT: i32 = 32768;
/** A load with at most this many values is coarse; u64[64]: those seen. */
const COARSE: i32 = 64;
const seen: usize = memory.data(64 * 8, 16);

@unmanaged
export class Frame {
  handle: usize;
  /** Bounded loads: lanes in use. The first `guides` of them guide the draw, lane 0 the one that binds. */
  lanes: i32;
  guides: i32;
  /** log2 of the bytes of a record, and whether it has more than 4 lanes. */
  shift: i32;
  wide: bool;
  /** Whether lane 1 has few values, each a row of its own. */
  coarse: bool;
  /** Samples that fit, and the groups that they need by the linear bounds (a real number). */
  fitting: i32;
  groups: f64;
  /** Records of 8 bytes are read as 16: this keeps their own lanes. */
  mask: v128;
  /** i32[8]: the bounds. */
  full0: v128;
  full1: v128;
  // After these: i32[8] columns of the lanes; by column f64[8] how many deviations of a group's sum are free; f64[8] means and
  // f64[8][8] mean products of a sample's shares of the bounds.

  @inline
  static of(at: usize): Frame {
    return changetype<Frame>(at);
  }

  @inline
  get loads(): Loads {
    return Loads.of(this.handle);
  }

  @inline
  private tail(): usize {
    return changetype<usize>(this) + offsetof<Frame>();
  }

  /** The column of a lane. */
  @inline
  column(lane: i32): i32 {
    return load<i32>(this.tail() + ((<usize>lane) << 2));
  }

  /** The bound of a lane. */
  @inline
  bound(lane: i32): i32 {
    return load<i32>(changetype<usize>(this) + ((<usize>lane) << 2), offsetof<Frame>("full0"));
  }

  @inline
  private freeAt(k: i32): usize {
    return this.tail() + 32 + ((<usize>k) << 3);
  }

  @inline
  private meanAt(k: i32): usize {
    return this.tail() + 96 + ((<usize>k) << 3);
  }

  @inline
  private productAt(a: i32, b: i32): usize {
    return this.tail() + 160 + ((<usize>(a * 8 + b)) << 3);
  }

  /** How many deviations of a group's sum are free in a column where the binding one is full; -1 in that one. */
  private free(column: i32): f64 {
    return load<f64>(this.freeAt(column));
  }

  private covariance(a: i32, b: i32): f64 {
    return load<f64>(this.productAt(min(a, b), max(a, b))) - load<f64>(this.meanAt(a)) * load<f64>(this.meanAt(b));
  }

  /** How far a sample's share in a column departs from what that in another lets expect: a standard deviation. */
  private departure(column: i32, other: i32): f64 {
    const mean = load<f64>(this.meanAt(other));
    const ratio = mean > 0 ? load<f64>(this.meanAt(column)) / mean : 0;
    const common = 2 * ratio * this.covariance(column, other);
    const rest = this.covariance(column, column) - common + ratio * ratio * this.covariance(other, other);
    return Math.sqrt(max<f64>(rest, 0));
  }

  /** How far a sample's load in a lane departs from what its load in lane 0 lets expect: a standard deviation. */
  spread(lane: i32): f64 {
    return max<f64>(this.departure(this.column(lane), this.column(0)) * <f64>this.bound(lane), 1);
  }

  /** How many loads keep less than `reach` deviations free: those that groups must be steered by. */
  within(reach: f64): i32 {
    const loads = this.loads;
    let count = 0;
    for (let k = 0; k < loads.columns; k++) count += i32(loads.bound(k) > 0 && this.free(k) < reach);
    return count;
  }

  /** Goes over to a part of the samples, like all of them. */
  narrow(fitting: i32): void {
    this.groups = max<f64>(1, (this.groups * <f64>fitting) / <f64>max(1, this.fitting));
    this.fitting = fitting;
  }

  /** Puts a column into a lane. */
  setLane(lane: i32, column: i32): void {
    const bound = this.loads.bound(column);
    const scaled = <i32>(bound <= EXACT ? bound : SCALED);
    store<i32>(changetype<usize>(this) + ((<usize>lane) << 2), scaled, offsetof<Frame>("full0"));
    store<i32>(this.tail() + ((<usize>lane) << 2), column);
  }

  /** Measures the loads. O(samples looked at). */
  measure(handle: usize): void {
    memory.fill(changetype<usize>(this), 0, FRAME_BYTES);
    this.handle = handle;
    const loads = this.loads;
    this.lanes = loads.bounded;
    this.fitting = loads.taken - loads.oversize;
    let binding = -1;
    let groups: f64 = 0;
    for (let k = 0; k < loads.columns; k++) {
      if (loads.bound(k) == 0) continue;
      const need = loads.total(k) / <f64>loads.bound(k);
      if (binding >= 0 && need <= groups) continue;
      groups = need;
      binding = k;
    }
    groups = max<f64>(1, groups);
    this.groups = groups;
    this.addMoments();
    const root = Math.sqrt(<f64>this.fitting / groups);
    for (let k = 0; k < loads.columns; k++) {
      if (loads.bound(k) == 0) continue;
      const free = 1 - loads.total(k) / <f64>loads.bound(k) / groups;
      const deviation = max<f64>(this.departure(k, binding) * root, 1e-9);
      store<f64>(this.freeAt(k), k == binding ? -1 : free / deviation);
    }
  }

  /** Means and mean products over a part of the samples. */
  private addMoments(): void {
    const loads = this.loads;
    const columns = loads.columns;
    const step = (loads.taken - 1) / LOOKED_AT + 1;
    let n: f64 = 0;
    for (let i = 0; i < loads.taken; i += step) {
      if (loads.isOversize(i)) continue;
      n += 1;
      for (let k = 0; k < columns; k++) {
        const bound = loads.bound(k);
        store<f64>(shares + ((<usize>k) << 3), bound > 0 ? <f64>loads.value(i, k) / <f64>bound : 0);
      }
      for (let a = 0; a < columns; a++) {
        const x = load<f64>(shares + ((<usize>a) << 3));
        store<f64>(this.meanAt(a), load<f64>(this.meanAt(a)) + x);
        for (let b = a; b < columns; b++) {
          const at = this.productAt(a, b);
          store<f64>(at, load<f64>(at) + x * load<f64>(shares + ((<usize>b) << 3)));
        }
      }
    }
    if (n == 0) return;
    for (let a = 0; a < columns; a++) {
      store<f64>(this.meanAt(a), load<f64>(this.meanAt(a)) / n);
      for (let b = a; b < columns; b++) store<f64>(this.productAt(a, b), load<f64>(this.productAt(a, b)) / n);
    }
  }

  /** Makes the loads within `reach` guides, the tightest first. */
  arrange(reach: f64): void {
    const loads = this.loads;
    this.guides = this.within(reach);
    let done = 0;
    for (let lane = 0; lane < this.lanes; lane++) {
      let best = -1;
      for (let k = 0; k < loads.columns; k++) {
        if (loads.bound(k) == 0 || done & (1 << k)) continue;
        if (best < 0 || this.free(k) < this.free(best)) best = k;
      }
      done |= 1 << best;
      this.setLane(lane, best);
    }
    this.coarse = false;
    if (this.guides > 1) {
      const first = this.column(0);
      const second = this.column(1);
      this.coarse = isCoarse(loads, second);
      if (!this.coarse && isCoarse(loads, first)) {
        this.setLane(0, second);
        this.setLane(1, first);
        this.coarse = true;
      }
    }
    this.shift = this.lanes <= 2 ? 3 : this.lanes <= 4 ? 4 : 5;
    this.wide = this.shift == 5;
    this.mask = this.shift == 3 ? i64x2(-1, 0) : i64x2.splat(-1);
  }

  /** A load as it stands in records. */
  @inline
  scale(x: u64, bound: u64): i32 {
    if (bound <= EXACT) return <i32>x;
    let y = <u64>((<f64>x / <f64>bound) * <f64>SCALED);
    // y * bound >= x * SCALED: both products may exceed 64 bits, their difference does not.
    while (<i64>(y * bound - x * SCALED) < 0) y++;
    while (y > 0 && <i64>((y - 1) * bound - x * SCALED) >= 0) y--;
    return <i32>y;
  }

  /** Writes the records of n samples that fit, u32 at `samples`, a lane at a time. */
  write(samples: usize, n: i32, to: usize): void {
    const loads = this.loads;
    const step = (<usize>1) << this.shift;
    const bytes = <usize>loads.bytes;
    const narrow = loads.layout == WORD_32;
    const last = 1 << (this.shift - 2);
    for (let lane = 0; lane < last; lane++) {
      let place = to + ((<usize>lane) << 2);
      if (lane >= this.lanes) {
        for (let i = 0; i < n; i++, place += step) store<i32>(place, 0);
        continue;
      }
      const k = this.column(lane);
      const words = loads.words + ((<usize>loads.lane(k)) << 3);
      const shift = loads.shift(k);
      const mask = loads.mask(k);
      const bound = loads.bound(k);
      const exact = bound <= EXACT;
      for (let i: usize = 0; i < <usize>n; i++, place += step) {
        const word = words + <usize>load<u32>(samples + (i << 2)) * bytes;
        const x = ((narrow ? <u64>load<u32>(word) : load<u64>(word)) >> shift) & mask;
        store<i32>(place, exact ? <i32>x : this.scale(x, bound));
      }
    }
  }
}

/** Bytes that a `Frame` takes. */
export const FRAME_BYTES: usize = offsetof<Frame>() + 160 + 512;

/** f64[8]: what a sample takes of each bound. */
const shares: usize = memory.data(64, 16);

/** Whether a load has at most 64 values, of those looked at. */
export function isCoarse(loads: Loads, k: i32): bool {
  const step = (loads.taken - 1) / (LOOKED_AT >> 3) + 1;
  let count = 0;
  for (let i = 0; i < loads.taken; i += step) {
    if (loads.isOversize(i)) continue;
    const x = loads.value(i, k);
    let j = 0;
    while (j < count && load<u64>(seen + ((<usize>j) << 3)) != x) j++;
    if (j < count) continue;
    if (count == COARSE) return false;
    store<u64>(seen + <usize>(count++ << 3), x);
  }
  return true;
}
