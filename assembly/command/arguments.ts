// The arguments of the command: the same rules and complaints as those of the command line in src/cli. Arguments are
// C strings where WASI has put them; an option's value is a pointer into one.

import { ascii } from "../base/ascii";
import { alloc } from "../base/memory";
import { endError, exitCode, say, sayByte, sayNumber, startError, WRONG_USAGE } from "./output";
import { sayPrintable, sayQuoted } from "./printable";
import { args_get, args_sizes_get } from "./wasi_snapshot_preview1";

// Options. A new one is a number here, its name below, and a bit in the options of a command; flags are those from QUIET on.
export const MAX_VIT: i32 = 0;
export const MAX_TOKENS: i32 = 1;
export const MIN_VIT: i32 = 2;
export const MIN_TOKENS: i32 = 3;
export const ROUNDS: i32 = 4;
export const SEED: i32 = 5;
export const FORMAT: i32 = 6;
export const OUTPUT: i32 = 7;
export const METHOD: i32 = 8;
export const EFFORT: i32 = 9;
export const MAX: i32 = 10;
export const MIN: i32 = 11;
export const CARRY: i32 = 12;
export const ALIGN: i32 = 13;
export const VIT_FIELD: i32 = 14;
export const TOKEN_FIELD: i32 = 15;
export const LOAD: i32 = 16;
export const MISSING: i32 = 17;
export const RANKS: i32 = 18;
export const SAMPLES_PER_GROUP: i32 = 19;
export const MAX_VIT_LIMIT: i32 = 20;
export const MAX_TOKENS_LIMIT: i32 = 21;
export const STRATEGY: i32 = 22;
export const CANDIDATES: i32 = 23;
export const SLACK: i32 = 24;
export const MAX_LEFT_OUT: i32 = 25;
export const QUIET: i32 = 26;
export const HELP: i32 = 27;
export const JSON: i32 = 28;
const OPTIONS: i32 = 29;

const INPUT: u32 = ((1 << RANKS) - (1 << VIT_FIELD)) | (1 << QUIET) | (1 << HELP);
export const STATS_OPTIONS: u32 = INPUT | (1 << JSON);
/** All before VIT_FIELD too. */
export const PACK_OPTIONS: u32 = INPUT | ((1 << VIT_FIELD) - 1);

/** Those from RANKS to MAX_LEFT_OUT, and a few that pack has too. */
export const SEARCH_OPTIONS: u32 = STATS_OPTIONS | (1 << ROUNDS) | (1 << SEED) | ((1 << QUIET) - (1 << RANKS));

function nameOf(option: i32): usize {
  switch (option) {
    case MAX_VIT:
      return ascii("max-vit");
    case MAX_TOKENS:
      return ascii("max-tokens");
    case MIN_VIT:
      return ascii("min-vit");
    case MIN_TOKENS:
      return ascii("min-tokens");
    case ROUNDS:
      return ascii("rounds");
    case SEED:
      return ascii("seed");
    case FORMAT:
      return ascii("format");
    case OUTPUT:
      return ascii("output");
    case METHOD:
      return ascii("method");
    case EFFORT:
      return ascii("effort");
    case MAX:
      return ascii("max");
    case MIN:
      return ascii("min");
    case CARRY:
      return ascii("carry");
    case ALIGN:
      return ascii("align");
    case LOAD:
      return ascii("load");
    case MISSING:
      return ascii("missing");
    case VIT_FIELD:
      return ascii("vit-field");
    case TOKEN_FIELD:
      return ascii("token-field");
    case RANKS:
      return ascii("ranks");
    case SAMPLES_PER_GROUP:
      return ascii("samples-per-group");
    case MAX_VIT_LIMIT:
      return ascii("max-vit-limit");
    case MAX_TOKENS_LIMIT:
      return ascii("max-tokens-limit");
    case STRATEGY:
      return ascii("strategy");
    case CANDIDATES:
      return ascii("candidates");
    case SLACK:
      return ascii("slack");
    case MAX_LEFT_OUT:
      return ascii("max-left-out");
    case QUIET:
      return ascii("quiet");
    case HELP:
      return ascii("help");
    default:
      return ascii("json");
  }
}

