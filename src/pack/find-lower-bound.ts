import type { Core } from "../core/core.ts";

/** The lower bounds by name, the simplest first. */
export const BOUND_KINDS = ["linear", "pattern", "half", "difference"] as const;

/** What a lower bound on the number of groups rests on. */
export type BoundKind = (typeof BOUND_KINDS)[number];

/** Lower bounds on the number of groups, each one by itself; 0 where one says nothing. */
export interface LowerBound {
  /** The sum of each load over its bound, rounded up; the largest one. */
  readonly linear: number;
  /** What the multisets of a coarse load's values that fit a group allow (Gilmore and Gomory's linear programme). */
  readonly pattern: number;
  /** What samples above half of a bound allow, on the load where it is most (Martello and Toth's L2). */
  readonly half: number;
  /** What two loads allow of which one leaves too little of the other, by their weighted difference. */
  readonly difference: number;
  /** The largest of them. */
  readonly best: number;
  /** Which one that is; of equal ones the simplest. */
  readonly kind: BoundKind;
}

/** What the core's last `boundsFind` found. */
export function takeLowerBound({ abi }: Core): LowerBound {
  const [linear, pattern, half, difference] = BOUND_KINDS.map((_, kind) => abi.boundsGet(kind) >>> 0);
  const best = abi.boundsBest();
  return { linear, pattern, half, difference, best: abi.boundsGet(best) >>> 0, kind: BOUND_KINDS[best] };
}
