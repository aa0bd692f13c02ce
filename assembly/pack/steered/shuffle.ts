// Random order of long lists. A list that does not fit the cache is first dealt to buckets at random, then shuffled bucket
// by bucket (Rao, Sandelius): every order is as likely, and memory is read and written in streams.

import { Random } from "./random";

/** Entries that are shuffled at once. */
const BUCKET: i32 = 131072;
const MOST_BUCKETS: i32 = 512;
/** u32[MOST_BUCKETS]: how many a bucket gets, then where the next one goes. */
const cursors: usize = memory.data(512 * 4, 16);

/** Shuffles u32[n] at `list`. O(n). */
export function shufflePart(list: usize, n: i32, randomAt: usize): void {
  const random = Random.of(randomAt);
  for (let i = n - 1; i > 0; i--) {
    const a = list + ((<usize>i) << 2);
    const b = list + ((<usize>random.below(i + 1)) << 2);
    const x = load<u32>(a);
    store<u32>(a, load<u32>(b));
    store<u32>(b, x);
  }
}

/** Shuffles u32[n] at `list`, by way of u32[n] at `spare`. O(n). */
export function shuffle(list: usize, n: i32, spare: usize, randomAt: usize): void {
  const random = Random.of(randomAt);
  if (n <= 2 * BUCKET) {
    shufflePart(list, n, randomAt);
    return;
  }
  const buckets = min(MOST_BUCKETS, n / BUCKET + 1);
  memory.fill(cursors, 0, (<usize>buckets) << 2);
  const state = random.state;
  for (let i = 0; i < n; i++) {
    const slot = cursors + ((<usize>random.below(buckets)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  let sum: u32 = 0;
  for (let b = 0; b < buckets; b++) {
    const slot = cursors + ((<usize>b) << 2);
    const many = load<u32>(slot);
    store<u32>(slot, sum);
    sum += many;
  }
  // The same draws again.
  random.state = state;
  for (let i: usize = 0; i < <usize>n; i++) {
    const slot = cursors + ((<usize>random.below(buckets)) << 2);
    const place = load<u32>(slot);
    store<u32>(slot, place + 1);
    store<u32>(spare + ((<usize>place) << 2), load<u32>(list + (i << 2)));
  }
  let start: u32 = 0;
  for (let b = 0; b < buckets; b++) {
    const end = load<u32>(cursors + ((<usize>b) << 2));
    shufflePart(spare + ((<usize>start) << 2), end - start, randomAt);
    start = end;
  }
  memory.copy(list, spare, (<usize>n) << 2);
}
