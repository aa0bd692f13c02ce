export type { Abi } from "./core/abi.ts";
export { Core, type HasCore } from "./core/core.ts";
export { EngineError, type ErrorCode, InputError, OmnibalError, OptionError } from "./core/errors.ts";
export type { LengthArray, Lengths, LengthsInput, LoadColumn, SampleRecord, VitTokens } from "./core/lengths.ts";
export { loadCore, loadCoreSync, type WasmSource } from "./core/load.ts";
export type { WorkerLike } from "./core/worker-like.ts";
export { load, loadSync, Omnibal } from "./omnibal.ts";
export type { BalancedOptions } from "./pack/balanced.ts";
export type { BoundKind, LowerBound } from "./pack/find-lower-bound.ts";
export type { IsfOptions, RoundInfo } from "./pack/isf.ts";
export { type Bounds, type LowerBoundOptions, lowerBound, suitableBounds } from "./pack/lower-bound.ts";
export { type PackingMade, packingMade } from "./pack/made.ts";
export type { PackMethod, PackOptions } from "./pack/methods.ts";
export type { CommonPackOptions, PackProgress } from "./pack/options.ts";
export { pack, packInRounds } from "./pack/pack.ts";
export {
  type ByLoad,
  type Fingerprint,
  Packing,
  type PackingBounds,
  type PackingParts,
  type PackingSettings,
  type PackingStats,
  type VitTokenParts,
} from "./pack/packing.ts";
export {
  type LengthStats,
  type LoadStats,
  type LoadsStats,
  loadStats,
  stats,
  statsText,
  type VitBin,
} from "./pack/stats.ts";
export { loadPacker, type PackedGroup, Packer, type PackerOptions, type PackerOutput, packer } from "./pack/stream.ts";
export { type EvaluateOptions, type Evaluation, evaluate, evaluatePlan, type PlanOrder } from "./plan/evaluate.ts";
export type { GroupLoads, GroupLoadsInput, VitTokenGroups } from "./plan/group-loads.ts";
export type { GroupsMade } from "./plan/made.ts";
export {
  type BalancedPlanOptions,
  type BalanceWeights,
  type CostModel,
  Plan,
  type PlanBasis,
  type PlanMade,
  type PlanState,
  type PlanStats,
  plan,
  type TailRule,
} from "./plan/plan.ts";
export { SAMPLER_KINDS, type SamplerKind } from "./plan/sampler-kinds.ts";
export {
  type EpochCounts,
  type PlanOptions,
  RankSampler,
  type SamplerOptions,
  type SamplerState,
  type SpGroups,
  sampler,
  spGroups,
} from "./plan/samplers.ts";
export type { Measured } from "./search/candidate.ts";
export {
  type EpochSearchOptions,
  type EpochSearchProgress,
  type EpochSearchResult,
  type EpochSearchRow,
  type Memory,
  searchEpoch,
} from "./search/epoch.ts";
export type { EpochCandidate, EpochMeasured } from "./search/epoch-candidate.ts";
export type { AnyCandidate, MeasuredOf, OpenRunner, Runner, Task } from "./search/runner.ts";
export {
  type SampleAt,
  type SampleFiles,
  type SearchOptions,
  type SearchProgress,
  type SearchResult,
  type SearchRow,
  search,
} from "./search/search.ts";
export { type PackShardsOptions, packShards, packShardsInSteps } from "./shards/pack.ts";
export { SHARD_SAMPLES, type ShardOptions, type Shards, shard, shardCount, shardSamples } from "./shards/shard.ts";
export { type PackAsyncOptions, packInBackground } from "./workers/background.ts";
export { packingText } from "./write/packing-text.ts";
