// The ABI of omnibal.wasm, and nothing else. Any host that can call WebAssembly can use it:
//
//   1. `const top = mark()`, then `alloc` a buffer for input.
//   2. Begin a packer and push the samples through that buffer (little endian, in pieces of any size); run it; read
//      its result through the `packing...` accessors.
//   3. `release(top)`: the results are gone, the memory stays for the next call.
//
// Pointers are unsigned 32-bit byte addresses (JavaScript sees those above 2 GiB as negative: use `>>> 0`). Views on
// `memory` die when it grows: make them after the last call that can allocate (alloc, ...Begin, ...Finish).
// An export that answers a status answers one of the codes in base/status.ts: 0 done, 1 out of memory, 2 bad argument,
// 3 a vit value is negative, 4 a tokens value is negative (`errorIndex()` says where for 3 and 4), 5 to 14: a length
// file cannot be read (`readerOffset` and those after it say where and why), 15 and 16: a saved packer is refused,
// 17: a plan names a unit that is not there (`errorIndex()`), 18: a load of a group cannot be one (`errorIndex()`, `errorLoad()`),
// 19: a group's sum of a load is above 2^53 - 1 (`errorIndex()`).
// One instance serves one caller at a time. The imports (wasi_snapshot_preview1.ts) are for `_start` alone: who does
// not call it may give functions that do nothing.

import * as status from "./base/status";
import * as loads from "./loads/loads";
import * as interleaved from "./model/interleaved";
import * as paper from "./model/paper";
import * as partition from "./model/partition";
import * as cuts from "./model/search";
import * as advice from "./pack/advice";
import * as rounds from "./pack/isf/isf";
import * as mix from "./pack/mix";
import * as packer from "./pack/packer";
import * as packing from "./pack/packing";
import * as steered from "./pack/steered/steered";
import * as stream from "./pack/stream";
import * as balance from "./plan/evaluate";
import * as plan from "./plan/samplers";
import * as units from "./plan/units";
import * as reader from "./read/reader";
import * as search from "./search/search";
import * as searchWords from "./search/text";

/** Counts up whenever an export changes or goes: a host compares it with the one it was written for. */
export function abiVersion(): i32 {
  return 1;
}

/**
 * ISF over n samples, 0 <= n.
 * isfBegin(n, maxVit, maxTokens, minVit, minTokens, seed): status. 1 <= maxVit, maxTokens; a group is kept when
 *   vit >= minVit or tokens >= minTokens; seed: u32.
 * isfPush(vit, tokens, count): status. The next samples, i32[count] at either pointer, read within the call: n in all.
 * isfRound(last): one round; how many samples are left for another (0: none is needed). The last one keeps all groups.
 * isfGroups(): groups there would be if that round had been the last.
 * isfFinish(): status; adds the groups up and hands over to `packing...`, but for what isfAttention(): status adds up.
 */
export {
  attend as isfAttention,
  begin as isfBegin,
  finish as isfFinish,
  groupsNow as isfGroups,
  push as isfPush,
  round as isfRound,
} from "./pack/isf/vit-tokens";
/**
 * The balanced packer over n samples, 0 <= n: fewer groups than ISF in a few times its time.
 * balancedBegin(vit, tokens, n, maxVit, maxTokens, seed, effort): status. i32[n] at either pointer, which stay in place
 *   until the packing is done; seed: u32; effort: 0 quick, 1 normal, 2 long, 3 very long.
 * balancedStep(): a piece of work of some milliseconds. 0: all is done and handed over to `packing...`; positive: about
 *   how many thousandths of the work are left; negative: a status negated, and the packing has ended.
 * balancedGroups(): groups of the best packing so far; 0 while there is none.
 */
export { begin as balancedBegin, groupsNow as balancedGroups, step as balancedStep } from "./pack/balanced/driver";
/**
 * adviseBounds(vit, tokens, n, maxVit, maxTokens, groups): status. Whether the bounds suit i32[n] samples at either pointer,
 *   none negative, and which would if they do not; groups: their lower bound, 0 where it is not known.
 * adviceCount(): bounds that are advised, one or the other, 0 .. 2; adviceVit(k), adviceTokens(k): the k-th.
 */
export {
  advise as adviseBounds,
  tokensOf as adviceTokens,
  vitOf as adviceVit,
} from "./pack/advice";

export function adviceCount(): i32 {
  return advice.count;
}

/**
 * alloc(bytes: u32): pointer to a 16-byte aligned block of this size, contents undefined; 0 if out of memory.
 * mark(): the end of the arena. release(mark): frees all that was allocated after that mark.
 */
export { alloc, mark, release } from "./base/memory";
/**
 * The generator of ISF and the samplers, MT19937: mtSeed(seed: u32), mtNext(): u32.
 * mtShuffle(at, n): numpy's RandomState.shuffle of u32[n]; mtTorchShuffle(at, n): torch.randperm's, n < 214,748,364.
 */
