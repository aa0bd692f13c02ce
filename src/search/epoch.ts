// The search for what will be run: bounds and a method with which a planned epoch takes the least time by a cost.
import type { Core } from "../core/core.ts";
import { OptionError, show } from "../core/errors.ts";
import { type Lengths, type LengthsInput, toVitTokens } from "../core/lengths.ts";
import { MAX_INT32, type NamesOf, onlyNames, type Spec, take } from "../core/options.ts";
import { METHODS, type PackMethod } from "../pack/methods.ts";
import { usualCost } from "../plan/usual-cost.ts";
import type { EpochCandidate, EpochMeasured } from "./epoch-candidate.ts";
import type { OpenRunner, Task } from "./runner.ts";
import { SEARCH_OPTIONS, type SearchOptions, search, thin } from "./search.ts";

/** What a device has room for. */
export interface Memory {
  /** Bytes that a group may take, above 0: what the device has, less weights, optimiser and the like. */
  readonly memory: number;
  /** Bytes that one of a load takes, by the load's name; `group` is what a group takes by itself. */
  readonly bytes: Readonly<Record<string, number>>;
}

/** Where a search for the shortest epoch looks. */
export interface EpochSearchOptions
  extends Omit<SearchOptions, "slack" | "maxLeftOut" | "strategy" | "onProgress">,
    Partial<Memory> {
  /** How to pack. Default: whichever gives the shorter epoch. */
  readonly method?: PackMethod;
  /** What one of each load costs, by name, with `group` and `step`. Default: a tile 512, a patch 1, a token 1. */
  readonly cost?: Readonly<Record<string, number>>;
  /** Called after each candidate, in no order. What it throws ends the search. */
  readonly onProgress?: (progress: EpochSearchProgress) => void;
}

/** How far a search has come. */
export interface EpochSearchProgress {
  /** Candidates tried. */
  readonly done: number;
  /** Candidates there will be in all, at most. */
  readonly total: number;
  /** What the candidate that was tried last gave; undefined for one of the published search. */
  readonly last: EpochMeasured | undefined;
}

const { ranks, samplesPerGroup, maxVitLimit, maxTokensLimit, rounds, candidates, seed, workers } = SEARCH_OPTIONS;
const { startWorker, onProgress, signal } = SEARCH_OPTIONS;

export const EPOCH_SEARCH_OPTIONS = {
  ...{ ranks, samplesPerGroup, maxVitLimit, maxTokensLimit, rounds, candidates, seed, workers },
  ...{ startWorker, onProgress, signal },
  method: {
    kind: "choice",
    names: METHODS.map(({ name }) => name),
    argument: "METHOD",
    about: `how to pack: ${METHODS.map(({ name }) => name).join(" or ")}`,
    usual: "the better one",
  },
  cost: { kind: "own" },
  memory: { kind: "own", argument: "BYTES", about: "what a group may take of a device: 60e9" },
  bytes: { kind: "own", argument: "SIZES", about: "what one of each load takes: vit=4e6,tokens=2e5,group=1e9" },
} as const satisfies NamesOf<EpochSearchOptions, Spec>;

/** A candidate that was tried on all samples. */
export interface EpochSearchRow extends EpochMeasured {
  /** `epochMs` over the ideal: all samples' cost over the ranks. */
  readonly overIdeal: number;
}

/** What a search for the shortest epoch found. */
export interface EpochSearchResult {
  /** What to pack and plan with; null where nothing holds every sample, or nothing is in the window. */
  readonly winner: EpochSearchRow | null;
  /** The next best that differs from the winner by more than 3 % in a bound, or packs otherwise. */
  readonly runnerUp: EpochSearchRow | null;
  /** The published search's winner, packed and planned the same way; null where it has none within the limits. */
  readonly published: EpochSearchRow | null;
  /** Candidates tried on all samples, the shortest epoch first. */
  readonly candidates: readonly EpochSearchRow[];
  /** Candidates tried on a part of the samples only. */
  readonly pruned: number;
  /** Why the winner won and by how much, or why there is none. */
  readonly why: string;
  /** The cost that epochs were timed by. */
  readonly cost: Readonly<Record<string, number>>;
  /** It was not given, but assumed. */
  readonly costAssumed: boolean;
  /** All samples' cost over the ranks, in the unit of the cost. */
  readonly ideal: number;
  /** Workers that were used. */
  readonly workers: number;
}

