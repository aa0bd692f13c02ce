import { OptionError, show } from "../core/errors.ts";
import type { Lengths } from "../core/lengths.ts";
import { integer, MAX_INT32, MAX_UINT32, type NamesOf, oneOf, onlyNames } from "../core/options.ts";
import type { Omnibal } from "../omnibal.ts";
import { processors, type WorkerLike } from "../workers/link.ts";
import { Pool, type Task } from "../workers/pool.ts";
import type { Candidate, Measured } from "./candidate.ts";

export interface SearchOptions {
  /** Data-parallel ranks to be balanced, 1 .. 2^31 - 1. */
  readonly ranks: number;
  /**
   * Samples per group on average: s for s .. s + 1, or [low, high]. Not needed by `scan` where a limit below is given.
   */
  readonly samplesPerGroup?: number | readonly [low: number, high: number];
  /** Most tiles a device can take in a group: no candidate has a larger maxVit (Q_v). */
  readonly maxVitLimit?: number;
  /** Most tokens a device can take in a group: no candidate has a larger maxTokens (Q_t). */
  readonly maxTokensLimit?: number;
  /** Most rounds of ISF (T), 1 .. 2^31 - 1. `scan` keeps the best of them, `reference` the last. Default: 50. */
  readonly rounds?: number;
  /**
   * Samples that the winner of `scan` may leave out as too large, 0 .. 2^31 - 1. Default: 0. `reference` takes the
   * published winner, whatever it leaves out, and not this option.
   */
  readonly maxLeftOut?: number;
  /**
   * How much more than the best groups / bound a winner's may be, 0 .. 1: more of it buys evenness with groups that are
   * less full. Default: 0.01.
   */
  readonly slack?: number;
  /** 0 .. 2^32 - 1. Default: 1024. */
  readonly seed?: number;
  /**
   * `scan` looks over the whole range that the window and the limits allow, then closer around what is best there.
   * `reference` walks as the published search does, one tile and one step of tokens at a time. Default: `scan`.
   */
  readonly strategy?: "scan" | "reference";
  /** Candidates that `scan` tries, 10 .. 100000. Default: 200. */
  readonly candidates?: number;
  /** Workers for `scan`, 0 .. 1024; 0: none, this instance does it. The result is the same. Default: one per processor, up to 8. */
  readonly workers?: number;
  /** Starts a worker, where the packaged `parallel/worker.js` is not to be had under its own URL. */
  readonly startWorker?: () => WorkerLike;
  /** Called after each candidate, in no order. What it throws ends the search. */
  readonly onProgress?: (progress: SearchProgress) => void;
  /** Ends the search, and its workers. */
  readonly signal?: AbortSignal;
}

const SEARCH_OPTIONS: NamesOf<SearchOptions> = {
  ranks: true,
  samplesPerGroup: true,
  maxVitLimit: true,
  maxTokensLimit: true,
  rounds: true,
  maxLeftOut: true,
  slack: true,
  seed: true,
  strategy: true,
  candidates: true,
  workers: true,
  startWorker: true,
  onProgress: true,
  signal: true,
};

export interface SearchProgress {
  /** Candidates tried. */
  readonly done: number;
  /** Candidates there may be in all; `reference` does not know: 0. */
  readonly total: number;
  readonly last: Measured;
}

/** Files that samples were read from, in their order, as `readLengths` lists them. */
export type SampleFiles = readonly { readonly path: string; readonly samples: number }[];

/** A sample, and where it is. */
export interface SampleAt {
  /** Among all samples. */
  readonly index: number;
  /** The file it is from, and its index in there, where the lengths have `files`. */
  readonly file?: { readonly path: string; readonly index: number };
  readonly vit: number;
  readonly tokens: number;
}

/** A candidate that was tried on all samples; `pack` takes it as its options. */
export interface SearchRow extends Measured {
  /** Samples per group are in the window asked for. */
  readonly inWindow: boolean;
  /** No other row that may win is better in one of ratio, vitDist, tokenDist and as good in the others. */
  readonly pareto: boolean;
}

