// Takes the inner loops out of the exports once the module is optimised, and renumbers locals. The loops are exported so
// that the optimiser leaves them functions of their own, which engines compile well after a few calls (inlined into one
// long call, a first packing runs two to three times slower); callers have no business with them.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

const [, , path] = process.argv;
const module = binaryen.readBinary(readFileSync(path));
module.setFeatures(binaryen.Features.All);
const names = Array.from({ length: module.getNumExports() }, (_, i) =>
  binaryen.getExportInfo(module.getExportByIndex(i)),
).map((info) => info.name);
for (const name of names.filter((name) => name.startsWith("hot"))) module.removeExport(name);
// Locals that share a number where they can, the most used ones first: the same code, 5 % smaller when it is compressed.
module.runPasses([
  ...["remove-unused-module-elements", "optimize-instructions", "coalesce-locals-learning", "reorder-locals"],
  "reorder-functions",
]);
writeFileSync(path, module.emitBinary());
