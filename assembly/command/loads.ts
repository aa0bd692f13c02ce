// The loads that are read: their names, the fields that records have them in, and what the columns of a .npy are.

import { ascii } from "../base/ascii";
import { alloc } from "../base/memory";
import { OUT_OF_MEMORY } from "../base/status";
import { SKIPPED } from "../read/columns";
import { begin, MAX_NAME, Reader, setTable } from "../read/reader";
import {
  areSame,
  COLUMNS,
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

/** Loads at most, and names of fields for them. */
export const MAX_LOADS: i32 = 8;
const MAX_FIELDS: i32 = 16;
/** Columns of a .npy at most. */
const MAX_TABLE: i32 = 255;
const table: usize = memory.data(256);

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
    return this.length == length && memory.compare(this.at, at, length) == 0;
  }
}

const TEXT: usize = 8;
/** Text[MAX_LOADS]: the loads, and the field of each where an option names one; Text[MAX_FIELDS]: all fields. */
const names: usize = memory.data(8 * 8, 4);
const named: usize = memory.data(8 * 8, 4);
const fields: usize = memory.data(16 * 8, 4);
/** u32[MAX_FIELDS]: bytes of each field, and its load. */
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
  return length == 9 && memory.compare(at, ascii("attention"), 9) == 0 ? ascii("tokens^2") : at;
}

/** Begins the line of an error: --name has "part". */
export function startPartError(option: i32, verb: usize, at: usize, end: usize): void {
  startOptionError(option);
  say(verb);
  sayQuotedPart(at, end);
}

/** Whether an option's names are some, and all different. */
function areNames(option: i32): bool {
  const text = valueOf(option);
  for (let at = text; ; ) {
    const end = partEnd(at);
    if (end == at) {
      startPartError(option, ascii(" is "), text, text + lengthOf(text));
      say(ascii(", expected names with commas between"));
      return false;
    }
    for (let other = text; other < at; other = partEnd(other) + 1) {
      if (partEnd(other) - other != end - at || memory.compare(other, at, end - at) != 0) continue;
      startPartError(option, ascii(" has "), at, end);
      say(ascii(" twice"));
      return false;
    }
    if (load<u8>(end) == 0) return true;
    at = end + 1;
  }
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
  for (let at = valueOf(LOAD); ; ) {
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
  store<i32>(fieldLoads + ((<usize>fieldCount++) << 2), k);
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
        startOptionError(VIT_FIELD);
        say(ascii(" and --token-field are both "));
        sayQuotedPart(field.at, field.at + field.length);
        say(ascii(", expected two names"));
        return false;
      }
    }
  }
  return true;
}

/** The load of a column: vit_num is vit. */
function addColumn(at: usize, end: usize): void {
  const length = end - at;
  if (length == 7 && memory.compare(at, ascii("vit_num"), 7) == 0) addLoad(ascii("vit"), 3);
  else if (length == 9 && memory.compare(at, ascii("token_num"), 9) == 0) addLoad(ascii("tokens"), 6);
  else addLoad(at, length);
}

/**
 * Takes the options about fields, for the loads that were added; without any, those that the options name are read, else vit and
 * tokens. After an error, whose line is not ended, false.
 */
export function takeFields(): bool {
  const isOpen = loadCount == 0;
  if (!takeLoad(isOpen)) return false;
  if (isGiven(COLUMNS) && !areNames(COLUMNS)) return false;
  if (loadCount == 0 && isGiven(COLUMNS)) {
    for (let at = valueOf(COLUMNS); ; ) {
      const end = partEnd(at);
      addColumn(at, end);
      if (load<u8>(end) == 0) break;
      at = end + 1;
    }
  }
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

/** The field of column `at .. end` of a .npy, SKIPPED for none; fields that the load has itself are its last. */
function fieldOf(at: usize, end: usize): u32 {
  for (let i = 0; i < fieldCount; i++) if (textAt(fields, i).is(at, end - at)) return i;
  const k = findLoad(at, end - at);
  for (let i = 0; i < fieldCount && k >= 0; i++) if (load<i32>(fieldLoads + ((<usize>i) << 2)) == k) return i;
  return SKIPPED;
}

/**
 * Tells the reader what the columns of a .npy are. After an error, whose line names no file yet, false: `missing` is then a
 * load that is not among them, or -1 where nobody has named them.
 */
export let missing: i32 = 0;
export function setColumns(reader: Reader): bool {
  let count = 0;
  missing = -1;
  if (!isGiven(COLUMNS)) {
    for (let k = 0; k < loadCount; k++) {
      if (!textAt(names, k).is(ascii("vit"), 3) && !textAt(names, k).is(ascii("tokens"), 6)) return false;
    }
  }
  let found: u32 = 0;
  for (let at = isGiven(COLUMNS) ? valueOf(COLUMNS) : ascii("vit,tokens"); count < MAX_TABLE; count++) {
    const end = partEnd(at);
    let field = fieldOf(at, end);
    if (field != SKIPPED) {
      const k = load<i32>(fieldLoads + ((<usize>field) << 2));
      // Without names of columns, messages use the last name of the load.
      while (
        !isGiven(COLUMNS) &&
        field + 1 < <u32>fieldCount &&
        load<i32>(fieldLoads + ((<usize>(field + 1)) << 2)) == k
      ) {
        field++;
      }
      if (((found >> k) & 1) != 0) field = SKIPPED;
      found |= 1 << k;
    }
    store<u8>(table + count, <u8>field);
    if (load<u8>(end) == 0) {
      count++;
      break;
    }
    at = end + 1;
  }
  for (missing = 0; missing < loadCount; missing++) {
    if (((found >> missing) & 1) == 0 && !isGiven(MISSING)) return false;
  }
  setTable(reader, table, count);
  return true;
}

/** Says why `setColumns` failed. */
export function sayMissing(): void {
  if (missing < 0) {
    say(ascii("the columns of a .npy have no names: say what they are with columns (--columns), to find "));
    for (let k = 0; k < loadCount; k++) {
      if (k > 0) say(ascii(", "));
      sayQuotedPart(nameAt(k), nameAt(k) + nameLength(k));
    }
    return;
  }
  let isFirst = true;
  for (let i = 0; i < fieldCount; i++) {
    if (load<i32>(fieldLoads + ((<usize>i) << 2)) != missing) continue;
    if (!isFirst) say(ascii(" or "));
    isFirst = false;
    sayPrintable(textAt(fields, i).at, textAt(fields, i).length);
  }
  say(ascii(" is missing, the columns are "));
  for (let at = isGiven(COLUMNS) ? valueOf(COLUMNS) : ascii("vit,tokens"); ; ) {
    const end = partEnd(at);
    sayPrintable(at, end - at);
    if (load<u8>(end) == 0) return;
    say(ascii(", "));
    at = end + 1;
  }
}