export interface SearchResult {
  readonly strategy: "scan" | "reference";
  /** What to pack with; null when no candidate is in the window, or none that leaves out as few samples as asked. */
  readonly winner: SearchRow | null;
  /** All candidates tried on all samples: of `scan` best first, of `reference` in the order of its steps. */
  readonly candidates: readonly SearchRow[];
  /** Rows of the Pareto front of (ratio, vitDist, tokenDist), by rising ratio. */
  readonly pareto: readonly SearchRow[];
  /** Where there is no winner: the rows nearest to the window, nearest first. */
  readonly nearest: readonly SearchRow[];
  /** Why the winner won, or why there is none: one sentence. */
  readonly why: string;
  /** Candidates tried on a part of the samples only and not thought worth more. */
  readonly pruned: number;
  /** Workers that were used. */
  readonly workers: number;
  /** The sample that needs the largest bounds, beside the limits or, within them, beside the mean; null when there is none. */
  readonly largest: SampleAt | null;
  /** The most tiles and the most tokens of a sample: bounds from there on, and from 1, hold every sample. */
  readonly needed: { readonly maxVit: number; readonly maxTokens: number };
  /** Samples beyond the limits: every candidate leaves them out. */
  readonly beyondLimits: number;
}

/** The samples' sums and extremes, as far as a search needs them. */
interface Totals {
  readonly samples: number;
  readonly vit: number;
  readonly tokens: number;
  readonly mostVit: number;
  readonly mostTokens: number;
  readonly largest: SampleAt | null;
  readonly beyondLimits: number;
}

function addUp({ vit, tokens }: Lengths, { maxVit, maxTokens, files }: Resolved): Totals {
  let sumVit = 0;
  let sumTokens = 0;
  let atVit = 0;
  let atTokens = 0;
  let beyondLimits = 0;
  for (let i = 0; i < vit.length; i++) {
    sumVit += vit[i];
    sumTokens += tokens[i];
    if (vit[i] > vit[atVit]) atVit = i;
    if (tokens[i] > tokens[atTokens]) atTokens = i;
    if (vit[i] > maxVit || tokens[i] > maxTokens) beyondLimits++;
  }
  const samples = vit.length;
  const mostVit = samples === 0 ? 0 : vit[atVit];
  const mostTokens = samples === 0 ? 0 : tokens[atTokens];
  // The one that is farther beyond a limit; where none is, farther above the mean.
  const index =
    beyondLimits > 0
      ? mostVit / maxVit >= mostTokens / maxTokens
        ? atVit
        : atTokens
      : mostVit * sumTokens > mostTokens * sumVit
        ? atVit
        : atTokens;
  const largest = samples === 0 ? null : { index, ...fileOf(index, files), vit: vit[index], tokens: tokens[index] };
  return { samples, vit: sumVit, tokens: sumTokens, mostVit, mostTokens, largest, beyondLimits };
}

function fileOf(index: number, files: SampleFiles): Pick<SampleAt, "file"> {
  let at = index;
  for (const { path, samples } of files) {
    if (at < samples) return path === "-" ? {} : { file: { path, index: at } };
    at -= samples;
  }
  return {};
}

interface Resolved {
  readonly files: SampleFiles;
  readonly ranks: number;
  /** Samples per group; undefined: any. */
  readonly window: readonly [number, number] | undefined;
  readonly maxVit: number;
  readonly maxTokens: number;
  readonly rounds: number;
  /** undefined: as few as any candidate in the window does. */
  readonly maxLeftOut: number | undefined;
  readonly slack: number;
  readonly seed: number;
  readonly budget: number;
}

function resolveWindow(asked: unknown): readonly [number, number] {
  const [low, high]: unknown[] = Array.isArray(asked) ? asked : [asked, Number(asked) + 1];
  if (
    typeof low === "number" &&
    typeof high === "number" &&
    low > 0 &&
    low <= high &&
    high < Number.POSITIVE_INFINITY
  ) {
    return [low, high];
  }
  throw new OptionError(
    "INVALID_OPTION",
    `samplesPerGroup is ${show(asked)}, expected a number above 0 or [low, high] of such`,
  );
}

function resolveSlack(slack: unknown): number {
  if (typeof slack === "number" && slack >= 0 && slack <= 1) return slack;
  throw new OptionError("INVALID_OPTION", `slack is ${show(slack)}, expected a number from 0 to 1`);
}

