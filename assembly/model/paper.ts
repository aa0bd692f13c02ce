// The published way: an anchor cut greedily by forward time; the neighbours of its cuts, ranked by the variance of the
// stages' forward times plus the transfers; and recomputation by two probes.

import { allocArray, mark, release } from "../base/memory";
import { f64At, i32At, putF64, putI32 } from "./arrays";
import { forward, forwardTime, freed, inFlight, layers, memoryBound, stages, transferAfter } from "./problem";
import { stageBytes, stageTimeOf } from "./stage";

/** The anchor's cuts, i32[stages - 1]: a stage takes layers as long as each brings it nearer to an even share. */
export function anchor(cuts: usize): void {
  let at = 0;
  let left = forwardTime(0, layers);
  for (let s = 0; s < stages - 1; s++) {
    const share = stages - s;
    let own = forward(at++);
    while (layers - at - 1 >= share - 1 && (2 * own + forward(at)) * <f64>share < 2 * left) own += forward(at++);
    left -= own;
    putI32(cuts, s, at);
  }
}

/** How many ways to cut are within reach of the anchor. */
export let candidates: f64 = 0;

/** An entry: the score of the stages before its cut, the cut, the entry of the cut before (-1: none). */
const ENTRY: usize = 16;
let entries: usize = 0;

function scoreOf(entry: i32): f64 {
  return load<f64>(entries + <usize>entry * ENTRY);
}

function cutOf(entry: i32): i32 {
  return load<i32>(entries + <usize>entry * ENTRY, 8);
}

function before(entry: i32): i32 {
  return load<i32>(entries + <usize>entry * ENTRY, 12);
}

/** Whether the cuts up to one entry come before those up to another of the same stage. */
function isEarlier(a: i32, b: i32): bool {
  if (a < 0 || a == b) return false;
  if (before(a) != before(b)) return isEarlier(before(a), before(b));
  return cutOf(a) < cutOf(b);
}

/**
 * Inserts into the best `keep` entries from `first` on, in order, of which there are `count`; returns the new count.
 */
function offer(first: i32, count: i32, keep: i32, score: f64, cut: i32, previous: i32): i32 {
  let at = count;
  for (; at > 0; at--) {
    const other = first + at - 1;
    const theirs = scoreOf(other);
    if (theirs < score) break;
    if (theirs == score && !isEarlier(previous, before(other))) break;
  }
  if (at == keep) return count;
  const more = min(count + 1, keep);
  const place = entries + <usize>(first + at) * ENTRY;
  memory.copy(place + ENTRY, place, <usize>(more - at - 1) * ENTRY);
  store<f64>(place, score);
  store<i32>(place, cut, 8);
  store<i32>(place, previous, 12);
  return more;
}

/**
 * The best ways to cut within `radius` of each cut of the anchor, by ascending VAR(forward time of the stages) * unit^2
 * + SUM(transfer at the cuts) * unit, ties by their cuts. Writes f64[keep] to `scores` and i32[keep][stages - 1] to
 * `cuts`. Returns how many there are, at most `keep`, or -1 if out of memory. Needs at least two stages.
 *
 * A K-best recursion: the variance is a sum over stages up to a constant, so the best K up to a cut extend the best K
 * up to the cuts before it. At worst O(stages * (2 radius + 1)^2 * keep^2), however many candidates there are.
 */
