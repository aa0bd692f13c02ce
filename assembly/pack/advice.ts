// Which bounds suit samples better. Bounds suit when a packing can fill both of them: the share of a bound that the best
// packing would fill is the load's sum over that of as many full groups as the lower bound says, whatever the packer.

import { allocArray, mark, release } from "../base/memory";
import { OK, OUT_OF_MEMORY } from "../base/status";
import { begin as beginLoads, push as pushLoads } from "../loads/loads";
import { bestKind, boundFound, findBounds } from "./bounds/bounds";
import { FULL_BELOW, ROUNDS, SEED } from "./defaults";
import * as isf from "./isf/vit-tokens";

/** Bounds of which no packing fills one to this share do not suit. */
const SUITABLE: f64 = 0.7;
/** Bounds are advised where a packing may fill either to this share, */
const GOOD: f64 = 0.75;
/** and the one that is filled less by so much more than any packing does now, */
const GAIN: f64 = 0.1;
/** and ISF does fill it by so much more: the lower bound may be far below what packers reach. */
const PROVEN_GAIN: f64 = 0.03;
/** ISF is tried on at most this many samples, with its usual rounds and seed. */
const TRIED: i32 = 100_000;
/** Of so few groups, how full they are is chance. */
const FEWEST_GROUPS: u32 = 10;
/** Room for groups whose tokens per tile differ from the mean. Below it both bounds bind, and neither is filled well. */
const MARGIN: f64 = 1.1;
/** No bound beyond this multiple of the given one is advised: a device would hardly take it. */
const MOST_TIMES: f64 = 4;
/** Largest samples that a bound is tried to hold, where the samples are too large to fill it. */
const MOST_LARGEST: f64 = 4;

/** Of the samples within some bounds: their sums, and the largest of each load. */
let sumVit: f64 = 0;
let sumTokens: f64 = 0;
let mostVit: f64 = 0;
let mostTokens: f64 = 0;
/** The share of each bound that the best packing fills at most. */
let fillVit: f64 = 0;
let fillTokens: f64 = 0;

/** What is advised, one or the other: pairs of bounds. */
export let count: i32 = 0;
const advised: usize = memory.data(2 * 8, 4);

export function vitOf(k: i32): i32 {
  return load<i32>(advised + ((<usize>k) << 3));
}

export function tokensOf(k: i32): i32 {
  return load<i32>(advised + ((<usize>k) << 3), 4);
}

/** Adds up the samples within bounds, and finds how full `groups` groups are. */
function look(vit: usize, tokens: usize, n: i32, maxVit: i32, maxTokens: i32, groups: u32): void {
  let vits: u64 = 0;
  let all: u64 = 0;
  let largestVit = 0;
  let largestTokens = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const v = load<i32>(vit + (i << 2));
    const t = load<i32>(tokens + (i << 2));
    if (v > maxVit || t > maxTokens) continue;
    vits += v;
    all += t;
    largestVit = max(largestVit, v);
    largestTokens = max(largestTokens, t);
  }
  sumVit = <f64>vits;
  sumTokens = <f64>all;
  mostVit = largestVit;
  mostTokens = largestTokens;
  fillVit = sumVit / (<f64>groups * <f64>maxVit);
  fillTokens = sumTokens / (<f64>groups * <f64>maxTokens);
}

/** f64[2] and u32[2]: the bounds and the columns of two loads. */
const maxima: usize = memory.data(2 * 8, 16);
const columns: usize = memory.data(2 * 4, 16);

/** The lower bound on groups that `lowerBound` found. */
let least: u32 = 0;

/** Finds the best lower bound on the groups of the samples, those beyond a bound left out. Returns a status. O(n). */
function lowerBound(vit: usize, tokens: usize, n: i32, maxVit: i32, maxTokens: i32): i32 {
  const before = mark();
  store<f64>(maxima, <f64>maxVit);
  store<f64>(maxima, <f64>maxTokens, 8);
  store<usize>(columns, vit);
  store<usize>(columns, tokens, 4);
  const loads = beginLoads(n, 2, maxima);
  let status = loads == 0 ? OUT_OF_MEMORY : pushLoads(loads, columns, 0, n);
  if (status == OK) status = findBounds(loads);
  if (status == OK) least = boundFound(bestKind());
  release(before);
  return status;
}

/** Tokens per tile, what holds the largest sample, the most that is advised, and the share that is reached at most now. */
let perTile: f64 = 0;
let needVit: f64 = 0;
let needTokens: f64 = 0;
let highestVit: f64 = 0;
let highestTokens: f64 = 0;
let reached: f64 = 0;

function tokensFor(vit: f64): f64 {
  return max(ceil(MARGIN * vit * perTile), needTokens);
}

function vitFor(tokens: f64): f64 {
  return max(ceil((MARGIN * tokens) / perTile), needVit);
}

