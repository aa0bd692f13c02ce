// The steered packer. Where one bound binds, a stream makes most groups; a steered draw makes the others, and all where
// several bounds are tight. Long inputs go through in parts, what is left of one being added to the next: what is at work
// stays in the cache, and look-ups stay dense to the end.

import { allocArray, mark, release } from "../../base/memory";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../../base/status";
import { Loads } from "../../loads/loads";
import { FRAME_BYTES, Frame } from "./frame";
import { MAKER_BYTES, Maker } from "./groups";
import { POOL_BYTES, Pool } from "./pool";
import { Random } from "./random";
import { shuffle, shufflePart } from "./shuffle";
import { STREAM_BYTES, Stream } from "./stream";

/** Samples that are streamed at a time. */
const PART: i32 = 1048576;
/** Samples in a pool of the steered draw; up to half as many more where they are the last. */
const POOL: i32 = 131072;
/** The last pool is rebuilt once it is down to this share of its samples, and still has this many. */
const SHRINK: i32 = 3;
const FEW_SAMPLES: i32 = 256;

/** Deviations of a group's sum that a load must keep free to be left alone, at first and where that was not enough. */
export const REACH: f64 = 2.5;
export const FAR_REACH: f64 = 4;
/** What a stream may lose of the binding load's bound: more asks for a draw. */
const LOSS: f64 = 0.0005;
/** Groups that tell, so that a stream is given up early: so many, or a part of all. */
const EARLY: i32 = 1024;
const EARLY_PART: f64 = 0.05;

/** Groups per step. */
const STEP: i32 = 512;

/** Samples of all tries together, of efforts 0 to 3: short inputs are packed several times. */
const budgets: usize = memory.data<i32>([0, 32768, 1048576, 16777216]);
const MOST_TRIES: i32 = 64;
/** Samples tried to complete a group at most, of efforts 0 to 3. */
const completions: usize = memory.data<i32>([12, 24, 64, 192]);

/** Ways: a stream where one bound binds and a draw where that does not do; either of them alone, whatever it loses. */
export const ANY: i32 = 0;
export const STREAM: i32 = 1;
export const DRAW: i32 = 2;
/** A stream that is given up, without a packing, where it loses too much. */
export const GOOD_STREAM: i32 = 3;

// Phases.
const STREAMING: i32 = 0;
const DRAWING: i32 = 1;
const ENDED: i32 = 2;

