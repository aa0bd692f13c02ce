import type { Core } from "../core/core.ts";
import type { Lengths } from "../core/lengths.ts";
import { measure } from "./candidate.ts";
import { measureEpoch } from "./epoch-candidate.ts";
import type { AnyCandidate, MeasuredOf } from "./runner.ts";

/** Tries a candidate, whichever objective it is for. */
export function tryCandidate<C extends AnyCandidate>(core: Core, lengths: Lengths, candidate: C): MeasuredOf<C> {
  const any: AnyCandidate = candidate;
  return ("cost" in any ? measureEpoch(core, lengths, any) : measure(core, lengths, any)) as MeasuredOf<C>;
}
