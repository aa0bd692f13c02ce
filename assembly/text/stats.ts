// What a set of samples is like, before anything is packed: exact percentiles by nearest rank, a histogram over vit, means.
// Percentiles come from counting (a pass over the high 16 bits, one over the low 16 of each bucket that holds a rank):
// 256 KB of memory whatever the number of samples, and no sort.

import { ascii } from "../base/ascii";
import { allocArray, mark, release } from "../base/memory";
import { BAD_ARGUMENT, failAt, NEGATIVE_TOKENS, NEGATIVE_VIT, OK, OUT_OF_MEMORY } from "../base/status";
import { cursor, put, putNumber, putRatio, startText } from "../base/writer";

/** min, seven percentiles, max. */
const RANKS: usize = 9;
const percents: usize = memory.data<u8>([0, 1, 5, 25, 50, 75, 95, 99, 100]);
const vitRanks: usize = memory.data(9 * 4, 16);
const tokenRanks: usize = memory.data(9 * 4, 16);
const rankBuckets: usize = memory.data(9 * 4, 16);
const rankRests: usize = memory.data(9 * 4, 16);

/** Most rows of the histogram; a row is `binWidth` values of vit wide. */
const BINS: i32 = 20;
const binSamples: usize = memory.data(20 * 4, 16);
const binTokens: usize = memory.data(20 * 8, 16);

/** Room for the longest text there is. */
const LONGEST_TEXT: u32 = 4096;

let samples: i32 = 0;
let vitSum: u64 = 0;
let tokenSum: u64 = 0;
let bins: i32 = 0;
let binWidth: i32 = 1;

