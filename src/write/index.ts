import type { Format } from "./format.ts";
import { jsonFormat } from "./json.ts";
import { jsonlFormat } from "./jsonl.ts";
import { npyFormat } from "./npy.ts";
import { xtunerFormat } from "./xtuner.ts";

export type { Format, Written } from "./format.ts";
export { type Output, openOutput, writeAs } from "./output.ts";
export { type PlanWritten, planFormats, rounded } from "./plan.ts";

/** What a packing can be written as. A new format is a file beside this one and a line here. */
export const formats: readonly Format[] = [jsonFormat, jsonlFormat, npyFormat, xtunerFormat];
