// The ABI of omnibal.wasm, and nothing else. Any host that can call WebAssembly can use it:
//
//   1. `const top = mark()`, then `alloc` room for the inputs and write them into `memory` (little endian).
//   2. Call a packer; read its result through the `packing...` accessors.
//   3. `release(top)`: results and inputs are gone, the memory stays for the next call.
//
// Pointers are unsigned 32-bit byte addresses (JavaScript sees those above 2 GiB as negative: use `>>> 0`). Views on
// `memory` die when it grows: make them after the last call that can allocate (alloc, ...Begin, packingSums).
// An export that answers a status answers one of the codes in status.ts: 0 done, 1 out of memory, 2 bad argument,
// 3 a vit value is negative, 4 a tokens value is negative (`errorIndex()` says where for 3 and 4).
// One instance serves one caller at a time; it needs no imports.

import * as packing from "./packing";
import * as status from "./status";

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
  return status.errorIndex;
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
 * textBegin(format, offsets, order, vit, tokens, groups, oversize, oversizeCount, maxVit, maxTokens, bound, rounds):
 * status. Starts the text of a packing: the last one's arrays, or a kept one's copied in, with the sums of `groupSums`.
 * Format 0: {"groups":[[3,1],[2]],"oversize":[7],"stats":{...}}. Format 1, a line per group: {"group":[3,1],"vit":9,
 * "tokens":4001}, and {"oversize":[7]} as the last line if there are any. The arrays stay as they are until the end.
 * textWrite(out, room): writes the next bytes at `out`, `room` of them at most (768 <= room < 2^31); returns how many,
 * 0 at the end, or a status negated. Allocates nothing.
 */
export { begin as textBegin, write as textWrite } from "./packing-text";
/**
 * statsLook(vit, tokens, n): status. Takes the figures of i32[n] at `vit` and `tokens`; 256 KB of the arena meanwhile.
 * statsWrite(out, room): writes them at `out` as one line of JSON (room >= 4096); returns its bytes, or a status negated.
 * Percentiles are by nearest rank, ratios have six decimals rounded half up, null where there is nothing to divide by.
 */
export { look as statsLook, write as statsWrite } from "./stats";
