// What train.py runs: samples scaled down, an epoch of 8 ranks for each system, and groups to fit costs from.
// tsx bench/training/prepare.ts tiled:300 | native:300 | FILE.json[,FILE.json] OUT.json
import { readFileSync, writeFileSync } from "node:fs";
import { priced } from "../../src/compare/cost.ts";
import { draws, shuffle, upTo } from "../../src/compare/random.ts";
import type { Scene } from "../../src/compare/scene.ts";
import { systems } from "../../src/compare/systems.ts";
import { load } from "../../src/index.ts";
import { native, tiled } from "../inputs.ts";

const [input, out] = process.argv.slice(2);
if (input === undefined || out === undefined) throw new Error("usage: prepare.ts INPUT OUT.json");

const RANKS = 8;
const SEED = 1024;
/** Samples of an epoch: a dozen steps or so. */
const SAMPLES = 320;
/** Tokens are so many times fewer than in training, patches too; tiles stay. */
const SCALE = 16;
/** Groups that costs are fitted from. */
const LOGGED = 240;

type Columns = Record<string, Int32Array>;

/** A random part of the samples. */
function some(all: Columns, count: number, seed: number): Columns {
  const [first] = Object.values(all);
  const chosen = shuffle(upTo(first.length), draws(seed)).subarray(0, count);
  return Object.fromEntries(Object.entries(all).map(([name, column]) => [name, Int32Array.from(chosen, (i) => column[i])]));
}

const scaled = (column: ArrayLike<number>, by: number) => Int32Array.from(column, (x) => Math.ceil(x / by));

function read(name: string): { columns: Columns; max: Record<string, number> } {
  const [kind, n] = name.split(":");
  if (kind === "native") {
    const { patches, tokens } = native(Number(n));
    return {
      columns: { patches: scaled(patches, SCALE), tokens: scaled(tokens, SCALE) },
      max: { patches: 20_000 / SCALE, tokens: 8192 / SCALE },
    };
  }
  const files = kind === "tiled" ? [] : name.split(",");
  const records = files.map((file) => JSON.parse(readFileSync(file, "utf8")) as { vit_num: number; token_num: number }[]);
  // As many of each file; every fourth sample is text alone, as in a mixture for instruction tuning.
  const each = Math.min(...records.map((own) => own.length));
  const made = kind === "tiled" ? tiled(Number(n)) : undefined;
  const list = records.flatMap((own) => own.slice(0, each));
  const vit = made?.vit ?? Int32Array.from(list, (record, i) => (i % 4 === 3 ? 0 : record.vit_num));
  const tokens = made?.tokens ?? Int32Array.from(list, (record, i) => (i % 4 === 3 ? 64 + ((i * 97) % 2200) : record.token_num));
  return { columns: { vit, tokens: scaled(tokens, SCALE) }, max: { vit: 9, tokens: 4096 / SCALE } };
}

const { columns: all, max } = read(input);
const columns = some(all, SAMPLES, SEED);
const costs: Record<string, number> = "vit" in columns ? { vit: 512 / SCALE, tokens: 1 } : { patches: 1, tokens: 1 };
const { core } = await load();
const scene: Scene = {
  ...{ core, samples: SAMPLES, columns, max, length: "tokens", ranks: RANKS, seed: SEED, cost: costs },
  batch: Math.max(1, Math.round(SAMPLES / systems.filter(({ name }) => name === "balanced-plan")[0].run({ ...base() }).offsets.length)),
  priced: priced(costs, columns),
};

function base(): Scene {
  return {
    ...{ core, samples: SAMPLES, columns, max, length: "tokens", ranks: RANKS, seed: SEED, cost: costs, batch: 1 },
    priced: priced(costs, columns),
  };
}

const names = ["fixed-flat", "knapsack", "isf-random", "isf-plan", "balanced-plan"];
const runs = systems
  .filter(({ name }) => names.includes(name))
  .map(({ name, title, run }) => {
    const { offsets, indices, order } = run(scene);
    const batches = Array.from({ length: offsets.length - 1 }, (_, b) => [...indices.subarray(offsets[b], offsets[b + 1])]);
    return { name, title, batches, order: [...order] };
  });

// Other samples than the epoch's, in groups that differ much: half of a bound to all of it, some of text alone.
const others = some(all, 4000, SEED + 1);
const draw = draws(7);
const logged: number[][] = [];
for (let at = 0; logged.length < LOGGED && at < 4000; ) {
  const room = max.tokens * (0.15 + 0.85 * (draw(1000) / 1000));
  const vision = Object.keys(max)[0];
  const mostVision = max[vision] * (draw(4) === 0 ? 0.2 : 1);
  const group: number[] = [];
  let tokens = 0;
  let seen = 0;
  while (at < 4000 && group.length < 12) {
    tokens += others.tokens[at];
    seen += others[vision][at];
    if (group.length > 0 && (tokens > room || seen > mostVision)) break;
    group.push(at++);
  }
  logged.push(group);
}

const plain = (own: Columns) => Object.fromEntries(Object.entries(own).map(([name, column]) => [name, [...column]]));
writeFileSync(
  out,
  JSON.stringify({ input, scale: SCALE, ranks: RANKS, max, batch: scene.batch, samples: plain(columns), runs, logged, others: plain(others) }),
);
