// Makes tests/vectors/model.json by the slow answers of slow.ts: `npx tsx tests/model/make-vectors.ts`. It is what the tests
// take where the published facts are not at hand, in their form.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { CoreProblem } from "../../src/model/core.ts";
import type { GoldenOptimum, GoldenPartition, GoldenRank, GoldenSimulation } from "./golden.ts";
import { randomNumbers } from "./random.ts";
import { everyCut, slowSimulation, slowStage } from "./slow.ts";

const MODES = ["free", "none", "full", "joint"] as const;

/** Which layers of a stage the best choice recomputes, as digits. */
function digits(
  layers: CoreProblem["layers"],
  inFlight: number,
  memory: number,
  mode: (typeof MODES)[number],
  time: number,
): string {
  if (mode === "free" || mode === "none") return "0".repeat(layers.length);
  if (mode === "full") return "1".repeat(layers.length);
  for (let set = 0; set < 1 << layers.length; set++) {
    const again = (l: number) => ((set >> l) & 1) === 1;
    let bytes = 0;
    let own = 0;
    let once = 0;
    for (const [l, layer] of layers.entries()) {
      own += layer.forward + layer.backward + (again(l) ? layer.forward : 0);
      bytes += layer.parameters + inFlight * (again(l) ? layer.recomputed : layer.kept);
      if (again(l)) once = Math.max(once, layer.kept - layer.recomputed);
    }
    if (own === time && bytes + once <= memory) return Array.from(layers, (_, l) => (again(l) ? "1" : "0")).join("");
  }
  throw new Error("no choice has that time");
}

function rank(problem: CoreProblem, radius: number): GoldenRank {
  const { layers, stages } = problem;
  const sum = (from: number, end: number) => layers.slice(from, end).reduce((all, { forward }) => all + forward, 0);
  const anchor: number[] = [];
  let at = 0;
  for (let k = stages; k > 1; k--) {
    const left = sum(at, layers.length);
    let end = at + 1;
    while (layers.length - end - 1 >= k - 1 && (2 * sum(at, end) + layers[end].forward) * k < 2 * left) end++;
    anchor.push(end);
    at = end;
  }
  const near = [...everyCut(layers.length, stages)].filter((cuts) =>
    cuts.every((c, s) => Math.abs(c - anchor[s]) <= radius),
  );
  const scored = near.map((cuts): [number, number[]] => {
    const starts = [0, ...cuts, layers.length];
    const times = starts.slice(1).map((end, s) => sum(starts[s], end));
    const mean = times.reduce((a, b) => a + b, 0) / stages;
    const variance = times.reduce((all, time) => all + (time - mean) ** 2, 0) / stages;
    return [variance + cuts.reduce((all, c) => all + layers[c - 1].transfer, 0), cuts];
  });
  const before = (a: number[], b: number[]) => a.map((c, i) => c - b[i]).find((d) => d !== 0) ?? 0;
  scored.sort((a, b) => (Math.abs(a[0] - b[0]) > 1e-9 ? a[0] - b[0] : before(a[1], b[1])));
  return { anchor, candidates: near.length, best: scored.slice(0, 3) };
}

