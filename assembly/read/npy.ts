// .npy length files: one array of shape (n, K), the columns of each sample, in C or Fortran order, of any whole or
// floating type and byte order that numpy writes; with one column also (n,). Takes the input in pieces cut at any byte.

import { ascii } from "../base/ascii";
import { alloc } from "../base/memory";
import {
  BAD_ARGUMENT,
  BAD_VALUE,
  NPY_DTYPE,
  NPY_HEADER,
  NPY_SHAPE,
  OK,
  TRAILING_BYTES,
  UNEXPECTED_END,
} from "../base/status";
import { Columns, EXPECT_DATA, MAX_NARROW, MAX_VALUE, MINUS_ONE, SEEN_BYTES, SKIPPED } from "./columns";

/** Columns of a file at most. */
const MAX_TABLE: i32 = 255;

/** numpy's headers for plain types take 118 bytes; one longer than this is not of a length file. */
const MAX_HEADER: u32 = 4096;

/** A .npy being read, in the arena. */
@unmanaged
export class NpyReader {
  columns: Columns;
  /** Columns of the file, 1 .. MAX_TABLE, and u8[tableColumns]: the name that each is by, or SKIPPED. */
  tableColumns: i32;
  table: usize;
  /** Magic, version, length and text of the header. */
  header: usize;
  headerLength: u32;
  headerEnd: u32;
  /** Where the parser of the header is, and the bytes of the last string in there: [stringAt, at - 1). */
  at: usize;
  stringAt: usize;

  /** i, u or f; bytes of one value; whether its first byte is the highest. */
  kind: u32;
  width: usize;
  bigEndian: bool;
  fortran: bool;
  samples: u64;

  /** Values still to come; the sample of the next one and its column in the file. */
  left: u64;
  sample: u64;
  column: i32;
  /** A value that is cut by the end of a piece. */
  cut: usize;
  cutLength: usize;
  /** Bytes of all pieces before. */
  base: u64;

  /** The name that the column of the next value is by, or SKIPPED. */
  @inline
  name(): u32 {
    return load<u8>(this.table + this.column);
  }

  /** Goes on to the next value. */
  @inline
  next(): void {
    this.left--;
    if (this.fortran) {
      if (++this.sample < this.samples) return;
      this.sample = 0;
      this.column++;
    } else if (++this.column == this.tableColumns) {
      this.column = 0;
      this.sample++;
    }
  }
}

/** A reader of files into `columns`, or null without memory for it. */
export function make(columns: Columns): NpyReader | null {
  const r = changetype<NpyReader>(alloc(offsetof<NpyReader>()));
  const header = alloc(MAX_HEADER + 16);
  const cut = alloc(16);
  const table = alloc(MAX_TABLE);
  if (changetype<usize>(r) == 0 || header == 0 || cut == 0 || table == 0) return null;
  memory.fill(changetype<usize>(r), 0, offsetof<NpyReader>());
  r.columns = columns;
  r.header = header;
  r.cut = cut;
  r.table = table;
  r.tableColumns = columns.count;
  for (let k = 0; k < columns.count; k++) store<u8>(table + k, <u8>columns.lastNameOf(k));
  return r;
}

/**
 * Says which columns a file has: `count` of them, and u8[count] at `names` the name that each is by, or SKIPPED. A column that
 * is not among them brings no values. Without this they are the columns in their order.
 */
export function setTable(r: NpyReader, names: usize, count: i32): i32 {
  if (count < 1 || count > MAX_TABLE) return BAD_ARGUMENT;
  let taken: u32 = 0;
  for (let k = 0; k < count; k++) {
    const name = <u32>load<u8>(names + k);
    if (name == SKIPPED) continue;
    const bit: u32 = name < <u32>r.columns.nameCount ? 1 << r.columns.columnOf(name) : 0;
    if (bit == 0 || (taken & bit) != 0) return BAD_ARGUMENT;
    taken |= bit;
  }
  if (taken == 0) return BAD_ARGUMENT;
  memory.copy(r.table, names, count);
  r.tableColumns = count;
  return OK;
}

/** Starts another file. */
export function restart(r: NpyReader): void {
  r.headerLength = 0;
  r.headerEnd = 0;
  r.samples = 0;
  r.left = 0;
  r.sample = 0;
  r.column = 0;
  r.cutLength = 0;
  r.base = 0;
}