export {
  next as mtNext,
  seed as mtSeed,
  shuffle as mtShuffle,
  torchShuffle as mtTorchShuffle,
} from "./base/mt19937";

/** Inner loops, not for callers: exported so that they stay functions of their own, which engines optimise in time. */
export { refill as hotRefill, shuffleBlock as hotShuffleBlock } from "./base/mt19937";
export {
  addUp32 as hotAddUp32,
  addUp64 as hotAddUp64,
  squares32 as hotSquares32,
  squares64 as hotSquares64,
} from "./loads/sums";

/** Where the negative value of status 3 or 4 is: an index of a sample; of status 17, a place in the order. */
export function errorIndex(): i32 {
  return status.errorIndex;
}

/** Which load the last status 18 was about. */
export function errorLoad(): i32 {
  return status.errorLoad;
}

/** Groups of the last packing. */
export function packingGroups(): i32 {
  return packing.groups;
}

/** u32[groups + 1]: group g holds order[offsets[g]] .. order[offsets[g + 1] - 1]. */
export function packingOffsets(): usize {
  return packing.offsets;
}

/** u32[offsets[groups]]: sample indices, group after group. */
export function packingOrder(): usize {
  return packing.order;
}

/** i32[groups]: tiles of each group. */
export function packingVit(): usize {
  return packing.vit;
}

/** i32[groups]: tokens of each group. */
export function packingTokens(): usize {
  return packing.tokens;
}

/** f64[groups]: sum of tokens^2 over the samples of each group, exact below 2^53. After ISF: once isfAttention is called. */
export function packingAttention(): usize {
  return packing.attention;
}

/** Samples beyond a bound. */
export function packingOversizeCount(): i32 {
  return packing.oversizeCount;
}

/** u32[packingOversizeCount()]: their indices, ascending. */
export function packingOversize(): usize {
  return packing.oversize;
}

/**
 * The variance of tokens inside the groups over that expected of a random deal of the samples to groups of these sizes:
 * below 1 samples of a group are alike, above it unlike. -1 where no group has two samples, or all samples are alike.
 */
export function packingMix(): f64 {
  return mix.mixOf(packing.offsets, packing.tokens, packing.attention, packing.groups);
}

/** The least number of groups that the sums of both loads over the samples that fit allow. */
export function packingBound(): i32 {
  return packing.bound;
}

/**
 * groupAttention(tokens, order, offsets, groups, out): sums of tokens^2 inside each group into f64[groups] at `out`.
 */
export { groupAttention } from "./plan/evaluate";
/**
 * groupSums(values, order, offsets, groups, out): adds up i32 `values` inside each group into i32[groups] at `out`.
 */
export { groupSums } from "./pack/packing";

/**
 * unitsBegin(columns, kinds, k, sizes, parts, spSize): status. What samplers hand out, from the groups of `parts` data
 * groups, sizes[p] (u32) each, one after another, over k loads, 1 .. 8: columns is u32[k] of pointers to f64[groups],
 * whole numbers below 2^53 (sums of squares may be more); kinds is u8[k]: 0 summed, 1 tokens, which are padded to the
 * longest (one load at most; sequence parallelism needs it), 2 what an encoder sees, of which a group of a
 * sequence-parallel unit has 1 at least. A unit is one group, or `spSize` >= 2 groups for sequence parallelism: sorted by
 * (tokens, index), cut into runs, the last one filled by repeating groups from the front of its source. 18 as status:
 * `errorIndex()` is the group, `errorLoad()` the load.
 */
export { begin as unitsBegin } from "./plan/units";

/** Units of the last unitsBegin. */
export function unitCount(): i32 {
  return units.units;
}

/** u32[unitCount() * spSize]: the groups of each unit. */
export function unitGroups(): usize {
  return units.members;
}

/** Groups that stand in a second place. */
export function unitsRepeated(): i32 {
  return units.repeatedGroups;
}

/**
 * planRandom(ranks, micro, seed, tail), planLengthGroup(ranks, micro, seed, tail, window), planGroupRandom(ranks, micro,
 * seed, tail, bin): status. One epoch over the units: tail 0 drops units that do not fill a step, 1 repeats some to
 * fill it. seed: u32, one per epoch; ranks, micro, window, bin >= 1.
 * publishedRandom(ranks, micro, seed), publishedLengthGroup(ranks, micro, seed), publishedGroupRandom(ranks, micro,
 * epoch, step, bin): the published samplers, faults included; the last one leaves out `step` steps itself.
 */
export {
  groupRandom as publishedGroupRandom,
  lengthGroup as publishedLengthGroup,
  random as publishedRandom,
} from "./plan/reference";
export { groupRandom as planGroupRandom, lengthGroup as planLengthGroup, random as planRandom } from "./plan/samplers";

/**
 * planBalanced(ranks, micro, seed, epoch, tail, weights, cost): status. One epoch in steps whose units are alike. tail: 0
 * drops the units that do not fill a step, 1 repeats others, 2 leaves the last step short; which ones rotates with the
 * epoch. weights, f64[k], >= 0: what unevenness in each load counts, or, with cost = 1, what one of each load costs, when
 * the sum of these is all that is evened out.
 */
