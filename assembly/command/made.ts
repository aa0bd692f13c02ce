// What a packing was made of, as JSON: the bytes that src/pack/made.ts makes. docs/formats.md describes the keys.

import { ascii } from "../base/ascii";
import { cursor, put, putHex, putNumber, startText } from "../base/writer";
import { groupsFingerprint, loadFingerprint, oversizeFingerprint } from "../loads/fingerprint";
import * as packing from "../pack/packing";

/** As much as it ever takes. */
export const MADE_ROOM: u32 = 512;

/** {"vit":1,"tokens":2} */
function putLoads(vit: u64, tokens: u64): void {
  put(ascii('{"vit":'));
  putNumber(vit);
  put(ascii(',"tokens":'));
  putNumber(tokens);
  put(ascii("}"));
}

/** `"`, 16 digits, `"` */
function putFingerprint(x: u64): void {
  put(ascii('"'));
  putHex(x);
  put(ascii('"'));
}

/** All before the method. */
function begin(out: usize, vit: usize, tokens: usize, samples: i32, maxVit: i32, maxTokens: i32): void {
  startText(out);
  put(ascii('{"version":1,"samples":'));
  putNumber(samples);
  put(ascii(',"loads":{"vit":'));
  putFingerprint(loadFingerprint(vit, samples, 0));
  put(ascii(',"tokens":'));
  putFingerprint(loadFingerprint(tokens, samples, 0));
  put(ascii('},"bounds":'));
  putLoads(maxVit, maxTokens);
}

function end(out: usize): u32 {
  put(ascii(',"packing":'));
  putFingerprint(
    groupsFingerprint(packing.offsets, packing.order, packing.groups, 0) +
      oversizeFingerprint(packing.oversize, packing.oversizeCount),
  );
  put(ascii("}"));
  return <u32>(cursor - out);
}

/** Writes of the last packing, one by ISF, into MADE_ROOM bytes at `out`; returns how many. */
export function putIsf(
  out: usize,
  vit: usize,
  tokens: usize,
  samples: i32,
  maxVit: i32,
  maxTokens: i32,
  seed: u32,
  minVit: i32,
  minTokens: i32,
  rounds: i32,
): u32 {
  begin(out, vit, tokens, samples, maxVit, maxTokens);
  put(ascii(',"method":"isf","seed":'));
  putNumber(seed);
  put(ascii(',"min":'));
  putLoads(minVit, minTokens);
  put(ascii(',"rounds":'));
  putNumber(rounds);
  return end(out);
}

/** The same of one by the balanced packer. */
export function putBalanced(
  out: usize,
  vit: usize,
  tokens: usize,
  samples: i32,
  maxVit: i32,
  maxTokens: i32,
  seed: u32,
  effort: i32,
): u32 {
  begin(out, vit, tokens, samples, maxVit, maxTokens);
  put(ascii(',"method":"balanced","seed":'));
  putNumber(seed);
  put(ascii(',"effort":'));
  putNumber(effort);
  return end(out);
}
