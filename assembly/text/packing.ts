// A packing as JSON or JSON Lines, in pieces that fit a buffer of the host's: the text of a large packing is never whole
// in memory. It reads CSR arrays at given pointers, so a packing that the host kept can be copied in and written too.

import { ascii } from "../base/ascii";
import { BAD_ARGUMENT, OK } from "../base/status";
import { cursor, put, putList, putNumber, putRatio, startText } from "../base/writer";
import { areUsual, MAX_LOADS, nameBytes, putKey } from "./names";

/** {"groups":[[3,1],[2]],"oversize":[7],"stats":{...},"made":{...}} and a line feed. */
const JSON_TEXT: i32 = 0;
/**
 * A line {"made":{...},"groups":2}, a line {"group":[3,1],"vit":9,"tokens":4001} per group, then {"oversize":[7]} if there
 * are oversize samples, and {"invalid":[9]} if there are such. Loads other than vit and tokens are "loads":{"frames":9,"audio":4001}.
 */
const JSON_LINES: i32 = 1;
/** {"stats":{...},"made":{...}} and a line feed. */
const JSON_HEAD: i32 = 2;

/**
 * Room for the longest piece that is written without looking at the end of the buffer: the stats of the usual two loads.
 * Names of others take up to six times their bytes, and a number each.
 */
const LONGEST_PIECE: u32 = 384;
const LONGEST_LOAD: u32 = 48;
const LONGEST_NAMES: u32 = 65536;

/** Bytes of `made` that are copied without looking. */
const MADE_PIECE: u32 = 256;

/** From here on a bound is none. */
const MOST_BOUND: f64 = 9007199254740992;

/** A mix is below the number of samples. */
const MOST_MIX: f64 = 4294967296;

/** What comes next. */
const START: i32 = 0;
const GROUP_START: i32 = 1;
const GROUP: i32 = 2;
const OVERSIZE_START: i32 = 3;
const OVERSIZE: i32 = 4;
const INVALID_START: i32 = 5;
const INVALID: i32 = 6;
const LISTS_END: i32 = 7;
const MADE: i32 = 8;
const END: i32 = 9;

let next: i32 = END;
let format: i32 = JSON_TEXT;
let offsets: usize = 0;
let order: usize = 0;
/** u32[loads]: where the sums of each load are, u32[groups] or f64[groups] each; f64[loads]: its bound. */
let columns: usize = 0;
let wide: bool = false;
let loads: i32 = 0;
let names: usize = 0;
let lengths: usize = 0;
let bounds: usize = 0;
let usual: bool = true;
let longest: u32 = LONGEST_PIECE;
let groups: i32 = 0;
let oversize: usize = 0;
let oversizeCount: i32 = 0;
let invalid: usize = 0;
let invalidCount: i32 = 0;
let bound: i32 = 0;
let rounds: i32 = 0;
/** In millionths, -1 for none. */
let mix: i64 = -1;
/** u8[madeBytes]: the JSON of what the packing was made of; empty if it is not known. */
let made: usize = 0;
let madeBytes: u32 = 0;

/** The group being written, and how far into `order` (or `oversize`, or `made`) the text has come. */
let group: i32 = 0;
let item: u32 = 0;

/**
 * Starts the text of a packing; nothing is allocated, and the arrays are read until the text is drained. `columns` are
 * u32[loads] pointers to the sums, of `width` 4 (u32) or 8 (f64, whole numbers) bytes each; bounds: f64[loads], at least
 * 1, Infinity for none.
 */
