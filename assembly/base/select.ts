// An order statistic by counting: one pass over the high 16 bits, one over the low 16 bits of the bucket that holds it.

import { allocArray, mark, release } from "./memory";

/**
 * The slot of u32[65536] at `table` that holds the item of rank `rank`, counted from 1, and the rank within the slot.
 */
export function slotOf(table: usize, rank: u32): u64 {
  let slot: u32 = 0;
  let count = load<u32>(table);
  while (rank > count) {
    rank -= count;
    slot++;
    count = load<u32>(table + ((<usize>slot) << 2));
  }
  return ((<u64>slot) << 32) | <u64>rank;
}

/** The `rank`-th smallest of u32[n], 1 <= rank <= n; -1 if out of memory. O(n); takes 256 KB meanwhile. */
export function select(values: usize, n: i32, rank: i32): i64 {
  const before = mark();
  const table = allocArray(65536, 4);
  if (table == 0) return -1;
  const end = values + ((<usize>n) << 2);
  memory.fill(table, 0, 65536 * 4);
  for (let at = values; at < end; at += 4) {
    const slot = table + ((<usize>(load<u32>(at) >> 16)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  const found = slotOf(table, rank);
  const bucket = <u32>(found >> 32);
  memory.fill(table, 0, 65536 * 4);
  for (let at = values; at < end; at += 4) {
    const x = load<u32>(at);
    if (x >> 16 != bucket) continue;
    const slot = table + ((<usize>(x & 0xffff)) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  const low = <u32>(slotOf(table, <u32>found) >> 32);
  release(before);
  return <i64>((bucket << 16) | low);
}