function failAt(r: NpyReader, status: i32, offset: u64, expected: i32): i32 {
  const name = <u32>load<u8>(r.table + min(r.column, r.tableColumns - 1));
  r.columns.setError(offset, <u32>r.sample, name == SKIPPED ? 0 : name, expected);
  return status;
}

/** Makes the -1 of column k in a sample an error. */
export function refuse(r: NpyReader, sample: u32, k: i32): i32 {
  const c = r.columns;
  let column = 0;
  while (column < r.tableColumns - 1) {
    const name = <u32>load<u8>(r.table + column);
    if (name != SKIPPED && c.columnOf(name) == k) break;
    column++;
  }
  const value = r.fortran ? <u64>column * r.samples + <u64>sample : <u64>sample * <u64>r.tableColumns + <u64>column;
  r.column = column;
  r.sample = sample;
  c.seenLength = 0;
  c.keepByte(0x2d);
  c.keepByte(0x31);
  return failAt(r, BAD_VALUE, <u64>r.headerEnd + value * <u64>r.width, 0);
}

/** Reads the piece at `from` and puts the values that end in it into the columns. */
export function run(r: NpyReader, from: usize, length: usize): i32 {
  const end = from + length;
  let p = from;
  if (r.headerEnd == 0 || r.headerLength < r.headerEnd) {
    const status = takeHeader(r, p, end);
    if (status != OK) return status;
    if (r.headerEnd == 0 || r.headerLength < r.headerEnd) {
      r.base += <u64>length;
      return OK;
    }
    p = from + <usize>(<u64>r.headerLength - r.base);
  }
  if (r.cutLength > 0) {
    while (r.cutLength < r.width && p < end) store<u8>(r.cut + r.cutLength++, load<u8>(p++));
    if (r.cutLength == r.width) {
      const status = decode(r, r.cut, 1, r.base + <u64>(p - from) - <u64>r.width);
      if (status != OK) return status;
      r.cutLength = 0;
    }
  }
  const count = min<u64>(<u64>((end - p) / r.width), r.left);
  const status = decode(r, p, <usize>count, r.base + <u64>(p - from));
  if (status != OK) return status;
  p += <usize>count * r.width;
  if (r.left == 0 && r.cutLength == 0) {
    if (p < end) {
      r.columns.keepByte(load<u8>(p));
      return failAt(r, TRAILING_BYTES, r.base + <u64>(p - from), 0);
    }
  } else {
    while (p < end) store<u8>(r.cut + r.cutLength++, load<u8>(p++));
  }
  r.base += <u64>length;
  return OK;
}

/** Ends the file: an error if values are missing. */
export function finish(r: NpyReader): i32 {
  if (r.headerEnd != 0 && r.headerLength == r.headerEnd && r.left == 0) return OK;
  return failAt(r, UNEXPECTED_END, r.base, EXPECT_DATA);
}

/** Gathers the header; its length is known after 10 (version 1.0) or 12 bytes. */
function takeHeader(r: NpyReader, p: usize, end: usize): i32 {
  while (p < end && (r.headerEnd == 0 || r.headerLength < r.headerEnd)) {
    store<u8>(r.header + r.headerLength++, load<u8>(p++));
    if (r.headerLength == 8) {
      // 0x93 N U M P Y, major, minor.
      const magic = load<u64>(r.header);
      const major = <u32>((magic >> 48) & 0xff);
      if ((magic & 0xffff_ffff_ffff) != 0x59_504d_554e_93 || major < 1 || major > 3 || magic >> 56 != 0) {
        return failAt(r, NPY_HEADER, 0, 0);
      }
    }
    const major = r.headerLength > 8 ? <u32>load<u8>(r.header, 6) : 0;
    let text: u32 = 0;
    if (major == 1 && r.headerLength == 10) text = load<u16>(r.header, 8);
    else if (major > 1 && r.headerLength == 12) text = load<u32>(r.header, 8);
    else continue;
    if (text == 0 || text > MAX_HEADER) return failAt(r, NPY_HEADER, 8, 0);
    r.headerEnd = r.headerLength + text;
  }
  return r.headerEnd != 0 && r.headerLength == r.headerEnd ? parseHeader(r) : OK;
}

// The header is a Python dict with three entries in any order:
// {'descr': '<i8', 'fortran_order': False, 'shape': (3, 2), }

function peek(r: NpyReader): u32 {
  while (r.at < r.header + r.headerEnd && (load<u8>(r.at) == 0x20 || load<u8>(r.at) == 0x0a)) r.at++;
  return r.at < r.header + r.headerEnd ? <u32>load<u8>(r.at) : 0;
}

