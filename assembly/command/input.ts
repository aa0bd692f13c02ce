// The samples of the files that the arguments name, one file after another. They are kept in blocks, each with a column
// of f64 for each load. Nothing else is allocated while they grow, so that block follows block in the arena and
// never a byte is copied to make room; a .npy in Fortran order fills one column of many blocks before the other.

import { ascii } from "../base/ascii";
import { alloc, allocArray, mark, release } from "../base/memory";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../base/status";
import { Columns } from "../read/columns";
import { errorText, Reader, end as readerEnd, push as readerPush, refuse, restart } from "../read/reader";
import { areSame, file, fileCount, isGiven, lengthOf, QUIET, startOptionError } from "./arguments";
import { advice, foreignFormat } from "./foreign";
import { areUsual, beginReader, loadCount, longestOption, takeFields } from "./loads";
import {
  BAD_INPUT,
  endError,
  exitCode,
  say,
  sayBytes,
  sayErrno,
  sayNumber,
  sayOnStandardError,
  sayOnStandardOutput,
  sayThousands,
  startError,
  WRONG_USAGE,
} from "./output";
import { sayArgument } from "./printable";
import { fd_close, fd_prestat_dir_name, fd_prestat_get, fd_read, path_open } from "./wasi_snapshot_preview1";

/** Bytes that are read at a time. */
const PIECE: u32 = 65536;
/** Samples in a block. */
const BLOCK: usize = 8192;

let firstBlock: usize = 0;
let endOfBlocks: usize = 0;
let blockBytes: usize = 0;
/** u32[MAX_LOADS]: values of each load so far, and before the last piece. */
const kept: usize = memory.data(8 * 4, 4);
const keptBefore: usize = memory.data(8 * 4, 4);
/** Samples of all files that are valid, and the others. */
export let samples: i32 = 0;
export let invalidSamples: i32 = 0;

/** u32[fileCount]: samples of all files up to the end of each. */
let fileEnds: usize = 0;

export function fileEnd(k: i32): i32 {
  return load<i32>(fileEnds + ((<usize>k) << 2));
}

/** u32[MAX_LOADS]: the column of each load once all are read, i32[samples], or f64[samples] where its bit is in `wideLoads`. */
export const loadColumns: usize = memory.data(8 * 4, 4);
export let wideLoads: u32 = 0;
/** u32[samples]: their numbers in the input, 0 where none is invalid; u32[invalidSamples]: the others. */
let numbers: usize = 0;
export let invalid: usize = 0;

export function columnAt(k: i32): usize {
  return load<usize>(loadColumns + ((<usize>k) << 2));
}

/** The number in the input of a sample. */
export function numberOf(sample: i32): i32 {
  return numbers == 0 ? sample : load<i32>(numbers + ((<usize>sample) << 2));
}

/** Gives u32[count] samples their numbers in the input. */
export function renumber(at: usize, count: usize): void {
  if (numbers == 0) return;
  for (const end = at + (count << 2); at < end; at += 4) store<i32>(at, numberOf(load<i32>(at)));
}

function keptOf(k: i32): usize {
  return <usize>load<u32>(kept + ((<usize>k) << 2));
}

/** Where value i of a load is. */
function placeOf(k: i32, i: usize): usize {
  return firstBlock + (i / BLOCK) * blockBytes + ((<usize>k * BLOCK + (i % BLOCK)) << 3);
}

/** Adds i32 values to a load; zeros without `values`. False when there is no memory. */
function keep(k: i32, values: usize, count: usize): bool {
  let at = keptOf(k);
  store<u32>(kept + ((<usize>k) << 2), <u32>(at + count));
  while (count > 0) {
    if (firstBlock + (at / BLOCK) * blockBytes == endOfBlocks) {
      if (alloc(blockBytes) != endOfBlocks) return false;
      endOfBlocks += blockBytes;
    }
    const fits = min(count, BLOCK - (at % BLOCK));
    const to = placeOf(k, at);
    for (let i: usize = 0; i < fits; i++) {
      store<f64>(to + (i << 3), values == 0 ? 0 : <f64>load<i32>(values + (i << 2)));
    }
    at += fits;
    if (values != 0) values += fits << 2;
    count -= fits;
  }
  return true;
}

