// K columns of loads, packed into one word a sample.
//
// Every bounded load is a field of the word with a guard bit above it. With room = bounds - used and all guards set,
// room - word clears a guard exactly where that load exceeds what is left: one subtraction checks all bounds at once.
// Fields are exact. The bounds choose the layout (u32, u64, two u64 in a v128, else more lanes of u64), which decides speed
// and memory and never a group. Loads without a bound are carried: checked and added up, but in no word.

import { allocArray, mark, release } from "../base/memory";
import { BAD_ARGUMENT, failAtLoad, OK, OUT_OF_MEMORY } from "../base/status";

/** Columns at most. */
export const MAX_LOADS: i32 = 8;
/** The largest load, bound and sum of a group, 2^53 - 1: what a double holds exactly. */
export const MOST: u64 = ((<u64>1) << 53) - 1;

export const WORD_32: i32 = 0;
export const WORD_64: i32 = 1;
export const WORD_128: i32 = 2;
export const WORD_LANES: i32 = 3;

/** The word of a sample that no group can hold: its first lane. A fitting sample's word has no guard set. */
export const OVERSIZE: u64 = u64.MAX_VALUE;

/** Samples per block: what a block needs stays in the first-level cache. */
const BLOCK: i32 = 256;
/** u64[MAX_LOADS][BLOCK]: the loads of a block, column by column; u8[BLOCK]: whether a sample exceeds a bound. */
const values: usize = memory.data(8 * 256 * 8, 16);
const beyond: usize = memory.data(256, 16);

// Arrays that follow the fields of `Loads`, 8 entries each.
const BOUND: usize = 0;
const LANE: usize = 64;
const SHIFT: usize = 96;
const GUARDS: usize = 128;
const FULL: usize = 192;
const SUM_LOW: usize = 256;
const SUM_HIGH: usize = 320;
const MOST_SEEN: usize = 384;
const ARRAYS: usize = 448;

/** A set of samples in the arena; released with the mark before it. */
@unmanaged
export class Loads {
  /** Samples announced, and pushed so far. */
  count: i32;
  taken: i32;
  /** Columns, and how many of them have a bound. */
  columns: i32;
  bounded: i32;
  layout: i32;
  /** u64 lanes of a word, and its bytes. Above two, lanes are even: a word is then a run of v128. */
  lanes: i32;
  bytes: i32;
  oversize: i32;
  words: usize;

  @inline
  static of(handle: usize): Loads {
    return changetype<Loads>(handle);
  }

  @inline
  private at(array: usize, i: i32): usize {
    return changetype<usize>(this) + offsetof<Loads>() + array + ((<usize>i) << 3);
  }

  /** The bound of a load, 0 where it has none. */
  @inline
  bound(k: i32): u64 {
    return load<u64>(this.at(BOUND, k));
  }

  /** The lane and the lowest bit of a bounded load's field. */
  @inline
  lane(k: i32): i32 {
    return load<i32>(changetype<usize>(this) + offsetof<Loads>() + LANE + ((<usize>k) << 2));
  }

  @inline
  shift(k: i32): i32 {
    return load<i32>(changetype<usize>(this) + offsetof<Loads>() + SHIFT + ((<usize>k) << 2));
  }

  /** The guards of a lane. */
  @inline
  guards(lane: i32): u64 {
    return load<u64>(this.at(GUARDS, lane));
  }

  /** All bounds and guards of a lane: the room of an empty group. */
  @inline
  full(lane: i32): u64 {
    return load<u64>(this.at(FULL, lane));
  }

  /** Where guards and full lanes stand, a lane after another. */
  @inline
  guardsAt(): usize {
    return this.at(GUARDS, 0);
  }

  @inline
  fullAt(): usize {
    return this.at(FULL, 0);
  }

  /** The largest load of the samples that fit (all samples, where the load has no bound). */
  @inline
  most(k: i32): u64 {
    return load<u64>(this.at(MOST_SEEN, k));
  }

  /** The field's value mask. */
  @inline
  mask(k: i32): u64 {
    return <u64>-1 >> clz<u64>(this.bound(k));
  }

  /** The sum of a load over the samples that fit, rounded to the nearest double. */
  total(k: i32): f64 {
    return <f64>load<u64>(this.at(SUM_HIGH, k)) * (4294967296.0 * 4294967296.0) + <f64>load<u64>(this.at(SUM_LOW, k));
  }

  /** The sum of a bounded load over its bound, rounded up. O(1). */
  linear(k: i32): u64 {
    const bound = this.bound(k);
    // Long division, a bit at a time: the sum may take more than 64 bits.
    let quotient: u64 = 0;
    let rest = load<u64>(this.at(SUM_HIGH, k)) % bound;
    const low = load<u64>(this.at(SUM_LOW, k));
    for (let bit = 63; bit >= 0; bit--) {
      rest = (rest << 1) | ((low >> bit) & 1);
      quotient <<= 1;
      if (rest >= bound) {
        rest -= bound;
        quotient |= 1;
      }
    }
    return quotient + u64(rest > 0);
  }