function resolve(options: SearchOptions, strategy: "scan" | "reference", files: SampleFiles): Resolved {
  const { samplesPerGroup, maxVitLimit, maxTokensLimit, maxLeftOut } = options;
  if (strategy === "reference" && maxLeftOut !== undefined) {
    throw new OptionError("INVALID_OPTION", "maxLeftOut is given, expected none for strategy reference");
  }
  const free = samplesPerGroup === undefined && strategy === "scan";
  if (free && maxVitLimit === undefined && maxTokensLimit === undefined) {
    throw new OptionError("INVALID_OPTION", "one of samplesPerGroup, maxVitLimit and maxTokensLimit is needed");
  }
  return {
    files,
    ranks: integer("ranks", options.ranks, 1, MAX_INT32),
    window: free ? undefined : resolveWindow(samplesPerGroup),
    maxVit: integer("maxVitLimit", maxVitLimit ?? MAX_INT32, 1, MAX_INT32),
    maxTokens: integer("maxTokensLimit", maxTokensLimit ?? MAX_INT32, 1, MAX_INT32),
    rounds: integer("rounds", options.rounds ?? 50, 1, MAX_INT32),
    maxLeftOut: strategy === "scan" ? integer("maxLeftOut", maxLeftOut ?? 0, 0, MAX_INT32) : undefined,
    slack: resolveSlack(options.slack ?? 0.01),
    seed: integer("seed", options.seed ?? 1024, 0, MAX_UINT32),
    budget: integer("candidates", options.candidates ?? 200, 10, 100000),
  };
}

/** How far samples per group are from the window: 0 inside, a ratio - 1 outside. */
function distance(row: Measured, window: readonly [number, number] | undefined): number {
  if (row.groups === 0) return Number.POSITIVE_INFINITY;
  if (window === undefined) return 0;
  const [low, high] = window;
  const mean = row.samplesPerGroup;
  return mean < low ? low / mean - 1 : mean > high ? mean / high - 1 : 0;
}

function by(...keys: ((row: Measured) => number)[]): (a: Measured, b: Measured) => number {
  return (a, b) => {
    for (const key of keys) {
      const x = key(a);
      const y = key(b);
      if (x !== y) return x < y ? -1 : 1;
    }
    return 0;
  };
}

const byArguments = [(row: Measured) => row.maxVit, (row: Measured) => row.maxTokens, (row: Measured) => row.minTokens];

/**
 * Best first: rows in the window that leave out no more samples than they may and whose ratio is within the slack
 * of the best such one, by score; then the others by what they lack.
 */
function rank<T extends Measured>(
  rows: readonly T[],
  { window, maxLeftOut, slack }: Resolved,
): { rows: T[]; able: T[] } {
  const inside = rows.filter((row) => distance(row, window) === 0);
  const fewest = inside.reduce((least, row) => Math.min(least, row.leftOut), Number.POSITIVE_INFINITY);
  const allowed = maxLeftOut ?? fewest;
  const whole = inside.filter((row) => row.leftOut <= allowed);
  const bestRatio = whole.reduce((least, row) => Math.min(least, row.ratio), Number.POSITIVE_INFINITY);
  const able = whole.filter((row) => row.ratio <= bestRatio * (1 + slack));
  const tier = new Map<Measured, number>();
  for (const row of inside) tier.set(row, 2);
  for (const row of whole) tier.set(row, 1);
  for (const row of able) tier.set(row, 0);
  const order = by(
    (row) => tier.get(row) ?? 3,
    (row) => (tier.has(row) ? 0 : distance(row, window)),
    (row) => row.score,
    (row) => row.leftOut,
    (row) => row.ratio,
    ...byArguments,
  );
  return { rows: [...rows].sort(order), able: able.sort(order) };
}

function front<T extends Measured>(rows: readonly T[]): Set<T> {
  const loads = (row: Measured) => [row.ratio, row.vitDist, row.tokenDist];
  const beats = (a: Measured, b: Measured) => {
    const [x, y] = [loads(a), loads(b)];
    return x.every((value, k) => value <= y[k]) && x.some((value, k) => value < y[k]);
  };
  return new Set(rows.filter((row) => !rows.some((other) => beats(other, row))));
}