export { balanced as planBalanced } from "./plan/balanced";

/**
 * planTake(order, count, ranks, micro): status. An order from elsewhere as the last plan, to evaluate it: u32[count] as
 * planOrder() has it, which stays in place meanwhile. 17: `errorIndex()` is a place whose unit is not there.
 */
export { take as planTake } from "./plan/samplers";

/** Inner loops, not for callers. */
export {
  countDigits as hotCountDigits,
  countKeys as hotCountKeys,
  divide as hotDivide,
  divideLarge as hotDivideLarge,
  gatherKeys as hotGatherKeys,
  markAll as hotMarkAll,
  scatter as hotScatter,
  tally as hotTally,
} from "./plan/cuts";

/** Stands in planOrder() where a short step has no unit: 2^32 - 1. Such steps are the last planShortSteps() ones. */
export function planShortSteps(): i32 {
  return plan.shortSteps;
}

/** Steps that every rank has in the last plan. */
export function planSteps(): i32 {
  return plan.steps;
}

/** u32[planLength()]: units, [steps][ranks][micro]. */
export function planOrder(): usize {
  return plan.order;
}

/** Places in the plan: steps * ranks * micro, or more (less than a step) after publishedLengthGroup. */
export function planLength(): i32 {
  return plan.length;
}

/** Units in no step. */
export function planDropped(): i32 {
  return plan.dropped;
}

/** Places that hold a unit for a second time. */
export function planRepeated(): i32 {
  return plan.repeated;
}

/** evaluatePlan(ranks, micro): measures the last plan, which must have been made for these; the ratios, 0 .. 1: */
export { evaluate as evaluatePlan } from "./plan/evaluate";

/** Padding over all tokens computed on. */
export function planPad(): f64 {
  return balance.pad;
}

/** The same but for what is inside sequence-parallel units. */
export function planOuterPad(): f64 {
  return balance.outerPad;
}

/**
 * planDist(k): of load k, the mean over steps of how far the ranks are below the largest, 0 .. 1; tokens of a micro batch
 * are its longest unit's.
 */
export { distOf as planDist } from "./plan/evaluate";

/**
 * evaluateCost(ranks, micro, costs, out): the work of each rank over the last plan into f64[ranks] at `out`, where one of
 * load k costs costs[k], f64[k].
 */
export { evaluateCost } from "./plan/evaluate";

/** What the heaviest rank of each step costs, added up over the steps of the last evaluateCost. */
export function planTime(): f64 {
  return balance.time;
}

/**
 * Fingerprints, as docs/formats.md has them: u64, to be added up mod 2^64. What they read must be there and not negative.
 * loadFingerprint(values, n, first): of i32[n], the loads of the samples from number `first` on (f64, whole, < 2^53).
 * wideFingerprint(values, n, first): the same of f64[n], whole numbers below 2^53: one column has one fingerprint either way.
 * groupsFingerprint(offsets, order, groups, first): of the groups of CSR arrays, u32, the first of which has number `first`.
 * oversizeFingerprint(oversize, count): what the oversize samples, u32[count], add to a packing's; invalidFingerprint(invalid, count):
 *   the same of the invalid samples, which add nothing to their loads': -1 in any column is skipped.
 */
export {
  groupsFingerprint,
  invalidFingerprint,
  loadFingerprint,
  oversizeFingerprint,
  wideFingerprint,
} from "./loads/fingerprint";

/**
 * Shards of samples, 0 .. shards - 1, into u32[n] at `out`, as docs/formats.md has them: of a sample's number, the seed
 * (u32) and `shards` (u32, not 0) alone.
 * shardsFrom(first, n, seed, shards, out): of the samples from number `first` on (f64, whole, < 2^53).
 * shardsAt(numbers, n, seed, shards, out): of the samples with the numbers u64[n].
 */
export { shardsAt, shardsFrom } from "./loads/shard";

/**
 * Loads by their names: k of them, 1 .. 8; names in UTF-8 one after another, u32[k] bytes each at `lengths`.
 * textBegin(format, offsets, order, columns, width, names, lengths, k, groups, oversize, oversizeCount, invalid,
 * invalidCount, bounds, bound, rounds, mix, made, madeBytes): status. Starts the text of a packing: the last one's arrays, or a kept one's copied in,
 * with the sums of `groupSums`. columns: u32[k], where each load's sums are, u32[groups] for width 4, f64[groups] for 8;
 * bounds: f64[k], >= 1, Infinity for none. docs/formats.md describes it.
 * Format 0: {"groups":[[3,1],[2]],"oversize":[7],"stats":{...},"made":{...}}. Format 1, JSON Lines: {"made":{...},
 * "groups":2}, then {"group":[3,1],"vit":9,"tokens":4001} per group, and {"oversize":[7]} if there are any. Both have
 * "invalid" after "oversize" where there are invalid samples. Format 2: the stats and `made` of format 0 alone. Of loads other than vit and tokens, a group has "loads":{"frames":9} and the stats
 * "fill":{"frames":0.9} in place of fillVit and fillTokens, null without a bound. mix: f64 below 2^32, `packingMix()`,
 * negative for null. made: u8[madeBytes], JSON that is written as it stands; without bytes there is none. All of it stays
 * as it is until the end.
 * textWrite(out, room): writes the next bytes at `out`, `room` of them at most (768 <= room < 2^31; of loads other than
 * those two, 96 k and 12 times the bytes of the names more); returns how many, 0 at the end, or a status negated.
 * Allocates nothing.
 */
