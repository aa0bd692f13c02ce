// The balanced packing of K loads, its way chosen from the data.
//
// Two loads of which one has few values, as tiles do: the draw by maximum entropy, best fits and repairs (`balanced/`), after
// a stream where one bound binds alone, which is kept where it reaches the linear bound. All others: the steered packer.

import { groupsNow as balancedGroupsNow, begin as beginBalanced, step as stepBalanced } from "../balanced/driver";
import { Loads } from "../loads/loads";
import { allocArray, mark, release } from "../memory";
import * as packed from "../packing";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../status";
import { isCoarse } from "./steered/frame";
import {
  ANY,
  begin as beginSteered,
  bindsAlone,
  guides,
  STREAM,
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
const ENDED: i32 = 3;

/** A packing in the arena; released with the mark before it. */
@unmanaged
export class Packer {
  handle: usize;
  seed: u32;
  effort: i32;
  phase: i32;
  /** The two bounded loads of which the first has few values. */
  coarse: i32;
  other: i32;
  /** The steered packer, where it is at work or its packing is the best. */
  steered: usize;
  /** The best packing; 0 groups: none. */
  groups: i32;
  order: usize;
  offsets: usize;

  @inline
  static of(at: usize): Packer {
    return changetype<Packer>(at);
  }

  /** Whether the packer of two loads takes these: it sets which ones. */
  findPair(): bool {
    const loads = Loads.of(this.handle);
    if (loads.bounded != 2) return false;
    this.coarse = -1;
    this.other = -1;
    for (let k = 0; k < loads.columns; k++) {
      if (loads.bound(k) == 0) continue;
      if (loads.bound(k) >= <u64>i32.MAX_VALUE) return false;
      if (this.coarse < 0 && isCoarse(loads, k)) this.coarse = k;
      else this.other = k;
    }
    return this.coarse >= 0;
  }

  /** Starts the steered packer. Returns a status. */
  startSteered(way: i32): i32 {
    this.steered = beginSteered(this.handle, this.seed, this.effort, way);
    this.phase = way == STREAM ? STREAMED : STEERED;
    return steeredStatus;
  }

  /** Copies a load into i32[samples]; what is oversize comes out above the bound. 0 when out of memory. */
  private copy(k: i32): usize {
    const loads = Loads.of(this.handle);
    const at = allocArray(<usize>loads.taken + 1, 4);
    if (at == 0) return 0;
    for (let i = 0; i < loads.taken; i++) {
      const x = loads.isOversize(i) ? i32.MAX_VALUE : <i32>loads.value(i, k);
      store<i32>(at + ((<usize>i) << 2), x);
    }
    return at;
  }

  /** Starts the packer of two loads. Returns a status. */
  startBalanced(): i32 {
    const loads = Loads.of(this.handle);
    const rows = this.copy(this.coarse);
    const fine = this.copy(this.other);
    if (rows == 0 || fine == 0) return OUT_OF_MEMORY;
    const rowBound = <i32>loads.bound(this.coarse);
    this.phase = BALANCED;
    return beginBalanced(rows, fine, loads.taken, rowBound, <i32>loads.bound(this.other), this.seed, this.effort);
  }

  private keep(groups: i32, order: usize, offsets: usize): void {
    if (groups == 0 || (this.groups > 0 && groups >= this.groups)) return;
    this.groups = groups;
    this.order = order;
    this.offsets = offsets;
  }

  step(): i32 {
    if (this.phase == ENDED) return 0;
    const left = this.phase == BALANCED ? stepBalanced() : stepSteered(this.steered);
    if (left != 0) {
      if (left < 0) this.phase = ENDED;
      return left;
    }
    if (this.phase == BALANCED) this.keep(packed.groups, packed.order, packed.offsets);
    else this.keep(steeredGroups(this.steered), steeredOrder(this.steered), steeredOffsets(this.steered));
    const bound = <i32>Loads.of(this.handle).linearBound();
    const enough = this.phase != STREAMED || (this.groups > 0 && this.groups <= bound) || bound == 0;
    this.phase = ENDED;
    if (enough) return 0;
    const status = this.startBalanced();
    return status == OK ? 999 : -status;
  }

  groupsNow(): i32 {
    if (this.phase == ENDED) return this.groups;
    if (this.phase != BALANCED) return steeredGroups(this.steered);
    const now = balancedGroupsNow();
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
  if (!packer.findPair()) beginStatus = packer.startSteered(ANY);
  else if (bindsAlone(handle)) beginStatus = packer.startSteered(STREAM);
  else beginStatus = packer.startBalanced();
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

/** How it was packed: 0 by the steered packer, 1 by its stream, 2 by the packer of two loads. */
export function way(at: usize): i32 {
  const packer = Packer.of(at);
  if (packer.steered == 0 || packer.order != steeredOrder(packer.steered)) return BALANCED;
  return packer.phase == ENDED && guides(packer.steered) == 1 ? STREAMED : STEERED;
}
