// Foreign text made safe for a terminal: `printable` of src/core/printable.ts for UTF-8, written at the cursor.

import { ascii } from "./ascii";
import { put, putByte, putBytes } from "./writer";

/** How many bytes at `at` make one UTF-8 character; 0 if they make none, and then `broken` of them are one fault. */
export let broken: usize = 0;
export function utf8Length(at: usize, end: usize): usize {
  const lead = <u32>load<u8>(at);
  broken = 1;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length: usize = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // No overlong forms, no surrogates, nothing above 0x10ffff.
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

/** The list of src/core/printable.ts, without surrogates, which UTF-8 does not have. */
function isUnprintable(code: u32): bool {
  if (code < 0x80) return code < 0x20 || code == 0x7f;
  if (code < 0x2000) return code < 0xa0 || code == 0x061c;
  if (code < 0x2070) {
    return code == 0x200b || code - 0x200e < 2 || code - 0x2028 < 7 || code >= 0x2060;
  }
  return code == 0xfeff || code - 0xfff9 < 3 || code - 0xe0000 < 0x80;
}

/** Writes `digits` hexadecimal digits in lower case. */
export function putDigits(code: u32, digits: u32): void {
  for (let shift = <i32>(digits << 2) - 4; shift >= 0; shift -= 4) {
    const digit = (code >> shift) & 15;
    putByte(digit < 10 ? 0x30 + digit : 0x57 + digit);
  }
}

/** \x1b, \u202e or \u{e0001} */
function putEscapedCode(code: u32): void {
  if (code < 0x100) {
    put(ascii("\\x"));
    putDigits(code, 2);
  } else if (code < 0x10000) {
    put(ascii("\\u"));
    putDigits(code, 4);
  } else {
    put(ascii("\\u{"));
    putDigits(code, 5);
    putByte(0x7d);
  }
}

/** Writes a character of `length` bytes, as at most 9 bytes. What is not UTF-8 becomes U+FFFD, as in every decoder. */
export function putCharacter(at: usize, length: usize): void {
  if (length == 0) {
    putByte(0xef);
    putByte(0xbf);
    putByte(0xbd);
  } else if (isUnprintable(codeAt(at, length))) putEscapedCode(codeAt(at, length));
  else putBytes(at, length);
}

/** Writes the `length` bytes at `at`, UTF-8 or not, as at most 4 times as many. */
export function putPrintable(at: usize, length: usize): void {
  const end = at + length;
  while (at < end) {
    const bytes = utf8Length(at, end);
    putCharacter(at, bytes);
    at += bytes == 0 ? broken : bytes;
  }
}