/** Where bounds may be. */
interface Region {
  /** The two loads. */
  readonly names: readonly [string, string];
  /** The most that a sample has of each: bounds are at least that. */
  readonly least: readonly [number, number];
  readonly mean: readonly [number, number];
  readonly limit: readonly [number, number];
  readonly bytes: readonly [number, number];
  /** Bytes left for the loads; Infinity if memory does not matter. */
  readonly room: number;
}

type Pair = readonly [number, number];

function fits({ limit, bytes, room }: Region, [v, t]: Pair): boolean {
  return v <= limit[0] && t <= limit[1] && bytes[0] * v + bytes[1] * t <= room;
}

/** The most tokens beside a number of tiles. */
function tokensBeside({ limit, bytes, room }: Region, v: number): number {
  const left = room - bytes[0] * v;
  return Math.floor(Math.min(limit[1], bytes[1] > 0 ? left / bytes[1] : left < 0 ? 0 : Number.POSITIVE_INFINITY));
}

/** How tiles stand to tokens, over how they do in the samples on average, what is most often good first. */
const RATIOS = [1, 0.93, 1.07, 0.87, 1.15, 0.8, 1.3, 0.7, 1.6, 2.5];
/** How much of what there is room for. */
const SIZES = [1, 0.95, 0.88, 0.75, 0.6];
/** A closer look: changes of either bound. */
const NEAR = [-0.05, 0.05, -0.02, 0.02, -0.01, 0.01, -0.005, 0.005];
/** With more samples than this, candidates are tried on a part of them first. */
const WHOLE = 50_000;
/** Bounds within this share of another candidate's are as good as the same. */
const TWIN = 0.03;
/** Of the candidates tried on a part, this share is tried on all samples. */
const FINALS = 10;

/** Pairs of bounds over the whole region, the fullest use of the device first. */
function grid(region: Region, window: Pair | undefined): Pair[] {
  const { least, mean, limit } = region;
  const pairs: Pair[] = [];
  const put = (v: number, t: number) => {
    const pair: Pair = [
      Math.min(Math.max(Math.round(v), least[0], 1), MAX_INT32),
      Math.min(Math.max(Math.round(t), least[1], 1), MAX_INT32),
    ];
    if (fits(region, pair)) pairs.push(pair);
  };
  const sizes = window === undefined ? SIZES : [1, 1.04, 1.1, 1.2, 0.97].map((x) => x * ((window[0] + window[1]) / 2));
  for (const size of sizes) {
    if (window === undefined && limit.every(Number.isFinite)) put(limit[0] * size, limit[1] * size);
    for (const ratio of RATIOS) {
      // v = ratio x scale x mean of tiles, t = scale x mean of tokens.
      let scale = size;
      if (window === undefined) {
        const byTiles = mean[0] > 0 ? limit[0] / (ratio * mean[0]) : Number.POSITIVE_INFINITY;
        const perScale = region.bytes[0] * ratio * mean[0] + region.bytes[1] * mean[1];
        const byMemory = perScale > 0 ? region.room / perScale : Number.POSITIVE_INFINITY;
        const byTokens = mean[1] > 0 ? limit[1] / mean[1] : Number.POSITIVE_INFINITY;
        scale = size * Math.min(byTiles, byTokens, byMemory);
      }
      if (!Number.isFinite(scale)) continue;
      const v = Math.floor(ratio * scale * mean[0]);
      put(v, Math.floor(scale * mean[1]));
      // With tiles that have to hold the largest sample, as many tokens as there is room for.
      if (v < least[0] && window === undefined)
        put(least[0], Math.min(tokensBeside(region, least[0]) * size, MAX_INT32));
    }
  }
  return pairs;
}

