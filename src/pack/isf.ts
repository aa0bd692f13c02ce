import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { type Lengths, type VitTokens, vitTokens } from "../core/lengths.ts";
import { MAX_INT32, type NamesOf, OWN, type Spec, take } from "../core/options.ts";
import { findLowerBound } from "./find-lower-bound.ts";
import type { Method } from "./method.ts";
import { byLoad, type CommonPackOptions, type PackProgress, resolveCommon, seenIn } from "./options.ts";
import { type ByLoad, type Packing, packingBounds, takePacking } from "./packing.ts";

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
  rounds: { kind: "integer", low: 1, high: MAX_INT32, default: 50, about: "at most so many rounds" },
  onRound: OWN,
} as const satisfies NamesOf<Omit<IsfOptions, keyof CommonPackOptions | "method">, Spec>;

/** Samples per call into the core: a buffer that stays in the second-level cache. */
const PIECE = 16384;

/** Hands the lengths to `push` through a buffer in the core's memory, piece by piece. */
function feed(
  core: Core,
  { vit, tokens }: VitTokens,
  push: (vit: number, tokens: number, count: number) => void,
): void {
  const vitAt = core.alloc(PIECE * 8, vit.length);
  const tokensAt = vitAt + PIECE * 4;
  const buffer = core.int32(vitAt, PIECE * 2);
  for (let from = 0; from < vit.length; from += PIECE) {
    const end = Math.min(from + PIECE, vit.length);
    buffer.set(vit.subarray(from, end));
    buffer.set(tokens.subarray(from, end), PIECE);
    push(vitAt, tokensAt, end - from);
  }
}

/** ISF (paper, Algorithm 1), a round at a time. The core is the caller's to enter and leave. */
export function* isf(core: Core, samples: Lengths, options: IsfOptions): Generator<RoundInfo, Packing, void> {
  const common = resolveCommon(options, "linear");
  const { maxVit, maxTokens, seed } = common;
  const given = options.min === undefined ? {} : byLoad("min", options.min, {}, 0);
  const minVit = take(ISF_OPTIONS, "minVit", options, given.vit ?? maxVit);
  const minTokens = take(ISF_OPTIONS, "minTokens", options, given.tokens ?? Math.max(maxTokens - FULL_BELOW, 0));
  const rounds = take(ISF_OPTIONS, "rounds", options);
  const { abi } = core;
  const n = samples.vit.length;
  const seen = seenIn(samples);
  const tight = common.lowerBound === "tight" ? findLowerBound(core, samples, maxVit, maxTokens).best : undefined;
  check(abi, abi.isfBegin(n, maxVit, maxTokens, minVit, minTokens, seed), n, seen);
  feed(core, vitTokens(samples), (vitAt, tokensAt, count) => {
    check(abi, abi.isfPush(vitAt, tokensAt, count), n, seen);
  });
  let round = 0;
  let loose = n;
  while (round < rounds && loose > 0) {
    options.signal?.throwIfAborted();
    round++;
    loose = abi.isfRound(round === rounds ? 1 : 0);
    const done = loose === 0 ? 1 : round / rounds;
    const info = { done, round, rounds, samples: n, loose, groups: abi.isfGroups() };
    options.onRound?.(info);
    options.onProgress?.(info);
    yield info;
  }
  check(abi, abi.isfFinish(), n, seen);
  check(abi, abi.isfAttention(), n, seen);
  const bounds = packingBounds({ vit: maxVit, tokens: maxTokens }, { vit: minVit, tokens: minTokens });
  const settings = { seed, min: bounds.min, rounds };
  return takePacking(core, samples, bounds, "isf", round, tight ?? abi.packingBound(), settings);
}

export const isfMethod = {
  name: "isf",
  about: "Method isf, Iterative Sampling and Filtering, makes the published groups",
  options: ISF_OPTIONS,
  run: isf,
} as const satisfies Method;
