// One bound binds: most samples are streamed into groups in random order, as by Next-Fit, and never indexed. A reserve,
// about 1.6 samples for each group and a part of all, is sorted by the binding load and completes them.

import { Frame } from "./frame";
import { Pool } from "./pool";
import { Random } from "./random";

/** Samples gathered ahead: reads all over the input wait for memory together. */
const BLOCK: i32 = 64;

/** Samples of the reserve: for each group, and of all. */
const PER_GROUP: f64 = 1.6;
const OF_ALL: f64 = 0.04;
/** The stream ends when the reserve is down to this part of all samples. */
const LEAST: f64 = 0.02;
/** What may stay unused of the binding load, and what is tried for it: random samples, with a look-up for each. */
const WASTE: f64 = 0.0002;
const TRIES: i32 = 12;
const ROUNDS: i32 = 3;

@unmanaged
export class Stream {
  frameAt: usize;
  poolAt: usize;
  randomAt: usize;
  /** u32 samples in random order: the stream is those from `at` to `end`, the reserve follows them. */
  list: usize;
  at: i32;
  end: i32;
  last: i32;
  /** The samples whose records are gathered: from .. to - 1. */
  from: i32;
  to: i32;
  /** Samples in the reserve, and at how many the stream ends. */
  reserve: i32;
  least: i32;
  /** The first position of the reserve that takes something of the binding load. */
  something: i32;
  /** A group is drawn until less than this is left of the binding load; at this waste it is complete. */
  stop: i32;
  waste: i32;
  room0: v128;
  room1: v128;
  /** The packing being made. */
  order: usize;
  ends: usize;
  length: i32;
  groups: i32;
  unused: i64;
  bestRoom: i32;
  bestY: i32;
  bestZ: i32;
  // After these: the records of BLOCK samples.

  @inline
  static of(at: usize): Stream {
    return changetype<Stream>(at);
  }

  @inline
  get frame(): Frame {
    return Frame.of(this.frameAt);
  }

  @inline
  get pool(): Pool {
    return Pool.of(this.poolAt);
  }

  /** How many of n samples make the reserve. */
  static reserveOf(n: i32, frame: Frame): i32 {
    const perSample = frame.groups / <f64>max(1, frame.fitting);
    return min(n, <i32>((PER_GROUP * perSample + OF_ALL) * <f64>n));
  }

  open(frameAt: usize, poolAt: usize, randomAt: usize, list: usize, order: usize, ends: usize): void {
    this.frameAt = frameAt;
    this.poolAt = poolAt;
    this.randomAt = randomAt;
    this.list = list;
    this.order = order;
    this.ends = ends;
    this.length = 0;
    this.groups = 0;
    this.unused = 0;
  }

  /** What part of the binding load's bound groups have left unused. */
  loss(): f64 {
    return <f64>this.unused / (<f64>this.frame.bound(0) * <f64>max(1, this.groups));
  }

  /** Starts on the samples from .. to - 1 of `list`; the pool has room for their reserve. */
  begin(from: i32, to: i32): void {
    const frame = this.frame;
    const pool = this.pool;
    const n = to - from;
    this.reserve = Stream.reserveOf(n, frame);
    this.at = from;
    this.last = to;
    this.end = to - this.reserve;
    this.from = from;
    this.to = from;
    this.least = <i32>(LEAST * <f64>n);
    const mean = (<f64>frame.bound(0) * frame.groups) / <f64>max(1, frame.fitting);
    this.stop = <i32>min<f64>(mean, <f64>frame.bound(0));
    this.waste = <i32>(WASTE * <f64>frame.bound(0));
    const samples = this.list + ((<usize>this.end) << 2);
    frame.write(samples, this.reserve, pool.newRecords);
    memory.copy(pool.newSamples, samples, (<usize>this.reserve) << 2);
    pool.build(this.reserve, 0, 0);
    this.something = pool.firstAbove(0, 0);
  }

  /** Puts the samples in no group at the end of the part; returns where they start. */
  handBack(): i32 {
    const pool = this.pool;
    let to = this.end;
    for (let p = pool.nextFree(0); p < pool.size; p = pool.nextFree(p + 1)) {
      store<u32>(this.list + ((<usize>to) << 2), load<u32>(pool.samples + ((<usize>p) << 2)));
      to++;
    }
    const n = to - this.at;
    memory.copy(this.list + ((<usize>(this.last - n)) << 2), this.list + ((<usize>this.at) << 2), (<usize>n) << 2);
    return this.last - n;
  }

  @inline
  private record(p: i32): v128 {
    const frame = this.frame;
    return v128.and(v128.load(this.pool.records + ((<usize>p) << frame.shift)), frame.mask);
  }

