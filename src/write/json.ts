import type { Format } from "./format.ts";
import { packingText } from "./packing-text.ts";

/** {"groups":[[3,1],[2]],"oversize":[7],"stats":{...},"made":{...}} */
export const jsonFormat: Format = {
  name: "json",
  about: 'one object: {"groups":[[3,1],...],"oversize":[...],"stats":{...},"made":{...}}',
  file: ({ core, packing }) => packingText(core, packing, "json"),
};
