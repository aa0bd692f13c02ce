// The loads that are read: their names, and the fields that records have them in.

import { ascii } from "../base/ascii";
import { alloc, isSame } from "../base/memory";
import { OUT_OF_MEMORY } from "../base/status";
import { begin, MAX_NAME } from "../read/reader";
import {
  areSame,
  isGiven,
  LOAD,
  lengthOf,
  MISSING,
  startOptionError,
  TOKEN_FIELD,
  VIT_FIELD,
  valueOf,
} from "./arguments";
import { exitCode, say } from "./output";
import { sayPrintable, sayQuotedPart } from "./printable";

/** Loads at most. */
export const MAX_LOADS: i32 = 8;

/** A text in memory: a name, or none at 0. */
@unmanaged
class Text {
  at: usize;
  length: usize;

  @inline
  set(at: usize, length: usize): void {
    this.at = at;
    this.length = length;
  }

  @inline
  is(at: usize, length: usize): bool {
    return this.length == length && isSame(this.at, at, length);
  }
}

const TEXT: usize = 8;
/** Text[MAX_LOADS]: the loads, and the field of each where an option names one; Text[16]: all fields. */
const names: usize = memory.data(8 * 8, 4);
const named: usize = memory.data(8 * 8, 4);
const fields: usize = memory.data(16 * 8, 4);
/** u32[16]: bytes of each field, and its load. */
const fieldLengths: usize = memory.data(16 * 4, 4);
const fieldLoads: usize = memory.data(16 * 4, 4);
export let loadCount: i32 = 0;
let fieldCount: i32 = 0;

function textAt(table: usize, k: i32): Text {
  return changetype<Text>(table + <usize>k * TEXT);
}

export function nameAt(k: i32): usize {
  return textAt(names, k).at;
}

export function nameLength(k: i32): usize {
  return textAt(names, k).length;
}

/** Forgets all loads. */
export function noLoads(): void {
  loadCount = 0;
  memory.fill(named, 0, 8 * 8);
}

/** The load of a name; -1 for none. */
export function findLoad(at: usize, length: usize): i32 {
  for (let k = 0; k < loadCount; k++) if (textAt(names, k).is(at, length)) return k;
  return -1;
}

/** Adds a load that is to be read, unless it is there. */
export function addLoad(at: usize, length: usize): void {
  if (loadCount < MAX_LOADS && findLoad(at, length) < 0) textAt(names, loadCount++).set(at, length);
}

export function addUsualLoads(): void {
  addLoad(ascii("vit"), 3);
  addLoad(ascii("tokens"), 6);
}

/** The end of the part of a list from `at` on: a comma, or the end of the text. */
export function partEnd(at: usize): usize {
  while (load<u8>(at) != 0 && load<u8>(at) != 0x2c) at++;
  return at;
}

/** Where a byte is in at .. end, or `end`. */
export function find(byte: u32, at: usize, end: usize): usize {
  while (at < end && load<u8>(at) != byte) at++;
  return at;
}

/** attention is tokens^2. */
export function resolved(at: usize, length: usize): usize {
  return length == 9 && isSame(at, ascii("attention"), 9) ? ascii("tokens^2") : at;
}

/** Begins the line of an error: --name has "part". */
export function startPartError(option: i32, verb: usize, at: usize, end: usize): void {
  startOptionError(option);
  say(verb);
  sayQuotedPart(at, end);
}

/** Notes what an option says of a load; an error, whose line is not ended, where it says nothing of use. */
function nameField(option: i32, at: usize, length: usize, field: usize, fieldLength: usize, isOpen: bool): bool {
  if (isOpen) {
    const before = loadCount;
    addLoad(at, length);
    if (before == loadCount) {
      startPartError(option, ascii(" names "), at, at + length);
      say(ascii(" twice"));
      return false;
    }
  }
  const k = findLoad(at, length);
  if (k < 0) {
    startPartError(option, ascii(" names "), at, at + length);
    say(ascii(", expected one of the loads "));
    for (let other = 0; other < loadCount; other++) {
      if (other > 0) say(ascii(", "));
      sayPrintable(nameAt(other), nameLength(other));
    }
    return false;
  }
  const text = textAt(named, k);
  // A load that is named only is so by a length of 0.
  if (text.at != 0) {
    startPartError(option, ascii(" names "), at, at + length);
    say(ascii(" twice"));
    return false;
  }
  text.set(field, fieldLength);
  return true;
}

