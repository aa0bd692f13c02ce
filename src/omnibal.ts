import { type ASUtil, instantiate, instantiateStreaming, instantiateSync } from "@assemblyscript/loader";
import { type Abi, check, outOfMemory } from "./abi.ts";
import { RuntimeError } from "./errors.ts";
import { type EvaluateOptions, type Evaluation, evaluateParts, groupAttention } from "./evaluate.ts";
import { type Lengths, type LengthsInput, toLengths } from "./lengths.ts";
import { integer, MAX_INT32, MAX_UINT32 } from "./options.ts";
import { makePacker, type Packer, type PackerOptions, restorePacker } from "./packer.ts";
import { Packing, type PackingBounds } from "./packing.ts";
import { type BalancedPlanOptions, type Plan, planEpoch } from "./plan.ts";
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
} from "./samplers.ts";
import type { LengthStats } from "./stats.ts";

/** How far a packing has come, after each round. */
export interface RoundInfo {
  /** Rounds done, 1 .. rounds. */
  readonly round: number;
  readonly rounds: number;
  readonly samples: number;
  /** Samples whose group was not full enough: the next round draws them again. */
  readonly loose: number;
  /** Groups there would be if this round were the last. */
  readonly groups: number;
}

export interface PackOptions {
  /** Most tiles in a group (paper: Q_v), 1 .. 2^31 - 1. */
  readonly maxVit: number;
  /** Most tokens in a group (Q_t), 1 .. 2^31 - 1. */
  readonly maxTokens: number;
  /** A group with so many tiles is full (Q'_v). Default: maxVit. */
  readonly minVit?: number;
  /** A group with so many tokens is full (Q'_t). Default: maxTokens - 128, at least 0. */
  readonly minTokens?: number;
  /** Rounds of ISF at most (T), 1 .. 2^31 - 1; it ends sooner when every group is full. Default: 50. */
  readonly rounds?: number;
  /** 0 .. 2^32 - 1; round r draws with seed + r - 1, mod 2^32. Default: 1024. */
  readonly seed?: number;
  /** Called after each round; what it throws ends the packing. */
  readonly onRound?: (info: RoundInfo) => void;
  /** Looked at between rounds. */
  readonly signal?: AbortSignal;
}

/** Where the module comes from: a URL or its response, its bytes, or the compiled module. */
export type WasmSource = URL | string | Response | BufferSource | WebAssembly.Module;

/** Samples per call into the core: a buffer that stays in the second-level cache. */
const PIECE = 16384;

/** Bytes of text taken out of the core at a time. */
const TEXT_ROOM = 65536;

/** One instance of the core. Calls run to their end one after another; for parallel work make several. */
export class Omnibal {
  /** The raw exports, for what the facade does not offer. */
  readonly abi: Abi;
  readonly #module: WebAssembly.Module | undefined;
  #busy = false;

  /** `module` is what packers of streams are instantiated from; without it there are none. */
  constructor(abi: Abi, module?: WebAssembly.Module) {
    this.abi = abi;
    this.#module = module;
  }

