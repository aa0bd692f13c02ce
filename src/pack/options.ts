import { OptionError, show } from "../core/errors.ts";
import { type Lengths, loadColumn, loadName, MAX_LOAD, MOST_LOADS } from "../core/lengths.ts";
import { integer, MAX_INT32, type NamesOf, OWN, SEED, type Spec, take } from "../core/options.ts";
import type { ByLoad } from "./packing.ts";

/** How far a packing has come. */
export interface PackProgress {
  /** Share of the work that is done, 0 .. 1, never decreasing: for ISF rounds of those at most, for `balanced` an estimate. */
  readonly done: number;
  /** Samples there are. */
  readonly samples: number;
  /** Groups there would be if it ended now; 0 while `balanced` has none yet. */
  readonly groups: number;
}

/** What every method takes. */
export interface CommonPackOptions {
  /**
   * Most of each load in a group, by the load's name: `{ patches: 40000, tokens: 16384 }`. Any name will do; `tokens^2` is the
   * sum of the squares of the samples' tokens, and so for any load. Whole numbers from 1 on, below 2^53; 1 to 8 loads with
   * those of `carry`.
   */
  readonly max?: ByLoad<number>;
  /** Loads to add up in every group without a bound on them. */
  readonly carry?: readonly string[];
  /** Each sample's tokens count rounded up to a multiple of this, 1 .. 2^31 - 1, against their bound too. Default: 1. */
  readonly align?: number;
  /** Most tiles in a group (paper: Q_v), 1 .. 2^31 - 1: short for `max.vit`. */
  readonly maxVit?: number;
  /** Most tokens in a group (Q_t), 1 .. 2^31 - 1: short for `max.tokens`. */
  readonly maxTokens?: number;
  /** 0 .. 2^32 - 1; round r of ISF draws with seed + r - 1, mod 2^32. Default: 1024. */
  readonly seed?: number;
  /**
   * What `packing.bound` is: `linear` (the sums of both loads over their bounds) costs nothing, `tight` (the best of
   * `lowerBound`) some milliseconds per million samples, and 8 bytes per sample while it is found. Default: `linear` for
   * ISF, for which it would be half as much time again, `tight` for `balanced`.
   */
  readonly lowerBound?: "linear" | "tight";
  /** Called between pieces of the work, of ISF after each round; what it throws ends the packing. */
  readonly onProgress?: (progress: PackProgress) => void;
  /** Checked before each piece of the work. */
  readonly signal?: AbortSignal;
}

const POSITIVE = { kind: "integer", low: 1, high: MAX_INT32 } as const satisfies Spec;

/** The bounds of a group of the usual two loads. */
export const BOUNDS = {
  maxVit: { ...POSITIVE, about: "most tiles in a group" },
  maxTokens: { ...POSITIVE, about: "most tokens in a group" },
} as const;

export const COMMON = {
  max: {
    kind: "own",
    argument: "NAME=N,...",
    about: "most of each load in a group: patches=40000,tokens=16384",
  },
  carry: { kind: "own", argument: "NAME,...", about: "loads to add up in every group, without a bound" },
  align: { ...POSITIVE, default: 1, about: "a sample's tokens count rounded up to N" },
  ...BOUNDS,
  seed: SEED,
  lowerBound: { kind: "choice", names: ["linear", "tight"] },
  onProgress: OWN,
  signal: OWN,
} as const satisfies NamesOf<CommonPackOptions, Spec>;

/** Numbers by load, with the short names of those that have one: each a whole number from `low` to 2^53 - 1. */
export function byLoad(
  option: "max" | "min",
  given: unknown,
  short: Readonly<Record<string, readonly [name: string, value: unknown]>>,
  low: number,
): Record<string, number> {
  const found = new Map<string, readonly [name: string, value: number]>();
  const put = (load: string, name: string, value: unknown, high: number) => {
    const known = found.get(load);
    const own = integer(name, value, low, high);
    if (known !== undefined && known[1] !== own) {
      throw new OptionError(
        "INVALID_OPTION",
        `${known[0]} is ${known[1]} and ${name} is ${own}, expected one of the two`,
      );
    }
    found.set(load, [name, own]);
  };
  if (given !== undefined) {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      throw new OptionError(
        "INVALID_OPTION",
        `${option} is ${show(given)}, expected numbers by load: { tokens: 4096 }`,
      );
    }
    for (const [name, value] of Object.entries(given)) put(loadName(name), `${option}.${name}`, value, MAX_LOAD);
  }
  for (const [load, [name, value]] of Object.entries(short)) {
    if (value !== undefined) put(load, name, value, MAX_INT32);
  }
  // Vit comes first, as it does in every file of the usual two.
  const names = [...found.keys()].sort((a, b) => Number(b === "vit") - Number(a === "vit"));
  return Object.fromEntries(names.map((name) => [name, (found.get(name) as readonly [string, number])[1]]));
}

/** What a packing counts. */
export interface PackLoads {
  /** Most of each bounded load in a group. */
  readonly max: ByLoad<number>;
  /** Loads that are added up, not bounded. */
  readonly carry: readonly string[];
  /** All of them, bounded ones first. */
  readonly names: readonly string[];
  /** Each sample's tokens count rounded up to a multiple of this. */
  readonly align: number;
}

/** The loads that are asked for. @throws OptionError for bounds that are none, and for none or more than eight. */
export function resolveLoads(
  options: Pick<CommonPackOptions, "max" | "carry" | "align" | "maxVit" | "maxTokens">,
): PackLoads {
  const { max: given, carry: carried = [] } = options;
  // Without bounds by name the usual two are needed.
  const short =
    given === undefined
      ? { maxVit: take(COMMON, "maxVit", options), maxTokens: take(COMMON, "maxTokens", options) }
      : options;
  const max = byLoad("max", given, { vit: ["maxVit", short.maxVit], tokens: ["maxTokens", short.maxTokens] }, 1);
  if (!Array.isArray(carried) || carried.some((name) => typeof name !== "string" || name === "")) {
    throw new OptionError("INVALID_OPTION", `carry is ${show(carried)}, expected a list of names`);
  }
  const carry = [...new Set((carried as readonly string[]).map(loadName))];
  const twice = carry.find((name) => Object.hasOwn(max, name));
  if (twice !== undefined) {
    throw new OptionError("INVALID_OPTION", `carry has ${show(twice)}, which has a bound: it is added up in any case`);
  }
  const names = [...Object.keys(max), ...carry];
  if (names.length > MOST_LOADS || names.length === carry.length) {
    const seen = `${names.length - carry.length} bounded and ${carry.length} carried`;
    throw new OptionError("INVALID_OPTION", `${seen} loads, expected 1 to ${MOST_LOADS} in all, one of them bounded`);
  }
  const align = take(COMMON, "align", options);
  if (options.align !== undefined && !names.includes("tokens")) {
    throw new OptionError(
      "INVALID_OPTION",
      `align is ${align}, but tokens are not among the loads ${names.join(", ")}`,
    );
  }
  return { max, carry, names, align };
}

/** What every method takes, checked and with its defaults. */
export function resolveCommon(options: CommonPackOptions, lowerBound: "linear" | "tight") {
  return {
    loads: resolveLoads(options),
    seed: take(COMMON, "seed", options),
    lowerBound: take(COMMON, "lowerBound", options, lowerBound),
  };
}

/** The value at an index, for messages. */
export function seenIn(samples: Lengths): (load: string, at: number) => number {
  return (load, at) => loadColumn(samples, load)[at];
}