/** How full ISF makes the bound that it fills less, on a part of the samples; 0 when out of memory. */
function fillByIsf(vit: usize, tokens: usize, n: i32, maxVit: i32, maxTokens: i32): f64 {
  const before = mark();
  const count = min(n, TRIED);
  const someVit = allocArray(count, 4);
  const someTokens = allocArray(count, 4);
  if (
    someVit == 0 ||
    someTokens == 0 ||
    isf.begin(count, maxVit, maxTokens, maxVit, max(maxTokens - FULL_BELOW, 0), SEED) != OK
  ) {
    release(before);
    return 0;
  }
  for (let k: usize = 0; k < <usize>count; k++) {
    // One of each stretch, by multiples of the golden ratio: every k-th may be of one source alone, of several in turn.
    const part = count < n ? <f64>(<u32>k * 0x9e3779b1) / 4294967296.0 : 0;
    const at = (<usize>(((<f64>k + part) * <f64>n) / <f64>count)) << 2;
    store<i32>(someVit + (k << 2), load<i32>(vit + at));
    store<i32>(someTokens + (k << 2), load<i32>(tokens + at));
  }
  isf.push(someVit, someTokens, count);
  for (let round = 1; round <= ROUNDS && isf.round(round == ROUNDS) > 0; ) round++;
  look(someVit, someTokens, count, maxVit, maxTokens, isf.groupsNow());
  release(before);
  return min(fillVit, fillTokens);
}

/** Advises bounds if they are near enough, packings may fill them, and ISF does. */
function propose(vit: usize, tokens: usize, n: i32, byVit: f64, byTokens: f64): void {
  if (byVit > highestVit || byTokens > highestTokens) return;
  const maxVit = <i32>byVit;
  const maxTokens = <i32>byTokens;
  if (lowerBound(vit, tokens, n, maxVit, maxTokens) != OK) return;
  look(vit, tokens, n, maxVit, maxTokens, least);
  if (min(fillVit, fillTokens) < max(GOOD, reached + GAIN)) return;
  if (fillByIsf(vit, tokens, n, maxVit, maxTokens) < reached + PROVEN_GAIN) return;
  const at = advised + ((<usize>count) << 3);
  store<i32>(at, maxVit);
  store<i32>(at, maxTokens, 4);
  count++;
}

/**
 * Finds what to advise for the samples, i32[n] each at `vit` and `tokens`, none negative, in place of `maxVit` and
 * `maxTokens`, of which `groups` is the lower bound on groups, 0 where it is not known. Nothing where they suit, where
 * there are fewer than ten groups or a load is 0 throughout, or where no bounds nearby would do. Every sample within the
 * bounds given is within those advised. Returns a status. O(n).
 */
export function advise(vit: usize, tokens: usize, n: i32, maxVit: i32, maxTokens: i32, groups: u32): i32 {
  count = 0;
  if (groups == 0) {
    const status = lowerBound(vit, tokens, n, maxVit, maxTokens);
    if (status != OK) return status;
    groups = least;
  }
  if (groups < FEWEST_GROUPS) return OK;
  // One group may be what is left over, whatever the bounds are.
  look(vit, tokens, n, maxVit, maxTokens, groups - 1);
  if (min(fillVit, fillTokens) >= SUITABLE || sumVit == 0 || sumTokens == 0) return OK;
  perTile = sumTokens / sumVit;
  needVit = max(mostVit, 1);
  needTokens = max(mostTokens, 1);
  highestVit = min(MOST_TIMES * <f64>maxVit, i32.MAX_VALUE);
  highestTokens = min(MOST_TIMES * <f64>maxTokens, i32.MAX_VALUE);
  reached = (min(fillVit, fillTokens) * <f64>(groups - 1)) / <f64>groups;
  const fewTokens = fillTokens < fillVit;
  if (max(fillVit, fillTokens) >= SUITABLE) {
    // One bound is well filled. More of it fills the other one too; or less of the other one does.
    const raised = fewTokens ? vitFor(maxTokens) : tokensFor(maxVit);
    const lowered = fewTokens ? tokensFor(maxVit) : vitFor(maxTokens);
    if (fewTokens) {
      propose(vit, tokens, n, raised, maxTokens);
      if (lowered < <f64>maxTokens) propose(vit, tokens, n, maxVit, lowered);
    } else {
      propose(vit, tokens, n, maxVit, raised);
      if (lowered < <f64>maxVit) propose(vit, tokens, n, lowered, maxTokens);
    }
  }
  // The samples are so large that groups end with room for none of them: bounds that hold some of the largest.
  for (let k: f64 = 2; k <= MOST_LARGEST && count == 0; k++) {
    const byVit = k * needVit;
    const byTokens = k * needTokens;
    if (fewTokens) propose(vit, tokens, n, byVit, tokensFor(byVit));
    if (count == 0) propose(vit, tokens, n, vitFor(byTokens), byTokens);
    if (count == 0 && !fewTokens) propose(vit, tokens, n, byVit, tokensFor(byVit));
  }
  return OK;
}
