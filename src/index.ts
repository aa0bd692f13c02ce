export type { Abi } from "./abi.ts";
export { type ErrorCode, InputError, OmnibalError, OptionError, RuntimeError } from "./errors.ts";
export type { EvaluateOptions, Evaluation } from "./evaluate.ts";
export type { LengthArray, Lengths, LengthsInput, SampleRecord } from "./lengths.ts";
export { load, loadSync, Omnibal, type PackOptions, type RoundInfo, type WasmSource } from "./omnibal.ts";
export { type PackedGroup, Packer, type PackerOptions, type PackerOutput } from "./packer.ts";
export { Packing, type PackingBounds, type PackingStats } from "./packing.ts";
export {
  type BalancedPlanOptions,
  type BalanceWeights,
  type CostModel,
  Plan,
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
export type { LengthStats, LoadStats, VitBin } from "./stats.ts";
