// The core's exports for partition and simulation, over plain arrays. Times and bytes are whole numbers in any unit.
import type { Abi } from "../core/abi.ts";
import { EngineError, OptionError } from "../core/errors.ts";

/** An instance to compute with: an `Omnibal` is one. */
export interface ModelHost {
  /** The exports of omnibal.wasm. */
  readonly abi: Abi;
}

/** A layer in whole numbers, times and bytes each in any unit. */
export interface CoreLayer {
  readonly forward: number;
  readonly backward: number;
  /** Bytes per micro-batch in flight if its activations are kept. */
  readonly kept: number;
  /** The same if they are recomputed; at most `kept`. */
  readonly recomputed: number;
  /** Bytes of weights, gradients and optimizer state. */
  readonly parameters: number;
  /** Time to send its output on, and its gradient back. */
  readonly transfer: number;
}

export const SCHEDULES = ["gpipe", "1f1b", "interleaved"] as const;
/**
 * The order in which devices run forwards and backwards: `gpipe` all forwards, then all backwards (Huang et al., 2019);
 * `1f1b` one of each in turn (PipeDream-Flush); `interleaved` 1F1B over several chunks per device, in Megatron-Core's
 * order.
 */
export type Schedule = (typeof SCHEDULES)[number];

/**
 * What may be recomputed: nothing and memory is unlimited (`free`), nothing, everything, or whatever is best (`joint`).
 */
const MODES = ["free", "none", "full", "joint", "given"] as const;
export type RecomputeMode = Exclude<(typeof MODES)[number], "given">;

export interface CoreProblem {
  readonly layers: readonly CoreLayer[];
  /** Stages; for interleaved schedules, virtual stages. */
  readonly stages: number;
  readonly microBatches: number;
  readonly memory: number;
  readonly schedule: Schedule;
  /** The fewest layers of the first and of the last stage. Default: 1. */
  readonly firstLeast?: number;
  readonly lastLeast?: number;
}

export interface StageChoice {
  /** Time per micro-batch, recomputation included; Infinity if nothing fits. */
  readonly time: number;
  /** Which of the stage's layers are recomputed. */
  readonly recomputed: readonly boolean[];
  readonly bytes: number;
}

function outOfMemory(): EngineError {
  return new EngineError("OUT_OF_MEMORY", "the pipeline does not fit the module's memory, which ends at 4 GiB");
}

function check(status: number): void {
  if (status === 0) return;
  if (status === 1) throw outOfMemory();
  throw new OptionError(
    "INVALID_OPTION",
    "the core refused this pipeline: expected a number of micro-batches that its schedule can take",
  );
}

/** Runs `work`, and frees what it allocated in the core. */
function scoped<T>(abi: Abi, work: () => T): T {
  const top = abi.mark();
  try {
    return work();
  } finally {
    abi.release(top);
  }
}

function allocate(abi: Abi, bytes: number): number {
  const at = bytes > 0xffff_ffff ? 0 : abi.alloc(bytes) >>> 0;
  if (at === 0) throw outOfMemory();
  return at;
}

function putFloats(abi: Abi, values: ArrayLike<number>): number {
  const at = allocate(abi, values.length * 8);
  new Float64Array(abi.memory.buffer, at, values.length).set(values);
  return at;
}

function putInts(abi: Abi, values: ArrayLike<number>): number {
  const at = allocate(abi, values.length * 4);
  new Int32Array(abi.memory.buffer, at, values.length).set(values);
  return at;
}

/** A problem held in the core. Only the latest one may be used, and only inside `withProblem`. */
export class OpenProblem {
  readonly #abi: Abi;
  readonly #problem: CoreProblem;
  readonly #mask: number;
  readonly #cuts: number;

  constructor(abi: Abi, problem: CoreProblem) {
    this.#abi = abi;
    this.#problem = problem;
    const { layers, stages, microBatches, memory, schedule, firstLeast = 1, lastLeast = 1 } = problem;
    const rows = layers.flatMap((layer) => [
      layer.forward,
      layer.backward,
      layer.kept,
      layer.recomputed,
      layer.parameters,
      layer.transfer,
    ]);
    const at = putFloats(abi, rows);
    this.#mask = allocate(abi, layers.length);
    this.#cuts = allocate(abi, stages * 4);
    const kind = SCHEDULES.indexOf(schedule);
    check(abi.modelBegin(at, layers.length, stages, microBatches, memory, kind, firstLeast, lastLeast));
  }

