// `pack`: bounds by load, the columns that they are of, a packing, and its text.

import { ascii } from "../base/ascii";
import { parseDecimal } from "../base/decimal";
import { alloc, allocArray, isSame } from "../base/memory";
import { errorLoad, OK } from "../base/status";
import { Loads, listOversize, begin as loadsBegin, push as loadsPush, MOST } from "../loads/loads";
import { groupSums, groupsMix, loadSquares, loadSums } from "../loads/sums";
import { advise } from "../pack/advice";
import { bestKind, boundFound, findBounds } from "../pack/bounds/bounds";
import * as usual from "../pack/defaults";
import * as isf from "../pack/isf/isf";
import * as packer from "../pack/packer";
import { begin as textBegin, write as textWrite } from "../text/packing";
import {
  ALIGN,
  CARRY,
  EFFORT,
  endUsageError,
  FORMAT,
  isGiven,
  isSecond,
  lengthOf,
  MAX,
  MAX_TOKENS,
  MAX_VIT,
  METHOD,
  MIN,
  MIN_TOKENS,
  MIN_VIT,
  NOT_GIVEN,
  numberOption,
  OUTPUT,
  QUIET,
  ROUNDS,
  requiredNumber,
  SEED,
  startOptionError,
  valueOf,
} from "./arguments";
import {
  checkInput,
  columnAt,
  invalid,
  invalidSamples,
  readSamples,
  renumber,
  samples,
  tellOutOfMemory,
  wideLoads,
} from "./input";
import { addLoad, findLoad, MAX_LOADS, partEnd, resolved, startPartError as sayOption } from "./loads";
import { putMade } from "./made";
import { BAD_INPUT, endError, exitCode, flush, say, send, startError } from "./output";
import { bounds, minima, nameLengths, names, packed, sums } from "./packed";
import { sayPrintable } from "./printable";
import { saySummary } from "./summary";

/** Bytes of text that are made at a time, and for each load more. */
const TEXT_ROOM: u32 = 65536;

/** Adds a load; vit comes first. */
function addCounted(at: usize, length: usize, most: f64): void {
  let k = packed.counted;
  packed.counted++;
  if (length == 3 && isSame(at, ascii("vit"), 3)) {
    for (; k > 0; k--) {
      store<usize>(names + ((<usize>k) << 2), packed.name(k - 1));
      store<u32>(nameLengths + ((<usize>k) << 2), <u32>packed.nameLength(k - 1));
      store<f64>(bounds + ((<usize>k) << 3), packed.boundOf(k - 1));
    }
  }
  store<usize>(names + ((<usize>k) << 2), at);
  store<u32>(nameLengths + ((<usize>k) << 2), <u32>length);
  store<f64>(bounds + ((<usize>k) << 3), most);
}

/** A part of --max, --carry or --min: NAME=N, or NAME; an error, whose line is not ended, for anything else. */
function takePart(option: i32, at: usize, end: usize): void {
  let equals = end;
  // A name may have an equals sign, a number has none.
  if (option != CARRY) while (equals > at && load<u8>(equals) != 0x3d) equals--;
  const number = option == CARRY ? Infinity : parseDecimal(min(equals + 1, end), end);
  const own = resolved(at, equals - at);
  const length = own == at ? equals - at : 8;
  const known = packed.find(own, length);
  const low: f64 = option == MIN ? 0 : 1;
  if (length == 0 || !(number >= 0)) {
    if (option == CARRY) {
      sayOption(option, ascii(" is "), valueOf(option), valueOf(option) + lengthOf(valueOf(option)));
      say(ascii(", expected names with commas between"));
    } else {
      sayOption(option, ascii(" has "), at, end);
      say(ascii(", expected NAME=N, with commas between several"));
    }
  } else if (option != CARRY && !(number >= low && number <= <f64>MOST && floor(number) == number)) {
    startOptionError(option);
    say(ascii(" has "));
    sayPrintable(at, end - at);
    say(option == MIN ? ascii(", expected a whole number from 0") : ascii(", expected a whole number from 1"));
    say(ascii(" to 9007199254740991"));
  } else if (option == MIN) {
    if (known < 0 || known >= packed.bounded) {
      sayOption(option, ascii(" has "), own, own + length);
      say(ascii(", which has no bound"));
    } else if (packed.minimumOf(known) >= 0) sayTwice(option, own, length);
    else store<f64>(minima + ((<usize>known) << 3), number);
  } else if (known >= 0) sayTwice(option, own, length);
  else if (packed.counted == MAX_LOADS) {
    sayOption(option, ascii(" has "), own, own + length);
    say(ascii(" as the ninth load"));
  } else addCounted(own, length, number);
}

