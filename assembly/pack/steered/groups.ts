// Makes groups from a pool, one after another: a draw at random that keeps to the pool's mean direction, and a pair of
// samples that completes it.
//
// 1. Aim: the mean direction of what is left, as far as a bound allows. What other bounds keep free there is their slack.
// 2. Samples above half of a bound start groups, as often as there are such samples to the groups still to make.
// 3. Draw, oldest first, from a window over a shuffled deck. Taken is what keeps the room left within some spreads of the
//    mean direction, or brings it nearer; the others wait in the window, first in turn for the next group.
// 4. A room that is far off, as after a long text, takes what brings it nearest of all in the window instead.
// 5. About two samples from full, complete: for some samples y of the window, look up the z that fits best what y leaves.

import { allocArray } from "../../base/memory";
import { Frame } from "./frame";
import { Pool } from "./pool";
import { Random } from "./random";

/** Classes of samples: 16 ranges of the binding load (two to an octave) times 10 of the second one (an octave each). */
const CLASSES: i32 = 160;

/** A group is drawn until about this many mean samples are left to go. */
const LAST_SAMPLES: f32 = 2;
/**
 * A sample is taken if the room left stays within this many spreads of the mean direction, times sqrt(samples to go).
 */
const STEER: f64 = 0.55;
/** A room is far off at this many times the square of that, for two loads that guide. */
const FAR: f64 = 6;
/** Samples passed over in a draw before the one that strays least is taken. */
const PASSED: i32 = 96;
/** Samples at hand when the nearest one is looked for. */
const AT_HAND: i32 = 32;
/** Samples tried to complete a group where a good way is found; `mostTries` at most. */
const TRIES: i32 = 8;
/** Entries of the window that are gone through for them, of those that do not fit. */
const UNFIT: i32 = 128;
/** Samples looked at in a row, on either side of the one looked for. */
const PROBES: i32 = 2;
/** What may be lost of a group that is good. */
const GOOD: f32 = 0.0005;
/** Where more is lost, anything that fits is taken. */
const POOR: f32 = 0.02;
/** Departures in other loads count as much as the binding load's room when they are large against their slack. */
const SOFT_SLACK: f64 = 8;
const SOFT: f64 = 0.02;
/** What a class that is used up costs, times the square of samples in a group. */
const CLASS_PRICE: f64 = 2;
/** Large samples to a group up to which any bound tells them. */
const MOST_LARGE: f64 = 1.2;
/** Rounds of completing a group, but for one that is poor still. */
const ROUNDS: i32 = 6;

/** Entries of the window at most; the ring that they stand in. */
const WINDOW: i32 = 256;
const RING: i32 = 512;

@unmanaged
export class Maker {
  frameAt: usize;
  poolAt: usize;
  randomAt: usize;
  /** f32[8] each: slack; 1 / bound; what a departure of it is judged by; direction; 1 / spread. */
  slack0: v128;
  slack1: v128;
  share0: v128;
  share1: v128;
  soft0: v128;
  soft1: v128;
  slope0: v128;
  slope1: v128;
  spread0: v128;
  spread1: v128;
  /** i32[8]: what is left of the bounds of the group being made. */
  room0: v128;
  room1: v128;
  /** The binding load: mean of a sample, slack; slack of the second load. */
  mean: f32;
  slackFirst: i32;
  slackSecond: i32;
  /** Samples not taken yet. */
  left: i32;
  /** u32 positions in random order; how many there are and how many are drawn; the same of large samples. */
  deck: usize;
  deckSize: i32;
  deckAt: i32;
  large: usize;
  largeSize: i32;
  largeAt: i32;
  largeLeft: i32;
  credit: f64;
  /** i32[8]: half of each bound that tells large samples, the most there is for the others. */
  half0: v128;
  half1: v128;
  /** i32[8]: all ones in the lanes that guide. */
  guides0: v128;
  guides1: v128;
  /** The window, a ring: i32 positions and records of the samples drawn and not placed, from `head` to `tail`. */
  window: usize;
  windowRecords: usize;
  head: i32;
  tail: i32;
  /** Of the frame and the pool, for the inner loops. */
  records: usize;
  shift: usize;
  wide: bool;
  mask: v128;
  /** The packing being made: u32 samples, and u32 where each group ends. */
  order: usize;
  ends: usize;
  length: i32;
  groups: i32;
  start: i32;
  /** Samples tried to complete a group at most. */
  mostTries: i32;
  /** The best way to complete a group: its cost with and without the price of classes, positions (-1: none). */
  bestCost: f32;
  bestRaw: f32;
  bestY: i32;
  bestZ: i32;
  pricedAt: i32;
  firstOctave: i32;
  secondOctave: i32;
  /** Samples of all classes at the start. */
  all: i32;
  // After these: f64[8] sums of what is left; i32[CLASSES] samples at the start and now; f32[CLASSES] prices; i32[8]
  // samples above half of each bound.

