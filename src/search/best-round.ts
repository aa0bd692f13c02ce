import type { Core } from "../core/core.ts";
import type { Lengths } from "../core/lengths.ts";
import type { IsfOptions } from "../pack/isf.ts";
import { pack } from "../pack/pack.ts";
import type { Packing } from "../pack/packing.ts";

/** Packs by ISF with as many rounds as make the fewest groups, of those that `options` allow: each round draws anew. */
export function packBestRound(
  core: Core,
  lengths: Lengths,
  options: IsfOptions & { readonly rounds: number },
): Packing {
  let best = 0;
  let fewest = Number.POSITIVE_INFINITY;
  const packing = pack(core, lengths, {
    ...options,
    onRound: ({ round, groups }) => {
      if (groups >= fewest) return;
      fewest = groups;
      best = round;
    },
  });
  return best < packing.rounds ? pack(core, lengths, { ...options, rounds: best }) : packing;
}
