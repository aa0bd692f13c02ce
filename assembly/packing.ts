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
/** u32[oversizeCount]: samples beyond a bound, by rising index. */
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

export function setGroups(orderAt: usize, offsetsAt: usize, count: i32, vitAt: usize, tokensAt: usize): void {
  order = orderAt;
  offsets = offsetsAt;
  groups = count;
  vit = vitAt;
  tokens = tokensAt;
}

export function setOversize(at: usize, count: i32): void {
  oversize = at;
  oversizeCount = count;
}
