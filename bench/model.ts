// The model's partition: how far the published anchor and its neighbours are from the best, over 1,000 random profiles;
// models by their public configs, with each part's share of what is saved; the order of micro-batches; the time it takes.
// Prints tables for docs/model.md.
import { readFileSync } from "node:fs";
import { load } from "../src/index.ts";
import { GPUS, profileFromConfig } from "../src/model/config.ts";
import { arrangeCore, type CoreSimulation, simulateCore } from "../src/model/core.ts";
import { compareModel, type ModelPlan, type ModelPlanOptions, planModel, recomputable } from "../src/model/plan.ts";
import { type Loads, type Profile, profileLoads, toCoreLayers } from "../src/model/profile.ts";
import { measureSplit, type Shape, type Split, simulateSplit } from "../src/model/split.ts";
import { randomProfile, tryPlan } from "../tests/model/made.ts";
import { randomNumbers } from "../tests/model/random.ts";
import { generate } from "./inputs.ts";

const core = await load();
const RANDOM = Number(process.env.MODEL_PROFILES || 1000);

function row(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(" | ")} |`);
}

function header(cells: readonly string[]): void {
  row(cells);
  row(cells.map(() => "---"));
}

/** Milliseconds of the processor: the machine may have other work. */
function cpuTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const percent = (x: number, digits = 1) => `${(x * 100).toFixed(digits)} %`;

function spread(values: readonly number[]): string[] {
  const sorted = values.toSorted((a, b) => a - b);
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return [
    percent(mean, 2),
    percent(sorted[Math.floor(sorted.length / 2)], 2),
    percent(sorted[Math.floor(sorted.length * 0.95)], 2),
    percent(sorted[sorted.length - 1]),
  ];
}

function randomProfiles(): void {
  const free: Record<string, number[]> = { "anchor alone": [], "best of 32 neighbours": [] };
  const tight: Record<string, number[]> = {
    "paper cuts, paper recomputation": [],
    "paper cuts, exact recomputation": [],
    "exact cuts, paper recomputation": [],
  };
  const misses: Record<string, number> = {};
  let feasible = 0;
  let proven = 0;
  let worse = 0;
  for (let seed = 1; seed <= RANDOM; seed++) {
    const { profile, options } = randomProfile(core, seed);
    const best = planModel(core, profile, { ...options, memory: 1e12 });
    const anchor = anchorSplit(profile, options);
    const near = planModel(core, profile, { ...options, memory: 1e12, partition: "paper" });
    free["anchor alone"].push(anchor.stepMs / best.stepMs - 1);
    free["best of 32 neighbours"].push(near.stepMs / best.stepMs - 1);
    const exact = tryPlan(core, profile, options);
    if (exact === undefined) continue;
    feasible++;
    if (exact.isProven) proven++;
    for (const [name, partition, recompute] of [
      ["paper cuts, paper recomputation", "paper", "paper"],
      ["paper cuts, exact recomputation", "paper", "exact"],
      ["exact cuts, paper recomputation", "exact", "paper"],
    ] as const) {
      const other = tryPlan(core, profile, { ...options, partition, recompute });
      if (other === undefined) misses[name] = (misses[name] ?? 0) + 1;
      else {
        tight[name].push(other.stepMs / exact.stepMs - 1);
        if (other.stepMs < exact.stepMs || other.largestMs < (exact.leastLargestMs ?? 0)) worse++;
      }
    }
  }
  console.log(`\n## ${RANDOM} random profiles\n`);
  console.log(
    `${feasible} fit at all; the step is proven least in ${proven}. Exact is worse than another in ${worse}.\n`,
  );
  header(["step longer than the best", "mean", "median", "95 %", "worst", "nothing fits"]);
  for (const [name, values] of Object.entries(free)) row([`no memory bound: ${name}`, ...spread(values), ""]);
  for (const [name, values] of Object.entries(tight))
    row([name, ...spread(values), percent((misses[name] ?? 0) / feasible)]);
}