function partition(seed: number): GoldenPartition {
  const int = randomNumbers(seed);
  const stages = int(1, 4);
  const microbatches = [1, 2, 3, 6, 12][int(0, 4)];
  const n = int(stages + 1, 10);
  const link = { bandwidth: int(1, 4), latency: int(0, 3) };
  const rows = Array.from({ length: n }, (_, l): GoldenPartition["layers"][number] => {
    const forward = l < n / 3 ? 8 : int(0, 30);
    const kept = int(0, 60);
    return [forward, 2 * forward + int(0, 3), kept, int(0, Math.min(9, kept)), int(5, 40), link.bandwidth * int(0, 12)];
  });
  const layers = rows.map(([forward, backward, kept, recomputed, parameters, output]) => ({
    ...{ forward, backward, kept, recomputed, parameters },
    transfer: link.latency + output / link.bandwidth,
  }));
  const all = layers.reduce((sum, l) => sum + l.parameters + Math.min(stages, microbatches) * l.kept, 0);
  const memory = Math.floor((all / stages) * (0.5 + int(0, 60) / 100));
  const problem: CoreProblem = { layers, stages, microBatches: microbatches, memory, schedule: "1f1b" };
  const inFlight = (s: number) => Math.min(stages - s, microbatches);
  const expected: Record<string, GoldenOptimum | null> = {
    free: null,
    none: null,
    full: null,
    joint: null,
    step: null,
  };
  const offer = (name: string, value: number, cuts: number[], recompute: () => string) => {
    const best = expected[name];
    if (best !== null && value > best.value) return;
    if (best !== null && value === best.value) expected[name] = { ...best, optima: best.optima + 1 };
    else expected[name] = { value, cuts, recompute: recompute(), optima: 1 };
  };
  for (const cuts of everyCut(n, stages)) {
    const starts = [0, ...cuts, n];
    const own = (s: number) => layers.slice(starts[s], starts[s + 1]);
    for (const mode of MODES) {
      const times = starts.slice(1).map((_, s) => slowStage(own(s), inFlight(s), memory, mode));
      if (times.includes(Number.POSITIVE_INFINITY)) continue;
      const recompute = () => times.map((time, s) => digits(own(s), inFlight(s), memory, mode, time)).join("");
      offer(mode, Math.max(...times), cuts, recompute);
      if (mode !== "joint") continue;
      const row = (of: (s: number) => number) => times.map((_, s) => new Array<number>(microbatches).fill(of(s)));
      const forward = (s: number) => own(s).reduce((sum, l) => sum + l.forward, 0);
      const { step } = slowSimulation({
        ...{ schedule: "1f1b", devices: stages, chunks: 1, microBatches: microbatches },
        ...{ forward: row(forward), backward: row((s) => times[s] - forward(s)) },
        transfer: row((s) => layers[starts[s + 1] - 1].transfer).slice(0, -1),
      });
      offer("step", step, cuts, recompute);
    }
  }
  const ranks = stages === 1 ? {} : { paper1: rank(problem, 1), paper2: rank(problem, 2) };
  return {
    ...{ id: `P${seed}`, family: "made", stages, microbatches, memory, link, layers: rows },
    expected: { ...(expected as GoldenPartition["expected"]), ...ranks },
  };
}

function simulation(seed: number): GoldenSimulation {
  const int = randomNumbers(1000 + seed);
  const schedule = (["gpipe", "1f1b", "interleaved"] as const)[seed % 3];
  const stages = int(2, 5);
  const chunks = schedule === "interleaved" ? int(2, 3) : 1;
  const microbatches = schedule === "interleaved" ? stages * int(1, 2) : int(1, 9);
  const grid = (rows: number, high: number) =>
    Array.from({ length: rows }, () => Array.from({ length: microbatches }, () => int(0, high)));
  const rows = stages * chunks;
  const given = {
    forward: grid(rows, 30),
    backward: grid(rows, 60),
    transfer: grid(rows - 1, 9),
    activation: grid(rows, 20),
  };
  const seen = slowSimulation({ schedule, devices: stages, chunks, microBatches: microbatches, ...given });
  const busy = seen.busy.reduce((sum, own) => sum + own, 0);
  return {
    ...{ id: `S${seed}`, schedule, stages, chunks, microbatches, ...given },
    expected: {
      ...{ step: seen.step, busy: seen.busy, bubble: Number((1 - busy / (stages * seen.step)).toFixed(12)) },
      ...{ inflight: seen.inFlight, activation: seen.activation },
      timeline: createHash("sha256").update(seen.lines.join("\n")).digest("hex").slice(0, 16),
    },
  };
}

const made = {
  partition: Array.from({ length: 30 }, (_, i) => partition(i + 1)),
  simulate: Array.from({ length: 12 }, (_, i) => simulation(i + 1)),
};
const lines = [...made.partition.map((x) => ["partition", x]), ...made.simulate.map((x) => ["simulate", x])];
const list = (name: string) =>
  lines
    .filter(([kind]) => kind === name)
    .map(([, x]) => JSON.stringify(x))
    .join(",\n");
writeFileSync(
  new URL("../vectors/model.json", import.meta.url),
  `{"partition":[\n${list("partition")}\n],"simulate":[\n${list("simulate")}\n]}\n`,
);
