// The search for bounds, as a conversation: `ask` names the next candidates, the caller packs with them, `tell` takes
// what came of it. Nothing here packs, so workers, clusters and other languages drive the same search.
//
// `scan` looks over the whole range that window and limits allow, then closer around what is best there; with very many
// samples most candidates are tried on a part of them. `reference` walks as the published search does.

import { alloc, allocArray, mark, release } from "../base/memory";
import { BAD_ARGUMENT, failAt, NEGATIVE_TOKENS, NEGATIVE_VIT, OK, OUT_OF_MEMORY } from "../base/status";
import { BY_RATIO, BY_SCORE, markFront, NEAREST, openTable, PUBLISHED, Row, rankRows, sortRows, Table } from "./rows";
import { addUp, holds, Samples, startHolding } from "./samples";

export const SCAN: i32 = 0;
export const REFERENCE: i32 = 1;

/** What is asked next. */
const GRID: i32 = 0;
const EXTREMES: i32 = 1;
const CLOSER: i32 = 2;
const WHOLE: i32 = 3;
const WALK: i32 = 4;
const DONE: i32 = 5;

/** Tokens below its bound at which a group is full, unless other values are tried. */
const SLACK_TOKENS: i32 = 128;
/** A group's share of the perfect fill that is still thought worth a try, when bounds are derived from the window. */
const FILL: f64 = 0.8;
/** maxTokens over maxVit * tokens per tile, most telling first: a scan with little room leaves out the last ones. */
const TOKEN_FACTORS: i32 = 9;
const tokenFactors: usize = memory.data<f64>([1.1, 1.35, 1, 1.8, 1.2, 1.05, 0.95, 1.5, 0.9]);
/** Beyond this many samples, candidates are tried on a part of the samples first, and only the best on all. */
export const WHOLE_ABOVE: i32 = 100_000;
export const PART_SAMPLES: i32 = 40_000;

/** Where a published walk that finds nothing is cut off. */
const MOST_STEPS: i32 = 10_000;
const START_TOKENS: i32 = 4096;
/** Tokens per tile are rounded down to a multiple of this, which a walk needs to be at least. */
const TOKEN_UNIT: i32 = 16;

/** i32: what a candidate is, as `ask` hands it out. */
const CANDIDATE_BYTES: usize = 6 * 4;

/** A search in the arena: freed with the mark before it. */
@unmanaged
export class Search {
  samples: Samples;
  strategy: i32;
  ranks: i32;
  /** Samples per group, and whether there is a window. */
  low: f64;
  high: f64;
  window: bool;
  vitLimit: i32;
  tokenLimit: i32;
  rounds: i32;
  /** Below 0: as few as any candidate in the window does. */
  maxLeftOut: i32;
  slack: f64;
  budget: i32;

  phase: i32;
  /** Rows tried on a part of the samples, or on all of few; rows tried on all of many. */
  tried: Table;
  finals: Table;
  /** Rows of the batch that was asked for: where they begin, and how many have no result yet. */
  batch: i32;
  open: i32;
  /** Candidates tried on the best `wholeRows` of those tried on a part; 0: all are tried on all samples. */
  wholeRows: i32;
  pruned: i32;
  breadth: i32;
  /** u32[]: rows in order, scratch for sorting, and a hash table of those known. */
  list: usize;
  scratch: usize;
  hash: usize;
  hashMask: u32;
  /** i32[6] per candidate of the batch. */
  candidates: usize;

  // The published walk.
  walkVit: i64;
  walkTokens: i64;
  walkStep: i64;
  mostPerGroup: f64;
  found: bool;

  /** u8[fileBytes]: the name of the file that the largest sample is from, and its index in there; none: 0 bytes. */
  file: usize;
  fileBytes: i32;
  fileIndex: i32;

  // What came of it, after `finish`.
  able: i32;
  winner: i32;
  paretoCount: i32;
  pareto: usize;
  nearestCount: i32;
  nearest: usize;
  inWindow: i32;
  /** Rows that could have won, and the second best score among them, -1 without one. */
  rivals: i32;
  secondScore: f64;

  @inline
  get table(): Table {
    return this.wholeRows > 0 ? this.finals : this.tried;
  }
}

/** Rounds to the nearest whole number, halves up. */
function rounded(x: f64): f64 {
  const down = Math.floor(x);
  return x - down >= 0.5 ? down + 1 : down;
}

