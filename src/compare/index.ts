// Is it worth it? What an epoch takes with other ways to make batches, and what a load costs: the entry `omnibal/compare`.

export { usualCost } from "../plan/usual-cost.ts";
export { type ComparedSystem, type CompareOptions, type Comparison, compare } from "./compare.ts";
export type { Column, Columns, Cost } from "./cost.ts";
export type { Epoch, EpochFigures } from "./epoch.ts";
export { type Fit, type FitOptions, type FittedCost, fitCost } from "./fit/fit.ts";
export { type LogRecord, readLog } from "./fit/log.ts";
export type { Scene } from "./scene.ts";
export type { System } from "./system.ts";
export { systems } from "./systems.ts";
