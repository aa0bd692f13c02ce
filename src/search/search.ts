// The driver of a search: the core says which bounds to try next, a runner packs with them, and the core ranks the results.
import type { Abi } from "../core/abi.ts";
import { check } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { OptionError, show } from "../core/errors.ts";
import { validLengths } from "../core/invalid.ts";
import { type LengthsInput, toLengths, USUAL, type VitTokens, vitTokens } from "../core/lengths.ts";
import { MAX_INT32, type NamesOf, OWN, onlyNames, SEED, type Spec, take } from "../core/options.ts";
import type { WorkerLike } from "../core/worker-like.ts";
import { ISF_OPTIONS } from "../pack/isf.ts";
import { SHAPE } from "../plan/samplers.ts";
import type { Candidate, Measured } from "./candidate.ts";
import type { OpenRunner, Task } from "./runner.ts";

/** Where a search looks, and what it may take. */
export interface SearchOptions {
  /** Data-parallel ranks to be balanced, 1 .. 2^31 - 1. */
  readonly ranks: number;
  /**
   * Samples per group on average: s for s .. s + 1, or [low, high]. Not needed by `scan` where a limit below is given.
   */
  readonly samplesPerGroup?: number | readonly [low: number, high: number];
  /** Most tiles a device can take in a group: no candidate has a larger maxVit (Q_v). */
  readonly maxVitLimit?: number;
  /** Most tokens a device can take in a group: no candidate has a larger maxTokens (Q_t). */
  readonly maxTokensLimit?: number;
  /** Most rounds of ISF (T), 1 .. 2^31 - 1. `scan` keeps the best of them, `reference` the last. Default: 50. */
  readonly rounds?: number;
  /**
   * Samples that the winner of `scan` may leave out as too large, 0 .. 2^31 - 1. Default: 0. `reference` takes the
   * published winner, whatever it leaves out, and not this option.
   */
  readonly maxLeftOut?: number;
  /**
   * How much more than the best groups / bound a winner's may be, 0 .. 1: more of it buys evenness with groups that are
   * less full. Default: 0.01.
   */
  readonly slack?: number;
  /** 0 .. 2^32 - 1. Default: 1024. */
  readonly seed?: number;
  /**
   * `scan` looks over the whole range that the window and the limits allow, then closer around what is best there.
   * `reference` walks as the published search does, one tile and one step of tokens at a time. Default: `scan`.
   */
  readonly strategy?: "scan" | "reference";
  /** Candidates that `scan` tries, 10 .. 100000. Default: 200. */
  readonly candidates?: number;
  /** Workers for `scan`, 0 .. 1024; 0: none, this instance does it. The result is the same. Default: one per processor, up to 8. */
  readonly workers?: number;
  /** Starts a worker that runs the package's `dist/workers/worker.js`, where that is not served as it stands. */
  readonly startWorker?: () => WorkerLike;
  /** Called after each candidate, in no order. What it throws ends the search. */
  readonly onProgress?: (progress: SearchProgress) => void;
  /** Ends the search, and its workers. */
  readonly signal?: AbortSignal;
}

/** The largest bound to look for: what a device can take. */
const LIMIT = { kind: "integer", low: 1, high: MAX_INT32 } as const satisfies Spec;

export const SEARCH_OPTIONS = {
  ranks: SHAPE.ranks,
  samplesPerGroup: { kind: "own", about: "samples in a group on average: N to N + 1, or LOW-HIGH" },
  maxVitLimit: { ...LIMIT, about: "no bound on tiles above this, such as what a device can take" },
  maxTokensLimit: { ...LIMIT, about: "the same for tokens" },
  rounds: { ...ISF_OPTIONS.rounds, about: "most rounds of ISF" },
  strategy: {
    kind: "choice",
    names: ["scan", "reference"],
    default: "scan",
    argument: "NAME",
    about: "scan: all that the window and the limits allow;\nreference: the published walk",
  },
  candidates: { kind: "integer", low: 10, high: 100_000, default: 200, about: "how many scan tries" },
  slack: {
    kind: "number",
    low: 0,
    high: 1,
    default: 0.01,
    argument: "RATIO",
    about: "how many more groups than the fewest a winner may have: 0.01 is 1 %",
  },
  maxLeftOut: {
    kind: "integer",
    low: 0,
    high: MAX_INT32,
    default: 0,
    about: "samples that the winner of scan may leave out as too large",
  },
  seed: SEED,
  workers: {
    kind: "integer",
    low: 0,
    high: 1024,
    about: "threads; the result does not depend on them",
    usual: "one for each processor, up to 8",
  },
  startWorker: OWN,
  onProgress: OWN,
  signal: OWN,
} as const satisfies NamesOf<SearchOptions, Spec>;

