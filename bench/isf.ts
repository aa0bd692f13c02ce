// ISF on tiled:1200000, 9 / 4096 / 3968, T = 50: the core against the same algorithm in plain TypeScript and in C.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Bench } from "tinybench";
import { load } from "../src/index.ts";
import { tiled } from "./inputs.ts";
import { compileNative } from "./native.ts";
import { plainIsfCsr } from "./plain-isf.ts";
import { median, publish } from "./results.ts";

const N = 1_200_000;
const CYCLES = 7;
const RUNS = 3;
const options = { maxVit: 9, maxTokens: 4096, minVit: 9, minTokens: 3968, rounds: 50, seed: 1024 };
const input = tiled(N);
const omnibal = await load();
const { abi } = omnibal;
const native = compileNative(N);

const vit = abi.alloc(N * 4) >>> 0;
const tokens = abi.alloc(N * 4) >>> 0;
new Int32Array(abi.memory.buffer, vit, N).set(input.vit);
new Int32Array(abi.memory.buffer, tokens, N).set(input.tokens);

/** The core alone, from lengths in its memory to groups in its memory. */
function core(): number {
  const top = abi.mark();
  abi.isfBegin(N, 9, 4096, 9, 3968, 1024);
  abi.isfPush(vit, tokens, N);
  for (let round = 1; round <= 50 && abi.isfRound(round === 50 ? 1 : 0) > 0; round++);
  abi.isfFinish();
  abi.release(top);
  return abi.packingGroups();
}

const expected = core();
function same(groups: number): void {
  if (groups !== expected) throw new Error(`${groups} groups where the core makes ${expected}`);
}

const times = new Map<string, number[]>();
// Competitors take turns in short cycles, so that a change in the pace of the machine affects them all.
for (let cycle = 0; cycle < CYCLES; cycle++) {
  const bench = new Bench({
    iterations: RUNS,
    time: 0,
    warmupIterations: cycle === 0 ? 2 : 0,
    warmupTime: 0,
    retainSamples: true,
  });
  bench.add("omnibal.wasm", () => same(core()));
  bench.add("omnibal.pack", () => same(omnibal.pack(input, options).length));
  bench.add("TypeScript on V8", () => same(plainIsfCsr(input, options).offsets.length - 1));
  if (native !== undefined) {
    for (const variant of ["plain", "tricks"] as const) {
      bench.add(`C, ${variant}`, async () => {
        const { ms, groups } = await native.run(variant);
        same(groups);
        return { overriddenDuration: ms };
      });
    }
  }
  await bench.run();
  for (const task of bench.tasks) {
    if (task.result.state !== "completed") throw new Error(`${task.name}: ${task.result.state}`);
    times.set(task.name, [...(times.get(task.name) ?? []), ...(task.result.latency.samples ?? [])]);
  }
}
native?.close();

const firstCall = Array.from({ length: 5 }, () => {
  const script = fileURLToPath(new URL("first-call.ts", import.meta.url));
  return JSON.parse(execFileSync("npx", ["tsx", script, String(N)], { encoding: "utf8" })) as {
    first: number;
    tenth: number;
    bytes: number;
  };
});

const ms = (name: string) => median(times.get(name) ?? []);
const rows = [...times.keys()].map((name) => [name, ms(name).toFixed(1), (ms(name) / ms("omnibal.wasm")).toFixed(2)]);
const ratio = (name: string) => (ms("omnibal.wasm") / ms(name)).toFixed(2);
publish(
  "ISF",
  `tiled:${N}, 9 / 4096 / 3968, T = 50, ${expected} groups; medians of ${CYCLES * RUNS} runs each, taken in turn. ` +
    (native === undefined ? "No C compiler here." : `C by ${native.compiler}, -O3.`),
  ["", "ms", "ratio to omnibal.wasm"],
  rows,
  [
    native === undefined
      ? "omnibal.wasm to C: not measured"
      : `omnibal.wasm to plain C: ${ratio("C, plain")} (target 0.75), to C with the same tricks: ${ratio("C, tricks")} (target 1.4)`,
    `first call in a process to the tenth: ${median(firstCall.map((f) => f.first / f.tenth)).toFixed(2)} (target 1.5; five processes)`,
    `memory: ${(firstCall[0].bytes / N).toFixed(1)} bytes per sample, inputs included (target 40)`,
  ],
);