function accept(r: NpyReader, c: u32): bool {
  if (peek(r) != c) return false;
  r.at++;
  return true;
}

/** Steps over a quoted string without escapes. */
function acceptString(r: NpyReader): bool {
  const quote = peek(r);
  if (quote != 0x27 && quote != 0x22) return false;
  r.stringAt = ++r.at;
  while (r.at < r.header + r.headerEnd && load<u8>(r.at) != quote) r.at++;
  if (r.at == r.header + r.headerEnd) return false;
  r.at++;
  return true;
}

function acceptWord(r: NpyReader, first: u32, rest: u32): bool {
  if (peek(r) != first) return false;
  r.at++;
  for (; rest != 0; rest >>= 8) {
    if (r.at == r.header + r.headerEnd || load<u8>(r.at) != (rest & 0xff)) return false;
    r.at++;
  }
  return true;
}

function headerError(r: NpyReader): i32 {
  return failAt(r, NPY_HEADER, <u64>(r.at - r.header), 0);
}

/** Shows an entry's value, [from, to). */
function entryError(r: NpyReader, status: i32, from: usize, to: usize): i32 {
  r.columns.keepSeen(from, to);
  return failAt(r, status, <u64>(from - r.header), 0);
}

/** Just past the first `close` from `from` on, or the end of the header. */
function past(r: NpyReader, from: usize, close: u32): usize {
  while (from < r.header + r.headerEnd && load<u8>(from) != close) from++;
  return min(from + 1, r.header + r.headerEnd);
}

const DESCR: u32 = 1;
const FORTRAN_ORDER: u32 = 2;
const SHAPE: u32 = 4;

/** Whether the last string is this text. */
function isString(r: NpyReader, text: usize): bool {
  for (let c = r.stringAt; c < r.at - 1; c++, text++) if (load<u8>(c) != load<u8>(text)) return false;
  return load<u8>(text) == 0;
}

/** Which entry the last string names; 0: none. */
function entry(r: NpyReader): u32 {
  if (isString(r, ascii("descr"))) return DESCR;
  if (isString(r, ascii("fortran_order"))) return FORTRAN_ORDER;
  return isString(r, ascii("shape")) ? SHAPE : 0;
}

/** Takes each entry once; nothing but white space follows. */
function parseHeader(r: NpyReader): i32 {
  r.at = r.header + (load<u8>(r.header, 6) == 1 ? 10 : 12);
  let found: u32 = 0;
  if (!accept(r, 0x7b)) return headerError(r);
  while (!accept(r, 0x7d)) {
    if (!acceptString(r)) return headerError(r);
    const name = entry(r);
    if (name == 0 || (found & name) != 0) {
      r.at = r.stringAt;
      return headerError(r);
    }
    if (!accept(r, 0x3a)) return headerError(r);
    if (peek(r) == 0) return headerError(r);
    found |= name;
    if (name == DESCR) {
      const from = r.at;
      if (!acceptString(r)) return entryError(r, NPY_DTYPE, from, past(r, from, 0x5d)); // a list: named fields
      if (!setType(r, r.stringAt, r.at - 1)) return entryError(r, NPY_DTYPE, from, r.at);
    } else if (name == FORTRAN_ORDER) {
      // True, False
      if (acceptWord(r, 0x54, 0x657572)) r.fortran = true;
      else if (acceptWord(r, 0x46, 0x65736c61)) r.fortran = false;
      else return headerError(r);
    } else {
      const from = r.at;
      if (!acceptShape(r)) return entryError(r, NPY_SHAPE, from, past(r, from, 0x29));
    }
    if (!accept(r, 0x2c) && peek(r) != 0x7d) return headerError(r);
  }
  return found == (DESCR | FORTRAN_ORDER | SHAPE) && peek(r) == 0 && r.at == r.header + r.headerEnd
    ? OK
    : headerError(r);
}

/** A whole number, at most 2^40; -1 where there is none. */
function acceptNumber(r: NpyReader): i64 {
  if (peek(r) - 0x30 > 9) return -1;
  let n: i64 = 0;
  for (; r.at < r.header + r.headerEnd && <u32>load<u8>(r.at) - 0x30 < 10; r.at++) {
    n = min<i64>(n * 10 + (load<u8>(r.at) - 0x30), (<i64>1) << 40);
  }
  return n;
}

