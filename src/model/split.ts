// A split of a model: which layers each stage has, which of them it recomputes, and the step time and memory that
// gives.
import { type CoreLayer, type ModelHost, type Schedule, simulateCore } from "./core.ts";
import { type Loads, type Profile, quantityOf, transferTime, UNITS_PER_MS } from "./profile.ts";

/** The pipeline that a model is split for. */
export interface Shape {
  /** The order of forwards and backwards. */
  readonly schedule: Schedule;
  /** Devices in the pipeline: its stages, each with `chunks` virtual ones. */
  readonly stages: number;
  /** Virtual stages per device; 1 unless interleaved. */
  readonly chunks: number;
  /** Micro-batches per step. */
  readonly microBatches: number;
  /** Bytes per device. */
  readonly memory: number;
}

/** One virtual stage. Times are those of the mean micro-batch. */
export interface StageFigures {
  /** The device it is on, from 0. Virtual stage q is on device q % `stages`. */
  readonly device: number;
  /** Which of the device's chunks it is, from 0. */
  readonly chunk: number;
  /** Its first layer. */
  readonly first: number;
  /** The layer after its last. */
  readonly end: number;
  /** The layers that it recomputes, ascending. */
  readonly recomputed: readonly number[];
  /** Milliseconds of one forward. */
  readonly forwardMs: number;
  /** Milliseconds of one backward, recomputation included. */
  readonly backwardMs: number;
}

/** One device of a pipeline over a step. */
export interface DeviceFigures {
  /** Milliseconds per step that it is working. */
  readonly busyMs: number;
  /** Parameters, activations in flight at their peak, and the largest layer while it is recomputed. */
  readonly bytes: number;
  /** Bytes of weights, gradients and optimizer state. */
  readonly parameterBytes: number;
  /** The most micro-batches in flight at once, counted once per chunk. */
  readonly inFlight: number;
}

/**
 * A split of a model, and its step time and memory with equal micro-batches: the mean one in time, the largest in
 * memory.
 */
export interface Split {
  /** The first layer of each virtual stage but the first, ascending. */
  readonly cuts: readonly number[];
  /** The virtual stages, in the order of the forward pass. */
  readonly stages: readonly StageFigures[];
  /** The devices, by number. */
  readonly devices: readonly DeviceFigures[];
  /** Simulated milliseconds of a step. */
  readonly stepMs: number;
  /** Milliseconds per micro-batch of the slowest device. */
  readonly largestMs: number;
  /** Share of the devices' time that is idle: 0 .. 1. */
  readonly bubble: number;
  /** Milliseconds of all transfers of one micro-batch in one direction. */
  readonly transferMs: number;
  /** Bytes of the fullest device. */
  readonly bytes: number;
  /** Whether `bytes` is within the memory of a device. */
  readonly fits: boolean;
}

/** A split without its figures: cuts, and a u8 or boolean per layer for what is recomputed. */
export interface Choice {
  readonly cuts: readonly number[];
  readonly recomputed: ArrayLike<boolean | number>;
}

function sumOver(from: number, end: number, of: (l: number) => number): number {
  let sum = 0;
  for (let l = from; l < end; l++) sum += of(l);
  return sum;
}

/** The figures of a choice, simulated with equal micro-batches. */
export function measureSplit(host: ModelHost, layers: readonly CoreLayer[], shape: Shape, choice: Choice): Split {
  const { schedule, stages: devices, chunks, microBatches, memory } = shape;
  const { cuts, recomputed } = choice;
  const starts = [0, ...cuts, layers.length];
  const count = devices * chunks;
  const again = (l: number) => Boolean(recomputed[l]);
  const figures = Array.from({ length: count }, (_, q) => {
    const [first, end] = [starts[q], starts[q + 1]];
    const forward = sumOver(first, end, (l) => layers[l].forward);
    return {
      ...{ device: q % devices, chunk: Math.floor(q / devices), first, end, forward },
      backward: sumOver(first, end, (l) => layers[l].backward + (again(l) ? layers[l].forward : 0)),
      flying: sumOver(first, end, (l) => (again(l) ? layers[l].recomputed : layers[l].kept)),
      parameters: sumOver(first, end, (l) => layers[l].parameters),
      once: Math.max(
        0,
        ...layers.slice(first, end).map(({ kept, recomputed: held }, i) => (again(first + i) ? kept - held : 0)),
      ),
      recomputed: Array.from({ length: end - first }, (_, i) => first + i).filter(again),
    };
  });
  const rows = (of: (stage: (typeof figures)[number]) => number) =>
    figures.flatMap((stage) => new Array<number>(microBatches).fill(of(stage)));
  const seen = simulateCore(host, {
    ...{ schedule, devices, chunks, microBatches },
    forward: rows(({ forward }) => forward),
    backward: rows(({ backward }) => backward),
    transfer: rows(({ end }) => layers[end - 1].transfer).slice(0, (count - 1) * microBatches),
    activation: rows(({ flying }) => flying),
  });
  const own = (device: number) => figures.filter((stage) => stage.device === device);
  const bytes = seen.activation.map(
    (held, d) => sumOver(0, chunks, (c) => own(d)[c].parameters) + held + Math.max(...own(d).map(({ once }) => once)),
  );
  return {
    cuts: [...cuts],
    stages: figures.map(({ device, chunk, first, end, recomputed: again, forward, backward }) => ({
      ...{ device, chunk, first, end, recomputed: again },
      forwardMs: forward / UNITS_PER_MS,
      backwardMs: backward / UNITS_PER_MS,
    })),
    devices: bytes.map((total, d) => ({
      busyMs: seen.busy[d] / UNITS_PER_MS,
      bytes: total,
      parameterBytes: own(d).reduce((sum, { parameters }) => sum + parameters, 0),
      inFlight: seen.inFlight[d],
    })),
    stepMs: seen.step / UNITS_PER_MS,
    largestMs: Math.max(...seen.busy) / microBatches / UNITS_PER_MS,
    bubble: seen.step > 0 ? 1 - seen.busy.reduce((sum, time) => sum + time, 0) / (devices * seen.step) : 0,
    transferMs: cuts.reduce((sum, c) => sum + layers[c - 1].transfer, 0) / UNITS_PER_MS,
    bytes: Math.max(...bytes),
    fits: Math.max(...bytes) <= memory,
  };
}

