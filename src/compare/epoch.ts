// An epoch as steps of ranks, and how long it takes by a cost.
import type { Column } from "./cost.ts";
import type { Scene } from "./scene.ts";

/** An epoch: batches of samples, and which rank works on which of them at each step. */
export interface Epoch {
  /** int32[batches + 1]: batch b holds the samples indices[offsets[b]] .. indices[offsets[b + 1] - 1]. */
  readonly offsets: Int32Array;
  /** int32[offsets[batches]]. */
  readonly indices: Int32Array;
  /** int32[steps * ranks]: the batch of a rank at a step, -1 for none. */
  readonly order: Int32Array;
  /** The samples of a batch are padded to its longest one, not laid one after another. Default: false. */
  readonly padded?: boolean;
}

/** How long an epoch takes, and what of it is waste. Times are in the unit of the cost. */
export interface EpochFigures {
  /** When every step waits for its slowest rank. */
  readonly time: number;
  /** `time` over the ideal: all samples' cost by themselves, spread evenly over the ranks. */
  readonly overIdeal: number;
  /** Share of all ranks' time spent waiting, 0 .. 1. */
  readonly idle: number;
  /** The same as `overIdeal` when the ranks wait for each other after each load: an encoder that synchronises, FSDP. */
  readonly overIdealByPhase: number;
  /** Steps, the same for every rank. */
  readonly steps: number;
  /** Batches, or groups. */
  readonly groups: number;
  /** Places in steps that a batch fills for the second time. */
  readonly repeated: number;
  /** Of each bounded load, the share of its bound that a batch fills on average. */
  readonly fill: Readonly<Record<string, number>>;
  /** Of each bounded load, the share of batches beyond its bound. */
  readonly beyond: Readonly<Record<string, number>>;
  /** Share of batches beyond any bound. */
  readonly beyondAny: number;
}

/**
 * What a batch has of a load, or of its squares: the sum over its samples; where it is padded, and for the load that is
 * padded, that of as many samples as the longest.
 */
function batchLoads(
  { offsets, indices, padded }: Epoch,
  column: Column,
  { isLength, squared }: { readonly isLength: boolean; readonly squared: boolean },
): Float64Array {
  const batches = offsets.length - 1;
  const out = new Float64Array(batches);
  const pads = padded === true && isLength;
  for (let b = 0; b < batches; b++) {
    const end = offsets[b + 1];
    let sum = 0;
    let most = 0;
    for (let k = offsets[b]; k < end; k++) {
      const value = column[indices[k]];
      const x = squared ? value * value : value;
      sum += x;
      if (x > most) most = x;
    }
    out[b] = pads ? most * (end - offsets[b]) : sum;
  }
  return out;
}

/** What all samples cost by themselves: no padding, no waiting, no constants. O(samples x loads). */
export function samplesCost({ columns, priced, samples }: Scene): number {
  let total = 0;
  for (const { load, each, square } of priced.phases) {
    const column = columns[load];
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < samples; i++) {
      sum += column[i];
      squares += column[i] * column[i];
    }
    total += each * sum + square * squares;
  }
  return total;
}

/** Sum over steps of the most that a rank has, plus `constant` each step; and the sum of all that ranks have. */
function stepTimes(order: Int32Array, ranks: number, times: Float64Array): { slowest: number; work: number } {
  let slowest = 0;
  let work = 0;
  for (let at = 0; at < order.length; at += ranks) {
    let most = 0;
    for (let r = 0; r < ranks; r++) {
      const batch = order[at + r];
      if (batch < 0) continue;
      const time = times[batch];
      work += time;
      if (time > most) most = time;
    }
    slowest += most;
  }
  return { slowest, work };
}

/** Of each phase of the cost, what it takes each batch, float64[batches]. O(samples x loads). */
export function phaseTimes({ columns, priced, length }: Scene, epoch: Epoch): Float64Array[] {
  return priced.phases.map(({ load, each, square }) => {
    const sums = batchLoads(epoch, columns[load], { isLength: load === length, squared: false });
    const squares =
      square > 0 ? batchLoads(epoch, columns[load], { isLength: load === length, squared: true }) : undefined;
    return sums.map((sum, b) => each * sum + (squares === undefined ? 0 : square * squares[b]));
  });
}

