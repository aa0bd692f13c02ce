// What an epoch takes with different ways to make batches of the same samples: is it worth it?
import type { HasCore } from "../core/core.ts";
import { OptionError, show } from "../core/errors.ts";
import {
  baseLoads,
  columnsOf,
  fieldsOf,
  type LengthsInput,
  loadColumn,
  loadName,
  sampleCount,
  squareOf,
  toLengths,
  USUAL,
} from "../core/lengths.ts";
import { MAX_INT32, type NamesOf, onlyNames, SEED, type Spec, take } from "../core/options.ts";
import { pack } from "../pack/pack.ts";
import { SHAPE } from "../plan/samplers.ts";
import { usualCost } from "../plan/usual-cost.ts";
import { type Column, type Columns, type Cost, priced } from "./cost.ts";
import { type EpochFigures, samplesCost, timeEpoch } from "./epoch.ts";
import type { Scene } from "./scene.ts";
import { systems } from "./systems.ts";

/** What is compared, and by what cost. */
export interface CompareOptions {
  /** Data-parallel ranks, 1 .. 2^31 - 1. */
  readonly ranks: number;
  /** Most of each load in a group, by name. Default: such that a group has `batch` samples on average. */
  readonly max?: Readonly<Record<string, number>>;
  /** Samples of a fixed batch, 1 .. 2^31 - 1. Default: those of the mean group, rounded; 4 where no `max` is given either. */
  readonly batch?: number;
  /**
   * What one of each load costs, by name: 0 .. 1e12, in any unit of time. NAME^2 is the square of each sample's value,
   * `group` what a group costs by itself, `step` what a step does. Default: a tile 512, a patch 1, a token 1.
   */
  readonly cost?: Cost;
  /** Names of the ways to be compared, or "all". Default: the usual ones. */
  readonly systems?: readonly string[] | "all";
  /** 0 .. 2^32 - 1. Default: 1024. */
  readonly seed?: number;
}

export const COMPARE_OPTIONS = {
  ranks: SHAPE.ranks,
  max: { kind: "own" },
  batch: {
    kind: "integer",
    low: 1,
    high: MAX_INT32,
    about: "samples of a fixed batch",
    usual: "those of the mean group, or 4 without bounds",
  },
  cost: { kind: "own" },
  systems: { kind: "own" },
  seed: SEED,
} as const satisfies NamesOf<CompareOptions, Spec>;

/** A row of a comparison. */
export interface ComparedSystem extends EpochFigures {
  /** Its name in the list of systems. */
  readonly name: string;
  /** The same in words. */
  readonly title: string;
  /** What it does. */
  readonly about: string;
  /** It is omnibal's own, with a plan. */
  readonly own: boolean;
}

/** What a comparison found. */
export interface Comparison {
  /** In the order of the list of systems. */
  readonly systems: readonly ComparedSystem[];
  /** Samples that were placed. */
  readonly samples: number;
  /** Samples beyond a bound by themselves: in no row. */
  readonly oversize: number;
  /** Data-parallel ranks. */
  readonly ranks: number;
  /** Samples of a fixed batch. */
  readonly batch: number;
  /** The bounds of a group, by load. */
  readonly max: Readonly<Record<string, number>>;
  /** The cost that epochs are timed by. */
  readonly cost: Cost;
  /** What was not given, and is assumed. */
  readonly assumed: {
    /** The bounds. */
    readonly max: boolean;
    /** The cost. */
    readonly cost: boolean;
  };
  /** All samples' cost over the ranks, in the unit of the cost: no epoch is shorter. */
  readonly ideal: number;
  /** The name of the row to run: of omnibal's own the one with the shortest epoch; "" where none is compared. */
  readonly best: string;
  /** Which share of each other row's epoch the best one saves, by name; below 0 it takes longer. */
  readonly saves: Readonly<Record<string, number>>;
  /** Whether it is worth it: one sentence. */
  readonly answer: string;
}

/** Less than this is not worth a change. */
const WORTH = 0.01;