/** How far a search has come. */
export interface SearchProgress {
  /** Candidates tried. */
  readonly done: number;
  /** Candidates there may be in all; `reference` does not know: 0. */
  readonly total: number;
  /** What the candidate that was tried last gave. */
  readonly last: Measured;
}

/** Files that samples were read from, in their order, as `readLengths` lists them. */
export type SampleFiles = readonly { readonly path: string; readonly samples: number }[];

/** A sample, and where it is. */
export interface SampleAt {
  /** Among all samples. */
  readonly index: number;
  /** The file it is from, and its index in there, where the lengths have `files`. */
  readonly file?: { readonly path: string; readonly index: number };
  /** Its tiles. */
  readonly vit: number;
  /** Its tokens. */
  readonly tokens: number;
}

/** A candidate that was tried on all samples: pass it to `pack` as its options. */
export interface SearchRow extends Measured {
  /** Samples per group are in the window asked for. */
  readonly inWindow: boolean;
  /** No other row that may win is better in one of ratio, vitDist, tokenDist and as good in the others. */
  readonly pareto: boolean;
}

/** What a search found. */
export interface SearchResult {
  /** How it looked. */
  readonly strategy: "scan" | "reference";
  /** What to pack with; null when no candidate is in the window, or none that leaves out as few samples as asked. */
  readonly winner: SearchRow | null;
  /** All candidates tried on all samples: of `scan` best first, of `reference` in the order of its steps. */
  readonly candidates: readonly SearchRow[];
  /** Rows of the Pareto front of (ratio, vitDist, tokenDist), by ascending ratio. */
  readonly pareto: readonly SearchRow[];
  /** If there is no winner: the rows nearest to the window, nearest first. */
  readonly nearest: readonly SearchRow[];
  /** Why the winner won, or why there is none: one sentence. */
  readonly why: string;
  /** Candidates tried on a part of the samples only and not thought worth more. */
  readonly pruned: number;
  /** Workers that were used. */
  readonly workers: number;
  /** The sample that needs the largest bounds, beside the limits or, within them, beside the mean; null when there is none. */
  readonly largest: SampleAt | null;
  /** The most tiles and the most tokens of a sample: bounds from there on, and from 1, hold every sample. */
  readonly needed: { readonly maxVit: number; readonly maxTokens: number };
  /** Samples beyond the limits: every candidate leaves them out. */
  readonly beyondLimits: number;
}

interface Resolved {
  readonly ranks: number;
  /** Samples per group; undefined: any. */
  readonly window: readonly [number, number] | undefined;
  readonly maxVit: number;
  readonly maxTokens: number;
  readonly rounds: number;
  /** undefined: as few as any candidate in the window does. */
  readonly maxLeftOut: number | undefined;
  readonly slack: number;
  readonly seed: number;
  readonly budget: number;
}

function resolveWindow(asked: unknown): readonly [number, number] {
  const [low, high]: unknown[] = Array.isArray(asked) ? asked : [asked, Number(asked) + 1];
  if (
    typeof low === "number" &&
    typeof high === "number" &&
    low > 0 &&
    low <= high &&
    high < Number.POSITIVE_INFINITY
  ) {
    return [low, high];
  }
  throw new OptionError(
    "INVALID_OPTION",
    `samplesPerGroup is ${show(asked)}, expected a number above 0, or [low, high]`,
  );
}

function resolve(options: SearchOptions, strategy: "scan" | "reference"): Resolved {
  const { samplesPerGroup, maxVitLimit, maxTokensLimit, maxLeftOut } = options;
  if (strategy === "reference" && maxLeftOut !== undefined) {
    throw new OptionError("INVALID_OPTION", "maxLeftOut is given, expected none for strategy reference");
  }
  const free = samplesPerGroup === undefined && strategy === "scan";
  if (free && maxVitLimit === undefined && maxTokensLimit === undefined) {
    throw new OptionError("INVALID_OPTION", "one of samplesPerGroup, maxVitLimit and maxTokensLimit is needed");
  }
  return {
    ranks: take(SEARCH_OPTIONS, "ranks", options),
    window: free ? undefined : resolveWindow(samplesPerGroup),
    maxVit: take(SEARCH_OPTIONS, "maxVitLimit", options, MAX_INT32),
    maxTokens: take(SEARCH_OPTIONS, "maxTokensLimit", options, MAX_INT32),
    rounds: take(SEARCH_OPTIONS, "rounds", options),
    maxLeftOut: strategy === "scan" ? take(SEARCH_OPTIONS, "maxLeftOut", options) : undefined,
    slack: take(SEARCH_OPTIONS, "slack", options),
    seed: take(SEARCH_OPTIONS, "seed", options),
    budget: take(SEARCH_OPTIONS, "candidates", options),
  };
}

