// The other side of published.ts, in a process of its own: CPU seconds of the first `pack` and of a later one, the number
// of groups, and the SHA-256 of their indices. Arguments: a file of int32, all vit values, then all token values; options.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { load, type Packing } from "../src/index.ts";

const LATER = 20;
const [path, options] = process.argv.slice(2);
const bytes = readFileSync(path);
const values = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const input = { vit: values.slice(0, values.length / 2), tokens: values.slice(values.length / 2) };
const omnibal = await load();

/** CPU seconds of the whole process, compiling and collecting threads included. */
function seconds(packs: number): { each: number; packing: Packing } {
  const start = process.cpuUsage();
  let packing = omnibal.pack(input, JSON.parse(options));
  for (let k = 1; k < packs; k++) packing = omnibal.pack(input, JSON.parse(options));
  const { user, system } = process.cpuUsage(start);
  return { each: (user + system) / 1e6 / packs, packing };
}

const first = seconds(1).each;
// What the engine still compiles after the first call is not the later calls' time.
seconds(2);
const { each: later, packing } = seconds(LATER);
const text = Array.from(packing, (group) => group.join(",")).join("\n");
const sha256 = createHash("sha256").update(text).digest("hex");
console.log(JSON.stringify({ first, later, groups: packing.length, sha256 }));