export { begin as textBegin, write as textWrite } from "./text/packing";
/**
 * statsLook(columns, floats, names, lengths, k, n, invalid): status. Takes the figures of k loads, u32[k] pointers at `columns`
 * to i32[n], or f64[n] where the load's bit is set in `floats`; as many samples beside them are invalid. 256 KB of the arena
 * meanwhile. 3 and 4 are of vit and tokens alone; of others 18, with `errorLoad()`.
 * statsWrite(out, room): writes them at `out` as one line of JSON (room >= 4096, and 6 times the bytes of other names);
 * returns its bytes, or a status negated. Percentiles are by nearest rank, ratios have six decimals rounded half up, null
 * where there is nothing to divide by. Loads other than vit and tokens stand in "loads", and without a histogram.
 */
export { look as statsLook, write as statsWrite } from "./text/stats";

/**
 * Length files, read in pieces: JSON (an array of records), JSONL (records with white space between), or .npy of shape
 * (n, columns); the first byte tells which. Use: readerBegin; then write a piece to readerBuffer(r) and readerPush its
 * length, and copy the columns out, until the input is at its end; then readerEnd. A reader is a handle, several can be
 * open at a time; free it by releasing a mark.
 *
 * readerBegin(names, lengths, columns, count, bytes, zeros): a handle, or a status negated. count: 1 .. 16 names of fields,
 *   in UTF-8, one after another, u32[count] bytes each at `lengths`, all different, those of one column 4096 at most
 *   together; columns: u32[count], the column of each, 1 .. 8 of them, numbered as they come: of the names of a column
 *   that a record has, the first one counts. zeros: 1: a column that a record lacks is 0. Pieces hold up to `bytes` bytes,
 *   1 .. 2^28, for which 3 and 4 for each column as many are allocated (nothing is later).
 * readerTable(r, names, count): status. What the columns of a .npy are, 1 .. 255: u8[count], the name each is by, 255 for one
 *   that is skipped. Without it there are as many as columns, in their order. A column that it lacks brings no values.
 * readerPush(r, bytes): status, 5 and up among them. Values before an error are in the columns. readerEnd(r): status.
 * readerBuffer(r): where a piece goes.
 */
export { begin as readerBegin } from "./read/reader";

export function readerTable(r: usize, names: usize, count: i32): i32 {
  return reader.setTable(changetype<reader.Reader>(r), names, count);
}

export function readerPush(r: usize, bytes: u32): i32 {
  return reader.push(changetype<reader.Reader>(r), bytes);
}

export function readerEnd(r: usize): i32 {
  return reader.end(changetype<reader.Reader>(r));
}

export function readerBuffer(r: usize): usize {
  return changetype<reader.Reader>(r).buffer;
}

/**
 * i32[readerCount(r, k)]: values of column k that the last push found, -1 in all columns for a sample that is invalid; of a
 * value above 31 bits the lower 32. A .npy may bring more of one column than of another.
 */
export function readerColumn(r: usize, k: i32): usize {
  return changetype<reader.Reader>(r).columns.column(k);
}

export function readerCount(r: usize, k: i32): u32 {
  return changetype<reader.Reader>(r).columns.countOf(k);
}

/** u32[readerWideCount(r)][2]: of each value above 31 bits, column << 29 | place in it, and its upper 32 bits. */
export function readerWide(r: usize): usize {
  return changetype<reader.Reader>(r).columns.wide;
}

export function readerWideCount(r: usize): u32 {
  return changetype<reader.Reader>(r).columns.wideCount;
}

/**
 * How many values of a .npy were -1 so far. It may bring a column at a time, so that whether all of a sample are is for the
 * host to see; one that is not, readerRefuse(r, record, k) makes the reader's error, and returns its status.
 */
export function readerMinuses(r: usize): u32 {
  return changetype<reader.Reader>(r).columns.minuses;
}

export function readerRefuse(r: usize, record: u32, k: i32): i32 {
  return reader.refuse(changetype<reader.Reader>(r), record, k);
}

/** Of the last error: its byte offset in the input, a whole number below 2^53. */
export function readerOffset(r: usize): f64 {
  return <f64>changetype<reader.Reader>(r).columns.errorOffset;
}

/** Its record (sample), from 0: as many were read before it. */
export function readerIndex(r: usize): u32 {
  return changetype<reader.Reader>(r).columns.errorRecord;
}