  /** The largest linear bound. Samples without any load still need a group. */
  linearBound(): u32 {
    let best: u64 = this.oversize < this.taken ? 1 : 0;
    for (let k = 0; k < this.columns; k++) if (this.bound(k) > 0) best = max(best, this.linear(k));
    return <u32>best;
  }

  @inline
  isOversize(sample: i32): bool {
    const at = this.words + <usize>sample * <usize>this.bytes;
    return this.layout == WORD_32 ? load<u32>(at) == <u32>OVERSIZE : load<u64>(at) == OVERSIZE;
  }

  /** A bounded load of a sample that fits. */
  @inline
  value(sample: i32, k: i32): u64 {
    const at = this.words + <usize>sample * <usize>this.bytes;
    const lane = this.layout == WORD_32 ? <u64>load<u32>(at) : load<u64>(at + ((<usize>this.lane(k)) << 3));
    return (lane >> this.shift(k)) & this.mask(k);
  }

  /** Copies a bounded load, whose bound is below 2^31 - 1, to i32[samples]; oversize samples come out as 2^31 - 1. */
  copy(k: i32, to: usize): void {
    const narrow = this.layout == WORD_32;
    const bytes = <usize>this.bytes;
    const shift = this.shift(k);
    const mask = this.mask(k);
    const lane = (<usize>this.lane(k)) << 3;
    const end = this.words + <usize>this.taken * bytes;
    for (let word = this.words; word < end; word += bytes, to += 4) {
      // The first lane is all ones where a sample is oversize: a u32 one after a sign extension too.
      const first = narrow ? <u64>(<i64>load<i32>(word)) : load<u64>(word);
      const x = ((narrow ? first : load<u64>(word + lane)) >> shift) & mask;
      store<i32>(to, first == OVERSIZE ? i32.MAX_VALUE : <i32>x);
    }
  }

  /** Gives every bounded load its field. */
  lay(): void {
    let lanes = 1;
    let bits = 0;
    const used = values;
    memory.fill(used, 0, <usize>MAX_LOADS * 8);
    for (let k = 0; k < this.columns; k++) {
      const bound = this.bound(k);
      if (bound == 0) continue;
      const width = 64 - <i32>clz<u64>(bound) + 1;
      bits += width;
      let lane = 0;
      while (load<i32>(used + ((<usize>lane) << 3)) + width > 64) lane++;
      const place = used + ((<usize>lane) << 3);
      const shift = load<i32>(place);
      store<i32>(place, shift + width);
      lanes = max(lanes, lane + 1);
      const fields = changetype<usize>(this) + offsetof<Loads>() + ((<usize>k) << 2);
      store<i32>(fields + LANE, lane);
      store<i32>(fields + SHIFT, shift);
      const guard = (<u64>1) << (shift + width - 1);
      store<u64>(this.at(GUARDS, lane), this.guards(lane) | guard);
      store<u64>(this.at(FULL, lane), this.full(lane) | guard | (bound << shift));
    }
    this.layout = bits <= 32 ? WORD_32 : lanes == 1 ? WORD_64 : lanes == 2 ? WORD_128 : WORD_LANES;
    this.lanes = lanes <= 2 ? lanes : (lanes + 1) & ~1;
    this.bytes = this.layout == WORD_32 ? 4 : this.lanes << 3;
  }

  /** Adds to a sum of 128 bits. */
  private addUp(k: i32, sum: u64): void {
    const before = load<u64>(this.at(SUM_LOW, k));
    store<u64>(this.at(SUM_LOW, k), before + sum);
    if (before + sum < before) store<u64>(this.at(SUM_HIGH, k), load<u64>(this.at(SUM_HIGH, k)) + 1);
  }

  /** Reads a column of a block into `values` and marks what exceeds its bound. Returns a status. */
  private read(k: i32, column: usize, floats: bool, block: i32): i32 {
    const to = values + <usize>k * (BLOCK << 3);
    const limit = this.bound(k) > 0 ? this.bound(k) : MOST;
    for (let i: usize = 0; i < <usize>block; i++) {
      let x: u64;
      if (floats) {
        const f = load<f64>(column + (i << 3));
        x = <u64>f;
        // What is negative, broken or no number comes out as another number.
        if (<f64>x != f || x > MOST) x = OVERSIZE;
      } else {
        const v = load<i32>(column + (i << 2));
        x = v < 0 ? OVERSIZE : <u64>v;
      }
      if (x == OVERSIZE) {
        return failAtLoad(this.taken + <i32>i, k);
      }
      store<u64>(to + (i << 3), x);
      store<u8>(beyond + i, load<u8>(beyond + i) | u8(x > limit));
    }
    return OK;
  }

