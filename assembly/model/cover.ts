// Which layers to recompute: those with the least forward time that free enough memory.
//
// Recomputing a layer of a stage frees its bytes in every micro-batch in flight, and takes them once while the layer
// runs again; of all recomputed layers, the largest counts. So for each size D that may be the largest, only layers up
// to D are taken, and D more bytes must be freed: a covering knapsack, solved exactly by a list of (freed, time) pairs
// of which none is beaten in both, pruned by the bound of the fractional solution. A model's layers are alike, so lists
// are short: a few dozen pairs.

import { allocArray, mark, release } from "../base/memory";
import { f64At, i32At, putF64, putI32 } from "./arrays";

/** The most pairs in a list; the most that one search may look at, and all searches together. */
const MOST: i32 = 16384;
const WORK: f64 = 1e6;
const ALL_WORK: f64 = 3e7;
/** What a search may look at once all of that is spent. */
const LEAST_WORK: f64 = 4096;
/** The most items chosen in all pairs together, if the choice is wanted. */
const CHOICES: i32 = 1 << 20;

/** How many searches were cut short by these limits: what they found may not be minimal. */
export let cutShort: i32 = 0;
let workLeft: f64 = 0;
/** Whether memory ran out for a list. */
export let failed: bool = false;

/** Items by ascending time per byte: the layer, bytes freed in flight, bytes taken once, forward time. */
let itemLayer: usize = 0;
let itemFrees: usize = 0;
let itemOnce: usize = 0;
let itemTime: usize = 0;
let items: i32 = 0;

/** The items for one D: the item's index, and the sums before it. */
let pick: usize = 0;
let freesBefore: usize = 0;
let timeBefore: usize = 0;
let picks: i32 = 0;

/** Two lists: freed, time, and the last choice. */
let lists: usize = 0;
/** i32[CHOICES][2]: item, and the choice before it. */
let choices: usize = 0;
let choiceCount: i32 = 0;

/** The best so far: its time, and either a choice or a greedy solution, u8[items]. */
let best: f64 = 0;
let bestChoice: i32 = -1;
let greedy: usize = 0;

/** Makes room for up to `n` items; false if out of memory. */
export function openCover(n: i32): bool {
  cutShort = 0;
  workLeft = ALL_WORK;
  failed = false;
  itemLayer = allocArray(<usize>n, 4);
  itemFrees = allocArray(<usize>n, 8);
  itemOnce = allocArray(<usize>n, 8);
  itemTime = allocArray(<usize>n, 8);
  pick = allocArray(<usize>n, 4);
  freesBefore = allocArray(<usize>n + 1, 8);
  timeBefore = allocArray(<usize>n + 1, 8);
  greedy = allocArray(<usize>n, 1);
  lists = allocArray(<usize>MOST * 2, 20);
  return (
    itemLayer != 0 &&
    itemFrees != 0 &&
    itemOnce != 0 &&
    itemTime != 0 &&
    pick != 0 &&
    freesBefore != 0 &&
    timeBefore != 0 &&
    greedy != 0 &&
    lists != 0
  );
}

export function clearItems(): void {
  items = 0;
}

/** Adds a layer that frees `frees` bytes; called in order of ascending time per byte. */
export function addItem(layer: i32, frees: f64, once: f64, time: f64): void {
  putI32(itemLayer, items, layer);
  putF64(itemFrees, items, frees);
  putF64(itemOnce, items, once);
  putF64(itemTime, items, time);
  items++;
}

/** Adds it at its place in that order. */
export function insertItem(layer: i32, frees: f64, once: f64, time: f64): void {
  let at = items++;
  for (; at > 0 && time * f64At(itemFrees, at - 1) < f64At(itemTime, at - 1) * frees; at--) {
    putI32(itemLayer, at, i32At(itemLayer, at - 1));
    putF64(itemFrees, at, f64At(itemFrees, at - 1));
    putF64(itemOnce, at, f64At(itemOnce, at - 1));
    putF64(itemTime, at, f64At(itemTime, at - 1));
  }
  putI32(itemLayer, at, layer);
  putF64(itemFrees, at, frees);
  putF64(itemOnce, at, once);
  putF64(itemTime, at, time);
}