/** Times an epoch. O(samples x loads + places). */
export function timeEpoch(scene: Scene, epoch: Epoch): EpochFigures {
  const { columns, priced, ranks, max } = scene;
  const { order, offsets } = epoch;
  const batches = offsets.length - 1;
  const steps = order.length / ranks;
  const whole = new Float64Array(batches).fill(priced.group);
  let byPhase = steps * (priced.step + priced.group);
  for (const times of phaseTimes(scene, epoch)) {
    for (let b = 0; b < batches; b++) whole[b] += times[b];
    byPhase += stepTimes(order, ranks, times).slowest;
  }
  const { slowest, work } = stepTimes(order, ranks, whole);
  const time = slowest + steps * priced.step;

  const fill: Record<string, number> = {};
  const beyond: Record<string, number> = {};
  const isBeyond = new Uint8Array(batches);
  for (const [load, bound] of Object.entries(max)) {
    const sums = batchLoads(epoch, columns[load], { isLength: load === scene.length, squared: false });
    let sum = 0;
    let count = 0;
    for (let b = 0; b < batches; b++) {
      sum += sums[b];
      if (sums[b] <= bound) continue;
      count++;
      isBeyond[b] = 1;
    }
    fill[load] = batches === 0 ? 0 : sum / batches / bound;
    beyond[load] = batches === 0 ? 0 : count / batches;
  }
  let any = 0;
  for (const flag of isBeyond) any += flag;
  let places = 0;
  for (const batch of order) if (batch >= 0) places++;
  const ideal = samplesCost(scene) / ranks;
  return {
    time,
    overIdeal: ideal > 0 ? time / ideal : 0,
    idle: slowest > 0 ? 1 - work / (slowest * ranks) : 0,
    overIdealByPhase: ideal > 0 ? byPhase / ideal : 0,
    steps,
    groups: batches,
    repeated: places - batches,
    fill,
    beyond,
    beyondAny: batches === 0 ? 0 : any / batches,
  };
}

/** Batches in this order, dealt to the ranks one after another; the first ones again where the last step is not full. */
export function deal(batches: Int32Array, ranks: number): Int32Array {
  const steps = Math.ceil(batches.length / ranks);
  const order = new Int32Array(steps * ranks);
  for (let i = 0; i < order.length; i++) order[i] = batches[i % batches.length];
  return order;
}

/** Groups made of lists of samples. */
export class Groups {
  readonly #offsets: number[] = [0];
  readonly #indices: Int32Array;
  #count = 0;

  constructor(samples: number) {
    this.#indices = new Int32Array(samples);
  }

  /** Adds a sample to the group that is open. */
  add(sample: number): void {
    this.#indices[this.#count++] = sample;
  }

  /** Closes the open group, unless it is empty. */
  close(): void {
    if (this.#offsets[this.#offsets.length - 1] < this.#count) this.#offsets.push(this.#count);
  }

  get length(): number {
    return this.#offsets.length - 1;
  }

  /** The groups closed so far. */
  take(): { readonly offsets: Int32Array; readonly indices: Int32Array } {
    return { offsets: Int32Array.from(this.#offsets), indices: this.#indices.subarray(0, this.#count) };
  }
}

/** Groups by the number of each sample's group, samples of one in ascending order. O(samples). */
export function groupsOf(groupOf: Int32Array, groups: number): { offsets: Int32Array; indices: Int32Array } {
  const offsets = new Int32Array(groups + 1);
  for (const g of groupOf) offsets[g + 1]++;
  for (let g = 0; g < groups; g++) offsets[g + 1] += offsets[g];
  const next = offsets.slice();
  const indices = new Int32Array(groupOf.length);
  for (let i = 0; i < groupOf.length; i++) indices[next[groupOf[i]]++] = i;
  return { offsets, indices };
}