/** Its name, one of the column's that it is about, for statuses 8 and 9. */
export function readerField(r: usize): i32 {
  return changetype<reader.Reader>(r).columns.errorName;
}

/**
 * What it is in words, as every host shows it after the name of the file: UTF-8, printable, into 17 KB at `out`, which
 * readerBuffer(r) always has. Returns how many bytes, 0 without an error. showFound 0: not which byte was met.
 */
export function readerErrorText(r: usize, showFound: i32, out: usize): u32 {
  return reader.errorText(changetype<reader.Reader>(r), showFound != 0, out);
}

/** What could have stood there, for statuses 5 and 6: an `EXPECT_...` of read/columns.ts. */
export function readerExpected(r: usize): i32 {
  return changetype<reader.Reader>(r).columns.errorExpected;
}

/** u8[readerSeenLength(r)]: the beginning (40 bytes at most) of what was refused, as the input writes it. */
export function readerSeen(r: usize): usize {
  return changetype<reader.Reader>(r).columns.seen;
}

export function readerSeenLength(r: usize): u32 {
  return <u32>changetype<reader.Reader>(r).columns.seenLength;
}

/**
 * _start(): the module as a WASI command, as `wasmtime run omnibal.wasm pack --max-vit 9 --max-tokens 4096` calls it. The
 * only export that calls WASI; instantiating the module runs nothing.
 */
export { start as _start } from "./command/run";

/**
 * A packer of a stream; one at a time in an instance, which lives in the arena: released with the mark before it, so it
 * wants an instance of its own where anything else is to go on in between.
 *
 * streamBegin(maxVit, maxTokens, buffer, seed): status. 1 <= maxVit, maxTokens; 1 <= buffer <= 1,000,000; seed: u32.
 * streamBeginMore(maxVit, maxTokens, buffer, seed, loads, bounds, label, labelBytes): status. With further loads, 0 .. 7,
 *   which bound the groups and do not guide the draw: f64[loads] bounds. label: u8[labelBytes], saved with the state.
 * streamInput(): i32[4096] vit values followed by i32[4096] tokens: where samples are put for a push.
 * streamPush(count): status. Takes count <= 4096 samples from there, numbered on from the push before, 2^31 - 1 in all;
 *   a negative value is refused before any is taken. What came out stands in `packing...` until the next call: groups
 *   that became full, and samples beyond a bound. The bound of `packing...` is not set.
 * streamFlush(): empties the buffer: `packing...` has the groups of all samples in it. More can be pushed after it.
 * streamPending(): samples in the buffer, fewer than `buffer`. streamTaken(): samples pushed so far.
 * streamStateBytes(): how many bytes streamSave(at) writes. streamLoad(at, bytes): status, 15 and 16 among them; on 0
 *   the packer saved there goes on, in the place of streamBegin.
 */
export {
  begin as streamBegin,
  beginMore as streamBeginMore,
  flush as streamFlush,
  push as streamPush,
  restore as streamLoad,
  save as streamSave,
  stateBytes as streamStateBytes,
} from "./pack/stream";

/** Inner loops, not for callers. */
export {
  countUses as hotCountUses,
  countWays as hotCountWays,
  drawClass as hotDrawClass,
  findFiller as hotFindFiller,
} from "./pack/stream";

export function streamInput(): usize {
  return stream.input;
}

/** Further loads: f64[loads][4096] to put them before a push, f64[groups][loads] of the groups that came out. */
export function streamMore(): i32 {
  return stream.more;
}

export function streamInputMore(): usize {
  return stream.inputOfMore;
}

export function streamSumsMore(): usize {
  return stream.sumsOfMore;
}

/** The label, u8[streamLabelBytes()]. */
export function streamLabel(): usize {
  return stream.label;
}

export function streamLabelBytes(): u32 {
  return stream.labelBytes;
}

export function streamPending(): i32 {
  return stream.pending;
}

export function streamTaken(): i32 {
  return stream.taken;
}

