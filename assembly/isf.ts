// ISF, Iterative Sampling and Filtering (paper, Algorithm 1): shuffle, Next-Fit, keep the groups that are full
// enough, and again with the samples of the others. Groups equal the reference's bit for bit, but that the last
// group of a round is closed even where the last sample drawn is oversize (the reference loses that group).

import { allocArray, mark, release } from "./memory";
import { iota, seed as seedWords, shuffle } from "./mt19937";
import {
  keepAll,
  keptGroups,
  looseGroups,
  looseSamples,
  nextFit,
  OVERSIZE,
  setBounds,
  startPacking,
  wide,
  word,
} from "./nextfit";
import { setGroups, setLinearBound, setOversize } from "./packing";
import { BAD_ARGUMENT, failAt, NEGATIVE_TOKENS, NEGATIVE_VIT, OK, OUT_OF_MEMORY } from "./status";

/** Rounds done since `begin`. */
export let rounds: i32 = 0;

let firstSeed: u32 = 0;
let loads: usize = 0;
let samples: usize = 0;
let kept: usize = 0;
let ends: usize = 0;
let loose: i32 = 0;
let oversizeCount: i32 = 0;

/** Writes each sample's word; returns how many are oversize, or a negated status. */
function buildLoads<T extends number>(vit: usize, tokens: usize, n: i32, maxVit: i32, maxTokens: i32): i32 {
  const shift: usize = alignof<T>();
  let over = 0;
  let sumVit: u64 = 0;
  let sumTokens: u64 = 0;
  for (let i = 0; i < n; i++) {
    const v = load<i32>(vit + ((<usize>i) << 2));
    const t = load<i32>(tokens + ((<usize>i) << 2));
    if ((v | t) < 0) return -failAt(v < 0 ? NEGATIVE_VIT : NEGATIVE_TOKENS, i);
    const fits = v <= maxVit && t <= maxTokens;
    over += i32(!fits);
    sumVit += fits ? v : 0;
    sumTokens += fits ? t : 0;
    store<T>(loads + ((<usize>i) << shift), fits ? <T>word(v, t) : <T>OVERSIZE);
  }
  setLinearBound(sumVit, sumTokens, maxVit, maxTokens);
  return over;
}

function isOversize(sample: u32): bool {
  return wide
    ? load<u64>(loads + ((<usize>sample) << 3)) == OVERSIZE
    : load<u32>(loads + ((<usize>sample) << 2)) == <u32>OVERSIZE;
}

/** Takes the oversize samples out of samples[0 .. n), keeping the order; returns what is left. */
function dropOversize(n: i32): i32 {
  let out = samples;
  for (let k: usize = 0; k < <usize>n; k++) {
    const x = load<u32>(samples + (k << 2));
    store<u32>(out, x);
    out += (<usize>!isOversize(x)) << 2;
  }
  return <i32>((out - samples) >> 2);
}

/**
 * Starts a packing of n samples: vit and tokens are i32[n], unchanged and needed until `finish`. Takes 16 bytes per
 * sample from the arena (20 for wide bounds) beside those 8, and 4 per oversize sample.
 */
export function begin(
  vit: usize,
  tokens: usize,
  n: i32,
  maxVit: i32,
  maxTokens: i32,
  minVit: i32,
  minTokens: i32,
  seed: u32,
): i32 {
  if (n < 0 || maxVit < 1 || maxTokens < 1) return BAD_ARGUMENT;
  const before = mark();
  setBounds(maxVit, maxTokens, minVit, minTokens);
  loads = allocArray(n, wide ? 8 : 4);
  samples = allocArray(n, 4);
  kept = allocArray(n, 4);
  ends = allocArray(<usize>n + 1, 4);
  if (loads == 0 || samples == 0 || kept == 0 || ends == 0) {
    release(before);
    return OUT_OF_MEMORY;
  }
  const over = wide
    ? buildLoads<u64>(vit, tokens, n, maxVit, maxTokens)
    : buildLoads<u32>(vit, tokens, n, maxVit, maxTokens);
  if (over < 0) {
    release(before);
    return -over;
  }
  const oversize = allocArray(over, 4);
  if (oversize == 0) {
    release(before);
    return OUT_OF_MEMORY;
  }
  if (over > 0) {
    let at = oversize;
    for (let i = 0; i < n; i++) {
      store<u32>(at, i);
      if (isOversize(i)) at += 4;
      if (at == oversize + ((<usize>over) << 2)) break;
    }
  }
  setOversize(oversize, over);
  oversizeCount = over;
  loose = n;
  rounds = 0;
  firstSeed = seed;
  iota(samples, n);
  startPacking();
  store<u32>(ends, 0);
  return OK;
}

/**
 * One round: round 0 draws with `seed`, round r >= 1 with seed + r - 1 (mod 2^32), as the reference does. The last
 * one keeps all groups, in the order they were drawn. Returns how many samples are left in groups that were not full
 * enough; at 0 no further round can change anything. O(samples left).
 */
export function round(last: bool): i32 {
  seedWords(rounds == 0 ? firstSeed : firstSeed + <u32>(rounds - 1));
  shuffle(samples, loose);
  if (rounds == 0 && oversizeCount > 0) loose = dropOversize(loose);
  if (last) keepAll();
  nextFit(samples, loose, loads, kept, ends);
  loose = <i32>looseSamples;
  rounds++;
  return loose;
}

/** Groups that there would be if the last round done had kept all of its groups. */
export function groupsNow(): i32 {
  return <i32>(keptGroups + looseGroups);
}

/** Ends the packing. Samples that a last round has not placed are in no group. */
export function finish(): void {
  setGroups(kept, ends, <i32>keptGroups);
}
