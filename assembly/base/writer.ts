// Writes text at a cursor: the JSON of packings and statistics, and messages. Numbers are formatted by integer
// arithmetic alone, so every host prints the same bytes. Nothing here checks the end of a buffer: the caller leaves
// room.

import { ascii } from "./ascii";

/** Where the next byte goes. */
export let cursor: usize = 0;

export function startText(at: usize): void {
  cursor = at;
}

export function putByte(byte: u32): void {
  store<u8>(cursor++, byte);
}

/** Copies a literal of ascii.ts. */
export function put(text: usize): void {
  for (let c = load<u8>(text); c != 0; c = load<u8>(++text)) store<u8>(cursor++, c);
}

/** Copies u8[n]. */
export function putBytes(at: usize, n: usize): void {
  memory.copy(cursor, at, n);
  cursor += n;
}

/** Copies u8[n] of UTF-8 as the inside of a JSON string, escaped as JSON.stringify does: at most 6 bytes for each. */
export function putEscaped(at: usize, n: usize): void {
  for (const end = at + n; at < end; at++) {
    const c = load<u8>(at);
    if (c >= 0x20 && c != 0x22 && c != 0x5c) {
      store<u8>(cursor++, c);
      continue;
    }
    store<u8>(cursor++, 0x5c);
    if (c == 0x22 || c == 0x5c) store<u8>(cursor++, c);
    else if (c == 8) store<u8>(cursor++, 0x62);
    else if (c == 9) store<u8>(cursor++, 0x74);
    else if (c == 10) store<u8>(cursor++, 0x6e);
    else if (c == 12) store<u8>(cursor++, 0x66);
    else if (c == 13) store<u8>(cursor++, 0x72);
    else {
      put(ascii("u00"));
      store<u8>(cursor++, 0x30 + (c >> 4));
      const low = c & 15;
      store<u8>(cursor++, low < 10 ? 0x30 + low : 0x57 + low);
    }
  }
}

/** Writes `x` in decimal: at most 20 bytes. */
export function putNumber(x: u64): void {
  let digits: usize = 1;
  for (let rest = x / 10; rest > 0; rest /= 10) digits++;
  let at = cursor + digits;
  cursor = at;
  do {
    store<u8>(--at, 48 + <u8>(x % 10));
    x /= 10;
  } while (x > 0);
}

/** Writes `x` as 16 hexadecimal digits in lower case. */
export function putHex(x: u64): void {
  for (let shift: u64 = 60; ; shift -= 4) {
    const digit = <u32>(x >> shift) & 15;
    store<u8>(cursor++, digit < 10 ? 0x30 + digit : 0x57 + digit);
    if (shift == 0) return;
  }
}

/**
 * Writes over / under with six decimals, rounded half up: at most 27 bytes. `null` if `under` is 0: there is no ratio,
 * and a 0 would be taken for one.
 */
export function putRatio(over: u64, under: u64): void {
  if (under == 0) {
    put(ascii("null"));
    return;
  }
  // Ten times the remainder must fit in 64 bits. What the shift drops is below the sixth decimal.
  while (under > (<u64>1) << 60) {
    over >>= 1;
    under >>= 1;
  }
  let whole = over / under;
  let rest = over % under;
  let decimals: u32 = 0;
  for (let i = 0; i < 6; i++) {
    rest *= 10;
    decimals = decimals * 10 + <u32>(rest / under);
    rest %= under;
  }
  if (rest * 2 >= under) decimals++;
  if (decimals == 1000000) {
    whole++;
    decimals = 0;
  }
  putNumber(whole);
  // Adding 1,000,000 keeps the leading zeros of the decimals; the dot then replaces that 1.
  const dot = cursor;
  putNumber(1000000 + decimals);
  store<u8>(dot, 46);
}

function digitsOf(x: u32): usize {
  if (x < 10000) return x < 100 ? (x < 10 ? 1 : 2) : x < 1000 ? 3 : 4;
  if (x < 1000000) return x < 100000 ? 5 : 6;
  if (x < 100000000) return x < 10000000 ? 7 : 8;
  return x < 1000000000 ? 9 : 10;
}

/**
 * Writes values[from .. to) (u32) separated by commas, with one before the first unless `from` is `first`, until the
 * cursor is beyond `stop`, by at most 11 bytes. Returns the index of the first value that is not written.
 */
export function putList(values: usize, first: u32, from: u32, to: u32, stop: usize): u32 {
  let at = cursor;
  for (; from < to && at <= stop; from++) {
    if (from != first) store<u8>(at++, 44);
    let x = load<u32>(values + ((<usize>from) << 2));
    at += digitsOf(x);
    let digit = at;
    do {
      const tenth = x / 10;
      store<u8>(--digit, 48 + <u8>(x - tenth * 10));
      x = tenth;
    } while (x > 0);
  }
  cursor = at;
  return from;
}