  @inline
  static of(at: usize): Maker {
    return changetype<Maker>(at);
  }

  @inline
  get frame(): Frame {
    return Frame.of(this.frameAt);
  }

  @inline
  get pool(): Pool {
    return Pool.of(this.poolAt);
  }

  @inline
  get random(): Random {
    return Random.of(this.randomAt);
  }

  @inline
  private arrays(): usize {
    return changetype<usize>(this) + offsetof<Maker>();
  }

  @inline
  sum(lane: i32): f64 {
    return load<f64>(this.arrays() + ((<usize>lane) << 3));
  }

  @inline
  addSum(lane: i32, x: f64): void {
    const at = this.arrays() + ((<usize>lane) << 3);
    store<f64>(at, load<f64>(at) + x);
  }

  @inline
  private classAtStart(c: i32): usize {
    return this.arrays() + 64 + ((<usize>c) << 2);
  }

  @inline
  private classNow(c: i32): usize {
    return this.arrays() + 64 + (CLASSES << 2) + ((<usize>c) << 2);
  }

  @inline
  private classPrice(c: i32): usize {
    return this.arrays() + 64 + (CLASSES << 3) + ((<usize>c) << 2);
  }

  @inline
  private largeIn(lane: i32): usize {
    return this.arrays() + 64 + 12 * CLASSES + ((<usize>lane) << 2);
  }

  /** The record at a position, lanes 0 to 3. */
  @inline
  private record(p: i32): v128 {
    return v128.and(v128.load(this.records + ((<usize>p) << this.shift)), this.mask);
  }

  /** Lanes 4 to 7. */
  @inline
  private more(p: i32): v128 {
    return this.wide ? v128.load(this.records + ((<usize>p) << 5), 16) : i32x4.splat(0);
  }

  @inline
  private exceeds(r0: v128, r1: v128): bool {
    return i32x4.bitmask(v128.or(r0, r1)) != 0;
  }

  /** What a group costs that ends with this room: the unused share of the binding load, and departures in the others. */
  @inline
  private cost(r0: v128, r1: v128): f32 {
    const d0 = f32x4.mul(f32x4.sub(f32x4.convert_i32x4_s(r0), this.slack0), this.share0);
    const a0 = f32x4.abs(d0);
    let c = f32x4.div(f32x4.mul(a0, a0), f32x4.add(a0, this.soft0));
    if (this.wide) {
      const d1 = f32x4.mul(f32x4.sub(f32x4.convert_i32x4_s(r1), this.slack1), this.share1);
      const a1 = f32x4.abs(d1);
      c = f32x4.add(c, f32x4.div(f32x4.mul(a1, a1), f32x4.add(a1, this.soft1)));
    }
    c = f32x4.add(c, v128.shuffle<f32>(c, c, 2, 3, 0, 1));
    return f32x4.extract_lane(c, 0) + f32x4.extract_lane(c, 1);
  }