function sum(column: Lengths[string]): number {
  let total = 0;
  for (let i = 0; i < column.length; i++) total += column[i];
  return total;
}

function most(column: Lengths[string]): number {
  let value = 0;
  for (let i = 0; i < column.length; i++) if (column[i] > value) value = column[i];
  return value;
}

/** All samples' cost by themselves, over the ranks. */
function idealOf(lengths: Lengths, cost: Readonly<Record<string, number>>, ranks: number): number {
  let total = 0;
  for (const [name, each] of Object.entries(cost)) {
    if (name === "group" || name === "step") continue;
    const square = name.endsWith("^2");
    const column = lengths[square ? name.slice(0, -2) : name];
    if (!square) total += each * sum(column);
    else for (let i = 0; i < column.length; i++) total += each * column[i] * column[i];
  }
  return total / ranks;
}

function checkCost(cost: unknown, lengths: Lengths): Readonly<Record<string, number>> {
  if (typeof cost !== "object" || cost === null) {
    throw new OptionError("INVALID_OPTION", `cost is ${show(cost)}, expected numbers by the names of loads`);
  }
  const known = [...Object.keys(lengths), "tokens^2", "group", "step"];
  const own: Record<string, number> = {};
  for (const [given, value] of Object.entries(cost)) {
    const name = given === "attention" ? "tokens^2" : given;
    if (!known.includes(name)) {
      throw new OptionError("INVALID_OPTION", `cost names ${show(given)}, expected ${known.join(", ")}`);
    }
    if (!(typeof value === "number" && value >= 0 && value <= 1e12)) {
      throw new OptionError("INVALID_OPTION", `cost.${given} is ${show(value)}, expected a number from 0 to 1e12`);
    }
    own[name] = value;
  }
  const loads = Object.entries(own).filter(([name]) => name !== "group" && name !== "step");
  if (loads.some(([, value]) => value > 0)) return own;
  throw new OptionError("INVALID_OPTION", "cost is 0 for every load, expected one above 0");
}

function checkMemory(
  { memory, bytes }: Partial<Memory>,
  names: Pair | readonly [string, string],
): Pick<Region, "bytes" | "room"> {
  if (memory === undefined && bytes === undefined) return { bytes: [0, 0], room: Number.POSITIVE_INFINITY };
  if (memory === undefined || bytes === undefined) {
    throw new OptionError(
      "INVALID_OPTION",
      `${memory === undefined ? "bytes" : "memory"} is given alone, expected memory and bytes`,
    );
  }
  if (!(typeof memory === "number" && memory > 0 && memory < Number.POSITIVE_INFINITY)) {
    throw new OptionError("INVALID_OPTION", `memory is ${show(memory)}, expected bytes above 0`);
  }
  if (typeof bytes !== "object" || bytes === null) {
    throw new OptionError("INVALID_OPTION", `bytes is ${show(bytes)}, expected numbers by the names of loads`);
  }
  for (const [name, value] of Object.entries(bytes)) {
    if (name !== "group" && !(names as readonly string[]).includes(name)) {
      throw new OptionError("INVALID_OPTION", `bytes names ${show(name)}, expected ${names.join(", ")}, group`);
    }
    if (!(typeof value === "number" && value >= 0 && value < Number.POSITIVE_INFINITY)) {
      throw new OptionError("INVALID_OPTION", `bytes.${name} is ${show(value)}, expected a number from 0 on`);
    }
  }
  const each = (name: unknown) => bytes[name as string] ?? 0;
  if (each(names[0]) === 0 && each(names[1]) === 0) {
    throw new OptionError("INVALID_OPTION", "bytes has nothing for a load, expected one above 0");
  }
  return { bytes: [each(names[0]), each(names[1])], room: memory - (bytes.group ?? 0) };
}

const keyOf = ({ method, max, min }: EpochCandidate | EpochMeasured) => JSON.stringify([method, max, min ?? null]);