function clamp(x: f64, low: f64, high: f64): f64 {
  return min(max(x, low), high);
}

/**
 * Starts a search over n samples, i32[n] each, which stay in place. ranks: of the plan; low, high: samples per group, high 0 for any; limits:
 * the largest bounds; maxLeftOut: samples that the winner of a scan may leave out; slack: how much more than the best
 * groups over bound a winner's may be; budget: candidates of a scan. Answers a handle, or a status negated. O(n).
 */
export function begin(
  vit: usize,
  tokens: usize,
  n: i32,
  strategy: i32,
  ranks: i32,
  low: f64,
  high: f64,
  vitLimit: i32,
  tokenLimit: i32,
  rounds: i32,
  maxLeftOut: i32,
  slack: f64,
  budget: i32,
): i32 {
  const window = high > 0;
  if (n < 0 || strategy < SCAN || strategy > REFERENCE || (strategy == REFERENCE && !window)) return -BAD_ARGUMENT;
  if (!(low >= 0 && low <= high) || vitLimit < 1 || tokenLimit < 1 || rounds < 1 || maxLeftOut < 0)
    return -BAD_ARGUMENT;
  if (!(slack >= 0 && slack <= 1) || budget < 1 || budget > 100_000) return -BAD_ARGUMENT;
  for (let i: usize = 0; i < <usize>n; i++) {
    if (load<i32>(vit + (i << 2)) < 0) return -failAt(NEGATIVE_VIT, <i32>i);
    if (load<i32>(tokens + (i << 2)) < 0) return -failAt(NEGATIVE_TOKENS, <i32>i);
  }
  const before = mark();
  const room = strategy == REFERENCE ? MOST_STEPS : budget;
  let slots: u32 = 16;
  while (slots < <u32>room * 2) slots <<= 1;
  const s = changetype<Search>(alloc(offsetof<Search>()));
  const samples = changetype<Samples>(alloc(offsetof<Samples>()));
  const tried = changetype<Table>(alloc(offsetof<Table>()));
  const finals = changetype<Table>(alloc(offsetof<Table>()));
  const list = allocArray(room, 4);
  const scratch = allocArray(room, 4);
  const pareto = allocArray(room, 4);
  const hash = allocArray(slots, 4);
  const candidates = allocArray(room, <u32>CANDIDATE_BYTES);
  const nearest = allocArray(room, 4);
  if (
    changetype<usize>(s) == 0 ||
    changetype<usize>(samples) == 0 ||
    changetype<usize>(tried) == 0 ||
    changetype<usize>(finals) == 0 ||
    list == 0 ||
    scratch == 0 ||
    pareto == 0 ||
    hash == 0 ||
    candidates == 0 ||
    nearest == 0 ||
    !openTable(tried, room)
  ) {
    release(before);
    return -OUT_OF_MEMORY;
  }
  memory.fill(changetype<usize>(s), 0, offsetof<Search>());
  memory.fill(hash, 0, (<usize>slots) << 2);
  samples.vit = vit;
  samples.tokens = tokens;
  samples.count = n;
  addUp(samples, vitLimit, tokenLimit);
  s.samples = samples;
  s.strategy = strategy;
  s.ranks = ranks;
  s.window = window;
  s.low = low;
  s.high = high;
  s.vitLimit = vitLimit;
  s.tokenLimit = tokenLimit;
  s.rounds = rounds;
  s.maxLeftOut = strategy == SCAN ? maxLeftOut : -1;
  s.slack = slack;
  s.budget = budget;
  s.tried = tried;
  s.finals = finals;
  s.list = list;
  s.scratch = scratch;
  s.pareto = pareto;
  s.nearest = nearest;
  s.hash = hash;
  s.hashMask = slots - 1;
  s.candidates = candidates;
  s.breadth = 4;
  s.phase = WALK;
  if (strategy == REFERENCE) startWalk(s);
  else {
    s.wholeRows = n > WHOLE_ABOVE ? max((budget + 9) / 10, 5) : 0;
    s.phase = n > 0 && samples.beyondLimits <= maxLeftOut ? GRID : s.wholeRows > 0 ? WHOLE : DONE;
    if (!startHolding(samples, maxLeftOut) || (s.wholeRows > 0 && !openTable(finals, s.wholeRows))) {
      release(before);
      return -OUT_OF_MEMORY;
    }
  }
  return <i32>changetype<usize>(s);
}

