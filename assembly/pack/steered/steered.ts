// The steered packer. Where one bound binds, a stream makes most groups; a steered draw makes the others, and all where
// several bounds are tight. Long inputs go through in parts, what is left of one being added to the next: what is at work
// stays in the cache, and look-ups stay dense to the end.

import { Loads } from "../../loads/loads";
import { allocArray, mark, release } from "../../memory";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../../status";
import { FRAME_BYTES, Frame, openFrame } from "./frame";
import { knobs, MAKER_BYTES, Maker } from "./groups";
import { POOL_BYTES, Pool } from "./pool";
import { Random } from "./random";
import { shuffle, shufflePart } from "./shuffle";
import { Stream, streamGroup } from "./stream";

/** Samples that are streamed at a time. */
const PART: i32 = 1048576;
/** Samples in a pool of the steered draw; up to half as many more where they are the last. */
const POOL: i32 = 131072;

/** Deviations of a group's sum that a load must keep free to be left alone, at first and where groups came out too many. */
const REACH: f64 = 2.5;
const FAR_REACH: f64 = 4;
/** Too many: this much over the linear bound. */
const TOO_MANY: f64 = 1.0005;

const STREAMING: i32 = 0;
const STEERING: i32 = 1;
const DONE: i32 = 2;

@unmanaged
export class Steered {
  handle: usize;
  frameAt: usize;
  poolAt: usize;
  makerAt: usize;
  streamAt: usize;
  randomState: u64;
  phase: i32;
  /** u32[fitting]: samples in random order; those from `fresh` on are in no pool yet. */
  list: usize;
  fresh: i32;
  /** Samples in the pool at which it is made anew. */
  renewAt: i32;
  poolRoom: i32;
  /** The packing: u32 samples, u32 where each group starts. */
  order: usize;
  ends: usize;
  /** Groups of the first try, where there is a second, and its arrays. */
  triedGroups: i32;
  triedOrder: usize;
  triedEnds: usize;

  @inline
  static of(at: usize): Steered {
    return changetype<Steered>(at);
  }

  @inline
  get maker(): Maker {
    return Maker.of(this.makerAt);
  }

  @inline
  get stream(): Stream {
    return Stream.of(this.streamAt);
  }

  @inline
  get pool(): Pool {
    return Pool.of(this.poolAt);
  }

  @inline
  get frame(): Frame {
    return Frame.of(this.frameAt);
  }

  @inline
  get randomAt(): usize {
    return changetype<usize>(this) + offsetof<Steered>("randomState");
  }

  /** Lists the samples that fit, in random order. */
  private fillList(): void {
    const loads = Loads.of(this.handle);
    let to = this.list;
    if (loads.oversize == 0) {
      for (let i = 0; i < loads.taken; i++, to += 4) store<u32>(to, i);
    } else {
      for (let i = 0; i < loads.taken; i++) {
        store<u32>(to, i);
        to += (<usize>!loads.isOversize(i)) << 2;
      }
    }
    shuffle(this.list, this.frame.fitting, this.order, this.randomAt);
  }

  /** Allocates for a packing with the guides that are set. False when out of memory. */
  open(): bool {
    const frame = this.frame;
    const n = frame.fitting;
    const random = changetype<usize>(this) + offsetof<Steered>("randomState");
    const poolSize = <i32>load<f64>(knobs + 104);
    this.poolRoom = n <= poolSize + poolSize / 2 ? n : poolSize;
    const most = frame.guides == 1 ? max(this.poolRoom, Stream.reserveOf(min(n, PART), frame)) : this.poolRoom;
    if (!this.pool.open(this.frameAt, most)) return false;
    if (!this.maker.open(this.frameAt, this.poolAt, random, this.poolRoom)) return false;
    const stream = this.stream;
    stream.frameAt = this.frameAt;
    stream.poolAt = this.poolAt;
    stream.randomAt = random;
    return true;
  }

  /** Starts a packing with the guides that are set. */
  start(): void {
    const frame = this.frame;
    const n = frame.fitting;
    this.fillList();
    store<u32>(this.ends, 0);
    if (n == 0) {
      this.phase = DONE;
      return;
    }
    if (frame.guides > 1) {
      this.startDraw(0, 0, 0);
      return;
    }
    this.phase = STREAMING;
    const stream = this.stream;
    stream.list = this.list;
    stream.order = this.order;
    stream.ends = this.ends;
    stream.length = 0;
    stream.groups = 0;
    stream.begin(0, min(n, PART));
  }

  /** The samples that a part left, and the next part; at the end a draw goes on with what is left. */
  private nextPart(): void {
    const stream = this.stream;
    const n = this.frame.fitting;
    const from = stream.handBack();
    const end = stream.last;
    if (end == n) {
      this.startDraw(from, stream.length, stream.groups);
      return;
    }
    const to = min(n, from + PART);
    shufflePart(this.list + ((<usize>from) << 2), to - from, this.randomAt);
    stream.begin(from, to);
  }

