// The problem at hand: the samples to pack, sorted by (row, tokens), a row being one vit value or a range of them. It is
// the whole input, or a part of it: samples drawn to try ways on, a share of a very large input, groups to be repaired.

/** Bounds of a group. */
export let maxVit: i32 = 0;
export let maxTokens: i32 = 0;

/** Samples: how many, and a record of tokens and vit (u32 each) per position. */
export let count: i32 = 0;
let records: usize = 0;

/** Rows: how many (`cutRuns` makes 48 at most), lowest and highest vit value of each (i32), first position of each (i32, rows + 1 of them). */
export let rows: i32 = 0;
export const rowLow: usize = memory.data(64 * 4, 16);
export const rowHigh: usize = memory.data(64 * 4, 16);
export const rowStart: usize = memory.data(65 * 4, 16);

/** Sums over all samples, after `addUp`. */
export let sumVit: u64 = 0;
export let sumTokens: u64 = 0;

export function setBounds(vit: i32, tokens: i32): void {
  maxVit = vit;
  maxTokens = tokens;
}

export function setRows(n: i32): void {
  rows = n;
}

export function vitAt(p: i32): i32 {
  return load<i32>(records + ((<usize>p) << 3), 4);
}

export function tokensAt(p: i32): i32 {
  return load<i32>(records + ((<usize>p) << 3));
}

/** Vit in the high half, tokens in the low one. */
export function recordAt(p: i32): u64 {
  return load<u64>(records + ((<usize>p) << 3));
}

/** Makes n sorted records the problem at hand; finds where each row starts. O(rows log n). */
export function useSamples(at: usize, n: i32): void {
  records = at;
  count = n;
  store<i32>(rowStart, 0);
  for (let r = 1; r <= rows; r++) {
    let low = load<i32>(rowStart + ((<usize>(r - 1)) << 2));
    let high = n;
    if (r < rows) {
      const edge = load<i32>(rowLow + ((<usize>r) << 2));
      while (low < high) {
        const middle = (low + high) >> 1;
        if (vitAt(middle) < edge) low = middle + 1;
        else high = middle;
      }
    } else {
      low = n;
    }
    store<i32>(rowStart + ((<usize>r) << 2), low);
  }
}

/** Adds up the loads of all samples. */
export function addUp(): void {
  sumVit = 0;
  sumTokens = 0;
  for (let p = 0; p < count; p++) {
    sumVit += vitAt(p);
    sumTokens += tokensAt(p);
  }
}