/** The largest `once` below a limit; -1 if there is none. */
function largestBelow(limit: f64): f64 {
  let most: f64 = -1;
  for (let i = 0; i < items; i++) {
    const once = f64At(itemOnce, i);
    if (once < limit) most = max(most, once);
  }
  return most;
}

/** Picks the items up to D. */
function pickUpTo(largest: f64): void {
  picks = 0;
  let frees: f64 = 0;
  let time: f64 = 0;
  for (let i = 0; i < items; i++) {
    if (f64At(itemOnce, i) > largest) continue;
    putI32(pick, picks, i);
    putF64(freesBefore, picks, frees);
    putF64(timeBefore, picks, time);
    frees += f64At(itemFrees, i);
    time += f64At(itemTime, i);
    picks++;
  }
  putF64(freesBefore, picks, frees);
  putF64(timeBefore, picks, time);
}

/** Where `fractional` starts to look: a place among the picks at or before the one it looks for. */
let reach: i32 = 0;

/**
 * The least time in which picks from `from` on free `target` more bytes if one may be taken in part. They must suffice.
 */
function fractional(from: i32, target: f64): f64 {
  const goal = f64At(freesBefore, from) + target;
  while (f64At(freesBefore, reach) < goal) reach++;
  if (reach <= from) return 0;
  const last = reach - 1;
  const item = i32At(pick, last);
  const part = (goal - f64At(freesBefore, last)) / f64At(itemFrees, item);
  return f64At(timeBefore, last) - f64At(timeBefore, from) + part * f64At(itemTime, item);
}

/**
 * Takes items by ascending time per byte until enough is freed, then drops those that are not needed, the last first.
 */
function takeGreedily(target: f64): void {
  let end = 0;
  while (f64At(freesBefore, end) < target) end++;
  let spare = f64At(freesBefore, end) - target;
  let time = f64At(timeBefore, end);
  for (let t = end - 1; t >= 0; t--) {
    const item = i32At(pick, t);
    if (f64At(itemFrees, item) > spare) continue;
    spare -= f64At(itemFrees, item);
    time -= f64At(itemTime, item);
  }
  if (time >= best) return;
  best = time;
  bestChoice = -1;
  memory.fill(greedy, 0, items);
  spare = f64At(freesBefore, end) - target;
  for (let t = end - 1; t >= 0; t--) {
    const item = i32At(pick, t);
    if (f64At(itemFrees, item) > spare) store<u8>(greedy + <usize>item, 1);
    else spare -= f64At(itemFrees, item);
  }
}

function listAt(which: i32): usize {
  return lists + <usize>which * MOST * 20;
}

function putPair(list: usize, i: i32, freed: f64, time: f64, choice: i32): void {
  const at = list + <usize>i * 20;
  store<f64>(at, freed);
  store<f64>(at, time, 8);
  store<i32>(at, choice, 16);
}

/** Whether the search has hit a limit, and ends with the best so far. */
let overflow: bool = false;
let work: f64 = 0;

function choose(item: i32, before: i32): i32 {
  if (choices == 0) return -1;
  if (choiceCount == CHOICES) {
    overflow = true;
    return -1;
  }
  putI32(choices, choiceCount * 2, item);
  putI32(choices, choiceCount * 2 + 1, before);
  return choiceCount++;
}

/** Times are whole, so a gain is at least 1; a half leaves room for rounding. */
function isGain(time: f64): bool {
  return time < best - 0.5;
}