/** (n, K), or (n,) with one column */
function acceptShape(r: NpyReader): bool {
  if (!accept(r, 0x28)) return false;
  const n = acceptNumber(r);
  if (n < 0 || n > <i64>i32.MAX_VALUE || !accept(r, 0x2c)) return false;
  const columns = acceptNumber(r);
  if (columns != r.tableColumns && !(columns < 0 && r.tableColumns == 1)) return false;
  accept(r, 0x2c);
  r.samples = n;
  r.left = <u64>n * r.tableColumns;
  return accept(r, 0x29);
}

/** A byte order of < > | =, a kind of i u f, and a width. */
function setType(r: NpyReader, from: usize, end: usize): bool {
  if (end - from != 3) return false;
  const order = load<u8>(from);
  r.kind = load<u8>(from, 1);
  r.width = <usize>load<u8>(from, 2) - 0x30;
  r.bigEndian = order == 0x3e;
  if (order != 0x3c && order != 0x3e && order != 0x7c && order != 0x3d) return false;
  if (r.kind == 0x66) return r.width == 4 || r.width == 8;
  return (r.kind == 0x69 || r.kind == 0x75) && (r.width == 1 || r.width == 2 || r.width == 4 || r.width == 8);
}

/** The whole value at p in 64 bits, with its sign: a negative one is above every length when taken as unsigned. */
function whole(r: NpyReader, p: usize): u64 {
  const signed = r.kind == 0x69;
  if (r.width == 1) return signed ? <u64>load<i8>(p) : <u64>load<u8>(p);
  if (r.width == 2) {
    const bits = r.bigEndian ? bswap<u16>(load<u16>(p)) : load<u16>(p);
    return signed ? <u64>(<i16>bits) : <u64>bits;
  }
  if (r.width == 4) {
    const bits = r.bigEndian ? bswap<u32>(load<u32>(p)) : load<u32>(p);
    return signed ? <u64>(<i32>bits) : <u64>bits;
  }
  return r.bigEndian ? bswap<u64>(load<u64>(p)) : load<u64>(p);
}

/** Takes whole values up to one that is no load; returns how many. */
function wholes(r: NpyReader, p: usize, count: usize): usize {
  const columns = r.columns;
  for (let k: usize = 0; k < count; k++) {
    const name = r.name();
    if (name != SKIPPED) {
      const x = whole(r, p + k * r.width);
      if (x > MAX_VALUE && (x != MINUS_ONE || r.kind == 0x75)) return k;
      columns.put(columns.columnOf(name), x);
    }
    r.next();
  }
  return count;
}

/** The floating value at p. */
function float(r: NpyReader, p: usize): f64 {
  if (r.width == 4) {
    const bits = load<u32>(p);
    return <f64>reinterpret<f32>(r.bigEndian ? bswap<u32>(bits) : bits);
  }
  const bits = load<u64>(p);
  return reinterpret<f64>(r.bigEndian ? bswap<u64>(bits) : bits);
}

function floats(r: NpyReader, p: usize, count: usize): usize {
  const columns = r.columns;
  for (let k: usize = 0; k < count; k++) {
    const name = r.name();
    if (name != SKIPPED) {
      const x = float(r, p + k * r.width);
      // Written so that NaN fails.
      const isLoad = x >= 0 && x <= <f64>MAX_VALUE && floor(x) == x;
      if (!isLoad && x != -1) return k;
      columns.put(columns.columnOf(name), isLoad ? <u64>x : MINUS_ONE);
    }
    r.next();
  }
  return count;
}

/**
 * Copies `count` values, `stride` bytes apart, into i32 at `to`; false where the type is not one of those that numpy writes
 * most, or one of them is above 31 bits or negative: then nothing of it counts.
 */
function copyNarrow(r: NpyReader, p: usize, stride: usize, count: usize, to: usize): bool {
  let all: u64 = 0;
  const end = to + (count << 2);
  if (r.width == 8) {
    for (; to < end; to += 4, p += stride) {
      const x = load<u64>(p);
      all |= x;
      store<u32>(to, <u32>x);
    }
  } else {
    for (; to < end; to += 4, p += stride) {
      const x = load<u32>(p);
      all |= x;
      store<u32>(to, x);
    }
  }
  return all <= MAX_NARROW;
}

/**
 * Takes values as long as all are of one of the usual types and below 2^31; returns how many. They go a column at a time, as a
 * .npy has hardly any work beside: 3 times as fast as one after another.
 */
