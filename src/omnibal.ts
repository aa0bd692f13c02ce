import { type Abi, check, outOfMemory } from "./core/abi.ts";
import { OptionError, RuntimeError } from "./core/errors.ts";
import { type Lengths, type LengthsInput, toLengths } from "./core/lengths.ts";
import { integer, MAX_INT32, MAX_UINT32, oneOf } from "./core/options.ts";
import { imports } from "./core/wasi.ts";
import { GroupsIdentity, type PackingMade, type PackingSettings, packingMade } from "./pack/made.ts";
import { Packing, type PackingBounds, type PackMethod } from "./pack/packing.ts";
import type { LengthStats } from "./pack/stats.ts";
import { makePacker, type Packer, type PackerOptions, restorePacker } from "./pack/stream.ts";
import {
  type EvaluateOptions,
  type Evaluation,
  evaluateOrder,
  evaluateParts,
  groupAttention,
  type PlanOrder,
} from "./plan/evaluate.ts";
import { type BalancedPlanOptions, type Plan, planEpoch } from "./plan/plan.ts";
import {
  beginUnits,
  type GroupLoads,
  type GroupLoadsInput,
  makePlan,
  RankSampler,
  resolvePlan,
  type SamplerOptions,
  type SpGroups,
  takeShare,
  takeSpGroups,
  toParts,
} from "./plan/samplers.ts";
import { type SearchOptions, type SearchResult, search } from "./search/search.ts";
import { type PackAsyncOptions, packInBackground } from "./workers/background.ts";

/** How far a packing has come. */
export interface PackProgress {
  /** Share of the work that is done, 0 .. 1, never falling: for ISF rounds of those at most, for `balanced` an estimate. */
  readonly done: number;
  readonly samples: number;
  /** Groups there would be if it ended now; 0 while `balanced` has none yet. */
  readonly groups: number;
}

/** How far ISF has come, after each round. */
export interface RoundInfo extends PackProgress {
  /** Rounds done, 1 .. rounds. */
  readonly round: number;
  readonly rounds: number;
  /** Samples whose group was not full enough: the next round draws them again. */
  readonly loose: number;
}

/** What both methods take. */
export interface CommonPackOptions {
  /** Most tiles in a group (paper: Q_v), 1 .. 2^31 - 1. */
  readonly maxVit: number;
  /** Most tokens in a group (Q_t), 1 .. 2^31 - 1. */
  readonly maxTokens: number;
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
  /** Looked at before each piece of the work. */
  readonly signal?: AbortSignal;
}

export interface IsfOptions extends CommonPackOptions {
  readonly method?: "isf";
  /** A group with so many tiles is full (Q'_v). Default: maxVit. */
  readonly minVit?: number;
  /** A group with so many tokens is full (Q'_t). Default: maxTokens - 128, at least 0. */
  readonly minTokens?: number;
  /** Rounds of ISF at most (T), 1 .. 2^31 - 1; it ends sooner when every group is full. Default: 50. */
  readonly rounds?: number;
  /** Called after each round; what it throws ends the packing. */
  readonly onRound?: (info: RoundInfo) => void;
}

export interface BalancedOptions extends CommonPackOptions {
  readonly method: "balanced";
  /** 0 quick, 1 normal, 2 long, 3 very long: 2 may take 10 times as long as 1 to save a few groups. Default: 1. */
  readonly effort?: number;
}

/** Options of one method are refused by the other. */
export type PackOptions = IsfOptions | BalancedOptions;

/** Lower bounds on the number of groups, each one by itself. */
export interface LowerBound {
  /** The larger of the sums of vit and of tokens over their bounds, rounded up. */
  readonly linear: number;
  /** What the multisets of vit values that fit a group allow (Gilmore and Gomory's linear programme). */
  readonly pattern: number;
  /** What samples above half of a bound allow, on the load where it is more (Martello and Toth's L2). */
  readonly half: number;
  /** The largest of them. */
  readonly best: number;
}

/** Samples per call into the core: a buffer that stays in the second-level cache. */
const PIECE = 16384;

/** Bytes of text taken out of the core at a time. */
const TEXT_ROOM = 65536;

