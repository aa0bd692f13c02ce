import type { Format } from "./format.ts";
import { npyVector } from "./npy-file.ts";
import { packingText } from "./packing-text.ts";

/** Groups in CSR form: group i is indices[offsets[i] : offsets[i + 1]]. */
export const npyFormat = {
  name: "npy",
  about:
    "a folder of int64 arrays: offsets.npy, indices.npy, oversize.npy; group i is indices[offsets[i]:offsets[i + 1]]; invalid.npy where samples are; packing.json says what it was made of",
  folder: {
    "offsets.npy": ({ packing }) => npyVector(packing.offsets),
    "indices.npy": ({ packing }) => npyVector(packing.indices),
    "oversize.npy": ({ packing }) => npyVector(packing.oversize),
    "invalid.npy": ({ packing }) => npyVector(packing.invalid),
    "packing.json": ({ core, packing }) => packingText(core, packing, "head"),
  },
  onlyIf: { "invalid.npy": ({ packing }) => packing.invalid.length > 0 },
} as const satisfies Format;
