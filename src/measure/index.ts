// From a user's own data to its loads: the entry `omnibal/measure`, for Node and Deno. Pages take `./page.ts`.
export { COLUMNS, type Column } from "./columns.ts";
export { loadModel, readModelFiles } from "./load.ts";
export type { MeasureOptions, MeasureProgress } from "./options.ts";
export * from "./rules.ts";
export { type MeasureResult, measure } from "./run/job.ts";