/** A packing in the arena; released with the mark before it. */
@unmanaged
export class Steered {
  handle: usize;
  frameAt: usize;
  poolAt: usize;
  makerAt: usize;
  streamAt: usize;
  randomState: u64;
  seed: u32;
  effort: i32;
  way: i32;
  phase: i32;
  /** Tries begun, and whether the one at work began with a stream. */
  tries: i32;
  streamed: bool;
  /** About how many thousandths of the work are left. */
  ahead: i32;
  /** The arena before what a try takes. */
  before: usize;
  /** The linear bound. */
  bound: i32;
  /** u32[fitting]: samples in random order; those from `fresh` on are in no pool yet. */
  list: usize;
  fresh: i32;
  /** Where groups are there already: u32[restSize], the samples in none (0: all are to be packed); what the groups hold. */
  rest: usize;
  restSize: i32;
  keptSamples: i32;
  keptGroups: i32;
  /** How many samples a pool takes, and at how many it is rebuilt. */
  poolRoom: i32;
  renewAt: i32;
  /** The packing at work: u32 samples, and u32 where each group starts. */
  order: usize;
  ends: usize;
  /** The best of the tries before; its arrays are there where several tries may be. 0 groups: none. */
  bestGroups: i32;
  bestOrder: usize;
  bestEnds: usize;

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
    if (this.rest != 0) {
      memory.copy(to, this.rest, (<usize>this.restSize) << 2);
      shuffle(to, this.restSize, this.rest, this.randomAt);
      return;
    }
    for (let i = 0; i < loads.taken; i++) {
      store<u32>(to, i);
      to += (<usize>!loads.isOversize(i)) << 2;
    }
    shuffle(this.list, this.frame.fitting, this.order, this.randomAt);
  }

  /** Starts a try: with a stream where it may do, or with a draw. False when out of memory. */
  start(stream: bool): bool {
    release(this.before);
    const frame = this.frame;
    if (this.tries == 0) {
      frame.measure(this.handle);
      if (this.rest != 0) frame.narrow(this.restSize);
    }
    this.streamed = stream && frame.within(REACH) == 1;
    frame.arrange(this.streamed ? REACH : FAR_REACH);
    const n = frame.fitting;
    this.poolRoom = n <= POOL + POOL / 2 ? n : POOL;
    const room = this.streamed ? max(this.poolRoom, Stream.reserveOf(min(n, PART), frame)) : this.poolRoom;
    if (!this.pool.open(this.frameAt, room)) return false;
    const maker = this.maker;
    if (!maker.open(this.frameAt, this.poolAt, this.randomAt, this.poolRoom)) return false;
    maker.mostTries = load<i32>(completions + ((<usize>this.effort) << 2));
    this.tries++;
    Random.of(this.randomAt).start(this.seed, this.tries);
    this.fillList();
    maker.order = this.order;
    maker.ends = this.ends;
    store<u32>(this.ends + ((<usize>this.keptGroups) << 2), this.keptSamples);
    if (n == 0) this.phase = ENDED;
    else if (!this.streamed) this.startDraw(0, this.keptSamples, this.keptGroups);
    else {
      this.phase = STREAMING;
      const stream = this.stream;
      stream.open(this.frameAt, this.poolAt, this.randomAt, this.list, this.order, this.ends);
      stream.begin(0, min(n, PART));
    }
    return true;
  }

  /** The samples that a part left, and the next part; at the end a draw goes on with what is left. */
  private nextPart(): void {
    const stream = this.stream;
    const n = this.frame.fitting;
    const from = stream.handBack();
    // Where most are left a stream is of no use, and another part would leave as many.
    if (stream.last == n || stream.last - from > PART / 2) {
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
    const n = frame.fitting;
    this.phase = DRAWING;
    this.fresh = from;
    maker.reset(length, groups);
    for (let i = from; i < n; i += this.poolRoom) {
      const many = min(n - i, this.poolRoom);
      frame.write(this.list + ((<usize>i) << 2), many, pool.newRecords);
      maker.count(pool.newRecords, many);
    }
    maker.settle();
    pool.size = 0;
    this.refill();
  }

  /** Makes a pool of what is left of the last one, and fresh samples. */
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
    this.renewAt = this.fresh < frame.fitting ? n / 2 : n / SHRINK > FEW_SAMPLES ? n / SHRINK : 0;
  }

  private stepStream(): i32 {
    const stream = this.stream;
    const early = min(EARLY, <i32>(EARLY_PART * this.frame.groups));
    const stop = stream.groups < early ? early : stream.groups + STEP;
    while (stream.groups < stop) {
      if (streamGroup(this.streamAt)) continue;
      this.nextPart();
      break;
    }
    // Groups that other bounds cut short, or that the reserve does not fill.
    if (this.way == STREAM || stream.groups < early || stream.loss() <= LOSS) return 1;
    if (this.way == GOOD_STREAM) return 0;
    return this.start(false) ? 1 : -OUT_OF_MEMORY;
  }

  private stepDraw(): i32 {
    const maker = this.maker;
    const fitting = this.frame.fitting;
    for (let i = 0; i < STEP && maker.left > 0; i++) {
      makeGroup(this.makerAt);
      if (maker.left - (fitting - this.fresh) < this.renewAt) this.refill();
    }
    return maker.left > 0 ? 1 : this.endTry();
  }

  /** Keeps the try if it is the best one, and goes on to the next one where that may help. */
  private endTry(): i32 {
    const groups = this.maker.groups;
    const better = this.bestGroups == 0 || groups < this.bestGroups;
    if (this.bestOrder != 0 && better) {
      const order = this.order;
      const ends = this.ends;
      this.order = this.bestOrder;
      this.ends = this.bestEnds;
      this.bestOrder = order;
      this.bestEnds = ends;
    }
    if (better) this.bestGroups = groups;
    this.phase = ENDED;
    if (this.bestGroups <= this.bound) return 0;
    const poor = this.streamed && <f64>groups > this.frame.groups * (1 + LOSS) + 1;
    const again = this.bestOrder != 0 && this.tries < this.mostTries();
    if (this.way == STREAM || this.way == GOOD_STREAM || !(poor || again)) return 0;
    if (this.bestOrder == 0) this.bestGroups = 0;
    return this.start(false) ? 1 : -OUT_OF_MEMORY;
  }

  /** Tries that the effort allows. */
  mostTries(): i32 {
    const budget = load<i32>(budgets + ((<usize>this.effort) << 2));
    return min(MOST_TRIES, budget / max(1, Loads.of(this.handle).taken));
  }

  step(): i32 {
    if (this.phase == ENDED) return 0;
    const more = this.phase == STREAMING ? this.stepStream() : this.stepDraw();
    if (more <= 0) this.phase = ENDED;
    if (more <= 0) return more;
    const left = this.phase == STREAMING ? this.frame.fitting - this.stream.length : this.maker.left;
    const share = <f64>left / <f64>max(1, this.frame.fitting);
    const tries = max(this.tries, this.mostTries());
    // A try more than planned must not turn progress back.
    const ahead = <i32>((1000 * (<f64>(tries - this.tries) + share)) / <f64>tries);
    this.ahead = max(1, min(this.ahead, ahead));
    return this.ahead;
  }
}