  @inline
  private more(p: i32): v128 {
    return this.frame.wide ? v128.load(this.pool.records + ((<usize>p) << 5), 16) : i32x4.splat(0);
  }

  @inline
  private exceeds(r0: v128, r1: v128): bool {
    return i32x4.bitmask(v128.or(r0, r1)) != 0;
  }

  @inline
  private put(sample: u32): void {
    store<u32>(this.order + ((<usize>this.length) << 2), sample);
    this.length++;
  }

  /** Streams samples into the group until it is nearly full, or one does not fit. */
  private draw(): void {
    const frame = this.frame;
    const shift = <usize>frame.shift;
    const mask = frame.mask;
    const wide = frame.wide;
    let r0 = frame.full0;
    let r1 = frame.full1;
    const gathered = (changetype<usize>(this) + offsetof<Stream>() + 15) & ~15;
    const little = this.stop >> 2;
    let begun = false;
    while (this.at < this.end) {
      if (this.at == this.to) {
        this.from = this.at;
        this.to = min(this.end, this.at + BLOCK);
        frame.write(this.list + ((<usize>this.at) << 2), this.to - this.at, gathered);
      }
      const record = gathered + ((<usize>(this.at - this.from)) << shift);
      const a0 = i32x4.sub(r0, v128.and(v128.load(record), mask));
      const a1 = wide ? i32x4.sub(r1, v128.load(record, 16)) : r1;
      if (this.exceeds(a0, a1)) break;
      // A little room is harder to fill than more: leave it with this sample's.
      const after = i32x4.extract_lane(a0, 0);
      if (after < little && after > this.waste && begun) break;
      begun = true;
      r0 = a0;
      r1 = a1;
      this.put(load<u32>(this.list + ((<usize>this.at) << 2)));
      this.at++;
      if (after < this.stop) break;
    }
    this.room0 = r0;
    this.room1 = r1;
  }

  /** Looks up the reserve's sample that leaves least of a room. */
  @inline
  private lookUp(r0: v128, r1: v128, y: i32): void {
    const pool = this.pool;
    let p = pool.lastFree(pool.firstAbove(0, i32x4.extract_lane(r0, 0)) - 1);
    for (let i = 0; i < 3 && p >= 0; i++, p = pool.lastFree(p - 1)) {
      if (p == y) continue;
      const a0 = i32x4.sub(r0, this.record(p));
      if (this.exceeds(a0, i32x4.sub(r1, this.more(p)))) continue;
      const room = i32x4.extract_lane(a0, 0);
      if (room >= this.bestRoom) return;
      this.bestRoom = room;
      this.bestY = y;
      this.bestZ = p;
      return;
    }
  }

  @inline
  private takeOut(p: i32): void {
    const pool = this.pool;
    this.room0 = i32x4.sub(this.room0, this.record(p));
    this.room1 = i32x4.sub(this.room1, this.more(p));
    pool.takeOut(p);
    this.put(load<u32>(pool.samples + ((<usize>p) << 2)));
    this.reserve--;
  }

  /** Completes the group from the reserve, a sample or a pair at a time. */
  private complete(): void {
    const pool = this.pool;
    const random = Random.of(this.randomAt);
    for (let round = 0; round < ROUNDS; round++) {
      const r0 = this.room0;
      const r1 = this.room1;
      const room = i32x4.extract_lane(r0, 0);
      if (room <= this.waste) return;
      this.bestRoom = room;
      this.bestY = -1;
      this.bestZ = -1;
      this.lookUp(r0, r1, -1);
      for (let i = 0; i < TRIES && this.bestRoom > this.waste; i++) {
        const y = pool.nextFree(this.something + random.below(pool.size - this.something));
        if (y >= pool.size) continue;
        const a0 = i32x4.sub(r0, this.record(y));
        const a1 = i32x4.sub(r1, this.more(y));
        if (this.exceeds(a0, a1)) continue;
        this.lookUp(a0, a1, y);
      }
      if (this.bestZ < 0) return;
      if (this.bestY >= 0) this.takeOut(this.bestY);
      this.takeOut(this.bestZ);
    }
  }

  /** Makes a group; false when the stream or the reserve is at its end. */
  makeGroup(): bool {
    if (this.reserve <= this.least) return false;
    const at = this.at;
    const before = this.length;
    this.draw();
    if (this.at == this.end && i32x4.extract_lane(this.room0, 0) >= this.stop) {
      // The stream ends within a group: its samples are left to others.
      this.at = at;
      this.length = before;
      return false;
    }
    this.complete();
    this.groups++;
    this.unused += i32x4.extract_lane(this.room0, 0);
    store<u32>(this.ends + ((<usize>this.groups) << 2), this.length);
    return true;
  }
}

/** Bytes that a `Stream` takes. */
export const STREAM_BYTES: usize = offsetof<Stream>() + 64 * 32 + 32;
