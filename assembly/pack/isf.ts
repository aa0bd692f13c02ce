// ISF, Iterative Sampling and Filtering (paper, Algorithm 1): shuffle, Next-Fit, keep the groups that are full
// enough, and again with the samples of the others. Groups equal the reference's bit for bit, but that the last
// group of a round is closed even where the last sample drawn is oversize (the reference loses that group).

import { allocArray, mark, release } from "../base/memory";
import { seed as seedWords, shuffle } from "../base/mt19937";
import { BAD_ARGUMENT, failAt, NEGATIVE_TOKENS, NEGATIVE_VIT, OK, OUT_OF_MEMORY } from "../base/status";
import {
  BLOCK,
  groupAttention,
  groupSums,
  keepAll,
  keptGroups,
  keptSamples,
  looseGroups,
  looseSamples,
  nextFit,
  OVERSIZE,
  setBounds,
  startPacking,
  wide,
  word,
} from "./next-fit";
import { setAttention, setGroups, setLinearBound, setOversize } from "./packing";

/** Rounds done since `begin`. */
export let rounds: i32 = 0;

let firstSeed: u32 = 0;
let maxVit: i32 = 0;
let maxTokens: i32 = 0;
/** Samples announced to `begin`. */
let count: i32 = 0;
let loads: usize = 0;
/** u32[count]: kept groups first, then the loose samples. */
let order: usize = 0;
let spare: usize = 0;
/** A word per kept group: what is left of its bounds. */
let rooms: usize = 0;
let ends: usize = 0;
/** Samples in no kept group: those pushed so far, then those the last round left. */
let loose: i32 = 0;
let oversizeCount: i32 = 0;

let sumVit: u64 = 0;
let sumTokens: u64 = 0;

/** Writes each sample's word and place; counts what is oversize and adds up the rest. Returns a status. */
function buildBlock<T extends number>(vit: usize, tokens: usize, block: i32): i32 {
  const shift: usize = alignof<T>();
  for (let k: usize = 0; k < <usize>block; k++) {
    const v = load<i32>(vit + (k << 2));
    const t = load<i32>(tokens + (k << 2));
    if ((v | t) < 0) return failAt(v < 0 ? NEGATIVE_VIT : NEGATIVE_TOKENS, loose + <i32>k);
    const i = <usize>loose + k;
    const fits = v <= maxVit && t <= maxTokens;
    oversizeCount += i32(!fits);
    sumVit += fits ? v : 0;
    sumTokens += fits ? t : 0;
    store<T>(loads + (i << shift), fits ? <T>word(v, t) : <T>OVERSIZE);
    store<u32>(order + (i << 2), <u32>i);
  }
  loose += block;
  return OK;
}

/** `buildBlock` over u32 words. Exported, as the other inner loops, so that it is optimised within the first call. */
export function build32(vit: usize, tokens: usize, block: i32): i32 {
  return buildBlock<u32>(vit, tokens, block);
}

/** `buildBlock` over u64 words. */
export function build64(vit: usize, tokens: usize, block: i32): i32 {
  return buildBlock<u64>(vit, tokens, block);
}

function isOversize(sample: u32): bool {
  return wide
    ? load<u64>(loads + ((<usize>sample) << 3)) == OVERSIZE
    : load<u32>(loads + ((<usize>sample) << 2)) == <u32>OVERSIZE;
}

/** Takes the oversize samples out of order[0 .. n), keeping the order; returns what is left. */
function dropOversize(n: i32): i32 {
  let out = order;
  for (let k: usize = 0; k < <usize>n; k++) {
    const x = load<u32>(order + (k << 2));
    store<u32>(out, x);
    out += (<usize>!isOversize(x)) << 2;
  }
  return <i32>((out - order) >> 2);
}

/**
 * Starts a packing of n samples, which `push` then brings. Takes 20 bytes per sample from the arena (28 for wide
 * bounds); what no group comes to use is never touched.
 */