function figures(row: Measured): string {
  return `maxVit ${row.maxVit}, maxTokens ${row.maxTokens}, minTokens ${row.minTokens}, rounds ${row.rounds}`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

function percent(ratio: number): string {
  return `${((ratio - 1) * 100).toFixed(2)} %`;
}

function windowText(window: readonly [number, number] | undefined): string {
  return window === undefined ? "within the limits" : `with ${window[0]} to ${window[1]} samples per group`;
}

/** The limits asked for, in words; "" where there are none. */
function limitsText({ maxVit, maxTokens }: Resolved): string {
  return [
    maxVit < MAX_INT32 ? `maxVit up to ${maxVit}` : "",
    maxTokens < MAX_INT32 ? `maxTokens up to ${maxTokens}` : "",
  ]
    .filter((text) => text !== "")
    .join(" and ");
}

/** "sample 9 (2 of b.json) with 5 tiles and 1341 tokens" */
export function sampleText({ index, file, vit, tokens }: SampleAt): string {
  const where =
    file === undefined ? "" : file.index === index ? ` of ${file.path}` : ` (${file.index} of ${file.path})`;
  return `sample ${index}${where} with ${count(vit, "tile")} and ${count(tokens, "token")}`;
}

/** What leaves samples out, and which bounds would not. */
function whyLeftOut(resolved: Resolved, { largest, beyondLimits, mostVit, mostTokens }: Totals): string {
  const { maxLeftOut = 0 } = resolved;
  const are = `${count(beyondLimits, "sample")} ${beyondLimits === 1 ? "is" : "are"}`;
  return (
    `No bounds with ${limitsText(resolved)} ${maxLeftOut === 0 ? "hold every sample" : `leave out only ${maxLeftOut}`}: ` +
    `${are} beyond, the largest is ${sampleText(largest!)}. Bounds from maxVit ` +
    `${Math.max(mostVit, 1)} and maxTokens ${Math.max(mostTokens, 1)} on hold all; maxLeftOut ${beyondLimits} permits leaving those out.`
  );
}

function whyNone(
  nearest: readonly SearchRow[],
  rows: readonly SearchRow[],
  resolved: Resolved,
  totals: Totals,
): string {
  if (totals.samples === 0) return "There are no samples, so there is nothing to pack.";
  const { window, maxLeftOut } = resolved;
  if (maxLeftOut !== undefined && totals.beyondLimits > maxLeftOut) return whyLeftOut(resolved, totals);
  const limits = limitsText(resolved);
  const where = `${windowText(window)}${limits === "" ? "" : ` and ${limits}`}`;
  if (rows.length === 0) return `No packing ${where}: the walk starts beyond these limits.`;
  const near = nearest.find((row) => row.groups > 0);
  const most = `the largest sample has ${totals.mostVit} tiles and ${totals.mostTokens} tokens`;
  if (near === undefined) return `No packing ${where}: ${most}, and every candidate leaves all out.`;
  const each = `of ${rows.length} candidates the nearest has ${near.samplesPerGroup.toFixed(3)} (${figures(near)})`;
  // The largest sample alone is as large as a group in the window is on average, in either load.
  const tooLarge =
    maxLeftOut !== undefined &&
    window !== undefined &&
    rows.every((row) => row.samplesPerGroup > window[1]) &&
    totals.mostVit + totals.mostTokens > 0 &&
    totals.mostVit * totals.samples >= window[1] * totals.vit &&
    totals.mostTokens * totals.samples >= window[1] * totals.tokens;
  if (!tooLarge) return `No packing ${where}: ${each}.`;
  return (
    `No packing ${where}: ${each}. The largest is ${sampleText(totals.largest!)}: bounds that hold it hold more of ` +
    "the others. maxLeftOut permits leaving samples out."
  );
}

/** `rivals`: the rows that could have won, best first. */
function whyWon(
  winner: Measured,
  rivals: readonly Measured[],
  rule: string,
  rows: readonly SearchRow[],
  { window, ranks }: Resolved,
) {
  const inside = rows.filter((row) => row.inWindow).length;
  const out = winner.leftOut === 0 ? "no sample" : count(winner.leftOut, "sample");
  const sum = `pad ${winner.pad.toFixed(4)} + vitDist ${winner.vitDist.toFixed(4)} + tokenDist ${winner.tokenDist.toFixed(4)} = ${winner.score.toFixed(4)}`;
  const second = rivals.find((row) => row !== winner);
  const rank =
    second === undefined
      ? `is that of the only one ${rule}`
      : `is the least of the ${rivals.length} ${rule}, the next has ${second.score.toFixed(4)}`;
  return (
    `${figures(winner)} won among ${rows.length} candidates, ${inside} of them ${windowText(window)}: ${count(winner.groups, "group")}, ` +
    `${percent(winner.ratio)} over the lower bound of ${winner.bound}, leave out ${out}, and ${sum} ${rank}.` +
    (winner.groups < ranks ? ` They do not fill a step of ${ranks} ranks, which is measured with repeats.` : "")
  );
}

/** A table of rows that may be ranked or in the order of steps. */
function tabulate(
  measured: readonly Measured[],
  resolved: Resolved,
  totals: Totals,
  extra: { strategy: "scan" | "reference"; pruned: number; workers: number },
  pick?: (rows: readonly SearchRow[]) => SearchRow | undefined,
): SearchResult {
  const { rows: ranked, able } = rank(measured, resolved);
  const best = front(able);
  const toRow = (row: Measured): SearchRow => ({
    ...row,
    inWindow: distance(row, resolved.window) === 0,
    pareto: best.has(row),
  });
  const rows = (extra.strategy === "scan" ? ranked : measured).map(toRow);
  const winner = (pick === undefined ? rows.slice(0, able.length)[0] : pick(rows)) ?? null;
  const nearest =
    winner === null
      ? [...rows]
          .sort(
            by(
              (row) => distance(row, resolved.window),
              (row) => row.score,
              ...byArguments,
            ),
          )
          .slice(0, 5)
      : [];
  const inside = rows.filter((row) => row.inWindow);
  const why = (won: SearchRow) =>
    pick === undefined
      ? whyWon(
          won,
          rows.slice(0, able.length),
          `with groups / bound within ${+(resolved.slack * 100).toFixed(2)} % of the best`,
          rows,
          resolved,
        )
      : whyWon(won, inside.sort(by((row) => row.score)), "in there", rows, resolved);
  return {
    ...extra,
    winner,
    candidates: rows,
    pareto: rows
      .filter((row) => row.pareto)
      .sort(
        by(
          (row) => row.ratio,
          (row) => row.score,
          ...byArguments,
        ),
      ),
    nearest,
    largest: totals.largest,
    needed: { maxVit: totals.mostVit, maxTokens: totals.mostTokens },
    beyondLimits: totals.beyondLimits,
    why: winner === null ? whyNone(nearest, rows, resolved, totals) : why(winner),
  };
}

// --- The published search -------------------------------------------------------------------------------------------

/** Where a walk that finds nothing is cut off. */
const MOST_STEPS = 10000;
const START_TOKENS = 4096;
const SLACK_TOKENS = 128;
/** Tokens per tile are rounded down to a multiple of this, which a walk needs to be at least. */
const TOKEN_UNIT = 16;

/** Where the published search starts and how far it steps. */
function startOfWalk({ vit, tokens }: Lengths): { maxVit: number; step: number } {
  let sumVit = 0;
  let sumTokens = 0;
  for (let i = 0; i < vit.length; i++) {
    sumVit += vit[i];
    sumTokens += Math.ceil(tokens[i] / 256) * 256;
  }
  const perTile = Math.floor(sumTokens / vit.length / Math.max(sumVit / vit.length, 1)) + 1;
  // The published step is 0 below 16 tokens per tile, and maxVit then infinite.
  const step = Math.max(Math.floor(perTile / TOKEN_UNIT) * TOKEN_UNIT, TOKEN_UNIT);
  return { maxVit: Math.max(Math.floor(START_TOKENS / step), 1), step };
}

/** The published search, step by step, but that it ends. */
async function walk(pool: Pool, lengths: Lengths, resolved: Resolved, options: SearchOptions): Promise<SearchResult> {
  const totals = addUp(lengths, resolved);
  const [, high] = resolved.window!;
  const rows: Measured[] = [];
  const { ranks, rounds, seed } = resolved;
  const start = totals.samples === 0 ? { maxVit: 0, step: TOKEN_UNIT } : startOfWalk(lengths);
  let maxVit = start.maxVit;
  let maxTokens = START_TOKENS;
  let most = 0;
  let found = false;
  while (rows.length < MOST_STEPS && maxVit >= 1 && maxTokens >= 1) {
    if (maxVit > resolved.maxVit || maxTokens > resolved.maxTokens) break;
    const minTokens = Math.max(maxTokens - SLACK_TOKENS, 0);
    const candidate = { maxVit, maxTokens, minTokens, rounds, seed, ranks, published: true };
    const [row] = await pool.run(
      [{ set: 0, candidate }],
      (last) => {
        rows.push(last);
        options.onProgress?.({ done: rows.length, total: 0, last });
      },
      options.signal,
    );
    most = Math.max(most, row.samplesPerGroup);
    found ||= distance(row, resolved.window) === 0;
    let way = 1;
    if (most > high) {
      if (found) break;
      way = -1;
    } else if (row.groups === 1 && row.leftOut === 0) {
      // All samples are in one group: larger bounds change nothing any more.
      break;
    }
    maxVit += way;
    maxTokens += way * start.step;
  }
  const first = by(
    (row) => row.score,
    (row) => row.vitDist,
    (row) => row.tokenDist,
    ...byArguments,
  );
  return tabulate(
    rows,
    resolved,
    totals,
    { strategy: "reference", pruned: 0, workers: pool.size },
    (all) => all.filter((row) => row.inWindow).sort(first)[0],
  );
}

// --- The scan -------------------------------------------------------------------------------------------------------

/** A group's share of the perfect fill that is still thought worth a try, when bounds are derived from the window. */
const FILL = 0.8;
/** maxTokens over maxVit * tokens per tile, most telling first: a scan with little room leaves out the last ones. */
const TOKEN_FACTORS = [1.1, 1.35, 1, 1.8, 1.2, 1.05, 0.95, 1.5, 0.9];
/** Beyond so many samples, candidates are tried on a part of them first, and only the best on all. */
const WHOLE = 100_000;
/** Samples that candidates are pruned on. */
export const PART = 40_000;

interface Ranges {
  /** Tiles that maxVit and maxTokens are derived from. */
  readonly tiles: readonly number[];
  readonly boundsFor: (tiles: number, factor: number) => { maxVit: number; maxTokens: number };
}

/** `count` whole numbers spread evenly over low .. high, both included. */
function spread(low: number, high: number, count: number): number[] {
  const all = Math.max(high - low + 1, 1);
  if (all <= count) return Array.from({ length: all }, (_, k) => low + k);
  if (count === 1) return [high];
  return Array.from({ length: count }, (_, k) => low + Math.round(((high - low) * k) / (count - 1)));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** Which bounds leave out no more samples than may be. */
interface Hold {
  /** The smallest bounds of which that may be so. */
  readonly maxVit: number;
  readonly maxTokens: number;
  /** Samples within these bounds, and their sums. */
  readonly samples: number;
  readonly vit: number;
  readonly tokens: number;
  holds(maxVit: number, maxTokens: number): boolean;
}

/** The largest value but for `count` larger ones, at least 1. */
function nextLargest(values: Int32Array, count: number): number {
  return Math.max(values.slice().sort()[values.length - 1 - count] ?? 1, 1);
}

/** O(samples), but for a sort where samples may be left out; then O(maxLeftOut) per question. */
function holding({ vit, tokens }: Lengths, totals: Totals, maxLeftOut: number): Hold {
  if (maxLeftOut === 0) {
    const least = { maxVit: Math.max(totals.mostVit, 1), maxTokens: Math.max(totals.mostTokens, 1) };
    const holds = (maxVit: number, maxTokens: number) => maxVit >= least.maxVit && maxTokens >= least.maxTokens;
    return { ...least, samples: totals.samples, vit: totals.vit, tokens: totals.tokens, holds };
  }
  const least = { maxVit: nextLargest(vit, maxLeftOut), maxTokens: nextLargest(tokens, maxLeftOut) };
  const large: number[] = [];
  const sums = { samples: 0, vit: 0, tokens: 0 };
  for (let i = 0; i < vit.length; i++) {
    if (vit[i] > least.maxVit || tokens[i] > least.maxTokens) {
      large.push(i);
      continue;
    }
    sums.samples++;
    sums.vit += vit[i];
    sums.tokens += tokens[i];
  }
  const holds = (maxVit: number, maxTokens: number) =>
    maxVit >= least.maxVit &&
    maxTokens >= least.maxTokens &&
    large.filter((i) => vit[i] > maxVit || tokens[i] > maxTokens).length <= maxLeftOut;
  return { ...least, ...sums, holds };
}

/**
 * What to scan. With a mean of v tiles and t tokens per sample, s samples per group need maxVit >= s v and
 * maxTokens >= s t; bounds far above that leave groups too full. Without a window, bounds from half of what the limits
 * allow on. A bound that must be larger, to hold the samples, leaves it to the other one how full groups are.
 */
function ranges(hold: Hold, { window, maxVit, maxTokens }: Resolved, count: number): Ranges {
  const samples = Math.max(hold.samples, 1);
  const meanVit = hold.vit / samples;
  const meanTokens = hold.tokens / samples;
  const perTile = hold.vit === 0 ? 0 : meanTokens / meanVit;
  let low: number;
  let high: number;
  if (hold.vit === 0) {
    // Without images maxVit means nothing: the scan runs along maxTokens.
    low = 1;
    high = 1;
  } else if (window !== undefined) {
    low = Math.ceil(window[0] * meanVit);
    high = Math.floor((window[1] * meanVit) / FILL);
  } else {
    // A bound above the sum of all samples is as good as that.
    high = Math.min(maxVit, hold.vit, Math.ceil(maxTokens / perTile / 0.9));
    low = Math.ceil(high / 2);
  }
  if (hold.maxVit <= high) low = Math.max(low, hold.maxVit);
  high = clamp(high, 1, maxVit);
  const largest = Math.min(maxTokens, window === undefined ? hold.tokens : (window[1] * meanTokens) / FILL);
  return {
    tiles: spread(clamp(low, 1, high), high, count),
    boundsFor: (tiles, factor) => {
      const wanted = hold.vit === 0 ? largest * (factor / 1.8) : tiles * perTile * factor;
      return {
        maxVit: Math.max(tiles, hold.maxVit),
        maxTokens: Math.round(clamp(wanted, hold.maxTokens, maxTokens)),
      };
    },
  };
}

/**
 * `count` samples, one of each stretch of that many. Which one of a stretch differs from one to the next: every k-th
 * sample of data that was dealt out of several sources in turn may be of one source alone.
 */
export function thin({ vit, tokens }: Lengths, count: number): Lengths {
  const at = Int32Array.from({ length: count }, (_, k) => {
    // Multiples of the golden ratio are spread evenly, whatever the period of the data is.
    const part = (Math.imul(k, 0x9e3779b1) >>> 0) / 2 ** 32;
    return Math.floor(((k + part) * vit.length) / count);
  });
  return { vit: at.map((i) => vit[i]), tokens: at.map((i) => tokens[i]) };
}

/** Candidates around a row, nearest first: other thresholds, a little more or less of either bound. */
function around(row: Measured, perTile: number): { maxVit: number; maxTokens: number; minTokens: number }[] {
  const { maxVit, maxTokens } = row;
  const near: { maxVit: number; maxTokens: number; minTokens: number }[] = [];
  const add = (v: number, t: number, slack: number) =>
    near.push({ maxVit: v, maxTokens: Math.round(t), minTokens: Math.round(t - slack) });
  for (const slack of [256, 64, 512, 32]) add(maxVit, maxTokens, slack);
  for (const part of [-0.02, 0.02, -0.05, 0.05, -0.01, 0.01]) add(maxVit, maxTokens * (1 + part), SLACK_TOKENS);
  for (const v of [maxVit - 1, maxVit + 1]) add(v, maxTokens + (v - maxVit) * perTile, SLACK_TOKENS);
  for (const part of [-0.03, 0.03]) add(maxVit, maxTokens * (1 + part), 256);
  return near;
}

async function scan(pool: Pool, sets: readonly Lengths[], resolved: Resolved, options: SearchOptions) {
  const totals = addUp(sets[0], resolved);
  const { budget, ranks, rounds, seed, maxLeftOut = 0 } = resolved;
  const set = sets.length - 1;
  const known = new Map<string, Measured>();
  let done = 0;
  const whole = set === 0 ? 0 : Math.max(Math.ceil(budget / 10), 5);
  // Of all samples: those that candidates are tried on may not have the largest.
  const hold = holding(sets[0], totals, maxLeftOut);
  const attempt = async (wanted: readonly { maxVit: number; maxTokens: number; minTokens: number }[], most: number) => {
    const tasks: Task[] = [];
    const keys: string[] = [];
    for (const { maxVit, maxTokens, minTokens } of wanted) {
      if (tasks.length === most) break;
      if (maxVit > resolved.maxVit || maxTokens > resolved.maxTokens || !hold.holds(maxVit, maxTokens)) continue;
      const least = Math.max(minTokens, 0);
      const key = `${maxVit}/${maxTokens}/${least}`;
      if (known.has(key) || keys.includes(key)) continue;
      keys.push(key);
      const candidate: Candidate = { maxVit, maxTokens, minTokens: least, rounds, seed, ranks, published: false };
      tasks.push({ set, candidate });
    }
    const rows = await pool.run(
      tasks,
      (last) => options.onProgress?.({ done: ++done, total: budget + whole, last }),
      options.signal,
    );
    for (const [k, row] of rows.entries()) known.set(keys[k], row);
    return rows.length;
  };
  if (totals.samples > 0 && totals.beyondLimits <= maxLeftOut) {
    // Six tenths for the whole range, the rest for a closer look at what is best there, a bit at a time.
    const coarse = Math.ceil(budget * 0.6);
    const factors = TOKEN_FACTORS.length;
    const { tiles, boundsFor } = ranges(hold, resolved, Math.max(Math.floor(coarse / 4), 1));
    const each = hold.vit === 0 ? coarse : clamp(Math.floor(coarse / tiles.length), 1, factors);
    const scale =
      hold.vit === 0
        ? Array.from({ length: coarse }, (_, k) => 0.9 + (k * 0.9) / coarse)
        : TOKEN_FACTORS.slice(0, each);
    const grid = tiles.flatMap((some) =>
      scale.map((factor) => {
        const { maxVit, maxTokens } = boundsFor(some, factor);
        return { maxVit, maxTokens, minTokens: maxTokens - SLACK_TOKENS };
      }),
    );
    await attempt(grid, coarse);
    if (rank([...known.values()], resolved).able.length === 0) {
      // The tightest there are, and those that leave out none but what is beyond the limits.
      const most = {
        maxVit: clamp(totals.mostVit, 1, resolved.maxVit),
        maxTokens: clamp(totals.mostTokens, 1, resolved.maxTokens),
      };
      const extremes = [hold, most].map(({ maxVit, maxTokens }) => ({
        maxVit,
        maxTokens,
        minTokens: maxTokens - SLACK_TOKENS,
      }));
      await attempt(extremes, budget - known.size);
    }
    const perTile = hold.vit === 0 ? 0 : hold.tokens / hold.vit;
    // Where all around the best is known, more of the good ones are looked around.
    let breadth = 4;
    while (known.size < budget && breadth <= 2 * known.size) {
      const best = rank([...known.values()], resolved).rows.slice(0, breadth);
      const left = Math.min(budget - known.size, Math.ceil(budget / 12));
      const lists = best.map((row) => around(row, perTile));
      const wanted = lists[0].flatMap((_, k) => lists.map((list) => list[k]));
      if ((await attempt(wanted, left)) === 0) breadth *= 2;
    }
  }
  let rows = [...known.values()];
  let pruned = 0;
  if (set > 0) {
    const best = rank(rows, resolved).rows.slice(0, whole);
    pruned = rows.length - best.length;
    const tasks = best.map(({ maxVit, maxTokens, minTokens }) => ({
      set: 0,
      candidate: { maxVit, maxTokens, minTokens, rounds, seed, ranks, published: false },
    }));
    rows = await pool.run(
      tasks,
      (last) => options.onProgress?.({ done: ++done, total: budget + whole, last }),
      options.signal,
    );
  }
  return tabulate(rows, resolved, totals, { strategy: "scan", pruned, workers: pool.size });
}

/** The body of `Omnibal.search`. */
export async function search(
  omnibal: Omnibal,
  lengths: Lengths,
  options: SearchOptions,
  files: SampleFiles,
): Promise<SearchResult> {
  onlyNames("search", options, SEARCH_OPTIONS);
  const strategy = oneOf("strategy", options.strategy ?? "scan", ["scan", "reference"] as const);
  const resolved = resolve(options, strategy, files);
  const asked = integer("workers", options.workers ?? Math.min(processors(), 8), 0, 1024);
  options.signal?.throwIfAborted();
  if (strategy === "reference") {
    return walk(await Pool.open(omnibal, [lengths], 0), lengths, resolved, options);
  }
  const sets = lengths.vit.length > WHOLE ? [lengths, thin(lengths, PART)] : [lengths];
  // A worker takes longer to start than a small search does.
  const small = options.workers === undefined && lengths.vit.length * resolved.budget < 4_000_000;
  const pool = await Pool.open(omnibal, sets, small ? 0 : asked, options.startWorker);
  try {
    return await scan(pool, sets, resolved, options);
  } finally {
    pool.close();
  }
}