/** The makers of groups, exported so that they stay functions of their own that engines compile well after a few calls. */
export function makeGroup(maker: usize): void {
  Maker.of(maker).makeGroup();
}

export function streamGroup(stream: usize): bool {
  return Stream.of(stream).makeGroup();
}

/** What the last `begin` did: a status. */
export let beginStatus: i32 = OK;

/** Allocates a packer that lists up to n samples. 0 when out of memory. */
function allocate(n: i32): usize {
  const at = allocArray(offsetof<Steered>(), 1);
  const frameAt = allocArray(FRAME_BYTES, 1);
  const poolAt = allocArray(POOL_BYTES, 1);
  const makerAt = allocArray(MAKER_BYTES, 1);
  const streamAt = allocArray(STREAM_BYTES, 1);
  const list = allocArray(<usize>n + 1, 4);
  if (at == 0 || frameAt == 0 || poolAt == 0 || makerAt == 0 || streamAt == 0 || list == 0) return 0;
  memory.fill(at, 0, offsetof<Steered>());
  const packer = Steered.of(at);
  packer.frameAt = frameAt;
  packer.poolAt = poolAt;
  packer.makerAt = makerAt;
  packer.streamAt = streamAt;
  packer.list = list;
  packer.ahead = 1000;
  return at;
}

/**
 * Starts a packing of samples that have all been pushed. Effort: 0 quick, 1 normal, 2 long, 3 very long. Takes about 13 bytes
 * a sample from the arena, and 60 for each of up to 200,000. Returns the handle, or 0, and `beginStatus` says why.
 */
export function begin(handle: usize, seed: u32, effort: i32, way: i32): usize {
  const loads = Loads.of(handle);
  beginStatus = BAD_ARGUMENT;
  if (loads.taken != loads.count || effort < 0 || effort > 3 || way < ANY || way > GOOD_STREAM) return 0;
  beginStatus = OUT_OF_MEMORY;
  const before = mark();
  const n = loads.taken - loads.oversize;
  const at = allocate(n);
  if (at != 0) {
    const packer = Steered.of(at);
    packer.handle = handle;
    packer.seed = seed;
    packer.effort = effort;
    packer.way = way;
    packer.bound = <i32>loads.linearBound();
    packer.order = allocArray(<usize>n + 1, 4);
    packer.ends = allocArray(<usize>n + 1, 4);
    let enough = packer.order != 0 && packer.ends != 0;
    if (enough && packer.mostTries() > 1) {
      packer.bestOrder = allocArray(<usize>n + 1, 4);
      packer.bestEnds = allocArray(<usize>n + 1, 4);
      enough = packer.bestOrder != 0 && packer.bestEnds != 0;
      if (enough) store<u32>(packer.bestEnds, 0);
    }
    packer.before = mark();
    if (enough && packer.start(way != DRAW)) {
      beginStatus = OK;
      return at;
    }
  }
  release(before);
  return 0;
}

/**
 * Starts to pack the samples that `groups` groups of `samples` samples at order and ends have left, u32[size] at `rest`: their
 * groups are to follow there. Returns the handle, or 0, and `beginStatus` says why.
 */
export function beginRest(
  handle: usize,
  seed: u32,
  effort: i32,
  rest: usize,
  size: i32,
  order: usize,
  ends: usize,
  samples: i32,
  groups: i32,
): usize {
  const before = mark();
  const at = allocate(size);
  beginStatus = OUT_OF_MEMORY;
  if (at != 0) {
    const packer = Steered.of(at);
    packer.handle = handle;
    packer.seed = seed;
    packer.effort = effort;
    packer.way = STREAM;
    packer.rest = rest;
    packer.restSize = size;
    packer.keptSamples = samples;
    packer.keptGroups = groups;
    packer.order = order;
    packer.ends = ends;
    packer.before = mark();
    if (packer.start(false)) {
      beginStatus = OK;
      return at;
    }
  }
  release(before);
  return 0;
}

/**
 * A piece of work of some milliseconds. 0: all is done; positive: about how many thousandths are left; negative: a status
 * negated, and the packing has ended.
 */
export function step(at: usize): i32 {
  return Steered.of(at).step();
}

/**
 * Groups of the best packing, 0 where there is none, as after a stream given up; u32 sample indices, group after group;
 * u32[groups + 1] where each starts.
 */
export function groups(at: usize): i32 {
  return Steered.of(at).bestGroups;
}

export function order(at: usize): usize {
  const packer = Steered.of(at);
  return packer.bestOrder != 0 ? packer.bestOrder : packer.order;
}

export function offsets(at: usize): usize {
  const packer = Steered.of(at);
  return packer.bestOrder != 0 ? packer.bestEnds : packer.ends;
}

/** How many loads guide the packing. */
export function guides(at: usize): i32 {
  return Steered.of(at).frame.guides;
}
