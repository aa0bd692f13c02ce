import type { Format } from "./format.ts";
import { packingText } from "./packing-text.ts";

/**
 * A line {"made":{...},"groups":2} with the number of groups to come, so that a file that was cut is not taken for a whole
 * one. Then a line {"group":[3,1],"vit":9,"tokens":4001} per group: objects, since data-set loaders take no bare arrays, with the
 * loads that a sampler balances by. Oversize samples are in no group; a last line {"oversize":[7]} names them, if any.
 */
export const jsonlFormat: Format = {
  name: "jsonl",
  about:
    'a line {"made":{...},"groups":N}, then a line per group: {"group":[3,1],"vit":9,"tokens":4001}; oversize samples, if any, in a last line: {"oversize":[7]}',
  file: ({ core, packing }) => packingText(core, packing, "jsonl"),
};
