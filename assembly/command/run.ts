// The command that the module is under WASI: what the command line in src/cli does for JSON, JSON Lines and .npy, with the
// same output, messages and exit codes. Nothing here runs, and WASI is not called, before `start` is.

import { ascii } from "../base/ascii";
import { alloc, mark, release } from "../base/memory";
import { OK } from "../base/status";
import { advise } from "../pack/advice";
import { begin as balancedBegin, step as balancedStep } from "../pack/balanced/driver";
import * as usual from "../pack/defaults";
import * as isf from "../pack/isf/vit-tokens";
import * as bounds from "../pack/lower-bounds";
import { lowerBound } from "../pack/lower-bounds";
import { mixOf } from "../pack/mix";
import * as packing from "../pack/packing";
import { begin as textBegin, write as textWrite } from "../text/packing";
import { look as statsLook, write as statsWrite } from "../text/stats";
import {
  areSame,
  commandName,
  EFFORT,
  endUsageError,
  FORMAT,
  getArguments,
  HELP,
  isGiven,
  isSecond,
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
  SEARCH_OPTIONS,
  SEED,
  STATS_OPTIONS,
  startOptionError,
  takeOptions,
} from "./arguments";
import { checkInput, readSamples, samples, tellOutOfMemory, tokensColumn, vitColumn } from "./input";
import { MADE_ROOM, putBalanced, putIsf } from "./made";
import { exitCode, flush, say, send, startError, startOutput, WRONG_USAGE } from "./output";
import { sayArgument } from "./printable";
import { search } from "./search";
import { saySummary } from "./summary";
import { proc_exit } from "./wasi_snapshot_preview1";

/** Bytes of text that are made at a time. */
const TEXT_ROOM: u32 = 65536;

function sayHelp(): void {
  say(
    ascii(`Usage: omnibal COMMAND [options] [FILE...]
The WASI command of omnibal.wasm: wasmtime run --dir=FOLDER omnibal.wasm ...

Commands:
  pack    packs samples into groups within bounds on tiles and tokens
  stats   shows how tiles and tokens are distributed, as --json
  search  finds bounds to pack with, as --json

FILE is JSON, JSON Lines or .npy of shape (n, 2), in a folder opened with --dir;
- or none is standard input. Samples are numbered across all FILEs.

Options of all:
  --vit-field NAME    (default vit_num)
  --token-field NAME  (default token_num)
  -q, --quiet         nothing on standard error but errors
  -h, --help          this text
  -V, --version       as the only argument

Options of pack:
  --max-vit N         most tiles in a group
  --max-tokens N      most tokens in a group
  --method METHOD     isf (default) or balanced
  --seed N            (default 1024)
  --format FORMAT     json or jsonl (default json)
  of isf:
  --min-vit N         full with so many tiles (default: --max-vit)
  --min-tokens N      or so many tokens (default: --max-tokens less 128)
  --rounds N          (default 50)
  of balanced:
  --effort N          0 quick, 1 normal, 2 long, 3 very long (default 1)

Options of search, one of the first three needed beside --ranks:
  --samples-per-group N
                      on average: N to N + 1, or LOW-HIGH
  --max-vit-limit N   no bound on tiles above this
  --max-tokens-limit N
                      the same of tokens
  --ranks N           data-parallel ranks
  --rounds N          at most so many of packing (default 50)
  --strategy NAME     scan (default), or reference: the published walk
  --candidates N      how many scan tries (default 200)
  --slack RATIO       how much more groups than the best (default 0.01)
  --max-left-out N    samples that scan may leave out (default 0)
  --seed N            (default 1024)

Exit codes: 0 done, 1 bad input or output, 2 wrong usage.
`),
  );
}

/** The usual two loads as the texts take them: where their columns are, their names, and their bounds. */
const columns: usize = memory.data(8, 4);
const names: usize = ascii("vittokens");
const lengths: usize = memory.data<u32>([3, 6]);
const loadBounds: usize = memory.data(16, 8);

function setColumns(vit: usize, tokens: usize): void {
  store<usize>(columns, vit);
  store<usize>(columns, tokens, 4);
}

/** Sends the last packing; `made` is what it was made of. */
function writePacking(
  lines: bool,
  maxVit: i32,
  maxTokens: i32,
  rounds: i32,
  mix: f64,
  made: usize,
  madeBytes: u32,
): void {
  const room = alloc(TEXT_ROOM);
  if (room == 0) {
    tellOutOfMemory();
    return;
  }
  setColumns(packing.vit, packing.tokens);
  store<f64>(loadBounds, maxVit);
  store<f64>(loadBounds, maxTokens, 8);
  textBegin(
    lines ? 1 : 0,
    packing.offsets,
    packing.order,
    columns,
    4,
    names,
    lengths,
    2,
    packing.groups,
    packing.oversize,
    packing.oversizeCount,
    0,
    0,
    loadBounds,
    packing.bound,
    rounds,
    mix,
    made,
    madeBytes,
  );
  let size = textWrite(room, TEXT_ROOM);
  while (size > 0 && send(room, size)) size = textWrite(room, TEXT_ROOM);
}