  /** How far a room is from the pool's direction, squared, in spreads of one sample. */
  @inline
  private mismatch(r0: v128, r1: v128): f32 {
    const d0 = f32x4.sub(f32x4.convert_i32x4_s(r0), this.slack0);
    const first = f32x4.splat(f32x4.extract_lane(d0, 0));
    const e0 = f32x4.mul(f32x4.sub(d0, f32x4.mul(first, this.slope0)), this.spread0);
    let m = f32x4.mul(e0, e0);
    if (this.wide) {
      const d1 = f32x4.sub(f32x4.convert_i32x4_s(r1), this.slack1);
      const e1 = f32x4.mul(f32x4.sub(d1, f32x4.mul(first, this.slope1)), this.spread1);
      m = f32x4.add(m, f32x4.mul(e1, e1));
    }
    m = f32x4.add(m, v128.shuffle<f32>(m, m, 2, 3, 0, 1));
    return f32x4.extract_lane(m, 0) + f32x4.extract_lane(m, 1);
  }

  /** The class of a sample with such loads. */
  @inline
  private classOf(a: i32, b: i32): i32 {
    const e = 31 - <i32>clz<u32>(a | 1);
    let c = a > 0 ? 2 * e + (e > 0 ? (a >> (e - 1)) & 1 : 0) - this.firstOctave : 0;
    c = max(0, min(15, c));
    const d = b > 0 ? 32 - <i32>clz<u32>(b) - this.secondOctave : 0;
    return c * 10 + max(0, min(9, d));
  }

  @inline
  private classAt(p: i32): i32 {
    const record = this.records + ((<usize>p) << this.shift);
    return this.classOf(load<i32>(record), load<i32>(record, 4));
  }

  /** Whether a sample is above half of a bound, of those that tell large samples. */
  @inline
  private isLarge(r0: v128, r1: v128): bool {
    return i32x4.bitmask(v128.or(i32x4.gt_s(r0, this.half0), i32x4.gt_s(r1, this.half1))) != 0;
  }

  /** Starts on samples whose sums and classes are counted by `count`. */
  reset(length: i32, groups: i32): void {
    memory.fill(this.arrays(), 0, MAKER_BYTES - offsetof<Maker>());
    this.left = 0;
    this.length = length;
    this.groups = groups;
    this.head = 0;
    this.tail = 0;
    this.deckSize = 0;
    this.deckAt = 0;
    this.largeSize = 0;
    this.largeAt = 0;
    this.largeLeft = 0;
    this.credit = 0;
    this.pricedAt = 0;
    const frame = this.frame;
    this.firstOctave = 2 * (31 - <i32>clz<u32>(frame.bound(0) | 1)) + 1 - 15;
    this.secondOctave = 32 - <i32>clz<u32>(frame.bound(1)) - 9;
    if (frame.guides < 2) this.secondOctave = 64;
    for (let lane = 0; lane < 8; lane++) {
      const guides = lane < frame.guides;
      this.setFloat(offsetof<Maker>("share0"), lane, guides ? 1 / <f32>frame.bound(lane) : 0);
      this.setFloat(offsetof<Maker>("spread0"), lane, guides && lane > 0 ? <f32>(1 / frame.spread(lane)) : 0);
      this.setFloat(offsetof<Maker>("soft0"), lane, 1);
      this.setFloat(offsetof<Maker>("slope0"), lane, 0);
      this.setFloat(offsetof<Maker>("slack0"), lane, 0);
      this.setHalf(lane, guides ? frame.bound(lane) >> 1 : i32.MAX_VALUE);
      store<i32>(changetype<usize>(this) + offsetof<Maker>("guides0") + ((<usize>lane) << 2), guides ? -1 : 0);
    }
  }

  @inline
  private setFloat(array: usize, lane: i32, x: f32): void {
    store<f32>(changetype<usize>(this) + array + ((<usize>lane) << 2), x);
  }