/** Keeps what a push has found. */
function keepPiece(columns: Columns): bool {
  memory.copy(keptBefore, kept, 8 * 4);
  for (let k = 0; k < loadCount; k++) if (!keep(k, columns.column(k), columns.countOf(k))) return false;
  for (let i: u32 = 0; i < columns.wideCount; i++) {
    const entry = columns.wide + ((<usize>i) << 3);
    const place = load<u32>(entry);
    const k = place >> 29;
    wideLoads |= 1 << k;
    const at = placeOf(k, load<u32>(keptBefore + ((<usize>k) << 2)) + (place & 0x1fffffff));
    const lower = <u32>(<i32>load<f64>(at));
    store<f64>(at, <f64>load<u32>(entry, 4) * 4294967296.0 + <f64>lower);
  }
  return true;
}

/** Evens out the loads of a file that may lack some. False when there is no memory. */
function evenOut(): bool {
  let most: usize = 0;
  for (let k = 0; k < loadCount; k++) most = max(most, keptOf(k));
  for (let k = 0; k < loadCount; k++) if (!keep(k, 0, most - keptOf(k))) return false;
  return true;
}

/** Whether -1 is in all loads of a sample or in none; its first load otherwise. */
function minusAt(i: usize): i32 {
  let count = 0;
  let first = -1;
  for (let k = 0; k < loadCount; k++) {
    if (load<f64>(placeOf(k, i)) != -1) continue;
    if (count++ == 0) first = k;
  }
  return count == loadCount ? -1 : first;
}

export function tellOutOfMemory(): void {
  startError(BAD_INPUT);
  say(ascii("out of memory after "));
  sayNumber(keptOf(0));
  say(ascii(" samples"));
  endError();
}

// Errnos of WASI.
const EACCES: i32 = 2;
const EBADF: i32 = 8;
const EISDIR: i32 = 31;
const ENOENT: i32 = 44;
const ENOTDIR: i32 = 54;
const EPERM: i32 = 63;
const ENOTCAPABLE: i32 = 76;

/** No folder of the host's covers the path. */
const NO_FOLDER: i32 = -1;

function isStandardInput(path: usize): bool {
  return areSame(path, ascii("-"));
}

/** What a path is called in messages. */
function startFileError(path: usize): void {
  startError(BAD_INPUT);
  sayArgument(isStandardInput(path) ? ascii("stdin") : path);
}

function tellFileError(path: usize, errno: i32): void {
  startFileError(path);
  if (errno == ENOENT || errno == ENOTDIR) say(ascii(": no such file"));
  else if (errno == EISDIR || errno == EBADF) say(ascii(": is a folder, expected a file"));
  else if (errno == EACCES || errno == EPERM || errno == ENOTCAPABLE) say(ascii(": not allowed to read it"));
  else if (errno == NO_FOLDER) say(ascii(": is in no folder that the host opens: wasmtime run --dir=FOLDER"));
  else {
    say(ascii(": cannot be read"));
    sayErrno(errno);
  }
  endError();
}

/** A pointer and a length; what was read; a number; what the host says of a folder. */
const scratch: usize = memory.data(16, 4);

/** Names what the piece begins, if that is none of our formats. */
function isForeign(path: usize, piece: usize, bytes: u32): bool {
  const name = foreignFormat(piece, bytes);
  if (name == 0) return false;
  startFileError(path);
  say(ascii(": is "));
  say(name);
  say(ascii(", which is not supported: "));
  say(advice);
  endError();
  return true;
}