/**
 * A search for bounds, as a conversation; the search is a handle, in the arena until the mark before it is released.
 *
 * searchBegin(vit, tokens, n, strategy, ranks, low, high, vitLimit, tokenLimit, rounds, maxLeftOut, slack, candidates): a
 *   handle, or a status negated. i32[n] at either pointer, which stay in place; strategy: 0 scan, 1 the published walk;
 *   low .. high (f64): samples per group, high 0 for any (not of a walk); limits and rounds >= 1; maxLeftOut >= 0: samples
 *   that a scan's winner may leave out; slack (f64): 0 .. 1; candidates: 1 .. 100000.
 * searchLargest(search): the index of the sample that needs the largest bounds; searchFile(search, name, bytes, index):
 *   the file it is from, u8[bytes] of UTF-8 that stay in place, and its index in there, for the texts; searchSkip(search,
 *   count): as many samples stand before it in the input that the search does not know.
 * searchAsk(search): how many candidates are to be tried next, at searchCandidates: i32[6] each of set (0 all samples, 1
 *   the part), maxVit, maxTokens, minTokens, rounds, 1 for the published way; 0 at the end; a status negated before all of
 *   the last have results. searchTotal(search): how many there may be in all, 0 if it is not known.
 * searchPart(n, out): which samples the part has: u32[searchPartSamples()]; without a set 1 it is not needed.
 * searchTell(search, id, rounds, groups, bound, samples, leftOut, pad, vitDist, tokenDist, attentionDist): status. What
 *   candidate id (0 ..) of the last ask gave: the rounds to pack with, groups, linear bound, samples in groups, samples
 *   beyond a bound; ratios (f64).
 * searchFinish(search): rows in all, once searchAsk has answered 0. searchRow(search, i): row i: i32[8] of maxVit,
 *   maxTokens, minTokens, rounds, groups, bound, samples, leftOut, f64[8] of ratio, samples per group, pad, vit, token and
 *   attention dist, score, distance from the window; i32 tier, u8 on the Pareto front. searchList(search, which): the rows'
 *   numbers, u32[searchCount(search, which)]: 0 all in order, 1 the Pareto front, 2 the nearest, 3 the winner or none.
 *   searchPruned(search): candidates tried on the part alone.
 * searchWhy(search, out): one sentence, at most 1024 bytes; how many. searchText(search, out, room, seed): the next bytes
 *   of the whole as one line of JSON (room >= 1024), 0 at its end; searchTextBegin() before.
 */
export { begin as searchBegin } from "./search/search";

export function searchLargest(at: usize): i32 {
  return changetype<search.Search>(at).samples.largest;
}

export function searchSkip(at: usize, count: i32): void {
  changetype<search.Search>(at).samples.skipped = count;
}

export function searchFile(at: usize, name: usize, bytes: i32, index: i32): void {
  search.setFile(changetype<search.Search>(at), name, bytes, index);
}

export function searchAsk(at: usize): i32 {
  return search.ask(changetype<search.Search>(at));
}

export function searchCandidates(at: usize): usize {
  return changetype<search.Search>(at).candidates;
}

export function searchTotal(at: usize): i32 {
  return search.total(changetype<search.Search>(at));
}

export { partOf as searchPart } from "./search/search";

export function searchPartSamples(): i32 {
  return search.PART_SAMPLES;
}

export function searchTell(
  at: usize,
  id: i32,
  rounds: i32,
  groups: i32,
  bound: i32,
  samples: i32,
  leftOut: i32,
  pad: f64,
  vitDist: f64,
  tokenDist: f64,
  attentionDist: f64,
): i32 {
  const s = changetype<search.Search>(at);
  return search.tell(s, id, rounds, groups, bound, samples, leftOut, pad, vitDist, tokenDist, attentionDist);
}

export function searchFinish(at: usize): i32 {
  return search.finish(changetype<search.Search>(at));
}

export function searchRow(at: usize, i: i32): usize {
  return changetype<usize>(changetype<search.Search>(at).table.row(i));
}

export function searchCount(at: usize, which: i32): i32 {
  return search.listCount(changetype<search.Search>(at), which);
}

export function searchList(at: usize, which: i32): usize {
  return search.listOf(changetype<search.Search>(at), which);
}

export function searchPruned(at: usize): i32 {
  return changetype<search.Search>(at).pruned;
}

export function searchWhy(at: usize, out: usize): i32 {
  return searchWords.writeWhy(changetype<search.Search>(at), out);
}

export { startJson as searchTextBegin } from "./search/text";

export function searchText(at: usize, out: usize, room: u32, seed: u32): i32 {
  return searchWords.writeJson(changetype<search.Search>(at), out, room, seed);
}
// The model's partition: layers to pipeline stages, what each stage recomputes, and the schedule simulated. Times and
// bytes are whole numbers in f64, exact as long as their sums over layers and micro-batches stay below 2^53.

/**
 * modelBegin(layers, n, stages, micro, memory, schedule, first, last): status. f64[n][6] at `layers`, which stays in place:
 *   forward, backward, bytes per micro-batch in flight kept and recomputed, bytes of parameters, transfer after it. 1 <= n
 *   <= 1024, stages <= 256, micro <= 4096; schedule: 0 GPipe, 1 1F1B, 2 interleaved (stages are then virtual ones);
 *   first, last: layers that the first and the last stage have at least.
 * modelMode(mode, kinds, count): status. What is recomputed: 0 nothing and memory is not bounded, 1 nothing, 2 all,
 *   3 the best choice (after modelBegin), 4 as u8[n] at `kinds` says: 0 never, 1 always, 2 the first `count` of a stage.
 * modelInexact(): how often a choice had to be cut short since modelBegin (0: all are exact), -1: out of memory.
 * modelPartition(cuts): the least largest stage, -1: nothing fits, -2: out of memory. i32[stages - 1]: first layers of the
 *   stages but the first. Not where mode 4 counts. modelOptima(): how many cuts reach it.
 * modelStage(s, i, j, recomputed): the least time of layers i .. j - 1 as stage s, or Infinity; u8[n], of which theirs are
 *   set. modelProbe(s, i, j, types, recomputed): by the published two probes, i32[n] types. modelBytes(s, i, j, recomputed).
 */