/** "sample 9 (2 of b.json) with 5 tiles and 1341 tokens" */
export function sampleText({ index, file, vit, tokens }: SampleAt): string {
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  const where =
    file === undefined ? "" : file.index === index ? ` of ${file.path}` : ` (${file.index} of ${file.path})`;
  return `sample ${index}${where} with ${count(vit, "tile")} and ${count(tokens, "token")}`;
}

/** With more samples than this, candidates are tried on a part of them first. */
const WHOLE = 100_000;
/** The ints of a candidate as the core hands it out. */
const CANDIDATE_INTS = 6;
const TEXT_ROOM = 1 << 16;
/** Statuses are negated above this, addresses are below it. */
const STATUS = -64;

/** The lists of rows that the core keeps. */
const ALL = 0;
const PARETO = 1;
const NEAREST = 2;
const WINNER = 3;

/** The samples that most candidates are tried on where there are very many. */
export function thin(core: Core, { vit, tokens }: VitTokens): VitTokens {
  const { abi } = core;
  const top = abi.mark();
  const count = abi.searchPartSamples();
  const at = core.alloc(count * 4, vit.length);
  abi.searchPart(vit.length, at);
  const part = core.int32(at, count).slice();
  abi.release(top);
  return { vit: part.map((i) => vit[i]), tokens: part.map((i) => tokens[i]) };
}

/** The search in the core's arena. */
class Conversation {
  readonly #core: Core;
  readonly #abi: Abi;
  readonly #at: number;
  readonly #resolved: Resolved;

  constructor(
    core: Core,
    lengths: VitTokens,
    strategy: "scan" | "reference",
    resolved: Resolved,
    files: SampleFiles,
    numbers: Int32Array | undefined,
  ) {
    const { abi } = core;
    const n = lengths.vit.length;
    const [low, high] = resolved.window ?? [0, 0];
    const at = abi.searchBegin(
      core.copyIn(lengths.vit, n),
      core.copyIn(lengths.tokens, n),
      n,
      strategy === "scan" ? 0 : 1,
      resolved.ranks,
      low,
      high,
      resolved.maxVit,
      resolved.maxTokens,
      resolved.rounds,
      resolved.maxLeftOut ?? 0,
      resolved.slack,
      resolved.budget,
    );
    if (at < 0 && at > STATUS) check(abi, -at, n, (load, i) => lengths[load as "vit" | "tokens"][i]);
    this.#core = core;
    this.#abi = abi;
    this.#at = at;
    this.#resolved = resolved;
    if (n > 0) this.#nameFile(files, numbers);
  }