/** Looks for less time than `best` among the picks. */
function search(target: f64): void {
  let from = listAt(0);
  let to = listAt(1);
  putPair(from, 0, 0, 0, -1);
  let count = 1;
  for (let t = 0; t < picks && count > 0; t++) {
    work -= <f64>count * 2;
    if (work < 0) overflow = true;
    if (overflow) return;
    const item = i32At(pick, t);
    const frees = f64At(itemFrees, item);
    const time = f64At(itemTime, item);
    const all = f64At(freesBefore, picks);
    reach = t + 1;
    // Merges the list without and with this item, from the most freed down: a pair stays if it takes less time than all
    // those that free more.
    let a = count - 1;
    let b = count - 1;
    let out = 0;
    let least: f64 = Infinity;
    while (a >= 0 || b >= 0) {
      const freedA = a >= 0 ? load<f64>(from + <usize>a * 20) : -1;
      const timeA = a >= 0 ? load<f64>(from + <usize>a * 20, 8) : Infinity;
      const freedB = b >= 0 ? load<f64>(from + <usize>b * 20) + frees : -1;
      const timeB = b >= 0 ? load<f64>(from + <usize>b * 20, 8) + time : Infinity;
      const withItem = freedB > freedA || (freedB == freedA && timeB < timeA);
      const freed = withItem ? freedB : freedA;
      const spent = withItem ? timeB : timeA;
      const before = load<i32>(from + <usize>(withItem ? b : a) * 20, 16);
      if (withItem) b--;
      else a--;
      if (spent >= least) continue;
      least = spent;
      if (freed >= target) {
        if (!isGain(spent)) continue;
        const choice = withItem ? choose(item, before) : before;
        if (overflow) return;
        best = spent;
        bestChoice = choice;
        continue;
      }
      // Pairs that free less cannot reach the target even with all items that are left.
      if (f64At(freesBefore, t + 1) + target - freed > all) break;
      if (!isGain(spent + fractional(t + 1, target - freed))) continue;
      if (out == MOST) overflow = true;
      if (overflow) return;
      putPair(to, out++, freed, spent, withItem ? choose(item, before) : before);
      if (overflow) return;
    }
    // It was filled from the most freed down: reverse it.
    for (let i = 0, j = out - 1; i < j; i++, j--) {
      const x = to + <usize>i * 20;
      const freed = load<f64>(x);
      const spent = load<f64>(x, 8);
      const choice = load<i32>(x, 16);
      memory.copy(x, to + <usize>j * 20, 20);
      putPair(to, j, freed, spent, choice);
    }
    count = out;
    const swap = from;
    from = to;
    to = swap;
  }
}

/**
 * The least time of a set of items that frees `need` > 0 bytes plus what its largest item takes once; Infinity if there
 * is none. `chosen`: 0, or u8 per layer, set to 1 for the layers of the set.
 */
export function cover(need: f64, chosen: usize): f64 {
  best = Infinity;
  bestChoice = -1;
  const top = mark();
  choices = 0;
  choiceCount = 0;
  overflow = false;
  const given = chosen != 0 ? WORK : max(min(WORK, workLeft), LEAST_WORK);
  work = given;
  if (chosen != 0) {
    choices = allocArray(<usize>CHOICES * 2, 4);
    if (choices == 0) {
      failed = true;
      return Infinity;
    }
  }
  for (let largest = largestBelow(Infinity); largest >= 0; largest = largestBelow(largest)) {
    work -= <f64>items;
    if (work < 0) overflow = true;
    if (overflow) break;
    pickUpTo(largest);
    const target = need + largest;
    // With a smaller D, what the items can free drops at least as much as the target: no smaller D will do either.
    if (f64At(freesBefore, picks) < target) break;
    reach = 0;
    const bound = fractional(0, target);
    if (!isGain(bound)) continue;
    takeGreedily(target);
    if (isGain(bound)) search(target);
    if (overflow) break;
  }
  workLeft = max<f64>(workLeft - (given - work), 0);
  if (overflow) cutShort++;
  if (chosen != 0 && best < Infinity) {
    if (bestChoice >= 0) {
      for (let c = bestChoice; c >= 0; c = i32At(choices, c * 2 + 1)) {
        store<u8>(chosen + <usize>i32At(itemLayer, i32At(choices, c * 2)), 1);
      }
    } else {
      for (let i = 0; i < items; i++) {
        if (load<u8>(greedy + <usize>i) != 0) store<u8>(chosen + <usize>i32At(itemLayer, i), 1);
      }
    }
  }
  release(top);
  choices = 0;
  return best;
}
