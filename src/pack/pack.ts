import type { Core } from "../core/core.ts";
import { type LengthsInput, toLengths, USUAL } from "../core/lengths.ts";
import type { IsfOptions, RoundInfo } from "./isf.ts";
import type { PackOptions } from "./methods.ts";
import { checkPackOptions, methodOf } from "./option-names.ts";
import type { PackProgress } from "./options.ts";
import type { Packing } from "./packing.ts";

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
  const samples = toLengths(lengths, USUAL);
  const method = methodOf(options);
  const top = core.enter();
  try {
    return yield* method.run(core, samples, options);
  } finally {
    core.leave(top);
  }
}
