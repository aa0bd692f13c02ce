// Next-Fit over samples in a given order, split into the groups that are full enough to keep and the rest.
//
// A sample's two loads are one word: tokens in the low `tokenBits` bits, a guard bit, vit above it, a guard bit.
// With room = FULL - used and both guards set, room - load clears a guard exactly when that field runs over, so one
// subtraction tests both bounds. The word is u32 where the bounds need at most 30 bits together (9 / 4096 takes 17;
// 500 / 131072 takes 27) and u64 otherwise, up to 2^31 - 1 each; the code is the same.
//
// Nothing in the loop over samples branches: whether a group ends is a coin toss for the predictor. Each sample is
// written to both outputs, and a group that ends moves on by advancing one of the two cursors.

/** Samples per call of `scan`: their gathered loads stay in the first-level cache. */
export const BLOCK: i32 = 1024;
const gathered: usize = memory.data(1024 * 8, 16);

/** The load of a sample that no group can hold. */
export const OVERSIZE: u64 = u64.MAX_VALUE;

let tokenBits: u32 = 0;
export let wide: bool = false;

// Words of the current bounds: see `setBounds`.
let guards: u64 = 0;
let full: u64 = 0;
let slack: u64 = 0;

// Cursors of the current pass: where the next kept and the next loose group start, how many there are, the group
// that is open (its length and its room).
export let keptSamples: usize = 0;
export let keptGroups: usize = 0;
export let looseSamples: usize = 0;
export let looseGroups: usize = 0;
let openLength: usize = 0;
let openRoom: u64 = 0;

/**
 * Sets the bounds (each >= 1) and what a group needs to be kept: vit >= minVit or tokens >= minTokens. A minimum
 * above its bound is never reached, one at or below 0 always.
 */
export function setBounds(maxVit: i32, maxTokens: i32, minVit: i32, minTokens: i32): void {
  tokenBits = 32 - clz(maxTokens);
  const vitBits: u32 = 32 - clz(maxVit);
  wide = tokenBits + vitBits > 30;
  guards = (((<u64>1) << vitBits) << (tokenBits + 1)) | ((<u64>1) << tokenBits);
  full = word(maxVit, maxTokens) | guards;
  // A group is kept when its room is at most bound - minimum in either field; -1 (never) borrows the guard away.
  const vitSlack = max<i64>(<i64>maxVit - max(minVit, 0), -1);
  const tokenSlack = max<i64>(<i64>maxTokens - max(minTokens, 0), -1);
  slack = guards + <u64>(vitSlack << (tokenBits + 1)) + <u64>tokenSlack;
}

/** Keeps every group from now on, however empty. */
export function keepAll(): void {
  slack = full;
}

/** Both loads of a sample that fits, as one word. */
export function word(vit: u32, tokens: u32): u64 {
  return ((<u64>vit) << (tokenBits + 1)) | <u64>tokens;
}

/** Forgets the kept groups: the next pass is the first. */
export function startPacking(): void {
  keptSamples = 0;
  keptGroups = 0;
}

/** Opens an empty group for a new pass. */
function startPass(): void {
  looseSamples = 0;
  looseGroups = 0;
  openLength = 0;
  openRoom = full;
}

function scan<T extends number>(
  samples: usize,
  count: i32,
  loads: usize,
  kept: usize,
  keptEnds: usize,
  rooms: usize,
  spare: usize,
): void {
  const shift: usize = alignof<T>();
  const end = samples + ((<usize>count) << 2);
  for (let at = samples, to = gathered; at < end; at += 4, to += sizeof<T>()) {
    store<T>(to, load<T>(loads + ((<usize>load<u32>(at)) << shift)));
  }
  // The highest bit of x | -x is 1 for any x but 0: arithmetic, as a comparison may be compiled to a branch.
  const top: T = <T>(sizeof<T>() * 8 - 1);
  const g = <T>guards;
  const f = <T>full;
  const s = <T>slack;
  // Cursors are addresses and lengths bytes, so that nothing is scaled in the loop.
  let a = kept + (keptSamples << 2);
  let b = spare + (looseSamples << 2);
  let endAt = keptEnds + (keptGroups << 2);
  let roomAt = rooms + (keptGroups << shift);
  let drops: usize = 0;
  let length = openLength << 2;
  let room = <T>openRoom;
  for (let at = samples, from = gathered; at < end; at += 4, from += sizeof<T>()) {
    const x = load<u32>(at);
    const rest = room - load<T>(from);
    const over = (rest & g) ^ g;
    const reached = (s - (room ^ g)) & g;
    const ends = <usize>((over | (<T>0 - over)) >> top);
    const keep = ends & <usize>((reached | (<T>0 - reached)) >> top);
    const drop = ends ^ keep;
    store<T>(roomAt, room);
    a += length & -keep;
    b += length & -drop;
    endAt += keep << 2;
    roomAt += keep << shift;
    drops += drop;
    store<u32>(endAt, <u32>((a - kept) >> 2));
    length &= ends - 1;
    room = rest + ((f - room) & -(<T>ends));
    store<u32>(a + length, x);
    store<u32>(b + length, x);
    length += 4;
  }
  keptSamples = (a - kept) >> 2;
  looseSamples = (b - spare) >> 2;
  keptGroups = (endAt - keptEnds) >> 2;
  looseGroups += drops;
  openLength = length >> 2;
  openRoom = <u64>room;
}