function sayTwice(option: i32, at: usize, length: usize): void {
  sayOption(option, ascii(" names "), at, at + length);
  say(ascii(" twice"));
}

/** A list of such. */
function takeList(option: i32): void {
  let at = valueOf(option);
  while (at != 0 && exitCode == 0) {
    const end = partEnd(at);
    takePart(option, at, end);
    at = load<u8>(end) == 0 ? 0 : end + 1;
  }
}

/** A bound or minimum by the short name of its option. */
function takeShort(option: i32, text: usize, length: usize, table: usize, value: i64): void {
  if (value == NOT_GIVEN || exitCode != 0) return;
  const k = packed.find(text, length);
  if (k < 0) {
    startOptionError(option);
    say(ascii(" is given, but its load has no bound"));
    return;
  }
  store<f64>(table + ((<usize>k) << 3), <f64>value);
}

/** All that is said of loads. */
function takeLoads(): void {
  const minVit = numberOption(MIN_VIT, 0, i32.MAX_VALUE);
  const minTokens = numberOption(MIN_TOKENS, 0, i32.MAX_VALUE);
  packed.counted = 0;
  if (exitCode != 0) return;
  if (!isGiven(MAX)) {
    const maxVit = requiredNumber(MAX_VIT, 1, i32.MAX_VALUE);
    const maxTokens = requiredNumber(MAX_TOKENS, 1, i32.MAX_VALUE);
    addCounted(ascii("vit"), 3, <f64>maxVit);
    addCounted(ascii("tokens"), 6, <f64>maxTokens);
  } else {
    takeList(MAX);
    const maxVit = numberOption(MAX_VIT, 1, i32.MAX_VALUE);
    const maxTokens = numberOption(MAX_TOKENS, 1, i32.MAX_VALUE);
    if (maxVit != NOT_GIVEN && packed.find(ascii("vit"), 3) < 0) addCounted(ascii("vit"), 3, <f64>maxVit);
    if (maxTokens != NOT_GIVEN && packed.find(ascii("tokens"), 6) < 0) addCounted(ascii("tokens"), 6, <f64>maxTokens);
  }
  packed.bounded = packed.counted;
  if (exitCode != 0) return;
  takeList(CARRY);
  for (let k = 0; k < packed.counted; k++) store<f64>(minima + ((<usize>k) << 3), -1);
  takeList(MIN);
  takeShort(MIN_VIT, ascii("vit"), 3, minima, minVit);
  takeShort(MIN_TOKENS, ascii("tokens"), 6, minima, minTokens);
  const given = numberOption(ALIGN, 1, i32.MAX_VALUE);
  packed.align = given == NOT_GIVEN ? 1 : <i32>given;
}

/** The load that counted load k is the square of, or itself: bytes of its name that count. */
export function baseLength(k: i32): usize {
  const length = packed.nameLength(k);
  const tail = packed.name(k) + length - 2;
  return length > 2 && load<u8>(tail) == 0x5e && load<u8>(tail, 1) == 0x32 ? length - 2 : length;
}

/** u32[MAX_LOADS]: the column of each counted load, i32 or, where its bit is in `floats`, f64. */
const columns: usize = memory.data(8 * 4, 4);
let floats: u32 = 0;

/** Values of column `from` as they count, in a column of their own: tokens rounded up, squares. */
function makeColumn(from: usize, wide: bool, by: u64, square: bool): usize {
  const out = allocArray(samples, 8);
  if (out == 0) return 0;
  for (let i: usize = 0; i < <usize>samples; i++) {
    let x = wide ? <u64>load<f64>(from + (i << 3)) : <u64>load<i32>(from + (i << 2));
    x = ((x + by - 1) / by) * by;
    store<f64>(out + (i << 3), square ? <f64>x * <f64>x : <f64>x);
  }
  return out;
}

/** The columns of all loads, as they count; false where memory lacks. */
function takeColumns(): bool {
  floats = 0;
  for (let k = 0; k < packed.counted; k++) {
    const base = baseLength(k);
    const from = findLoad(packed.name(k), base);
    let column = columnAt(from);
    let wide = ((wideLoads >> from) & 1) != 0;
    const isTokens = base == 6 && isSame(packed.name(k), ascii("tokens"), 6);
    const by = isTokens ? <u64>packed.align : 1;
    const square = base < packed.nameLength(k);
    if (by > 1 || square) {
      column = makeColumn(column, wide, by, square);
      if (column == 0) return false;
      wide = true;
    }
    store<usize>(columns + ((<usize>k) << 2), column);
    if (wide) floats |= 1 << k;
  }
  return true;
}