/** What a packing can be as text, in the core's order. */
const TEXT_FORMATS = ["json", "jsonl", "head"] as const;

const METHODS = ["isf", "balanced"] as const satisfies readonly PackMethod[];

/** What a method does not take. */
const FOREIGN_OPTIONS: Record<PackMethod, readonly string[]> = {
  isf: ["effort"],
  balanced: ["minVit", "minTokens", "rounds", "onRound"],
};

function resolveCommon(options: CommonPackOptions, lowerBound: "linear" | "tight") {
  return {
    maxVit: integer("maxVit", options.maxVit, 1, MAX_INT32),
    maxTokens: integer("maxTokens", options.maxTokens, 1, MAX_INT32),
    seed: integer("seed", options.seed ?? 1024, 0, MAX_UINT32),
    lowerBound: oneOf("lowerBound", options.lowerBound ?? lowerBound, ["linear", "tight"]),
  };
}

/** The value at an index, for messages. */
function seenIn(samples: Lengths): (field: "vit" | "tokens", at: number) => number {
  return (field, at) => samples[field][at];
}

/** One instance of the core. Calls run to their end one after another; for parallel work make several. */
export class Omnibal {
  /** The raw exports, for what the facade does not offer. */
  readonly abi: Abi;
  /** What `abi` is an instance of, for workers and packers of streams to make their own; `load` and `loadSync` know it. */
  readonly module: WebAssembly.Module | undefined;
  #busy = false;

  constructor(abi: Abi, module?: WebAssembly.Module) {
    this.abi = abi;
    this.module = module;
  }

  /**
   * Packs samples into groups: vit <= maxVit and tokens <= maxTokens in every group, each sample in one group or, when it
   * is beyond a bound, in `oversize`. The same input, options and seed give the same groups on every host.
   *
   * `isf` (paper, Algorithm 1) makes the groups of the published code, bit for bit: O(samples) per round, 24 bytes per
   * sample at most (32 where the bounds need more than 30 bits). `balanced` makes fewer, close to the lower bound, in a
   * few times the time of 50 rounds: O(samples) but for a part that does not grow with them, about 45 bytes per sample.
   *
   * @throws InputError for lengths, OptionError for options, RuntimeError OUT_OF_MEMORY; the signal's reason.
   */
  pack(lengths: LengthsInput, options: PackOptions): Packing {
    const steps = this.packInRounds(lengths, options);
    let step = steps.next();
    while (!step.done) step = steps.next();
    return step.value;
  }

  /**
   * `pack`, handing over after each round of ISF or piece of `balanced` (some milliseconds), so that a host can do
   * something else in between. The instance is at work until the last one is done or `return()` is called, as
   * `for ... of` does.
   *
   * @throws as `pack`, at the first `next()`.
   */
  packInRounds(lengths: LengthsInput, options: IsfOptions): Generator<RoundInfo, Packing, void>;
  packInRounds(lengths: LengthsInput, options: PackOptions): Generator<PackProgress, Packing, void>;
  *packInRounds(lengths: LengthsInput, options: PackOptions): Generator<PackProgress, Packing, void> {
    const samples = toLengths(lengths);
    const method = oneOf("method", options.method ?? "isf", METHODS);
    for (const name of FOREIGN_OPTIONS[method]) {
      if ((options as unknown as Record<string, unknown>)[name] === undefined) continue;
      throw new OptionError("INVALID_OPTION", `${name} is given, expected none for method ${method}`);
    }
    const top = this.#enter();
    try {
      return options.method === "balanced"
        ? yield* this.#balanced(samples, options)
        : yield* this.#isf(samples, options);
    } finally {
      this.#leave(top);
    }
  }

