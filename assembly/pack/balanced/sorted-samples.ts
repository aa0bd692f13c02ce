// Reads the input into the order that everything else works on: rows of vit values, each sorted by tokens, ascending. Samples beyond a bound
// are listed on the way. Every step is a short piece of work.

import { allocArray } from "../../base/memory";
import { failAt, NEGATIVE_TOKENS, NEGATIVE_VIT, OK, OUT_OF_MEMORY } from "../../base/status";
import { DONE, MORE } from "../../base/step";
import { bucketOf, countValue, cutRuns, HISTOGRAM_BYTES, startHistogram } from "../../loads/value-ranges";
import { bestOrder, latestOrder, layPackings, packingRoom } from "./best-packing";
import { maxTokens, maxVit, rowHigh, rowLow, rowStart, rows, setRows } from "./problem";

/** About how many rows there are where vit has too many values for one row each. */
const RANGE_ROWS: i32 = 32;
/** Samples per step. */
const SCAN: i32 = 524288;
/** Bits sorted by at a time. */
const DIGIT: i32 = 11;

/** What is done next. */
const SCANNING: i32 = 0;
const CUTTING: i32 = 1;
const SPREADING: i32 = 2;
const SORTING: i32 = 3;
const GATHERING: i32 = 4;

export let stage: i32 = SCANNING;
let at: i32 = 0;

let vitIn: usize = 0;
let tokensIn: usize = 0;
let size: i32 = 0;

/** Samples that fit: how many; u32 index in the input, and record, of each position. */
export let fitting: i32 = 0;
export let indexOf: usize = 0;
export let samples: usize = 0;
/** u32[oversizeCount], ascending. */
export let oversize: usize = 0;
export let oversizeCount: i32 = 0;

let histogram: usize = 0;
let mostTokens: i32 = 0;
let digits: i32 = 0;
let digit: i32 = 0;
let row: i32 = 0;
/** i32[rows]: samples of each row, then where the next one goes. */
const cursor: usize = memory.data(64 * 4, 16);

/** Starts on n samples, i32[n] each at `vit` and `tokens`, which stay in place. Returns a status. */
export function startRows(vit: usize, tokens: usize, n: i32): i32 {
  vitIn = vit;
  tokensIn = tokens;
  size = n;
  fitting = 0;
  oversizeCount = 0;
  mostTokens = 0;
  at = 0;
  // Samples too large are listed from the end of the indices of those that fit.
  indexOf = allocArray(<usize>n + 4, 4);
  histogram = allocArray(HISTOGRAM_BYTES, 1);
  if (indexOf == 0 || histogram == 0) return OUT_OF_MEMORY;
  startHistogram(histogram, maxVit);
  stage = SCANNING;
  return OK;
}

/** Does a piece: 1 when there is more to do, 0 when all is in rows, else a negated status. */
export function stepRows(): i32 {
  if (stage == SCANNING) return scan();
  if (stage == CUTTING) return cut();
  if (stage == SPREADING) return spread();
  if (stage == SORTING) return sortRow();
  return gather();
}

/** Counts vit values and finds out which samples fit. */
function scan(): i32 {
  const to = min(size, at + SCAN);
  for (; at < to; at++) {
    const v = load<i32>(vitIn + ((<usize>at) << 2));
    const t = load<i32>(tokensIn + ((<usize>at) << 2));
    if ((v | t) < 0) return -failAt(v < 0 ? NEGATIVE_VIT : NEGATIVE_TOKENS, at);
    if (v > maxVit || t > maxTokens) {
      oversizeCount++;
      store<u32>(indexOf + ((<usize>(size - oversizeCount)) << 2), at);
      continue;
    }
    fitting++;
    mostTokens = max(mostTokens, t);
    countValue(histogram, v);
  }
  if (at == size) stage = CUTTING;
  return MORE;
}

