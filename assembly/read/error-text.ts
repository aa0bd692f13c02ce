// What a reader's errors are in words, for every host: what follows "file.json: ".

import { ascii } from "../base/ascii";
import { putPrintable } from "../base/printable";
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
import { cursor, put, putByte, putNumber, startText } from "../base/writer";
import {
  Columns,
  EXPECT_COLON,
  EXPECT_DATA,
  EXPECT_DIGIT,
  EXPECT_ESCAPE,
  EXPECT_HEX,
  EXPECT_LITERAL,
  EXPECT_NAME,
  EXPECT_NAME_OR_END,
  EXPECT_NEXT_FIELD,
  EXPECT_NEXT_ITEM,
  EXPECT_NEXT_RECORD,
  EXPECT_RECORD,
  EXPECT_RECORD_OR_END,
  EXPECT_SPACE,
  EXPECT_START,
  EXPECT_STRING,
  EXPECT_VALUE,
  EXPECT_VALUE_OR_END,
  MAX_VALUE,
  SEEN_BYTES,
} from "./columns";

/** The longest text: a name of 4096 bytes, each as an escape of 4, and the words around it. */
export const TEXT_ROOM: u32 = 4 * 4096 + 512;

function expected(what: i32): usize {
  switch (what) {
    case EXPECT_START:
      return ascii("an array of records or a record: [ or {");
    case EXPECT_RECORD:
      return ascii("a record: {");
    case EXPECT_RECORD_OR_END:
      return ascii("a record or the end of the array: { or ]");
    case EXPECT_NEXT_RECORD:
    case EXPECT_NEXT_ITEM:
      return ascii("a comma or the end of the array: , or ]");
    case EXPECT_SPACE:
      return ascii("white space before the next record");
    case EXPECT_NAME:
      return ascii("a field name in double quotes");
    case EXPECT_NAME_OR_END:
      return ascii("a field name in double quotes, or }");
    case EXPECT_COLON:
      return ascii("a colon");
    case EXPECT_VALUE:
      return ascii("a value");
    case EXPECT_VALUE_OR_END:
      return ascii("a value or ]");
    case EXPECT_NEXT_FIELD:
      return ascii("a comma or the end of the object: , or }");
    case EXPECT_DIGIT:
      return ascii("a digit");
    case EXPECT_LITERAL:
      return ascii("true, false or null");
    case EXPECT_ESCAPE:
      return ascii('an escape: one of " \\ / b f n r t u');
    case EXPECT_HEX:
      return ascii("a hexadecimal digit");
    case EXPECT_STRING:
      return ascii("the rest of a string, where control characters are written as escapes");
    case EXPECT_DATA:
      return ascii("more data: the header announces it");
    default:
      return ascii("the rest of the value");
  }
}

/** The byte that was met: as it is, or in hexadecimal where it cannot be shown. */
function putFound(byte: u32): void {
  put(ascii("found "));
  if (byte > 0x20 && byte < 0x7f) putByte(byte);
  else {
    put(ascii("the byte 0x"));
    for (let shift = 4; shift >= 0; shift -= 4) {
      const digit = (byte >> shift) & 15;
      putByte(digit < 10 ? 0x30 + digit : 0x37 + digit);
    }
  }
  put(ascii(", "));
}

function putOffset(c: Columns): void {
  put(ascii("byte "));
  putNumber(c.errorOffset);
}

function putHeaderEntry(c: Columns, name: usize): void {
  putOffset(c);
  put(ascii(": "));
  put(name);
  put(ascii(" is "));
  putPrintable(c.seen, c.seenLength);
  put(ascii(", expected "));
}

function putRefusedValue(c: Columns): void {
  const first = <u32>load<u8>(c.seen);
  put(ascii(" is "));
  if (c.seenLength == 1 && first == 0x7b) put(ascii("an object"));
  else if (c.seenLength == 1 && first == 0x5b) put(ascii("an array"));
  else putPrintable(c.seen, c.seenLength);
  if (c.seenLength >= SEEN_BYTES) put(ascii("..."));
  put(ascii(", expected a whole number from 0 to "));
  putNumber(MAX_VALUE);
  put(ascii(", written as digits"));
}

function putName(c: Columns, name: i32): void {
  putPrintable(c.nameAt(name), c.nameLength(name));
}

/** vit or vit_num */
function putNamesOf(c: Columns, column: i32): void {
  let isFirst = true;
  for (let name = 0; name < c.nameCount; name++) {
    if (c.columnOf(name) != column) continue;
    if (!isFirst) put(ascii(" or "));
    isFirst = false;
    putName(c, name);
  }
}

function putText(c: Columns, status: i32, showFound: bool, tableColumns: i32): void {
  if (status == NPY_HEADER) {
    putOffset(c);
    put(ascii(": not a .npy header of version 1.0, 2.0 or 3.0"));
    return;
  }
  if (status == NPY_DTYPE) {
    putHeaderEntry(c, ascii("descr"));
    put(ascii("whole or floating numbers of 1 to 8 bytes"));
    return;
  }
  if (status == NPY_SHAPE) {
    putHeaderEntry(c, ascii("shape"));
    put(ascii("(n, "));
    putNumber(tableColumns);
    put(ascii(")"));
    return;
  }
  if (status == UNEXPECTED_END && c.errorOffset == 0) {
    put(ascii("the file is empty, expected "));
    put(expected(c.errorExpected));
    return;
  }
  put(ascii("record "));
  putNumber(c.errorRecord);
  put(ascii(", "));
  putOffset(c);
  put(ascii(": "));
  if (status == UNEXPECTED_END) {
    put(ascii("the file ends, expected "));
    put(expected(c.errorExpected));
  } else if (status == TOO_DEEP) put(ascii("nested more than 512 deep"));
  else if (status == FIELD_MISSING || status == BAD_VALUE) {
    if (status == FIELD_MISSING) {
      putNamesOf(c, c.columnOf(c.errorName));
      put(ascii(" is missing"));
    } else {
      putName(c, c.errorName);
      putRefusedValue(c);
    }
  } else {
    if (showFound && c.seenLength > 0) putFound(load<u8>(c.seen));
    put(ascii("expected "));
    // What is left of the statuses is NOT_A_RECORD.
    put(
      status == UNEXPECTED_BYTE
        ? expected(c.errorExpected)
        : status == TRAILING_BYTES
          ? ascii("the end of the file")
          : ascii("a record: {"),
    );
  }
}

/**
 * Writes what `status`, 5 to 14, means for these columns: printable UTF-8, without the file's name, into TEXT_ROOM bytes at
 * `out`; returns how many. Without `showFound` nothing tells which byte was met, for files that may hold what is secret.
 */
export function errorText(c: Columns, status: i32, showFound: bool, tableColumns: i32, out: usize): u32 {
  startText(out);
  putText(c, status, showFound, tableColumns);
  return <u32>(cursor - out);
}