export {
  begin as modelBegin,
  beginInterleaved as modelInterleavedBegin,
  beginSearch as modelSearchBegin,
  beginSimulation as modelSchedule,
  chooseMode as modelMode,
  inexact as modelInexact,
  timeline as modelTimeline,
} from "./model/session";
export { partition as modelPartition } from "./model/partition";
export { stageBytes as modelBytes, stageChoice as modelStage } from "./model/stage";

export function modelOptima(): f64 {
  return partition.optima;
}

/**
 * The published anchor, i32[stages - 1], and the best of its neighbours: modelRank(radius, keep, unit, scores, cuts):
 * how many, or -1: out of memory; f64[keep] and i32[keep][stages - 1]. modelCandidates(): of how many.
 */
export { anchor as modelAnchor, probe as modelProbe, rank as modelRank } from "./model/paper";

export function modelCandidates(): f64 {
  return paper.candidates;
}

/**
 * The cuts with the least step time, after modelSearchBegin(): status. modelOffer(cuts, work): their step time, or -1; they
 * are improved. modelSearch(work): searches on. modelRestart(): after modelMode. modelStep(cuts): Infinity if they do not
 * fit. `work`: about how many operations to simulate. modelBestStep(), modelBestCuts(), modelBound(), modelSimulated().
 */
export {
  offer as modelOffer,
  restart as modelRestart,
  searchCuts as modelSearch,
  stepOf as modelStep,
} from "./model/search";

export function modelBestStep(): f64 {
  return cuts.bestStep;
}

export function modelBestCuts(): usize {
  return cuts.bestCuts;
}

export function modelBound(): f64 {
  return cuts.stepBound;
}

export function modelSimulated(): i32 {
  return cuts.simulated;
}

/**
 * Interleaved stages, after modelInterleavedBegin(chunks): status. modelInterleavedOffer(cuts, work): as modelOffer; then
 * the best step, its cuts, u8[n] recomputed and f64[devices] bytes.
 */
export { offerInterleaved as modelInterleavedOffer } from "./model/interleaved";

export function modelInterleavedStep(): f64 {
  return interleaved.bestStep;
}

export function modelInterleavedCuts(): usize {
  return interleaved.bestCuts;
}

export function modelInterleavedRecomputed(): usize {
  return interleaved.bestRecomputed;
}

export function modelInterleavedBytes(): usize {
  return interleaved.bestBytes;
}

/**
 * Simulation, after modelSchedule(schedule, devices, chunks, micro): status. modelRun(forward, backward, transfer, equal):
 * the step time; f64[virtual stages][micro] (equal = 1: f64[virtual stages]), transfer per boundary. Of the last one:
 * modelBusy(): f64[devices]; modelPeaks(held, out): the most of f64[virtual stages][micro] (0: of 1 each) in flight, into
 * f64[devices]; modelTimeline(forward, backward, out): f64[2 * virtual stages * micro][5], device, 0 forward or 1 backward,
 * micro-batch, chunk, start. modelArrange(forward, backward, transfer, order, work): makes the order of micro-batches,
 * u32[micro], better, and returns its step time, or -2: out of memory.
 */
export { arrange as modelArrange } from "./model/order";
export { busyTimes as modelBusy, peaks as modelPeaks, run as modelRun } from "./model/simulate";
// Packers of 1 to 8 loads.

/**
 * Samples of 1 to 8 loads, whole numbers from 0 to 2^53 - 1. Handles point into the arena and go with the mark before them.
 *
 * loadsBegin(n, columns, bounds): handle, or 0: `loadsStatus()` says why. bounds: f64[columns], infinity for a load that is
 *   carried: checked and added up, not bounded; one at least is bounded.
 * loadsPush(handle, columns, floats, count): status. columns: a pointer per load to i32[count], or to f64[count] where its
 *   bit in `floats` is set; read within the call; n samples in all. 18: `errorIndex()` is the sample, `errorLoad()`
 *   the load that is no such number.
 * loadsOversize(handle): u32[loadsOversizeCount(handle)], the samples beyond a bound, ascending; 0 when out of memory.
 * loadsLayout(handle): 0 u32, 1 u64, 2 v128, 3 more lanes of u64.
 * columnSums(column, floats, order, offsets, groups, out): status. The sums of a column, i32 or f64, inside each group, into
 *   f64[groups] at `out`. 19: the sum of group `errorIndex()` is above 2^53 - 1.
 * loadsSums(handle, load, order, offsets, groups, out): sums of a bounded load inside each group into f64[groups] at `out`.
 * loadsAllSums(handle, order, offsets, groups, out): the sums of all bounded loads, in f64[columns][groups].
 * loadsSquares(handle, load, order, offsets, groups, out): the same of its squares: exact below 2^53.
 * groupsMix(offsets, sums, squares, groups): how random groups are, from such sums, f64[groups] each.
 * loadsMix(handle, load, order, offsets, groups): how random groups are in a bounded load: the variance inside them over that
 *   of a random deal; -1 where it means nothing.
 */