/** What --load says. `isOpen`: it is what names the loads. */
function takeLoad(isOpen: bool): bool {
  if (!isGiven(LOAD)) return true;
  let at = valueOf(LOAD);
  while (true) {
    const end = partEnd(at);
    const equals = find(0x3d, at, end);
    const field = min(equals + 1, end);
    if (equals == at || (equals < end && (field == end || find(0x3d, field, end) < end))) {
      startPartError(LOAD, ascii(" has "), at, end);
      say(ascii(", expected NAME=FIELD or NAME"));
      return false;
    }
    const name = resolved(at, equals - at);
    if (!nameField(LOAD, name, name == at ? equals - at : 8, field, end - field, isOpen)) return false;
    if (load<u8>(end) == 0) return true;
    at = end + 1;
  }
}

/** --vit-field and --token-field */
function takeField(option: i32, name: usize, length: usize): bool {
  const text = valueOf(option);
  if (text == 0) return true;
  if (load<u8>(text) == 0) {
    startOptionError(option);
    say(ascii(" is empty, expected a name"));
    return false;
  }
  return nameField(option, name, length, text, lengthOf(text), false);
}

function addField(k: i32, at: usize, length: usize): void {
  textAt(fields, fieldCount).set(at, length);
  store<u32>(fieldLengths + ((<usize>fieldCount) << 2), <u32>length);
  store<i32>(fieldLoads + ((<usize>fieldCount) << 2), k);
  fieldCount++;
}

/** Lists the fields of all loads, those of a load in the order in which they count. */
function listFields(): bool {
  fieldCount = 0;
  for (let k = 0; k < loadCount; k++) {
    const own = textAt(named, k);
    const from = fieldCount;
    if (own.length > 0) addField(k, own.at, own.length);
    else {
      addField(k, nameAt(k), nameLength(k));
      if (textAt(names, k).is(ascii("vit"), 3)) addField(k, ascii("vit_num"), 7);
      if (textAt(names, k).is(ascii("tokens"), 6)) addField(k, ascii("token_num"), 9);
    }
    for (let i = from; i < fieldCount; i++) {
      const field = textAt(fields, i);
      for (let j = 0; j < from; j++) {
        if (!textAt(fields, j).is(field.at, field.length)) continue;
        if (k == 1 && findLoad(ascii("vit"), 3) == 0 && findLoad(ascii("tokens"), 6) == 1) {
          startOptionError(VIT_FIELD);
          say(ascii(" and --token-field are both "));
          sayQuotedPart(field.at, field.at + field.length);
          say(ascii(", expected two names"));
        } else {
          startPartError(LOAD, ascii(" has two loads of field "), field.at, field.at + field.length);
        }
        return false;
      }
    }
  }
  return true;
}

/**
 * Takes the options about fields, for the loads that were added; without any, those that the options name are read, else vit and
 * tokens. After an error, whose line is not ended, false.
 */
export function takeFields(): bool {
  const isOpen = loadCount == 0;
  if (!takeLoad(isOpen)) return false;
  if (loadCount == 0) addUsualLoads();
  if (!takeField(VIT_FIELD, ascii("vit"), 3) || !takeField(TOKEN_FIELD, ascii("tokens"), 6)) return false;
  if (!listFields()) return false;
  if (!isGiven(MISSING) || areSame(ascii("0"), valueOf(MISSING))) return exitCode == 0;
  startPartError(MISSING, ascii(" is "), valueOf(MISSING), valueOf(MISSING) + lengthOf(valueOf(MISSING)));
  say(ascii(", expected one of 0"));
  return false;
}

/** A reader of the loads, or a status negated. */
export function beginReader(piece: u32): i32 {
  let bytes: usize = 0;
  for (let i = 0; i < fieldCount; i++) bytes += textAt(fields, i).length;
  const out = alloc(bytes);
  if (out == 0) return -OUT_OF_MEMORY;
  let at = out;
  for (let i = 0; i < fieldCount; i++) {
    const field = textAt(fields, i);
    memory.copy(at, field.at, field.length);
    at += field.length;
  }
  return begin(out, fieldLengths, fieldLoads, fieldCount, piece, isGiven(MISSING));
}

/** The option that names a field which is longer than any. */
export function longestOption(): i32 {
  for (let i = 0; i < fieldCount; i++) {
    if (textAt(fields, i).length <= MAX_NAME) continue;
    const own = load<i32>(fieldLoads + ((<usize>i) << 2));
    if (textAt(named, own).at == valueOf(VIT_FIELD)) return VIT_FIELD;
    return textAt(named, own).at == valueOf(TOKEN_FIELD) ? TOKEN_FIELD : LOAD;
  }
  return LOAD;
}

/** Whether all loads are among the columns that a .npy has where nobody names them. */
export function areUsual(): bool {
  return loadCount == 2 && findLoad(ascii("vit"), 3) == 0 && findLoad(ascii("tokens"), 6) == 1;
}
