// From a user's own data to its loads: the entry `omnibal/measure`, for Node and Deno. Pages take `./page.ts`.
export { COLUMNS, type Column } from "./columns.ts";
export { loadModel, readModelFiles } from "./load.ts";
export type { LoadModelOptions } from "./model-options.ts";
export type { MeasureOptions, MeasureProgress } from "./options.ts";
export * from "./page.ts";
export { type MeasureResult, measure } from "./run/job.ts";
