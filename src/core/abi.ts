import { EngineError, OptionError } from "./errors.ts";
import { invalidLength } from "./lengths.ts";
import { MAX_UINT32 } from "./options.ts";

/** What `abiVersion` of the module must return. */
export const ABI_VERSION = 1;

/**
 * The raw exports of `omnibal.wasm`. What each takes and returns, and the order of calls, is documented beside the
 * exports in `assembly/index.ts`. Pointers are byte addresses that come out signed: `>>> 0` before use.
 */
export interface Abi {
  readonly memory: WebAssembly.Memory;
  abiVersion(): number;
  alloc(bytes: number): number;
  mark(): number;
  release(mark: number): void;

  mtSeed(seed: number): void;
  mtNext(): number;
  mtShuffle(at: number, n: number): void;
  mtTorchShuffle(at: number, n: number): void;

  isfBegin(n: number, maxVit: number, maxTokens: number, minVit: number, minTokens: number, seed: number): number;
  isfPush(vit: number, tokens: number, count: number): number;
  isfRound(last: number): number;
  isfGroups(): number;
  isfFinish(): number;
  isfAttention(): number;

  balancedBegin(
    vit: number,
    tokens: number,
    n: number,
    maxVit: number,
    maxTokens: number,
    seed: number,
    effort: number,
  ): number;
  balancedStep(): number;
  balancedGroups(): number;

  adviseBounds(vit: number, tokens: number, n: number, maxVit: number, maxTokens: number, groups: number): number;
  adviceCount(): number;
  adviceVit(k: number): number;
  adviceTokens(k: number): number;

  errorIndex(): number;
  errorLoad(): number;
  packingGroups(): number;
  packingOffsets(): number;
  packingOrder(): number;
  packingVit(): number;
  packingTokens(): number;
  packingAttention(): number;
  packingOversizeCount(): number;
  packingOversize(): number;
  packingBound(): number;
  packingMix(): number;
  groupSums(values: number, order: number, offsets: number, groups: number, out: number): void;

  readerBegin(names: number, lengths: number, columns: number, count: number, bytes: number, zeros: number): number;
  readerTable(reader: number, names: number, count: number): number;
  readerPush(reader: number, bytes: number): number;
  readerEnd(reader: number): number;
  readerBuffer(reader: number): number;
  readerColumn(reader: number, k: number): number;
  readerCount(reader: number, k: number): number;
  readerWide(reader: number): number;
  readerWideCount(reader: number): number;
  readerMinuses(reader: number): number;
  readerRefuse(reader: number, record: number, k: number): number;
  readerOffset(reader: number): number;
  readerIndex(reader: number): number;
  readerField(reader: number): number;
  readerErrorText(reader: number, showFound: number, out: number): number;
  readerExpected(reader: number): number;
  readerSeen(reader: number): number;
  readerSeenLength(reader: number): number;
  groupAttention(tokens: number, order: number, offsets: number, groups: number, out: number): void;

  unitsBegin(columns: number, kinds: number, k: number, sizes: number, parts: number, spSize: number): number;
  unitCount(): number;
  unitGroups(): number;
  unitsRepeated(): number;

  planRandom(ranks: number, micro: number, seed: number, tail: number): number;
  planLengthGroup(ranks: number, micro: number, seed: number, tail: number, window: number): number;
  planGroupRandom(ranks: number, micro: number, seed: number, tail: number, bin: number): number;
  publishedRandom(ranks: number, micro: number, seed: number): number;
  publishedLengthGroup(ranks: number, micro: number, seed: number): number;
  publishedGroupRandom(ranks: number, micro: number, epoch: number, step: number, bin: number): number;
  planBalanced(
    ranks: number,
    micro: number,
    seed: number,
    epoch: number,
    tail: number,
    weights: number,
    cost: number,
  ): number;
  planTake(order: number, count: number, ranks: number, micro: number): number;
  planShortSteps(): number;
  planSteps(): number;
  planOrder(): number;
  planLength(): number;
  planDropped(): number;
  planRepeated(): number;

  evaluatePlan(ranks: number, micro: number): void;
  planPad(): number;
  planOuterPad(): number;
  planDist(k: number): number;
  evaluateCost(ranks: number, micro: number, costs: number, out: number): void;
  planTime(): number;