export function begin(
  textFormat: i32,
  offsetsAt: usize,
  orderAt: usize,
  columnsAt: usize,
  width: i32,
  namesAt: usize,
  lengthsAt: usize,
  loadCount: i32,
  groupCount: i32,
  oversizeAt: usize,
  oversizeSamples: i32,
  invalidAt: usize,
  invalidSamples: i32,
  boundsAt: usize,
  leastGroups: i32,
  roundsDone: i32,
  mixOfGroups: f64,
  madeAt: usize,
  madeLength: u32,
): i32 {
  if (textFormat < JSON_TEXT || textFormat > JSON_HEAD) return BAD_ARGUMENT;
  if (loadCount < 1 || loadCount > MAX_LOADS || (width != 4 && width != 8)) return BAD_ARGUMENT;
  if (nameBytes(lengthsAt, loadCount) > LONGEST_NAMES) return BAD_ARGUMENT;
  if (groupCount < 0 || oversizeSamples < 0 || invalidSamples < 0) return BAD_ARGUMENT;
  for (let k = 0; k < loadCount; k++) if (!(load<f64>(boundsAt + ((<usize>k) << 3)) >= 1)) return BAD_ARGUMENT;
  if (leastGroups < 0 || roundsDone < 0 || !(mixOfGroups < MOST_MIX)) return BAD_ARGUMENT;
  format = textFormat;
  offsets = offsetsAt;
  order = orderAt;
  columns = columnsAt;
  wide = width == 8;
  loads = loadCount;
  names = namesAt;
  lengths = lengthsAt;
  bounds = boundsAt;
  usual = areUsual(namesAt, lengthsAt, loadCount);
  longest = usual ? LONGEST_PIECE : LONGEST_PIECE + loads * LONGEST_LOAD + 6 * <u32>nameBytes(lengthsAt, loadCount);
  groups = groupCount;
  oversize = oversizeAt;
  oversizeCount = oversizeSamples;
  invalid = invalidAt;
  invalidCount = invalidSamples;
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

/** What group g has of load k. */
function sum(k: i32, g: i32): u64 {
  const column = load<usize>(columns + ((<usize>k) << 2));
  return wide ? <u64>load<f64>(column + ((<usize>g) << 3)) : load<u32>(column + ((<usize>g) << 2));
}

/** Writes how much of a bound the groups fill. */
function putFill(k: i32): void {
  const bound = load<f64>(bounds + ((<usize>k) << 3));
  let all: u64 = 0;
  for (let g = 0; g < groups; g++) all += sum(k, g);
  // Without a group the ratios are 0, as in the facade.
  putRatio(all, bound < MOST_BOUND ? <u64>max(groups, 1) * <u64>bound : 0);
}

/** Writes {"name":...} with the sum of each load in `group` or, if that is below 0, with its fill. */
function putLoads(group: i32): void {
  for (let k = 0; k < loads; k++) {
    put(k == 0 ? ascii("{") : ascii(","));
    putKey(names, lengths, k);
    if (group < 0) putFill(k);
    else putNumber(sum(k, group));
  }
  put(ascii("}"));
}

function putStats(): void {
  const samples = <u64>(offset(groups) - offset(0));
  const count = <u64>max(groups, 1);
  put(ascii('"stats":{"groups":'));
  putNumber(groups);
  put(ascii(',"samples":'));
  putNumber(samples);
  put(ascii(',"oversize":'));
  putNumber(oversizeCount);
  if (invalidCount > 0) {
    put(ascii(',"invalid":'));
    putNumber(invalidCount);
  }
  put(ascii(',"bound":'));
  putNumber(bound);
  if (usual) {
    put(ascii(',"fillVit":'));
    putFill(0);
    put(ascii(',"fillTokens":'));
    putFill(1);
  } else {
    put(ascii(',"fill":'));
    putLoads(-1);
  }
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
      if (usual) {
        put(ascii('],"vit":'));
        putNumber(sum(0, group));
        put(ascii(',"tokens":'));
        putNumber(sum(1, group));
      } else {
        put(ascii('],"loads":'));
        putLoads(group);
      }
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
  } else if (next == OVERSIZE) {
    item = putList(oversize, 0, item, oversizeCount, stop);
    if (item < <u32>oversizeCount) return;
    if (!lines) put(ascii("]"));
    else if (oversizeCount > 0) put(ascii("]}\n"));
    next = invalidCount > 0 ? INVALID_START : LISTS_END;
  } else if (next == INVALID_START) {
    put(lines ? ascii('{"invalid":[') : ascii(',"invalid":['));
    item = 0;
    next = INVALID;
  } else if (next == INVALID) {
    item = putList(invalid, 0, item, invalidCount, stop);
    if (item < <u32>invalidCount) return;
    put(lines ? ascii("]}\n") : ascii("]"));
    next = LISTS_END;
  } else {
    item = 0;
    if (lines) {
      next = END;
      return;
    }
    put(ascii(","));
    putStats();
    next = MADE;
  }
}

/** Writes what comes next into `room` bytes at `out`; returns how many, 0 at the end, or a negated status. */
export function write(out: usize, room: u32): i32 {
  if (room < 2 * longest || room > <u32>i32.MAX_VALUE) return -BAD_ARGUMENT;
  startText(out);
  const stop = out + room - longest;
  while (next != END && cursor <= stop) step(stop);
  return <i32>(cursor - out);
}
