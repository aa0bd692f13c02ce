// What train.py runs: samples scaled down, an epoch of 8 ranks for each system, and groups to fit costs from.
import { readFileSync } from "node:fs";
import { type Cost, priced } from "../../src/compare/cost.ts";
import { draws, shuffle, upTo } from "../../src/compare/random.ts";
import type { Scene } from "../../src/compare/scene.ts";
import { systems } from "../../src/compare/systems.ts";
import { load } from "../../src/index.ts";
import { native, tiled } from "../inputs.ts";

export const RANKS = 8;
const SEED = 1024;
/** Samples of an epoch: a dozen steps or so. */
const SAMPLES = 320;
/** Tokens are so many times fewer than in training, patches too; tiles stay. */
const SCALE = 16;
/** Groups that costs are fitted from, and samples that they are made of. */
const LOGGED = 400;
const OTHERS = 4000;

type Columns = Record<string, Int32Array>;

/** A random part of the samples. */
function some(all: Columns, count: number, seed: number): Columns {
  const [first] = Object.values(all);
  const chosen = shuffle(upTo(first.length), draws(seed)).subarray(0, count);
  return Object.fromEntries(
    Object.entries(all).map(([name, column]) => [name, Int32Array.from(chosen, (i) => column[i])]),
  );
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
  const records = files.map(
    (file) => JSON.parse(readFileSync(file, "utf8")) as { vit_num: number; token_num: number }[],
  );
  // As many of each file; every fourth sample is text alone, as in a mixture for instruction tuning.
  const each = Math.min(...records.map((own) => own.length));
  const made = kind === "tiled" ? tiled(Number(n)) : undefined;
  const list = records.flatMap((own) => own.slice(0, each));
  const vit = made?.vit ?? Int32Array.from(list, (record, i) => (i % 4 === 3 ? 0 : record.vit_num));
  const tokens =
    made?.tokens ?? Int32Array.from(list, (record, i) => (i % 4 === 3 ? 64 + ((i * 97) % 2200) : record.token_num));
  return { columns: { vit, tokens: scaled(tokens, SCALE) }, max: { vit: 9, tokens: 4096 / SCALE } };
}

const NAMES = ["fixed-flat", "knapsack", "isf-random", "isf-plan", "balanced-plan"];
const { core } = await load();

/** An epoch as train.py runs it. */
export interface Run {
  readonly name: string;
  readonly title: string;
  /** Samples of each batch. */
  readonly batches: readonly (readonly number[])[];
  /** Steps of ranks: batches. */
  readonly order: readonly number[];
}

/** What train.py reads, planned by this cost; `input` is tiled:N, native:N or length files joined by commas. */
export function prepare(input: string, cost: Cost) {
  const { columns: all, max } = read(input);
  const columns = some(all, SAMPLES, SEED);
  const sceneOf = (batch: number): Scene => ({
    ...{ core, samples: SAMPLES, columns, max, length: "tokens", ranks: RANKS, batch, seed: SEED, cost },
    priced: priced(cost, columns),
  });
  const of = (name: string, batch: number) => {
    const system = systems.find((own) => own.name === name);
    if (system === undefined) throw new Error(`no system ${name}`);
    return { name, title: system.title, epoch: system.run(sceneOf(batch)) };
  };
  const groups = of("balanced-plan", 1).epoch.offsets.length - 1;
  const batch = Math.max(1, Math.round(SAMPLES / groups));
  const runs: Run[] = NAMES.map((wanted) => {
    const { name, title, epoch } = of(wanted, batch);
    const { offsets, indices, order } = epoch;
    const batches = Array.from({ length: offsets.length - 1 }, (_, b) => [
      ...indices.subarray(offsets[b], offsets[b + 1]),
    ]);
    return { name, title, batches, order: [...order] };
  });
  const others = some(all, OTHERS, SEED + 1);
  return {
    input,
    ranks: RANKS,
    max,
    batch,
    samples: plain(columns),
    others: plain(others),
    logged: loggedGroups(others, max),
    runs,
  };
}

const plain = (own: Columns) => Object.fromEntries(Object.entries(own).map(([name, column]) => [name, [...column]]));

/** Other samples than the epoch's, in groups that differ much: up to a part of the bounds, some of text alone. */
function loggedGroups(others: Columns, max: Readonly<Record<string, number>>): number[][] {
  const draw = draws(7);
  const [vision] = Object.keys(max);
  const logged: number[][] = [];
  for (let at = 0; logged.length < LOGGED && at < OTHERS; ) {
    const room = max.tokens * (0.15 + 0.85 * (draw(1000) / 1000));
    const mostVision = max[vision] * (draw(4) === 0 ? 0.2 : 1);
    const group: number[] = [];
    let tokens = 0;
    let seen = 0;
    while (at < OTHERS && group.length < 12) {
      tokens += others.tokens[at];
      seen += others[vision][at];
      if (group.length > 0 && (tokens > room || seen > mostVision)) break;
      group.push(at++);
    }
    logged.push(group);
  }
  return logged;
}