  /** Counts n samples that are to be packed, by their records; `settle` follows the last ones. */
  count(records: usize, n: i32): void {
    const frame = this.frame;
    const step = (<usize>1) << frame.shift;
    const end = records + <usize>n * step;
    for (let lane = 0; lane < frame.guides; lane++) {
      const half = frame.bound(lane) >> 1;
      let sum: i64 = 0;
      let large = 0;
      for (let record = records + ((<usize>lane) << 2); record < end; record += step) {
        const x = load<i32>(record);
        sum += x;
        large += i32(x > half);
      }
      this.addSum(lane, <f64>sum);
      const at = this.largeIn(lane);
      store<i32>(at, load<i32>(at) + large);
    }
    for (let record = records; record < end; record += step) {
      const c = this.classOf(load<i32>(record), load<i32>(record, 4));
      store<i32>(this.classAtStart(c), load<i32>(this.classAtStart(c)) + 1);
      store<i32>(this.classNow(c), load<i32>(this.classNow(c)) + 1);
      const r0 = v128.and(v128.load(record), this.mask);
      const r1 = this.wide ? v128.load(record, 16) : i32x4.splat(0);
      this.largeLeft += i32(this.isLarge(r0, r1));
    }
    this.left += n;
    this.all = this.left;
  }

  /** Ends the count: where there are many more large samples than groups, one bound alone tells them. */
  settle(): void {
    if (<f64>this.largeLeft <= MOST_LARGE * this.need()) return;
    let best = 0;
    for (let lane = 1; lane < this.frame.guides; lane++) {
      if (load<i32>(this.largeIn(lane)) > load<i32>(this.largeIn(best))) best = lane;
    }
    for (let lane = 0; lane < 8; lane++) if (lane != best) this.setHalf(lane, i32.MAX_VALUE);
    this.largeLeft = load<i32>(this.largeIn(best));
  }

  private setHalf(lane: i32, half: i32): void {
    store<i32>(changetype<usize>(this) + offsetof<Maker>("half0") + ((<usize>lane) << 2), half);
  }

  /** Groups that what is left needs by its sums. */
  private need(): f64 {
    let need: f64 = 0;
    for (let lane = 0; lane < this.frame.guides; lane++) {
      need = max(need, this.sum(lane) / <f64>this.frame.bound(lane));
    }
    return need;
  }

  /** Allocates for pools of up to n samples. False when out of memory. */
  open(frameAt: usize, poolAt: usize, randomAt: usize, n: i32): bool {
    this.frameAt = frameAt;
    this.poolAt = poolAt;
    this.randomAt = randomAt;
    this.deck = allocArray(<usize>n + 1, 4);
    this.large = allocArray(<usize>n + 1, 4);
    this.window = allocArray(RING, 4);
    this.windowRecords = allocArray((RING << this.frame.shift) + 16, 1);
    this.shift = this.frame.shift;
    this.wide = this.frame.wide;
    this.mask = this.frame.mask;
    return this.deck != 0 && this.large != 0 && this.window != 0 && this.windowRecords != 0;
  }

  /**
   * Takes the samples of the window and the free ones of the pool to where the next pool is made from; returns how many.
   */
  collect(): i32 {
    const pool = this.pool;
    const shift = this.shift;
    let n = 0;
    for (let i = this.head; i != this.tail; i++) {
      const p = this.windowPosition(i);
      if (!pool.isFree(p)) continue;
      memory.copy(pool.newRecords + ((<usize>n) << shift), pool.records + ((<usize>p) << shift), (<usize>1) << shift);
      store<u32>(pool.newSamples + ((<usize>n) << 2), load<u32>(pool.samples + ((<usize>p) << 2)));
      pool.takeOut(p);
      n++;
    }
    this.head = 0;
    this.tail = n;
    return pool.collect(n);
  }

  /** Makes the pool of n samples, the first of which are the window's, and shuffles a new deck. */
  renew(n: i32): void {
    const pool = this.pool;
    pool.build(n, this.window, this.tail);
    this.records = pool.records;
    for (let i = 0; i < this.tail; i++) this.copyRecord(i, this.windowPosition(i));
    const random = this.random;
    const deck = this.deck;
    for (let i = 0; i < n; i++) store<i32>(deck + ((<usize>i) << 2), i);
    for (let i = n - 1; i > 0; i--) {
      const a = deck + ((<usize>i) << 2);
      const b = deck + ((<usize>random.below(i + 1)) << 2);
      const x = load<i32>(a);
      store<i32>(a, load<i32>(b));
      store<i32>(b, x);
    }
    this.deckAt = 0;
    this.largeAt = 0;
    this.largeSize = 0;
    this.deckSize = 0;
    for (let i = 0; i < n; i++) {
      const p = load<i32>(deck + ((<usize>i) << 2));
      if (this.isLarge(this.record(p), this.more(p))) {
        store<i32>(this.large + <usize>(this.largeSize++ << 2), p);
      } else store<i32>(deck + <usize>(this.deckSize++ << 2), p);
    }
  }

