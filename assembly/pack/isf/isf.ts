// ISF, Iterative Sampling and Filtering (paper, Algorithm 1), for K loads: shuffle, Next-Fit, keep the groups in which a
// bounded load reaches its minimum, and again with the samples of the others. With two loads the groups equal the
// reference's bit for bit, but that the last group of a round is closed even where the last sample drawn is oversize (the
// reference loses that group).

import { allocArray, mark, release } from "../../base/memory";
import { seed as seedWords, shuffle } from "../../base/mt19937";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../../base/status";
import { Loads, MOST, WORD_32 } from "../../loads/loads";
import { PASS_BYTES, Pass } from "./next-fit";

/** Fills u32[n] with 0 .. n - 1; three more may be written over. */
function fillUp(at: usize, n: i32): void {
  let four = i32x4(0, 1, 2, 3);
  for (let i = 0; i < n; i += 4, at += 16) {
    v128.store(at, four);
    four = i32x4.add(four, i32x4.splat(4));
  }
}

/** A packing by ISF in the arena; released with the mark before it. A `Pass` follows it. */
@unmanaged
export class Isf {
  seed: u32;
  rounds: i32;
  /** Samples in no kept group. */
  loose: i32;

  @inline
  static of(isf: usize): Isf {
    return changetype<Isf>(isf);
  }

  @inline
  get pass(): Pass {
    return Pass.of(changetype<usize>(this) + offsetof<Isf>());
  }

  /** Takes the oversize samples out of the loose ones, keeping the order; returns what is left. */
  private dropOversize(): i32 {
    const order = this.pass.order;
    const loads = this.pass.loads;
    let out = order;
    for (let k: usize = 0; k < <usize>this.loose; k++) {
      const x = load<u32>(order + (k << 2));
      store<u32>(out, x);
      out += (<usize>!loads.isOversize(x)) << 2;
    }
    return <i32>((out - order) >> 2);
  }

  round(last: bool): i32 {
    const pass = this.pass;
    const loads = pass.loads;
    if (this.rounds == 0) {
      this.loose = loads.taken;
      fillUp(pass.order, this.loose);
    }
    seedWords(this.rounds == 0 ? this.seed : this.seed + <u32>(this.rounds - 1));
    shuffle(pass.order + (pass.keptSamples << 2), this.loose);
    if (this.rounds == 0 && loads.oversize > 0) this.loose = this.dropOversize();
    if (last) memory.copy(pass.slack(), loads.fullAt(), (<usize>loads.lanes) << 3);
    pass.run(this.loose);
    this.loose = <i32>pass.looseSamples;
    this.rounds++;
    return this.loose;
  }
}

/** What the last `begin` did: a status. */
export let beginStatus: i32 = OK;

/**
 * Starts a packing of samples that have all been pushed. `minima` is f64[columns], what makes a group full: whole numbers,
 * or infinity where a load makes none full; a minimum above its bound is never reached, one at or below 0 always. Takes
 * 12 bytes a sample, and a word, from the arena; what no group comes to use is never touched. Returns the handle, or 0,
 * and `beginStatus` says why.
 */
export function begin(loadsAt: usize, minima: usize, seed: u32): usize {
  const loads = Loads.of(loadsAt);
  beginStatus = BAD_ARGUMENT;
  if (loads.taken != loads.count) return 0;
  for (let k = 0; k < loads.columns; k++) {
    const least = load<f64>(minima + ((<usize>k) << 3));
    if (least != Infinity && !(abs(least) <= <f64>MOST && Math.trunc(least) == least)) return 0;
  }
  const at = beginRounds(loadsAt, minima, seed);
  beginStatus = at == 0 ? OUT_OF_MEMORY : OK;
  return at;
}

/** `begin` whose samples are pushed before the first round, and whose minima are right. 0 when out of memory. */
export function beginRounds(loadsAt: usize, minima: usize, seed: u32): usize {
  const loads = Loads.of(loadsAt);
  const before = mark();
  const n = loads.count;
  const at = allocArray(<i32>offsetof<Isf>() + PASS_BYTES, 1);
  const order = allocArray(n, 4);
  const spare = allocArray(n, 4);
  const ends = allocArray(<usize>n + 1, 4);
  const rooms = allocArray(<usize>n, loads.bytes);
  if (at == 0 || order == 0 || spare == 0 || ends == 0 || rooms == 0) {
    release(before);
    return 0;
  }
  memory.fill(at, 0, <usize>offsetof<Isf>() + PASS_BYTES);
  const isf = Isf.of(at);
  const pass = isf.pass;
  isf.seed = seed;
  pass.from = loadsAt;
  pass.order = order;
  pass.spare = spare;
  pass.ends = ends;
  pass.rooms = rooms;
  memory.copy(pass.slack(), loads.guardsAt(), 64);
  for (let k = 0; k < loads.columns; k++) {
    const bound = <i64>loads.bound(k);
    if (bound == 0) continue;
    const least = load<f64>(minima + ((<usize>k) << 3));
    // Kept when the room is at most bound - minimum; -1 (never) borrows the guard away.
    const slack = least > <f64>bound ? -1 : bound - <i64>max<f64>(least, 0);
    const lane = pass.slack() + ((<usize>loads.lane(k)) << 3);
    store<u64>(lane, load<u64>(lane) + <u64>(slack << loads.shift(k)));
  }
  store<u32>(ends, 0);
  return at;
}

/**
 * One round: round 0 draws with `seed`, round r >= 1 with seed + r - 1 (mod 2^32), as the reference does. The last
 * one keeps all groups, in the order they were drawn. Returns how many samples are left in groups that were not full
 * enough; at 0 no further round can change anything. O(samples left).
 */
export function round(at: usize, last: bool): i32 {
  return Isf.of(at).round(last);
}

/** Rounds done. */
export function roundsDone(at: usize): i32 {
  return Isf.of(at).rounds;
}

/** Groups that there would be if the last round done had kept all of its groups. */
export function groupsNow(at: usize): i32 {
  const pass = Isf.of(at).pass;
  return <i32>(pass.keptGroups + pass.looseGroups);
}

/** Kept groups; u32 sample indices, group after group; u32[groups + 1] where each starts. */
export function groups(at: usize): i32 {
  return <i32>Isf.of(at).pass.keptGroups;
}

export function order(at: usize): usize {
  return Isf.of(at).pass.order;
}

export function offsets(at: usize): usize {
  return Isf.of(at).pass.ends;
}

/** Writes the sums of a bounded load over the kept groups, T each, to `out`, which may be `rooms` itself. O(groups). */
export function putSums<T extends number>(pass: Pass, k: i32, out: usize): void {
  const loads = pass.loads;
  const mask = loads.mask(k);
  const bound = loads.bound(k);
  const shift = loads.shift(k);
  const narrow = loads.layout == WORD_32;
  const bytes = <usize>loads.bytes;
  let room = pass.rooms + ((<usize>loads.lane(k)) << 3);
  for (let g: usize = 0; g < pass.keptGroups; g++, room += bytes) {
    const lane = narrow ? <u64>load<u32>(room) : load<u64>(room);
    store<T>(out + (g << alignof<T>()), <T>(bound - ((lane >> shift) & mask)));
  }
}

/** Writes the sums of a bounded load over the kept groups to f64[groups] at `out`. O(groups). */
export function sums(at: usize, k: i32, out: usize): void {
  putSums<f64>(Isf.of(at).pass, k, out);
}
