// Is it worth it? What an epoch takes with other ways to make batches: the entry `omnibal/compare`.
export { type ComparedSystem, type CompareOptions, type Comparison, compare } from "./compare.ts";
export type { Cost } from "./cost.ts";
export type { Epoch, EpochFigures } from "./epoch.ts";
export type { Scene } from "./scene.ts";
export type { System } from "./system.ts";
export { systems } from "./systems.ts";