  /** Where groups should end, and how departures from there are judged. */
  private aim(): void {
    const frame = this.frame;
    const guides = frame.guides;
    const need = this.need();
    const first = this.sum(0);
    for (let lane = 0; lane < guides; lane++) {
      const bound = <f64>frame.bound(lane);
      const slack = need > 0 ? max<f64>(0, bound - this.sum(lane) / need) : 0;
      const free = slack / bound;
      this.setFloat(offsetof<Maker>("slack0"), lane, <f32>slack);
      this.setFloat(offsetof<Maker>("soft0"), lane, free < 1e-3 ? 1e-30 : <f32>(SOFT_SLACK * free + SOFT));
      this.setFloat(offsetof<Maker>("slope0"), lane, first > 0 ? <f32>(this.sum(lane) / first) : 0);
    }
    this.slackFirst = <i32>f32x4.extract_lane(this.slack0, 0);
    this.slackSecond = <i32>f32x4.extract_lane(this.slack0, 1);
    this.mean = <f32>(first / <f64>max(1, this.left));
  }

  @inline
  private take(p: i32, w0: v128, w1: v128): void {
    const pool = this.pool;
    pool.takeOut(p);
    this.room0 = i32x4.sub(this.room0, w0);
    this.room1 = i32x4.sub(this.room1, w1);
    store<u32>(this.order + <usize>(this.length++ << 2), load<u32>(pool.samples + ((<usize>p) << 2)));
    this.left--;
    const now = this.classNow(this.classAt(p));
    store<i32>(now, load<i32>(now) - 1);
    this.largeLeft -= i32(this.isLarge(w0, w1));
  }

  /** Takes the next large sample; false when there is none. */
  private takeLarge(): bool {
    while (this.largeAt < this.largeSize) {
      const p = load<i32>(this.large + <usize>(this.largeAt++ << 2));
      if (!this.pool.isFree(p)) continue;
      this.take(p, this.record(p), this.more(p));
      return true;
    }
    return false;
  }

  /** Puts the next sample of the deck into the window; false when there is none, or no room. */
  private refill(): bool {
    if (this.tail - this.head >= WINDOW) return false;
    while (this.deckAt < this.deckSize) {
      const p = load<i32>(this.deck + ((<usize>this.deckAt) << 2));
      this.deckAt++;
      if (!this.pool.isFree(p)) continue;
      store<i32>(this.windowAt(this.tail), p);
      this.copyRecord(this.tail, p);
      this.tail++;
      return true;
    }
    return false;
  }

  @inline
  private windowAt(i: i32): usize {
    return this.window + ((<usize>(i & (RING - 1))) << 2);
  }

  @inline
  private windowRecordAt(i: i32): usize {
    return this.windowRecords + ((<usize>(i & (RING - 1))) << this.shift);
  }

  @inline
  private windowPosition(i: i32): i32 {
    return load<i32>(this.windowAt(i));
  }

  @inline
  private windowRecord(i: i32): v128 {
    return v128.and(v128.load(this.windowRecordAt(i)), this.mask);
  }

  @inline
  private windowMore(i: i32): v128 {
    return this.wide ? v128.load(this.windowRecordAt(i), 16) : i32x4.splat(0);
  }

  @inline
  private copy(from: usize, to: usize): void {
    if (this.shift == 3) store<u64>(to, load<u64>(from));
    else {
      v128.store(to, v128.load(from));
      if (this.wide) v128.store(to, v128.load(from, 16), 16);
    }
  }

