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
// file cannot be read (`readerOffset()` and those after it say where and why), 15 and 16: a saved packer is refused,
// 17: a plan names a unit that is not there (`errorIndex()`), 18: a load of a group cannot be one (`errorIndex()`, `errorLoad()`).
// One instance serves one caller at a time. The imports (wasi_snapshot_preview1.ts) are for `_start` alone: who does
// not call it may give functions that do nothing.

import * as advice from "./pack/advice";
import * as bound from "./pack/lower-bounds";
import * as balance from "./plan/evaluate";
import * as mix from "./pack/mix";
import * as packing from "./pack/packing";
import * as reader from "./read/reader";
import * as search from "./search/search";
import * as searchText_ from "./search/text";
import * as plan from "./plan/samplers";
import * as sink from "./read/columns";
import * as status from "./base/status";
import * as stream from "./pack/stream";
import * as units from "./plan/units";

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
} from "./pack/isf";
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
 * lowerBound(vit, tokens, n, maxVit, maxTokens): status. Lower bounds on the groups of i32[n] samples at either pointer,
 * those beyond a bound left out. No packing has fewer groups than any of these:
 */
export { lowerBound } from "./pack/lower-bounds";

/** The sums of both loads over their bounds, rounded up; the larger one. */
export function linearBound(): u32 {
  return bound.linear;
}

/** What the multisets of vit values that fit a group allow. */
export function patternBound(): u32 {
  return bound.pattern;
}

/** What samples above half of a bound allow; the larger one of both loads. */
export function halfBound(): u32 {
  return bound.half;
}

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
 * alloc(bytes: u32): pointer to so many bytes, 16-byte aligned, contents undefined; 0 when out of memory.
 * mark(): the end of the arena. release(mark): frees all that was allocated after that mark.
 */
export { alloc, mark, release } from "./base/memory";
/**
 * The generator behind ISF and the samplers, MT19937: mtSeed(seed: u32), mtNext(): u32.
 * mtShuffle(at, n): numpy's RandomState.shuffle of u32[n]; mtTorchShuffle(at, n): torch.randperm's, n < 214,748,364.
 */
export {
  next as mtNext,
  seed as mtSeed,
  shuffle as mtShuffle,
  torchShuffle as mtTorchShuffle,
} from "./base/mt19937";

/** Inner loops, not for callers: exported so that they stay functions of their own, which engines optimise in time. */
export { build32 as hotBuild32, build64 as hotBuild64 } from "./pack/isf";
export { refill as hotRefill, shuffleBlock as hotShuffleBlock } from "./base/mt19937";
export {
  scan32 as hotScan32,
  scan64 as hotScan64,
  squares32 as hotSquares32,
  squares64 as hotSquares64,
} from "./pack/next-fit";

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
 * (tokens, index), cut into runs, the last one filled by repeating groups from the front of its data group. 18 as status:
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
export { split as hotSplit, unevenness as hotUnevenness } from "./plan/balanced";

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
 * groupsFingerprint(offsets, order, groups, first): of the groups of CSR arrays, u32, the first of which has number `first`.
 * oversizeFingerprint(oversize, count): what the oversize samples, u32[count], add to a packing's.
 */
export { groupsFingerprint, loadFingerprint, oversizeFingerprint } from "./loads/fingerprint";

/**
 * textBegin(format, offsets, order, vit, tokens, groups, oversize, oversizeCount, maxVit, maxTokens, bound, rounds, mix,
 * made, madeBytes): status. Starts the text of a packing: the last one's arrays, or a kept one's copied in, with the sums
 * of `groupSums`. docs/formats.md describes it.
 * Format 0: {"groups":[[3,1],[2]],"oversize":[7],"stats":{...},"made":{...}}. Format 1, JSON Lines: {"made":{...},
 * "groups":2}, then {"group":[3,1],"vit":9,"tokens":4001} per group, and {"oversize":[7]} if there are any. Format 2: the
 * stats and `made` of format 0 alone. mix: f64 below 2^32, `packingMix()`, negative for null. made: u8[madeBytes], JSON
 * that is written as it stands; without bytes there is none. All of it stays as it is until the end.
 * textWrite(out, room): writes the next bytes at `out`, `room` of them at most (768 <= room < 2^31); returns how many,
 * 0 at the end, or a status negated. Allocates nothing.
 */