  /** Starts the steered draw on the samples of the list from `from` on. */
  private startDraw(from: i32, length: i32, groups: i32): void {
    const frame = this.frame;
    const maker = this.maker;
    const pool = this.pool;
    this.phase = STEERING;
    this.fresh = from;
    maker.order = this.order;
    maker.ends = this.ends;
    maker.reset(length, groups);
    const n = frame.fitting;
    for (let i = from; i < n; i += this.poolRoom) {
      const many = min(n - i, this.poolRoom);
      frame.write(this.list + ((<usize>i) << 2), many, pool.newRecords);
      maker.count(pool.newRecords, many);
    }
    pool.size = 0;
    this.refill();
  }

  /** Fills the pool: with what is left of it, and fresh samples. */
  private refill(): void {
    const maker = this.maker;
    const pool = this.pool;
    const frame = this.frame;
    const left = maker.collect();
    const more = min(this.poolRoom - left, frame.fitting - this.fresh);
    const samples = this.list + ((<usize>this.fresh) << 2);
    frame.write(samples, more, pool.newRecords + ((<usize>left) << frame.shift));
    memory.copy(pool.newSamples + ((<usize>left) << 2), samples, (<usize>more) << 2);
    this.fresh += more;
    const n = left + more;
    maker.renew(n);
    this.renewAt = this.fresh < frame.fitting ? n / 2 : <i32>(<f64>n / load<f64>(knobs + 96));
  }

  /** Goes on; returns how many samples are in no group. */
  step(groups: i32): i32 {
    const frame = this.frame;
    if (this.phase == STREAMING) {
      while (groups > 0) {
        if (!streamGroup(this.streamAt)) {
          this.nextPart();
          break;
        }
        groups--;
      }
      return this.phase == STREAMING ? frame.fitting - this.stream.length : this.maker.left;
    }
    if (this.phase == DONE) return 0;
    const maker = this.maker;
    while (groups > 0 && maker.left > 0) {
      makeGroup(this.makerAt);
      groups--;
      const inPool = maker.left - (frame.fitting - this.fresh);
      if (inPool < this.renewAt && (this.fresh < frame.fitting || inPool > 256)) this.refill();
    }
    return maker.left;
  }
}

/** Exported, so that it stays a function of its own that engines compile well after a few calls. */
export function makeGroup(maker: usize): void {
  Maker.of(maker).makeGroup();
}

export let beginStatus: i32 = OK;

export function begin(handle: usize, seed: u32): usize {
  const loads = Loads.of(handle);
  beginStatus = BAD_ARGUMENT;
  if (loads.taken != loads.count) return 0;
  beginStatus = OUT_OF_MEMORY;
  const before = mark();
  const at = allocArray(offsetof<Steered>(), 1);
  const frameAt = allocArray(FRAME_BYTES, 1);
  const poolAt = allocArray(POOL_BYTES, 1);
  const makerAt = allocArray(MAKER_BYTES, 1);
  const streamAt = allocArray(offsetof<Stream>(), 1);
  if (at == 0 || frameAt == 0 || poolAt == 0 || makerAt == 0 || streamAt == 0) {
    release(before);
    return 0;
  }
  const packer = Steered.of(at);
  packer.handle = handle;
  packer.frameAt = frameAt;
  packer.poolAt = poolAt;
  packer.makerAt = makerAt;
  packer.streamAt = streamAt;
  openFrame(frameAt, handle, load<f64>(knobs + 128));
  const n = Frame.of(frameAt).fitting;
  packer.list = allocArray(<usize>n + 1, 4);
  packer.order = allocArray(<usize>n + 1, 4);
  packer.ends = allocArray(<usize>n + 1, 4);
  if (packer.list == 0 || packer.order == 0 || packer.ends == 0 || !packer.open()) {
    release(before);
    return 0;
  }
  Random.of(packer.randomAt).start(seed, 1);
  beginStatus = OK;
  packer.start();
  return at;
}

export function step(at: usize, groups: i32): i32 {
  return Steered.of(at).step(groups);
}

export function groups(at: usize): i32 {
  return Steered.of(at).maker.groups;
}

export function order(at: usize): usize {
  return Steered.of(at).maker.order;
}

export function offsets(at: usize): usize {
  return Steered.of(at).maker.ends;
}

export function guides(at: usize): i32 {
  return Steered.of(at).frame.guides;
}

export function looks(at: usize): i32 {
  return Steered.of(at).maker.looks;
}

export function tries(at: usize): i32 {
  return Steered.of(at).maker.tries;
}

export function greedy(at: usize): i32 {
  return Steered.of(at).maker.greedy;
}

export function knobAt(i: i32): usize {
  return knobs + ((<usize>i) << 3);
}