function startWalk(s: Search): void {
  const samples = s.samples;
  s.walkStep = TOKEN_UNIT;
  s.walkTokens = START_TOKENS;
  if (samples.count == 0) return;
  const n = <f64>samples.count;
  const perTile = Math.floor(<f64>samples.sumRounded / n / max(<f64>samples.sumVit / n, 1)) + 1;
  // The published step is 0 below 16 tokens per tile, and maxVit then infinite.
  s.walkStep = max<i64>((<i64>perTile / TOKEN_UNIT) * TOKEN_UNIT, TOKEN_UNIT);
  s.walkVit = max<i64>(START_TOKENS / s.walkStep, 1);
}

/** Candidates there may be in all; the published walk does not know: 0. */
export function total(s: Search): i32 {
  return s.strategy == REFERENCE ? 0 : s.budget + s.wholeRows;
}

/** Adds a row to a table, without a result. */
function addRow(table: Table, maxVit: i32, maxTokens: i32, minTokens: i32, rounds: i32): Row {
  const row = table.row(table.count++);
  row.maxVit = maxVit;
  row.maxTokens = maxTokens;
  row.minTokens = minTokens;
  row.rounds = rounds;
  return row;
}

/** The slot of the hash table where this candidate is, or would be; slots hold a row's number + 1, or 0. */
function slotOf(s: Search, maxVit: i32, maxTokens: i32, minTokens: i32): usize {
  let slot = (<u32>maxVit * 0x9e3779b9) ^ (<u32>maxTokens * 0x85ebca6b) ^ (<u32>minTokens * 0xc2b2ae35);
  slot ^= slot >> 15;
  while (true) {
    const place = s.hash + ((<usize>(slot & s.hashMask)) << 2);
    const number = load<i32>(place);
    if (number == 0) return place;
    const row = s.tried.row(number - 1);
    if (row.maxVit == maxVit && row.maxTokens == maxTokens && row.minTokens == minTokens) return place;
    slot++;
  }
}

/** Adds a candidate to the batch where it is new, within the limits and leaves out few enough samples. */
function propose(s: Search, maxVit: f64, maxTokens: f64, minTokens: f64): void {
  if (maxVit > <f64>s.vitLimit || maxTokens > <f64>s.tokenLimit || maxVit < 1 || maxTokens < 1) return;
  const v = <i32>maxVit;
  const t = <i32>maxTokens;
  if (!holds(s.samples, v, t)) return;
  const least = <i32>max(minTokens, 0);
  const slot = slotOf(s, v, t, least);
  if (load<i32>(slot) != 0) return;
  store<i32>(slot, s.tried.count + 1);
  addRow(s.tried, v, t, least, s.rounds);
}

/** Rows that the batch may still have. */
function roomLeft(s: Search, most: i32): bool {
  return s.tried.count - s.batch < most;
}

/**
 * The whole range. With a mean of v tiles and t tokens per sample, m samples per group need maxVit >= m v and
 * maxTokens >= m t; bounds far above that leave groups too full. Without a window, bounds from half of what the limits
 * allow on. A bound that must be larger, to hold the samples, leaves it to the other one how full groups are.
 */
