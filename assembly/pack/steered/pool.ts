// The samples that no group has taken yet, sorted by (row, binding load), a row being a range of the second load. A set of
// positions as bits in three levels, each bit of a level telling whether the word of 64 below it has any, finds the next
// free sample in three looks; a table for each row tells where a load starts.

import { allocArray } from "../../base/memory";
import { Frame } from "./frame";

/** Rows at most, where the second load is fine and where it is coarse. */
const FINE_ROWS: i32 = 16;
const MOST_ROWS: i32 = 64;
/** Ranges of the second load that rows are cut from. */
const RANGES: i32 = 4096;
/** Entries of the table of all rows at most, and at least. */
const MOST_ENTRIES: i32 = 131072;
const LEAST_ENTRIES: i32 = 256;
/** Bits sorted by at a time. */
const DIGIT: u32 = 11;

/** u32[2^DIGIT]: counts of a digit. */
const counts: usize = memory.data(2048 * 4, 16);

@unmanaged
export class Pool {
  frameAt: usize;
  /** Samples that there is room for; how many there are, free or not. */
  room: i32;
  size: i32;
  rows: i32;
  /** Records and u32 samples by position; the same before they are sorted. */
  records: usize;
  samples: usize;
  newRecords: usize;
  newSamples: usize;
  /** u64[room] each to sort in: (index, load). */
  keys: usize;
  otherKeys: usize;
  level0: usize;
  level1: usize;
  level2: usize;
  /** u32[rows][width + 1]: the first position of a row whose load falls into a bucket or beyond. */
  table: usize;
  width: i32;
  /** Buckets have this many bits below the leading one of a load. */
  mantissa: i32;
  /** Loads of the second lane are cut into ranges of 2^rowShift. */
  rowShift: i32;
  ranges: i32;
  // After these: u32[MOST_ROWS + 1] first positions, i32[MOST_ROWS] lowest loads of the rows, u8[RANGES] row of each range.

  @inline
  static of(at: usize): Pool {
    return changetype<Pool>(at);
  }

  @inline
  get frame(): Frame {
    return Frame.of(this.frameAt);
  }

  @inline
  private starts(): usize {
    return changetype<usize>(this) + offsetof<Pool>();
  }

  /** The first position of a row. */
  @inline
  start(row: i32): i32 {
    return load<i32>(this.starts() + ((<usize>row) << 2));
  }

  /** The lowest load of a row. */
  @inline
  low(row: i32): i32 {
    return load<i32>(this.starts() + ((<usize>row) << 2), 260);
  }

  /** The row that a load of the second lane falls into. */
  @inline
  rowOf(x: i32): i32 {
    const range = min(x >> this.rowShift, this.ranges - 1);
    return <i32>load<u8>(this.starts() + <usize>range, 516);
  }

  @inline
  isFree(p: i32): bool {
    return ((load<u64>(this.level0 + ((<usize>(p >> 6)) << 3)) >> (p & 63)) & 1) != 0;
  }

  /** Takes a sample out of the set. */
  @inline
  takeOut(p: i32): void {
    const a0 = this.level0 + ((<usize>(p >> 6)) << 3);
    const w0 = load<u64>(a0) & ~((<u64>1) << (p & 63));
    store<u64>(a0, w0);
    if (w0) return;
    const a1 = this.level1 + ((<usize>(p >> 12)) << 3);
    const w1 = load<u64>(a1) & ~((<u64>1) << ((p >> 6) & 63));
    store<u64>(a1, w1);
    if (w1) return;
    const a2 = this.level2 + ((<usize>(p >> 18)) << 3);
    store<u64>(a2, load<u64>(a2) & ~((<u64>1) << ((p >> 12) & 63)));
  }

  /** The last free position at or below p, or -1. */
  @inline
  lastFree(p: i32): i32 {
    if (p < 0) return -1;
    const w = load<u64>(this.level0 + ((<usize>(p >> 6)) << 3)) & (<u64>-1 >> (63 - (p & 63)));
    return w ? (p & ~63) | (63 - <i32>clz(w)) : this.lastBefore((p >> 6) - 1);
  }

