// What a set of samples is like, before anything is packed: exact percentiles by nearest rank, means, and of the usual two
// loads a histogram over vit.
// Percentiles come from counting, 16 bits at a time: 256 KB of memory whatever the number of samples, and no sort.

import { ascii } from "../base/ascii";
import { allocArray, mark, release } from "../base/memory";
import { slotOf } from "../base/select";
import { BAD_ARGUMENT, BAD_LOAD, failAtLoad, NEGATIVE_TOKENS, NEGATIVE_VIT, OK, OUT_OF_MEMORY } from "../base/status";
import { cursor, put, putNumber, putRatio, startText } from "../base/writer";
import { areUsual, MAX_LOADS, nameBytes, putKey } from "./names";

/** min, seven percentiles, max. */
const RANKS: usize = 9;
const percents: usize = memory.data<u8>([0, 1, 5, 25, 50, 75, 95, 99, 100]);
/** u64[MAX_LOADS][RANKS], and the sum of each load. */
const loadRanks: usize = memory.data(8 * 9 * 8, 16);
const sums: usize = memory.data(8 * 8, 16);
/** u32[RANKS]: how many values with the bits that are known so far are before the one that is looked for, and it too. */
const rankRests: usize = memory.data(9 * 4, 16);

/** The most rows of the histogram; a row is `binWidth` values of vit wide. */
const BINS: i32 = 20;
const binSamples: usize = memory.data(20 * 4, 16);
const binTokens: usize = memory.data(20 * 8, 16);

/** Room for the longest text there is, beside six times the bytes of the names. */
const LONGEST_TEXT: u32 = 4096;
const LONGEST_NAMES: u32 = 65536;

let samples: i32 = 0;
let invalid: i32 = 0;
let loads: i32 = 0;
let names: usize = 0;
let lengths: usize = 0;
let usual: bool = true;
let bins: i32 = 0;
let binWidth: i32 = 1;

