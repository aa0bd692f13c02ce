import type { Abi } from "./core/abi.ts";
import type { Core, HasCore } from "./core/core.ts";
import type { LengthsInput } from "./core/lengths.ts";
import { loadCore, loadCoreSync, type WasmSource } from "./core/load.ts";
import type { LowerBound } from "./pack/find-lower-bound.ts";
import type { IsfOptions, RoundInfo } from "./pack/isf.ts";
import { type Bounds, type LowerBoundOptions, lowerBound, suitableBounds } from "./pack/lower-bound.ts";
import { type PackingMade, packingMade } from "./pack/made.ts";
import type { PackOptions } from "./pack/methods.ts";
import type { PackProgress } from "./pack/options.ts";
import { pack, packInRounds } from "./pack/pack.ts";
import type { Packing } from "./pack/packing.ts";
import { type LengthStats, stats, statsText } from "./pack/stats.ts";
import { loadPacker, type Packer, type PackerOptions, packer } from "./pack/stream.ts";
import { type EvaluateOptions, type Evaluation, evaluate, evaluatePlan, type PlanOrder } from "./plan/evaluate.ts";
import type { GroupLoads, GroupLoadsInput, VitTokenGroups } from "./plan/group-loads.ts";
import { type BalancedPlanOptions, type Plan, plan } from "./plan/plan.ts";
import { type RankSampler, type SamplerOptions, type SpGroups, sampler, spGroups } from "./plan/samplers.ts";
import { type EpochSearchOptions, type EpochSearchResult, searchEpoch } from "./search/epoch.ts";
import { type SearchOptions, type SearchResult, search } from "./search/search.ts";
import { type PackAsyncOptions, packInBackground } from "./workers/background.ts";
import { Pool } from "./workers/pool.ts";
import { type PackingTextFormat, packingText } from "./write/packing-text.ts";

/** One instance of the core, and every function of the package over it. It runs one call at a time; for parallel work make several. */
export class Omnibal implements HasCore {
  /** What the functions of the package take as their first argument. */
  readonly core: Core;

  /** Over a core that is at hand; `load` and `loadSync` make both. */
  constructor(core: Core) {
    this.core = core;
  }

  /** The raw exports, for what the facade does not offer. */
  get abi(): Abi {
    return this.core.abi;
  }

  /** What `abi` is an instance of: workers and packers of streams instantiate it again. `load` and `loadSync` set it. */
  get module(): WebAssembly.Module | undefined {
    return this.core.module;
  }

  /**
   * Packs samples into groups in which every load is within its bound, 1 to 8 loads: each sample is in one group or, when
   * it is beyond a bound, in `oversize`. The same input, options and seed give the same groups on every host.
   *
   * `isf` (paper, Algorithm 1) makes the groups of the published code, bit for bit, for vit and tokens: O(samples) per round,
   * 20 bytes per sample (28 where the bounds need more than 30 bits together, up to 140 for eight wide loads). `balanced` makes
   * fewer, close to the lower bound, in a few times the time of 50 rounds: O(samples) but for a part that does not grow with
   * them, about 45 bytes per sample. Its way follows from the data.
   *
   * @throws InputError for lengths, OptionError for options, EngineError OUT_OF_MEMORY; the signal's reason.
   */
  pack(lengths: LengthsInput, options: PackOptions): Packing {
    return pack(this.core, lengths, options);
  }

  /**
   * `pack` as a generator: it yields after each round of ISF or piece of `balanced` (some milliseconds), so that a host can
   * do something else in between. The instance is busy until the generator ends, or `return()` is called, as `for ... of`
   * does.
   *
   * @throws as `pack`, at the first `next()`.
   */
  packInRounds(lengths: LengthsInput, options: IsfOptions): Generator<RoundInfo, Packing, void>;
  packInRounds(lengths: LengthsInput, options: PackOptions): Generator<PackProgress, Packing, void>;
  packInRounds(lengths: LengthsInput, options: PackOptions): Generator<PackProgress, Packing, void> {
    return packInRounds(this.core, lengths, options);
  }