function askGrid(s: Search): void {
  const samples = s.samples;
  const coarse = <i32>Math.ceil(<f64>s.budget * 0.6);
  const n = <f64>max(samples.within, 1);
  const meanVit = <f64>samples.withinVit / n;
  const meanTokens = <f64>samples.withinTokens / n;
  const noTiles = samples.withinVit == 0;
  const perTile = noTiles ? 0 : meanTokens / meanVit;
  let low: f64 = 1;
  let high: f64 = 1;
  if (!noTiles) {
    if (s.window) {
      low = Math.ceil(s.low * meanVit);
      high = Math.floor((s.high * meanVit) / FILL);
    } else {
      // A bound above the sum of all samples is as good as that.
      const sum = min<f64>(s.vitLimit, <f64>samples.withinVit);
      high = min(sum, Math.ceil(<f64>s.tokenLimit / perTile / 0.9));
      low = Math.ceil(high / 2);
    }
  }
  if (<f64>samples.leastVit <= high) low = max<f64>(low, samples.leastVit);
  high = clamp(high, 1, s.vitLimit);
  low = clamp(low, 1, high);
  const largest = min<f64>(s.tokenLimit, s.window ? (s.high * meanTokens) / FILL : <f64>samples.withinTokens);
  // Whole numbers spread evenly over low .. high, both included.
  const rows = max(coarse / 4, 1);
  const all = max<f64>(high - low + 1, 1);
  const tiles = all <= <f64>rows ? <i32>all : rows;
  const each = noTiles ? coarse : max(1, min(coarse / tiles, TOKEN_FACTORS));
  for (let k = 0; k < tiles; k++) {
    let some = low + <f64>k;
    if (all > <f64>rows) some = rows == 1 ? high : low + rounded(((high - low) * <f64>k) / <f64>(rows - 1));
    for (let f = 0; f < each; f++) {
      if (!roomLeft(s, coarse)) return;
      const factor = noTiles ? 0.9 + (<f64>f * 0.9) / <f64>coarse : load<f64>(tokenFactors + (f << 3));
      const wanted = noTiles ? largest * (factor / 1.8) : some * perTile * factor;
      const maxTokens = rounded(clamp(wanted, samples.leastTokens, s.tokenLimit));
      propose(s, max<f64>(some, samples.leastVit), maxTokens, maxTokens - <f64>SLACK_TOKENS);
    }
  }
}

/** The tightest bounds there are, and those that leave out none but what is beyond the limits. */
function askExtremes(s: Search): void {
  const samples = s.samples;
  const most = s.budget - s.tried.count;
  const vit = clamp(samples.mostVit, 1, s.vitLimit);
  const tokens = clamp(samples.mostTokens, 1, s.tokenLimit);
  if (roomLeft(s, most)) propose(s, samples.leastVit, samples.leastTokens, samples.leastTokens - SLACK_TOKENS);
  if (roomLeft(s, most)) propose(s, vit, tokens, tokens - <f64>SLACK_TOKENS);
}

/** The k-th candidate around a row, nearest first: other thresholds, a little more or less of either bound. */
const AROUND: i32 = 14;
const aroundPart: usize = memory.data<f64>([0, 0, 0, 0, -0.02, 0.02, -0.05, 0.05, -0.01, 0.01, 0, 0, -0.03, 0.03]);
const aroundSlack: usize = memory.data<i32>([256, 64, 512, 32, 128, 128, 128, 128, 128, 128, 128, 128, 256, 256]);

function proposeAround(s: Search, row: Row, k: i32, perTile: f64): void {
  const slack = <f64>load<i32>(aroundSlack + (k << 2));
  const step = k == 10 ? -1 : k == 11 ? 1 : 0;
  const tokens =
    step == 0 ? <f64>row.maxTokens * (1 + load<f64>(aroundPart + (k << 3))) : <f64>row.maxTokens + <f64>step * perTile;
  propose(s, <f64>(<i64>row.maxVit + step), rounded(tokens), rounded(tokens - slack));
}

/** A closer look at the best rows, a bit at a time; where all around them is known, at more of them. */
function askCloser(s: Search): bool {
  const samples = s.samples;
  const perTile = samples.withinVit == 0 ? 0 : <f64>samples.withinTokens / <f64>samples.withinVit;
  while (s.tried.count < s.budget && s.breadth <= 2 * s.tried.count) {
    const known = s.tried.count;
    rankRows(s.tried, s.list, s.scratch, s.maxLeftOut, s.slack);
    const best = min(s.breadth, known);
    const most = min(s.budget - known, (s.budget + 11) / 12);
    for (let k = 0; k < AROUND; k++) {
      for (let i = 0; i < best && roomLeft(s, most); i++) {
        proposeAround(s, s.tried.row(load<i32>(s.list + ((<usize>i) << 2))), k, perTile);
      }
    }
    if (s.tried.count > known) return true;
    s.breadth *= 2;
  }
  return false;
}

/** The best of those tried on a part, on all samples. */
function askWhole(s: Search): void {
  rankRows(s.tried, s.list, s.scratch, s.maxLeftOut, s.slack);
  const best = min(s.wholeRows, s.tried.count);
  s.pruned = s.tried.count - best;
  for (let i = 0; i < best; i++) {
    const row = s.tried.row(load<i32>(s.list + ((<usize>i) << 2)));
    addRow(s.finals, row.maxVit, row.maxTokens, row.minTokens, s.rounds);
  }
}