/** Whether a column has more than 64 different values among those within its bound. */
function hasManyValues(k: i32): bool {
  const column = load<usize>(columns + ((<usize>k) << 2));
  const most = packed.boundOf(k);
  if (most < 64) return false;
  let seen = 0;
  for (let i: usize = 0; i < <usize>samples; i++) {
    const x = (floats >> k) & 1 ? load<f64>(column + (i << 3)) : <f64>load<i32>(column + (i << 2));
    if (x > most) continue;
    let j: usize = 0;
    while (j < <usize>seen && load<f64>(values + (j << 3)) != x) j++;
    if (j < <usize>seen) continue;
    if (seen == 64) return true;
    store<f64>(values + ((<usize>seen) << 3), x);
    seen++;
  }
  return false;
}

/** f64[64] */
const values: usize = memory.data(64 * 8, 8);

/** The minima that nobody has given; notes of which loads a group is full below the bound. */
function setMinima(): void {
  for (let k = 0; k < packed.counted; k++) {
    if (k >= packed.bounded) store<f64>(minima + ((<usize>k) << 3), Infinity);
    else if (packed.minimumOf(k) < 0) {
      const most = packed.boundOf(k);
      let least = most;
      if (packed.isNamed(k, ascii("tokens"), 6)) least = max(most - <f64>usual.FULL_BELOW, 0);
      else if (hasManyValues(k)) {
        least = most - ceil(most / 100);
        packed.fine |= 1 << k;
      }
      store<f64>(minima + ((<usize>k) << 3), least);
    }
  }
}

/** The load that no sum or square may be so large of, after a failure; -1 where memory lacked. */
let tooLarge: i32 = -1;

/** Packs; false where there is no memory for it. What else it could lack is checked. */
function run(balanced: bool, most: i32, seed: u32, effort: i32): bool {
  packed.fine = 0;
  tooLarge = -1;
  if (!takeColumns()) return false;
  const handle = loadsBegin(samples, packed.counted, bounds);
  if (handle == 0) return false;
  if (loadsPush(handle, columns, floats, samples) != OK) {
    tooLarge = errorLoad;
    return false;
  }
  if (!balanced) setMinima();
  if (findBounds(handle) != OK) return false;
  packed.bound = boundFound(bestKind());
  packed.rounds = 0;
  if (balanced) {
    const at = packer.begin(handle, seed, effort);
    if (at == 0) return false;
    let left = 1;
    while (left > 0) left = packer.step(at);
    if (left < 0) return false;
    packed.groups = packer.groups(at);
    packed.order = packer.order(at);
    packed.offsets = packer.offsets(at);
  } else {
    const at = isf.begin(handle, minima, seed);
    if (at == 0) return false;
    for (let loose = samples; packed.rounds < most && loose > 0; packed.rounds++)
      loose = isf.round(at, packed.rounds + 1 == most);
    packed.groups = isf.groups(at);
    packed.order = isf.order(at);
    packed.offsets = isf.offsets(at);
  }
  return takeSums(handle);
}

/** The sums of all loads, and how random the groups are. */
function takeSums(handle: usize): bool {
  const tokens = packed.find(ascii("tokens"), 6);
  const mixed = tokens >= 0 && tokens < packed.bounded ? tokens : 0;
  for (let k = 0; k < packed.counted; k++) {
    const out = allocArray(packed.groups, 8);
    if (out == 0) return false;
    store<usize>(sums + ((<usize>k) << 2), out);
    if (k < packed.bounded) loadSums(handle, k, packed.order, packed.offsets, packed.groups, out);
    else if (
      groupSums(
        load<usize>(columns + ((<usize>k) << 2)),
        ((floats >> k) & 1) != 0,
        packed.order,
        packed.offsets,
        packed.groups,
        out,
      ) != OK
    ) {
      tooLarge = k;
      return false;
    }
  }
  const squares = allocArray(packed.groups, 8);
  packed.oversize = listOversize(handle);
  if (squares == 0 || packed.oversize == 0) return false;
  loadSquares(handle, mixed, packed.order, packed.offsets, packed.groups, squares);
  packed.mix = groupsMix(packed.offsets, packed.sumsOf(mixed), squares, packed.groups);
  packed.oversizeCount = Loads.of(handle).oversize;
  renumber(packed.order, load<u32>(packed.offsets + ((<usize>packed.groups) << 2)));
  renumber(packed.oversize, packed.oversizeCount);
  return true;
}

