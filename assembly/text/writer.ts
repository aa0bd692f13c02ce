// Text at a cursor: what the JSON of packings and statistics is made of. Numbers come from integer arithmetic alone, so
// every host prints the same bytes. Nothing here looks at the end of a buffer: who writes a piece leaves room for it.

import { ascii } from "../base/ascii";

/** Where the next byte goes. */
export let cursor: usize = 0;

export function startText(at: usize): void {
  cursor = at;
}

/** Copies a literal of ascii.ts. */
export function put(text: usize): void {
  for (let c = load<u8>(text); c != 0; c = load<u8>(++text)) store<u8>(cursor++, c);
}

/** Writes `x` in decimal, at most 20 bytes. */
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
 * Writes over / under with six decimals, rounded half up: at most 27 bytes. `null` when `under` is 0: there is no such
 * ratio, and a 0 would be taken for one.
 */
export function putRatio(over: u64, under: u64): void {
  if (under == 0) {
    put(ascii("null"));
    return;
  }
  // Ten times the remainder must fit 64 bits. What the shift drops is below the sixth decimal.
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
  // Counted from 1,000,000 up the decimals keep their leading zeros; the dot then takes the place of that 1.
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
 * Writes values[from .. to) (u32) with commas between, one before the first unless `from` is `first`, until the cursor
 * is past `stop` (at most 11 bytes past it). Returns the first that is not written.
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