  /**
   * Packs samples into groups with ISF (paper, Algorithm 1): vit <= maxVit and tokens <= maxTokens in every group.
   * The groups are those of the published code, bit for bit; samples beyond a bound come back in `oversize`.
   * O(samples) per round; 24 bytes per sample at most (32 where the bounds need more than 30 bits).
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
   * `pack`, handing over after each round, so that a host can do something else in between. The instance is at work
   * until the last round is done or `return()` is called, as `for ... of` does.
   *
   * @throws as `pack`, at the first `next()`.
   */
  *packInRounds(lengths: LengthsInput, options: PackOptions): Generator<RoundInfo, Packing, void> {
    const { vit, tokens } = toLengths(lengths);
    const maxVit = integer("maxVit", options.maxVit, 1, MAX_INT32);
    const maxTokens = integer("maxTokens", options.maxTokens, 1, MAX_INT32);
    const bounds: PackingBounds = {
      maxVit,
      maxTokens,
      minVit: integer("minVit", options.minVit ?? maxVit, 0, MAX_INT32),
      minTokens: integer("minTokens", options.minTokens ?? Math.max(maxTokens - 128, 0), 0, MAX_INT32),
    };
    const rounds = integer("rounds", options.rounds ?? 50, 1, MAX_INT32);
    const seed = integer("seed", options.seed ?? 1024, 0, MAX_UINT32);
    const { abi } = this;
    const { minVit, minTokens } = bounds;
    const n = vit.length;
    const seen = (field: "vit" | "tokens", at: number) => (field === "vit" ? vit : tokens)[at];
    const top = this.#enter();
    try {
      check(abi, abi.isfBegin(n, maxVit, maxTokens, minVit, minTokens, seed), n, seen);
      this.#feed({ vit, tokens }, (vitAt, tokensAt, count) => {
        check(abi, abi.isfPush(vitAt, tokensAt, count), n, seen);
      });
      let round = 0;
      let loose = n;
      while (round < rounds && loose > 0) {
        options.signal?.throwIfAborted();
        round++;
        loose = abi.isfRound(round === rounds ? 1 : 0);
        const info = { round, rounds, samples: n, loose, groups: abi.isfGroups() };
        options.onRound?.(info);
        yield info;
      }
      check(abi, abi.isfFinish(), n, seen);
      return this.#takePacking(bounds, round);
    } finally {
      this.#leave(top);
    }
  }

  /**
   * A packing as text, in pieces of at most 64 KB: `json` is one object, `jsonl` a line per group and one for the
   * oversize samples. The same packing gives the same bytes on every host. The instance is at work until the last piece.
   *
   * @throws RuntimeError OUT_OF_MEMORY when the packing does not fit the core's memory: 4 bytes per sample, 12 per group.
   */
  *packingText(packing: Packing, format: "json" | "jsonl"): Generator<Uint8Array, void, void> {
    const { abi } = this;
    const n = packing.indices.length + packing.oversize.length;
    const top = this.#enter();
    try {
      const out = this.#alloc(TEXT_ROOM, n);
      const status = abi.textBegin(
        format === "json" ? 0 : 1,
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
   * How even the ranks' loads are over one epoch of a sampler, of one packing or of one per data group. A `Packing` has
   * the sums that attention needs; one read back from a file gets them from `lengths`.
   * O(groups) and a sort, 60 bytes per group.
   *
   * @throws InputError for loads, OptionError for options, RuntimeError OUT_OF_MEMORY.
   */
  evaluate(packings: GroupLoadsInput, options: EvaluateOptions): Evaluation {
    return this.#exclusive(() => {
      let parts: readonly GroupLoads[] = toParts(packings);
      const { lengths } = options;
      if (lengths !== undefined) {
        parts = parts.map((part) =>
          part.attention === undefined && part instanceof Packing
            ? {
                length: part.length,
                vit: part.vit,
                tokens: part.tokens,
                attention: groupAttention(this.abi, part, lengths),
              }
            : part,
        );
      }
      return evaluateParts(this.abi, parts, options);
    });
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
    if (this.#module === undefined) {
      throw new RuntimeError("LOAD_FAILED", "a packer needs the compiled module: make this with load or loadSync");
    }
    try {
      return instantiateSync<Exports>(this.#module).exports as unknown as Abi;
    } catch (error) {
      throw new RuntimeError("OUT_OF_MEMORY", `no room for another instance: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** Copies the core's packing out. */
  #takePacking(bounds: PackingBounds, rounds: number): Packing {
    const { abi } = this;
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
      bound: abi.packingBound(),
      rounds,
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

type Exports = ASUtil & Record<string, unknown>;

function fromResult({ exports, module }: { exports: Exports; module: WebAssembly.Module }): Omnibal {
  return new Omnibal(exports as unknown as Abi, module);
}

/** The file beside this code that `load` takes when it is given nothing. */
function packagedWasm(): URL {
  return new URL("../build/omnibal.wasm", import.meta.url);
}

async function fetchModule(url: URL): Promise<Omnibal> {
  // Node's fetch has no file: URLs. Asked for at run time, so that bundlers for browsers see no import of node:fs.
  const fs = url.protocol === "file:" ? globalThis.process?.getBuiltinModule?.("node:fs/promises") : undefined;
  if (fs !== undefined) return fromResult(await instantiate<Exports>(await fs.readFile(url)));
  return fromResponse(await fetch(url));
}

async function fromResponse(response: Response): Promise<Omnibal> {
  if (!response.ok) {
    throw new RuntimeError(
      "LOAD_FAILED",
      `${response.url}: ${response.status} ${response.statusText}, expected the module`,
    );
  }
  // Compiling while it arrives needs this type; servers that send another one get the slower way.
  if (response.headers.get("content-type")?.startsWith("application/wasm")) {
    return fromResult(await instantiateStreaming<Exports>(response));
  }
  return fromResult(await instantiate<Exports>(await response.arrayBuffer()));
}

/**
 * An instance of the core, from the packaged module or from `source`.
 *
 * @throws RuntimeError LOAD_FAILED when the module cannot be had or is not one.
 */
export async function load(source: WasmSource | Promise<WasmSource> = packagedWasm()): Promise<Omnibal> {
  try {
    const from = await source;
    if (typeof from === "string") return await fetchModule(new URL(from, globalThis.location?.href));
    if (from instanceof URL) return await fetchModule(from);
    if (typeof Response !== "undefined" && from instanceof Response) return await fromResponse(from);
    return fromResult(await instantiate<Exports>(from as BufferSource));
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    throw new RuntimeError("LOAD_FAILED", `the module cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
}

/** `load` for a module at hand, without waiting. Browsers allow it on the main thread for compiled modules only. */
export function loadSync(source: BufferSource | WebAssembly.Module): Omnibal {
  try {
    return fromResult(instantiateSync<Exports>(source as BufferSource));
  } catch (error) {
    throw new RuntimeError("LOAD_FAILED", `the module cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
}
