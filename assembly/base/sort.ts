// A stable sort of indices by 64-bit keys: insertion sort of short runs, then merges back and forth between two arrays.

const RUN: i32 = 16;

function key(keys: usize, index: u32): u64 {
  return load<u64>(keys + ((<usize>index) << 3));
}

function sortRun(a: usize, n: i32, keys: usize): void {
  for (let i = 1; i < n; i++) {
    const x = load<u32>(a + ((<usize>i) << 2));
    const k = key(keys, x);
    let j = i;
    while (j > 0) {
      const y = load<u32>(a + ((<usize>(j - 1)) << 2));
      if (key(keys, y) <= k) break;
      store<u32>(a + ((<usize>j) << 2), y);
      j--;
    }
    store<u32>(a + ((<usize>j) << 2), x);
  }
}

function merge(from: usize, to: usize, left: i32, middle: i32, right: i32, keys: usize): void {
  let i = left;
  let j = middle;
  for (let k = left; k < right; k++) {
    let take = j;
    if (i < middle) {
      const x = load<u32>(from + ((<usize>i) << 2));
      if (j >= right || key(keys, x) <= key(keys, load<u32>(from + ((<usize>j) << 2)))) take = i;
    }
    store<u32>(to + ((<usize>k) << 2), load<u32>(from + ((<usize>take) << 2)));
    if (take == i && i < middle) i++;
    else j++;
  }
}

/** Sorts u32[n] at `a` by ascending keys[a[i]] (u64); equal keys keep their order. `scratch` is u32[n]. O(n log n). */
export function sortByKey(a: usize, n: i32, keys: usize, scratch: usize): void {
  for (let i = 0; i < n; i += RUN) sortRun(a + ((<usize>i) << 2), min(RUN, n - i), keys);
  let from = a;
  let to = scratch;
  for (let width: i64 = RUN; width < n; width <<= 1) {
    for (let left: i64 = 0; left < n; left += width << 1) {
      const middle = min<i64>(left + width, n);
      merge(from, to, <i32>left, <i32>middle, <i32>min<i64>(middle + width, n), keys);
    }
    const swap = from;
    from = to;
    to = swap;
  }
  if (from != a) memory.copy(a, from, (<usize>n) << 2);
}