  /** Copies the record of a position to entry i of the window. */
  @inline
  private copyRecord(i: i32, p: i32): void {
    this.copy(this.records + ((<usize>p) << this.shift), this.windowRecordAt(i));
  }

  /** Moves entry i of the window to place o. */
  @inline
  private keep(o: i32, i: i32): void {
    if (o == i) return;
    store<i32>(this.windowAt(o), this.windowPosition(i));
    this.copy(this.windowRecordAt(i), this.windowRecordAt(o));
  }

  /** Drops the entries o .. i - 1: what stands before them moves up. */
  private drop(o: i32, i: i32): void {
    while (o > this.head) this.keep(--i, --o);
    this.head = i;
  }

  /**
   * Takes the sample that brings the room nearest to the mean direction, of the window and of the ends of the pool's rows.
   * False where none does.
   */
  private takeNearest(now: f32): bool {
    while (this.tail - this.head < AT_HAND && this.refill()) {}
    let best = now;
    let found = -1;
    const r0 = this.room0;
    const r1 = this.room1;
    for (let i = this.head; i != this.tail; i++) {
      if (!this.pool.isFree(this.windowPosition(i))) continue;
      const a0 = i32x4.sub(r0, this.windowRecord(i));
      const a1 = i32x4.sub(r1, this.windowMore(i));
      if (this.exceeds(a0, a1)) continue;
      const m = this.mismatch(a0, a1);
      if (m >= best) continue;
      best = m;
      found = this.windowPosition(i);
    }
    const pool = this.pool;
    const room = i32x4.extract_lane(r0, 0);
    const rows = pool.rows > 1 ? pool.rows : 0;
    for (let row = 0; row < rows && pool.low(row) <= i32x4.extract_lane(r0, 1); row++) {
      const start = pool.start(row);
      let p = pool.lastFree(pool.firstAbove(row, room) - 1);
      for (let end = 0; end < 2; end++) {
        if (p >= start && p < pool.start(row + 1)) {
          const a0 = i32x4.sub(r0, this.record(p));
          const a1 = i32x4.sub(r1, this.more(p));
          if (!this.exceeds(a0, a1)) {
            const m = this.mismatch(a0, a1);
            if (m < best) {
              best = m;
              found = p;
            }
          }
        }
        p = pool.nextFree(start);
      }
    }
    if (found < 0) return false;
    this.take(found, this.record(found), this.more(found));
    return true;
  }

  /** Draws until about H mean samples are left to go; returns the first entry of the window that was not looked at. */
  private draw(): i32 {
    const pool = this.pool;
    const steered = this.frame.guides > 1;
    const mean = this.mean;
    const others = max<f64>(1, <f64>this.frame.guides - 1);
    const steer: f32 = mean > 0 ? <f32>(STEER * STEER * others * Math.sqrt(others)) / mean : 0;
    const far = steer * <f32>(FAR / others);
    const slack = f32x4.extract_lane(this.slack0, 0);
    const stop = LAST_SAMPLES * mean + slack;
    let i = this.head;
    let o = i;
    let passed = 0;
    let begun = this.length > this.start;
    let lost = false;
    let now: f32 = begun && steered ? this.mismatch(this.room0, this.room1) : 0;
    while (true) {
      if (begun && steered && !lost) {
        const togo = <f32>i32x4.extract_lane(this.room0, 0) - slack;
        if (now > far * max(togo, mean) && togo > LAST_SAMPLES * mean) {
          // What was passed over is looked at again.
          this.drop(o, i);
          i = this.head;
          o = i;
          lost = !this.takeNearest(now);
          now = this.mismatch(this.room0, this.room1);
          continue;
        }
      }
      if (i == this.tail && !this.refill()) {
        if (!begun && !this.takeLarge() && this.left > 0) {
          const p = pool.nextFree(0);
          if (p < pool.size) this.take(p, this.record(p), this.more(p));
        }
        break;
      }
      const p = this.windowPosition(i);
      if (!pool.isFree(p)) {
        i++;
        continue;
      }
      const w0 = this.windowRecord(i);
      const w1 = this.windowMore(i);
      const a0 = i32x4.sub(this.room0, w0);
      const a1 = i32x4.sub(this.room1, w1);
      let fits = !this.exceeds(a0, a1);
      const after = <f32>i32x4.extract_lane(a0, 0);
      if (begun && fits && after < stop - mean && <f32>i32x4.extract_lane(this.room0, 0) < stop + mean) break;
      if (fits && steered) {
        const m = this.mismatch(a0, a1);
        if (begun && m > now && m > steer * max(after - slack, mean)) fits = false;
        else now = m;
      }
      if (fits) {
        this.take(p, w0, w1);
        begun = true;
        i++;
        if (after < stop) break;
        continue;
      }
      this.keep(o++, i++);
      if (++passed < PASSED) continue;
      // Nothing that keeps to the direction: what strays least.
      this.drop(o, i);
      i = this.head;
      o = i;
      passed = 0;
      if (!this.takeNearest(f32.MAX_VALUE)) break;
      now = this.mismatch(this.room0, this.room1);
      if (<f32>i32x4.extract_lane(this.room0, 0) < stop) break;
    }
    this.drop(o, i);
    return i;
  }

