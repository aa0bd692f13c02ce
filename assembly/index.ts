// The ABI of omnibal.wasm, and nothing else. Any host that can call WebAssembly can use it:
//
//   1. `const top = mark()`, then `alloc` a buffer for input.
//   2. Begin a packer and push the samples through that buffer (little endian, in pieces of any size); run it; read
//      its result through the `packing...` accessors.
//   3. `release(top)`: the results are gone, the memory stays for the next call.
//
// Pointers are unsigned 32-bit byte addresses (JavaScript sees those above 2 GiB as negative: use `>>> 0`). Views on
// `memory` die when it grows: make them after the last call that can allocate (alloc, ...Begin, ...Finish).
// An export that answers a status answers one of the codes in status.ts: 0 done, 1 out of memory, 2 bad argument,
// 3 a vit value is negative, 4 a tokens value is negative (`errorIndex()` says where for 3 and 4).
// One instance serves one caller at a time; it needs no imports.

import * as isf from "./isf";
import * as packing from "./packing";

/** Inner loops, not for callers: exported so that they stay functions of their own, which engines optimise in time. */
/**
 * ISF over n samples, 0 <= n.
 * isfBegin(n, maxVit, maxTokens, minVit, minTokens, seed): status. 1 <= maxVit, maxTokens; a group is kept when
 *   vit >= minVit or tokens >= minTokens; seed: u32.
 * isfPush(vit, tokens, count): status. The next samples, i32[count] at either pointer, read within the call: n in all.
 * isfRound(last): one round; how many samples are left for another (0: none is needed). The last one keeps all groups.
 * isfGroups(): groups there would be if that round had been the last.
 * isfFinish(): status; adds the groups up and hands over to `packing...`.
 */
export {
  begin as isfBegin,
  build32 as hotBuild32,
  build64 as hotBuild64,
  finish as isfFinish,
  groupsNow as isfGroups,
  push as isfPush,
  round as isfRound,
} from "./isf";
/**
 * alloc(bytes: u32): pointer to so many bytes, 16-byte aligned, contents undefined; 0 when out of memory.
 * mark(): the end of the arena. release(mark): frees all that was allocated after that mark.
 */
export { alloc, mark, release } from "./memory";
/**
 * The generator behind ISF and the samplers, MT19937: mtSeed(seed: u32), mtNext(): u32.
 * mtShuffle(at, n): numpy's RandomState.shuffle of u32[n]; mtTorchShuffle(at, n): torch.randperm's, n < 214,748,364.
 */
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

/** i32[groups]: tiles of each group. */
export function packingVit(): usize {
  return packing.vit;
}

/** i32[groups]: tokens of each group. */
export function packingTokens(): usize {
  return packing.tokens;
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
