// From a user's own data to its loads: the entry `omnibal/measure`, for Node and Deno. Pages take `./page.ts`.
export { COLUMNS, type Column } from "./columns.ts";
export { type LoadModelOptions, loadModel, readModelFiles } from "./load.ts";
export * from "./page.ts";
export { type MeasureOptions, type MeasureProgress, type MeasureResult, measure } from "./run/job.ts";
