// The command that the module is under WASI: what the command line in src/cli does for JSON, JSON Lines and .npy, with the
// same output, messages and exit codes. Nothing here runs, and WASI is not called, before `start` is.

import { ascii } from "../ascii";
import { begin as beginBalanced, step as stepBalanced } from "../balanced/driver";
import { half, linear, lowerBound, pattern } from "../bound";
import * as isf from "../isf";
import { alloc, mark, release } from "../memory";
import { mixOf } from "../mix";
import * as packing from "../packing";
import { begin as textBegin, write as textWrite } from "../packing-text";
import { look as statsLook, write as statsWrite } from "../stats";
import { OK } from "../status";
import { proc_exit } from "../wasi_snapshot_preview1";
import {
  areSame,
  commandName,
  EFFORT,
  endUsageError,
  FORMAT,
  getArguments,
  HELP,
  isGiven,
  JSON,
  MAX_TOKENS,
  MAX_VIT,
  METHOD,
  MIN_TOKENS,
  MIN_VIT,
  NOT_GIVEN,
  numberOption,
  OUTPUT,
  PACK_OPTIONS,
  QUIET,
  ROUNDS,
  requiredNumber,
  SEED,
  STATS_OPTIONS,
  sayQuoted,
  startOptionError,
  takeOptions,
  valueOf,
} from "./arguments";
import { blockSamples, checkInput, readSamples, samples, tellOutOfMemory, tokensBlock, vitBlock } from "./input";
import { exitCode, flush, say, send, startError, startOutput, WRONG_USAGE } from "./output";
import { saySummary } from "./summary";

/** Bytes of text that are made at a time. */
const TEXT_ROOM: u32 = 65536;

function sayHelp(): void {
  say(
    ascii(`Usage: omnibal COMMAND [options] [FILE...]

Packs vision-language training samples into groups bounded on image tiles and
tokens. This is the WASI command inside omnibal.wasm:
  wasmtime run --dir=FOLDER omnibal.wasm COMMAND [options] [FILE...]

Commands:
  stats   shows how tiles and tokens are distributed; only as --json
  pack    packs samples into groups within bounds on tiles and tokens

FILE is JSON, JSON Lines or .npy of shape (n, 2), in a folder that is opened by
--dir; - (or no FILE) is standard input. Several are one after another.

`),
  );
  say(
    ascii(`Options of both:
  --vit-field NAME    the field of the tiles (default vit_num)
  --token-field NAME  the field of the tokens (default token_num)
  -q, --quiet         nothing on standard error but errors
  -h, --help          this text
  -V, --version       the version, as the only argument
`),
  );
  say(
    ascii(`Options of pack:
  --max-vit N         most tiles in a group
  --max-tokens N      most tokens in a group
  --min-vit N         a group with so many tiles is full (default: --max-vit)
  --min-tokens N      a group with so many tokens is full
                      (default: --max-tokens less 128)
  --rounds N          at most so many rounds (default 50)
  --seed N            0 to 4294967295 (default 1024)
  --format FORMAT     json or jsonl (default json)
  --method METHOD     isf (default) or balanced, which has no minima and rounds
  --effort N          of balanced: 0 quick, 1 normal, 2 long, 3 very long

Exit codes: 0 done, 1 bad input or output, 2 wrong usage.
`),
  );
}

/** Sends the last packing. */
function writePacking(lines: bool, maxVit: i32, maxTokens: i32, rounds: i32): void {
  const room = alloc(TEXT_ROOM);
  if (room == 0) {
    tellOutOfMemory();
    return;
  }
  textBegin(
    lines ? 1 : 0,
    packing.offsets,
    packing.order,
    packing.vit,
    packing.tokens,
    packing.groups,
    packing.oversize,
    packing.oversizeCount,
    maxVit,
    maxTokens,
    packing.bound,
    rounds,
    mixOf(packing.offsets, packing.tokens, packing.attention, packing.groups),
  );
  let size = textWrite(room, TEXT_ROOM);
  while (size > 0 && send(room, size)) size = textWrite(room, TEXT_ROOM);
}

