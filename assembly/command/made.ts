// What a packing was made of, as JSON: the bytes that src/pack/made.ts makes of it, docs/formats.md has the keys.

import { ascii } from "../base/ascii";
import { cursor, put, putEscaped, putHex, putNumber, startText } from "../base/writer";
import {
  groupsFingerprint,
  invalidFingerprint,
  loadFingerprint,
  oversizeFingerprint,
  sampleFingerprint,
  wideFingerprint,
} from "../loads/fingerprint";
import { columnAt, invalid, invalidSamples, numberOf, samples, wideLoads } from "./input";
import { nameLength as lengthAt, loadCount, nameAt } from "./loads";
import { packed } from "./packed";

/** `"`, 16 digits, `"` */
function putFingerprint(x: u64): void {
  put(ascii('"'));
  putHex(x);
  put(ascii('"'));
}

function putName(k: i32, at: usize, length: usize): void {
  put(k == 0 ? ascii('"') : ascii(',"'));
  putEscaped(at, length);
  put(ascii('"'));
}

/** {"vit":9,"tokens":4096}: the bounds, or the minima. */
function putNumbers(ofBounds: bool): void {
  put(ascii("{"));
  for (let k = 0; k < packed.bounded; k++) {
    putName(k, packed.name(k), packed.nameLength(k));
    put(ascii(":"));
    putNumber(<u64>(ofBounds ? packed.boundOf(k) : packed.minimumOf(k)));
  }
  put(ascii("}"));
}

/** The fingerprint of load k over all samples, by their numbers in the input. */
function fingerprintOf(k: i32): u64 {
  const column = columnAt(k);
  const wide = ((wideLoads >> k) & 1) != 0;
  if (invalidSamples == 0) return wide ? wideFingerprint(column, samples, 0) : loadFingerprint(column, samples, 0);
  let sum: u64 = 0;
  for (let i = 0; i < samples; i++) {
    const at = <usize>i;
    sum += sampleFingerprint(numberOf(i), wide ? load<f64>(column + (at << 3)) : <f64>load<i32>(column + (at << 2)));
  }
  return sum;
}

/** Writes it at `out`; returns its bytes. */
export function putMade(out: usize, balanced: bool, seed: u32, rounds: i32, effort: i32): u32 {
  startText(out);
  put(ascii('{"version":1,"samples":'));
  putNumber(samples + invalidSamples);
  put(ascii(',"loads":{'));
  for (let k = 0; k < loadCount; k++) {
    putName(k, nameAt(k), lengthAt(k));
    put(ascii(":"));
    putFingerprint(fingerprintOf(k));
  }
  put(ascii('},"bounds":'));
  putNumbers(true);
  if (packed.counted > packed.bounded) {
    put(ascii(',"carry":['));
    for (let k = packed.bounded; k < packed.counted; k++)
      putName(k - packed.bounded, packed.name(k), packed.nameLength(k));
    put(ascii("]"));
  }
  if (packed.align > 1) {
    put(ascii(',"align":'));
    putNumber(packed.align);
  }
  put(balanced ? ascii(',"method":"balanced","seed":') : ascii(',"method":"isf","seed":'));
  putNumber(seed);
  if (balanced) {
    put(ascii(',"effort":'));
    putNumber(effort);
  } else {
    put(ascii(',"min":'));
    putNumbers(false);
    put(ascii(',"rounds":'));
    putNumber(rounds);
  }
  put(ascii(',"packing":'));
  putFingerprint(
    groupsFingerprint(packed.offsets, packed.order, packed.groups, 0) +
      oversizeFingerprint(packed.oversize, packed.oversizeCount) +
      invalidFingerprint(invalid, invalidSamples),
  );
  put(ascii("}"));
  return <u32>(cursor - out);
}
