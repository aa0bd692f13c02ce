// Balancing a model and its memory: the entry `omnibal/model`.
export { type ConfigOptions, GPUS, type Gpu, type LoadRange, parseGpu, profileFromConfig } from "./config.ts";
export type { ModelHost, Schedule } from "./core.ts";
export {
  type GroupLoadColumns,
  type GroupOrder,
  loadsOfGroups,
  type OrderedSteps,
  type OrderOptions,
  orderSteps,
} from "./order.ts";
export {
  compareModel,
  type ModelComparison,
  type ModelPlan,
  type ModelPlanOptions,
  type ParetoPoint,
  type PartitionMethod,
  paretoSplits,
  planModel,
  type RecomputeMethod,
} from "./plan.ts";
export {
  checkProfile,
  type Load,
  type Loads,
  type PlannedLoads,
  type Profile,
  type ProfileLayer,
  parseProfile,
  profileLoads,
  type Quantity,
  quantityOf,
} from "./profile.ts";
export {
  type DeviceFigures,
  type Shape,
  type SimulatedOperation,
  type SimulatedSplit,
  type Split,
  type StageFigures,
  simulateSplit,
} from "./split.ts";
export { chromeTrace } from "./trace.ts";
export { type Handover, type HandoverInput, type Trainer, trainers } from "./trainers/index.ts";
