import type { Core } from "../core/core.ts";
import { numbered, validLengths } from "../core/invalid.ts";
import { type LengthsInput, toLengths } from "../core/lengths.ts";
import type { IsfOptions, RoundInfo } from "./isf.ts";
import type { PackOptions } from "./methods.ts";
import { checkPackOptions, methodOf } from "./option-names.ts";
import { type PackProgress, resolveLoads } from "./options.ts";
import { type Packing, trustedPacking } from "./packing.ts";

/** The body of `Omnibal.pack`. */
export function pack(core: Core, lengths: LengthsInput, options: PackOptions): Packing {
  const steps = packInRounds(core, lengths, options);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** The body of `Omnibal.packInRounds`. */
export function packInRounds(
  core: Core,
  lengths: LengthsInput,
  options: IsfOptions,
): Generator<RoundInfo, Packing, void>;
export function packInRounds(
  core: Core,
  lengths: LengthsInput,
  options: PackOptions,
): Generator<PackProgress, Packing, void>;
export function* packInRounds(
  core: Core,
  lengths: LengthsInput,
  options: PackOptions,
): Generator<PackProgress, Packing, void> {
  checkPackOptions("pack", options);
  const samples = toLengths(lengths, resolveLoads(options).names);
  const method = methodOf(options);
  const { lengths: valid, numbers, invalid } = validLengths(samples);
  const top = core.enter();
  try {
    const packing = yield* method.run(core, valid, options);
    if (numbers === undefined) return packing;
    // A method knows of no invalid samples, and so not of the numbers that the others have beside them.
    const [indices, oversize] = [packing.indices, packing.oversize].map((list) => numbered(list, numbers));
    return trustedPacking({ ...packing.parts, indices, oversize, invalid, lengths: samples });
  } finally {
    core.leave(top);
  }
}