/** `scan` over u32 words. Exported, so that it stays a function of its own that engines compile well after a few calls. */
export function scan32(
  samples: usize,
  count: i32,
  loads: usize,
  kept: usize,
  keptEnds: usize,
  rooms: usize,
  spare: usize,
): void {
  scan<u32>(samples, count, loads, kept, keptEnds, rooms, spare);
}

/** `scan` over u64 words. */
export function scan64(
  samples: usize,
  count: i32,
  loads: usize,
  kept: usize,
  keptEnds: usize,
  rooms: usize,
  spare: usize,
): void {
  scan<u64>(samples, count, loads, kept, keptEnds, rooms, spare);
}

/** Closes the group that is open at the end of a pass, so that no sample is left behind. */
function closeOpenGroup(keptEnds: usize, rooms: usize): void {
  if (openLength == 0) return;
  if (((slack - (openRoom ^ guards)) & guards) != 0) {
    if (wide) store<u64>(rooms + (keptGroups << 3), openRoom);
    else store<u32>(rooms + (keptGroups << 2), <u32>openRoom);
    keptSamples += openLength;
    store<u32>(keptEnds + (++keptGroups << 2), <u32>keptSamples);
  } else {
    looseSamples += openLength;
    looseGroups++;
  }
}

/**
 * One pass of Next-Fit over the n samples that follow the kept ones in `order`: groups that reach a minimum join the
 * kept ones, where they stand (their ends go to `keptEnds`, their words of room to `rooms`), the samples of the others
 * follow after them, in order, by way of `spare`, u32[n]. O(n).
 */
export function nextFit(order: usize, n: i32, loads: usize, keptEnds: usize, rooms: usize, spare: usize): void {
  const first = order + (keptSamples << 2);
  startPass();
  for (let from = 0; from < n; from += BLOCK) {
    const count = min(n - from, BLOCK);
    const samples = first + ((<usize>from) << 2);
    // A kept group never reaches beyond the samples read so far, so it can be written over them.
    if (wide) scan64(samples, count, loads, order, keptEnds, rooms, spare);
    else scan32(samples, count, loads, order, keptEnds, rooms, spare);
  }
  closeOpenGroup(keptEnds, rooms);
  memory.copy(order + (keptSamples << 2), spare, looseSamples << 2);
}

function sums<T extends number>(rooms: usize, groups: usize, vit: usize, tokens: usize): void {
  const shift: usize = alignof<T>();
  for (let g: usize = 0; g < groups; g++) {
    const used = full - <u64>load<T>(rooms + (g << shift));
    store<i32>(vit + (g << 2), <i32>(used >> (tokenBits + 1)));
    store<i32>(tokens + (g << 2), <i32>(used & (((<u64>1) << tokenBits) - 1)));
  }
}

/** Vit and tokens of the kept groups, i32 each, from their rooms; `tokens` may be `rooms` itself. */
export function groupSums(rooms: usize, vit: usize, tokens: usize): void {
  if (wide) sums<u64>(rooms, keptGroups, vit, tokens);
  else sums<u32>(rooms, keptGroups, vit, tokens);
}

function squares<T extends number>(order: usize, ends: usize, from: usize, end: usize, loads: usize, out: usize): void {
  const shift: usize = alignof<T>();
  const mask = <T>(((<u64>1) << tokenBits) - 1);
  let at = order + ((<usize>load<u32>(ends + (from << 2))) << 2);
  for (let g = from; g < end; g++) {
    const stop = order + ((<usize>load<u32>(ends + (g << 2), 4)) << 2);
    let sum: u64 = 0;
    for (; at < stop; at += 4) {
      const tokens = <u64>(load<T>(loads + ((<usize>load<u32>(at)) << shift)) & mask);
      sum += tokens * tokens;
    }
    store<f64>(out + (g << 3), <f64>sum);
  }
}

/** Sums of tokens^2 of the groups from .. end - 1, from u32 words. */
export function squares32(order: usize, ends: usize, from: usize, end: usize, loads: usize, out: usize): void {
  squares<u32>(order, ends, from, end, loads, out);
}

/** The same from u64 words. */
export function squares64(order: usize, ends: usize, from: usize, end: usize, loads: usize, out: usize): void {
  squares<u64>(order, ends, from, end, loads, out);
}

/**
 * out[g] = sum of tokens^2 over the samples of kept group g, f64: what attention costs. Summed in u64, which a group
 * within its bound cannot pass (2^62 at most); the f64 is exact below 2^53, and rounded to the nearest beyond.
 */
export function groupAttention(order: usize, ends: usize, loads: usize, out: usize): void {
  for (let from: usize = 0; from < keptGroups; from += BLOCK) {
    const end = min<usize>(from + BLOCK, keptGroups);
    if (wide) squares64(order, ends, from, end, loads, out);
    else squares32(order, ends, from, end, loads, out);
  }
}