// What a reader gives is never negative and the options are checked, so that memory is all that packing can lack.

/** Packs the samples by ISF; false when there is no memory for it. */
function packByIsf(maxVit: i32, maxTokens: i32, minVit: i32, minTokens: i32, rounds: i32, seed: u32): bool {
  if (isf.begin(samples, maxVit, maxTokens, minVit, minTokens, seed) != OK) return false;
  isf.push(vitColumn, tokensColumn, samples);
  let loose = samples;
  for (let left = rounds - 1; left >= 0 && loose > 0; left--) loose = isf.round(left == 0);
  return isf.finish() == OK && isf.attend() == OK;
}

/** Packs the samples by the balanced packer, likewise. */
function packBalanced(maxVit: i32, maxTokens: i32, seed: u32, effort: i32): bool {
  if (balancedBegin(vitColumn, tokensColumn, samples, maxVit, maxTokens, seed, effort) != OK) return false;
  let left = 1;
  while (left > 0) left = balancedStep();
  return left == 0;
}

/** Refuses an option that only another method takes. After an error, `exitCode` is set and its line is not ended. */
function refuseForeign(option: i32, owner: usize): void {
  if (exitCode != 0 || !isGiven(option)) return;
  startOptionError(option);
  say(ascii(" is given, but it is for --method "));
  say(owner);
}

function pack(): void {
  const balanced = isSecond(METHOD, ascii("isf"), ascii("balanced"));
  if (!balanced) refuseForeign(EFFORT, ascii("balanced"));
  else for (let option = MIN_VIT; option <= ROUNDS; option++) refuseForeign(option, ascii("isf"));
  const givenVit = numberOption(MIN_VIT, 0, i32.MAX_VALUE);
  const givenTokens = numberOption(MIN_TOKENS, 0, i32.MAX_VALUE);
  const givenRounds = numberOption(ROUNDS, 1, i32.MAX_VALUE);
  const givenEffort = numberOption(EFFORT, 0, 3);
  const givenSeed = numberOption(SEED, 0, u32.MAX_VALUE);
  const maxVit = <i32>requiredNumber(MAX_VIT, 1, i32.MAX_VALUE);
  const maxTokens = <i32>requiredNumber(MAX_TOKENS, 1, i32.MAX_VALUE);
  const lines = isSecond(FORMAT, ascii("json"), ascii("jsonl"));
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
  const minVit = givenVit == NOT_GIVEN ? maxVit : <i32>givenVit;
  const minTokens = givenTokens == NOT_GIVEN ? max(maxTokens - usual.FULL_BELOW, 0) : <i32>givenTokens;
  const rounds = givenRounds == NOT_GIVEN ? usual.ROUNDS : <i32>givenRounds;
  const seed = givenSeed == NOT_GIVEN ? usual.SEED : <u32>givenSeed;
  const effort = givenEffort == NOT_GIVEN ? usual.EFFORT : <i32>givenEffort;
  if (
    lowerBound(vitColumn, tokensColumn, samples, maxVit, maxTokens) != OK ||
    !(balanced
      ? packBalanced(maxVit, maxTokens, seed, effort)
      : packByIsf(maxVit, maxTokens, minVit, minTokens, rounds, seed))
  ) {
    tellOutOfMemory();
    return;
  }
  packing.setBound(max(bounds.linear, max(bounds.pattern, bounds.half)));
  const done = balanced ? 0 : isf.rounds;
  const mix = mixOf(packing.offsets, packing.tokens, packing.attention, packing.groups);
  const made = alloc(MADE_ROOM);
  if (made == 0) {
    tellOutOfMemory();
    return;
  }
  const bytes = balanced
    ? putBalanced(made, vitColumn, tokensColumn, samples, maxVit, maxTokens, seed, effort)
    : putIsf(made, vitColumn, tokensColumn, samples, maxVit, maxTokens, seed, minVit, minTokens, rounds);
  writePacking(lines, maxVit, maxTokens, done, mix, made, bytes);
  if (exitCode != 0 || isGiven(QUIET)) return;
  // Of no memory for it, nothing is said: the packing is written.
  advise(vitColumn, tokensColumn, samples, maxVit, maxTokens, packing.bound);
  saySummary(maxVit, maxTokens, done, !balanced, mix);
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
  const room = alloc(TEXT_ROOM);
  setColumns(vitColumn, tokensColumn);
  if (room == 0 || statsLook(columns, names, lengths, 2, samples) != OK) {
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
  if (areSame(ascii("search"), name)) {
    if (isToRun(ascii("search"), SEARCH_OPTIONS)) search();
    return;
  }
  startError(WRONG_USAGE);
  say(load<u8>(name) == 0x2d ? ascii("unknown option '") : ascii("unknown command '"));
  sayArgument(name);
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
