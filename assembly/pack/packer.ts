// The balanced packing of K loads, its way chosen from the data.
//
// Two loads of which one has few values, as tiles do: the draw by maximum entropy, best fits and repairs (`balanced/`), after
// a stream where the other one binds alone, which is kept where it reaches the linear bound. All others: the steered packer; and
// where it stays far from the bound though one of the two tightest loads has few values, `balanced/` with these two, the
// groups that break another bound being packed again. Best fits are better too where nearly all that counts is large: one or
// two loads that the steered packer leaves very far from the bound go to `balanced/` as well.

import { allocArray, mark, release } from "../base/memory";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../base/status";
import { Loads } from "../loads/loads";
import { groupsNow as balancedGroupsNow, begin as beginBalanced, step as stepBalanced } from "./balanced/driver";
import { bestKind, boundFound, findBounds } from "./bounds/bounds";
import * as packed from "./packing";
import { FRAME_BYTES, Frame, isCoarse } from "./steered/frame";
import {
  ANY,
  beginRest,
  begin as beginSteered,
  GOOD_STREAM,
  guides,
  REACH,
  groups as steeredGroups,
  offsets as steeredOffsets,
  order as steeredOrder,
  beginStatus as steeredStatus,
  step as stepSteered,
} from "./steered/steered";

// Phases.
const STEERED: i32 = 0;
const STREAMED: i32 = 1;
const BALANCED: i32 = 2;
const MENDED: i32 = 3;
const ENDED: i32 = 4;

/** Steered groups over the linear bound that ask for the other way where a load has few values, and where none has. */
const FAR: f64 = 1.002;
const VERY_FAR: f64 = 1.02;
/** The same for a single load, which has but one bound to miss. */
const FAR_ALONE: f64 = 1.001;
/** Samples that may be left to pack again. */
const MOST_BROKEN: f64 = 0.4;

/** A packing in the arena; released with the mark before it. */
@unmanaged
export class Packer {
  handle: usize;
  seed: u32;
  effort: i32;
  phase: i32;
  /** The two tightest loads, one of few values first; `rows` is -1 where there is one load only. */
  rows: i32;
  fine: i32;
  /** Whether `balanced/` can take them, the first has few values, and the other's bound binds alone. */
  canBalance: bool;
  coarse: bool;
  alone: bool;
  /** The steered packer at work, or the last one. */
  steered: usize;
  /** About how many thousandths of the work are left. */
  ahead: i32;
  /** The best packing, and the phase that made it; 0 groups: none. */
  how: i32;
  groups: i32;
  order: usize;
  offsets: usize;

  @inline
  static of(at: usize): Packer {
    return changetype<Packer>(at);
  }

  /** Finds the two tightest loads, if `balanced/` can take them, and whether one has few values. Returns a status. */
  findPair(): i32 {
    const loads = Loads.of(this.handle);
    const before = mark();
    const at = allocArray(FRAME_BYTES, 1);
    if (at == 0) return OUT_OF_MEMORY;
    const frame = Frame.of(at);
    frame.measure(this.handle);
    frame.arrange(REACH);
    const binding = frame.column(0);
    const second = loads.bounded > 1 ? frame.column(1) : binding;
    const alone = frame.within(REACH) == 1;
    release(before);
    const a = min(binding, second);
    const b = max(binding, second);
    const most = <u64>i32.MAX_VALUE;
    this.canBalance = loads.bound(a) < most && loads.bound(b) < most;
    this.rows = loads.bounded > 1 ? a : -1;
    this.fine = b;
    if (!this.canBalance || loads.bounded == 1) return OK;
    if (isCoarse(loads, a)) this.coarse = true;
    else if (isCoarse(loads, b)) {
      this.coarse = true;
      this.rows = b;
      this.fine = a;
    }
    this.alone = alone && binding == this.fine;
    return OK;
  }

