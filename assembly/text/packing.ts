// A packing as JSON or JSON Lines, in pieces that fit a buffer of the host's: the text of a large packing is never whole
// in memory. It reads CSR arrays at given pointers, so a packing that the host kept can be copied in and written too.

import { ascii } from "../base/ascii";
import { BAD_ARGUMENT, OK } from "../base/status";
import { cursor, put, putList, putNumber, putRatio, startText } from "../base/writer";

/** {"groups":[[3,1],[2]],"oversize":[7],"stats":{...},"made":{...}} and a line feed. */
const JSON_TEXT: i32 = 0;
/**
 * A line {"made":{...},"groups":2}, a line {"group":[3,1],"vit":9,"tokens":4001} per group, then {"oversize":[7]} if there
 * are oversize samples.
 */
const JSON_LINES: i32 = 1;
/** {"stats":{...},"made":{...}} and a line feed. */
const JSON_HEAD: i32 = 2;

/** Room for the longest piece that is written without looking at the end of the buffer: the stats. */
const LONGEST_PIECE: u32 = 384;

/** Bytes of `made` that are copied without looking. */
const MADE_PIECE: u32 = 256;

/** A mix is below the number of samples. */
const MOST_MIX: f64 = 4294967296;

/** What comes next. */
const START: i32 = 0;
const GROUP_START: i32 = 1;
const GROUP: i32 = 2;
const OVERSIZE_START: i32 = 3;
const OVERSIZE: i32 = 4;
const MADE: i32 = 5;
const END: i32 = 6;

let next: i32 = END;
let format: i32 = JSON_TEXT;
let offsets: usize = 0;
let order: usize = 0;
let vit: usize = 0;
let tokens: usize = 0;
let groups: i32 = 0;
let oversize: usize = 0;
let oversizeCount: i32 = 0;
let maxVit: i32 = 0;
let maxTokens: i32 = 0;
let bound: i32 = 0;
let rounds: i32 = 0;
/** In millionths, -1 for none. */
let mix: i64 = -1;
/** u8[madeBytes]: the JSON of what the packing was made of; none where nobody says. */
let made: usize = 0;
let madeBytes: u32 = 0;

/** The group being written, and how far into `order` (or `oversize`, or `made`) the text has come. */
let group: i32 = 0;
let item: u32 = 0;

/** Starts the text of a packing; nothing is allocated, and the arrays are read until the text is drained. */
export function begin(
  textFormat: i32,
  offsetsAt: usize,
  orderAt: usize,
  vitSums: usize,
  tokenSums: usize,
  groupCount: i32,
  oversizeAt: usize,
  oversizeSamples: i32,
  vitBound: i32,
  tokenBound: i32,
  leastGroups: i32,
  roundsDone: i32,
  mixOfGroups: f64,
  madeAt: usize,
  madeLength: u32,
): i32 {
  if (textFormat < JSON_TEXT || textFormat > JSON_HEAD) return BAD_ARGUMENT;
  if (groupCount < 0 || oversizeSamples < 0 || vitBound < 1 || tokenBound < 1) return BAD_ARGUMENT;
  if (leastGroups < 0 || roundsDone < 0 || !(mixOfGroups < MOST_MIX)) return BAD_ARGUMENT;
  format = textFormat;
  offsets = offsetsAt;
  order = orderAt;
  vit = vitSums;
  tokens = tokenSums;
  groups = groupCount;
  oversize = oversizeAt;
  oversizeCount = oversizeSamples;
  maxVit = vitBound;
  maxTokens = tokenBound;
  bound = leastGroups;
  rounds = roundsDone;
  mix = mixOfGroups < 0 ? -1 : <i64>(mixOfGroups * 1000000 + 0.5);
  made = madeAt;
  madeBytes = madeLength;
  group = 0;
  item = 0;
  next = START;
  return OK;
}

function offset(g: i32): u32 {
  return load<u32>(offsets + ((<usize>g) << 2));
}