  /** Fingerprints: 64 bits, signed as they come out. */
  loadFingerprint(values: number, n: number, first: number): bigint;
  wideFingerprint(values: number, n: number, first: number): bigint;
  groupsFingerprint(offsets: number, order: number, groups: number, first: number): bigint;
  oversizeFingerprint(oversize: number, count: number): bigint;
  invalidFingerprint(invalid: number, count: number): bigint;
  shardsFrom(first: number, n: number, seed: number, shards: number, out: number): void;
  shardsAt(numbers: number, n: number, seed: number, shards: number, out: number): void;

  textBegin(
    format: number,
    offsets: number,
    order: number,
    columns: number,
    width: number,
    names: number,
    lengths: number,
    loads: number,
    groups: number,
    oversize: number,
    oversizeCount: number,
    invalid: number,
    invalidCount: number,
    bounds: number,
    bound: number,
    rounds: number,
    mix: number,
    made: number,
    madeBytes: number,
  ): number;
  textWrite(out: number, room: number): number;

  streamBegin(maxVit: number, maxTokens: number, buffer: number, seed: number): number;
  streamBeginMore(
    maxVit: number,
    maxTokens: number,
    buffer: number,
    seed: number,
    loads: number,
    bounds: number,
    label: number,
    labelBytes: number,
  ): number;
  streamMore(): number;
  streamInputMore(): number;
  streamSumsMore(): number;
  streamLabel(): number;
  streamLabelBytes(): number;
  streamInput(): number;
  streamPush(count: number): number;
  streamFlush(): void;
  streamPending(): number;
  streamTaken(): number;
  streamStateBytes(): number;
  streamSave(at: number): void;
  streamLoad(at: number, bytes: number): number;

  searchBegin(
    vit: number,
    tokens: number,
    n: number,
    strategy: number,
    ranks: number,
    low: number,
    high: number,
    vitLimit: number,
    tokenLimit: number,
    rounds: number,
    maxLeftOut: number,
    slack: number,
    candidates: number,
  ): number;
  searchLargest(search: number): number;
  searchSkip(search: number, count: number): void;
  searchFile(search: number, name: number, bytes: number, index: number): void;
  searchAsk(search: number): number;
  searchCandidates(search: number): number;
  searchTotal(search: number): number;
  searchPart(n: number, out: number): void;
  searchPartSamples(): number;
  searchTell(
    search: number,
    id: number,
    rounds: number,
    groups: number,
    bound: number,
    samples: number,
    leftOut: number,
    pad: number,
    vitDist: number,
    tokenDist: number,
    attentionDist: number,
  ): number;
  searchFinish(search: number): number;
  searchRow(search: number, i: number): number;
  searchCount(search: number, which: number): number;
  searchList(search: number, which: number): number;
  searchPruned(search: number): number;
  searchWhy(search: number, out: number): number;
  searchTextBegin(): void;
  searchText(search: number, out: number, room: number, seed: number): number;

  boundsBest(): number;
  boundsFind(handle: number): number;
  boundsGet(kind: number): number;
  columnSums(column: number, floats: number, order: number, offsets: number, groups: number, out: number): number;
  groupsMix(offsets: number, sums: number, squares: number, groups: number): number;
  loadsBegin(n: number, columns: number, bounds: number): number;
  loadsLayout(handle: number): number;
  loadsLinearBound(handle: number): number;
  loadsMix(handle: number, k: number, order: number, offsets: number, groups: number): number;
  loadsOversize(at: number): number;
  loadsOversizeCount(handle: number): number;
  loadsPush(at: number, columns: number, floats: number, more: number): number;
  loadsAllSums(handle: number, order: number, offsets: number, groups: number, out: number): void;
  loadsSquares(handle: number, k: number, order: number, offsets: number, groups: number, out: number): void;
  loadsStatus(): number;
  loadsSums(handle: number, k: number, order: number, offsets: number, groups: number, out: number): void;
  loadsTotal(handle: number, load: number): number;
  packerBegin(handle: number, seed: number, effort: number): number;
  packerGroups(at: number): number;
  packerOffsets(at: number): number;
  packerOrder(at: number): number;
  packerStatus(): number;
  packerStep(at: number): number;
  packerWay(at: number): number;
  roundsBegin(loadsAt: number, minima: number, seed: number): number;
  roundsGroups(at: number): number;
  roundsGroupsNow(at: number): number;
  roundsNext(at: number, last: number): number;
  roundsOffsets(at: number): number;
  roundsOrder(at: number): number;
  roundsStatus(): number;
  roundsSums(at: number, k: number, out: number): void;
  steeredBegin(handle: number, seed: number, effort: number, way: number): number;
  steeredGroups(at: number): number;
  steeredGuides(at: number): number;
  steeredOffsets(at: number): number;
  steeredOrder(at: number): number;
  steeredStatus(): number;
  steeredStep(at: number): number;