  *#isf(samples: Lengths, options: IsfOptions): Generator<RoundInfo, Packing, void> {
    const common = resolveCommon(options, "linear");
    const { maxVit, maxTokens, seed } = common;
    const minVit = integer("minVit", options.minVit ?? maxVit, 0, MAX_INT32);
    const minTokens = integer("minTokens", options.minTokens ?? Math.max(maxTokens - 128, 0), 0, MAX_INT32);
    const rounds = integer("rounds", options.rounds ?? 50, 1, MAX_INT32);
    const { abi } = this;
    const n = samples.vit.length;
    const seen = seenIn(samples);
    const tight = common.lowerBound === "tight" ? this.#lowerBound(samples, maxVit, maxTokens).best : undefined;
    check(abi, abi.isfBegin(n, maxVit, maxTokens, minVit, minTokens, seed), n, seen);
    this.#feed(samples, (vitAt, tokensAt, count) => {
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
    const bounds = { maxVit, maxTokens, minVit, minTokens };
    const settings = { min: { vit: minVit, tokens: minTokens }, rounds };
    return this.#takePacking(samples, bounds, "isf", round, tight ?? abi.packingBound(), { seed, ...settings });
  }

  *#balanced(samples: Lengths, options: BalancedOptions): Generator<PackProgress, Packing, void> {
    const { maxVit, maxTokens, seed, lowerBound } = resolveCommon(options, "tight");
    const effort = integer("effort", options.effort ?? 1, 0, 3);
    const { abi } = this;
    const n = samples.vit.length;
    const seen = seenIn(samples);
    const vitAt = this.#copyIn(samples.vit, n);
    const tokensAt = this.#copyIn(samples.tokens, n);
    check(abi, abi.balancedBegin(vitAt, tokensAt, n, maxVit, maxTokens, seed, effort), n, seen);
    let done = 0;
    for (let left = 1000; left > 0; ) {
      options.signal?.throwIfAborted();
      left = abi.balancedStep();
      if (left < 0) check(abi, -left, n, seen);
      done = Math.max(done, 1 - left / 1000);
      const progress = { done, samples: n, groups: abi.balancedGroups() };
      options.onProgress?.(progress);
      yield progress;
    }
    if (lowerBound === "tight") check(abi, abi.lowerBound(vitAt, tokensAt, n, maxVit, maxTokens), n, seen);
    const least = lowerBound === "tight" ? this.#takeBound().best : abi.packingBound();
    const bounds = { maxVit, maxTokens, minVit: maxVit, minTokens: maxTokens };
    return this.#takePacking(samples, bounds, "balanced", 0, least, { seed, effort });
  }

  /**
   * Lower bounds on the number of groups of any packing of these samples, those beyond a bound left out. O(samples), 8
   * bytes per sample and 1 MB.
   *
   * @throws InputError for lengths, OptionError for bounds out of 1 .. 2^31 - 1, RuntimeError OUT_OF_MEMORY.
   */
  lowerBound(lengths: LengthsInput, options: Pick<CommonPackOptions, "maxVit" | "maxTokens">): LowerBound {
    const samples = toLengths(lengths);
    const maxVit = integer("maxVit", options.maxVit, 1, MAX_INT32);
    const maxTokens = integer("maxTokens", options.maxTokens, 1, MAX_INT32);
    return this.#exclusive(() => this.#lowerBound(samples, maxVit, maxTokens));
  }

  #lowerBound(samples: Lengths, maxVit: number, maxTokens: number): LowerBound {
    const { abi } = this;
    const n = samples.vit.length;
    const top = abi.mark();
    const vitAt = this.#copyIn(samples.vit, n);
    const tokensAt = this.#copyIn(samples.tokens, n);
    check(abi, abi.lowerBound(vitAt, tokensAt, n, maxVit, maxTokens), n, seenIn(samples));
    abi.release(top);
    return this.#takeBound();
  }

  #takeBound(): LowerBound {
    const linear = this.abi.linearBound() >>> 0;
    const pattern = this.abi.patternBound() >>> 0;
    const half = this.abi.halfBound() >>> 0;
    return { linear, pattern, half, best: Math.max(linear, pattern, half) };
  }

  /**
   * What a packing was made of: fingerprints of its samples' loads and of its groups, and what it was made with. Files
   * carry it, so that readers can refuse other samples. O(samples), 3 ns each for the groups and 2 for each load; can be
   * called at any time, from callbacks too.
   *
   * @throws RuntimeError OUT_OF_MEMORY.
   */
  made(packing: Packing): PackingMade {
    return packingMade(this.abi, packing);
  }

  /**
   * A packing as text, in pieces of at most 64 KB: `json` is one object, `jsonl` a line that says what the packing was
   * made of, one per group and one for the oversize samples; `head` is the object of `json` without groups and oversize
   * samples. docs/formats.md describes them. The same packing gives the same bytes on every host. The instance is at work
   * until the last piece.
   *
   * @throws RuntimeError OUT_OF_MEMORY when the packing does not fit the core's memory: 4 bytes per sample, 12 per group.
   */
  *packingText(packing: Packing, format: "json" | "jsonl" | "head"): Generator<Uint8Array, void, void> {
    const { abi } = this;
    const n = packing.indices.length + packing.oversize.length;
    const top = this.#enter();
    try {
      const made = new TextEncoder().encode(JSON.stringify(this.made(packing)));
      const madeAt = this.#alloc(made.length, n);
      new Uint8Array(abi.memory.buffer, madeAt, made.length).set(made);
      const out = this.#alloc(TEXT_ROOM, n);
      const status = abi.textBegin(
        TEXT_FORMATS.indexOf(oneOf("format", format, TEXT_FORMATS)),
        this.#copyIn(packing.offsets, n),
        this.#copyIn(packing.indices, n),
        this.#copyIn(packing.vit, n),
        this.#copyIn(packing.tokens, n),
        packing.length,
        this.#copyIn(packing.oversize, n),
        packing.oversize.length,
        packing.bounds.maxVit,
        packing.bounds.maxTokens,
        packing.bound,
        packing.rounds,
        packing.mix ?? -1,
        madeAt,
        made.length,
      );
      check(abi, status, n, () => undefined);
      for (let size = abi.textWrite(out, TEXT_ROOM); size > 0; size = abi.textWrite(out, TEXT_ROOM)) {
        yield new Uint8Array(abi.memory.buffer, out, size).slice();
      }
    } finally {
      this.#leave(top);
    }
  }

  /** Figures of samples that are to be packed, as the line of JSON that the core writes: the same on every host. */
  statsText(lengths: LengthsInput): string {
    const { vit, tokens } = toLengths(lengths);
    const { abi } = this;
    const n = vit.length;
    const top = this.#enter();
    try {
      const status = abi.statsLook(this.#copyIn(vit, n), this.#copyIn(tokens, n), n);
      check(abi, status, n, (field, at) => (field === "vit" ? vit : tokens)[at]);
      const out = this.#alloc(TEXT_ROOM, n);
      return new TextDecoder().decode(new Uint8Array(abi.memory.buffer, out, abi.statsWrite(out, TEXT_ROOM)));
    } finally {
      this.#leave(top);
    }
  }

  /** Figures of samples that are to be packed: percentiles, means and a histogram. O(samples). @throws InputError */
  stats(lengths: LengthsInput): LengthStats {
    return JSON.parse(this.statsText(lengths)) as LengthStats;
  }

  /**
   * `pack` in a worker of its own, so that the caller's thread stays free: in a browser the page goes on, and an abort
   * takes effect at once. `onRound` is called on the caller's thread.
   *
   * @throws as `pack`; RuntimeError LOAD_FAILED when the worker is ended by others.
   */
  packAsync(lengths: LengthsInput, options: PackAsyncOptions): Promise<Packing> {
    return packInBackground(this, lengths, options);
  }

  /**
   * How even the ranks' loads are over one epoch of a sampler, of one packing or of one per data group. A `Packing` has
   * the sums that attention needs; one read back from a file gets them from `lengths`.
   * O(groups) and a sort, 60 bytes per group.
   *
   * @throws InputError for loads, OptionError for options, RuntimeError OUT_OF_MEMORY.
   */
  evaluate(packings: GroupLoadsInput, options: EvaluateOptions): Evaluation {
    return this.#exclusive(() => {
      let parts = toParts(packings);
      const { lengths } = options;
      if (lengths !== undefined) {
        const [part] = parts;
        if (parts.length !== 1 || !(part instanceof Packing)) {
          throw new OptionError("INVALID_OPTION", `lengths are for one packing, there are ${parts.length} data groups`);
        }
        parts = [{ ...part, attention: part.attention ?? groupAttention(this.abi, part, lengths) }];
      }
      return evaluateParts(this.abi, parts, options);
    });
  }

  /**
   * `evaluate` for an order of steps that is given: a `Plan` of these groups, or one from elsewhere.
   *
   * @throws InputError for loads, or an order that is not of these groups; OptionError; RuntimeError OUT_OF_MEMORY.
   */
  evaluatePlan(packings: GroupLoadsInput, plan: PlanOrder): Evaluation {
    const parts = toParts(packings);
    return this.#exclusive(() => evaluateOrder(this.abi, parts, plan));
  }

  /**
   * One rank's batches of groups, over one packing or one per data group: every group is handed out once per epoch,
   * but for what the tail rule drops or repeats, and every rank has the same number of steps. The order changes each
   * epoch and is the same on every rank's machine. O(groups) and a sort per epoch; 4 bytes per batch and group are kept.
   *
   * @throws InputError for loads, OptionError for options, RuntimeError OUT_OF_MEMORY; so do `seek` and `resume`.
   */
  sampler(packings: GroupLoadsInput, options: SamplerOptions): RankSampler {
    const parts = toParts(packings);
    const plan = resolvePlan(options);
    const rank = integer("rank", options.rank, 0, plan.ranks - 1);
    let sp: Int32Array | undefined;
    if (plan.spSize > 1) {
      sp = this.#exclusive(() => {
        beginUnits(this.abi, parts, plan.spSize);
        return this.#copy(this.abi.unitGroups(), this.abi.unitCount() * plan.spSize);
      });
    }
    return new RankSampler(
      (epoch, from) =>
        this.#exclusive(() => {
          beginUnits(this.abi, parts, plan.spSize);
          const first = makePlan(this.abi, plan, epoch, from);
          return takeShare(this.abi, plan, rank, from, from - first);
        }),
      new GroupsIdentity(this.abi, parts),
      plan,
      parts.map((part) => part.length),
      sp,
      { rank, epoch: options.epoch ?? 0, step: options.step ?? 0 },
    );
  }

  /**
   * Sequence-parallel groups of one packing: sorted by (tokens, index) and cut into runs of spSize; the last run is
   * filled by repeating groups from the front, as often as it takes. The packing is not changed. O(groups log groups).
   *
   * @throws InputError for loads, OptionError for spSize out of 2 .. 2^31 - 1, RuntimeError OUT_OF_MEMORY.
   */
  spGroups(packing: GroupLoads, spSize: number): SpGroups {
    const size = integer("spSize", spSize, 2, MAX_INT32);
    return this.#exclusive(() => {
      beginUnits(this.abi, toParts(packing), size);
      return takeSpGroups(this.abi, packing, size);
    });
  }

  /**
   * Finds bounds to pack with: (maxVit, maxTokens, minTokens, rounds) (paper: Q_v, Q_t, Q'_t, T; Q'_v = Q_v) for which
   * pad + vitDist + tokenDist over a random order is least, among those with as few groups as can be. It always ends;
   * samples left out are counted for every candidate. O(candidates x samples x rounds), on workers where there are
   * such; beyond 100,000 samples most candidates are tried on 40,000 of them only. The same result for the same
   * arguments, whatever the workers.
   *
   * @throws InputError for lengths, OptionError for options, RuntimeError OUT_OF_MEMORY; the signal's reason.
   */
  async search(lengths: LengthsInput, options: SearchOptions): Promise<SearchResult> {
    return search(this, toLengths(lengths), options);
  }

  /**
   * Plans one epoch of one packing, or of one per data group: steps in which all ranks have alike tiles and tokens (and
   * attention, or cost, if asked for), in random order, the ranks dealt at random. The same options give the same plan
   * for ever. O(groups log steps), 130 bytes per group.
   *
   * @throws InputError for loads, OptionError for options, RuntimeError OUT_OF_MEMORY.
   */
  plan(packings: GroupLoadsInput, options: BalancedPlanOptions): Plan {
    const parts = toParts(packings);
    return this.#exclusive(() => planEpoch(this.abi, parts, options));
  }

  /**
   * A packer for samples that arrive one after another, or that do not fit: O(buffer) memory. It has an instance of the
   * core for itself, so that any number of them, and this one's other calls, go on side by side. Browsers instantiate
   * without waiting on the main thread what is small, as this module is, or else in workers.
   *
   * @throws OptionError for options, RuntimeError OUT_OF_MEMORY; LOAD_FAILED when this was made of exports alone.
   */
  packer(options: PackerOptions): Packer {
    return makePacker(this.#another(), options);
  }

  /**
   * A packer that goes on where the one saved in `bytes` stood. Only the build that saved them takes them. Of `expected`,
   * what is given must be what the packer was made with.
   *
   * @throws InputError INVALID_STATE for bytes that another build saved, that are cut short or altered, or that are of
   *   other options than expected; RuntimeError as `packer` does.
   */
  loadPacker(bytes: Uint8Array, expected: Partial<PackerOptions> = {}): Packer {
    return restorePacker(this.#another(), bytes, expected);
  }

  /** The exports of another instance of the same module. */
  #another(): Abi {
    if (this.module === undefined) {
      throw new RuntimeError("LOAD_FAILED", "a packer needs the compiled module: make this with load or loadSync");
    }
    try {
      return new WebAssembly.Instance(this.module, imports()).exports as unknown as Abi;
    } catch (error) {
      throw new RuntimeError("OUT_OF_MEMORY", `no room for another instance: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** Copies the core's packing out. */
  #takePacking(
    lengths: Lengths,
    bounds: PackingBounds,
    method: PackMethod,
    rounds: number,
    bound: number,
    settings: PackingSettings,
  ): Packing {
    const { abi } = this;
    const mix = abi.packingMix();
    const groups = abi.packingGroups();
    const offsets = this.#copy(abi.packingOffsets(), groups + 1);
    return new Packing({
      offsets,
      indices: this.#copy(abi.packingOrder(), offsets[groups]),
      vit: this.#copy(abi.packingVit(), groups),
      tokens: this.#copy(abi.packingTokens(), groups),
      attention: new Float64Array(abi.memory.buffer, abi.packingAttention() >>> 0, groups).slice(),
      oversize: this.#copy(abi.packingOversize(), abi.packingOversizeCount()),
      bounds,
      bound,
      rounds,
      method,
      mix: mix < 0 ? null : mix,
      settings: { bounds: { vit: bounds.maxVit, tokens: bounds.maxTokens }, method, ...settings },
      lengths,
    });
  }

  #alloc(bytes: number, samples: number): number {
    const at = bytes > MAX_UINT32 ? 0 : this.abi.alloc(bytes) >>> 0;
    if (at === 0) throw outOfMemory(samples);
    return at;
  }

  #copy(at: number, length: number): Int32Array {
    return new Int32Array(this.abi.memory.buffer, at >>> 0, length).slice();
  }

  /** Hands the lengths to `push` through a buffer in the core's memory, piece by piece. */
  #feed({ vit, tokens }: Lengths, push: (vit: number, tokens: number, count: number) => void): void {
    const vitAt = this.#alloc(PIECE * 8, vit.length);
    const tokensAt = vitAt + PIECE * 4;
    const buffer = new Int32Array(this.abi.memory.buffer, vitAt, PIECE * 2);
    for (let from = 0; from < vit.length; from += PIECE) {
      const end = Math.min(from + PIECE, vit.length);
      buffer.set(vit.subarray(from, end));
      buffer.set(tokens.subarray(from, end), PIECE);
      push(vitAt, tokensAt, end - from);
    }
  }

  #copyIn(values: Int32Array, samples: number): number {
    const at = this.#alloc(values.length * 4, samples);
    new Int32Array(this.abi.memory.buffer, at, values.length).set(values);
    return at;
  }

  /** Takes the instance; what is allocated from here on is freed by `#leave` of what this returns. */
  #enter(): number {
    if (this.#busy) {
      throw new RuntimeError("BUSY", "this instance is at work (a callback called it again): use another one");
    }
    this.#busy = true;
    return this.abi.mark();
  }

  #leave(top: number): void {
    this.#busy = false;
    this.abi.release(top);
  }

  /** Runs `work` alone on this instance, and frees all that it allocated in the core. */
  #exclusive<T>(work: () => T): T {
    const top = this.#enter();
    try {
      return work();
    } finally {
      this.#leave(top);
    }
  }
}
