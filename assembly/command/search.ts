// The search for bounds, one candidate after another in this one instance: the bytes that `omnibal search --json` prints.

import { ascii } from "../base/ascii";
import { parseDecimal } from "../base/decimal";
import { alloc, allocArray, mark, release } from "../base/memory";
import { OK } from "../base/status";
import * as isf from "../pack/isf/vit-tokens";
import * as packing from "../pack/packing";
import { distOf, evaluate, outerPad, pad } from "../plan/evaluate";
import { random as publishedRandom } from "../plan/reference";
import { random as planRandom } from "../plan/samplers";
import { ENCODED, PADDED, SUMMED, begin as unitsBegin } from "../plan/units";
import {
  ask,
  begin,
  finish,
  PART_SAMPLES,
  partOf,
  REFERENCE,
  SCAN,
  Search,
  setFile,
  tell,
  WHOLE_ABOVE,
} from "../search/search";
import { startJson, writeJson, writeLargest } from "../search/text";
import {
  areSame,
  CANDIDATES,
  endUsageError,
  file,
  fileCount,
  isGiven,
  isSecond,
  JSON,
  lengthOf,
  MAX_LEFT_OUT,
  MAX_TOKENS_LIMIT,
  MAX_VIT_LIMIT,
  NOT_GIVEN,
  numberOption,
  QUIET,
  RANKS,
  ROUNDS,
  requiredNumber,
  SAMPLES_PER_GROUP,
  SEED,
  SLACK,
  STRATEGY,
  startOptionError,
  valueOf,
} from "./arguments";
import { checkInput, columnAt, fileEnd, numberOf, readSamples, samples, tellOutOfMemory, wideLoads } from "./input";
import { addUsualLoads } from "./loads";
import {
  BAD_INPUT,
  endError,
  exitCode,
  flush,
  say,
  sayNumber,
  sayOnStandardError,
  sayThousands,
  send,
  startError,
  WRONG_USAGE,
} from "./output";
import { sayPrintable, sayQuoted } from "./printable";

const TEXT_ROOM: u32 = 65536;
/** Bytes of the name of a file that the text has room for. */
const LONGEST_FILE: usize = 4096;

/** Samples per group: s for s .. s + 1, LOW-HIGH as it is; 0 where none is asked for. */
let low: f64 = 0;
let high: f64 = 0;

/** Where the dash between two numbers is, or `end`: that of an exponent, as in 5e-1, separates nothing. */
function dashIn(text: usize, end: usize): usize {
  for (let at = text; at < end; at++) {
    if (load<u8>(at) != 0x2d) continue;
    const before = at - text >= 2 ? <u32>load<u8>(at - 2) : 0;
    const isExponent = (before == 0x2e || before - 0x30 < 10) && (load<u8>(at - 1) | 0x20) == 0x65;
    if (!isExponent) return at;
  }
  return end;
}

function takeWindow(): void {
  low = 0;
  high = 0;
  const text = valueOf(SAMPLES_PER_GROUP);
  if (text == 0 || exitCode != 0) return;
  const end = text + lengthOf(text);
  const dash = dashIn(text, end);
  low = parseDecimal(text, dash);
  high = dash == end ? low + 1 : parseDecimal(dash + 1, end);
  if (low > 0 && high >= low) return;
  startOptionError(SAMPLES_PER_GROUP);
  say(ascii(" is "));
  sayQuoted(text);
  say(ascii(", expected a number above 0 or LOW-HIGH"));
}

function takeSlack(): f64 {
  const text = valueOf(SLACK);
  if (text == 0 || exitCode != 0) return 0.01;
  const slack = parseDecimal(text, text + lengthOf(text));
  if (slack <= 1) return slack;
  startOptionError(SLACK);
  say(ascii(" is "));
  sayQuoted(text);
  say(ascii(", expected a number from 0 to 1"));
  return 0;
}

/** What options mean together. */
function checkTogether(reference: bool): void {
  if (exitCode != 0) return;
  if (reference && isGiven(MAX_LEFT_OUT)) {
    startOptionError(MAX_LEFT_OUT);
    say(ascii(" is given, but it is for --strategy scan"));
    return;
  }
  if (isGiven(SAMPLES_PER_GROUP)) return;
  if (reference) {
    startOptionError(SAMPLES_PER_GROUP);
    say(ascii(" is missing"));
  } else if (!isGiven(MAX_VIT_LIMIT) && !isGiven(MAX_TOKENS_LIMIT)) {
    startError(WRONG_USAGE);
    say(ascii("one of --samples-per-group, --max-vit-limit and --max-tokens-limit is needed"));
  }
}

function or(given: i64, usual: i64): i64 {
  return given == NOT_GIVEN ? usual : given;
}

