// The cost of layers i .. j - 1 as stage s of the pipeline: its time per micro-batch, recomputing what it must to fit.
//
// memory = parameters + in flight * (kept or held) + the largest (kept - held) among the recomputed layers, which is
// what recomputing takes on top. A run of layers never costs less than a run inside it, and never more in a later
// stage, which has fewer micro-batches in flight: partition.ts and search.ts rely on both.

import { allocArray } from "../base/memory";
import { i32At, putI32 } from "./arrays";
import { addItem, clearItems, cover, openCover } from "./cover";
import {
  forward,
  freed,
  heldBytes,
  inFlight,
  keptBytes,
  layers,
  memoryBound,
  micro,
  parameterBytes,
  plainTime,
  stages,
} from "./problem";

/** What is recomputed: nothing and memory is unlimited; nothing; everything; whatever is best; what `kinds` says. */
export const FREE: i32 = 0;
export const NONE: i32 = 1;
export const FULL: i32 = 2;
export const JOINT: i32 = 3;
export const GIVEN: i32 = 4;

export let mode: i32 = JOINT;

/** For GIVEN, u8[layers]: 0 never recomputed, 1 always, 2 if among the first `firstOf` of this kind in its stage. */
const ALWAYS: u8 = 1;
const COUNTED: u8 = 2;
let kinds: usize = 0;
/** u8[layers], to mark in when the caller does not want the choice. */
let marks: usize = 0;
let firstOf: i32 = 0;

/** i32[layers]: the layers whose recomputation frees bytes, by ascending time per byte. */
let byRatio: usize = 0;
let useful: i32 = 0;

/** Times found before, by (in flight, i, j): a hash table of one slot per hash, u64 keys and f64 values. */
let seen: usize = 0;
/** 2^64 over the golden ratio, in two halves: linters take a literal above 2^53 for an imprecise number. */
const SPREAD: u64 = ((<u64>0x9e3779b9) << 32) | 0x7f4a7c15;
let seenBits: i32 = 0;

function isBefore(a: i32, b: i32): bool {
  const left = forward(a) * freed(b);
  const right = forward(b) * freed(a);
  return left < right || (left == right && a < b);
}

/** Prepares for the problem. False if out of memory. */
export function openStages(): bool {
  byRatio = allocArray(<usize>layers, 4);
  marks = allocArray(<usize>layers, 1);
  if (byRatio == 0 || marks == 0 || !openCover(layers)) return false;
  useful = 0;
  for (let i = 0; i < layers; i++) {
    if (freed(i) <= 0) continue;
    let at = useful++;
    for (; at > 0 && isBefore(i, i32At(byRatio, at - 1)); at--) putI32(byRatio, at, i32At(byRatio, at - 1));
    putI32(byRatio, at, i);
  }
  const pairs = (<i64>layers * <i64>layers * <i64>min(stages, micro)) >> 1;
  seenBits = 8;
  while (seenBits < 18 && (<i64>1) << seenBits < pairs) seenBits++;
  seen = allocArray((<usize>1) << seenBits, 16);
  if (seen == 0) return false;
  setMode(JOINT, 0, 0);
  return true;
}

export function setMode(which: i32, kindsAt: usize, count: i32): void {
  mode = which;
  kinds = kindsAt;
  firstOf = count;
  memory.fill(seen, 0, (<usize>1) << (seenBits + 4));
}

/** Bytes of a stage that recomputes `recomputed`, u8[layers]. */
export function stageBytes(s: i32, i: i32, j: i32, recomputed: usize): f64 {
  let flying: f64 = 0;
  let once: f64 = 0;
  for (let l = i; l < j; l++) {
    if (load<u8>(recomputed + <usize>l) != 0) {
      flying += heldBytes(l, l + 1);
      once = max(once, freed(l));
    } else flying += keptBytes(l, l + 1);
  }
  return parameterBytes(i, j) + <f64>inFlight(s) * flying + once;
}

/** Its time per micro-batch. */
export function stageTimeOf(i: i32, j: i32, recomputed: usize): f64 {
  let time = plainTime(i, j);
  for (let l = i; l < j; l++) if (load<u8>(recomputed + <usize>l) != 0) time += forward(l);
  return time;
}

function timeByBestChoice(s: i32, i: i32, j: i32, chosen: usize): f64 {
  const plain = plainTime(i, j);
  const flying = <f64>inFlight(s);
  const need = parameterBytes(i, j) + flying * keptBytes(i, j) - memoryBound;
  if (need <= 0) return plain;
  // Not even with nothing kept, and nothing taken on top.
  if (parameterBytes(i, j) + flying * heldBytes(i, j) > memoryBound) return Infinity;
  clearItems();
  for (let r = 0; r < useful; r++) {
    const l = i32At(byRatio, r);
    if (l >= i && l < j) addItem(l, flying * freed(l), freed(l), forward(l));
  }
  return plain + cover(need, chosen);
}

/** Sets what the mode has stage i .. j - 1 recompute, u8 per layer; not for JOINT, whose choice depends on the stage. */
export function markGiven(i: i32, j: i32, recomputed: usize): void {
  let count = 0;
  for (let l = i; l < j; l++) {
    const kind: u8 = mode == FULL ? ALWAYS : mode == GIVEN ? load<u8>(kinds + <usize>l) : 0;
    store<u8>(recomputed + <usize>l, kind == ALWAYS || (kind == COUNTED && count++ < firstOf) ? 1 : 0);
  }
}

function timeAsGiven(s: i32, i: i32, j: i32, chosen: usize): f64 {
  markGiven(i, j, chosen);
  return stageBytes(s, i, j, chosen) <= memoryBound ? stageTimeOf(i, j, chosen) : Infinity;
}

function timeOf(s: i32, i: i32, j: i32, chosen: usize): f64 {
  if (mode == FREE) return plainTime(i, j);
  if (mode == JOINT) return timeByBestChoice(s, i, j, chosen);
  if (mode != NONE) return timeAsGiven(s, i, j, chosen != 0 ? chosen : marks);
  const bytes = parameterBytes(i, j) + <f64>inFlight(s) * keptBytes(i, j);
  return bytes <= memoryBound ? plainTime(i, j) : Infinity;
}

/** The shortest time per micro-batch with which the stage fits; Infinity if it cannot. */
export function stageTime(s: i32, i: i32, j: i32): f64 {
  if (mode < FULL) return timeOf(s, i, j, 0);
  const key = ((<u64>inFlight(s)) << 32) | ((<u64>i) << 16) | <u64>j;
  const place = <usize>((key * SPREAD) >> (64 - seenBits));
  const at = seen + (place << 4);
  if (load<u64>(at) == key) return load<f64>(at, 8);
  const time = timeOf(s, i, j, 0);
  store<u64>(at, key);
  store<f64>(at, time, 8);
  return time;
}

/** The same, and which layers are recomputed: sets those of the stage in `recomputed`, u8[layers]. */
export function stageChoice(s: i32, i: i32, j: i32, recomputed: usize): f64 {
  memory.fill(recomputed + <usize>i, 0, <usize>(j - i));
  return timeOf(s, i, j, recomputed);
}
