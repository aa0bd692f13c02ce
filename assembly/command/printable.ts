// Text that is not ours, as a terminal may be shown it: `printable` and `quoted` of src/core/printable.ts for UTF-8.

import { ascii } from "../base/ascii";
import { broken, putCharacter, putDigits, utf8Length } from "../base/printable";
import { endPart, say, sayByte, startPart } from "./output";

/** The most bytes that one character is shown as. */
const LONGEST_CHARACTER: usize = 16;

function sayCharacter(at: usize, length: usize): void {
  startPart(LONGEST_CHARACTER);
  putCharacter(at, length);
  endPart();
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
  sayQuotedPart(at, end);
}

/** A part of one likewise. */
export function sayQuotedPart(at: usize, end: usize): void {
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
      startPart(LONGEST_CHARACTER);
      putDigits(c, 4);
      endPart();
    } else sayCharacter(at, bytes);
    at += bytes == 0 ? broken : bytes;
  }
  sayByte(0x22);
}
