// The names of loads: UTF-8 one after another, and how many bytes each has.

import { ascii } from "../base/ascii";
import { isSame } from "../base/memory";
import { put, putEscaped } from "../base/writer";

export const MAX_LOADS: i32 = 8;
const VIT: usize = ascii("vit");
const TOKENS: usize = ascii("tokens");

export function nameLength(lengths: usize, k: i32): u32 {
  return load<u32>(lengths + ((<usize>k) << 2));
}

/** Bytes of all names. */
export function nameBytes(lengths: usize, k: i32): u64 {
  let bytes: u64 = 0;
  for (let j = 0; j < k; j++) bytes += nameLength(lengths, j);
  return bytes;
}

/** Whether the loads are vit and tokens, whose texts have keys of their own. */
export function areUsual(names: usize, lengths: usize, k: i32): bool {
  if (k != 2 || nameLength(lengths, 0) != 3 || nameLength(lengths, 1) != 6) return false;
  return isSame(names, VIT, 3) && isSame(names + 3, TOKENS, 6);
}

/** Writes name k in double quotes, and a colon. */
export function putKey(names: usize, lengths: usize, k: i32): void {
  let at = names;
  for (let j = 0; j < k; j++) at += nameLength(lengths, j);
  put(ascii('"'));
  putEscaped(at, nameLength(lengths, k));
  put(ascii('":'));
}