/** i32[samples] each, once `gather` has found room for them. */
let vitColumn: usize = 0;
let tokensColumn: usize = 0;

/** Copies the blocks that were read into whole columns; false when there is no memory for them. */
function gather(): bool {
  const bytes = (<usize>samples) << 2;
  vitColumn = alloc(bytes);
  tokensColumn = alloc(bytes);
  if (vitColumn == 0 || tokensColumn == 0) return false;
  for (let from = 0; from < samples; from += blockSamples(from)) {
    const at = (<usize>from) << 2;
    const length = (<usize>blockSamples(from)) << 2;
    memory.copy(vitColumn + at, vitBlock(from), length);
    memory.copy(tokensColumn + at, tokensBlock(from), length);
  }
  return true;
}

/** Packs the samples by ISF; false when there is no memory for it. */
function packByIsf(maxVit: i32, maxTokens: i32, minVit: i32, minTokens: i32, rounds: i32, seed: u32): bool {
  const before = mark();
  if (!gather() || lowerBound(vitColumn, tokensColumn, samples, maxVit, maxTokens) != OK) return false;
  release(before);
  if (isf.begin(samples, maxVit, maxTokens, minVit, minTokens, seed) != OK) return false;
  // What a reader gives is never negative, so nothing else can be wrong.
  for (let from = 0; from < samples; from += blockSamples(from)) {
    isf.push(vitBlock(from), tokensBlock(from), blockSamples(from));
  }
  let loose = samples;
  for (let left = rounds - 1; left >= 0 && loose > 0; left--) loose = isf.round(left == 0);
  return isf.finish() == OK;
}

/** The same by the balanced packer. */
function packBalanced(maxVit: i32, maxTokens: i32, effort: i32, seed: u32): bool {
  if (!gather()) return false;
  if (beginBalanced(vitColumn, tokensColumn, samples, maxVit, maxTokens, seed, effort) != OK) return false;
  let left = stepBalanced();
  while (left > 0) left = stepBalanced();
  return left == 0 && lowerBound(vitColumn, tokensColumn, samples, maxVit, maxTokens) == OK;
}

/** Complains of an option that is for the other method. */
function refuse(option: i32, owner: usize): void {
  if (exitCode != 0 || !isGiven(option)) return;
  startOptionError(option);
  say(ascii(" is given, but it is for --method "));
  say(owner);
}

/** Complains of a value that is not one of `choices`. */
function refuseValue(option: i32, choices: usize): void {
  startOptionError(option);
  say(ascii(" is "));
  sayQuoted(valueOf(option));
  say(ascii(", expected one of "));
  say(choices);
}

