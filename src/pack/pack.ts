import type { Core } from "../core/core.ts";
import { OptionError } from "../core/errors.ts";
import { type LengthsInput, toLengths } from "../core/lengths.ts";
import { oneOf } from "../core/options.ts";
import { balanced } from "./balanced.ts";
import { isf } from "./isf.ts";
import type { IsfOptions, PackOptions, PackProgress, RoundInfo } from "./options.ts";
import type { Packing, PackMethod } from "./packing.ts";

const METHODS = ["isf", "balanced"] as const satisfies readonly PackMethod[];

/** What a method does not take. */
const FOREIGN_OPTIONS: Record<PackMethod, readonly string[]> = {
  isf: ["effort"],
  balanced: ["minVit", "minTokens", "rounds", "onRound"],
};

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
  const samples = toLengths(lengths);
  const method = oneOf("method", options.method ?? "isf", METHODS);
  for (const name of FOREIGN_OPTIONS[method]) {
    if ((options as unknown as Record<string, unknown>)[name] === undefined) continue;
    throw new OptionError("INVALID_OPTION", `${name} is given, expected none for method ${method}`);
  }
  const top = core.enter();
  try {
    return options.method === "balanced" ? yield* balanced(core, samples, options) : yield* isf(core, samples, options);
  } finally {
    core.leave(top);
  }
}