/** Makes rows of vit values, and room for all that follows. */
function cut(): i32 {
  oversize = allocArray(oversizeCount, 4);
  const room = allocArray(packingRoom(fitting), 1);
  samples = allocArray(<usize>fitting + 4, 8);
  if (oversize == 0 || room == 0 || samples == 0) return -OUT_OF_MEMORY;
  // They were written from the end down, so they are in descending order.
  for (let i = 0; i < oversizeCount; i++) {
    store<u32>(oversize + ((<usize>i) << 2), load<u32>(indexOf + ((<usize>(size - 1 - i)) << 2)));
  }
  // Before there are packings, their room serves to sort in.
  layPackings(room, fitting);
  setRows(cutRuns(histogram, fitting / RANGE_ROWS, rowLow, rowHigh, cursor));
  let start = 0;
  for (let r: usize = 0; r < <usize>rows; r++) {
    const n = load<i32>(cursor + (r << 2));
    store<i32>(cursor + (r << 2), start);
    store<i32>(rowStart + (r << 2), start);
    start += n;
  }
  store<i32>(rowStart + ((<usize>rows) << 2), start);
  at = 0;
  stage = SPREADING;
  return fitting > 0 ? MORE : DONE;
}

/** Spreads (tokens, index) records over the rows. */
function spread(): i32 {
  const to = min(size, at + SCAN);
  for (; at < to; at++) {
    const v = load<i32>(vitIn + ((<usize>at) << 2));
    const t = load<i32>(tokensIn + ((<usize>at) << 2));
    if (v > maxVit || t > maxTokens) continue;
    const place = cursor + ((<usize>load<i32>(bucketOf(histogram, v))) << 2);
    const p = load<i32>(place);
    store<i32>(place, p + 1);
    store<u64>(latestOrder + ((<usize>p) << 3), ((<u64>at) << 32) | <u64>t);
  }
  if (at == size) {
    digits = 0;
    while (mostTokens >> (DIGIT * digits) != 0) digits++;
    digit = 0;
    row = 0;
    stage = SORTING;
  }
  return MORE;
}

/** Sorts the records of one row by tokens, by the next digit. */
function sortRow(): i32 {
  const start = load<i32>(rowStart + ((<usize>row) << 2));
  const stop = load<i32>(rowStart + ((<usize>row) << 2), 4);
  if (digit < digits) {
    if (digit & 1) sortDigit(bestOrder, latestOrder, start, stop, DIGIT * digit);
    else sortDigit(latestOrder, bestOrder, start, stop, DIGIT * digit);
    digit++;
  }
  if (digit < digits) return MORE;
  digit = 0;
  row++;
  if (row == rows) {
    row = 0;
    at = 0;
    stage = GATHERING;
  }
  return MORE;
}

function sortDigit(from: usize, to: usize, start: i32, stop: i32, shift: u32): void {
  // The histogram is not needed once samples are spread.
  const counts = histogram;
  const bytes: usize = 4 << DIGIT;
  const mask: u32 = (1 << DIGIT) - 1;
  memory.fill(counts, 0, bytes);
  for (let p = start; p < stop; p++) {
    const slot = counts + ((<usize>((load<u32>(from + ((<usize>p) << 3)) >> shift) & mask)) << 2);
    store<i32>(slot, load<i32>(slot) + 1);
  }
  let sum = start;
  for (let i: usize = 0; i < bytes; i += 4) {
    const many = load<i32>(counts + i);
    store<i32>(counts + i, sum);
    sum += many;
  }
  for (let p = start; p < stop; p++) {
    const record = load<u64>(from + ((<usize>p) << 3));
    const slot = counts + ((<usize>((<u32>record >> shift) & mask)) << 2);
    const q = load<i32>(slot);
    store<i32>(slot, q + 1);
    store<u64>(to + ((<usize>q) << 3), record);
  }
}

/** Splits the sorted records into indices and samples, row by row. */
function gather(): i32 {
  const from = digits & 1 ? bestOrder : latestOrder;
  const stop = load<i32>(rowStart + ((<usize>row) << 2), 4);
  const low = load<i32>(rowLow + ((<usize>row) << 2));
  const one = low == load<i32>(rowHigh + ((<usize>row) << 2));
  const to = min(stop, at + SCAN);
  for (; at < to; at++) {
    const record = load<u64>(from + ((<usize>at) << 3));
    const i = <u32>(record >> 32);
    store<u32>(indexOf + ((<usize>at) << 2), i);
    const v = one ? low : load<i32>(vitIn + ((<usize>i) << 2));
    store<u64>(samples + ((<usize>at) << 3), ((<u64>v) << 32) | <u64>(<u32>record));
  }
  if (at == stop) row++;
  return row == rows ? DONE : MORE;
}