function countUp(table: usize, slot: u32): void {
  const at = table + ((<usize>slot) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** The slot of `table` that holds the item of this rank (from 1), and the rank inside it. */
function slotOf(table: usize, rank: u32): u64 {
  let slot: u32 = 0;
  let count = load<u32>(table);
  while (rank > count) {
    rank -= count;
    slot++;
    count = load<u32>(table + ((<usize>slot) << 2));
  }
  return ((<u64>slot) << 32) | <u64>rank;
}

/** Nearest rank: percentile p of n values is the one at rank ceil(p n / 100), at least the first. 65,536 u32 at `table`. */
function selectRanks(values: usize, n: i32, table: usize, out: usize): void {
  memory.fill(table, 0, 65536 * 4);
  for (let i: usize = 0; i < <usize>n; i++) countUp(table, load<u32>(values + (i << 2)) >> 16);
  for (let k: usize = 0; k < RANKS; k++) {
    const rank = max<u64>((<u64>n * <u64>load<u8>(percents + k) + 99) / 100, 1);
    const found = slotOf(table, <u32>rank);
    store<u32>(rankBuckets + (k << 2), <u32>(found >> 32));
    store<u32>(rankRests + (k << 2), <u32>found);
  }
  // Ranks rise, so those of one bucket are neighbours and share a pass.
  let counted: u32 = u32.MAX_VALUE;
  for (let k: usize = 0; k < RANKS; k++) {
    const bucket = load<u32>(rankBuckets + (k << 2));
    if (bucket != counted) {
      memory.fill(table, 0, 65536 * 4);
      for (let i: usize = 0; i < <usize>n; i++) {
        const x = load<u32>(values + (i << 2));
        if (x >> 16 == bucket) countUp(table, x & 0xffff);
      }
      counted = bucket;
    }
    const low = <u32>(slotOf(table, load<u32>(rankRests + (k << 2))) >> 32);
    store<u32>(out + (k << 2), (bucket << 16) | low);
  }
}

/** The narrowest bins of 1, 2, 5, 10, 20, ... values that cover 0 .. most in BINS rows. */
function chooseBins(most: i32): void {
  let width: i64 = 1;
  let step = 0;
  while (most / width >= BINS) {
    width = step == 1 ? (width / 2) * 5 : width * 2;
    step = step == 2 ? 0 : step + 1;
  }
  binWidth = <i32>width;
  bins = <i32>(most / width) + 1;
}

/** Looks at i32[n] at `vit` and `tokens`; 256 KB of the arena while it runs. O(samples). */
export function look(vit: usize, tokens: usize, n: i32): i32 {
  if (n < 0) return BAD_ARGUMENT;
  for (let i = 0; i < n; i++) {
    const at = (<usize>i) << 2;
    if (load<i32>(vit + at) < 0) return failAt(NEGATIVE_VIT, i);
    if (load<i32>(tokens + at) < 0) return failAt(NEGATIVE_TOKENS, i);
  }
  const before = mark();
  const table = allocArray(65536, 4);
  if (table == 0) return OUT_OF_MEMORY;
  samples = n;
  vitSum = 0;
  tokenSum = 0;
  bins = 0;
  if (n > 0) {
    selectRanks(vit, n, table, vitRanks);
    selectRanks(tokens, n, table, tokenRanks);
    chooseBins(load<i32>(vitRanks + ((RANKS - 1) << 2)));
    memory.fill(binSamples, 0, BINS * 4);
    memory.fill(binTokens, 0, BINS * 8);
    for (let i = 0; i < n; i++) {
      const v = load<u32>(vit + ((<usize>i) << 2));
      const t = load<u32>(tokens + ((<usize>i) << 2));
      const bin = <usize>(v / <u32>binWidth);
      vitSum += v;
      tokenSum += t;
      countUp(binSamples, <u32>bin);
      store<u64>(binTokens + (bin << 3), load<u64>(binTokens + (bin << 3)) + t);
    }
  }
  release(before);
  return OK;
}

function putRank(name: usize, ranks: usize, k: usize): void {
  put(ascii(',"'));
  put(name);
  put(ascii('":'));
  if (samples > 0) putNumber(load<u32>(ranks + (k << 2)));
  else put(ascii("null"));
}

function putField(sum: u64, ranks: usize): void {
  put(ascii('{"sum":'));
  putNumber(sum);
  put(ascii(',"mean":'));
  putRatio(sum, samples);
  putRank(ascii("min"), ranks, 0);
  putRank(ascii("p1"), ranks, 1);
  putRank(ascii("p5"), ranks, 2);
  putRank(ascii("p25"), ranks, 3);
  putRank(ascii("p50"), ranks, 4);
  putRank(ascii("p75"), ranks, 5);
  putRank(ascii("p95"), ranks, 6);
  putRank(ascii("p99"), ranks, 7);
  putRank(ascii("max"), ranks, 8);
  put(ascii("}"));
}

/** Writes what `look` saw as one line of JSON into `room` bytes at `out`; returns how many, or a negated status. */
export function write(out: usize, room: u32): i32 {
  if (room < LONGEST_TEXT) return -BAD_ARGUMENT;
  startText(out);
  put(ascii('{"samples":'));
  putNumber(samples);
  put(ascii(',"vit":'));
  putField(vitSum, vitRanks);
  put(ascii(',"tokens":'));
  putField(tokenSum, tokenRanks);
  put(ascii(',"tokensPerTile":'));
  putRatio(tokenSum, vitSum);
  put(ascii(',"vitHistogram":['));
  for (let b = 0; b < bins; b++) {
    const count = load<u32>(binSamples + ((<usize>b) << 2));
    put(b > 0 ? ascii(',{"from":') : ascii('{"from":'));
    putNumber(<u64>b * <u64>binWidth);
    put(ascii(',"to":'));
    putNumber(<u64>(b + 1) * <u64>binWidth - 1);
    put(ascii(',"samples":'));
    putNumber(count);
    put(ascii(',"meanTokens":'));
    putRatio(load<u64>(binTokens + ((<usize>b) << 3)), count);
    put(ascii("}"));
  }
  put(ascii("]}\n"));
  return <i32>(cursor - out);
}
