// .npy length files: one array of shape (n, 2), vit and tokens of each sample, in C or Fortran order, of any whole or
// floating type and byte order that numpy writes. Takes the input in pieces cut at any byte.

import { ascii } from "../base/ascii";
import { alloc } from "../base/memory";
import {
  BAD_VALUE,
  NPY_DTYPE,
  NPY_HEADER,
  NPY_SHAPE,
  OK,
  OUT_OF_MEMORY,
  TRAILING_BYTES,
  UNEXPECTED_END,
} from "../base/status";
import {
  clearSeen,
  EXPECT_DATA,
  keepByte,
  keepSeen,
  put,
  SEEN_BYTES,
  seen,
  seenLength,
  setError,
  TOKENS,
  VIT,
} from "./columns";

/** numpy's headers for plain types take 118 bytes; more than this is no length file. */
const MAX_HEADER: u32 = 4096;

/** Magic, version, length and text of the header. */
let header: usize = 0;
let headerLength: u32 = 0;
let headerEnd: u32 = 0;

/** i, u or f; bytes of one value; whether its first byte is the highest. */
let kind: u32 = 0;
let width: usize = 0;
let bigEndian: bool = false;
let fortran: bool = false;
let samples: u64 = 0;

/** Values read so far, of samples * 2; a value that is cut by the end of a piece; bytes of all pieces before. */
let values: u64 = 0;
const cut: usize = memory.data(16, 16);
let cutLength: usize = 0;
let base: u64 = 0;

/** Starts a file. */
export function begin(): i32 {
  header = alloc(MAX_HEADER + 16);
  if (header == 0) return OUT_OF_MEMORY;
  restart();
  return OK;
}

/** Starts another file. */
export function restart(): void {
  headerLength = 0;
  headerEnd = 0;
  samples = 0;
  values = 0;
  cutLength = 0;
  base = 0;
}

function failAt(status: i32, offset: u64, expected: i32): i32 {
  setError(offset, <u32>(fortran && samples > 0 ? values % samples : values >> 1), fieldNow(), expected);
  return status;
}

/** The field that the next value belongs to. */
function fieldNow(): i32 {
  return (fortran ? values >= samples : (values & 1) != 0) ? TOKENS : VIT;
}

/** Reads the piece at `from` and puts the values that end in it into the sink. */
export function run(from: usize, length: usize): i32 {
  const end = from + length;
  let p = from;
  if (headerEnd == 0 || headerLength < headerEnd) {
    const status = takeHeader(p, end);
    if (status != OK) return status;
    if (headerEnd == 0 || headerLength < headerEnd) {
      base += <u64>length;
      return OK;
    }
    p = from + <usize>(<u64>headerLength - base);
  }
  const total = samples << 1;
  if (cutLength > 0) {
    while (cutLength < width && p < end) store<u8>(cut + cutLength++, load<u8>(p++));
    if (cutLength == width) {
      const status = decode(cut, 1, base + <u64>(p - from) - <u64>width);
      if (status != OK) return status;
      cutLength = 0;
    }
  }
  const count = min<u64>(<u64>((end - p) / width), total - values);
  const status = decode(p, <usize>count, base + <u64>(p - from));
  if (status != OK) return status;
  p += <usize>count * width;
  if (values == total && cutLength == 0) {
    if (p < end) {
      keepByte(load<u8>(p));
      return failAt(TRAILING_BYTES, base + <u64>(p - from), 0);
    }
  } else {
    while (p < end) store<u8>(cut + cutLength++, load<u8>(p++));
  }
  base += <u64>length;
  return OK;
}

/** Ends the file: an error when values are missing. */
export function finish(): i32 {
  if (headerEnd != 0 && headerLength == headerEnd && values == samples << 1) return OK;
  return failAt(UNEXPECTED_END, base, EXPECT_DATA);
}

/** Gathers the header; its length is known after 10 (version 1.0) or 12 bytes. */
function takeHeader(p: usize, end: usize): i32 {
  while (p < end && (headerEnd == 0 || headerLength < headerEnd)) {
    store<u8>(header + headerLength++, load<u8>(p++));
    if (headerLength == 8) {
      // 0x93 N U M P Y, major, minor.
      const magic = load<u64>(header);
      const major = <u32>((magic >> 48) & 0xff);
      if ((magic & 0xffff_ffff_ffff) != 0x59_504d_554e_93 || major < 1 || major > 3 || magic >> 56 != 0) {
        return failAt(NPY_HEADER, 0, 0);
      }
    }
    const major = headerLength > 8 ? <u32>load<u8>(header, 6) : 0;
    let text: u32 = 0;
    if (major == 1 && headerLength == 10) text = load<u16>(header, 8);
    else if (major > 1 && headerLength == 12) text = load<u32>(header, 8);
    else continue;
    if (text == 0 || text > MAX_HEADER) return failAt(NPY_HEADER, 8, 0);
    headerEnd = headerLength + text;
  }
  return headerEnd != 0 && headerLength == headerEnd ? parseHeader() : OK;
}

