// The samples of the files that the arguments name, one file after another. They are kept in blocks, each with a column
// of vit and one of tokens. Nothing else is allocated while they grow, so that block follows block in the arena and
// never a byte is copied to make room; a .npy in Fortran order fills one column of many blocks before the other.

import { ascii } from "../base/ascii";
import { alloc, allocArray, mark, release } from "../base/memory";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../base/status";
import { Columns } from "../read/columns";
import { errorText, Reader, begin as readerBegin, end as readerEnd, push as readerPush, restart } from "../read/reader";
import {
  areSame,
  file,
  fileCount,
  isGiven,
  lengthOf,
  setValue,
  startOptionError,
  TOKEN_FIELD,
  VIT_FIELD,
  valueOf,
} from "./arguments";
import { advice, foreignFormat } from "./foreign";
import { BAD_INPUT, endError, exitCode, say, sayBytes, sayErrno, sayNumber, startError, WRONG_USAGE } from "./output";
import { sayArgument, sayQuoted } from "./printable";
import { fd_close, fd_prestat_dir_name, fd_prestat_get, fd_read, path_open } from "./wasi_snapshot_preview1";

/** Bytes that are read at a time. */
const PIECE: u32 = 65536;
/** Samples in a block. */
const BLOCK: usize = 8192;
const BLOCK_BYTES: usize = BLOCK * 8;

let firstBlock: usize = 0;
let endOfBlocks: usize = 0;
let vitKept: usize = 0;
let tokensKept: usize = 0;
/** Samples of all files. */
export let samples: i32 = 0;

/** u32[fileCount]: samples of all files up to the end of each. */
let fileEnds: usize = 0;

export function fileEnd(k: i32): i32 {
  return load<i32>(fileEnds + ((<usize>k) << 2));
}

/** i32[samples] each, once all are read. */
export let vitColumn: usize = 0;
export let tokensColumn: usize = 0;

/** Adds values to a column: 0 or BLOCK * 4 bytes from the beginning of each block. False when there is no memory. */
function keep(column: usize, at: usize, values: usize, count: usize): bool {
  while (count > 0) {
    const block = firstBlock + (at / BLOCK) * BLOCK_BYTES;
    if (block == endOfBlocks) {
      if (alloc(BLOCK_BYTES) != block) return false;
      endOfBlocks += BLOCK_BYTES;
    }
    const slot = at % BLOCK;
    const fits = min(count, BLOCK - slot);
    memory.copy(block + column + (slot << 2), values, fits << 2);
    at += fits;
    values += fits << 2;
    count -= fits;
  }
  return true;
}

function keepPiece(columns: Columns): bool {
  const vitCount = columns.countOf(0);
  const tokensCount = columns.countOf(1);
  if (!keep(0, vitKept, columns.column(0), vitCount)) return false;
  if (!keep(BLOCK * 4, tokensKept, columns.column(1), tokensCount)) return false;
  vitKept += vitCount;
  tokensKept += tokensCount;
  return true;
}

export function tellOutOfMemory(): void {
  startError(BAD_INPUT);
  say(ascii("out of memory after "));
  sayNumber(vitKept);
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
    if (isFirst && isForeign(path, reader.buffer, bytes)) return;
    isFirst = false;
    status = readerPush(reader, bytes);
    if (status == OK && !keepPiece(reader.columns)) {
      tellOutOfMemory();
      return;
    }
  }
  if (status == OK) status = readerEnd(reader);
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

/** The name of a field, as given or as usual; false when the usage is wrong. */
function isName(option: i32, usual: usize): bool {
  if (!isGiven(option)) setValue(option, usual);
  if (load<u8>(valueOf(option)) != 0) return true;
  startOptionError(option);
  say(ascii(" is empty, expected a name"));
  return false;
}

/** Whether the files and fields can be asked for at all. After an error, its line is not ended. */
export function checkInput(): bool {
  if (!isName(VIT_FIELD, ascii("vit_num")) || !isName(TOKEN_FIELD, ascii("token_num"))) return false;
  const name = valueOf(VIT_FIELD);
  if (areSame(name, valueOf(TOKEN_FIELD))) {
    startOptionError(VIT_FIELD);
    say(ascii(" and --token-field are both "));
    sayQuoted(name);
    say(ascii(", expected two names"));
    return false;
  }
  let dashes = 0;
  for (let k = 0; k < fileCount; k++) dashes += i32(isStandardInput(file(k)));
  if (dashes < 2) return true;
  startError(WRONG_USAGE);
  say(ascii('"-" is given twice, but the standard input can be read once only'));
  return false;
}

function copyColumn(column: usize, to: usize): void {
  for (let from: usize = 0; from < vitKept; from += BLOCK) {
    const block = firstBlock + (from / BLOCK) * BLOCK_BYTES;
    memory.copy(to + (from << 2), block + column, min(vitKept - from, BLOCK) << 2);
  }
}

/** Makes two columns of the blocks, in their place: vit moves down once tokens are saved after all of them. */
function makeColumns(): bool {
  const bytes = ((vitKept << 2) + 15) & ~15;
  const saved = alloc(bytes);
  if (saved == 0) return false;
  copyColumn(BLOCK * 4, saved);
  copyColumn(0, firstBlock);
  vitColumn = firstBlock;
  tokensColumn = firstBlock + bytes;
  memory.copy(tokensColumn, saved, bytes);
  release(tokensColumn + bytes);
  samples = <i32>vitKept;
  return true;
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
  vitKept = 0;
  tokensKept = 0;
  samples = 0;
  const vitName = valueOf(VIT_FIELD);
  const tokensName = valueOf(TOKEN_FIELD);
  const vitBytes = lengthOf(vitName);
  const tokensBytes = lengthOf(tokensName);
  const names = alloc(vitBytes + tokensBytes);
  fileEnds = allocArray(fileCount, 4);
  if (names == 0 || fileEnds == 0) {
    tellOutOfMemory();
    return;
  }
  memory.copy(names, vitName, vitBytes);
  memory.copy(names + vitBytes, tokensName, tokensBytes);
  store<u32>(scratch, <u32>vitBytes);
  store<u32>(scratch, <u32>tokensBytes, 4);
  const handle = readerBegin(names, scratch, 2, PIECE);
  if (handle == -OUT_OF_MEMORY) {
    tellOutOfMemory();
    return;
  }
  if (handle == -BAD_ARGUMENT) {
    // Equal names were reported before.
    startOptionError(vitBytes > tokensBytes ? VIT_FIELD : TOKEN_FIELD, BAD_INPUT);
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
    store<u32>(fileEnds + ((<usize>k) << 2), <u32>vitKept);
  }
  if (exitCode == 0 && !makeColumns()) tellOutOfMemory();
}
