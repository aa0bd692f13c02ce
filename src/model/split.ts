// A way to split a model: which layers each stage has and which it recomputes, and what that comes to.
import { type CoreLayer, type CoreOperation, type ModelHost, type Schedule, simulateCore } from "./core.ts";
import { type Loads, type Profile, quantityOf, transferTime, UNITS_PER_MS } from "./profile.ts";

/** The pipeline that a model is split for. */
export interface Shape {
  readonly schedule: Schedule;
  /** Devices of a pipeline: its stages, each with `chunks` virtual ones. */
  readonly stages: number;
  readonly chunks: number;
  readonly microBatches: number;
  /** Bytes of a device. */
  readonly memory: number;
}

/** One virtual stage. */
export interface StageFigures {
  /** The device it is on, and which of its chunks it is. */
  readonly device: number;
  readonly chunk: number;
  /** Its layers: from `first` up to `end`, without it. */
  readonly first: number;
  readonly end: number;
  /** Those that are recomputed, by index. */
  readonly recomputed: readonly number[];
  /** Of the mean micro-batch; recomputing is part of the backward. */
  readonly forwardMs: number;
  readonly backwardMs: number;
}

export interface DeviceFigures {
  /** Time per step that it works. */
  readonly busyMs: number;
  /** Parameters, the most activations in flight of the largest micro-batch, and the largest layer being recomputed. */
  readonly bytes: number;
  readonly parameterBytes: number;
  readonly inFlight: number;
}

/** A split, and what it comes to with equal micro-batches. */
export interface Split {
  /** First layers of the virtual stages but the first. */
  readonly cuts: readonly number[];
  readonly stages: readonly StageFigures[];
  readonly devices: readonly DeviceFigures[];
  readonly stepMs: number;
  /** Time per micro-batch of the slowest device. */
  readonly largestMs: number;
  /** Share of all devices' time that is idle. */
  readonly bubble: number;
  /** Time of all transfers that a micro-batch makes, one way. */
  readonly transferMs: number;
  /** Bytes of the fullest device. */
  readonly bytes: number;
  readonly fits: boolean;
}

/** Cuts and recomputed layers, u8 or boolean per layer, without figures. */
export interface Choice {
  readonly cuts: readonly number[];
  readonly recomputed: ArrayLike<boolean | number>;
}

function sumOver(from: number, end: number, of: (l: number) => number): number {
  let sum = 0;
  for (let l = from; l < end; l++) sum += of(l);
  return sum;
}

/** What a choice comes to, simulated with equal micro-batches. */
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

/** What a split comes to with these micro-batches. */
export interface SimulatedSplit {
  readonly stepMs: number;
  readonly bubble: number;
  /** Bytes are those of these micro-batches: of the largest window of those in flight. */
  readonly devices: readonly DeviceFigures[];
  /** Every forward and backward: those of a device in its order. */
  readonly operations: readonly (Omit<CoreOperation, "start"> & {
    readonly startMs: number;
    readonly durationMs: number;
  })[];
}

/** Times of each virtual stage and micro-batch in nanoseconds, and what is held meanwhile in bytes, one after another. */
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
 * Simulates a step with micro-batches of these loads, in this order: as many as the shape has. O(layers * micro-batches).
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