function countUp(table: usize, slot: u32): void {
  const at = table + ((<usize>slot) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** The value of a column at i: i32, or f64 whole numbers below 2^53. */
function valueAt(column: usize, wide: bool, i: usize): u64 {
  return wide ? <u64>load<f64>(column + (i << 3)) : <u64>load<u32>(column + (i << 2));
}

/**
 * Nearest rank: percentile p of n values is the one at rank ceil(p n / 100), at least the first. Found 16 bits at a time from
 * the top: u64[RANKS] at `out` has the bits that are known. 65,536 u32 at `table`.
 */
function selectRanks(values: usize, wide: bool, n: i32, table: usize, out: usize): void {
  for (let k: usize = 0; k < RANKS; k++) {
    const rank = max<u64>((<u64>n * <u64>load<u8>(percents + k) + 99) / 100, 1);
    store<u32>(rankRests + (k << 2), <u32>rank);
    store<u64>(out + (k << 3), 0);
  }
  for (let shift: u64 = wide ? 48 : 16; ; shift -= 16) {
    // Ranks ascend, so those of the same bits so far are neighbours and share a pass.
    let counted = u64.MAX_VALUE;
    for (let k: usize = 0; k < RANKS; k++) {
      const known = load<u64>(out + (k << 3));
      if (known != counted) {
        memory.fill(table, 0, 65536 * 4);
        for (let i: usize = 0; i < <usize>n; i++) {
          const x = valueAt(values, wide, i) >> shift;
          if (x >> 16 == known) countUp(table, <u32>x & 0xffff);
        }
        counted = known;
      }
      const found = slotOf(table, load<u32>(rankRests + (k << 2)));
      store<u64>(out + (k << 3), (known << 16) | (found >> 32));
      store<u32>(rankRests + (k << 2), <u32>found);
    }
    if (shift == 0) return;
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

function ranksOf(k: i32): usize {
  return loadRanks + ((<usize>k * RANKS) << 3);
}

function sumOf(k: i32): u64 {
  return load<u64>(sums + ((<usize>k) << 3));
}

/** Counts the samples of each bin of vit, and adds up their tokens. */
function countBins(vit: usize, tokens: usize, n: i32): void {
  chooseBins(<i32>load<u64>(ranksOf(0) + ((RANKS - 1) << 3)));
  memory.fill(binSamples, 0, BINS * 4);
  memory.fill(binTokens, 0, BINS * 8);
  for (let i: usize = 0; i < <usize>n; i++) {
    const bin = <usize>(load<u32>(vit + (i << 2)) / <u32>binWidth);
    countUp(binSamples, <u32>bin);
    const at = binTokens + (bin << 3);
    store<u64>(at, load<u64>(at) + load<u32>(tokens + (i << 2)));
  }
}

/** Takes the sum and the ranks of a column; false for one with a value that is no load, at `errorIndex`. */
function lookAt(column: usize, wide: bool, k: i32, n: i32, table: usize): bool {
  let sum: u64 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    if (wide ? load<f64>(column + (i << 3)) < 0 : load<i32>(column + (i << 2)) < 0) {
      failAtLoad(<i32>i, k);
      return false;
    }
    sum += valueAt(column, wide, i);
  }
  store<u64>(sums + ((<usize>k) << 3), sum);
  if (n > 0) selectRanks(column, wide, n, table, ranksOf(k));
  return true;
}

/**
 * Looks at n samples of `count` loads: u32[count] pointers at `columns` to i32[n], or to f64[n], whole numbers below 2^53,
 * where the bit of the load is set in `floats`; `left` more samples are invalid. The names are read until `write`. 256 KB of
 * the arena while it runs. O(loads samples).
 */
export function look(
  columns: usize,
  floats: u32,
  namesAt: usize,
  lengthsAt: usize,
  count: i32,
  n: i32,
  left: i32,
): i32 {
  if (n < 0 || left < 0 || count < 1 || count > MAX_LOADS) return BAD_ARGUMENT;
  if (nameBytes(lengthsAt, count) > LONGEST_NAMES) return BAD_ARGUMENT;
  const before = mark();
  const table = allocArray(65536, 4);
  if (table == 0) return OUT_OF_MEMORY;
  samples = n;
  invalid = left;
  loads = count;
  names = namesAt;
  lengths = lengthsAt;
  // A histogram of values above 31 bits would have no use.
  usual = floats == 0 && areUsual(namesAt, lengthsAt, count);
  bins = 0;
  for (let k = 0; k < count; k++) {
    const column = load<usize>(columns + ((<usize>k) << 2));
    if (lookAt(column, ((floats >> k) & 1) != 0, k, n, table)) continue;
    release(before);
    if (!usual) return BAD_LOAD;
    return k == 0 ? NEGATIVE_VIT : NEGATIVE_TOKENS;
  }
  if (usual && n > 0) countBins(load<usize>(columns), load<usize>(columns, 4), n);
  release(before);
  return OK;
}

function putRank(name: usize, ranks: usize, k: usize): void {
  put(ascii(',"'));
  put(name);
  put(ascii('":'));
  if (samples > 0) putNumber(load<u64>(ranks + (k << 3)));
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
  if (room < LONGEST_TEXT + 6 * <u32>nameBytes(lengths, usual ? 0 : loads)) return -BAD_ARGUMENT;
  startText(out);
  put(ascii('{"samples":'));
  putNumber(samples);
  if (invalid > 0) {
    put(ascii(',"invalid":'));
    putNumber(invalid);
  }
  put(usual ? ascii(",") : ascii(',"loads":{'));
  for (let k = 0; k < loads; k++) {
    if (k > 0) put(ascii(","));
    putKey(names, lengths, k);
    putField(sumOf(k), ranksOf(k));
  }
  if (!usual) {
    put(ascii("}}\n"));
    return <i32>(cursor - out);
  }
  put(ascii(',"tokensPerTile":'));
  putRatio(sumOf(1), sumOf(0));
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
