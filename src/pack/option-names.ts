// Which options `pack` and its like have, and which method takes each.
import { OptionError } from "../core/errors.ts";
import { type ChoiceSpec, onlyNames, type Specs, take } from "../core/options.ts";
import type { Method } from "./method.ts";
import { METHODS, methods, type PackMethod, type PackOptions } from "./methods.ts";
import { COMMON } from "./options.ts";

/** The option `method`. */
export function methodSpec(): ChoiceSpec & { readonly names: readonly PackMethod[] } {
  return { kind: "choice", names: METHODS.map(({ name }) => name), default: METHODS[0].name, argument: "METHOD" };
}

/** Every option of `pack`. */
export function packSpecs(): Specs {
  const own = methods.map(({ options }) => options);
  return Object.assign({}, COMMON, { method: methodSpec() }, ...own);
}

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
  return isRow ? { ...names, ...packSpecs(), ...FIGURES } : names;
}

/** @throws OptionError for what is no option, or is one of another method. */
export function checkPackOptions(owner: string, options: unknown, extra: Readonly<Record<string, true>> = {}): void {
  onlyNames(owner, options, withRow(options, { ...packSpecs(), ...extra }));
}

/** The method that is asked for. @throws OptionError for another, and for options that only other methods take. */
export function methodOf(options: PackOptions): Method {
  const name = take({ method: methodSpec() }, "method", options);
  const method = methods.find((candidate) => candidate.name === name) as Method;
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const other of methods) {
    for (const option of Object.keys(other.options)) {
      if (given[option] === undefined || Object.hasOwn(method.options, option)) continue;
      throw new OptionError("INVALID_OPTION", `${option} is given, expected none for method ${name}`);
    }
  }
  return method;
}