export { begin as textBegin, write as textWrite } from "./text/packing";
/**
 * statsLook(vit, tokens, n): status. Takes the figures of i32[n] at `vit` and `tokens`; 256 KB of the arena meanwhile.
 * statsWrite(out, room): writes them at `out` as one line of JSON (room >= 4096); returns its bytes, or a status negated.
 * Percentiles are by nearest rank, ratios have six decimals rounded half up, null where there is nothing to divide by.
 */
export { look as statsLook, write as statsWrite } from "./text/stats";

/**
 * Length files, read in pieces: JSON (an array of records), JSONL (records with white space between), or .npy of shape
 * (n, 2); the first byte tells which. Use: readerBegin; then write a piece to readerBuffer() and readerPush its
 * length, and copy both columns out, until the input is at its end; then readerEnd. Free it all by releasing a mark.
 *
 * readerBegin(vitName, vitLength, tokensName, tokensLength, bytes): status. The fields' names in UTF-8, which must
 * differ; pieces hold up to `bytes` bytes, for which 9 times as many are allocated (nothing is later).
 * readerPush(bytes): status, 5 and up among them. Values before an error are in the columns. readerEnd(): status.
 * readerBuffer(): where a piece goes.
 */
export { begin as readerBegin, end as readerEnd, push as readerPush } from "./read/reader";

export function readerBuffer(): usize {
  return reader.buffer;
}

/** i32[readerVitCount()]: vit values that the last push found. */
export function readerVit(): usize {
  return sink.vit;
}

/** i32[readerTokensCount()]: tokens values likewise. A .npy may bring more of one field than of the other. */
export function readerTokens(): usize {
  return sink.tokens;
}

export function readerVitCount(): u32 {
  return <u32>sink.vitCount;
}

export function readerTokensCount(): u32 {
  return <u32>sink.tokensCount;
}

/** Of the last error: its byte offset in the input, a whole number below 2^53. */
export function readerOffset(): f64 {
  return <f64>sink.errorOffset;
}

/** Its record (sample), from 0: as many were read before it. */
export function readerIndex(): u32 {
  return sink.errorRecord;
}

/** Its field, for statuses 8 and 9: 0 vit, 1 tokens. */
export function readerField(): i32 {
  return sink.errorField;
}

/** What could have stood there, for statuses 5 and 6: an `EXPECT_...` of sink.ts. */
export function readerExpected(): i32 {
  return sink.errorExpected;
}

/** u8[readerSeenLength()]: the beginning (40 bytes at most) of what was refused, as the input writes it. */
export function readerSeen(): usize {
  return sink.seen;
}

export function readerSeenLength(): u32 {
  return <u32>sink.seenLength;
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
 * streamInput(): i32[4096] vit values and behind them i32[4096] tokens: where samples are put for a push.
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
 *   the file it is from, u8[bytes] of UTF-8 that stay in place, and its index in there, for the texts.
 * searchAsk(search): how many candidates are to be tried next, at searchCandidates: i32[6] each of set (0 all samples, 1
 *   the part), maxVit, maxTokens, minTokens, rounds, 1 for the published way; 0 at the end; a status negated before all of
 *   the last have results. searchTotal(search): how many there may be in all, 0 where nobody knows.
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
export function searchBegin(
  vit: usize,
  tokens: usize,
  n: i32,
  strategy: i32,
  ranks: i32,
  low: f64,
  high: f64,
  vitLimit: i32,
  tokenLimit: i32,
  rounds: i32,
  maxLeftOut: i32,
  slack: f64,
  candidates: i32,
): i32 {
  return search.begin(
    vit,
    tokens,
    n,
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
}

export function searchLargest(at: usize): i32 {
  return changetype<search.Search>(at).samples.largest;
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
  return searchText_.writeWhy(changetype<search.Search>(at), out);
}

export { startJson as searchTextBegin } from "./search/text";

export function searchText(at: usize, out: usize, room: u32, seed: u32): i32 {
  return searchText_.writeJson(changetype<search.Search>(at), out, room, seed);
}