  /** Tells the core which file the largest sample is from. */
  #nameFile(files: SampleFiles, numbers: Int32Array | undefined): void {
    const largest = this.#abi.searchLargest(this.#at);
    let index = numbers === undefined ? largest : numbers[largest];
    this.#abi.searchSkip(this.#at, index - largest);
    for (const { path, samples } of files) {
      if (index >= samples) {
        index -= samples;
        continue;
      }
      if (path === "-") return;
      const name = new TextEncoder().encode(path);
      const at = this.#core.alloc(name.length, samples);
      this.#core.bytes(at, name.length).set(name);
      this.#abi.searchFile(this.#at, at, name.length, index);
      return;
    }
  }

  /** How many candidates there may be in all; 0 if it is not known. */
  get total(): number {
    return this.#abi.searchTotal(this.#at);
  }

  /** The candidates to be tried next; none at the end. */
  ask(): Task[] {
    const { seed, ranks } = this.#resolved;
    const count = this.#abi.searchAsk(this.#at);
    const ints = this.#core.int32(this.#abi.searchCandidates(this.#at), count * CANDIDATE_INTS);
    return Array.from({ length: count }, (_, id) => {
      const at = id * CANDIDATE_INTS;
      const [set, maxVit, maxTokens, minTokens, rounds, published] = ints.subarray(at, at + CANDIDATE_INTS);
      const candidate: Candidate = { maxVit, maxTokens, minTokens, rounds, seed, ranks, published: published === 1 };
      return { set, candidate };
    });
  }

  tell(id: number, row: Measured, samples: number): void {
    const { rounds, groups, bound, leftOut, pad, vitDist, tokenDist, attentionDist } = row;
    const inGroups = samples - leftOut;
    const figures = [pad, vitDist, tokenDist, attentionDist] as const;
    const status = this.#abi.searchTell(this.#at, id, rounds, groups, bound, inGroups, leftOut, ...figures);
    check(this.#abi, status, samples, () => undefined);
  }

  /** Ranks the rows, and hands them over. */
  finish(strategy: "scan" | "reference", workers: number): SearchResult {
    const abi = this.#abi;
    const at = this.#at;
    const rows = Array.from({ length: abi.searchFinish(at) }, (_, i) => this.#row(i));
    const list = (which: number) =>
      Array.from(this.#core.int32(abi.searchList(at, which), abi.searchCount(at, which)), (i) => rows[i]);
    const text = this.#text();
    const { largest, needed, beyondLimits } = text;
    return {
      strategy,
      winner: list(WINNER)[0] ?? null,
      candidates: list(ALL),
      pareto: list(PARETO),
      nearest: list(NEAREST),
      why: text.why,
      pruned: abi.searchPruned(at),
      workers,
      ...{ largest, needed, beyondLimits },
    };
  }

  /** The end of the text, which holds what is not of one row. */
  #text(): Pick<SearchResult, "why" | "largest" | "needed" | "beyondLimits"> {
    let tail = "";
    for (const piece of this.pieces()) tail = (tail + new TextDecoder().decode(piece)).slice(-2 * 4096);
    return JSON.parse(`{${tail.slice(tail.lastIndexOf('"why":'))}`);
  }

  /** The whole as one line of JSON. */
  *pieces(): Generator<Uint8Array, void, void> {
    const abi = this.#abi;
    const top = abi.mark();
    const out = this.#core.alloc(TEXT_ROOM, 0);
    abi.searchTextBegin();
    for (;;) {
      const size = abi.searchText(this.#at, out, TEXT_ROOM, this.#resolved.seed | 0);
      if (size === 0) break;
      yield this.#core.bytes(out, size).slice();
    }
    abi.release(top);
  }

  #row(i: number): SearchRow {
    const at = this.#abi.searchRow(this.#at, i) >>> 0;
    const [maxVit, maxTokens, minTokens, rounds, groups, bound, , leftOut] = this.#core.int32(at, 8);
    const [ratio, samplesPerGroup, pad, vitDist, tokenDist, attentionDist, score, distance] = this.#core.float64(
      at + 32,
      8,
    );
    const { seed } = this.#resolved;
    return {
      ...{ maxVit, maxTokens, minVit: maxVit, minTokens, rounds, seed, groups, bound, ratio, samplesPerGroup, leftOut },
      ...{ pad, vitDist, tokenDist, attentionDist, score },
      inWindow: distance === 0,
      pareto: this.#core.int32(at + 100, 1)[0] === 1,
    };
  }
}

/** The body of `Omnibal.search`; `open` makes what tries the candidates. */
export async function search(
  core: Core,
  input: LengthsInput,
  options: SearchOptions,
  open: OpenRunner,
): Promise<SearchResult> {
  onlyNames("search", options, SEARCH_OPTIONS);
  const { lengths: valid, numbers } = validLengths(toLengths(input, USUAL));
  const lengths = vitTokens(valid);
  const { files = [] } = input as { readonly files?: SampleFiles };
  const strategy = take(SEARCH_OPTIONS, "strategy", options);
  const resolved = resolve(options, strategy);
  const asked = options.workers === undefined ? undefined : take(SEARCH_OPTIONS, "workers", options);
  options.signal?.throwIfAborted();
  const n = lengths.vit.length;
  // Its state has to outlive other calls on this core, which come and go in between.
  const own = core.module === undefined ? core : core.another();
  const top = own.abi.mark();
  try {
    const conversation = new Conversation(own, lengths, strategy, resolved, files, numbers);
    const sets: { vit: Int32Array; tokens: Int32Array }[] =
      strategy === "scan" && n > WHOLE ? [{ ...lengths }, { ...thin(own, lengths) }] : [{ ...lengths }];
    // A worker takes longer to start than a small search does, and a walk has one candidate at a time.
    const small = asked === undefined && n * resolved.budget < 4_000_000;
    const runner = await open(sets, small || strategy === "reference" ? 0 : asked);
    try {
      let done = 0;
      const { total } = conversation;
      for (let tasks = conversation.ask(); tasks.length > 0; tasks = conversation.ask()) {
        const onDone = (last: Measured) => options.onProgress?.({ done: ++done, total, last });
        const rows = await runner.run(tasks, onDone, options.signal);
        for (const [id, row] of rows.entries()) conversation.tell(id, row, sets[tasks[id].set].vit.length);
      }
      return conversation.finish(strategy, runner.size);
    } finally {
      runner.close();
    }
  } finally {
    own.abi.release(top);
  }
}