function anchorSplit(profile: Profile, options: ModelPlanOptions): Split {
  const layers = toCoreLayers(profile, profileLoads(profile));
  const { stages, microBatches } = options;
  let at = 0;
  let left = layers.reduce((sum, { forward }) => sum + forward, 0);
  const cuts: number[] = [];
  for (let k = stages; k > 1; k--) {
    let own = layers[at++].forward;
    while (layers.length - at - 1 >= k - 1 && (2 * own + layers[at].forward) * k < 2 * left)
      own += layers[at++].forward;
    left -= own;
    cuts.push(at);
  }
  const shape: Shape = { schedule: "1f1b", chunks: 1, memory: 1e12, stages, microBatches };
  return measureSplit(core, layers, shape, { cuts, recomputed: [] });
}

interface Model {
  readonly name: string;
  readonly config: string;
  readonly tensorParallel: number;
  readonly stages: number;
  readonly microBatches: number;
  readonly memory: number;
  /** Tiles and tokens that groups are bounded on. */
  readonly maxVit: number;
  readonly maxTokens: number;
  /** Units of the encoder per tile. */
  readonly perTile: number;
}

const MODELS: readonly Model[] = [
  ...[4, 8].map((stages) => ({
    name: "InternVL 6 + 20 B",
    config: "internvl-6-20b",
    tensorParallel: 8 / stages,
    stages,
  })),
  ...[4, 8].map((stages) => ({
    name: "InternVL 6 + 34 B",
    config: "internvl-6-34b",
    tensorParallel: stages === 4 ? 4 : 2,
    stages,
  })),
  ...[4, 8].map((stages) => ({
    name: "Qwen2.5-VL 72 B",
    config: "qwen2.5-vl-72b",
    tensorParallel: 32 / stages,
    stages,
  })),
].map((model) => ({
  ...model,
  microBatches: 16,
  memory: 76e9,
  maxVit: 9,
  maxTokens: 4096,
  perTile: model.config.startsWith("qwen") ? 1024 : 1,
}));

/** Loads of groups: of samples one after another as many as a packed group has on average, and of balanced groups. */
function groupLoads(model: Model): { drawn: Loads[]; packed: Loads[] } {
  const { vit, tokens } = generate("tiled:200000");
  const packing = core.pack({ vit, tokens }, { maxVit: model.maxVit, maxTokens: model.maxTokens, method: "balanced" });
  const load = (samples: ArrayLike<number>): Loads => {
    const sum = (of: (i: number) => number) => Array.from(samples, of).reduce((all, x) => all + x, 0);
    return {
      vit: { sum: sum((i) => vit[i] * model.perTile), squares: sum((i) => (vit[i] * model.perTile) ** 2) },
      tokens: { sum: sum((i) => tokens[i]), squares: sum((i) => tokens[i] ** 2) },
    };
  };
  const packed = Array.from(packing, (group) => load(group));
  const each = Math.round(vit.length / packing.length);
  const drawn = Array.from({ length: Math.floor(vit.length / each) }, (_, g) =>
    load(Array.from({ length: each }, (_, i) => g * each + i)),
  );
  // In the order of a plan by cost the ranks of a step are alike; of groups packed to their bounds any order nearly is.
  return { drawn, packed };
}

const RANKS = 8;
const STEPS = 12;

/** Mean time per sample over some steps of 8 ranks, each of which waits for its slowest. */
function epochTime(
  model: Model,
  profile: Profile,
  shape: Shape,
  split: Pick<Split, "stages">,
  groups: readonly Loads[],
  samples: number,
): number {
  let sum = 0;
  let at = 0;
  for (let step = 0; step < STEPS; step++) {
    let most = 0;
    for (let rank = 0; rank < RANKS; rank++) {
      const own = groups.slice(at, at + model.microBatches);
      at += model.microBatches;
      most = Math.max(most, simulateSplit(core, profile, shape, split, own).stepMs);
    }
    sum += most;
  }
  return (sum / (STEPS * RANKS * model.microBatches)) * (groups.length / samples);
}