/** 10^d for 0 <= d <= 12. */
function powerOfTen(d: i32): u64 {
  let power: u64 = 1;
  for (; d > 0; d--) power *= 10;
  return power;
}

/** The second result of `scale`: the part of the product after the binary point, and its number of bits. */
let cutOff: u64 = 0;
let cutBits: i32 = 0;

/**
 * The fractional part of x >= 0 times `factor` (at most 10^12), rounded down. Exact: the product has 93 bits. `cutOff`
 * is what was cut off, and 0 if the fraction is too small to count.
 */
function scale(x: f64, factor: u64): u64 {
  const bits = reinterpret<u64>(x);
  const exponent = <i32>(bits >> 52) - 1075;
  cutOff = 0;
  cutBits = 0;
  if (exponent >= 0 || exponent < -116) return 0;
  let mantissa = (bits & 0xf_ffff_ffff_ffff) | ((<u64>1) << 52);
  cutBits = -exponent;
  if (cutBits < 64) mantissa &= ((<u64>1) << cutBits) - 1;
  // mantissa * factor as high * 2^64 + low.
  const low32 = (mantissa & 0xffff_ffff) * (factor & 0xffff_ffff);
  const middle = (mantissa >> 32) * (factor & 0xffff_ffff) + (low32 >> 32);
  const cross = (mantissa & 0xffff_ffff) * (factor >> 32) + (middle & 0xffff_ffff);
  const high = (mantissa >> 32) * (factor >> 32) + (middle >> 32) + (cross >> 32);
  const low = (cross << 32) | (low32 & 0xffff_ffff);
  if (cutBits < 64) {
    cutOff = low & (((<u64>1) << cutBits) - 1);
    return (high << (64 - cutBits)) | (low >> cutBits);
  }
  // If more than 64 bits remain, the upper ones tell whether they make half or more.
  const shift = cutBits - 64;
  cutOff = shift == 0 ? low : ((high & (((<u64>1) << shift) - 1)) << (64 - shift)) | (low >> shift);
  cutBits = 64;
  return shift >= 64 ? 0 : high >> shift;
}

/** Writes a dot and n as d decimals. With `trim`, drops trailing zeros, and the dot if no decimal is left. */
function putDecimals(n: u64, d: i32, trim: bool): void {
  if (d == 0) return;
  const dot = cursor;
  // Adding 10^d keeps the leading zeros of the decimals; the dot then replaces that 1.
  putNumber(powerOfTen(d) + n);
  store<u8>(dot, 46);
  if (!trim) return;
  while (load<u8>(cursor - 1) == 48) cursor--;
  if (load<u8>(cursor - 1) == 46) cursor--;
}

/** Writes x, 0 <= x < 2^53, with d <= 12 decimals, rounded half up, as JavaScript's toFixed does. */
export function putFixed(x: f64, d: i32, trim: bool = false): void {
  let whole = <u64>x;
  let n = scale(x, powerOfTen(d));
  if (cutBits > 0 && cutOff >> (cutBits - 1) != 0) n++;
  if (n == powerOfTen(d)) {
    whole++;
    n = 0;
  }
  putNumber(whole);
  putDecimals(n, d, trim);
}

/**
 * Writes x, 0 <= x < 2^53, as JavaScript prints Number(x.toFixed(12)): the shortest decimal that reads back as that
 * number. Below 8192, that is twelve decimals without trailing zeros; above, fewer may tell x from its neighbours.
 */
export function putDecimal(x: f64): void {
  if (x >= 8192) {
    const whole = <u64>x;
    for (let d = 0; d <= 12; d++) {
      const power = powerOfTen(d);
      let n = scale(x, power);
      const unit: u64 = (<u64>1) << cutBits;
      const up = cutBits > 0 && cutOff >> (cutBits - 1) != 0;
      const off = up ? unit - cutOff : cutOff;
      if (d < 12 && off * 2 >= power) continue;
      n += u64(up);
      putNumber(n == power ? whole + 1 : whole);
      putDecimals(n == power ? 0 : n, d, true);
      return;
    }
  }
  let n = scale(x, 1000000000000);
  if (cutBits > 0 && cutOff >> (cutBits - 1) != 0) n++;
  if (x >= 1 || n == 0 || n >= 1000000) {
    putFixed(x, 12, true);
    return;
  }
  // Below 10^-6 with an exponent: 1.25e-7.
  let exponent = 12;
  while (n % 10 == 0) {
    n /= 10;
    exponent--;
  }
  let first = n;
  let decimals = 0;
  for (; first >= 10; first /= 10) decimals++;
  putNumber(first);
  putDecimals(n - first * powerOfTen(decimals), decimals, false);
  put(ascii("e-"));
  putNumber(exponent - decimals);
}
