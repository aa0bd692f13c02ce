// Prints how long the first and the tenth `pack` of a fresh process take, and the memory the module grew to.
import { load } from "../src/index.ts";
import { tiled } from "./inputs.ts";

const input = tiled(Number(process.argv[2]));
const omnibal = await load();
const before = omnibal.abi.memory.buffer.byteLength;
const times: number[] = [];
for (let call = 0; call < 10; call++) {
  const start = performance.now();
  omnibal.pack(input, { maxVit: 9, maxTokens: 4096 });
  times.push(performance.now() - start);
}
const bytes = omnibal.abi.memory.buffer.byteLength - before;
console.log(JSON.stringify({ first: times[0], tenth: times[9], bytes }));