  /** The last free position of the words up to q. */
  private lastBefore(q: i32): i32 {
    if (q < 0) return -1;
    let w = load<u64>(this.level1 + ((<usize>(q >> 6)) << 3)) & (<u64>-1 >> (63 - (q & 63)));
    if (!w) {
      let s = (q >> 6) - 1;
      if (s < 0) return -1;
      let x = s >> 6;
      w = load<u64>(this.level2 + ((<usize>x) << 3)) & (<u64>-1 >> (63 - (s & 63)));
      while (!w) {
        if (--x < 0) return -1;
        w = load<u64>(this.level2 + ((<usize>x) << 3));
      }
      s = (x << 6) | (63 - <i32>clz(w));
      w = load<u64>(this.level1 + ((<usize>s) << 3));
      q = s << 6;
    }
    q = (q & ~63) | (63 - <i32>clz(w));
    return (q << 6) | (63 - <i32>clz(load<u64>(this.level0 + ((<usize>q) << 3))));
  }

  /** The first free position at or above p, or the number of samples. */
  nextFree(p: i32): i32 {
    const n = this.size;
    if (p >= n) return n;
    let w = load<u64>(this.level0 + ((<usize>(p >> 6)) << 3)) & ((<u64>-1) << (p & 63));
    if (w) return (p & ~63) | <i32>ctz(w);
    let q = (p >> 6) + 1;
    if (q > n >> 6) return n;
    w = load<u64>(this.level1 + ((<usize>(q >> 6)) << 3)) & ((<u64>-1) << (q & 63));
    if (!w) {
      let s = (q >> 6) + 1;
      if (s > n >> 12) return n;
      let x = s >> 6;
      w = load<u64>(this.level2 + ((<usize>x) << 3)) & ((<u64>-1) << (s & 63));
      while (!w) {
        if (++x > n >> 18) return n;
        w = load<u64>(this.level2 + ((<usize>x) << 3));
      }
      s = (x << 6) | <i32>ctz(w);
      w = load<u64>(this.level1 + ((<usize>s) << 3));
      q = s << 6;
    }
    q = (q & ~63) | <i32>ctz(w);
    return (q << 6) | <i32>ctz(load<u64>(this.level0 + ((<usize>q) << 3)));
  }

  /** Loads below 2^(mantissa + 1) have a bucket each, larger ones buckets as wide as a fixed share of them. */
  @inline
  private bucketOf(x: i32, mantissa: i32): i32 {
    const e = max(0, 31 - <i32>clz<u32>(x | 1) - mantissa);
    return (e << mantissa) + (x >> e);
  }