export function begin(n: i32, maxVitOf: i32, maxTokensOf: i32, minVit: i32, minTokens: i32, seed: u32): i32 {
  if (n < 0 || maxVitOf < 1 || maxTokensOf < 1) return BAD_ARGUMENT;
  const before = mark();
  maxVit = maxVitOf;
  maxTokens = maxTokensOf;
  setBounds(maxVit, maxTokens, minVit, minTokens);
  loads = allocArray(n, wide ? 8 : 4);
  order = allocArray(n, 4);
  spare = allocArray(n, 4);
  ends = allocArray(<usize>n + 1, 4);
  rooms = allocArray(n, wide ? 8 : 4);
  if (rooms == 0 || loads == 0 || order == 0 || spare == 0 || ends == 0) {
    release(before);
    return OUT_OF_MEMORY;
  }
  count = n;
  loose = 0;
  oversizeCount = 0;
  sumVit = 0;
  sumTokens = 0;
  rounds = 0;
  firstSeed = seed;
  startPacking();
  store<u32>(ends, 0);
  return OK;
}

/** The next `more` samples: i32 vit and tokens, not needed any more when this returns. Returns a status. */
export function push(vit: usize, tokens: usize, more: i32): i32 {
  if (more < 0 || more > count - loose || rounds > 0) return BAD_ARGUMENT;
  const end = loose + more;
  while (loose < end) {
    const block = min(end - loose, BLOCK);
    const status = wide ? build64(vit, tokens, block) : build32(vit, tokens, block);
    if (status != OK) return status;
    vit += (<usize>block) << 2;
    tokens += (<usize>block) << 2;
  }
  return OK;
}

/** Lists the oversize samples, once all samples are there. */
function listOversize(): i32 {
  const oversize = allocArray(oversizeCount, 4);
  if (oversize == 0) return OUT_OF_MEMORY;
  const end = oversize + ((<usize>oversizeCount) << 2);
  for (let i = 0, at = oversize; at < end; i++) {
    store<u32>(at, i);
    at += (<usize>isOversize(i)) << 2;
  }
  setOversize(oversize, oversizeCount);
  return OK;
}

/**
 * One round: round 0 draws with `seed`, round r >= 1 with seed + r - 1 (mod 2^32), as the reference does. The last
 * one keeps all groups, in the order they were drawn. Returns how many samples are left in groups that were not full
 * enough; at 0 no further round can change anything. O(samples left).
 */
export function round(last: bool): i32 {
  seedWords(rounds == 0 ? firstSeed : firstSeed + <u32>(rounds - 1));
  shuffle(order + (keptSamples << 2), loose);
  if (rounds == 0 && oversizeCount > 0) loose = dropOversize(loose);
  if (last) keepAll();
  nextFit(order, loose, loads, ends, rooms, spare);
  loose = <i32>looseSamples;
  rounds++;
  return loose;
}

/** Groups that there would be if the last round done had kept all of its groups. */
export function groupsNow(): i32 {
  return <i32>(keptGroups + looseGroups);
}

/**
 * Ends the packing and adds up its groups: 4 more bytes per oversize sample. Returns a status. Samples that a last
 * round has not placed are in no group.
 */
export function finish(): i32 {
  const groups = <i32>keptGroups;
  setLinearBound(sumVit, sumTokens, maxVit, maxTokens);
  if (listOversize() != OK) return OUT_OF_MEMORY;
  // The last pass is done with its spare array. Sums there take no new memory: first touches of pages and growing cost
  // a first call more than the sums do.
  groupSums(rooms, spare, rooms);
  setGroups(order, ends, groups, spare, rooms, 0);
  return OK;
}

/** Also adds up each group's tokens^2, once it is finished: 8 bytes per group at most, O(samples). Returns a status. */
export function attend(): i32 {
  // Behind the sums of vit, where there is room: mostly a group has three samples and more.
  let attention = (spare + (keptGroups << 2) + 7) & ~7;
  if (attention + (keptGroups << 3) > spare + ((<usize>count) << 2)) attention = allocArray(keptGroups, 8);
  if (attention == 0) return OUT_OF_MEMORY;
  groupAttention(order, ends, loads, attention);
  setAttention(attention);
  return OK;
}