function models(): void {
  console.log("\n## Models by their public configs, A100 80 GB of which 76 are given\n");
  header([
    "model",
    "stages x tensor parallel",
    "by layers",
    "by parameters",
    "paper",
    "ours, all recomputed",
    "ours",
    "bound",
    "saved",
  ]);
  const shares: (string | number)[][] = [];
  const anchors: string[][] = [];
  for (const model of MODELS) {
    const { drawn, packed } = groupLoads(model);
    const mean = (of: (loads: Loads) => number) => packed.reduce((sum, loads) => sum + of(loads), 0) / packed.length;
    const most = (of: (loads: Loads) => number) => Math.max(...packed.map(of));
    const range = (name: string) => ({ mean: mean((l) => l[name].sum), max: most((l) => l[name].sum) });
    const config = JSON.parse(
      readFileSync(new URL(`../tests/fixtures/model/${model.config}.json`, import.meta.url), "utf8"),
    );
    const estimated = profileFromConfig(config, {
      gpu: GPUS.a100,
      tensorParallel: model.tensorParallel,
      vit: range("vit"),
      tokens: range("tokens"),
    });
    const squares = (name: string) => ({
      ...range(name),
      meanSquares: mean((l) => l[name].squares ?? 0),
      maxSquares: most((l) => l[name].squares ?? 0),
    });
    const profile: Profile = { ...estimated, loads: { vit: squares("vit"), tokens: squares("tokens") } };
    const { stages, microBatches, memory } = model;
    const options = { stages, microBatches, memory };
    const { byLayers, byParameters, cutsAlone, plan } = compareModel(core, profile, options);
    const paper = tryPlan(core, profile, { ...options, partition: "paper", recompute: "paper" });
    const ms = (split: Split | undefined) =>
      split === undefined
        ? "does not fit"
        : `${(split.stepMs / 1000).toFixed(2)} s${split.fits ? "" : " (does not fit)"}`;
    const usual = [byLayers, byParameters].toSorted(
      (a, b) => Number(b.fits) - Number(a.fits) || a.stepMs - b.stepMs,
    )[0];
    row([
      model.name,
      `${stages} x ${model.tensorParallel}`,
      ...[byLayers, byParameters, paper, cutsAlone, plan].map(ms),
      `${((plan.boundMs ?? 0) / 1000).toFixed(2)} s${plan.isProven ? ", proven" : ""}`,
      percent(1 - plan.stepMs / usual.stepMs),
    ]);
    const free = { ...options, memory: 1e12 };
    const least = planModel(core, profile, free).stepMs;
    anchors.push([
      `${model.name}, ${stages} stages`,
      percent(anchorSplit(profile, free).stepMs / least - 1, 2),
      percent(planModel(core, profile, { ...free, partition: "paper" }).stepMs / least - 1, 2),
    ]);
    const layers = toCoreLayers(profile, profileLoads(profile));
    const shape = plan.shape;
    const samples = 200_000;
    for (const [name, before] of [
      ["layers", byLayers],
      ["parameters", byParameters],
    ] as const) {
      const split = measureSplit(core, layers, shape, { cuts: before.cuts, recomputed: recomputable(layers) });
      const times = [
        epochTime(model, profile, shape, split, drawn, samples),
        epochTime(model, profile, shape, split, packed, samples),
        epochTime(model, profile, shape, cutsAlone ?? plan, packed, samples),
        epochTime(model, profile, shape, plan, packed, samples),
      ];
      const saved = times[0] - times[3];
      shares.push([
        `${model.name}, ${stages} stages`,
        `by ${name}`,
        ...times.map((time) => ((100 * time) / times[0]).toFixed(1)),
        ...[0, 1, 2].map((i) => percent((times[i] - times[i + 1]) / saved, 0)),
      ]);
    }
  }
  console.log("\n## Without a bound on memory: the step of the anchor, and of its best neighbour, over the least\n");
  header(["model", "anchor alone", "best of 32 neighbours"]);
  for (const cells of anchors) row(cells);
  console.log(
    "\n## What each part saves: time per sample, random samples in equal numbers and the usual split being 100\n",
  );
  header([
    "model",
    "split before",
    "before",
    "balanced data",
    "and cuts",
    "and recomputation",
    "data",
    "cuts",
    "recomputation",
  ]);
  row(["paper, 6 + 20 B (Megatron)", "", "100", "84.0", "46.9", "34.5", "24 %", "57 %", "19 %"]);
  for (const cells of shares) row(cells);
}