/** One forward or backward of a micro-batch in a simulated step. */
export interface SimulatedOperation {
  /** The device that runs it, from 0. */
  readonly device: number;
  /** Recomputation is part of a backward. */
  readonly kind: "forward" | "backward";
  /** The micro-batch, from 0 in the order given. */
  readonly microBatch: number;
  /** Which of the device's chunks runs it, from 0. */
  readonly chunk: number;
  /** When it starts, in milliseconds from the start of the step. */
  readonly startMs: number;
  /** How long it takes, in milliseconds. */
  readonly durationMs: number;
}

/** A step of a split with given micro-batches. */
export interface SimulatedSplit {
  /** Milliseconds of the step. */
  readonly stepMs: number;
  /** Share of the devices' time that is idle: 0 .. 1. */
  readonly bubble: number;
  /** The devices, by number. Bytes are those of these micro-batches, at the fullest moment. */
  readonly devices: readonly DeviceFigures[];
  /** Every forward and backward, by device; those of a device in the order in which it runs them. */
  readonly operations: readonly SimulatedOperation[];
}

/** For each [virtual stage][micro-batch], times in nanoseconds and bytes in flight. */
export function stageTimes(profile: Profile, stages: readonly StageFigures[], microBatches: readonly Loads[]) {
  const cells = (of: (stage: StageFigures, loads: Loads, q: number) => number) =>
    stages.flatMap((stage, q) => microBatches.map((loads) => of(stage, loads, q)));
  const { layers } = profile;
  const sum = (stage: StageFigures, of: (l: number, again: boolean) => number) => {
    const again = new Set(stage.recomputed);
    return sumOver(stage.first, stage.end, (l) => of(l, again.has(l)));
  };
  const ns = (ms: number) => Math.round(ms * UNITS_PER_MS);
  return {
    forward: cells((stage, loads) => sum(stage, (l) => ns(quantityOf(layers[l].forwardMs, loads)))),
    backward: cells((stage, loads) =>
      sum(
        stage,
        (l, again) =>
          ns(quantityOf(layers[l].backwardMs, loads)) + (again ? ns(quantityOf(layers[l].forwardMs, loads)) : 0),
      ),
    ),
    transfer: cells((stage, loads) => transferTime(profile, layers[stage.end - 1], loads)).slice(
      0,
      (stages.length - 1) * microBatches.length,
    ),
    activation: cells((stage, loads) =>
      sum(stage, (l, again) => Math.ceil(quantityOf(again ? layers[l].recomputedBytes : layers[l].keptBytes, loads))),
    ),
  };
}

/**
 * Simulates a step with micro-batches of these loads, in this order. Their number may differ from that in `shape`.
 * O(layers * micro-batches).
 *
 * @param split Which layers each stage has and recomputes, such as a `ModelPlan`.
 * @throws InputError INVALID_INPUT if the profile names a load that a micro-batch does not have; OptionError
 *   INVALID_OPTION for more or fewer micro-batches than the schedule can take.
 */
export function simulateSplit(
  host: ModelHost,
  profile: Profile,
  shape: Shape,
  split: Pick<Split, "stages">,
  microBatches: readonly Loads[],
): SimulatedSplit {
  const { schedule, stages: devices, chunks } = shape;
  const times = stageTimes(profile, split.stages, microBatches);
  const seen = simulateCore(host, { ...times, ...{ schedule, devices, chunks, microBatches: microBatches.length } });
  const { layers } = profile;
  const largest = (of: (loads: Loads) => number) => Math.max(0, ...microBatches.map(of));
  const at = (chunk: number, device: number, b: number) => (chunk * devices + device) * microBatches.length + b;
  return {
    stepMs: seen.step / UNITS_PER_MS,
    bubble: seen.step > 0 ? 1 - seen.busy.reduce((sum, time) => sum + time, 0) / (devices * seen.step) : 0,
    devices: seen.activation.map((held, d) => {
      const own = split.stages.filter(({ device }) => device === d);
      const parameterBytes = own.reduce(
        (sum, { first, end }) => sum + sumOver(first, end, (l) => Math.ceil(layers[l].parameterBytes)),
        0,
      );
      const once = own.flatMap(({ recomputed }) =>
        recomputed.map((l) =>
          largest(
            (loads) =>
              Math.ceil(quantityOf(layers[l].keptBytes, loads)) -
              Math.ceil(quantityOf(layers[l].recomputedBytes, loads)),
          ),
        ),
      );
      return {
        busyMs: seen.busy[d] / UNITS_PER_MS,
        bytes: parameterBytes + held + Math.max(0, ...once),
        ...{ parameterBytes, inFlight: seen.inFlight[d] },
      };
    }),
    operations: seen.operations
      .toSorted((a, b) => a.device - b.device)
      .map(({ start, ...operation }) => {
        const { kind, chunk, device, microBatch } = operation;
        const duration = times[kind][at(chunk, device, microBatch)];
        return { ...operation, startMs: start / UNITS_PER_MS, durationMs: duration / UNITS_PER_MS };
      }),
  };
}
