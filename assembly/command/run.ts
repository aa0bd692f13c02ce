// The command that the module is under WASI: what the command line in src/cli does for JSON, JSON Lines and .npy, with the
// same output, messages and exit codes. Nothing here runs, and WASI is not called, before `start` is.

import { ascii } from "../base/ascii";
import { alloc, mark, release } from "../base/memory";
import { OK } from "../base/status";
import { look as statsLook, write as statsWrite } from "../text/stats";
import {
  areSame,
  commandName,
  endUsageError,
  getArguments,
  HELP,
  isGiven,
  JSON,
  PACK_OPTIONS,
  SEARCH_OPTIONS,
  STATS_OPTIONS,
  startOptionError,
  takeOptions,
} from "./arguments";
import { checkInput, invalidSamples, loadColumns, readSamples, samples, tellOutOfMemory, wideLoads } from "./input";
import { loadCount, nameAt, nameLength, noLoads } from "./loads";
import { exitCode, flush, say, send, startError, startOutput, WRONG_USAGE } from "./output";
import { pack } from "./pack";
import { sayArgument } from "./printable";
import { search } from "./search";
import { proc_exit } from "./wasi_snapshot_preview1";

/** Bytes of text that are made at a time. */
const TEXT_ROOM: u32 = 65536;

function sayHelp(): void {
  say(
    ascii(`Usage: omnibal COMMAND [options] [FILE...]
The WASI command of omnibal.wasm: wasmtime run --dir=FOLDER omnibal.wasm ...

Commands:
  pack    packs samples into groups within bounds on their loads
  stats   shows how the loads are distributed, as --json
  search  finds bounds to pack with, as --json

FILE is JSON, JSON Lines or a .npy of vit and tokens, in a folder opened with
--dir; - or none is standard input. Samples are numbered across all FILEs.

Options of all:
  --load NAME=FIELD,...
                      fields of loads that are called otherwise
  --missing 0         a record that lacks a load has 0 of it
  --vit-field NAME    (default vit, or else vit_num)
  --token-field NAME  (default tokens, or else token_num)
  -q, --quiet         only errors on standard error
  -h, --help          this text
  -V, --version       as the only argument

Options of pack:
  --max NAME=N,...    most of each load in a group, or for the usual two
  --max-vit N         most tiles in a group
  --max-tokens N      most tokens in a group
  --carry NAME,...    loads to add up without a bound
  --align N           a sample's tokens count rounded up to N (default 1)
  --method METHOD     isf (default) or balanced
  --seed N            (default 1024)
  --format FORMAT     json or jsonl (default json)
  of isf:
  --min NAME=N,...    full at any of these
  --min-vit N         full at this many tiles (default: --max-vit)
  --min-tokens N      or this many tokens (default: --max-tokens less 128)
  --rounds N          (default 50)
  of balanced:
  --effort N          0 quick, 1 normal, 2 long, 3 very long (default 1)

Options of search, one of the first three needed beside --ranks:
  --samples-per-group N
                      on average: N to N + 1, or LOW-HIGH
  --max-vit-limit N   no bound on tiles above this
  --max-tokens-limit N
                      the same for tokens
  --ranks N           data-parallel ranks
  --rounds N          (default 50)
  --strategy NAME     scan (default), or reference: the published walk
  --candidates N      how many scan tries (default 200)
  --slack RATIO       how many more groups than the fewest (default 0.01)
  --max-left-out N    samples that scan may leave out (default 0)
  --seed N            (default 1024)

Exit codes: 0 done, 1 bad input or output, 2 wrong usage.
`),
  );
}

/** u32[MAX_LOADS]: bytes of the names. */
const nameLengths: usize = memory.data(8 * 4, 4);

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
  let bytes: usize = 0;
  for (let k = 0; k < loadCount; k++) bytes += nameLength(k);
  const names = alloc(bytes);
  const size = max(TEXT_ROOM, 4096 + 6 * <u32>bytes);
  const room = alloc(size);
  if (names == 0 || room == 0) {
    tellOutOfMemory();
    return;
  }
  let at = names;
  for (let k = 0; k < loadCount; k++) {
    memory.copy(at, nameAt(k), nameLength(k));
    store<u32>(nameLengths + ((<usize>k) << 2), <u32>nameLength(k));
    at += nameLength(k);
  }
  if (statsLook(loadColumns, wideLoads, names, nameLengths, loadCount, samples, invalidSamples) != OK) {
    tellOutOfMemory();
    return;
  }
  send(room, statsWrite(room, size));
}

/** Takes the options; false where the command has nothing more to do. */
function isToRun(command: usize, allowed: u32): bool {
  noLoads();
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