/** The next step of the published walk; false where it ends. */
function askWalk(s: Search): bool {
  const count = s.tried.count;
  if (count > 0) {
    const row = s.tried.row(count - 1);
    s.mostPerGroup = max(s.mostPerGroup, row.samplesPerGroup);
    s.found = s.found || row.distance == 0;
    let way: i64 = 1;
    if (s.mostPerGroup > s.high) {
      if (s.found) return false;
      way = -1;
    } else if (row.groups == 1 && row.leftOut == 0) {
      // All samples are in one group: larger bounds change nothing any more.
      return false;
    }
    s.walkVit += way;
    s.walkTokens += way * s.walkStep;
  }
  if (count >= MOST_STEPS || s.walkVit < 1 || s.walkTokens < 1) return false;
  if (s.walkVit > s.vitLimit || s.walkTokens > s.tokenLimit) return false;
  const tokens = <i32>s.walkTokens;
  addRow(s.tried, <i32>s.walkVit, tokens, max(tokens - SLACK_TOKENS, 0), s.rounds);
  return true;
}

/** Goes on until there are candidates to be tried, or the search is at its end. */
function advance(s: Search): void {
  const partly = s.wholeRows > 0;
  while (s.phase != DONE) {
    s.batch = s.phase == WHOLE ? 0 : s.tried.count;
    if (s.phase == WALK) {
      if (!askWalk(s)) s.phase = DONE;
    } else if (s.phase == GRID) {
      askGrid(s);
      s.phase = EXTREMES;
    } else if (s.phase == EXTREMES) {
      s.phase = CLOSER;
      if (rankRows(s.tried, s.list, s.scratch, s.maxLeftOut, s.slack) == 0) askExtremes(s);
    } else if (s.phase == CLOSER) {
      if (!askCloser(s)) s.phase = partly ? WHOLE : DONE;
    } else {
      if (s.finals.count == 0) askWhole(s);
      s.open = s.finals.count;
      if (s.open == 0) s.phase = DONE;
      return;
    }
    s.open = s.tried.count - s.batch;
    if (s.open > 0) return;
  }
}

/**
 * How many candidates are to be tried next, at `candidatesAt`: i32[6] each of set (0 all samples, 1 the part), maxVit,
 * maxTokens, minTokens, rounds, and 1 where the published way is to be taken (all rounds, and its random sampler). 0 when
 * the search is at its end; a status negated while a result of the last batch is missing.
 */
export function ask(s: Search): i32 {
  if (s.open > 0) return -BAD_ARGUMENT;
  if (s.phase == WHOLE && s.finals.count > 0) s.phase = DONE;
  advance(s);
  const last = s.phase == WHOLE;
  const table = last ? s.finals : s.tried;
  for (let i = 0; i < s.open; i++) {
    const row = table.row(s.batch + i);
    const at = s.candidates + <usize>i * CANDIDATE_BYTES;
    store<i32>(at, i32(s.wholeRows > 0 && !last));
    store<i32>(at, row.maxVit, 4);
    store<i32>(at, row.maxTokens, 8);
    store<i32>(at, row.minTokens, 12);
    store<i32>(at, row.rounds, 16);
    store<i32>(at, i32(s.strategy == REFERENCE), 20);
    row.groups = -1;
  }
  return s.open;
}

/**
 * Which samples the part is made of: out[k], u32[PART_SAMPLES], one of each stretch of n / PART_SAMPLES. Which one of a
 * stretch differs from one to the next: every k-th sample of data that was dealt out of several sources in turn may be of
 * one source alone.
 */
export function partOf(n: i32, out: usize): void {
  for (let k = 0; k < PART_SAMPLES; k++) {
    // Multiples of the golden ratio are spread evenly, whatever the period of the data is.
    const part = <f64>(<u32>k * 0x9e3779b1) / 4294967296;
    store<u32>(out + ((<usize>k) << 2), <u32>(((<f64>k + part) * <f64>n) / <f64>PART_SAMPLES));
  }
}