  /** The first position of the row with a load above x, free or not. */
  firstAbove(row: i32, x: i32): i32 {
    const b = this.bucketOf(x, this.mantissa);
    if (b >= this.width) return this.start(row + 1);
    const entry = this.table + ((<usize>(row * (this.width + 1) + b)) << 2);
    let lo = load<i32>(entry);
    let hi = load<i32>(entry, 4);
    const records = this.records;
    const shift = <usize>this.frame.shift;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (load<i32>(records + ((<usize>mid) << shift)) > x) hi = mid;
      else lo = mid + 1;
    }
    return lo;
  }

  /** Allocates for up to n samples. False when out of memory. */
  open(frameAt: usize, n: i32): bool {
    this.frameAt = frameAt;
    this.room = n;
    const size = <usize>n + 4;
    const bytes = 1 << this.frame.shift;
    this.records = allocArray(size, bytes);
    this.newRecords = allocArray(size, bytes);
    this.samples = allocArray(size, 4);
    this.newSamples = allocArray(size, 4);
    this.keys = allocArray(size, 8);
    this.otherKeys = allocArray(size, 8);
    this.table = allocArray(max(MOST_ENTRIES, LEAST_ENTRIES) + 4 * MOST_ROWS, 4);
    const words0 = (n >> 6) + 2;
    const words1 = (n >> 12) + 2;
    const words2 = (n >> 18) + 2;
    this.level0 = allocArray(words0 + words1 + words2, 8);
    this.level1 = this.level0 + ((<usize>words0) << 3);
    this.level2 = this.level1 + ((<usize>words1) << 3);
    return (
      this.records != 0 &&
      this.newRecords != 0 &&
      this.samples != 0 &&
      this.newSamples != 0 &&
      this.keys != 0 &&
      this.otherKeys != 0 &&
      this.table != 0 &&
      this.level0 != 0
    );
  }

  /** Cuts the second load into rows of about as many samples each, or of a value each where it is coarse. */
  private cutRows(n: i32, guided: bool): void {
    const rowOf = this.starts() + 516;
    this.rows = 1;
    this.rowShift = 0;
    this.ranges = 1;
    store<u8>(rowOf, 0);
    store<i32>(this.starts(), 0, 260);
    if (!guided || n == 0) return;
    const shift = <usize>this.frame.shift;
    const from = this.newRecords;
    let most = 0;
    for (let i: usize = 0; i < <usize>n; i++) most = max(most, load<i32>(from + (i << shift), 4));
    while (most >> this.rowShift >= RANGES) this.rowShift++;
    this.ranges = (most >> this.rowShift) + 1;
    const histogram = this.table;
    memory.fill(histogram, 0, RANGES << 2);
    for (let i: usize = 0; i < <usize>n; i++) {
      const slot = histogram + ((<usize>(load<i32>(from + (i << shift), 4) >> this.rowShift)) << 2);
      store<i32>(slot, load<i32>(slot) + 1);
    }
    const coarse = this.frame.coarse;
    const wanted = coarse ? MOST_ROWS : max(1, min(FINE_ROWS, <i32>Math.sqrt(<f64>n / 2)));
    const enough = coarse ? 0 : n / wanted;
    let row = -1;
    let inRow = 0;
    for (let range = 0; range < this.ranges; range++) {
      const many = load<i32>(histogram + ((<usize>range) << 2));
      if (many > 0 && (row < 0 || inRow > enough) && row < MOST_ROWS - 1) {
        row++;
        inRow = 0;
        store<i32>(this.starts() + ((<usize>row) << 2), range << this.rowShift, 260);
      }
      inRow += many;
      store<u8>(rowOf + <usize>range, <u8>max(row, 0));
    }
    this.rows = max(row, 0) + 1;
  }

  /** Sorts n keys by their low halves, all below 2^bits, back and forth; returns where they are then. */
  private sortKeys(n: i32, bits: i32): usize {
    let from = this.keys;
    let to = this.otherKeys;
    const mask: u64 = (1 << DIGIT) - 1;
    for (let shift = 0; shift < bits; shift += DIGIT) {
      memory.fill(counts, 0, 4 << DIGIT);
      for (let i: usize = 0; i < <usize>n; i++) {
        const slot = counts + ((<usize>((load<u64>(from + (i << 3)) >> shift) & mask)) << 2);
        store<u32>(slot, load<u32>(slot) + 1);
      }
      let sum: u32 = 0;
      for (let slot = counts; slot < counts + (4 << DIGIT); slot += 4) {
        const many = load<u32>(slot);
        store<u32>(slot, sum);
        sum += many;
      }
      for (let i: usize = 0; i < <usize>n; i++) {
        const key = load<u64>(from + (i << 3));
        const slot = counts + ((<usize>((key >> shift) & mask)) << 2);
        const place = load<u32>(slot);
        store<u32>(slot, place + 1);
        store<u64>(to + ((<usize>place) << 3), key);
      }
      const swap = from;
      from = to;
      to = swap;
    }
    return from;
  }

  private fillBits(base: usize, bits: i32): void {
    memory.fill(base, 0xff, (<usize>(bits >> 6)) << 3);
    store<u64>(base + ((<usize>(bits >> 6)) << 3), bits & 63 ? ((<u64>1) << (bits & 63)) - 1 : 0);
    store<u64>(base + ((<usize>(bits >> 6)) << 3), 0, 8);
  }

  /** Finds for every bucket of every row where it starts. */
  private fillTable(n: i32, most: i32): void {
    const limit = max(LEAST_ENTRIES, min(MOST_ENTRIES, n >> 1));
    this.mantissa = 2;
    while (this.mantissa < 20 && (this.bucketOf(most, this.mantissa + 1) + 2) * this.rows <= limit) this.mantissa++;
    this.width = this.bucketOf(most, this.mantissa) + 1;
    const shift = <usize>this.frame.shift;
    const records = this.records;
    for (let row = 0; row < this.rows; row++) {
      const entries = this.table + ((<usize>(row * (this.width + 1))) << 2);
      const end = this.start(row + 1);
      let b = 0;
      for (let p = this.start(row); p < end; p++) {
        const bucket = this.bucketOf(load<i32>(records + ((<usize>p) << shift)), this.mantissa);
        while (b <= bucket) store<i32>(entries + <usize>(b++ << 2), p);
      }
      while (b <= this.width) store<i32>(entries + <usize>(b++ << 2), end);
    }
  }

  /**
   * Makes a pool of n samples, whose records and indices stand in newRecords and newSamples. Where the first `traced` of
   * them come to stand goes to `places`, i32[traced]. O(n).
   */
  build(n: i32, places: usize, traced: i32): void {
    const shift = <usize>this.frame.shift;
    const from = this.newRecords;
    this.size = n;
    this.cutRows(n, this.frame.guides > 1);
    let most = 0;
    for (let i: usize = 0; i < <usize>n; i++) {
      const x = load<i32>(from + (i << shift));
      most = max(most, x);
      store<u64>(this.keys + (i << 3), ((<u64>i) << 32) | <u64>x);
    }
    const keys = this.sortKeys(n, 32 - <i32>clz<u32>(most));
    // Then by row, stably.
    const starts = this.starts();
    memory.fill(starts, 0, (MOST_ROWS + 1) << 2);
    if (this.rows > 1) {
      for (let i: usize = 0; i < <usize>n; i++) {
        const slot = starts + ((<usize>this.rowOf(load<i32>(from + (i << shift), 4))) << 2);
        store<i32>(slot, load<i32>(slot, 4) + 1, 4);
      }
      for (let row: usize = 0; row < <usize>this.rows; row++) {
        store<i32>(starts + (row << 2), load<i32>(starts + (row << 2)) + load<i32>(starts + (row << 2), 4), 4);
      }
    } else store<i32>(starts, n, 4);
    const cursors = counts;
    memory.copy(cursors, starts, MOST_ROWS << 2);
    const bytes = (<usize>1) << shift;
    for (let i: usize = 0; i < <usize>n; i++) {
      const k = <usize>(load<u64>(keys + (i << 3)) >> 32);
      const record = from + (k << shift);
      let p = i;
      if (this.rows > 1) {
        const slot = cursors + ((<usize>this.rowOf(load<i32>(record, 4))) << 2);
        p = <usize>load<u32>(slot);
        store<u32>(slot, <u32>p + 1);
      }
      const to = this.records + (p << shift);
      if (bytes == 8) store<u64>(to, load<u64>(record));
      else {
        v128.store(to, v128.load(record));
        if (bytes == 32) v128.store(to, v128.load(record, 16), 16);
      }
      store<u32>(this.samples + (p << 2), load<u32>(this.newSamples + (k << 2)));
      if (<i32>k < traced) store<i32>(places + (k << 2), <i32>p);
    }
    this.fillTable(n, most);
    this.fillBits(this.level0, n);
    this.fillBits(this.level1, (n + 63) >> 6);
    this.fillBits(this.level2, (n + 4095) >> 12);
  }

  /** Copies the free samples to newRecords and newSamples, in their order, after the first n; returns how many there are then. */
  collect(n: i32): i32 {
    const shift = <usize>this.frame.shift;
    for (let p = this.nextFree(0); p < this.size; p = this.nextFree(p + 1)) {
      memory.copy(this.newRecords + ((<usize>n) << shift), this.records + ((<usize>p) << shift), (<usize>1) << shift);
      store<u32>(this.newSamples + ((<usize>n) << 2), load<u32>(this.samples + ((<usize>p) << 2)));
      n++;
    }
    return n;
  }
}

/** Bytes that a `Pool` takes. */
export const POOL_BYTES: usize = offsetof<Pool>() + 516 + 4096;
