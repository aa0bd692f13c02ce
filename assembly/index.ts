// The ABI of omnibal.wasm, and nothing else. Any host that can call WebAssembly can use it:
//
//   1. `const top = mark()`, then `alloc` room for the inputs and write them into `memory` (little endian).
//   2. Call a packer; read its result through the `packing...` accessors.
//   3. `release(top)`: results and inputs are gone, the memory stays for the next call.
//
// Pointers are unsigned 32-bit byte addresses (JavaScript sees those above 2 GiB as negative: use `>>> 0`). Views on
// `memory` die when it grows: make them after the last call that can allocate (alloc, ...Begin, packingSums).
// An export that answers a status answers one of the codes in status.ts: 0 done, 1 out of memory, 2 bad argument,
// 3 a vit value is negative, 4 a tokens value is negative (`errorIndex()` says where for 3 and 4), 5 and up: a length
// file cannot be read (`readerOffset()` and those after it say where and why).
// One instance serves one caller at a time; it needs no imports.

import * as isf from "./isf";
import * as packing from "./packing";
import * as reader from "./reader";
import * as sink from "./sink";

/**
 * isfBegin(vit, tokens, n, maxVit, maxTokens, minVit, minTokens, seed): status. Starts ISF over i32[n] at `vit` and
 * `tokens`. 0 <= n, 1 <= maxVit, maxTokens; a group is kept when vit >= minVit or tokens >= minTokens; seed: u32.
 * isfRound(last): one round; how many samples are left for another (0: none is needed). The last one keeps all groups.
 * isfGroups(): groups there would be if that round had been the last. isfFinish(): hands over to `packing...`.
 */
export { begin as isfBegin, finish as isfFinish, groupsNow as isfGroups, round as isfRound } from "./isf";
/** alloc(bytes: u32): pointer to so many bytes, 16-byte aligned, contents undefined; 0 when out of memory. */
/** mark(): pointer, the end of the arena. release(pointer): frees all that was allocated after that mark. */
export { alloc, mark, release } from "./memory";
/** The generator behind ISF and the samplers (MT19937): mtSeed(seed: u32); mtNext(): u32. */
/** mtShuffle(at, n): numpy's RandomState.shuffle of u32[n] at `at`; mtTorchShuffle(at, n): torch.randperm's, n < 214,748,364. */
/** Inner loops, not for callers: exported so that they stay functions of their own, which engines optimise after a few calls. */
export {
  next as mtNext,
  refill as hotRefill,
  seed as mtSeed,
  shuffle as mtShuffle,
  shuffleBlock as hotShuffleBlock,
  torchShuffle as mtTorchShuffle,
} from "./mt19937";
export { scan32 as hotScan32, scan64 as hotScan64 } from "./nextfit";

/** Where the negative value of status 3 or 4 is: an index of a sample. */
export function errorIndex(): i32 {
  return isf.errorIndex;
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

/** Samples beyond a bound. */
export function packingOversizeCount(): i32 {
  return packing.oversizeCount;
}

/** u32[packingOversizeCount()]: their indices, rising. */
export function packingOversize(): usize {
  return packing.oversize;
}

/** The least number of groups that the sums of both loads over the samples that fit allow. */
export function packingBound(): i32 {
  return packing.bound;
}

/**
 * groupSums(values, order, offsets, groups, out): adds up i32 `values` inside each group into i32[groups] at `out`.
 */
export { groupSums } from "./packing";

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
export { begin as readerBegin, end as readerEnd, push as readerPush } from "./reader";

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