  /** Notes a way to complete the group, y and z taken, if it is the best so far; `price` is that of y. */
  @inline
  private consider(a0: v128, a1: v128, y: i32, z: i32, price: f32): void {
    const raw = this.cost(a0, a1);
    let c = raw + price;
    if (c >= this.bestCost) return;
    if (z >= 0) c += load<f32>(this.classPrice(this.classAt(z)));
    if (c >= this.bestCost) return;
    this.bestCost = c;
    this.bestRaw = raw;
    this.bestY = y;
    this.bestZ = z;
  }

  /** Looks up the free samples that bring a room nearest to where groups should end. */
  private lookUp(r0: v128, r1: v128, y: i32, price: f32): void {
    const pool = this.pool;
    const room = i32x4.extract_lane(r0, 0);
    const want = max(0, room - this.slackFirst);
    let middle = 0;
    if (pool.rows > 1) {
      const second = i32x4.extract_lane(r0, 1);
      middle = pool.rowOf(max(0, second - this.slackSecond));
    }
    for (let d = 0; d < 3; d++) {
      const row = middle + (d == 0 ? 0 : d == 1 ? -1 : 1);
      if (row < 0 || row >= pool.rows) continue;
      const e = pool.firstAbove(row, want);
      const start = pool.start(row);
      let p = pool.lastFree(e - 1);
      for (let i = 0; i < PROBES && p >= start; i++, p = pool.lastFree(p - 1)) {
        if (p == y) continue;
        const a0 = i32x4.sub(r0, this.record(p));
        const a1 = i32x4.sub(r1, this.more(p));
        if (!this.exceeds(a0, a1)) this.consider(a0, a1, y, p, price);
      }
      if (want >= room) continue;
      const stop = pool.start(row + 1);
      p = pool.nextFree(e);
      for (let i = 0; i < PROBES && p < stop; i++, p = pool.nextFree(p + 1)) {
        if (p == y) continue;
        const a0 = i32x4.sub(r0, this.record(p));
        const a1 = i32x4.sub(r1, this.more(p));
        if (!this.exceeds(a0, a1)) this.consider(a0, a1, y, p, price);
      }
    }
  }

  /** Where nothing is near but much is left: the sample of all rows that leaves the least of the binding load. */
  private takeAnything(): bool {
    const pool = this.pool;
    const r0 = this.room0;
    const r1 = this.room1;
    const room = i32x4.extract_lane(r0, 0);
    let least = i32.MAX_VALUE;
    let found = -1;
    for (let row = 0; row < pool.rows; row++) {
      if (pool.rows > 1 && pool.low(row) > i32x4.extract_lane(r0, 1)) break;
      const start = pool.start(row);
      let p = pool.lastFree(pool.firstAbove(row, room) - 1);
      for (let i = 0; i < 4 && p >= start; i++, p = pool.lastFree(p - 1)) {
        const a0 = i32x4.sub(r0, this.record(p));
        if (this.exceeds(a0, i32x4.sub(r1, this.more(p)))) continue;
        const after = i32x4.extract_lane(a0, 0);
        if (after >= least) continue;
        least = after;
        found = p;
      }
    }
    if (found < 0) return false;
    this.take(found, this.record(found), this.more(found));
    return true;
  }