/** The letter of an option, or 0. */
function letterOf(option: i32): u32 {
  if (option == QUIET) return 0x71;
  if (option == HELP) return 0x68;
  return option == OUTPUT ? 0x6f : 0;
}

const DASH: u32 = 0x2d;
const EQUALS: u32 = 0x3d;

/** usize[OPTIONS]: the value of each option, 0 where it is not given. */
const values: usize = memory.data(29 * 4, 4);
/** usize[fileCount]: the arguments that are no options. They take the place of those that were read. */
let files: usize = 0;
export let fileCount: i32 = 0;
/** The first argument, or 0. */
export let commandName: usize = 0;
let argv: usize = 0;
let argc: i32 = 0;

const sizes: usize = memory.data(8, 4);

/** Gets the arguments; false when there is no memory for them. */
export function getArguments(): bool {
  argc = 0;
  commandName = 0;
  if (args_sizes_get(sizes, sizes + 4) != 0) return true;
  const count = load<u32>(sizes);
  argv = alloc(count << 2);
  const bytes = alloc(load<u32>(sizes, 4));
  if (argv == 0 || bytes == 0) return false;
  if (args_get(argv, bytes) == 0) argc = count;
  if (argc > 1) commandName = load<usize>(argv, 4);
  return true;
}

/** Whether `length` bytes are this text. */
function same(text: usize, at: usize, length: usize): bool {
  for (let i: usize = 0; i < length; i++) if (load<u8>(text + i) != load<u8>(at + i)) return false;
  return load<u8>(text + length) == 0;
}

export function lengthOf(at: usize): usize {
  let end = at;
  while (load<u8>(end) != 0) end++;
  return end - at;
}

/** Whether two texts are the same. */
export function areSame(a: usize, b: usize): bool {
  return same(a, b, lengthOf(b));
}

export function file(k: i32): usize {
  return load<usize>(files + ((<usize>k) << 2));
}

export function isGiven(option: i32): bool {
  return valueOf(option) != 0;
}

/** The value of an option, or 0. */
export function valueOf(option: i32): usize {
  return load<usize>(values + ((<usize>option) << 2));
}

/** Also gives an option its usual value. */
export function setValue(option: i32, at: usize): void {
  store<usize>(values + ((<usize>option) << 2), at);
}

/** Says where help is, and ends the line of an error. */
export function endUsageError(command: usize): void {
  say(ascii(" (see omnibal "));
  if (load<u8>(command) != 0) {
    say(command);
    say(ascii(" "));
  }
  say(ascii("--help)"));
  endError();
}

/** option '-q, --quiet' */
function sayOption(option: i32): void {
  say(ascii("option '"));
  const letter = letterOf(option);
  if (letter != 0) {
    sayByte(DASH);
    sayByte(letter);
    say(ascii(", "));
  }
  say(ascii("--"));
  say(nameOf(option));
}

/** Takes the value in the argument after `k`, if it can be one; false otherwise. */
function takeNext(option: i32, k: i32, byLetter: bool): bool {
  const at = k + 1 < argc ? load<usize>(argv + ((<usize>k + 1) << 2)) : 0;
  if (at != 0 && (load<u8>(at) != DASH || load<u8>(at, 1) == 0)) {
    setValue(option, at);
    return true;
  }
  startError(WRONG_USAGE);
  if (at == 0) {
    sayOption(option);
    say(ascii(" <value>' argument missing"));
  } else {
    say(byLetter ? ascii("option '-") : ascii("option '--"));
    if (byLetter) sayByte(letterOf(option));
    else say(nameOf(option));
    say(ascii("' needs a value, one without a dash in front"));
  }
  return false;
}

function unknown(at: usize, length: usize, dash: bool): bool {
  startError(WRONG_USAGE);
  say(ascii("unknown option '"));
  if (dash) sayByte(DASH);
  sayPrintable(at, length);
  say(ascii("'"));
  return false;
}