/** Takes what trying candidate `id` of the batch gave, each once, in any order. Returns a status. */
export function tell(
  s: Search,
  id: i32,
  rounds: i32,
  groups: i32,
  bound: i32,
  samples: i32,
  leftOut: i32,
  pad: f64,
  vitDist: f64,
  tokenDist: f64,
  attentionDist: f64,
): i32 {
  const table = s.phase == WHOLE ? s.finals : s.tried;
  if (id < 0 || s.batch + id >= table.count || s.open < 1 || groups < 0) return BAD_ARGUMENT;
  const row = table.row(s.batch + id);
  if (row.groups >= 0) return BAD_ARGUMENT;
  row.rounds = rounds;
  row.groups = groups;
  row.bound = bound;
  row.samples = samples;
  row.leftOut = leftOut;
  row.pad = pad;
  row.vitDist = vitDist;
  row.tokenDist = tokenDist;
  row.attentionDist = attentionDist;
  row.score = pad + vitDist + tokenDist;
  row.ratio = bound == 0 ? 1 : <f64>groups / <f64>bound;
  row.samplesPerGroup = groups == 0 ? 0 : <f64>samples / <f64>groups;
  const mean = row.samplesPerGroup;
  row.distance = 0;
  if (groups == 0) row.distance = Infinity;
  else if (s.window && mean < s.low) row.distance = s.low / mean - 1;
  else if (s.window && mean > s.high) row.distance = mean / s.high - 1;
  s.open--;
  return OK;
}

/** Ranks what was tried and picks the winner. Returns the number of rows. */
export function finish(s: Search): i32 {
  const table = s.table;
  const n = table.count;
  s.able = rankRows(table, s.list, s.scratch, s.maxLeftOut, s.slack);
  markFront(table, s.list, s.able);
  // The published rows stay in the order of the steps.
  if (s.strategy == REFERENCE) for (let i = 0; i < n; i++) store<i32>(s.list + ((<usize>i) << 2), i);
  s.winner = -1;
  s.rivals = s.able;
  s.secondScore = -1;
  s.inWindow = 0;
  s.paretoCount = 0;
  s.nearestCount = 0;
  for (let i = 0; i < n; i++) {
    const at = load<i32>(s.list + ((<usize>i) << 2));
    const row = table.row(at);
    s.inWindow += i32(row.distance == 0);
    if (row.pareto != 0) {
      store<i32>(s.pareto + ((<usize>s.paretoCount) << 2), at);
      s.paretoCount++;
    }
    store<i32>(s.nearest + ((<usize>i) << 2), at);
  }
  sortRows(table, s.pareto, s.paretoCount, s.scratch, BY_RATIO);
  if (s.strategy == SCAN) {
    if (s.able > 0) s.winner = load<i32>(s.list);
    if (s.able > 1) s.secondScore = table.row(load<i32>(s.list, 4)).score;
  } else {
    pickPublished(s);
  }
  if (s.winner < 0) {
    sortRows(table, s.nearest, n, s.scratch, NEAREST);
    s.nearestCount = min(n, 5);
  }
  return n;
}

/** The published winner: the least score in the window. */
function pickPublished(s: Search): void {
  const table = s.table;
  const own = s.nearest;
  let n = 0;
  for (let i = 0; i < table.count; i++) {
    if (table.row(i).distance != 0) continue;
    store<i32>(own + ((<usize>n) << 2), i);
    n++;
  }
  s.rivals = n;
  if (n == 0) {
    for (let i = 0; i < table.count; i++) store<i32>(own + ((<usize>i) << 2), i);
    return;
  }
  sortRows(table, own, n, s.scratch, PUBLISHED);
  s.winner = load<i32>(own);
  // The second is the best by score alone that is not the winner.
  sortRows(table, own, n, s.scratch, BY_SCORE);
  for (let i = 0; i < n && s.secondScore < 0; i++) {
    const at = load<i32>(own + ((<usize>i) << 2));
    if (at != s.winner) s.secondScore = table.row(at).score;
  }
}

/** Lists of rows: all in order, the Pareto front, the nearest to the window where there is no winner, the winner. */
export function listOf(s: Search, which: i32): usize {
  if (which == 0) return s.list;
  return which == 1 ? s.pareto : which == 2 ? s.nearest : changetype<usize>(s) + offsetof<Search>("winner");
}

export function listCount(s: Search, which: i32): i32 {
  if (which == 0) return s.table.count;
  return which == 1 ? s.paretoCount : which == 2 ? s.nearestCount : i32(s.winner >= 0);
}

/** Names the file of the largest sample, u8[bytes] at `name`, which stays in place, and the sample's index in there. */
export function setFile(s: Search, name: usize, bytes: i32, index: i32): void {
  s.file = name;
  s.fileBytes = bytes;
  s.fileIndex = index;
}