/** Tells the search which file its largest sample is from. */
function nameFile(s: Search): void {
  const largest = numberOf(s.samples.largest);
  s.samples.skipped = largest - s.samples.largest;
  let first = 0;
  for (let k = 0; k < fileCount; k++) {
    const end = fileEnd(k);
    if (largest < end) {
      const name = file(k);
      const bytes = lengthOf(name);
      if (!areSame(ascii("-"), name) && bytes <= LONGEST_FILE) setFile(s, name, <i32>bytes, largest - first);
      return;
    }
    first = end;
  }
}

/** f64[groups] of each load of the last packing, their pointers, and their kinds. */
const unitColumns: usize = memory.data(12, 4);
const unitKinds: usize = memory.data<u8>([ENCODED, PADDED, SUMMED]);
const unitSizes: usize = memory.data(4, 4);

function copyLoads(): bool {
  const groups = packing.groups;
  for (let k = 0; k < 3; k++) {
    const out = allocArray(groups, 8);
    if (out == 0) return false;
    store<usize>(unitColumns + ((<usize>k) << 2), out);
    const values = k == 0 ? packing.vit : packing.tokens;
    for (let g: usize = 0; g < <usize>groups; g++) {
      const x = k < 2 ? <f64>load<i32>(values + (g << 2)) : load<f64>(packing.attention + (g << 3));
      store<f64>(out + (g << 3), x);
    }
  }
  store<u32>(unitSizes, groups);
  return true;
}

/** A set of samples that candidates are tried on. */
let setVit: usize = 0;
let setTokens: usize = 0;
let setSamples: i32 = 0;
let seed: u32 = 0;

/** Packs by at most `rounds` rounds of ISF and ends the packing unless a round before had fewer groups; that round, or 0. */
function tryRounds(maxVit: i32, maxTokens: i32, minTokens: i32, rounds: i32, published: bool): i32 {
  if (isf.begin(setSamples, maxVit, maxTokens, maxVit, minTokens, seed) != OK) return -1;
  isf.push(setVit, setTokens, setSamples);
  let best = 0;
  let fewest = i32.MAX_VALUE;
  let loose = setSamples;
  for (let round = 1; round <= rounds && loose > 0; round++) {
    loose = isf.round(round == rounds);
    const groups = isf.groupsNow();
    if (groups >= fewest) continue;
    fewest = groups;
    best = round;
  }
  if (!published && best < isf.rounds) return best;
  return isf.finish() == OK && isf.attend() == OK ? 0 : -1;
}

/** Tries the candidate at `at` and tells the search; false where memory lacks. */
function tryCandidate(s: Search, id: i32, at: usize, ranks: i32): bool {
  const maxVit = load<i32>(at, 4);
  const maxTokens = load<i32>(at, 8);
  const minTokens = load<i32>(at, 12);
  const published = load<i32>(at, 20) != 0;
  const before = mark();
  let best = tryRounds(maxVit, maxTokens, minTokens, load<i32>(at, 16), published);
  if (best > 0) {
    release(before);
    best = tryRounds(maxVit, maxTokens, minTokens, best, true);
  }
  if (best < 0 || !copyLoads() || unitsBegin(unitColumns, unitKinds, 3, unitSizes, 1, 1) != OK) return false;
  // The published sampler has no step with fewer groups than ranks: ours has one, with repeats.
  const asPublished = published && packing.groups >= ranks;
  if ((asPublished ? publishedRandom(ranks, 1, 0) : planRandom(ranks, 1, 0, 1)) != OK) return false;
  evaluate(ranks, 1);
  const leftOut = packing.oversizeCount;
  const padding = asPublished ? outerPad : pad;
  const inGroups = setSamples - leftOut;
  tell(s, id, isf.rounds, packing.groups, packing.bound, inGroups, leftOut, padding, distOf(0), distOf(1), distOf(2));
  release(before);
  return true;
}

/** Takes the part of the samples that most candidates are tried on; false where memory lacks. */
let partVit: usize = 0;
let partTokens: usize = 0;
function takePart(): bool {
  const part = allocArray(PART_SAMPLES, 4);
  partVit = allocArray(PART_SAMPLES, 4);
  partTokens = allocArray(PART_SAMPLES, 4);
  if (part == 0 || partVit == 0 || partTokens == 0) return false;
  partOf(samples, part);
  for (let k: usize = 0; k < <usize>PART_SAMPLES; k++) {
    const from = (<usize>load<u32>(part + (k << 2))) << 2;
    store<u32>(partVit + (k << 2), load<u32>(columnAt(0) + from));
    store<u32>(partTokens + (k << 2), load<u32>(columnAt(1) + from));
  }
  return true;
}