/** Reads to the end of an open file. */
function readAll(reader: Reader, fd: i32, path: usize): void {
  restart(reader);
  const first = keptOf(0);
  let status = OK;
  let isFirst = true;
  while (status == OK) {
    store<usize>(scratch, reader.buffer);
    store<usize>(scratch, PIECE, 4);
    const errno = fd_read(fd, scratch, 1, scratch + 8);
    if (errno != 0) {
      tellFileError(path, errno);
      return;
    }
    const bytes = load<u32>(scratch, 8);
    if (bytes == 0) break;
    if (isFirst) {
      if (isForeign(path, reader.buffer, bytes)) return;
      if (load<u8>(reader.buffer) == 0x93 && !areUsual()) {
        startFileError(path);
        say(ascii(": a .npy is read for vit and tokens alone"));
        endError();
        return;
      }
    }
    isFirst = false;
    status = readerPush(reader, bytes);
    if (status == OK && !keepPiece(reader.columns)) {
      tellOutOfMemory();
      return;
    }
  }
  if (status == OK) status = readerEnd(reader);
  if (status == OK) {
    if (!evenOut()) {
      tellOutOfMemory();
      return;
    }
    if (reader.columns.minuses > 0) {
      for (let i = first; i < keptOf(0) && status == OK; i++) {
        const k = minusAt(i);
        if (k >= 0) status = refuse(reader, <u32>(i - first), k);
      }
    }
  }
  if (status == OK) return;
  startFileError(path);
  say(ascii(": "));
  const text = reader.buffer;
  sayBytes(text, errorText(reader, true, text));
  endError();
}

const DOT: u32 = 0x2e;
const SLASH: u32 = 0x2f;

function skipSlashes(at: usize): usize {
  while (load<u8>(at) == SLASH) at++;
  return at;
}

/** Skips ./ at the beginning, and a . that is all. */
function skipDots(at: usize): usize {
  while (load<u8>(at) == DOT && load<u8>(at, 1) == SLASH) at = skipSlashes(at + 1);
  return load<u8>(at) == DOT && load<u8>(at, 1) == 0 ? at + 1 : at;
}

/** How many bytes of `path` the name of a folder covers, -1 if the path is not in it. */
function covered(name: usize, path: usize): i32 {
  name = skipDots(name);
  if ((load<u8>(name) == SLASH) != (load<u8>(path) == SLASH)) return -1;
  let length = lengthOf(name);
  while (length > 0 && load<u8>(name + length - 1) == SLASH) length--;
  for (let i: usize = 0; i < length; i++) if (load<u8>(name + i) != load<u8>(path + i)) return -1;
  const next = load<u8>(path + length);
  return length == 0 || next == SLASH || next == 0 ? <i32>length : -1;
}

let fileOpened: i32 = 0;

/** Opens a file in the folder that covers most of its path; returns an errno. */
function open(name: usize): i32 {
  const path = skipDots(name);
  const before = mark();
  let folder = -1;
  let most = -1;
  // The host's folders are numbered from 3 on.
  for (let fd = 3; fd_prestat_get(fd, scratch) == 0; fd++) {
    const length = load<u32>(scratch, 4);
    const at = length < PIECE ? alloc(length + 1) : 0;
    if (at != 0 && fd_prestat_dir_name(fd, at, length) == 0) {
      store<u8>(at + length, 0);
      const bytes = covered(at, path);
      if (bytes > most) {
        folder = fd;
        most = bytes;
      }
    }
    release(before);
  }
  if (folder < 0) return NO_FOLDER;
  const rest = skipSlashes(path + most);
  const length = lengthOf(rest);
  if (length == 0) return EISDIR;
  // Links are followed; nothing is made; the right is that to read.
  const errno = path_open(folder, 1, rest, length, 0, 2, 0, 0, scratch);
  fileOpened = load<i32>(scratch);
  return errno;
}

/** Whether the files and fields can be asked for at all. After an error, its line is not ended. */
export function checkInput(): bool {
  if (!takeFields()) return false;
  let dashes = 0;
  for (let k = 0; k < fileCount; k++) dashes += i32(isStandardInput(file(k)));
  if (dashes < 2) return true;
  startError(WRONG_USAGE);
  say(ascii('"-" is given twice, but the standard input can be read once only'));
  return false;
}

