// The arena: one linear heap above the module's static data, grown in pages, released in stack order.
// Nothing else in the module allocates. A full memory is a 0, which the caller turns into a status, and never a trap.

const PAGE_BITS: u32 = 16;
const END_OF_MEMORY: u64 = 0x1_0000_0000;

let top: usize = (__heap_base + 15) & ~15;

/** A 16-byte aligned block of undefined contents, or 0 if memory cannot grow enough. */
export function alloc(bytes: usize): usize {
  return allocArray(bytes, 1);
}

/** `alloc` for `count` elements of `width` bytes. The product is a u64, so it cannot wrap. */
export function allocArray(count: usize, width: u32): usize {
  const end: u64 = (<u64>top + <u64>count * <u64>width + 15) & ~15;
  if (end > END_OF_MEMORY - 16) return 0;
  const have: u64 = (<u64>memory.size()) << PAGE_BITS;
  if (end > have) {
    const pages = <i32>((end - have + ((1 << PAGE_BITS) - 1)) >> PAGE_BITS);
    if (memory.grow(pages) < 0) return 0;
  }
  const start = top;
  top = <usize>end;
  return start;
}

/** Where the arena ends now. `release` of this value frees all that is allocated after this call. */
export function mark(): usize {
  return top;
}

/** Frees everything allocated since the `mark` that returned `to`. */
export function release(to: usize): void {
  top = to;
}

/** Stands in for the `env.abort` import, so that the module needs none. Unreachable unless there is a bug. */
export function abortAt(_message: usize, _file: usize, _line: u32, _column: u32): void {
  unreachable();
}

/** Whether u8[n] at both places are the same. One small function, where memory.compare is a large one at each place. */
export function isSame(a: usize, b: usize, n: usize): bool {
  for (let i: usize = 0; i < n; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}