/** Sends the packing; `made` is what it was made of. */
function writeText(lines: bool, made: usize, madeBytes: u32): void {
  let bytes: usize = 0;
  for (let k = 0; k < packed.counted; k++) bytes += packed.nameLength(k);
  const room = max(TEXT_ROOM, 768 + 96 * packed.counted + 12 * <u32>bytes);
  const out = alloc(room);
  const all = alloc(bytes);
  if (out == 0 || all == 0) {
    tellOutOfMemory();
    return;
  }
  let at = all;
  for (let k = 0; k < packed.counted; k++) {
    memory.copy(at, packed.name(k), packed.nameLength(k));
    at += packed.nameLength(k);
  }
  textBegin(
    lines ? 1 : 0,
    packed.offsets,
    packed.order,
    sums,
    8,
    all,
    nameLengths,
    packed.counted,
    packed.groups,
    packed.oversize,
    packed.oversizeCount,
    invalid,
    invalidSamples,
    bounds,
    packed.bound,
    packed.rounds,
    packed.mix,
    made,
    madeBytes,
  );
  let size = textWrite(out, room);
  while (size > 0 && send(out, size)) size = textWrite(out, room);
}

/** Refuses an option that only another method takes. After an error, `exitCode` is set and its line is not ended. */
function refuseForeign(option: i32, owner: usize): void {
  if (exitCode != 0 || !isGiven(option)) return;
  startOptionError(option);
  say(ascii(" is given, but it is for --method "));
  say(owner);
}

export function pack(): void {
  const balanced = isSecond(METHOD, ascii("isf"), ascii("balanced"));
  if (!balanced) refuseForeign(EFFORT, ascii("balanced"));
  else {
    refuseForeign(MIN, ascii("isf"));
    for (let option = MIN_VIT; option <= ROUNDS; option++) refuseForeign(option, ascii("isf"));
  }
  const givenRounds = numberOption(ROUNDS, 1, i32.MAX_VALUE);
  const givenEffort = numberOption(EFFORT, 0, 3);
  const givenSeed = numberOption(SEED, 0, u32.MAX_VALUE);
  takeLoads();
  const lines = isSecond(FORMAT, ascii("json"), ascii("jsonl"));
  if (exitCode == 0 && isGiven(OUTPUT)) {
    startOptionError(OUTPUT);
    say(ascii(" is not for this command: redirect standard output"));
  }
  if (exitCode == 0) for (let k = 0; k < packed.counted; k++) addLoad(packed.name(k), baseLength(k));
  if (exitCode != 0 || !checkInput()) {
    endUsageError(ascii("pack"));
    return;
  }
  readSamples();
  if (exitCode != 0) return;
  const most = givenRounds == NOT_GIVEN ? usual.ROUNDS : <i32>givenRounds;
  const seed = givenSeed == NOT_GIVEN ? usual.SEED : <u32>givenSeed;
  const effort = givenEffort == NOT_GIVEN ? usual.EFFORT : <i32>givenEffort;
  if (!run(balanced, most, seed, effort)) {
    if (tooLarge < 0) tellOutOfMemory();
    else {
      startError(BAD_INPUT);
      sayPrintable(packed.name(tooLarge), packed.nameLength(tooLarge));
      say(ascii(" is too large to be counted exactly"));
      endError();
    }
    return;
  }
  const made = alloc(1024 + 3 * 64 * MAX_LOADS + 24 * <u32>(lengthOf(valueOf(MAX)) + lengthOf(valueOf(CARRY))));
  if (made == 0) {
    tellOutOfMemory();
    return;
  }
  writeText(lines, made, putMade(made, balanced, seed, most, effort));
  if (exitCode != 0 || isGiven(QUIET)) return;
  const maxVit = packed.boundOf(0);
  const isUsual = packed.counted == 2 && packed.isNamed(0, ascii("vit"), 3) && packed.isNamed(1, ascii("tokens"), 6);
  const isAdvised =
    isUsual &&
    packed.align == 1 &&
    floats == 0 &&
    maxVit <= <f64>i32.MAX_VALUE &&
    packed.boundOf(1) <= <f64>i32.MAX_VALUE;
  // Of no memory for it, nothing is said: the packing is written.
  if (isAdvised) advise(columnAt(0), columnAt(1), samples, <i32>maxVit, <i32>packed.boundOf(1), packed.bound);
  saySummary(isAdvised, !balanced);
  flush();
}
