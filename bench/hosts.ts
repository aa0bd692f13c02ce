// ISF on tiled:1200000 in every host, by the hosts and pages that tests/hosts proves to give the same groups.
import type { Job } from "../tests/hosts/answer.ts";
import { removeApp } from "../tests/hosts/app.ts";
import { hosts } from "../tests/hosts/hosts.ts";
import { expected } from "../tests/hosts/jobs.ts";
import { median, publish } from "./results.ts";

const CYCLES = 3;
const RUNS = 7;
const job: Job = {
  input: "tiled:1200000",
  maxVit: 9,
  maxTokens: 4096,
  minVit: 9,
  minTokens: 3968,
  rounds: 50,
  seed: 1024,
};
const hash = expected(job);

// How a page came by the module does not matter here: one row per engine and kind of thread. A command
// does not report its core's time.
const rows = hosts.filter(({ name }) => !/wrong type|, esbuild$|Vite|WASI command/.test(name));
const ms = new Map<string, number[]>();
const engines = new Map<string, string>();
const notes: string[] = [];

// Hosts take turns, so that a change in the pace of the machine affects them all.
for (let cycle = 0; cycle < CYCLES; cycle++) {
  for (const host of rows) {
    const missing = host.missing();
    if (missing !== undefined) {
      if (cycle === 0) notes.push(missing);
      continue;
    }
    const report = await host.ask({ jobs: [job], timed: RUNS });
    if (report.groups[0] !== hash) throw new Error(`${host.name}: other groups than expected`);
    ms.set(host.name, [...(ms.get(host.name) ?? []), ...report.ms[0]]);
    engines.set(host.name, report.engine.match(/(Chrome|Firefox)\/[\d.]+/)?.[0].replace("/", " ") ?? report.engine);
  }
}
removeApp();

const time = (name: string) => median(ms.get(name) ?? []);
publish(
  "Hosts",
  `ISF in the core alone on ${job.input}, 9 / 4096 / 3968, T = 50, after three runs to warm up; medians of ` +
    `${CYCLES * RUNS} runs each in ${CYCLES} processes, taken in turn. Clocks in browsers tick in 0.1 to 1 ms.`,
  ["", "engine", "ms", "ratio to Node"],
  rows.map(({ name }) =>
    ms.has(name)
      ? [name, engines.get(name)!, time(name).toFixed(1), (time(name) / time("Node")).toFixed(2)]
      : [name, "missing", "", ""],
  ),
  notes,
);
