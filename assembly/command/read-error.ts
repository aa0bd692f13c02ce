// What the readers' statuses are in words: those of src/read/core.ts, so that a file is told the same wherever it is read.

import { ascii } from "../base/ascii";
import {
  BAD_VALUE,
  FIELD_MISSING,
  NPY_DTYPE,
  NPY_HEADER,
  NPY_SHAPE,
  TOO_DEEP,
  TRAILING_BYTES,
  UNEXPECTED_BYTE,
  UNEXPECTED_END,
} from "../base/status";
import {
  EXPECT_DATA,
  EXPECT_START,
  errorExpected,
  errorField,
  errorOffset,
  errorRecord,
  SEEN_BYTES,
  seen,
  seenLength,
  VIT,
} from "../read/columns";
import { TOKEN_FIELD, VIT_FIELD, valueOf } from "./arguments";
import { say, sayByte, sayNumber } from "./output";
import { sayArgument, sayPrintable } from "./printable";

/** By `EXPECT_...` of sink.ts, which are numbered from 1 on. */
function expected(): usize {
  switch (errorExpected) {
    case EXPECT_START:
      return ascii("an array of records or a record: [ or {");
    case 2:
      return ascii("a record: {");
    case 3:
      return ascii("a record or the end of the array: { or ]");
    case 4:
    case 12:
      return ascii("a comma or the end of the array: , or ]");
    case 5:
      return ascii("white space before the next record");
    case 6:
      return ascii("a field name in double quotes");
    case 7:
      return ascii("a field name in double quotes, or }");
    case 8:
      return ascii("a colon");
    case 9:
      return ascii("a value");
    case 10:
      return ascii("a value or ]");
    case 11:
      return ascii("a comma or the end of the object: , or }");
    case 13:
      return ascii("a digit");
    case 14:
      return ascii("true, false or null");
    case 15:
      return ascii('an escape: one of " \\ / b f n r t u');
    case 16:
      return ascii("a hexadecimal digit");
    case 17:
      return ascii("the rest of a string, where control characters are written as escapes");
    case EXPECT_DATA:
      return ascii("more data: the header announces it");
    default:
      return ascii("the rest of the value");
  }
}

function sayFound(): void {
  const byte = <u32>load<u8>(seen);
  say(ascii(": found "));
  if (byte > 0x20 && byte < 0x7f) sayByte(byte);
  else {
    say(ascii("the byte 0x"));
    for (let shift = 4; shift >= 0; shift -= 4) {
      const digit = (byte >> shift) & 15;
      sayByte(digit < 10 ? 0x30 + digit : 0x37 + digit);
    }
  }
  say(ascii(", expected "));
}

function sayByteOffset(): void {
  say(ascii("byte "));
  sayNumber(errorOffset);
}

function sayHeaderEntry(name: usize): void {
  sayByteOffset();
  say(ascii(": "));
  say(name);
  say(ascii(" is "));
  sayPrintable(seen, seenLength);
  say(ascii(", expected "));
}

function sayRefusedValue(): void {
  const first = <u32>load<u8>(seen);
  say(ascii(" is "));
  if (seenLength == 1 && first == 0x7b) say(ascii("an object"));
  else if (seenLength == 1 && first == 0x5b) say(ascii("an array"));
  else sayPrintable(seen, seenLength);
  if (seenLength >= SEEN_BYTES) say(ascii("..."));
  say(ascii(", expected a whole number from 0 to 2147483647, written as digits"));
}

/** Says what a status of 5 and up means, behind the name of the file. */
export function sayReadError(status: i32): void {
  say(ascii(": "));
  if (status == NPY_HEADER) {
    sayByteOffset();
    say(ascii(": not a .npy header of version 1.0, 2.0 or 3.0"));
    return;
  }
  if (status == NPY_DTYPE) {
    sayHeaderEntry(ascii("descr"));
    say(ascii("whole or floating numbers of 1 to 8 bytes"));
    return;
  }
  if (status == NPY_SHAPE) {
    sayHeaderEntry(ascii("shape"));
    say(ascii("(n, 2)"));
    return;
  }
  if (status == UNEXPECTED_END && errorOffset == 0) {
    say(ascii("the file is empty, expected "));
    say(expected());
    return;
  }
  say(ascii("record "));
  sayNumber(errorRecord);
  say(ascii(", "));
  sayByteOffset();
  if (status == UNEXPECTED_END) {
    say(ascii(": the file ends, expected "));
    say(expected());
  } else if (status == TOO_DEEP) say(ascii(": nested more than 512 deep"));
  else if (status == FIELD_MISSING || status == BAD_VALUE) {
    say(ascii(": "));
    sayArgument(valueOf(errorField == VIT ? VIT_FIELD : TOKEN_FIELD));
    if (status == FIELD_MISSING) say(ascii(" is missing"));
    else sayRefusedValue();
  } else {
    sayFound();
    // What is left of the statuses is NOT_A_RECORD.
    say(
      status == UNEXPECTED_BYTE
        ? expected()
        : status == TRAILING_BYTES
          ? ascii("the end of the file")
          : ascii("a record: {"),
    );
  }
}
