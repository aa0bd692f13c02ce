import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { type Lengths, vitTokens } from "../core/lengths.ts";
import { seenIn } from "./options.ts";

/** Lower bounds on the number of groups, each one by itself. */
export interface LowerBound {
  /** The larger of the sums of vit and of tokens over their bounds, rounded up. */
  readonly linear: number;
  /** What the multisets of vit values that fit a group allow (Gilmore and Gomory's linear programme). */
  readonly pattern: number;
  /** What samples above half of a bound allow, on the load where it is more (Martello and Toth's L2). */
  readonly half: number;
  /** The largest of them. */
  readonly best: number;
}

/** `lowerBound` for whoever has the core to himself. */
export function findLowerBound(core: Core, samples: Lengths, maxVit: number, maxTokens: number): LowerBound {
  const { abi } = core;
  const n = samples.vit.length;
  const top = abi.mark();
  const { vit, tokens } = vitTokens(samples);
  const vitAt = core.copyIn(vit, n);
  const tokensAt = core.copyIn(tokens, n);
  check(abi, abi.lowerBound(vitAt, tokensAt, n, maxVit, maxTokens), n, seenIn(samples));
  abi.release(top);
  return takeLowerBound(core);
}

/** What the core's last `lowerBound` found. */
export function takeLowerBound({ abi }: Core): LowerBound {
  const linear = abi.linearBound() >>> 0;
  const pattern = abi.patternBound() >>> 0;
  const half = abi.halfBound() >>> 0;
  return { linear, pattern, half, best: Math.max(linear, pattern, half) };
}
