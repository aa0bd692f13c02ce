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
export function startPass(): void {
  looseSamples = 0;
  looseGroups = 0;
  openLength = 0;
  openRoom = full;
}

function scan<T extends number>(
  samples: usize,
  from: usize,
  count: i32,
  loads: usize,
  kept: usize,
  keptEnds: usize,
): void {
  const shift: usize = alignof<T>();
  for (let k: usize = 0; k < <usize>count; k++) {
    store<T>(gathered + (k << shift), load<T>(loads + ((<usize>load<u32>(samples + ((from + k) << 2))) << shift)));
  }
  const g = <T>guards;
  const f = <T>full;
  const s = <T>slack;
  let a = keptSamples;
  let b = looseSamples;
  let ga = keptGroups;
  let gb = looseGroups;
  let length = openLength;
  let room = <T>openRoom;
  for (let k: usize = 0; k < <usize>count; k++) {
    const x = load<u32>(samples + ((from + k) << 2));
    const rest = room - load<T>(gathered + (k << shift));
    const ends = <usize>((rest & g) != g);
    const keep = ends & <usize>(((s - (room ^ g)) & g) != 0);
    const drop = ends ^ keep;
    a += length & -keep;
    b += length & -drop;
    ga += keep;
    gb += drop;
    store<u32>(keptEnds + (ga << 2), <u32>a);
    length &= ends - 1;
    room = rest + ((f - room) & -(<T>ends));
    store<u32>(kept + ((a + length) << 2), x);
    store<u32>(samples + ((b + length) << 2), x);
    length++;
  }
  keptSamples = a;
  looseSamples = b;
  keptGroups = ga;
  looseGroups = gb;
  openLength = length;
  openRoom = <u64>room;
}

/** `scan` over u32 words. Exported, so that it stays a function of its own that engines compile well after a few calls. */
export function scan32(samples: usize, from: usize, count: i32, loads: usize, kept: usize, keptEnds: usize): void {
  scan<u32>(samples, from, count, loads, kept, keptEnds);
}

/** `scan` over u64 words. */
export function scan64(samples: usize, from: usize, count: i32, loads: usize, kept: usize, keptEnds: usize): void {
  scan<u64>(samples, from, count, loads, kept, keptEnds);
}

/** Closes the group that is open at the end of a pass, so that no sample is left behind. */
function closeOpenGroup(keptEnds: usize): void {
  if (openLength == 0) return;
  if (((slack - (openRoom ^ guards)) & guards) != 0) {
    keptSamples += openLength;
    store<u32>(keptEnds + (++keptGroups << 2), <u32>keptSamples);
  } else {
    looseSamples += openLength;
    looseGroups++;
  }
}

/**
 * One pass of Next-Fit over samples[0 .. n), in that order: groups that reach a minimum are appended to `kept` (their
 * ends to `keptEnds`), the samples of the others move to the front of `samples`, in order. O(n).
 */
export function nextFit(samples: usize, n: i32, loads: usize, kept: usize, keptEnds: usize): void {
  startPass();
  for (let from = 0; from < n; from += BLOCK) {
    const count = min(n - from, BLOCK);
    if (wide) scan64(samples, from, count, loads, kept, keptEnds);
    else scan32(samples, from, count, loads, kept, keptEnds);
  }
  closeOpenGroup(keptEnds);
}