  /**
   * `pack` in a worker of its own, so that the caller's thread stays free: a page stays responsive, and an abort takes
   * effect at once. `onRound` is called on the caller's thread.
   *
   * @throws as `pack`; EngineError LOAD_FAILED when the worker ends before the packing is done.
   */
  packAsync(lengths: LengthsInput, options: PackAsyncOptions): Promise<Packing> {
    return packInBackground(this.core, lengths, options);
  }

  /**
   * Lower bounds on the number of groups of any packing of these samples, those beyond a bound left out, and which of them is
   * the best. O(samples), 4 to 64 bytes per sample and 1 MB.
   *
   * @throws InputError for lengths, OptionError for bounds, EngineError OUT_OF_MEMORY.
   */
  lowerBound(lengths: LengthsInput, options: LowerBoundOptions): LowerBound {
    return lowerBound(this.core, lengths, options);
  }

  /**
   * Bounds that suit the samples better than these: at most two pairs, none if these suit. Bounds do not suit if no packing
   * can fill one of them to 70 %, because the tokens per tile that they allow are far from those of the samples, or the
   * samples are too large to fill them. With an advised pair, ISF fills the bound that it fills less better than any packing
   * can within the given ones, tried on at most 100,000 samples. Every sample within the given bounds is within an advised
   * pair, and neither bound of it is more than four times as large. O(samples), 8 bytes per sample and 4 MB.
   *
   * @throws InputError for lengths, OptionError for bounds out of 1 .. 2^31 - 1, EngineError OUT_OF_MEMORY.
   */
  suitableBounds(lengths: LengthsInput, options: Bounds): Bounds[] {
    return suitableBounds(this.core, lengths, options);
  }

  /**
   * What a packing was made from: fingerprints of its samples' loads and of its groups, and the options. Files carry it, so
   * that readers can refuse other samples. O(samples): 3 ns each for the groups, and 2 for each load. It can be called at any
   * time, from callbacks too.
   *
   * @throws EngineError OUT_OF_MEMORY.
   */
  made(packing: Packing): PackingMade {
    return packingMade(this.core.abi, packing);
  }

  /**
   * A packing as text, in pieces of at most 64 KB: `json` is one object, `jsonl` a line that says what the packing was
   * made of, one per group and one for the oversize samples; `head` is the object of `json` without groups and oversize
   * samples. docs/formats.md describes them. The same packing gives the same bytes on every host. The instance is
   * busy until the last piece.
   *
   * @throws EngineError OUT_OF_MEMORY when the packing does not fit the core's memory: 4 bytes per sample, 12 per group;
   *   InputError for offsets that were changed since the packing was made.
   */
  packingText(packing: Packing, format: PackingTextFormat): Generator<Uint8Array, void, void> {
    return packingText(this.core, packing, format);
  }

  /** Figures of samples, as the line of JSON that the core writes: the same on every host. O(samples). @throws InputError */
  statsText(lengths: LengthsInput): string {
    return statsText(this.core, lengths);
  }

  /** Figures of samples: percentiles, means and a histogram. O(samples). @throws InputError */
  stats(lengths: LengthsInput): LengthStats {
    return stats(this.core, lengths);
  }

  /**
   * Plans one epoch of one packing, or of one per source: steps in which all ranks have nearly equal tiles and tokens
   * (and attention, or cost, if asked for), in random order, with groups dealt to ranks at random. The same options give the
   * same plan in every version. O(groups log steps), 130 bytes per group.
   *
   * @throws InputError for loads, OptionError for options, EngineError OUT_OF_MEMORY.
   */
  plan(packings: GroupLoadsInput, options: BalancedPlanOptions): Plan {
    return plan(this.core, packings, options);
  }

  /**
   * How even the ranks' loads are over one epoch of a sampler, over one packing or one per source. A `Packing` has the sums
   * that attention needs; for groups without them, give `lengths`.
   * O(groups) and a sort, 60 bytes per group.
   *
   * @throws InputError for loads, OptionError for options, EngineError OUT_OF_MEMORY.
   */
  evaluate(packings: GroupLoadsInput, options: EvaluateOptions): Evaluation {
    return evaluate(this.core, packings, options);
  }

  /**
   * `evaluate` for an order of steps that is given: a `Plan` of these groups, or one from elsewhere.
   *
   * @throws InputError for loads, or an order that is not of these groups; OptionError; EngineError OUT_OF_MEMORY.
   */
  evaluatePlan(packings: GroupLoadsInput, order: PlanOrder): Evaluation {
    return evaluatePlan(this.core, packings, order);
  }