/** The shorter epoch first, then fewer groups, then the smaller bounds. */
function shorter(a: EpochMeasured, b: EpochMeasured): number {
  if (a.epochMs !== b.epochMs) return a.epochMs - b.epochMs;
  return a.groups - b.groups || (keyOf(a) < keyOf(b) ? -1 : 1);
}

/** Whether two differ in nothing that a user would care about. */
function areTwins(a: EpochMeasured, b: EpochMeasured): boolean {
  return a.method === b.method && Object.keys(a.max).every((name) => Math.abs(a.max[name] / b.max[name] - 1) <= TWIN);
}

const percent = (value: number) => `${(value * 100).toFixed(2)} %`;

function rowText({ method, max }: EpochMeasured): string {
  const bounds = Object.entries(max).map(([name, bound]) => `${name} ${bound}`);
  return `${method} within ${bounds.join(" and ")}`;
}

/** The best one that is no twin of the winner; of twins alone, the second. */
function runnerUpOf(rows: readonly EpochSearchRow[]): EpochSearchRow | undefined {
  return rows.find((row) => !areTwins(row, rows[0])) ?? rows[1];
}

function whyText(
  rows: readonly EpochSearchRow[],
  published: EpochSearchRow | null,
  tried: number,
  ideal: number,
): string {
  const [winner] = rows;
  const second = runnerUpOf(rows);
  const more = (row: EpochSearchRow) => percent(row.epochMs / winner.epochMs - 1);
  const parts = [
    `${rowText(winner)} has the shortest epoch of ${tried} that were tried: ${percent(winner.epochMs / ideal - 1)} over the ideal in ${winner.steps} steps, ${percent(winner.idle)} of it idle`,
  ];
  if (second !== undefined) parts.push(`the next, ${rowText(second)}, takes ${more(second)} more`);
  if (published !== null) {
    const same = keyOf(published) === keyOf(winner);
    parts.push(
      same
        ? "it is the published search's winner"
        : `the published search's winner, ${rowText(published)}, planned the same way, ${more(published)} more`,
    );
  }
  return `${parts.join("; ")}.`;
}

/**
 * Finds bounds and a method with which a planned epoch takes the least time, by a cost: never with a sample left out. Every
 * candidate is packed, planned by the cost and timed; the published search's winner is one of them. The same result
 * with any number of workers. O(candidates x samples x rounds); beyond 50,000 samples most are tried on 40,000 only.
 *
 * @throws InputError for lengths, OptionError for options, EngineError OUT_OF_MEMORY; the signal's reason.
 */