function narrow(r: NpyReader, p: usize, count: usize): usize {
  if (r.kind == 0x66 || r.bigEndian || r.width < 4) return 0;
  const columns = r.columns;
  const tableColumns = <usize>r.tableColumns;
  let done: usize = 0;
  while (done < count) {
    let rows = (count - done) / tableColumns;
    let from = 0;
    let to = r.tableColumns;
    if (r.fortran) {
      rows = min(count - done, <usize>(r.samples - r.sample));
      from = r.column;
      to = from + 1;
    } else if (r.column != 0 || rows == 0) return done;
    const first = p + done * r.width;
    const stride = r.fortran ? r.width : tableColumns * r.width;
    for (let column = from; column < to; column++) {
      const name = <u32>load<u8>(r.table + column);
      if (name == SKIPPED) continue;
      const k = columns.columnOf(name);
      const at = columns.column(k) + ((<usize>columns.countOf(k)) << 2);
      if (!copyNarrow(r, first + <usize>(column - from) * r.width, stride, rows, at)) return done;
    }
    for (let column = from; column < to; column++) {
      const name = <u32>load<u8>(r.table + column);
      if (name != SKIPPED) columns.add(columns.columnOf(name), <u32>rows);
    }
    const values = rows * <usize>(to - from);
    done += values;
    r.left -= values;
    r.sample += rows;
    if (r.fortran && r.sample == r.samples) {
      r.sample = 0;
      r.column++;
    }
  }
  return done;
}

/** Reads `count` values at p, which is byte `offset` of the input. */
function decode(r: NpyReader, p: usize, count: usize, offset: u64): i32 {
  let done = narrow(r, p, count);
  if (done < count) {
    const rest = p + done * r.width;
    done += r.kind == 0x66 ? floats(r, rest, count - done) : wholes(r, rest, count - done);
  }
  if (done == count) return OK;
  p += done * r.width;
  r.columns.seenLength = 0;
  if (r.kind == 0x66) showFloat(r, float(r, p));
  else showWhole(r, p);
  return failAt(r, BAD_VALUE, offset + <u64>(done * r.width), 0);
}

function showDigits(r: NpyReader, x: u64): void {
  let scale: u64 = 1;
  while (x / scale >= 10) scale *= 10;
  for (; scale > 0; scale /= 10) r.columns.keepByte(<u32>((x / scale) % 10) + 0x30);
}

/** A whole value that is out of range: negative, or above 53 bits. */
function showWhole(r: NpyReader, p: usize): void {
  let x = whole(r, p);
  if (r.kind == 0x69 && <i64>x < 0) {
    r.columns.keepByte(0x2d);
    x = -x;
  }
  showDigits(r, x);
}

/** A floating value with up to nine places, cut; enough to see why it was refused. */
function showFloat(r: NpyReader, x: f64): void {
  if (!(x <= Infinity)) {
    r.columns.keepByte(0x4e); // NaN
    r.columns.keepByte(0x61);
    r.columns.keepByte(0x4e);
    return;
  }
  if (x < 0) {
    r.columns.keepByte(0x2d);
    x = -x;
  }
  if (x >= 1.8e19) {
    if (x == Infinity) {
      r.columns.keepByte(0x69); // inf
      r.columns.keepByte(0x6e);
      r.columns.keepByte(0x66);
      return;
    }
    let power: u64 = 0;
    while (x >= 10) {
      x /= 10;
      power++;
    }
    showDigits(r, <u64>x);
    r.columns.keepByte(0x65);
    r.columns.keepByte(0x2b);
    showDigits(r, power);
    return;
  }
  const digits = floor(x);
  showDigits(r, <u64>digits);
  const places = <u64>((x - digits) * 1e9);
  if (x == digits) return;
  r.columns.keepByte(0x2e);
  for (let scale: u64 = 100000000; scale > 0; scale /= 10) r.columns.keepByte(<u32>((places / scale) % 10) + 0x30);
  trimZeros(r);
}

function trimZeros(r: NpyReader): void {
  const seen = r.columns.seen;
  let length = r.columns.seenLength;
  while (length > 1 && load<u8>(seen + length - 1) == 0x30 && load<u8>(seen + length - 2) != 0x2e) length--;
  const kept = min(length, SEEN_BYTES);
  r.columns.seenLength = 0;
  for (let k: usize = 0; k < kept; k++) r.columns.keepByte(load<u8>(seen + k));
}