function sumOf(values: usize): u64 {
  let sum: u64 = 0;
  for (let g = 0; g < groups; g++) sum += load<u32>(values + ((<usize>g) << 2));
  return sum;
}

function putStats(): void {
  const samples = <u64>(offset(groups) - offset(0));
  // Without a group the ratios are 0, as in the facade.
  const count = <u64>max(groups, 1);
  put(ascii('"stats":{"groups":'));
  putNumber(groups);
  put(ascii(',"samples":'));
  putNumber(samples);
  put(ascii(',"oversize":'));
  putNumber(oversizeCount);
  put(ascii(',"bound":'));
  putNumber(bound);
  put(ascii(',"fillVit":'));
  putRatio(sumOf(vit), count * <u64>maxVit);
  put(ascii(',"fillTokens":'));
  putRatio(sumOf(tokens), count * <u64>maxTokens);
  put(ascii(',"samplesPerGroup":'));
  putRatio(samples, count);
  put(ascii(',"rounds":'));
  putNumber(rounds);
  put(ascii(',"mix":'));
  putRatio(mix < 0 ? 0 : mix, mix < 0 ? 0 : 1000000);
  put(ascii("}"));
}

/** Copies a part of `made`; false while there is more of it. */
function putMade(): bool {
  if (madeBytes == 0) return true;
  if (item == 0) put(ascii('"made":'));
  const size = min(madeBytes - item, MADE_PIECE);
  memory.copy(cursor, made + item, size);
  startText(cursor + size);
  item += size;
  return item == madeBytes;
}

function step(stop: usize): void {
  const lines = format == JSON_LINES;
  if (next == START) {
    put(ascii("{"));
    if (format == JSON_TEXT) {
      put(ascii('"groups":['));
      next = groups > 0 ? GROUP_START : OVERSIZE_START;
    } else {
      if (format == JSON_HEAD) putStats();
      next = MADE;
    }
  } else if (next == MADE) {
    if (item == 0 && !lines && madeBytes > 0) put(ascii(","));
    if (!putMade()) return;
    if (!lines) {
      put(ascii("}\n"));
      next = END;
      return;
    }
    if (madeBytes > 0) put(ascii(","));
    put(ascii('"groups":'));
    putNumber(groups);
    put(ascii("}\n"));
    next = groups > 0 ? GROUP_START : OVERSIZE_START;
  } else if (next == GROUP_START) {
    put(lines ? ascii('{"group":[') : group > 0 ? ascii(",[") : ascii("["));
    item = offset(group);
    next = GROUP;
  } else if (next == GROUP) {
    const end = offset(group + 1);
    item = putList(order, offset(group), item, end, stop);
    if (item < end) return;
    if (lines) {
      put(ascii('],"vit":'));
      putNumber(load<u32>(vit + ((<usize>group) << 2)));
      put(ascii(',"tokens":'));
      putNumber(load<u32>(tokens + ((<usize>group) << 2)));
      put(ascii("}\n"));
    } else {
      put(ascii("]"));
    }
    group++;
    next = group < groups ? GROUP_START : OVERSIZE_START;
  } else if (next == OVERSIZE_START) {
    if (!lines) put(ascii('],"oversize":['));
    else if (oversizeCount > 0) put(ascii('{"oversize":['));
    item = 0;
    next = OVERSIZE;
  } else {
    item = putList(oversize, 0, item, oversizeCount, stop);
    if (item < <u32>oversizeCount) return;
    item = 0;
    if (!lines) {
      put(ascii("],"));
      putStats();
      next = MADE;
      return;
    }
    if (oversizeCount > 0) put(ascii("]}\n"));
    next = END;
  }
}

/** Writes what comes next into `room` bytes at `out`; returns how many, 0 at the end, or a negated status. */
export function write(out: usize, room: u32): i32 {
  if (room < 2 * LONGEST_PIECE || room > <u32>i32.MAX_VALUE) return -BAD_ARGUMENT;
  startText(out);
  const stop = out + room - LONGEST_PIECE;
  while (next != END && cursor <= stop) step(stop);
  return <i32>(cursor - out);
}