/** Makes columns of the blocks, without the invalid samples, in their place: behind them first, then moved down. */
function makeColumns(): bool {
  const all = keptOf(0);
  let left: usize = 0;
  for (let i: usize = 0; i < all; i++) left += usize(load<f64>(placeOf(0, i)) < 0);
  let bytes: usize = 0;
  for (let k = 0; k < loadCount; k++) {
    store<usize>(loadColumns + ((<usize>k) << 2), firstBlock + bytes);
    bytes += columnBytes(all - left, ((wideLoads >> k) & 1) != 0);
  }
  numbers = left == 0 ? 0 : firstBlock + bytes;
  invalid = numbers + columnBytes(all - left, false);
  if (left > 0) bytes += columnBytes(all - left, false) + columnBytes(left, false);
  const saved = alloc(bytes);
  if (saved == 0) return false;
  const down = saved - firstBlock;
  let valid: usize = 0;
  let other: usize = 0;
  for (let i: usize = 0; i < all; i++) {
    if (load<f64>(placeOf(0, i)) < 0) {
      store<u32>(invalid + down + (other++ << 2), <u32>i);
      continue;
    }
    if (left > 0) store<u32>(numbers + down + (valid << 2), <u32>i);
    for (let k = 0; k < loadCount; k++) {
      const value = load<f64>(placeOf(k, i));
      const to = columnAt(k) + down;
      if (((wideLoads >> k) & 1) != 0) store<f64>(to + (valid << 3), value);
      else store<i32>(to + (valid << 2), <i32>value);
    }
    valid++;
  }
  memory.copy(firstBlock, saved, bytes);
  release(firstBlock + bytes);
  samples = <i32>valid;
  invalidSamples = <i32>other;
  return true;
}

function columnBytes(count: usize, wide: bool): usize {
  return ((count << (wide ? 3 : 2)) + 15) & ~15;
}

function readFile(reader: Reader, path: usize): void {
  const errno = open(path);
  if (errno != 0) {
    tellFileError(path, errno);
    return;
  }
  readAll(reader, fileOpened, path);
  fd_close(fileOpened);
}

/** Reads all samples. After an error, which has been reported, `exitCode` is set. */
export function readSamples(): void {
  memory.fill(kept, 0, 8 * 4);
  wideLoads = 0;
  samples = 0;
  blockBytes = (<usize>loadCount * BLOCK) << 3;
  fileEnds = allocArray(fileCount, 4);
  const handle = beginReader(PIECE);
  if (fileEnds == 0 || handle == -OUT_OF_MEMORY) {
    tellOutOfMemory();
    return;
  }
  if (handle == -BAD_ARGUMENT) {
    // Names that are alike were told before.
    startOptionError(longestOption(), BAD_INPUT);
    say(ascii(" is too long, expected a name of 1 to 4096 bytes"));
    endError();
    return;
  }
  const reader = changetype<Reader>(<usize>handle);
  firstBlock = mark();
  endOfBlocks = firstBlock;
  if (fileCount == 0) readAll(reader, 0, ascii("-"));
  for (let k = 0; k < fileCount && exitCode == 0; k++) {
    if (isStandardInput(file(k))) readAll(reader, 0, file(k));
    else readFile(reader, file(k));
    store<u32>(fileEnds + ((<usize>k) << 2), <u32>keptOf(0));
  }
  if (exitCode != 0) return;
  if (!makeColumns()) {
    tellOutOfMemory();
    return;
  }
  if (invalidSamples > 0 && !isGiven(QUIET)) sayInvalid();
}

function sayInvalid(): void {
  sayOnStandardError();
  say(ascii("omnibal: "));
  sayThousands(invalidSamples);
  say(ascii(" of "));
  sayThousands(samples + invalidSamples);
  say(ascii(" samples are invalid, -1 in every load: "));
  for (let k = 0; k < min(invalidSamples, 3); k++) {
    if (k > 0) say(ascii(", "));
    sayNumber(load<u32>(invalid + ((<usize>k) << 2)));
  }
  say(invalidSamples > 3 ? ascii(", ...\n") : ascii("\n"));
  sayOnStandardOutput();
}
