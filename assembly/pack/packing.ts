// The packing that the last packer left: groups in CSR form over sample indices, their sums, and the samples no
// group can hold. Packers fill it; the exports read it. All arrays live in the arena of the call that made them.

/** u32[samples]: sample indices, group after group. */
export let order: usize = 0;
/** u32[groups + 1]: group g is order[offsets[g] .. offsets[g + 1]). */
export let offsets: usize = 0;
export let groups: i32 = 0;
/** i32[groups] each: the sums of the groups. */
export let vit: usize = 0;
export let tokens: usize = 0;
/** f64[groups]: the sum of tokens^2 in each group; 0 if it is not needed. */
export let attention: usize = 0;
/** u32[oversizeCount]: samples beyond a bound, by ascending index. */
export let oversize: usize = 0;
export let oversizeCount: i32 = 0;

/** Lower bound on the number of groups. */
export let bound: i32 = 0;

/** The linear bound: no packing has fewer groups than either load's sum over its bound, rounded up. */
export function setLinearBound(sumVit: u64, sumTokens: u64, maxVit: i32, maxTokens: i32): void {
  const byVit = (sumVit + maxVit - 1) / maxVit;
  const byTokens = (sumTokens + maxTokens - 1) / maxTokens;
  bound = <i32>max(byVit, byTokens);
}

/** A better lower bound. */
export function setBound(least: i32): void {
  bound = least;
}

export function setGroups(
  orderAt: usize,
  offsetsAt: usize,
  count: i32,
  vitAt: usize,
  tokensAt: usize,
  attentionAt: usize,
): void {
  order = orderAt;
  offsets = offsetsAt;
  groups = count;
  vit = vitAt;
  tokens = tokensAt;
  attention = attentionAt;
}

export function setAttention(at: usize): void {
  attention = at;
}

export function setOversize(at: usize, count: i32): void {
  oversize = at;
  oversizeCount = count;
}

/**
 * Adds up `values` (i32[samples]) inside each group: out[g] = sum over group g, i32[count]. A sum may exceed 2^31 - 1
 * only where a group breaks its bound, which a packer's never does; it then stands at 2^31 - 1.
 */
export function groupSums(values: usize, order: usize, offsets: usize, count: i32, out: usize): void {
  let at = order + ((<usize>load<u32>(offsets)) << 2);
  for (let g: usize = 0; g < <usize>count; g++) {
    const end = order + ((<usize>load<u32>(offsets + (g << 2), 4)) << 2);
    let sum: u64 = 0;
    for (; at < end; at += 4) sum += load<u32>(values + ((<usize>load<u32>(at)) << 2));
    store<i32>(out + (g << 2), <i32>min<u64>(sum, i32.MAX_VALUE));
  }
}
