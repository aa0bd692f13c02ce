// What the command prints: messages through a small buffer of their own, which is there when memory is full, and texts
// that others have made. The first error decides how the command ends.

import { ascii } from "../base/ascii";
import { cursor, putNumber, startText } from "../base/writer";
import { fd_write } from "./wasi_snapshot_preview1";

const STANDARD_OUTPUT: i32 = 1;
const STANDARD_ERROR: i32 = 2;

const ENOSPC: i32 = 51;
/** The reader has left. wasmtime says EIO then, as for a broken device, so there it is an error. */
const EPIPE: i32 = 64;
/** Said where the host writes nothing and finds that right. */
const EIO: i32 = 29;

export const BAD_INPUT: i32 = 1;
export const WRONG_USAGE: i32 = 2;

/** The exit code; set by the first error, after which nothing else is reported. */
export let exitCode: i32 = 0;

const ROOM: usize = 1024;
const LONGEST_NUMBER: usize = 20;
const buffer: usize = memory.data(1024);
let end: usize = buffer;
let fd: i32 = STANDARD_OUTPUT;

/** Pointer and length, then what was written. */
const part: usize = memory.data(12, 4);

export function startOutput(): void {
  exitCode = 0;
  fd = STANDARD_OUTPUT;
  end = buffer;
}

/** An errno, or 0. */
function writeAll(from: usize, length: usize): i32 {
  while (length > 0) {
    store<usize>(part, from);
    store<usize>(part, length, 4);
    const errno = fd_write(fd, part, 1, part + 8);
    if (errno != 0) return errno;
    const written = min(load<usize>(part, 8), length);
    if (written == 0) return EIO;
    from += written;
    length -= written;
  }
  return 0;
}

/** Sends what was said. If standard error is closed, there is no way to report that. */
export function flush(): void {
  writeAll(buffer, end - buffer);
  end = buffer;
}

/** What is said from here on is a message beside the output. */
export function sayOnStandardError(): void {
  flush();
  fd = STANDARD_ERROR;
}

/** Bytes up to a zero: a literal, or an argument. */
export function say(text: usize): void {
  for (; load<u8>(text) != 0; text++) sayByte(load<u8>(text));
}

/** And from here on it is output again. */
export function sayOnStandardOutput(): void {
  flush();
  fd = STANDARD_OUTPUT;
}

export function sayByte(byte: u32): void {
  if (end == buffer + ROOM) flush();
  store<u8>(end++, byte);
}

/** What base/writer.ts writes from here to `endPart`, at most `most` bytes, is said. */
export function startPart(most: usize): void {
  if (end + most > buffer + ROOM) flush();
  startText(end);
}

export function endPart(): void {
  end = cursor;
}

export function sayNumber(x: u64): void {
  startPart(LONGEST_NUMBER);
  putNumber(x);
  endPart();
}

/** 1234567 as 1,234,567 */
export function sayThousands(x: u64): void {
  let scale: u64 = 1;
  let digits = 1;
  for (; x / scale >= 10; digits++) scale *= 10;
  for (; digits > 0; digits--) {
    sayByte(<u32>((x / scale) % 10) + 0x30);
    scale /= 10;
    if (digits % 3 == 1 && digits > 1) sayByte(0x2c);
  }
}

export function sayBytes(from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i++) sayByte(load<u8>(from + i));
}

/** Begins the line of an error; what follows is said, and ended by `endError`. */
export function startError(code: i32): void {
  exitCode = code;
  sayOnStandardError();
  say(ascii("omnibal: "));
}

export function endError(): void {
  say(ascii("\n"));
  flush();
}

/**
 * Sends a text to standard output; false if there is no use in sending more. A reader that has gone is not an error.
 */
export function send(from: usize, length: usize): bool {
  const errno = writeAll(from, length);
  if (errno != 0 && errno != EPIPE) {
    startError(BAD_INPUT);
    say(ascii("standard output: cannot be written"));
    sayErrno(errno);
    endError();
  }
  return errno == 0;
}

/** Why the host refused, in brackets. */
export function sayErrno(errno: i32): void {
  if (errno == ENOSPC) {
    say(ascii(" (ENOSPC: no space left on device)"));
    return;
  }
  say(ascii(" (WASI errno "));
  sayNumber(errno);
  say(ascii(")"));
}