export { begin as loadsBegin, listOversize as loadsOversize, push as loadsPush } from "./loads/loads";
export {
  groupSums as columnSums,
  groupsMix,
  loadMix as loadsMix,
  loadSquares as loadsSquares,
  loadSums as loadsSums,
  allSums as loadsAllSums,
} from "./loads/sums";
/**
 * ISF over such samples.
 * roundsBegin(loads, minima, seed): handle, or 0: `roundsStatus()`. minima: f64[columns]; a group is full once any bounded
 *   load reaches its minimum; infinity where a load makes none full.
 * roundsNext(handle, last): one round; how many samples are left for another. The last one keeps all groups.
 * roundsGroupsNow(handle): groups there would be if that round had been the last. roundsGroups(handle): groups kept;
 * roundsOrder(handle), roundsOffsets(handle): u32 sample indices, and where each group starts, groups + 1 of them.
 * roundsSums(handle, load, out): sums of a bounded load into f64[groups] at `out`.
 */
export {
  begin as roundsBegin,
  groups as roundsGroups,
  groupsNow as roundsGroupsNow,
  offsets as roundsOffsets,
  order as roundsOrder,
  round as roundsNext,
  sums as roundsSums,
} from "./pack/isf/isf";

export function loadsStatus(): i32 {
  return loads.beginStatus;
}

export function loadsOversizeCount(handle: usize): i32 {
  return loads.Loads.of(handle).oversize;
}

export function loadsLayout(handle: usize): i32 {
  return loads.Loads.of(handle).layout;
}

/** The sums of all bounded loads over their bounds, rounded up; the largest one. */
export function loadsLinearBound(handle: usize): u32 {
  return loads.Loads.of(handle).linearBound();
}

/** The sum of a load over the samples that fit, to the nearest double. */
export function loadsTotal(handle: usize, load: i32): f64 {
  return loads.Loads.of(handle).total(load);
}

/**
 * boundsFind(loads): status. Lower bounds on the groups; then boundsGet(kind) is one of them: 0 linear, 1 pattern, 2 half,
 * 3 difference, 0 where it says nothing; boundsBest() the kind of the best one.
 */
export { bestKind as boundsBest, boundFound as boundsGet, findBounds as boundsFind } from "./pack/bounds/bounds";

/** Inner loops, not for callers. */
export { countValues as hotCountValues } from "./pack/bounds/bounds";
export { addUnits as hotAddUnits, sumOf as hotDifferences } from "./pack/bounds/difference";
export { countHalves as hotCountHalves } from "./pack/bounds/half";

export function roundsStatus(): i32 {
  return rounds.beginStatus;
}

/** Inner loops, not for callers. */
export { pairs32 as hotPairs32, pairs64 as hotPairs64 } from "./loads/loads";
export { scan32 as hotRounds32, scan64 as hotRounds64, scan128 as hotRounds128 } from "./pack/isf/next-fit";

/**
 * The steered packer over such samples: fewer groups than ISF, in random order, in 1 to 10 times its time.
 * steeredBegin(loads, seed, effort, way): handle, or 0: `steeredStatus()`. effort: 0 quick, 1 normal, 2 long, 3 very long;
 *   way: 0 what suits, 1 a stream with a reserve, 2 a steered draw. steeredStep(handle): a piece of work of some milliseconds. 0:
 *   all is done; positive: about how many thousandths are left; negative: a status negated, and the packing has ended.
 * steeredGroups(handle), steeredOrder(handle), steeredOffsets(handle): as for ISF.
 * steeredGuides(handle): how many loads guide it: 1 where one bound binds.
 */
export {
  begin as steeredBegin,
  groups as steeredGroups,
  guides as steeredGuides,
  offsets as steeredOffsets,
  order as steeredOrder,
  step as steeredStep,
} from "./pack/steered/steered";

/**
 * The balanced packing of such samples, its way chosen from the data.
 * packerBegin(loads, seed, effort): handle, or 0: `packerStatus()`. packerStep(handle): as steeredStep. packerGroups(handle):
 *   groups of the best packing so far; packerOrder(handle), packerOffsets(handle): once all is done.
 * packerWay(handle): 0 by the steered packer, 1 by its stream, 2 by the packer of two loads, 3 by that, mended for others.
 */
export {
  begin as packerBegin,
  groups as packerGroups,
  offsets as packerOffsets,
  order as packerOrder,
  step as packerStep,
  way as packerWay,
} from "./pack/packer";

export function packerStatus(): i32 {
  return packer.beginStatus;
}

export function steeredStatus(): i32 {
  return steered.beginStatus;
}

/** Inner loops, not for callers. */
export { makeGroup as hotMakeGroup, streamGroup as hotStreamGroup } from "./pack/steered/steered";