  statsLook(
    columns: number,
    floats: number,
    names: number,
    lengths: number,
    loads: number,
    n: number,
    invalid: number,
  ): number;
  statsWrite(out: number, room: number): number;

  // The model's partition.
  modelBegin(
    layers: number,
    n: number,
    stages: number,
    micro: number,
    memory: number,
    schedule: number,
    first: number,
    last: number,
  ): number;
  modelMode(mode: number, kinds: number, count: number): number;
  modelInexact(): number;
  modelPartition(cuts: number): number;
  modelOptima(): number;
  modelStage(s: number, i: number, j: number, recomputed: number): number;
  modelProbe(s: number, i: number, j: number, types: number, recomputed: number): number;
  modelBytes(s: number, i: number, j: number, recomputed: number): number;
  modelAnchor(cuts: number): void;
  modelRank(radius: number, keep: number, unit: number, scores: number, cuts: number): number;
  modelCandidates(): number;
  modelSearchBegin(): number;
  modelOffer(cuts: number, work: number): number;
  modelSearch(work: number): void;
  modelRestart(): void;
  modelStep(cuts: number): number;
  modelBestStep(): number;
  modelBestCuts(): number;
  modelBound(): number;
  modelSimulated(): number;
  modelInterleavedBegin(chunks: number): number;
  modelInterleavedOffer(cuts: number, work: number): number;
  modelInterleavedStep(): number;
  modelInterleavedCuts(): number;
  modelInterleavedRecomputed(): number;
  modelInterleavedBytes(): number;
  modelSchedule(schedule: number, devices: number, chunks: number, micro: number): number;
  modelRun(forward: number, backward: number, transfer: number, equal: number): number;
  modelBusy(): number;
  modelPeaks(held: number, out: number): void;
  modelTimeline(forward: number, backward: number, out: number): void;
  modelArrange(forward: number, backward: number, transfer: number, order: number, work: number): number;
}

/** The statuses of `assembly/base/status.ts`. */
const OK = 0;
const OUT_OF_MEMORY = 1;
export const BAD_ARGUMENT = 2;
export const NEGATIVE_VIT = 3;
export const NEGATIVE_TOKENS = 4;
/** A saved state that is not ours, or is damaged. */
export const FOREIGN_STATE = 15;
export const DAMAGED_STATE = 16;
export const BAD_UNIT = 17;
export const BAD_LOAD = 18;

/** The error for a memory that cannot hold `samples`. */
export function outOfMemory(samples: number): EngineError {
  return new EngineError(
    "OUT_OF_MEMORY",
    `${samples} samples do not fit: a WebAssembly memory ends at 4 GiB, about 170 million samples`,
  );
}

/**
 * Throws what `status` means, if it is not 0. `seen` gives the value at an index of a load, for the message; `names` are the
 * loads by the numbers that the core has for them.
 */
export function check(
  abi: Abi,
  status: number,
  samples: number,
  seen: (load: string, at: number) => unknown,
  names: readonly string[] = [],
): void {
  const refused = (load: string) => invalidLength(load, abi.errorIndex(), seen(load, abi.errorIndex()));
  switch (status) {
    case OK:
      return;
    case OUT_OF_MEMORY:
      throw outOfMemory(samples);
    case NEGATIVE_VIT:
      throw refused("vit");
    case NEGATIVE_TOKENS:
      throw refused("tokens");
    case BAD_ARGUMENT:
      throw new OptionError("INVALID_OPTION", "the core refused an argument that had passed the checks before it");
  }
  const load = names[abi.errorLoad()];
  if (status === BAD_LOAD && load !== undefined) throw refused(load);
  throw new EngineError("LOAD_FAILED", `the core returned ${status}: module and facade are of different versions`);
}

/** Room for `bytes` in the core. `groups` is for the message. */
export function allocate(abi: Abi, bytes: number, groups: number): number {
  const at = bytes > MAX_UINT32 ? 0 : abi.alloc(bytes) >>> 0;
  if (at === 0) throw outOfMemory(groups);
  return at;
}
