// Reads length files in pieces: the first byte says which reader gets them. The host writes a piece into the buffer,
// pushes it, takes the values out of the columns, and so on to the end. Nothing is allocated after the start.

import { alloc, isSame, mark, release } from "../base/memory";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../base/status";
import { Columns, MAX_COLUMNS, MAX_NAMES, makeColumns } from "./columns";
import { TEXT_ROOM, errorText as writeErrorText } from "./error-text";
import * as json from "./json";
import * as npy from "./npy";

const UNKNOWN: i32 = 0;
const JSON: i32 = 1;
const NPY: i32 = 2;
const ENDED: i32 = 3;

/** A field name in UTF-8 is at most so long, and so are all names of one column. */
export const MAX_NAME: u32 = 4096;

/** A reader in the arena: freed with the mark before it. */
@unmanaged
export class Reader {
  columns: Columns;
  json: json.JsonReader;
  npy: npy.NpyReader;
  format: i32;
  /** Of the last error, 0 for none. */
  status: i32;
  room: u32;
  /** Where a piece of up to `room` bytes goes, or the text of an error. */
  buffer: usize;
}

/** Whether these can be the names of columns: short enough, no two of them alike, and no column without one. */
function areNames(names: usize, lengths: usize, columnsOf: usize, count: i32): bool {
  let at = names;
  let columns = 0;
  for (let k = 0; k < count; k++) {
    const length = load<u32>(lengths + ((<usize>k) << 2));
    const column = load<u32>(columnsOf + ((<usize>k) << 2));
    if (length > MAX_NAME || column > <u32>columns || column == MAX_COLUMNS) return false;
    columns += i32(column == columns);
    let ofColumn = length;
    let other = names;
    for (let j = 0; j < k; j++) {
      const otherLength = load<u32>(lengths + ((<usize>j) << 2));
      if (otherLength == length && isSame(other, at, length)) return false;
      if (load<u32>(columnsOf + ((<usize>j) << 2)) == column) ofColumn += otherLength;
      other += otherLength;
    }
    if (ofColumn > MAX_NAME) return false;
    at += length;
  }
  return true;
}

/**
 * A reader of the columns that `count` names are of, or a status negated. The names are u32[count] `lengths` of the bytes at
 * `names`; u32[count] `columnsOf` says the column of each, numbered from 0 as they come. Takes 3 bytes and 4 for each
 * column per byte of `bytes`, the longest piece, from the arena.
 */
export function begin(names: usize, lengths: usize, columnsOf: usize, count: i32, bytes: u32, zeros: bool): i32 {
  if (bytes < 1 || bytes > 0x10000000 || count < 1 || count > MAX_NAMES) return -BAD_ARGUMENT;
  if (!areNames(names, lengths, columnsOf, count)) return -BAD_ARGUMENT;
  const before = mark();
  const r = changetype<Reader>(alloc(offsetof<Reader>()));
  // The readers look 16 bytes past the end of a piece.
  const buffer = alloc(max(bytes, TEXT_ROOM) + 16);
  const columns = makeColumns(names, lengths, columnsOf, count, bytes);
  if (changetype<usize>(r) == 0 || buffer == 0 || columns === null) {
    release(before);
    return -OUT_OF_MEMORY;
  }
  columns.zeros = zeros;
  const ofJson = json.make(columns);
  const ofNpy = npy.make(columns);
  if (ofJson === null || ofNpy === null) {
    release(before);
    return -OUT_OF_MEMORY;
  }
  r.columns = columns;
  r.json = ofJson;
  r.npy = ofNpy;
  r.status = OK;
  r.room = bytes;
  r.buffer = buffer;
  r.format = UNKNOWN;
  return <i32>changetype<usize>(r);
}

/** See `npy.setTable`. */
export function setTable(r: Reader, names: usize, count: i32): i32 {
  return npy.setTable(r.npy, names, count);
}

/** Makes the -1 that a .npy has in column k of a record the error of the reader: it is valid in no other load. */
export function refuse(r: Reader, record: u32, k: i32): i32 {
  r.format = ENDED;
  r.status = npy.refuse(r.npy, record, k);
  return r.status;
}

/** Starts another input in the memory of the last one, with the same names. */
export function restart(r: Reader): void {
  json.restart(r.json);
  npy.restart(r.npy);
  r.columns.clear();
  r.status = OK;
  r.format = UNKNOWN;
}

/** Reads the first `bytes` bytes of the buffer. After an error, and after the end, there is no more to push. */
export function push(r: Reader, bytes: u32): i32 {
  if (r.format == ENDED || bytes > r.room) return BAD_ARGUMENT;
  r.columns.startPush();
  if (bytes == 0) return OK;
  if (r.format == UNKNOWN) r.format = load<u8>(r.buffer) == 0x93 ? NPY : JSON;
  const status = r.format == NPY ? npy.run(r.npy, r.buffer, bytes) : json.run(r.json, r.buffer, bytes);
  if (status != OK) r.format = ENDED;
  r.status = status;
  return status;
}

/** Ends the input. An empty one is an error, since even no samples are written as []. */
export function end(r: Reader): i32 {
  if (r.format == ENDED) return BAD_ARGUMENT;
  r.columns.startPush();
  const status = r.format == NPY ? npy.finish(r.npy) : json.finish(r.json);
  r.format = ENDED;
  r.status = status;
  return status;
}

/**
 * Writes what the last error of push or end is in words, without the file's name, into TEXT_ROOM bytes at `out`, such as
 * the buffer; returns how many, 0 without an error. See error-text.ts for `showFound`.
 */
export function errorText(r: Reader, showFound: bool, out: usize): u32 {
  return r.status == OK ? 0 : writeErrorText(r.columns, r.status, showFound, r.npy.tableColumns, out);
}
