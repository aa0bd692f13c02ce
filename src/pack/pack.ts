import type { Core } from "../core/core.ts";
import { type LengthsInput, toLengths } from "../core/lengths.ts";
import { oneOf } from "../core/options.ts";
import { balanced } from "./balanced.ts";
import { isf } from "./isf.ts";
import { checkPackOptions, METHODS, refuseForeign } from "./option-names.ts";
import type { IsfOptions, PackOptions, PackProgress, RoundInfo } from "./options.ts";
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
  const samples = toLengths(lengths);
  const method = oneOf("method", options.method ?? "isf", METHODS);
  refuseForeign(options, method);
  const top = core.enter();
  try {
    return options.method === "balanced" ? yield* balanced(core, samples, options) : yield* isf(core, samples, options);
  } finally {
    core.leave(top);
  }
}
