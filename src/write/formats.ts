import type { Format } from "./format.ts";
import { jsonFormat } from "./json.ts";
import { jsonlFormat } from "./jsonl.ts";
import { npyFormat } from "./npy.ts";
import { xtunerFormat } from "./xtuner.ts";

/** The formats of packings. A new one is a file beside this one and a line here. */
export const formats: readonly Format[] = [jsonFormat, jsonlFormat, npyFormat, xtunerFormat];