/** Asks and tells to the end of the search; false where memory lacks. */
function runSearch(s: Search, ranks: i32): bool {
  if (s.strategy == SCAN && samples > WHOLE_ABOVE && !takePart()) return false;
  for (let count = ask(s); count > 0; count = ask(s)) {
    for (let id = 0; id < count; id++) {
      const at = s.candidates + <usize>id * 24;
      const isPart = load<i32>(at) != 0;
      setVit = isPart ? partVit : columnAt(0);
      setTokens = isPart ? partTokens : columnAt(1);
      setSamples = isPart ? PART_SAMPLES : samples;
      if (!tryCandidate(s, id, at, ranks)) return false;
    }
  }
  return true;
}

function sayRaised(option: usize, needed: i32, limit: i32): void {
  if (needed <= limit) return;
  say(ascii(" "));
  say(option);
  say(ascii(" "));
  sayNumber(needed);
}

/** Why there is no winner, in a line; `room` is for words. */
function tellNone(s: Search, room: usize): void {
  startError(BAD_INPUT);
  const all = s.samples;
  if (s.strategy == REFERENCE || all.count == 0 || s.table.count > 0) {
    say(ascii("no bounds found in this window and these limits"));
  } else {
    sayThousands(all.beyondLimits);
    say(all.beyondLimits == 1 ? ascii(" sample") : ascii(" samples"));
    say(ascii(" too large for these limits, the largest is "));
    sayPrintable(room, writeLargest(s, room));
    say(ascii(":"));
    sayRaised(ascii("--max-vit-limit"), all.mostVit, s.vitLimit);
    sayRaised(ascii("--max-tokens-limit"), all.mostTokens, s.tokenLimit);
    say(ascii(" would hold all"));
  }
  endError();
}

/** A search is over loads of 31 bits. */
function tellWide(): void {
  const k = <i32>ctz(wideLoads);
  let i = 0;
  while (load<f64>(columnAt(k) + ((<usize>i) << 3)) <= <f64>i32.MAX_VALUE) i++;
  startError(BAD_INPUT);
  say(ascii("index "));
  sayNumber(i);
  say(k == 0 ? ascii(": vit is ") : ascii(": tokens is "));
  sayNumber(<u64>load<f64>(columnAt(k) + ((<usize>i) << 3)));
  say(ascii(", expected a whole number from 0 to 2147483647"));
  endError();
}

export function search(): void {
  if (!isGiven(JSON)) {
    startOptionError(JSON);
    say(ascii(" is missing: tables are drawn by omnibal in Node, this command draws none"));
  }
  const ranks = <i32>requiredNumber(RANKS, 1, i32.MAX_VALUE);
  takeWindow();
  const vitLimit = <i32>or(numberOption(MAX_VIT_LIMIT, 1, i32.MAX_VALUE), i32.MAX_VALUE);
  const tokenLimit = <i32>or(numberOption(MAX_TOKENS_LIMIT, 1, i32.MAX_VALUE), i32.MAX_VALUE);
  const rounds = <i32>or(numberOption(ROUNDS, 1, i32.MAX_VALUE), 50);
  const reference = isSecond(STRATEGY, ascii("scan"), ascii("reference"));
  const candidates = <i32>or(numberOption(CANDIDATES, 10, 100_000), 200);
  const slack = takeSlack();
  const maxLeftOut = <i32>or(numberOption(MAX_LEFT_OUT, 0, i32.MAX_VALUE), 0);
  seed = <u32>or(numberOption(SEED, 0, u32.MAX_VALUE), 1024);
  checkTogether(reference);
  addUsualLoads();
  if (exitCode != 0 || !checkInput()) {
    endUsageError(ascii("search"));
    return;
  }
  readSamples();
  if (exitCode != 0) return;
  if (wideLoads != 0) {
    tellWide();
    return;
  }
  const room = alloc(TEXT_ROOM);
  const strategy = reference ? REFERENCE : SCAN;
  const handle = begin(
    columnAt(0),
    columnAt(1),
    samples,
    strategy,
    ranks,
    low,
    high,
    vitLimit,
    tokenLimit,
    rounds,
    maxLeftOut,
    slack,
    candidates,
  );
  // The options are checked, so that memory is all that it can lack: no address is so near the end.
  if (room == 0 || (handle < 0 && handle > -64)) {
    tellOutOfMemory();
    return;
  }
  const s = changetype<Search>(<usize>handle);
  if (samples > 0) nameFile(s);
  if (!runSearch(s, ranks)) {
    tellOutOfMemory();
    return;
  }
  finish(s);
  startJson();
  let size = writeJson(s, room, TEXT_ROOM, seed);
  while (size > 0 && send(room, size)) size = writeJson(s, room, TEXT_ROOM, seed);
  if (exitCode != 0) return;
  if (s.winner < 0) {
    tellNone(s, room);
    return;
  }
  const leftOut = s.table.row(s.winner).leftOut;
  if (leftOut == 0 || isGiven(QUIET)) return;
  sayOnStandardError();
  say(ascii("omnibal: the winner leaves out "));
  sayThousands(leftOut);
  say(ascii(" of the samples: they are too large\n"));
  flush();
}
