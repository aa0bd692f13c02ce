// What the page shows of a packing, a plan and a group: small enough to be posted at every move of a bound.
import type { Packing, Plan } from "../../index.ts";
import type { ByLoad } from "../view.ts";
import type { CurvePoint, Glass, Packed, PackSettings, SampleRow, StepSettings, Steps } from "./messages.ts";
import type { Samples } from "./samples.ts";

/** Bins of the histograms of fill. */
export const FILL_BINS = 50;
/** Groups of so many samples and more are counted together. */
const MOST_PER_GROUP = 64;

function fillHistogram(sums: ArrayLike<number>, bound: number): Uint32Array {
  const bins = new Uint32Array(FILL_BINS);
  for (let g = 0; g < sums.length; g++) bins[Math.min(FILL_BINS - 1, Math.floor((sums[g] / bound) * FILL_BINS))]++;
  return bins;
}

function perGroupHistogram({ offsets, length }: Packing): Uint32Array {
  let most = 1;
  for (let g = 0; g < length; g++) most = Math.max(most, offsets[g + 1] - offsets[g]);
  const bins = new Uint32Array(Math.min(most, MOST_PER_GROUP));
  for (let g = 0; g < length; g++) bins[Math.min(offsets[g + 1] - offsets[g], MOST_PER_GROUP) - 1]++;
  return bins;
}

/** O(groups). */
export function packedFigures(
  packing: Packing,
  about: Pick<Packed, "id" | "ms"> & { readonly part: number | undefined; readonly settings: PackSettings },
  curve: readonly CurvePoint[],
): Packed {
  const { id, settings, part, ms } = about;
  const { max } = packing.bounds;
  return {
    kind: "packed",
    ...{ id, settings, ms, curve },
    ...(part === undefined ? {} : { part }),
    stats: packing.stats,
    fill: Object.fromEntries(
      Object.entries(max).map(([name, bound]) => [name, fillHistogram(packing.loads[name], bound)]),
    ),
    perGroup: perGroupHistogram(packing),
  };
}

/** Steps that are shown at once. */
export const SHOWN_STEPS = 12;

/** What each group costs of each load that costs something: float64[costs][groups]. */
function groupTimes(packing: Packing, costs: readonly (readonly [name: string, each: number])[]): Float64Array[] {
  return costs.map(([name, each]) => Float64Array.from(packing.loads[name], (sum) => sum * each));
}

/** The loads of a cost that the groups have sums of, and which cost something. */
export function pricedLoads(packing: Packing, cost: ByLoad): (readonly [name: string, each: number])[] {
  return Object.entries(cost).filter(([name, each]) => each > 0 && Object.hasOwn(packing.loads, name));
}

/** The time of each rank at each step of a plan by what its groups cost: float64[steps][ranks][costs]. */
export function stepTimes(
  packing: Packing,
  plan: Plan,
  costs: readonly (readonly [name: string, each: number])[],
  from: number,
  end: number,
): Float64Array {
  const times = groupTimes(packing, costs);
  const { ranks, microBatch, order } = plan;
  const out = new Float64Array((end - from) * ranks * costs.length);
  let at = 0;
  for (let step = from; step < end; step++) {
    for (let rank = 0; rank < ranks; rank++) {
      const first = (step * ranks + rank) * microBatch;
      for (const own of times) {
        let sum = 0;
        for (let k = first; k < first + microBatch; k++) if (order[k] >= 0) sum += own[order[k]];
        out[at++] = sum;
      }
    }
  }
  return out;
}

/** What an epoch takes where each step waits for its slowest rank, and which share of all time is waited. */
export function epochTime(parts: Float64Array, ranks: number, costs: number): { time: number; idle: number } {
  let time = 0;
  let work = 0;
  for (let at = 0; at < parts.length; ) {
    let slowest = 0;
    for (let rank = 0; rank < ranks; rank++) {
      let own = 0;
      for (let k = 0; k < costs; k++) own += parts[at++];
      work += own;
      if (own > slowest) slowest = own;
    }
    time += slowest;
  }
  return { time, idle: time > 0 ? 1 - work / (time * ranks) : 0 };
}

export function stepFigures(packing: Packing, plan: Plan, id: number, settings: StepSettings): Steps {
  const costs = pricedLoads(packing, settings.cost);
  const all = stepTimes(packing, plan, costs, 0, plan.length);
  const from = Math.min(settings.step, Math.max(0, plan.length - 1));
  const row = plan.ranks * costs.length;
  return {
    kind: "steps",
    ...{ id, settings, from },
    count: plan.length,
    costs: costs.map(([name]) => name),
    parts: all.slice(from * row, (from + SHOWN_STEPS) * row),
    ...epochTime(all, plan.ranks, costs.length),
    plan: plan.stats,
    published: (plan.published ?? {}) as Steps["published"],
  };
}

/** Samples of a group that are listed. */
const LISTED = 200;

/** The file of a sample, and its index there. */
export function placeOf(files: Samples["files"], index: number): { file: string; at: number } {
  let at = index;
  for (const { path, samples } of files) {
    if (at < samples) return { file: path, at };
    at -= samples;
  }
  return { file: "", at };
}

/** A group and why it is not fuller. O(samples). */
export function glass(samples: Samples, packing: Packing, id: number, asked: number): Glass {
  const group = Math.min(asked, packing.length - 1);
  const members = packing.group(group);
  const { max } = packing.bounds;
  const names = Object.keys(max).filter((name) => Object.hasOwn(samples.columns, name));
  const columns = names.map((name) => samples.columns[name]);
  const rooms = names.map((name) => max[name] - packing.loads[name][group]);
  const least = names.map(() => Number.POSITIVE_INFINITY);
  const inside = new Set(members);
  let fitting = 0;
  for (let i = 0; i < samples.count; i++) {
    if (inside.has(i)) continue;
    let fits = true;
    for (let k = 0; k < columns.length; k++) {
      const value = columns[k][i];
      if (value < least[k]) least[k] = value;
      if (value > rooms[k]) fits = false;
    }
    if (fits) fitting++;
  }
  const rows: SampleRow[] = Array.from(members.subarray(0, LISTED), (index) => ({
    index,
    ...placeOf(samples.files, index),
    loads: Object.fromEntries(Object.entries(samples.columns).map(([name, values]) => [name, values[index]])),
  }));
  return {
    kind: "glass",
    ...{ id, group, fitting, max },
    groups: packing.length,
    samples: rows,
    count: members.length,
    sums: Object.fromEntries(Object.entries(packing.loads).map(([name, sums]) => [name, sums[group]])),
    least: Object.fromEntries(names.map((name, k) => [name, least[k]])),
  };
}
