// Which options `pack` and its like have, and which method takes each.
import { OptionError } from "../core/errors.ts";
import { type NamesOf, onlyNames } from "../core/options.ts";
import type { PackOptions } from "./options.ts";
import type { PackMethod } from "./packing.ts";

export const METHODS = ["isf", "balanced"] as const satisfies readonly PackMethod[];

const PACK_OPTIONS: NamesOf<PackOptions, readonly PackMethod[]> = {
  maxVit: METHODS,
  maxTokens: METHODS,
  minVit: ["isf"],
  minTokens: ["isf"],
  rounds: ["isf"],
  seed: METHODS,
  method: METHODS,
  effort: ["balanced"],
  lowerBound: METHODS,
  onProgress: METHODS,
  onRound: ["isf"],
  signal: METHODS,
};

/** What a row of a search has beside options of `pack`: a row is taken as options, which a test proves. */
const FIGURES = {
  groups: true,
  bound: true,
  ratio: true,
  samplesPerGroup: true,
  leftOut: true,
  pad: true,
  vitDist: true,
  tokenDist: true,
  attentionDist: true,
  score: true,
  inWindow: true,
  pareto: true,
} as const;

/**
 * `names`, and those of a row of a search where `options` is one: it is taken as it is, or spread into options. It is
 * one only when all of a row's figures are there, so that a stray one is refused as any other name.
 */
export function withRow(options: unknown, names: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isRow =
    typeof options === "object" &&
    options !== null &&
    Object.keys(FIGURES).every((figure) => Object.hasOwn(options, figure));
  return isRow ? { ...names, ...PACK_OPTIONS, ...FIGURES } : names;
}

/** @throws OptionError for what is no option, or is one of another method. */
export function checkPackOptions(owner: string, options: unknown, extra: Readonly<Record<string, true>> = {}): void {
  onlyNames(owner, options, withRow(options, { ...PACK_OPTIONS, ...extra }));
}

/** @throws OptionError for an option that is for another method. */
export function refuseForeign(options: PackOptions, method: PackMethod): void {
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const [name, methods] of Object.entries(PACK_OPTIONS)) {
    if (given[name] === undefined || methods.includes(method)) continue;
    throw new OptionError("INVALID_OPTION", `${name} is given, expected none for method ${method}`);
  }
}