function pack(): void {
  const method = valueOf(METHOD);
  const isBalanced = method != 0 && areSame(ascii("balanced"), method);
  if (method != 0 && !isBalanced && !areSame(ascii("isf"), method)) refuseValue(METHOD, ascii("isf, balanced"));
  if (isBalanced) {
    refuse(MIN_VIT, ascii("isf"));
    refuse(MIN_TOKENS, ascii("isf"));
    refuse(ROUNDS, ascii("isf"));
  } else refuse(EFFORT, ascii("balanced"));
  const given = numberOption(MIN_VIT, 0, i32.MAX_VALUE);
  const givenTokens = numberOption(MIN_TOKENS, 0, i32.MAX_VALUE);
  const rounds = numberOption(ROUNDS, 1, i32.MAX_VALUE);
  const effort = numberOption(EFFORT, 0, 3);
  const seed = numberOption(SEED, 0, u32.MAX_VALUE);
  const maxVit = <i32>requiredNumber(MAX_VIT, 1, i32.MAX_VALUE);
  const maxTokens = <i32>requiredNumber(MAX_TOKENS, 1, i32.MAX_VALUE);
  const format = valueOf(FORMAT);
  const lines = format != 0 && areSame(ascii("jsonl"), format);
  if (exitCode == 0 && format != 0 && !lines && !areSame(ascii("json"), format)) {
    refuseValue(FORMAT, ascii("json, jsonl"));
  }
  if (exitCode == 0 && isGiven(OUTPUT)) {
    startOptionError(OUTPUT);
    say(ascii(" is not for this command: redirect standard output"));
  }
  if (exitCode != 0 || !checkInput()) {
    endUsageError(ascii("pack"));
    return;
  }
  readSamples();
  if (exitCode != 0) return;
  const minVit = given == NOT_GIVEN ? maxVit : <i32>given;
  const minTokens = givenTokens == NOT_GIVEN ? max(maxTokens - 128, 0) : <i32>givenTokens;
  const most = rounds == NOT_GIVEN ? 50 : <i32>rounds;
  const start = seed == NOT_GIVEN ? 1024 : <u32>seed;
  const isPacked = isBalanced
    ? packBalanced(maxVit, maxTokens, effort == NOT_GIVEN ? 1 : <i32>effort, start)
    : packByIsf(maxVit, maxTokens, minVit, minTokens, most, start);
  if (!isPacked) {
    tellOutOfMemory();
    return;
  }
  packing.setBound(<i32>max(max(linear, pattern), half));
  const roundsDone = isBalanced ? 0 : isf.rounds;
  writePacking(lines, maxVit, maxTokens, roundsDone);
  if (exitCode != 0 || isGiven(QUIET)) return;
  saySummary(maxVit, maxTokens, roundsDone, isBalanced);
  flush();
}

function stats(): void {
  if (!isGiven(JSON)) {
    startOptionError(JSON);
    say(ascii(" is missing: this command draws no tables"));
  }
  if (exitCode != 0 || !checkInput()) {
    endUsageError(ascii("stats"));
    return;
  }
  readSamples();
  if (exitCode != 0) return;
  // The core looks at whole columns.
  const room = gather() ? alloc(TEXT_ROOM) : 0;
  if (room == 0 || statsLook(vitColumn, tokensColumn, samples) != OK) {
    tellOutOfMemory();
    return;
  }
  send(room, statsWrite(room, TEXT_ROOM));
}

/** Takes the options; false where the command has nothing more to do. */
function isToRun(command: usize, allowed: u32): bool {
  if (!takeOptions(allowed)) {
    endUsageError(command);
    return false;
  }
  if (!isGiven(HELP)) return true;
  sayHelp();
  flush();
  return false;
}

function run(): void {
  if (!getArguments()) {
    tellOutOfMemory();
    return;
  }
  const name = commandName;
  if (name == 0) {
    startError(WRONG_USAGE);
    say(ascii("no command is given"));
    endUsageError(ascii(""));
    return;
  }
  if (areSame(ascii("--help"), name) || areSame(ascii("-h"), name)) {
    sayHelp();
    flush();
    return;
  }
  if (areSame(ascii("--version"), name) || areSame(ascii("-V"), name)) {
    say(ascii("0.1.0\n"));
    flush();
    return;
  }
  // The commands: one more goes here, with its options in arguments.ts and a line in the help.
  if (areSame(ascii("pack"), name)) {
    if (isToRun(ascii("pack"), PACK_OPTIONS)) pack();
    return;
  }
  if (areSame(ascii("stats"), name)) {
    if (isToRun(ascii("stats"), STATS_OPTIONS)) stats();
    return;
  }
  startError(WRONG_USAGE);
  say(load<u8>(name) == 0x2d ? ascii("unknown option '") : ascii("unknown command '"));
  say(name);
  say(ascii("'"));
  endUsageError(ascii(""));
}

/** Runs the command that the host's arguments name. Returns when all went well; exits the host's process if not. */
export function start(): void {
  const before = mark();
  startOutput();
  run();
  release(before);
  if (exitCode != 0) proc_exit(exitCode);
}