  /** Starts the steered packer. Returns a status. */
  startSteered(way: i32): i32 {
    this.steered = beginSteered(this.handle, this.seed, this.effort, way);
    this.phase = way == GOOD_STREAM ? STREAMED : STEERED;
    return steeredStatus;
  }

  /** Starts the packer of two loads; a load that is not there is 0. Returns a status. */
  startBalanced(): i32 {
    const loads = Loads.of(this.handle);
    const rows = allocArray(<usize>loads.taken + 1, 4);
    const fine = allocArray(<usize>loads.taken + 1, 4);
    if (rows == 0 || fine == 0) return OUT_OF_MEMORY;
    loads.copy(this.fine, fine);
    let rowBound = 1;
    if (this.rows >= 0) {
      loads.copy(this.rows, rows);
      rowBound = <i32>loads.bound(this.rows);
    } else memory.fill(rows, 0, (<usize>loads.taken) << 2);
    this.phase = BALANCED;
    return beginBalanced(rows, fine, loads.taken, rowBound, <i32>loads.bound(this.fine), this.seed, this.effort);
  }

  private keep(groups: i32, order: usize, offsets: usize, how: i32): void {
    if (groups == 0 || (this.groups > 0 && groups >= this.groups)) return;
    this.groups = groups;
    this.order = order;
    this.offsets = offsets;
    this.how = how;
  }

  /** Whether all bounds hold in the samples at .. end. */
  private holds(at: usize, end: usize): bool {
    const loads = Loads.of(this.handle);
    for (let k = 0; k < loads.columns; k++) {
      const bound = loads.bound(k);
      if (bound == 0 || k == this.rows || k == this.fine) continue;
      let sum: u64 = 0;
      for (let place = at; place < end; place += 4) sum += loads.value(load<u32>(place), k);
      if (sum > bound) return false;
    }
    return true;
  }

  /** Puts the groups of two loads that hold all bounds together, and starts to pack the samples of the others again. */
  private mend(): i32 {
    const loads = Loads.of(this.handle);
    const n = loads.taken - loads.oversize;
    const order = allocArray(<usize>n + 1, 4);
    const ends = allocArray(<usize>n + 1, 4);
    const rest = allocArray(<usize>n + 1, 4);
    if (order == 0 || ends == 0 || rest == 0) return OUT_OF_MEMORY;
    let samples = 0;
    let groups = 0;
    let broken = 0;
    store<u32>(ends, 0);
    for (let g: usize = 0; g < <usize>packed.groups; g++) {
      const at = packed.order + ((<usize>load<u32>(packed.offsets + (g << 2))) << 2);
      const end = packed.order + ((<usize>load<u32>(packed.offsets + (g << 2), 4)) << 2);
      if (this.holds(at, end)) {
        memory.copy(order + ((<usize>samples) << 2), at, end - at);
        samples += <i32>((end - at) >> 2);
        groups++;
        store<u32>(ends + ((<usize>groups) << 2), samples);
      } else {
        memory.copy(rest + ((<usize>broken) << 2), at, end - at);
        broken += <i32>((end - at) >> 2);
      }
    }
    if (broken == 0) {
      this.keep(groups, order, ends, BALANCED);
      return OK;
    }
    if (<f64>broken > MOST_BROKEN * <f64>n) return OK;
    this.steered = beginRest(this.handle, this.seed, this.effort, rest, broken, order, ends, samples, groups);
    this.phase = MENDED;
    return steeredStatus;
  }