export async function searchEpoch(
  core: Core,
  input: LengthsInput,
  options: EpochSearchOptions,
  open: OpenRunner,
): Promise<EpochSearchResult> {
  onlyNames("searchEpoch", options, EPOCH_SEARCH_OPTIONS);
  const { vit, tokens } = toVitTokens(input);
  const lengths: Lengths = { vit, tokens };
  const n = tokens.length;
  const ranks = take(EPOCH_SEARCH_OPTIONS, "ranks", options);
  const rounds = take(EPOCH_SEARCH_OPTIONS, "rounds", options);
  const seed = take(EPOCH_SEARCH_OPTIONS, "seed", options);
  const asked = take(EPOCH_SEARCH_OPTIONS, "candidates", options);
  // To pack with the balanced method and to plan takes longer than what the published search does.
  const budget = Math.ceil(asked / 2);
  const methods =
    options.method === undefined ? METHODS.map(({ name }) => name) : [take(EPOCH_SEARCH_OPTIONS, "method", options)];
  const workers = options.workers === undefined ? undefined : take(EPOCH_SEARCH_OPTIONS, "workers", options);
  const cost = options.cost === undefined ? usualCost(lengths) : checkCost(options.cost, lengths);
  const names = ["vit", "tokens"] as const;
  const region: Region = {
    names,
    least: [most(vit), most(tokens)],
    mean: [n === 0 ? 0 : sum(vit) / n, n === 0 ? 0 : sum(tokens) / n],
    limit: [
      options.maxVitLimit === undefined ? Number.POSITIVE_INFINITY : take(EPOCH_SEARCH_OPTIONS, "maxVitLimit", options),
      options.maxTokensLimit === undefined
        ? Number.POSITIVE_INFINITY
        : take(EPOCH_SEARCH_OPTIONS, "maxTokensLimit", options),
    ],
    ...checkMemory(options, names),
  };
  const { samplesPerGroup } = options;
  const isFree = region.limit.every((x) => x === Number.POSITIVE_INFINITY) && region.room === Number.POSITIVE_INFINITY;
  if (samplesPerGroup === undefined && isFree) {
    throw new OptionError("INVALID_OPTION", "one of samplesPerGroup, maxVitLimit, maxTokensLimit and memory is needed");
  }
  const base = { cost, costAssumed: options.cost === undefined, ideal: idealOf(lengths, cost, ranks) };
  const none = (why: string): EpochSearchResult => ({
    ...{ winner: null, runnerUp: null, published: null, candidates: [], pruned: 0, why, workers: 0 },
    ...base,
  });
  if (n === 0) return none("There are no samples, so there is nothing to pack.");
  if (!fits(region, region.least)) {
    const room = region.room === Number.POSITIVE_INFINITY ? "" : ", or the memory";
    return none(
      `No bounds hold every sample: they take ${names[0]} ${region.least[0]} and ${names[1]} ${region.least[1]} at least, which is beyond the limits${room}.`,
    );
  }

  // The published search, within the widest rectangle that the limits leave: its winner is one of the candidates.
  const shared = {
    ranks,
    rounds,
    seed,
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    ...(options.startWorker === undefined ? {} : { startWorker: options.startWorker }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const widest = (k: 0 | 1) => {
    const other = region.bytes[1 - k] * region.least[1 - k];
    const byMemory = region.bytes[k] > 0 ? (region.room - other) / region.bytes[k] : Number.POSITIVE_INFINITY;
    const limit = Math.floor(Math.min(region.limit[k], byMemory));
    return Number.isFinite(limit) && limit < MAX_INT32 ? limit : undefined;
  };
  const [vitLimit, tokenLimit] = [widest(0), widest(1)];
  let done = 0;
  const first = await search(
    core,
    lengths,
    {
      ...shared,
      ...(samplesPerGroup === undefined ? {} : { samplesPerGroup }),
      ...(vitLimit === undefined ? {} : { maxVitLimit: vitLimit }),
      ...(tokenLimit === undefined ? {} : { maxTokensLimit: tokenLimit }),
      onProgress: () => options.onProgress?.({ done: ++done, total: asked + budget, last: undefined }),
      candidates: asked,
    },
    open,
  );
  const window = windowOf(samplesPerGroup);
  const inWindow = ({ samplesPerGroup: own }: EpochMeasured) =>
    window === undefined || (own >= window[0] && own <= window[1]);

  const own = core.module === undefined ? core : core.another();
  const parted = n > WHOLE;
  const sets = parted ? [lengths, { ...thin(own, { vit, tokens }) }] : [lengths];
  const runner = await open(sets, workers === undefined && n * budget < 4_000_000 ? 0 : workers);
  try {
    const seen = new Set<string>();
    const tried: EpochMeasured[] = [];
    const common = { rounds, seed, ranks, cost };
    const run = async (batch: readonly EpochCandidate[], set: number): Promise<EpochMeasured[]> => {
      const tasks: Task<EpochCandidate>[] = batch.map((candidate) => ({ set, candidate }));
      const onDone = (last: EpochMeasured) => options.onProgress?.({ done: ++done, total: asked + budget, last });
      return runner.run(tasks, onDone, options.signal);
    };
    const fresh = (batch: readonly EpochCandidate[], room: number) => {
      const chosen: EpochCandidate[] = [];
      for (const candidate of batch) {
        if (chosen.length >= room || seen.has(keyOf(candidate))) continue;
        seen.add(keyOf(candidate));
        chosen.push(candidate);
      }
      return chosen;
    };
    const withMethods = (pairs: readonly Pair[]) =>
      pairs.flatMap(([v, t]) =>
        methods.map((method) => ({ ...common, method, max: { vit: v, tokens: t } }) as EpochCandidate),
      );

    // What the published search liked best, packed as it packs and by the other methods.
    const liked = first.candidates
      .filter(({ leftOut, maxVit, maxTokens }) => leftOut === 0 && fits(region, [maxVit, maxTokens]))
      .slice(0, 6);
    const rowsOf = (row: (typeof liked)[number]): EpochCandidate[] =>
      methods.map((method) => ({
        ...{ ...common, method, max: { vit: row.maxVit, tokens: row.maxTokens } },
        ...(method === "isf" ? { min: { vit: row.maxVit, tokens: row.minTokens } } : {}),
      }));
    const screen = parted ? 1 : 0;
    const [favourite, ...others] = liked;
    const coarse = [
      ...(favourite === undefined ? [] : rowsOf(favourite)),
      ...withMethods(grid(region, window)),
      ...others.flatMap(rowsOf),
    ];
    tried.push(...(await run(fresh(coarse, Math.ceil(budget * 0.6)), screen)));

    // A closer look around the best, a bit at a time, and around more of them where all is known there.
    for (let breadth = 2; tried.length < budget && breadth <= 64; ) {
      const best = tried
        .filter((row) => row.leftOut === 0 && inWindow(row))
        .sort(shorter)
        .slice(0, breadth);
      const around = NEAR.flatMap((part) =>
        best.flatMap(({ method, max }) => {
          const pairs: Pair[] = [
            [Math.round(max.vit * (1 + part)) + Math.sign(part) * Number(max.vit < 50), max.tokens],
            [max.vit, Math.round(max.tokens * (1 + part))],
          ];
          return pairs
            .filter(
              ([v, t]) =>
                v >= Math.max(1, region.least[0]) && t >= Math.max(1, region.least[1]) && fits(region, [v, t]),
            )
            .map(([v, t]) => ({ ...common, method, max: { vit: v, tokens: t } }) as EpochCandidate);
        }),
      );
      const next = fresh(around, Math.min(budget - tried.length, Math.ceil(budget / 12)));
      if (next.length === 0) {
        breadth *= 2;
        continue;
      }
      tried.push(...(await run(next, screen)));
    }

    const ranked = tried.filter((row) => (parted || row.leftOut === 0) && (parted || inWindow(row))).sort(shorter);
    const asCandidate = ({ method, max, min }: EpochMeasured): EpochCandidate => ({ ...common, method, max, min });
    let rows: readonly EpochMeasured[] = ranked;
    let pruned = 0;
    if (parted) {
      const finals = ranked.slice(0, Math.max(6, Math.ceil(budget / FINALS))).map(asCandidate);
      const known = new Set(finals.map(keyOf));
      if (liked.length > 0) finals.push(...rowsOf(liked[0]).filter((candidate) => !known.has(keyOf(candidate))));
      rows = (await run(finals, 0)).filter((row) => row.leftOut === 0 && inWindow(row)).sort(shorter);
      pruned = Math.max(0, tried.length - rows.length);
    }
    const final: EpochSearchRow[] = rows.map((row) => ({ ...row, overIdeal: row.epochMs / base.ideal }));
    if (final.length === 0) {
      return {
        ...none(`None of ${tried.length} candidates holds every sample with so many samples in a group.`),
        workers: runner.size,
      };
    }
    const likedKeys = first.winner === null ? [] : rowsOf(first.winner).map(keyOf);
    const published = final.find((row) => likedKeys.includes(keyOf(row))) ?? null;
    return {
      winner: final[0],
      runnerUp: runnerUpOf(final) ?? null,
      published,
      candidates: final,
      pruned,
      why: whyText(final, published, tried.length, base.ideal),
      workers: runner.size,
      ...base,
    };
  } finally {
    runner.close();
  }
}

function windowOf(asked: EpochSearchOptions["samplesPerGroup"]): Pair | undefined {
  if (asked === undefined) return undefined;
  return typeof asked === "number" ? [asked, asked + 1] : asked;
}
