// The steered packer: pools of samples, from which groups are made until nothing is left.

import { Loads } from "../../loads/loads";
import { allocArray, mark, release } from "../../memory";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../../status";
import { FRAME_BYTES, Frame, openFrame } from "./frame";
import { knobs, MAKER_BYTES, Maker } from "./groups";
import { POOL_BYTES, Pool } from "./pool";
import { Random } from "./random";

@unmanaged
export class Steered {
  handle: usize;
  frameAt: usize;
  poolAt: usize;
  makerAt: usize;
  randomState: u64;
  /** u32[fitting]: samples in random order; those from `fresh` on are in no pool yet. */
  list: usize;
  fresh: i32;
  /** Samples left at which the pool is made anew. */
  renewAt: i32;
  poolRoom: i32;

  @inline
  static of(at: usize): Steered {
    return changetype<Steered>(at);
  }

  @inline
  get maker(): Maker {
    return Maker.of(this.makerAt);
  }

  @inline
  get pool(): Pool {
    return Pool.of(this.poolAt);
  }

  @inline
  get frame(): Frame {
    return Frame.of(this.frameAt);
  }

  /** Fills the pool: with what is left of it, and fresh samples. */
  private refill(): void {
    const maker = this.maker;
    const pool = this.pool;
    const frame = this.frame;
    const shift = <usize>frame.shift;
    let n = maker.collect();
    while (n < this.poolRoom && this.fresh < frame.fitting) {
      const sample = load<u32>(this.list + <usize>(this.fresh++ << 2));
      frame.write(sample, pool.newRecords + ((<usize>n) << shift));
      store<u32>(pool.newSamples + ((<usize>n) << 2), sample);
      n++;
    }
    maker.renew(n);
    // Samples in the pool at which it is made anew: at a half while there are fresh ones, else at a part.
    this.renewAt = this.fresh < frame.fitting ? n / 2 : <i32>(<f64>n / load<f64>(knobs + 96));
  }

  begin(): void {
    const frame = this.frame;
    const loads = Loads.of(this.handle);
    const random = Random.of(changetype<usize>(this) + offsetof<Steered>("randomState"));
    const maker = this.maker;
    maker.reset();
    let n = 0;
    const record = this.pool.newRecords;
    for (let i = 0; i < loads.taken; i++) {
      if (loads.isOversize(i)) continue;
      store<u32>(this.list + <usize>(n++ << 2), i);
      frame.write(i, record);
      maker.count(record);
    }
    if (n > this.poolRoom) {
      for (let i = n - 1; i > 0; i--) {
        const a = this.list + ((<usize>i) << 2);
        const b = this.list + ((<usize>random.below(i + 1)) << 2);
        const x = load<i32>(a);
        store<i32>(a, load<i32>(b));
        store<i32>(b, x);
      }
    }
    this.fresh = 0;
    this.pool.size = 0;
    this.refill();
  }

  /** Makes up to so many groups; returns how many samples are left. */
  step(groups: i32): i32 {
    const maker = this.maker;
    const frame = this.frame;
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
  if (at == 0 || frameAt == 0 || poolAt == 0 || makerAt == 0) {
    release(before);
    return 0;
  }
  const packer = Steered.of(at);
  packer.handle = handle;
  packer.frameAt = frameAt;
  packer.poolAt = poolAt;
  packer.makerAt = makerAt;
  openFrame(frameAt, handle, load<f64>(knobs + 128));
  const frame = Frame.of(frameAt);
  const n = frame.fitting;
  const poolRoom = <i32>load<f64>(knobs + 104);
  packer.poolRoom = n <= poolRoom + poolRoom / 2 ? n : poolRoom;
  packer.list = allocArray(<usize>n + 1, 4);
  const randomAt = at + offsetof<Steered>("randomState");
  Random.of(randomAt).start(seed, 1);
  const maker = packer.maker;
  maker.order = allocArray(<usize>n + 1, 4);
  maker.ends = allocArray(<usize>n + 1, 4);
  if (
    packer.list == 0 ||
    maker.order == 0 ||
    maker.ends == 0 ||
    !packer.pool.open(frameAt, packer.poolRoom) ||
    !maker.open(frameAt, poolAt, randomAt, packer.poolRoom)
  ) {
    release(before);
    return 0;
  }
  store<u32>(maker.ends, 0);
  beginStatus = OK;
  packer.begin();
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
