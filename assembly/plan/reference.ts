// The published samplers as they are, faults included: to compare with, and to take up a run that was begun with them.
// samplers.ts has what to use. Positions are (epoch, step); where the published code counts consumed groups, this is
// epoch * groups per epoch + step * ranks * micro.

import { allocArray, mark, release } from "../base/memory";
import { sortByKey } from "../base/sort";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../base/status";
import {
  deal,
  descendingKeys,
  fail,
  finish,
  open,
  order,
  permute,
  setWord,
  tokensOf,
  tokenWork,
  transpose,
  valid,
  word,
} from "./samplers";
import { parts, partUnits, units } from "./units";

/**
 * Every rank draws from its own block of the units for ever; the units after the last block are never drawn. Fewer
 * units than a step are refused, where the published code divides by zero.
 */
export function random(ranks: i32, micro: i32, seed: u32): i32 {
  if (!valid(ranks, micro) || units < ranks * micro) return BAD_ARGUMENT;
  const top = mark();
  const stepSize = ranks * micro;
  const block = (units / stepSize) * micro;
  const status = open(ranks, micro, <i64>block * ranks, 0);
  if (status != OK) return status;
  const scratchTop = mark();
  const drawn = allocArray(block, 4);
  if (drawn == 0) return fail(top, OUT_OF_MEMORY);
  permute(drawn, block, block, seed, 0);
  for (let i = 0; i < block; i++) {
    for (let r = 0; r < ranks; r++) {
      setWord(order, (i / micro) * stepSize + r * micro + (i % micro), <u32>(r * block) + word(drawn, i));
    }
  }
  release(scratchTop);
  return finish(top);
}

/**
 * One order for all epochs. Each step's units are sorted by tokens, descending, and dealt to the smallest sum, or taken in
 * strides where they do not divide by the ranks; the end is filled from the front, once at most, so that on small data
 * the ranks get different numbers of batches.
 */
export function lengthGroup(ranks: i32, micro: i32, seed: u32): i32 {
  if (!valid(ranks, micro) || units < 1) return BAD_ARGUMENT;
  const top = mark();
  const stepSize = ranks * micro;
  const padding = min<i64>((stepSize - (units % stepSize)) % stepSize, units);
  const status = open(ranks, micro, <i64>units + padding, 0);
  if (status != OK) return status;
  const scratchTop = mark();
  const drawn = allocArray(units, 4);
  const scratch = allocArray(units, 4);
  const keys = allocArray(units, 8);
  const work = allocArray(units, 8);
  const sums = allocArray(ranks, 8);
  const counts = allocArray(ranks, 4);
  if (drawn == 0 || scratch == 0 || keys == 0 || work == 0 || sums == 0 || counts == 0) return fail(top, OUT_OF_MEMORY);
  permute(drawn, units, units, seed, 0);
  tokenWork(work);
  descendingKeys(keys, work);
  for (let at = 0; at < units; at += stepSize) {
    const size = min(stepSize, units - at);
    const from = drawn + ((<usize>at) << 2);
    const to = order + ((<usize>at) << 2);
    sortByKey(from, size, keys, scratch);
    if (size % ranks == 0) {
      deal(from, to, ranks, size / ranks, 0, work, sums, counts);
    } else {
      for (let r = 0, k = 0; r < ranks; r++) {
        for (let i = r; i < size; i += ranks) setWord(to, k++, word(from, i));
      }
    }
    if (units - at <= stepSize) break;
  }
  for (let i = 0; i < <i32>padding; i++) setWord(order, units + i, word(order, i));
  release(scratchTop);
  return finish(top);
}

/**
 * The offset of a part is the size of the part before it alone. Epoch 0 runs through bins of ascending tokens, and what a
 * resumed run has done is cut off before that sort. Later epochs are not put into bins, and resumed inside they are empty.
 */
export function groupRandom(ranks: i32, micro: i32, epoch: u32, step: i32, bin: i32): i32 {
  if (!valid(ranks, micro) || step < 0 || bin < 1) return BAD_ARGUMENT;
  const top = mark();
  const stepSize = ranks * micro;
  let total: i64 = 0;
  for (let p = 0; p < parts; p++) {
    const n: i64 = word(partUnits, p);
    total += ((n + stepSize - 1) / stepSize) * stepSize;
  }
  if (total > i32.MAX_VALUE) return OUT_OF_MEMORY;
  const all = <i32>total;
  const from = <i32>min<i64>(<i64>step * stepSize, total);
  const left = epoch > 0 && from > 0 ? 0 : all - from;
  const status = open(ranks, micro, left, 0);
  if (status != OK) return status;
  const scratchTop = mark();
  const drawn = allocArray(all, 4);
  const shuffled = allocArray(all, 4);
  const turns = allocArray(all / stepSize, 4);
  const scratch = allocArray(all, 4);
  const keys = allocArray(units, 8);
  if (drawn == 0 || shuffled == 0 || turns == 0 || scratch == 0 || keys == 0) return fail(top, OUT_OF_MEMORY);
  let at = drawn;
  for (let p = 0; p < parts; p++) {
    const n = <i32>word(partUnits, p);
    const own = ((n + stepSize - 1) / stepSize) * stepSize;
    permute(at, n, own, epoch, p == 0 ? 0 : word(partUnits, p - 1));
    at += (<usize>own) << 2;
  }
  permute(turns, all / stepSize, all / stepSize, epoch + 10, 0);
  for (let s = 0; s < all / stepSize; s++) {
    const run = drawn + ((<usize>(<i32>word(turns, s) * stepSize)) << 2);
    memory.copy(shuffled + ((<usize>(s * stepSize)) << 2), run, (<usize>stepSize) << 2);
  }
  const rest = shuffled + ((<usize>from) << 2);
  if (epoch == 0) {
    for (let u = 0; u < units; u++) store<u64>(keys + ((<usize>u) << 3), tokensOf(u) / bin);
    sortByKey(rest, left, keys, scratch);
  }
  for (let s = 0; s < left / stepSize; s++) {
    const run = (<usize>(s * stepSize)) << 2;
    transpose(rest + run, order + run, ranks, micro);
  }
  release(scratchTop);
  return finish(top);
}
