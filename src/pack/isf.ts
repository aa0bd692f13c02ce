import type { Core } from "../core/core.ts";
import { OptionError, show } from "../core/errors.ts";
import type { Lengths, LoadColumn } from "../core/lengths.ts";
import { MAX_INT32, type NamesOf, OWN, type Spec, take } from "../core/options.ts";
import { Counted } from "./counted.ts";
import type { Method } from "./method.ts";
import { byLoad, type CommonPackOptions, type PackLoads, type PackProgress, resolveCommon } from "./options.ts";
import type { ByLoad, Packing } from "./packing.ts";

/** How far ISF has come, after each round. */
export interface RoundInfo extends PackProgress {
  /** Rounds done, 1 .. rounds. */
  readonly round: number;
  /** The most rounds there can be: the option `rounds`. */
  readonly rounds: number;
  /** Samples whose group was not full enough: the next round draws them again. */
  readonly loose: number;
}

/** Options of the published method. */
export interface IsfOptions extends CommonPackOptions {
  /** ISF, Iterative Sampling and Filtering (paper, Algorithm 1). The default method. */
  readonly method?: "isf";
  /**
   * A group is full once any bounded load of it reaches this: by the load's name, from 0 on. Above its bound: never. Default:
   * of tokens their bound - 128, at least 0; of loads with up to 64 different values their bound, of others 99 % of it.
   */
  readonly min?: ByLoad<number>;
  /** A group is full once it reaches this many tiles (Q'_v). Default: maxVit. */
  readonly minVit?: number;
  /** A group is full once it reaches this many tokens (Q'_t). Default: maxTokens - 128, at least 0. */
  readonly minTokens?: number;
  /** Rounds of ISF at most (T), 1 .. 2^31 - 1; it ends sooner when every group is full. Default: 50. */
  readonly rounds?: number;
  /** Called after each round; what it throws ends the packing. */
  readonly onRound?: (info: RoundInfo) => void;
}

/** Without `minTokens` a group is full once it is within this many tokens of `maxTokens`. */
export const FULL_BELOW = 128;

export const ISF_OPTIONS = {
  min: {
    kind: "own",
    argument: "NAME=N,...",
    about: "a group is full once any load reaches this",
    usual: "the bound; of tokens less 128, of other loads of over 64 values 99 % of it",
  },
  minVit: {
    kind: "integer",
    low: 0,
    high: MAX_INT32,
    about: "a group is full once it reaches this many tiles",
    usual: "--max-vit",
  },
  minTokens: {
    kind: "integer",
    low: 0,
    high: MAX_INT32,
    about: "a group is full once it reaches this many tokens",
    usual: `--max-tokens less ${FULL_BELOW}`,
  },
  rounds: { kind: "integer", low: 1, high: MAX_INT32, default: 50, about: "most rounds of ISF" },
  onRound: OWN,
} as const satisfies NamesOf<Omit<IsfOptions, keyof CommonPackOptions | "method">, Spec>;

/** Of a load with more different values than these, a group is full a little below the bound. */
const FEW_VALUES = 64;

/** Whether a load has more than 64 different values, among those within its bound. O(samples), mostly less. */
export function hasManyValues(column: LoadColumn, bound: number): boolean {
  if (bound < FEW_VALUES) return false;
  const seen = new Set<number>();
  let last = -1;
  for (const value of column) {
    if (value === last || value > bound) continue;
    last = value;
    seen.add(value);
    if (seen.size > FEW_VALUES) return true;
  }
  return false;
}

/** What makes a group full of a load, where nobody says: the published defaults, and 99 % of the bound for fine loads. */
function usualMinimum(name: string, column: LoadColumn, bound: number): number {
  if (name === "tokens") return Math.max(bound - FULL_BELOW, 0);
  return hasManyValues(column, bound) ? bound - Math.ceil(bound / 100) : bound;
}

/** The minimum of each bounded load. @throws OptionError for one of a load without a bound. */
function minima({ max }: PackLoads, columns: readonly LoadColumn[], options: IsfOptions): Record<string, number> {
  const short = { vit: ["minVit", options.minVit], tokens: ["minTokens", options.minTokens] } as const;
  const given = byLoad("min", options.min, short, 0);
  const other = Object.keys(given).find((name) => !Object.hasOwn(max, name));
  if (other !== undefined) {
    const bounded = Object.keys(max).join(", ");
    throw new OptionError("INVALID_OPTION", `min has ${show(other)}, which has no bound: those are of ${bounded}`);
  }
  const all = Object.entries(max).map(([name, bound], k) => [
    name,
    given[name] ?? usualMinimum(name, columns[k], bound),
  ]);
  return Object.fromEntries(all);
}

/** ISF (paper, Algorithm 1), a round at a time. The core is the caller's to enter and leave. */
export function* isf(core: Core, samples: Lengths, options: IsfOptions): Generator<RoundInfo, Packing, void> {
  const { loads, seed, lowerBound } = resolveCommon(options, "linear");
  const rounds = take(ISF_OPTIONS, "rounds", options);
  const { abi } = core;
  const counted = new Counted(core, samples, loads);
  const { count } = counted;
  const min = minima(loads, counted.columns, options);
  const bound = counted.least(lowerBound);
  const isf = abi.roundsBegin(counted.handle, counted.byLoad(min), seed);
  if (isf === 0) counted.check(abi.roundsStatus());
  let round = 0;
  let loose = count;
  while (round < rounds && loose > 0) {
    options.signal?.throwIfAborted();
    round++;
    loose = abi.roundsNext(isf, round === rounds ? 1 : 0);
    const done = loose === 0 ? 1 : round / rounds;
    const info = { done, round, rounds, samples: count, loose, groups: abi.roundsGroupsNow(isf) };
    options.onRound?.(info);
    options.onProgress?.(info);
    yield info;
  }
  const found = {
    ...{ order: abi.roundsOrder(isf), offsets: abi.roundsOffsets(isf), groups: abi.roundsGroups(isf) },
    sums: (k: number, out: number) => abi.roundsSums(isf, k, out),
  };
  return counted.take(found, { method: "isf", min, rounds: round, bound, settings: { seed, min, rounds } });
}

export const isfMethod = {
  name: "isf",
  about: "Method isf, Iterative Sampling and Filtering, makes the published groups",
  options: ISF_OPTIONS,
  run: isf,
} as const satisfies Method;