// The header is a Python dict with three entries in any order:
// {'descr': '<i8', 'fortran_order': False, 'shape': (3, 2), }

let at: usize = 0;

function peek(): u32 {
  while (at < header + headerEnd && (load<u8>(at) == 0x20 || load<u8>(at) == 0x0a)) at++;
  return at < header + headerEnd ? <u32>load<u8>(at) : 0;
}

function accept(c: u32): bool {
  if (peek() != c) return false;
  at++;
  return true;
}

/** Steps over a quoted string without escapes; its bytes are [stringAt, at - 1). */
let stringAt: usize = 0;
function acceptString(): bool {
  const quote = peek();
  if (quote != 0x27 && quote != 0x22) return false;
  stringAt = ++at;
  while (at < header + headerEnd && load<u8>(at) != quote) at++;
  if (at == header + headerEnd) return false;
  at++;
  return true;
}

function acceptWord(first: u32, rest: u32): bool {
  if (peek() != first) return false;
  at++;
  for (; rest != 0; rest >>= 8) {
    if (at == header + headerEnd || load<u8>(at) != (rest & 0xff)) return false;
    at++;
  }
  return true;
}

function headerError(): i32 {
  return failAt(NPY_HEADER, <u64>(at - header), 0);
}

/** Shows an entry's value, [from, to). */
function entryError(status: i32, from: usize, to: usize): i32 {
  keepSeen(from, to);
  return failAt(status, <u64>(from - header), 0);
}

/** Just past the first `close` from `from` on, or the end of the header. */
function past(from: usize, close: u32): usize {
  while (from < header + headerEnd && load<u8>(from) != close) from++;
  return min(from + 1, header + headerEnd);
}

const DESCR: u32 = 1;
const FORTRAN_ORDER: u32 = 2;
const SHAPE: u32 = 4;

/** Whether the last string is this text. */
function isString(text: usize): bool {
  for (let c = stringAt; c < at - 1; c++, text++) if (load<u8>(c) != load<u8>(text)) return false;
  return load<u8>(text) == 0;
}

/** Which entry the last string names; 0: none. */
function entry(): u32 {
  if (isString(ascii("descr"))) return DESCR;
  if (isString(ascii("fortran_order"))) return FORTRAN_ORDER;
  return isString(ascii("shape")) ? SHAPE : 0;
}

/** Takes each entry once; nothing but white space follows. */
function parseHeader(): i32 {
  at = header + (load<u8>(header, 6) == 1 ? 10 : 12);
  let found: u32 = 0;
  if (!accept(0x7b)) return headerError();
  while (!accept(0x7d)) {
    if (!acceptString()) return headerError();
    const name = entry();
    if (name == 0 || (found & name) != 0) {
      at = stringAt;
      return headerError();
    }
    if (!accept(0x3a)) return headerError();
    if (peek() == 0) return headerError();
    found |= name;
    if (name == DESCR) {
      const from = at;
      if (!acceptString()) return entryError(NPY_DTYPE, from, past(from, 0x5d)); // a list: named fields
      if (!setType(stringAt, at - 1)) return entryError(NPY_DTYPE, from, at);
    } else if (name == FORTRAN_ORDER) {
      // True, False
      if (acceptWord(0x54, 0x657572)) fortran = true;
      else if (acceptWord(0x46, 0x65736c61)) fortran = false;
      else return headerError();
    } else {
      const from = at;
      if (!acceptShape()) return entryError(NPY_SHAPE, from, past(from, 0x29));
    }
    if (!accept(0x2c) && peek() != 0x7d) return headerError();
  }
  return found == (DESCR | FORTRAN_ORDER | SHAPE) && peek() == 0 && at == header + headerEnd ? OK : headerError();
}

/** (n, 2) */
function acceptShape(): bool {
  if (!accept(0x28)) return false;
  if (peek() - 0x30 > 9) return false;
  let n: u64 = 0;
  for (; at < header + headerEnd && <u32>load<u8>(at) - 0x30 < 10; at++) {
    n = min<u64>(n * 10 + (load<u8>(at) - 0x30), (<u64>1) << 40);
  }
  if (n > <u64>i32.MAX_VALUE || !accept(0x2c) || !accept(0x32)) return false;
  accept(0x2c);
  samples = n;
  return accept(0x29);
}