  /** Completes the group, a sample or a pair at a time. */
  private complete(from: i32): void {
    const pool = this.pool;
    const mostTries = this.mostTries;
    for (let round = 0; ; round++) {
      const r0 = this.room0;
      const r1 = this.room1;
      const before = this.cost(r0, r1);
      if (round > 0 && before < (round < ROUNDS ? GOOD : POOR)) break;
      this.bestCost = before;
      this.bestRaw = before;
      this.bestY = -1;
      this.bestZ = -1;
      this.lookUp(r0, r1, -1, 0);
      let tried = 0;
      for (let j = round == 0 ? from : this.head; tried < mostTries; j++) {
        if (tried >= TRIES && this.bestRaw < GOOD) break;
        if (j == this.tail && !this.refill()) break;
        const p = this.windowPosition(j);
        if (!pool.isFree(p)) continue;
        const w0 = this.windowRecord(j);
        const w1 = this.windowMore(j);
        const a0 = i32x4.sub(r0, w0);
        const a1 = i32x4.sub(r1, w1);
        if (this.exceeds(a0, a1)) {
          if (j - this.head > UNFIT) break;
          continue;
        }
        // What takes nothing of the loads that guide brings nothing.
        if (!v128.any_true(v128.or(v128.and(w0, this.guides0), v128.and(w1, this.guides1)))) continue;
        tried++;
        const price = load<f32>(this.classPrice(this.classAt(p)));
        this.consider(a0, a1, p, -1, price);
        this.lookUp(a0, a1, p, price);
      }
      if (this.bestY < 0 && this.bestZ < 0) {
        if (before <= POOR || !this.takeAnything()) break;
        continue;
      }
      const y = this.bestY;
      const z = this.bestZ;
      if (y >= 0) this.take(y, this.record(y), this.more(y));
      if (z >= 0) this.take(z, this.record(z), this.more(z));
    }
  }

  /** Prices classes by how far they are below their share of what is left. */
  private reprice(): void {
    const perGroup = <f64>this.frame.fitting / this.frame.groups;
    const weight = CLASS_PRICE / (perGroup * perGroup);
    const share = <f64>this.left / <f64>max(1, this.all);
    for (let c = 0; c < CLASSES; c++) {
      const start = load<i32>(this.classAtStart(c));
      if (start == 0) continue;
      const off = 1 - <f64>load<i32>(this.classNow(c)) / (<f64>start * share + 1e-9);
      store<f32>(this.classPrice(c), <f32>(weight * max<f64>(-1, min<f64>(1, off))));
    }
  }

  /** Makes a group. */
  makeGroup(): void {
    const frame = this.frame;
    this.room0 = frame.full0;
    this.room1 = frame.full1;
    this.start = this.length;
    this.aim();
    if (this.groups >= this.pricedAt) {
      this.reprice();
      this.pricedAt = this.groups + max(1, <i32>(this.sum(0) / <f64>frame.bound(0) / 64));
    }
    if (this.largeLeft > 0) {
      const need = this.need();
      this.credit += need > 0 ? <f64>this.largeLeft / need : 1;
      if (this.credit >= 1) {
        this.credit = min(this.credit - 1, 1.0);
        this.takeLarge();
      }
    }
    const from = this.draw();
    if (this.length > this.start) this.complete(from);
    for (let lane = 0; lane < frame.guides; lane++) {
      const room = load<i32>(changetype<usize>(this) + offsetof<Maker>("room0") + ((<usize>lane) << 2));
      this.addSum(lane, <f64>(room - frame.bound(lane)));
    }
    this.groups++;
    store<u32>(this.ends + ((<usize>this.groups) << 2), this.length);
  }
}

/** Bytes that a `Maker` takes. */
export const MAKER_BYTES: usize = offsetof<Maker>() + 64 + 12 * CLASSES + 32;