export function rank(radius: i32, keep: i32, unit: f64, scores: usize, cuts: usize): i32 {
  const top = mark();
  const width = radius * 2 + 1;
  const last = stages - 1;
  const centre = allocArray(<usize>stages, 4);
  const counts = allocArray(<usize>last * <usize>width, 4);
  const ways = allocArray(<usize>last * <usize>width, 8);
  // One more entry per list, for the one that is pushed out.
  entries = allocArray(<usize>(last * width + 1) * <usize>(keep + 1), <u32>ENTRY);
  if (centre == 0 || counts == 0 || ways == 0 || entries == 0) {
    release(top);
    return -1;
  }
  anchor(centre);
  const parts = <f64>stages;
  // Multiplied by the number of stages, so that whole times stay whole.
  for (let s = 0; s < last; s++) {
    for (let w = 0; w < width; w++) {
      const node = s * width + w;
      const first = node * (keep + 1);
      const cut = i32At(centre, s) + w - radius;
      let count = 0;
      let sum: f64 = 0;
      if (cut > s && cut <= layers - (last - s)) {
        const sent = transferAfter(cut - 1) * parts;
        if (s == 0) {
          const own = forwardTime(0, cut);
          count = offer(first, count, keep, own * own * unit + sent, cut, -1);
          sum = 1;
        } else {
          for (let v = 0; v < width; v++) {
            const other = (s - 1) * width + v;
            const start = i32At(centre, s - 1) + v - radius;
            if (start >= cut) break;
            sum += f64At(ways, other);
            const own = forwardTime(start, cut);
            const more = own * own * unit + sent;
            for (let e = 0; e < i32At(counts, other); e++) {
              const previous = other * (keep + 1) + e;
              count = offer(first, count, keep, scoreOf(previous) + more, cut, previous);
            }
          }
        }
      }
      putI32(counts, node, count);
      putF64(ways, node, sum);
    }
  }
  const final = last * width * (keep + 1);
  let count = 0;
  candidates = 0;
  for (let w = 0; w < width; w++) {
    const node = (last - 1) * width + w;
    candidates += f64At(ways, node);
    for (let e = 0; e < i32At(counts, node); e++) {
      const previous = node * (keep + 1) + e;
      const own = forwardTime(cutOf(previous), layers);
      count = offer(final, count, keep, scoreOf(previous) + own * own * unit, layers, previous);
    }
  }
  const all = forwardTime(0, layers);
  for (let e = 0; e < count; e++) {
    const entry = final + e;
    putF64(scores, e, ((scoreOf(entry) - (all * all * unit) / parts) / parts) * unit);
    let c = before(entry);
    for (let s = last - 1; s >= 0; s--) {
      putI32(cuts, e * last + s, cutOf(c));
      c = before(c);
    }
  }
  release(top);
  return count;
}

/**
 * Recomputation by two probes: with everything recomputed, M_r bytes are left; with one layer of a type kept, M_t
 * fewer. Type by type, in order of time saved per byte, as many layers are kept as M_r has room for, the stage's last
 * ones first. `types`: i32[layers]. Sets u8 per layer in `recomputed`, and returns the stage's time, or Infinity if
 * nothing fits.
 */
export function probe(s: i32, i: i32, j: i32, types: usize, recomputed: usize): f64 {
  memory.fill(recomputed + <usize>i, 1, <usize>(j - i));
  const full = stageBytes(s, i, j, recomputed);
  if (full > memoryBound) return Infinity;
  let left = memoryBound - full;
  while (true) {
    // The next type is the one whose first layer saves the most time per byte. 1: not looked at yet, 2: stays
    // recomputed.
    let best = -1;
    for (let l = i; l < j; l++) {
      if (load<u8>(recomputed + <usize>l) != 1) continue;
      if (best < 0 || forward(l) * freed(best) > forward(best) * freed(l)) best = l;
    }
    if (best < 0) break;
    const bytes = <f64>inFlight(s) * freed(best);
    for (let l = j - 1; l >= i; l--) {
      if (i32At(types, l) != i32At(types, best) || load<u8>(recomputed + <usize>l) != 1) continue;
      const fits = bytes <= left;
      if (fits) left -= bytes;
      store<u8>(recomputed + <usize>l, fits ? 0 : 2);
    }
  }
  for (let l = i; l < j; l++) if (load<u8>(recomputed + <usize>l) != 0) store<u8>(recomputed + <usize>l, 1);
  // If layers of a type differ, the probe errs: such a run goes out of memory, and the next recomputes one layer more.
  for (let l = i; l < j && stageBytes(s, i, j, recomputed) > memoryBound; l++) store<u8>(recomputed + <usize>l, 1);
  return stageTimeOf(i, j, recomputed);
}