  /** Adds up a column of the block and puts it into the words. */
  private place(k: i32, block: i32): void {
    const from = values + <usize>k * (BLOCK << 3);
    let sum: u64 = 0;
    let most = this.most(k);
    const bounded = this.bound(k) > 0;
    const shift = this.shift(k);
    const narrow = this.layout == WORD_32;
    const step = <usize>this.bytes;
    let to = this.words + <usize>this.taken * step + ((<usize>this.lane(k)) << 3);
    for (let i: usize = 0; i < <usize>block; i++, to += step) {
      const x = load<u64>(from + (i << 3));
      if (load<u8>(beyond + i)) {
        if (!bounded) continue;
        if (narrow) store<u32>(to, <u32>OVERSIZE);
        else store<u64>(to, OVERSIZE);
        continue;
      }
      sum += x;
      most = max(most, x);
      if (!bounded) continue;
      if (narrow) store<u32>(to, load<u32>(to) | <u32>(x << shift));
      else store<u64>(to, load<u64>(to) | (x << shift));
    }
    this.addUp(k, sum);
    store<u64>(this.at(MOST_SEEN, k), most);
  }

  /** The next block of samples. */
  takeBlock(columns: usize, floats: u32, from: i32, block: i32): i32 {
    memory.fill(beyond, 0, block);
    for (let k = 0; k < this.columns; k++) {
      const wide = (floats >> k) & 1;
      const column = load<usize>(columns + ((<usize>k) << 2)) + ((<usize>from) << (2 + wide));
      const status = this.read(k, column, wide != 0, block);
      if (status != OK) return status;
    }
    memory.fill(this.words + <usize>this.taken * <usize>this.bytes, 0, <usize>block * <usize>this.bytes);
    for (let k = 0; k < this.columns; k++) this.place(k, block);
    for (let i: usize = 0; i < <usize>block; i++) this.oversize += load<u8>(beyond + i);
    this.taken += block;
    return OK;
  }

  /** `takeBlock` for two bounded i32 columns whose fields share a lane, and whole fours of samples: 1 ns a sample. */
  takePairs<T extends number>(columns: usize, from: i32, block: i32): i32 {
    let a = load<usize>(columns) + ((<usize>from) << 2);
    let b = load<usize>(columns, 4) + ((<usize>from) << 2);
    const end = a + ((<usize>block) << 2);
    // No i32 exceeds a bound above 2^31 - 1; negative ones are the largest as u32.
    const boundA = i32x4.splat(<i32>min<u64>(this.bound(0), i32.MAX_VALUE));
    const boundB = i32x4.splat(<i32>min<u64>(this.bound(1), i32.MAX_VALUE));
    const shift = this.shift(1);
    let to = this.words + ((<usize>this.taken) << alignof<T>());
    let sumA = i64x2.splat(0);
    let sumB = i64x2.splat(0);
    let mostA = i32x4.splat(0);
    let mostB = i32x4.splat(0);
    let oversize = i32x4.splat(0);
    let signs = i32x4.splat(0);
    for (; a < end; a += 16, b += 16) {
      let x = v128.load(a);
      let y = v128.load(b);
      signs = v128.or(signs, v128.or(x, y));
      const over = v128.or(i32x4.gt_u(x, boundA), i32x4.gt_u(y, boundB));
      oversize = i32x4.sub(oversize, over);
      if (sizeof<T>() == 4) {
        v128.store(to, v128.or(over, v128.or(x, i32x4.shl(y, shift))));
        to += 16;
      } else {
        const low = v128.or(i64x2.extend_low_i32x4_u(x), i64x2.shl(i64x2.extend_low_i32x4_u(y), shift));
        const high = v128.or(i64x2.extend_high_i32x4_u(x), i64x2.shl(i64x2.extend_high_i32x4_u(y), shift));
        v128.store(to, v128.or(low, i64x2.extend_low_i32x4_s(over)));
        v128.store(to, v128.or(high, i64x2.extend_high_i32x4_s(over)), 16);
        to += 32;
      }
      x = v128.andnot(x, over);
      y = v128.andnot(y, over);
      mostA = i32x4.max_u(mostA, x);
      mostB = i32x4.max_u(mostB, y);
      sumA = i64x2.add(sumA, i64x2.add(i64x2.extend_low_i32x4_u(x), i64x2.extend_high_i32x4_u(x)));
      sumB = i64x2.add(sumB, i64x2.add(i64x2.extend_low_i32x4_u(y), i64x2.extend_high_i32x4_u(y)));
    }
    // The other way finds out which.
    if (i32x4.bitmask(signs) != 0) return this.takeBlock(columns, 0, from, block);
    this.addUp(0, i64x2.extract_lane(sumA, 0) + i64x2.extract_lane(sumA, 1));
    this.addUp(1, i64x2.extract_lane(sumB, 0) + i64x2.extract_lane(sumB, 1));
    this.raiseMost(0, mostA);
    this.raiseMost(1, mostB);
    this.oversize += i32x4.extract_lane(oversize, 0) + i32x4.extract_lane(oversize, 1);
    this.oversize += i32x4.extract_lane(oversize, 2) + i32x4.extract_lane(oversize, 3);
    this.taken += block;
    return OK;
  }