function sentence(
  rows: readonly ComparedSystem[],
  best: ComparedSystem,
  saves: Readonly<Record<string, number>>,
  batch: number,
): string {
  const share = (value: number) => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`;
  const fixed = rows.find(({ name }) => name === "fixed");
  const packed = rows.find(({ name }) => name === "knapsack");
  const batches = `your batches of ${batch}`;
  const breaks =
    packed === undefined || packed.beyondAny === 0
      ? ""
      : `, which is beyond a bound in ${share(packed.beyondAny)} of its groups`;
  const ofPacked = packed === undefined ? undefined : saves.knapsack;
  if (fixed === undefined) {
    return `${best.title} takes ${share(best.overIdeal - 1)} more than the ideal.`;
  }
  if (saves.fixed >= WORTH) {
    const more =
      ofPacked === undefined || ofPacked < WORTH
        ? ""
        : `, and ${share(ofPacked)} against packing by tokens alone${breaks}`;
    return `${best.title} saves ${share(saves.fixed)} of an epoch against ${batches}${more}.`;
  }
  if (fixed.overIdeal < 1 + 2 * WORTH) return "Nothing to gain: your samples are alike.";
  return saves.fixed < 0
    ? `Nothing to gain: ${batches} take ${share(-saves.fixed)} less than ${best.title}.`
    : `Nothing to gain: ${best.title} takes as long as ${batches}, within 1 %.`;
}

/** Samples of the mean group are near enough once they are within this part of those that are wanted. */
const NEAR_BATCH = 0.02;
/** Samples that bounds are tried on. */
const PART = 40_000;

function subset(columns: Columns, at: (k: number) => number, count: number): Columns {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => {
      const own = column instanceof Int32Array ? new Int32Array(count) : new Float64Array(count);
      for (let k = 0; k < count; k++) own[k] = column[at(k)];
      return [name, own];
    }),
  );
}

function most(column: Column): number {
  let value = 0;
  for (let i = 0; i < column.length; i++) if (column[i] > value) value = column[i];
  return value;
}

function mean(column: Column): number {
  let sum = 0;
  for (let i = 0; i < column.length; i++) sum += column[i];
  return column.length === 0 ? 0 : sum / column.length;
}

/** Bounds on these loads within which groups have `batch` samples on average, each wide enough for every sample. */
function boundsFor(core: HasCore, columns: Columns, names: readonly string[], batch: number): Record<string, number> {
  const n = sampleCount(columns);
  const count = Math.min(n, PART);
  const part = subset(columns, (k) => Math.floor((k * n) / count), count);
  const largest = names.map((name) => most(columns[name]));
  const means = names.map((name) => mean(columns[name]));
  let scale = batch;
  let max: Record<string, number> = {};
  for (let round = 0; round < 8; round++) {
    max = Object.fromEntries(names.map((name, k) => [name, Math.max(largest[k], Math.ceil(means[k] * scale), 1)]));
    const groups = packed(core, part, max);
    if (groups === 0 || Math.abs(count / groups / batch - 1) <= NEAR_BATCH) break;
    const before = scale;
    scale *= (batch * groups) / count;
    // Bounds that have to hold the largest sample shrink no further.
    if (names.every((_, k) => means[k] * Math.max(scale, before) <= largest[k])) break;
  }
  return max;
}

function packed(core: HasCore, columns: Columns, max: Readonly<Record<string, number>>): number {
  return pack(core.core, columns, { max, method: "balanced", effort: 0 }).length;
}

/** The loads that bounds and the cost name, and the usual two; where neither is given, all. A bound on squares has a column. */
function columnsFor(input: LengthsInput, max: unknown, cost: unknown): Columns {
  if (max === undefined && cost === undefined) return Object.fromEntries(columnsOf(toLengths(input)));
  const bounded = Object.keys(max ?? {});
  const named = [...USUAL, ...bounded, ...Object.keys(cost ?? {})];
  // Names that there are no loads for are refused where they stand.
  const lengths = toLengths(
    input,
    baseLoads(named, input).filter((name) => hasLoad(input, name)),
  );
  const columns = { ...lengths };
  for (const name of bounded.map(loadName)) {
    const base = squareOf(name);
    if (!Object.hasOwn(columns, name) && base !== undefined && Object.hasOwn(columns, base)) {
      columns[name] = loadColumn(lengths, name);
    }
  }
  return columns;
}

function hasLoad(input: LengthsInput, name: string): boolean {
  const first: unknown = Array.isArray(input) ? input[0] : input;
  return typeof first === "object" && first !== null && fieldsOf(name).some((field) => field in first);
}

function checkMax(max: unknown, columns: Columns): Record<string, number> {
  if (typeof max !== "object" || max === null || Object.keys(max).length === 0) {
    throw new OptionError("INVALID_OPTION", `max is ${show(max)}, expected bounds by the names of loads`);
  }
  for (const [name, value] of Object.entries(max)) {
    if (!Object.hasOwn(columns, loadName(name))) {
      throw new OptionError(
        "INVALID_OPTION",
        `max names ${show(name)}, the samples have ${Object.keys(columns).join(", ")}`,
      );
    }
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new OptionError("INVALID_OPTION", `max.${name} is ${show(value)}, expected a whole number from 1 on`);
    }
  }
  return Object.fromEntries(Object.entries(max).map(([name, value]) => [loadName(name), value]));
}

function chosen(asked: unknown) {
  if (asked === undefined) return systems.filter(({ usual }) => usual);
  if (asked === "all") return systems;
  const names = systems.map(({ name }) => name);
  const unknown = Array.isArray(asked) ? asked.find((name) => !names.includes(name)) : asked;
  if (unknown !== undefined || !Array.isArray(asked) || asked.length === 0) {
    throw new OptionError(
      "INVALID_OPTION",
      `systems has ${show(unknown)}, expected all or some of ${names.join(", ")}`,
    );
  }
  return systems.filter(({ name }) => asked.includes(name));
}

/**
 * Predicts the time of an epoch for different ways to make batches of the same samples, by a cost. O(samples log samples)
 * for each way; ways that pack by one load break the other bounds, which is counted.
 *
 * @throws InputError for lengths, OptionError for options, EngineError OUT_OF_MEMORY.
 */
export function compare(host: HasCore, input: LengthsInput, options: CompareOptions): Comparison {
  onlyNames("compare", options, COMPARE_OPTIONS);
  const { core } = host;
  const all = columnsFor(input, options.max, options.cost);
  const ranks = take(COMPARE_OPTIONS, "ranks", options);
  const seed = take(COMPARE_OPTIONS, "seed", options);
  const given = options.batch === undefined ? undefined : take(COMPARE_OPTIONS, "batch", options);
  const rows = chosen(options.systems);
  const n = sampleCount(all);
  if (n === 0) throw new OptionError("INVALID_OPTION", "there are no samples to compare anything over");
  const cost = options.cost ?? usualCost(all);
  const costly = priced(cost, all).phases.map(({ load }) => load);
  const max = options.max === undefined ? boundsFor(host, all, costly, given ?? 4) : checkMax(options.max, all);
  const fitting: number[] = [];
  for (let i = 0; i < n; i++) {
    let fits = true;
    for (const name in max) fits &&= all[name][i] <= max[name];
    if (fits) fitting.push(i);
  }
  const samples = fitting.length;
  if (samples === 0) throw new OptionError("INVALID_OPTION", "max holds no sample by itself, expected larger bounds");
  const columns = samples === n ? all : subset(all, (k) => fitting[k], samples);
  const batch =
    given ?? (options.max === undefined ? 4 : Math.max(1, Math.round(samples / packed(host, columns, max))));
  const length = Object.hasOwn(columns, "tokens") ? "tokens" : Object.keys(max)[0];
  const scene: Scene = { core, samples, columns, max, length, ranks, batch, seed, cost, priced: priced(cost, columns) };
  const compared = rows.map(({ name, title, about, own = false, run }) => ({
    ...{ name, title, about, own },
    ...timeEpoch(scene, run(scene)),
  }));
  const best = compared
    .filter(({ own }) => own)
    .reduce<ComparedSystem | undefined>(
      (least, row) => (least === undefined || row.time < least.time ? row : least),
      undefined,
    );
  const others = compared.filter((row) => best !== undefined && row !== best);
  const saves = Object.fromEntries(others.map(({ name, time }) => [name, 1 - (best?.time ?? 0) / time]));
  return {
    systems: compared,
    ...{ samples, oversize: n - samples, ranks, batch, max, cost },
    assumed: { max: options.max === undefined, cost: options.cost === undefined },
    ideal: samplesCost(scene) / ranks,
    best: best?.name ?? "",
    saves,
    answer: best === undefined ? "None of omnibal's own ways is compared." : sentence(compared, best, saves, batch),
  };
}
