// Text that is not ours, as a terminal may be shown it: `printable` and `quoted` of src/printable.ts for UTF-8.

import { ascii } from "../base/ascii";
import { say, sayByte, sayBytes } from "./output";

/** How many bytes at `at` are one character of UTF-8; 0 where they are none, and `broken` of them are then one fault. */
let broken: usize = 0;
function utf8Length(at: usize, end: usize): usize {
  const lead = <u32>load<u8>(at);
  broken = 1;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length: usize = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // No long forms, no halves of surrogate pairs, nothing above 0x10ffff.
  let low: u32 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  let high: u32 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (; broken < length; broken++) {
    const c = at + broken < end ? <u32>load<u8>(at + broken) : 0;
    if (c < low || c > high) return 0;
    low = 0x80;
    high = 0xbf;
  }
  return length;
}

/** The code point of a character of `length` bytes. */
function codeAt(at: usize, length: usize): u32 {
  const lead = <u32>load<u8>(at);
  if (length == 1) return lead;
  let code = lead & (0x7f >> <u32>length);
  for (let i: usize = 1; i < length; i++) code = (code << 6) | (load<u8>(at + i) & 63);
  return code;
}

/** The list of src/printable.ts, without the halves of surrogate pairs, which UTF-8 does not have. */
function isUnprintable(code: u32): bool {
  if (code < 0x80) return code < 0x20 || code == 0x7f;
  if (code < 0x2000) return code < 0xa0 || code == 0x061c;
  if (code < 0x2070) {
    return code == 0x200b || code - 0x200e < 2 || code - 0x2028 < 7 || code >= 0x2060;
  }
  return code == 0xfeff || code - 0xfff9 < 3 || code - 0xe0000 < 0x80;
}

function sayHex(code: u32, digits: u32): void {
  for (let shift = <i32>(digits << 2) - 4; shift >= 0; shift -= 4) {
    const digit = (code >> shift) & 15;
    sayByte(digit < 10 ? 0x30 + digit : 0x57 + digit);
  }
}

/** \x1b, \u202e or \u{e0001} */
function sayEscaped(code: u32): void {
  if (code < 0x100) {
    say(ascii("\\x"));
    sayHex(code, 2);
  } else if (code < 0x10000) {
    say(ascii("\\u"));
    sayHex(code, 4);
  } else {
    say(ascii("\\u{"));
    sayHex(code, 5);
    sayByte(0x7d);
  }
}

/** Says a character of `length` bytes; what is no UTF-8 as U+FFFD, as every decoder does. */
function sayCharacter(at: usize, length: usize): void {
  if (length == 0) {
    sayByte(0xef);
    sayByte(0xbf);
    sayByte(0xbd);
  } else if (isUnprintable(codeAt(at, length))) sayEscaped(codeAt(at, length));
  else sayBytes(at, length);
}

/** Says `length` bytes at `at`, which are UTF-8 or not. */
export function sayPrintable(at: usize, length: usize): void {
  const end = at + length;
  while (at < end) {
    const bytes = utf8Length(at, end);
    sayCharacter(at, bytes);
    at += bytes == 0 ? broken : bytes;
  }
}

/** Bytes up to a zero: an argument. */
export function sayArgument(at: usize): void {
  let end = at;
  while (load<u8>(end) != 0) end++;
  sayPrintable(at, end - at);
}

/** The letter of the short escape of a byte in JSON, or 0. */
function escapeOf(c: u32): u32 {
  if (c == 0x22 || c == 0x5c) return c;
  if (c == 8) return 0x62;
  if (c == 9) return 0x74;
  if (c == 10) return 0x6e;
  if (c == 12) return 0x66;
  return c == 13 ? 0x72 : 0;
}

/** An argument in double quotes, as JSON writes a string. */
export function sayQuoted(at: usize): void {
  let end = at;
  while (load<u8>(end) != 0) end++;
  sayByte(0x22);
  while (at < end) {
    const bytes = utf8Length(at, end);
    const c = <u32>load<u8>(at);
    const letter = bytes == 1 ? escapeOf(c) : 0;
    if (letter != 0) {
      sayByte(0x5c);
      sayByte(letter);
    } else if (c < 0x20) {
      say(ascii("\\u"));
      sayHex(c, 4);
    } else sayCharacter(at, bytes);
    at += bytes == 0 ? broken : bytes;
  }
  sayByte(0x22);
}