  private raiseMost(k: i32, four: v128): void {
    const low = max<i32>(i32x4.extract_lane(four, 0), i32x4.extract_lane(four, 1));
    const high = max<i32>(i32x4.extract_lane(four, 2), i32x4.extract_lane(four, 3));
    store<u64>(this.at(MOST_SEEN, k), max<u64>(this.most(k), max<i32>(low, high)));
  }
}

/** What the last `begin` did: a status. */
export let beginStatus: i32 = OK;

/**
 * Makes room for n samples of `columns` loads, to be pushed: 4 to 64 bytes a sample. `bounds` is f64[columns], each a
 * whole number from 1 to 2^53 - 1, or infinity for a load without a bound; one at least has a bound. Returns the handle,
 * or 0, and `beginStatus` says why.
 */
export function begin(n: i32, columns: i32, bounds: usize): usize {
  beginStatus = BAD_ARGUMENT;
  if (n < 0 || columns < 1 || columns > MAX_LOADS) return 0;
  const before = mark();
  const at = allocArray(offsetof<Loads>() + ARRAYS, 1);
  beginStatus = OUT_OF_MEMORY;
  if (at == 0) return 0;
  memory.fill(at, 0, offsetof<Loads>() + ARRAYS);
  const loads = Loads.of(at);
  loads.count = n;
  loads.columns = columns;
  for (let k = 0; k < columns; k++) {
    const bound = load<f64>(bounds + ((<usize>k) << 3));
    if (bound == Infinity) continue;
    if (!(bound >= 1) || bound > <f64>MOST || <f64>(<u64>bound) != bound) {
      beginStatus = BAD_ARGUMENT;
      release(before);
      return 0;
    }
    store<u64>(at + offsetof<Loads>() + BOUND + ((<usize>k) << 3), <u64>bound);
    loads.bounded++;
  }
  if (loads.bounded == 0) beginStatus = BAD_ARGUMENT;
  else {
    loads.lay();
    loads.words = allocArray(n, loads.bytes);
    if (loads.words != 0) beginStatus = OK;
  }
  if (beginStatus == OK) return at;
  release(before);
  return 0;
}

/** `takePairs` over u32 words. Exported, as the other inner loops, so that it is optimised within the first call. */
export function pairs32(at: usize, columns: usize, from: i32, block: i32): i32 {
  return Loads.of(at).takePairs<u32>(columns, from, block);
}

/** `takePairs` over u64 words. */
export function pairs64(at: usize, columns: usize, from: i32, block: i32): i32 {
  return Loads.of(at).takePairs<u64>(columns, from, block);
}

/**
 * The next `more` samples. `columns`: a pointer (u32) per load to its values, i32[more], or f64[more] where the load's bit
 * in `floats` is set; read within the call. Returns a status. O(samples * loads).
 */
export function push(at: usize, columns: usize, floats: u32, more: i32): i32 {
  const loads = Loads.of(at);
  if (more < 0 || more > loads.count - loads.taken) return BAD_ARGUMENT;
  const pairs = loads.columns == 2 && loads.bounded == 2 && (floats & 3) == 0 && loads.layout <= WORD_64;
  let from = 0;
  while (from < more) {
    const block = min(more - from, BLOCK);
    const status =
      !pairs || (block & 3) != 0
        ? loads.takeBlock(columns, floats, from, block)
        : loads.layout == WORD_32
          ? pairs32(at, columns, from, block)
          : pairs64(at, columns, from, block);
    if (status != OK) return status;
    from += block;
  }
  return OK;
}

/** Lists the samples beyond a bound, by ascending index: u32[oversize]. 0 when out of memory. */
export function listOversize(at: usize): usize {
  const loads = Loads.of(at);
  const list = allocArray(<usize>loads.oversize + 1, 4);
  if (list == 0) return 0;
  for (let i = 0, to = list; i < loads.taken; i++) {
    store<u32>(to, i);
    to += (<usize>loads.isOversize(i)) << 2;
  }
  return list;
}