  /** Goes on from a phase that is done. Returns a status. */
  private next(): i32 {
    const loads = Loads.of(this.handle);
    const bound = <i32>loads.linearBound();
    const phase = this.phase;
    this.phase = ENDED;
    if (phase == BALANCED) {
      if (loads.bounded > 2) return this.mend();
      this.keep(packed.groups, packed.order, packed.offsets, BALANCED);
      return OK;
    }
    this.keep(steeredGroups(this.steered), steeredOrder(this.steered), steeredOffsets(this.steered), phase);
    if (phase == MENDED || !this.canBalance) return OK;
    if (phase == STREAMED) return this.groups > 0 && this.groups <= bound ? OK : this.startBalanced();
    if (this.coarse) return <f64>this.groups <= FAR * <f64>bound + 1 ? OK : this.startBalanced();
    const far = loads.bounded == 1 ? FAR_ALONE : VERY_FAR;
    if (loads.bounded > 2 || <f64>this.groups <= far * <f64>bound + 1) return OK;
    // Far from the linear bound: from the best one too?
    const status = findBounds(this.handle);
    if (status != OK) return status;
    return <f64>this.groups <= far * <f64>boundFound(bestKind()) + 1 ? OK : this.startBalanced();
  }

  step(): i32 {
    if (this.phase == ENDED) return 0;
    const left = this.phase == BALANCED ? stepBalanced() : stepSteered(this.steered);
    if (left < 0) this.phase = ENDED;
    if (left < 0) return left;
    if (left == 0) {
      const status = this.next();
      if (status != OK) this.phase = ENDED;
      if (this.phase == ENDED) return -status;
    }
    // Another way must not turn progress back.
    if (left > 0) this.ahead = min(this.ahead, left);
    return this.ahead;
  }

  groupsNow(): i32 {
    if (this.phase == STEERED || this.phase == STREAMED) return steeredGroups(this.steered);
    const now = this.phase == BALANCED && Loads.of(this.handle).bounded == 2 ? balancedGroupsNow() : 0;
    return now > 0 && (this.groups == 0 || now < this.groups) ? now : this.groups;
  }
}

/** What the last `begin` did: a status. */
export let beginStatus: i32 = OK;

/**
 * Starts a packing of samples that have all been pushed. Effort: 0 quick, 1 normal, 2 long, 3 very long. Returns the handle,
 * or 0, and `beginStatus` says why.
 */
export function begin(handle: usize, seed: u32, effort: i32): usize {
  const loads = Loads.of(handle);
  beginStatus = BAD_ARGUMENT;
  if (loads.taken != loads.count || effort < 0 || effort > 3) return 0;
  beginStatus = OUT_OF_MEMORY;
  const before = mark();
  const at = allocArray(offsetof<Packer>(), 1);
  if (at == 0) return 0;
  memory.fill(at, 0, offsetof<Packer>());
  const packer = Packer.of(at);
  packer.handle = handle;
  packer.seed = seed;
  packer.effort = effort;
  packer.ahead = 1000;
  beginStatus = packer.findPair();
  if (beginStatus == OK) {
    if (!packer.coarse || loads.bounded > 2) beginStatus = packer.startSteered(ANY);
    else if (packer.alone) beginStatus = packer.startSteered(GOOD_STREAM);
    else beginStatus = packer.startBalanced();
  }
  if (beginStatus == OK) return at;
  release(before);
  return 0;
}

/**
 * A piece of work of some milliseconds. 0: all is done; positive: about how many thousandths are left; negative: a status
 * negated, and the packing has ended.
 */
export function step(at: usize): i32 {
  return Packer.of(at).step();
}

/** Groups of the best packing so far; 0 while there is none. */
export function groups(at: usize): i32 {
  return Packer.of(at).groupsNow();
}

/** Once all is done: u32 sample indices, group after group; u32[groups + 1] where each starts. */
export function order(at: usize): usize {
  return Packer.of(at).order;
}

export function offsets(at: usize): usize {
  return Packer.of(at).offsets;
}

/**
 * How it was packed: 0 by the steered packer, 1 by its stream alone, 2 by the packer of two loads, 3 by that, the groups that
 * broke other bounds packed again.
 */
export function way(at: usize): i32 {
  const packer = Packer.of(at);
  return packer.how == STEERED && guides(packer.steered) == 1 ? STREAMED : packer.how;
}