  setMode(mode: RecomputeMode): void {
    check(this.#abi.modelMode(MODES.indexOf(mode), 0, 0));
  }

  /** What is recomputed, per layer: 0 never, 1 always, 2 if it is among the first `count` such layers of its stage. */
  setGiven(kinds: ArrayLike<number>, count: number): void {
    const at = allocate(this.#abi, kinds.length);
    new Uint8Array(this.#abi.memory.buffer, at, kinds.length).set(kinds);
    check(this.#abi.modelMode(MODES.indexOf("given"), at, count));
  }

  /** Whether every time so far is proven minimal; false once a list of choices had to be cut short. */
  get isExact(): boolean {
    const inexact = this.#abi.modelInexact();
    if (inexact < 0) throw outOfMemory();
    return inexact === 0;
  }

  /** Minimizes the largest stage. Undefined if nothing fits. Not for given recomputation that counts layers (2). */
  partition(): { readonly largest: number; readonly cuts: number[]; readonly optima: number } | undefined {
    const largest = this.#abi.modelPartition(this.#cuts);
    if (largest === -2) throw outOfMemory();
    if (largest === -1) return undefined;
    return { largest, cuts: this.#takeCuts(this.#cuts), optima: this.#abi.modelOptima() };
  }

  /** The fastest choice of layers i .. j - 1 as stage s. */
  stage(s: number, i: number, j: number): StageChoice {
    return this.#choice(s, i, j, this.#abi.modelStage(s, i, j, this.#mask));
  }

  /** The same by the published two probes. */
  probe(s: number, i: number, j: number, types: readonly number[]): StageChoice {
    return scoped(this.#abi, () => {
      const at = putInts(this.#abi, types);
      return this.#choice(s, i, j, this.#abi.modelProbe(s, i, j, at, this.#mask));
    });
  }

  /** Bytes of a stage that recomputes these layers. */
  bytes(s: number, i: number, j: number, recomputed: readonly boolean[]): number {
    new Uint8Array(this.#abi.memory.buffer, this.#mask + i, j - i).set(recomputed.map(Number));
    return this.#abi.modelBytes(s, i, j, this.#mask);
  }

  #choice(s: number, i: number, j: number, time: number): StageChoice {
    const recomputed = Array.from(new Uint8Array(this.#abi.memory.buffer, this.#mask + i, j - i), (x) => x === 1);
    return { time, recomputed, bytes: this.#abi.modelBytes(s, i, j, this.#mask) };
  }

  anchor(): number[] {
    this.#abi.modelAnchor(this.#cuts);
    return this.#takeCuts(this.#cuts);
  }

  /**
   * The best `keep` neighbours of the anchor within `radius` of each cut, and how many there were. `unit`: ms per unit
   * of time.
   */
  rank(radius: number, keep: number, unit: number): { candidates: number; best: { score: number; cuts: number[] }[] } {
    const abi = this.#abi;
    const cuts = this.#problem.stages - 1;
    return scoped(abi, () => {
      const scoresAt = allocate(abi, keep * 8);
      const cutsAt = allocate(abi, keep * cuts * 4);
      const count = abi.modelRank(radius, keep, unit, scoresAt, cutsAt);
      if (count < 0) throw outOfMemory();
      const scores = new Float64Array(abi.memory.buffer, scoresAt, count);
      const best = Array.from(scores, (score, i) => ({ score, cuts: this.#takeCuts(cutsAt + i * cuts * 4) }));
      return { candidates: abi.modelCandidates(), best };
    });
  }

  /** Prepares the search for the shortest step. After a change of mode, call `restartSearch`. */
  beginSearch(): void {
    check(this.#abi.modelSearchBegin());
  }

  restartSearch(): void {
    this.#abi.modelRestart();
  }

  /** The step time of these cuts with the fastest choice in each stage; Infinity if they do not fit. */
  step(cuts: readonly number[]): number {
    return this.#abi.modelStep(this.#putCuts(cuts));
  }

  /** Takes these cuts as a start and improves them. Returns their own step time; undefined if they do not fit. */
  offer(cuts: readonly number[], work: number): number | undefined {
    const step = this.#abi.modelOffer(this.#putCuts(cuts), work);
    return step === -1 ? undefined : step;
  }

  search(work: number): void {
    this.#abi.modelSearch(work);
  }

  /** The shortest step found; Infinity if none. */
  get best(): { readonly step: number; readonly cuts: number[]; readonly bound: number; readonly simulated: number } {
    const abi = this.#abi;
    return {
      step: abi.modelBestStep(),
      cuts: this.#takeCuts(abi.modelBestCuts() >>> 0),
      bound: abi.modelBound(),
      simulated: abi.modelSimulated(),
    };
  }

  beginInterleaved(chunks: number): void {
    check(this.#abi.modelInterleavedBegin(chunks));
  }

  offerInterleaved(cuts: readonly number[], work: number): number | undefined {
    const step = this.#abi.modelInterleavedOffer(this.#putCuts(cuts), work);
    return step === -1 ? undefined : step;
  }

  get bestInterleaved(): { step: number; cuts: number[]; recomputed: boolean[]; bytes: number[] } {
    const abi = this.#abi;
    const { layers, stages } = this.#problem;
    const { buffer } = abi.memory;
    return {
      step: abi.modelInterleavedStep(),
      cuts: this.#takeCuts(abi.modelInterleavedCuts() >>> 0),
      recomputed: Array.from(new Uint8Array(buffer, abi.modelInterleavedRecomputed() >>> 0, layers.length), Boolean),
      bytes: Array.from(new Float64Array(buffer, abi.modelInterleavedBytes() >>> 0, stages)),
    };
  }

  #putCuts(cuts: readonly number[]): number {
    new Int32Array(this.#abi.memory.buffer, this.#cuts, cuts.length).set(cuts);
    return this.#cuts;
  }

  #takeCuts(at: number): number[] {
    return Array.from(new Int32Array(this.#abi.memory.buffer, at, this.#problem.stages - 1));
  }
}

/** Sets up a problem in the core for `work`, then frees it. */
export function withProblem<T>({ abi }: ModelHost, problem: CoreProblem, work: (open: OpenProblem) => T): T {
  return scoped(abi, () => work(new OpenProblem(abi, problem)));
}

/** Input of a simulation, [virtual stage][micro-batch]; virtual stage q is on device q % devices. */
export interface CoreSimulation {
  readonly schedule: Schedule;
  readonly devices: number;
  readonly chunks: number;
  readonly microBatches: number;
  readonly forward: ArrayLike<number>;
  readonly backward: ArrayLike<number>;
  /** [boundary between q and q + 1][micro-batch], the same in both directions. */
  readonly transfer: ArrayLike<number>;
  /** Bytes in flight from a forward's start to its backward's end. */
  readonly activation: ArrayLike<number>;
}

/** A forward or backward of a micro-batch. `start` is in units of time from the start of the step. */
export interface CoreOperation {
  readonly device: number;
  readonly kind: "forward" | "backward";
  readonly microBatch: number;
  readonly chunk: number;
  readonly start: number;
}

export interface CoreSimulated {
  readonly step: number;
  /** Time that each device is working. */
  readonly busy: number[];
  /** Per device, the most micro-batches in flight: forwards begun whose backward has not ended, over all its chunks. */
  readonly inFlight: number[];
  /** Per device, the most activation bytes. */
  readonly activation: number[];
  /** Every operation, those of a device in its order. */
  readonly operations: CoreOperation[];
}

export function simulateCore({ abi }: ModelHost, simulation: CoreSimulation): CoreSimulated {
  const { schedule, devices, chunks, microBatches, forward, backward, transfer, activation } = simulation;
  return scoped(abi, () => {
    check(abi.modelSchedule(SCHEDULES.indexOf(schedule), devices, chunks, microBatches));
    const forwardAt = putFloats(abi, forward);
    const backwardAt = putFloats(abi, backward);
    const transferAt = putFloats(abi, transfer);
    const activationAt = putFloats(abi, activation);
    const out = allocate(abi, devices * 16);
    const count = devices * chunks * microBatches * 2;
    const timeline = allocate(abi, count * 40);
    const step = abi.modelRun(forwardAt, backwardAt, transferAt, 0);
    const take = (at: number) => Array.from(new Float64Array(abi.memory.buffer, at >>> 0, devices));
    const busy = take(abi.modelBusy());
    abi.modelTimeline(forwardAt, backwardAt, timeline);
    abi.modelPeaks(0, out);
    abi.modelPeaks(activationAt, out + devices * 8);
    const rows = new Float64Array(abi.memory.buffer, timeline, count * 5);
    const operations = Array.from({ length: count }, (_, o): CoreOperation => {
      const [device, kind, microBatch, chunk, start] = rows.subarray(o * 5, o * 5 + 5);
      return { device, kind: kind === 0 ? "forward" : "backward", microBatch, chunk, start };
    });
    return { step, busy, inFlight: take(out), activation: take(out + devices * 8), operations };
  });
}

/** A pipeline held in the core, to simulate many steps of equally many micro-batches. */
export class OpenPipeline {
  readonly #abi: Abi;
  readonly #cells: number;
  readonly #count: number;
  readonly #forward: number;
  readonly #backward: number;
  readonly #transfer: number;
  readonly #order: number;

  constructor(abi: Abi, shape: Pick<CoreSimulation, "schedule" | "devices" | "chunks" | "microBatches">) {
    const { schedule, devices, chunks, microBatches } = shape;
    this.#abi = abi;
    check(abi.modelSchedule(SCHEDULES.indexOf(schedule), devices, chunks, microBatches));
    this.#count = microBatches;
    this.#cells = devices * chunks * microBatches;
    this.#forward = allocate(abi, this.#cells * 8);
    this.#backward = allocate(abi, this.#cells * 8);
    this.#transfer = allocate(abi, this.#cells * 8);
    this.#order = allocate(abi, microBatches * 4);
  }

  /** Sets the times of the next steps, each [virtual stage][micro-batch]. */
  put(forward: ArrayLike<number>, backward: ArrayLike<number>, transfer: ArrayLike<number>): void {
    const { buffer } = this.#abi.memory;
    new Float64Array(buffer, this.#forward, this.#cells).set(forward);
    new Float64Array(buffer, this.#backward, this.#cells).set(backward);
    new Float64Array(buffer, this.#transfer, this.#cells).set(transfer);
  }

  /** The step time in the order in which they were set. */
  step(): number {
    return this.#abi.modelRun(this.#forward, this.#backward, this.#transfer, 0);
  }

  /** An order at least as good as `order`, and its step time. `work`: about how many operations to simulate. */
  arrange(order: ArrayLike<number>, work: number): { readonly order: number[]; readonly step: number } {
    const abi = this.#abi;
    new Int32Array(abi.memory.buffer, this.#order, this.#count).set(order);
    const step = abi.modelArrange(this.#forward, this.#backward, this.#transfer, this.#order, work);
    if (step === -2) throw outOfMemory();
    return { order: Array.from(new Int32Array(abi.memory.buffer, this.#order, this.#count)), step };
  }
}

/** Sets up a pipeline in the core for `work`, then frees it. One at a time. */
export function withPipeline<T>(
  { abi }: ModelHost,
  shape: Pick<CoreSimulation, "schedule" | "devices" | "chunks" | "microBatches">,
  work: (open: OpenPipeline) => T,
): T {
  return scoped(abi, () => work(new OpenPipeline(abi, shape)));
}

/** An order of micro-batches at least as good as `order`, for the times of a simulation. */
export function arrangeCore(
  host: ModelHost,
  simulation: Omit<CoreSimulation, "activation">,
  order: readonly number[],
  work: number,
): { readonly order: number[]; readonly step: number } {
  return withPipeline(host, simulation, (open) => {
    open.put(simulation.forward, simulation.backward, simulation.transfer);
    return open.arrange(order, work);
  });
}
