export type { Abi } from "./core/abi.ts";
export { type ErrorCode, InputError, OmnibalError, OptionError, RuntimeError } from "./core/errors.ts";
export type { LengthArray, Lengths, LengthsInput, SampleRecord } from "./core/lengths.ts";
export { load, loadSync, type WasmSource } from "./core/load.ts";
export {
  type BalancedOptions,
  type CommonPackOptions,
  type IsfOptions,
  type LowerBound,
  Omnibal,
  type PackOptions,
  type PackProgress,
  type RoundInfo,
} from "./omnibal.ts";
export type { ByLoad, Fingerprint, GroupsMade, PackingMade, PackingSettings } from "./pack/made.ts";
export { Packing, type PackingBounds, type PackingParts, type PackingStats, type PackMethod } from "./pack/packing.ts";
export type { LengthStats, LoadStats, VitBin } from "./pack/stats.ts";
export { type PackedGroup, Packer, type PackerOptions, type PackerOutput } from "./pack/stream.ts";
export type { EvaluateOptions, Evaluation, PlanOrder } from "./plan/evaluate.ts";
export {
  type BalancedPlanOptions,
  type BalanceWeights,
  type CostModel,
  Plan,
  type PlanBasis,
  type PlanMade,
  type PlanState,
  type PlanStats,
  type TailRule,
} from "./plan/plan.ts";
export {
  type EpochCounts,
  type GroupLoads,
  type GroupLoadsInput,
  type PlanOptions,
  RankSampler,
  SAMPLER_KINDS,
  type SamplerKind,
  type SamplerOptions,
  type SamplerState,
  type SpGroups,
} from "./plan/samplers.ts";
export type { Measured } from "./search/candidate.ts";
export type { SearchOptions, SearchProgress, SearchResult, SearchRow } from "./search/search.ts";
export type { PackAsyncOptions } from "./workers/background.ts";
export type { WorkerLike } from "./workers/link.ts";
