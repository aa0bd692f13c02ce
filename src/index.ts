export type { Abi } from "./abi.ts";
export type { Measured } from "./candidate.ts";
export { type ErrorCode, InputError, OmnibalError, OptionError, RuntimeError } from "./errors.ts";
export type { EvaluateOptions, Evaluation, PlanOrder } from "./evaluate.ts";
export type { LengthArray, Lengths, LengthsInput, SampleRecord } from "./lengths.ts";
export { load, loadSync, type WasmSource } from "./load.ts";
export type { ByLoad, Fingerprint, GroupsMade, PackingMade, PackingSettings } from "./made.ts";
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
export { type PackedGroup, Packer, type PackerOptions, type PackerOutput } from "./packer.ts";
export { Packing, type PackingBounds, type PackingParts, type PackingStats, type PackMethod } from "./packing.ts";
export type { PackAsyncOptions } from "./parallel/background.ts";
export type { WorkerLike } from "./parallel/seat.ts";
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
} from "./plan.ts";
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
} from "./samplers.ts";
export type { SearchOptions, SearchProgress, SearchResult, SearchRow } from "./search.ts";
export type { LengthStats, LoadStats, VitBin } from "./stats.ts";
