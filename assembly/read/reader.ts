// Reads length files in pieces: the first byte says which reader gets them. The host writes a piece into the buffer,
// pushes it, takes the values out of the sink, and so on to the end. Nothing is allocated after the start.

import { alloc, allocArray, mark, release } from "../base/memory";
import { BAD_ARGUMENT, OK, OUT_OF_MEMORY } from "../base/status";
import { clearColumns, setColumns, setCounts } from "./columns";
import * as json from "./json";
import * as npy from "./npy";

const UNKNOWN: i32 = 0;
const JSON: i32 = 1;
const NPY: i32 = 2;
const ENDED: i32 = 3;

/** A field name in UTF-8 is at most so long. */
const MAX_NAME: u32 = 4096;

let format: i32 = ENDED;
let room: u32 = 0;
/** Where a piece of up to `room` bytes goes. */
export let buffer: usize = 0;

/** Starts an input. Takes 9 bytes per byte of `bytes`, the longest piece, from the arena. */
export function begin(vitName: usize, vitLength: u32, tokensName: usize, tokensLength: u32, bytes: u32): i32 {
  const longest = max(vitLength, tokensLength);
  if (bytes < 1 || bytes > 0x10000000 || longest > MAX_NAME) return BAD_ARGUMENT;
  if (vitLength == tokensLength && memory.compare(vitName, tokensName, vitLength) == 0) return BAD_ARGUMENT;
  const before = mark();
  format = ENDED;
  // The readers look 16 bytes past the end of a piece.
  buffer = alloc(bytes + 16);
  const names = alloc(vitLength + tokensLength);
  const vit = allocArray(bytes + 1, 4);
  const tokens = allocArray(bytes + 1, 4);
  if (buffer == 0 || names == 0 || vit == 0 || tokens == 0) {
    release(before);
    return OUT_OF_MEMORY;
  }
  memory.copy(names, vitName, vitLength);
  memory.copy(names + vitLength, tokensName, tokensLength);
  if (json.begin(names, vitLength, names + vitLength, tokensLength) != OK || npy.begin() != OK) {
    release(before);
    return OUT_OF_MEMORY;
  }
  setColumns(vit, tokens);
  room = bytes;
  format = UNKNOWN;
  return OK;
}

/** Starts another input in the memory of the last one, with the same names. */
export function restart(): void {
  json.restart();
  npy.restart();
  clearColumns();
  format = UNKNOWN;
}

/** Reads the first `bytes` bytes of the buffer. After an error, and after the end, there is no more to push. */
export function push(bytes: u32): i32 {
  if (format == ENDED || bytes > room) return BAD_ARGUMENT;
  setCounts(0, 0);
  if (bytes == 0) return OK;
  if (format == UNKNOWN) format = load<u8>(buffer) == 0x93 ? NPY : JSON;
  const status = format == NPY ? npy.run(buffer, bytes) : json.run(buffer, bytes);
  if (status != OK) format = ENDED;
  return status;
}

/** Ends the input. An empty one is an error: even no samples are written as []. */
export function end(): i32 {
  if (format == ENDED) return BAD_ARGUMENT;
  setCounts(0, 0);
  const status = format == NPY ? npy.finish() : json.finish();
  format = ENDED;
  return status;
}