/** A byte order of < > | =, a kind of i u f, and a width. */
function setType(from: usize, end: usize): bool {
  if (end - from != 3) return false;
  const order = load<u8>(from);
  kind = load<u8>(from, 1);
  width = <usize>load<u8>(from, 2) - 0x30;
  bigEndian = order == 0x3e;
  if (order != 0x3c && order != 0x3e && order != 0x7c && order != 0x3d) return false;
  if (kind == 0x66) return width == 4 || width == 8;
  return (kind == 0x69 || kind == 0x75) && (width == 1 || width == 2 || width == 4 || width == 8);
}

/** The whole value at p in 64 bits, with its sign: a negative one is above every length when taken as unsigned. */
function whole(p: usize): u64 {
  const signed = kind == 0x69;
  if (width == 1) return signed ? <u64>load<i8>(p) : <u64>load<u8>(p);
  if (width == 2) {
    const bits = bigEndian ? bswap<u16>(load<u16>(p)) : load<u16>(p);
    return signed ? <u64>(<i16>bits) : <u64>bits;
  }
  if (width == 4) {
    const bits = bigEndian ? bswap<u32>(load<u32>(p)) : load<u32>(p);
    return signed ? <u64>(<i32>bits) : <u64>bits;
  }
  return bigEndian ? bswap<u64>(load<u64>(p)) : load<u64>(p);
}

/** Takes whole values up to one that is no length; returns how many. */
function wholes(p: usize, count: usize): usize {
  for (let k: usize = 0; k < count; k++) {
    const x = whole(p + k * width);
    if (x > <u64>i32.MAX_VALUE) return k;
    put(fieldNow(), <i32>x);
    values++;
  }
  return count;
}

/** The floating value at p. */
function float(p: usize): f64 {
  if (width == 4) {
    const bits = load<u32>(p);
    return <f64>reinterpret<f32>(bigEndian ? bswap<u32>(bits) : bits);
  }
  const bits = load<u64>(p);
  return reinterpret<f64>(bigEndian ? bswap<u64>(bits) : bits);
}

function floats(p: usize, count: usize): usize {
  for (let k: usize = 0; k < count; k++) {
    const x = float(p + k * width);
    // Written so that NaN fails.
    if (!(x >= 0 && x <= <f64>i32.MAX_VALUE && floor(x) == x)) return k;
    put(fieldNow(), <i32>x);
    values++;
  }
  return count;
}

/** Reads `count` values at p, which is byte `offset` of the input. */
function decode(p: usize, count: usize, offset: u64): i32 {
  const done = kind == 0x66 ? floats(p, count) : wholes(p, count);
  if (done == count) return OK;
  p += done * width;
  clearSeen();
  if (kind == 0x66) showFloat(float(p));
  else showWhole(p);
  return failAt(BAD_VALUE, offset + <u64>(done * width), 0);
}

function showDigits(x: u64): void {
  let scale: u64 = 1;
  while (x / scale >= 10) scale *= 10;
  for (; scale > 0; scale /= 10) keepByte(<u32>((x / scale) % 10) + 0x30);
}

/** A whole value that is out of range: negative, or of at least 32 bits. */
function showWhole(p: usize): void {
  let x = whole(p);
  if (kind == 0x69 && <i64>x < 0) {
    keepByte(0x2d);
    x = -x;
  }
  showDigits(x);
}

/** A floating value with up to nine places, cut; enough to see why it was refused. */
function showFloat(x: f64): void {
  if (!(x <= Infinity)) {
    keepByte(0x4e); // NaN
    keepByte(0x61);
    keepByte(0x4e);
    return;
  }
  if (x < 0) {
    keepByte(0x2d);
    x = -x;
  }
  if (x >= 1.8e19) {
    if (x == Infinity) {
      keepByte(0x69); // inf
      keepByte(0x6e);
      keepByte(0x66);
      return;
    }
    let power: u64 = 0;
    while (x >= 10) {
      x /= 10;
      power++;
    }
    showDigits(<u64>x);
    keepByte(0x65);
    keepByte(0x2b);
    showDigits(power);
    return;
  }
  const whole = floor(x);
  showDigits(<u64>whole);
  const places = <u64>((x - whole) * 1e9);
  if (x == whole) return;
  keepByte(0x2e);
  for (let scale: u64 = 100000000; scale > 0; scale /= 10) keepByte(<u32>((places / scale) % 10) + 0x30);
  trimZeros();
}

function trimZeros(): void {
  let length = seenLength;
  while (length > 1 && load<u8>(seen + length - 1) == 0x30 && load<u8>(seen + length - 2) != 0x2e) length--;
  const kept = min(length, SEEN_BYTES);
  clearSeen();
  for (let k: usize = 0; k < kept; k++) keepByte(load<u8>(seen + k));
}