function orders(): void {
  console.log("\n## The order of micro-batches: step longer than the best found by a long search\n");
  header(["stages", "micro-batches", "as they come, mean", "worst", "ordered, mean", "worst", "ms each"]);
  for (const [devices, m] of [
    [4, 8],
    [4, 16],
    [8, 16],
    [8, 32],
    [8, 64],
  ]) {
    const came: number[] = [];
    const ordered: number[] = [];
    let time = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const int = randomNumbers(seed);
      // Long tails, as lengths have; the first stages see the images, the last ones the text.
      const sizes = Array.from({ length: m }, () => [int(1, 100) ** 2, int(1, 100) ** 2]);
      const share = Array.from({ length: devices }, (_, s) => (s < devices / 3 ? [10, 1] : [1, 10]));
      const forward = share.flatMap(([a, b]) => sizes.map(([x, y]) => a * x + b * y));
      const given: Omit<CoreSimulation, "activation"> = {
        ...{ schedule: "1f1b", devices, chunks: 1, microBatches: m, forward },
        backward: forward.map((x) => 2 * x),
        transfer: new Array((devices - 1) * m).fill(100),
      };
      const first = Array.from({ length: m }, (_, i) => i);
      let quick = 0;
      time += cpuTime(() => {
        quick = arrangeCore(core, given, first, 3e5).step;
      });
      const long = Math.min(quick, arrangeCore(core, given, first, 3e7).step);
      came.push(simulateCore(core, { ...given, activation: forward }).step / long - 1);
      ordered.push(quick / long - 1);
    }
    const mean = (x: readonly number[]) => x.reduce((a, b) => a + b, 0) / x.length;
    row([
      devices,
      m,
      percent(mean(came)),
      percent(Math.max(...came)),
      percent(mean(ordered)),
      percent(Math.max(...ordered)),
      (time / 20).toFixed(1),
    ]);
  }
}

function times(): void {
  console.log("\n## Time to plan\n");
  header(["layers", "stages", "micro-batches", "ms", "above the bound", "splits simulated"]);
  for (const [count, stages, microBatches] of [
    [97, 8, 16],
    [200, 8, 16],
    [200, 32, 64],
    [500, 32, 128],
    [1000, 64, 128],
  ]) {
    const int = randomNumbers(count);
    const layers = Array.from({ length: count }, (_, l) => {
      const forwardMs = int(50, 300) / 10;
      return {
        ...{
          name: `layers.${l}`,
          type: "decoder",
          forwardMs,
          backwardMs: 2 * forwardMs,
          parameterBytes: int(100, 900) * 1e6,
        },
        ...{ keptBytes: int(500, 2000) * 1e6, recomputedBytes: int(40, 90) * 1e6, outputBytes: 50e6 },
      };
    });
    const link = { bytesPerSecond: 50e9, latencyMs: 0.02 };
    const profile: Profile = { format: "omnibal-profile", version: 1, device: { memory: 8e12 }, link, layers };
    const none = planModel(core, profile, { stages, microBatches, recompute: "none", effort: 0 }).bytes;
    let plan: ModelPlan | undefined;
    const time = cpuTime(() => {
      plan = planModel(core, profile, { stages, microBatches, memory: none * 0.6 });
    });
    if (plan === undefined) continue;
    const gap = plan.stepMs / (plan.boundMs ?? plan.stepMs) - 1;
    row([count, stages, microBatches, time.toFixed(0), percent(gap, 2), plan.simulated]);
  }
}

const parts = { random: randomProfiles, models, orders, times };
const asked = process.argv.slice(2);
for (const [name, run] of Object.entries(parts)) if (asked.length === 0 || asked.includes(name)) run();