  /**
   * One rank's batches of groups, over one packing or one per source: every group is handed out once per epoch,
   * except what the tail rule drops or repeats, and every rank has the same number of steps. The order changes each
   * epoch and is the same on every rank's machine. O(groups) and a sort per epoch; 4 bytes per batch and group are kept.
   *
   * @throws InputError for loads, OptionError for options, EngineError OUT_OF_MEMORY; so do `seek` and `resume`.
   */
  sampler(packings: GroupLoadsInput, options: SamplerOptions): RankSampler {
    return sampler(this.core, packings, options);
  }

  /**
   * Sequence-parallel groups of one packing: sorted by (tokens, index) and cut into runs of spSize; the last run is
   * filled by repeating groups from the front, as often as it takes. The packing is not changed. O(groups log groups).
   *
   * @throws InputError for loads, OptionError for spSize out of 2 .. 2^31 - 1, EngineError OUT_OF_MEMORY.
   */
  spGroups(packing: GroupLoads | VitTokenGroups, spSize: number): SpGroups {
    return spGroups(this.core, packing, spSize);
  }

  /**
   * Finds bounds to pack with: (maxVit, maxTokens, minTokens, rounds) (paper: Q_v, Q_t, Q'_t, T; Q'_v = Q_v) that
   * minimise pad + vitDist + tokenDist over a random order, among those with close to the fewest groups. It always ends, and
   * counts the samples that each candidate leaves out. O(candidates x samples x rounds), on workers where there are any;
   * beyond 100,000 samples most candidates are tried on 40,000 of them only. The same result for the same
   * arguments, whatever the workers.
   *
   * @throws InputError for lengths, OptionError for options, EngineError OUT_OF_MEMORY; the signal's reason.
   */
  async search(lengths: LengthsInput, options: SearchOptions): Promise<SearchResult> {
    return search(this.core, lengths, options, (sets, workers) =>
      Pool.open(this.core, sets, workers, options.startWorker),
    );
  }

  /**
   * Finds bounds and a method with which an epoch, planned by a cost, takes the least time, within the limits or the memory of
   * a device: never with a sample left out. The winner of `search` is one of the candidates. The same result for the same
   * arguments, whatever the workers.
   *
   * @throws InputError for lengths, OptionError for options, EngineError OUT_OF_MEMORY; the signal's reason.
   */
  async searchEpoch(lengths: LengthsInput, options: EpochSearchOptions): Promise<EpochSearchResult> {
    return searchEpoch(this.core, lengths, options, (sets, workers) =>
      Pool.open(this.core, sets, workers, options.startWorker),
    );
  }

  /**
   * A packer for samples of any loads that arrive one after another, or do not fit in memory: O(buffer) memory. Each packer has an
   * instance of the core to itself, so any number of them, and other calls of this one, go on side by side.
   *
   * @throws OptionError for options, EngineError OUT_OF_MEMORY; LOAD_FAILED when this was made of exports alone.
   */
  packer(options: PackerOptions): Packer {
    return packer(this.core, options);
  }

  /**
   * A packer that goes on where the one saved in `bytes` stood, with the same groups in every version: states carry a format
   * version. Options given in `expected` must be those that the packer was made with.
   *
   * @throws InputError INVALID_STATE for a state of another format version, bytes that are cut short or altered, or a
   *   state of other options than expected; EngineError as `packer` does.
   */
  loadPacker(bytes: Uint8Array, expected: Partial<PackerOptions> = {}): Packer {
    return loadPacker(this.core, bytes, expected);
  }
}

/**
 * An instance of the core, from the packaged module or from `source`.
 *
 * @throws EngineError LOAD_FAILED when the module cannot be fetched, or is not one of this package.
 */
export async function load(source?: WasmSource | Promise<WasmSource>): Promise<Omnibal> {
  return new Omnibal(await loadCore(source));
}

/** `load` for a module at hand, without waiting. Browsers allow it on the main thread for compiled modules only. @throws EngineError LOAD_FAILED */
export function loadSync(source: BufferSource | WebAssembly.Module): Omnibal {
  return new Omnibal(loadCoreSync(source));
}
