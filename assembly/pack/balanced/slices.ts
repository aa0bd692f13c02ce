// More samples than the memory near the processor holds: shares of them are packed one by one, and their groups joined.
// Share s of S takes every S-th sample of the sorted order, so all shares are alike.

import { mark } from "../../base/memory";
import { OUT_OF_MEMORY } from "../../base/status";
import { DONE, MORE } from "../../base/step";
import { startWays, stepWays } from "./attempts";
import { bestGroups } from "./best-packing";
import { fitting } from "./sorted-samples";
import { closePart, copyGroups, openPart, partOf, usePart, wholeGroups, wholeOffsets, wholeOrder } from "./subproblem";

/** Shares pay above this many samples. */
export const SHARE_ABOVE: i32 = 2097152;
const SHARE_SIZE: i32 = 1048576;

/** How many there are, and how many are packed. */
export let shares: i32 = 0;
export let packed: i32 = 0;
let ways: i32 = 0;
let open: bool = false;
/** Samples in groups. */
let length: i32 = 0;

/** Starts to pack all samples in shares by a set of ways. */
export function startShares(set: i32): void {
  shares = (fitting + SHARE_SIZE - 1) / SHARE_SIZE;
  packed = 0;
  ways = set;
  open = false;
  length = 0;
}

/** Does a piece. */
export function stepShares(): i32 {
  const n = (fitting - packed + shares - 1) / shares;
  if (!open) {
    if (!openPart(n, mark())) return -OUT_OF_MEMORY;
    for (let i = 0; i < n; i++) store<i32>(partOf + ((<usize>i) << 2), packed + i * shares);
    usePart(n);
    startWays(ways, 0);
    open = true;
    return MORE;
  }
  const more = stepWays();
  if (more != DONE) return more;
  copyGroups(wholeOrder, wholeOffsets, length, wholeGroups);
  length += n;
  closePart(wholeGroups + bestGroups);
  open = false;
  packed++;
  return packed < shares ? MORE : DONE;
}