/** --name, --name=value, --name value. Returns how many arguments that is, 0 after an error. */
function takeLong(arg: usize, k: i32, allowed: u32): i32 {
  let end = arg + 2;
  while (load<u8>(end) != 0 && load<u8>(end) != EQUALS) end++;
  const hasValue = load<u8>(end) == EQUALS;
  for (let option = 0; option < OPTIONS; option++) {
    if (((allowed >> option) & 1) == 0 || !same(nameOf(option), arg + 2, end - arg - 2)) continue;
    if (option < QUIET) {
      if (!hasValue) return takeNext(option, k, false) ? 2 : 0;
      setValue(option, end + 1);
      return 1;
    }
    setValue(option, arg);
    if (!hasValue) return 1;
    startError(WRONG_USAGE);
    sayOption(option);
    say(ascii("' does not take an argument"));
    return 0;
  }
  unknown(arg, end - arg, false);
  return 0;
}

/** -q, -qh, -oOUT, -o OUT, likewise. */
function takeShort(arg: usize, k: i32, allowed: u32): i32 {
  for (let at = arg + 1; load<u8>(at) != 0; at++) {
    let option = 0;
    while (option < OPTIONS && (((allowed >> option) & 1) == 0 || letterOf(option) != load<u8>(at))) option++;
    if (option == OPTIONS) {
      let end = at + 1;
      while ((load<u8>(end) & 0xc0) == 0x80) end++;
      unknown(at, end - at, true);
      return 0;
    }
    if (option < QUIET) {
      if (load<u8>(at, 1) == 0) return takeNext(option, k, true) ? 2 : 0;
      setValue(option, at + 1);
      return 1;
    }
    setValue(option, at);
  }
  return 1;
}

/** Takes what follows the command; false after an error, whose line is not ended. */
export function takeOptions(allowed: u32): bool {
  memory.fill(values, 0, OPTIONS * 4);
  files = argv;
  fileCount = 0;
  let onlyFiles = false;
  for (let k = 2; k < argc; ) {
    const arg = load<usize>(argv + ((<usize>k) << 2));
    const isLong = load<u8>(arg, 1) == DASH;
    if (onlyFiles || load<u8>(arg) != DASH || load<u8>(arg, 1) == 0) {
      store<usize>(files + ((<usize>fileCount) << 2), arg);
      fileCount++;
      k++;
    } else if (isLong && load<u8>(arg, 2) == 0) {
      onlyFiles = true;
      k++;
    } else {
      const taken = isLong ? takeLong(arg, k, allowed) : takeShort(arg, k, allowed);
      if (taken == 0) return false;
      k += taken;
    }
  }
  return true;
}

/** Begins the line of an error: --name. */
export function startOptionError(option: i32, code: i32 = WRONG_USAGE): void {
  startError(code);
  say(ascii("--"));
  say(nameOf(option));
}

export const NOT_GIVEN: i64 = -1;

/** The whole number that an option is given as. After an error, whose line is not ended, `exitCode` is set. */
export function numberOption(option: i32, low: i64, high: i64): i64 {
  const text = valueOf(option);
  if (text == 0 || exitCode != 0) return NOT_GIVEN;
  let x: i64 = load<u8>(text) == 0 ? NOT_GIVEN : 0;
  for (let at = text; load<u8>(at) != 0 && x >= 0; at++) {
    const digit = <u32>load<u8>(at) - 0x30;
    x = digit > 9 ? NOT_GIVEN : min<i64>(x * 10 + digit, 1 << 40);
  }
  if (x >= low && x <= high) return x;
  startOptionError(option);
  say(ascii(" is "));
  sayQuoted(text);
  say(ascii(", expected a whole number from "));
  sayNumber(low);
  say(ascii(" to "));
  sayNumber(high);
  return NOT_GIVEN;
}

export function requiredNumber(option: i32, low: i64, high: i64): i64 {
  const x = numberOption(option, low, high);
  if (exitCode != 0 || isGiven(option)) return x;
  startOptionError(option);
  say(ascii(" is missing"));
  return NOT_GIVEN;
}

/** Whether an option is given as the second of two words; an error, whose line is not ended, unless it is the first. */
export function isSecond(option: i32, first: usize, second: usize): bool {
  const text = valueOf(option);
  if (text == 0 || exitCode != 0 || areSame(first, text)) return false;
  if (areSame(second, text)) return true;
  startOptionError(option);
  say(ascii(" is "));
  sayQuoted(text);
  say(ascii(", expected one of "));
  say(first);
  say(ascii(", "));
  say(second);
  return false;
}
