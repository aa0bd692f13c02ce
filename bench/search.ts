// Search against the same steps in plain TypeScript: `npm run bench:search`, after `npm run build`.
// The scan's plain rival packs the scan's own candidates, so that both do the same work.
import { load, type Measured, type SearchOptions } from "../src/index.ts";
import { thin } from "../src/search/search.ts";
import { generate, type Samples } from "./inputs.ts";
import { Mt19937, plainIsfCsr } from "./plain-isf.ts";
import { median, publish } from "./results.ts";
import { startFromSource } from "./source-worker.ts";

const RANKS = 8;
const runs = Number(process.argv[2] ?? 3);

/** torch.randperm(n). */
function randperm(n: number, seed: number): Int32Array {
  const words = new Mt19937(seed);
  const a = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const z = i + (words.next() % (n - i));
    const x = a[i];
    a[i] = a[z];
    a[z] = x;
  }
  return a;
}

/** vitDist + tokenDist of a random order, each rank from its own block where `blocks` (as published) or from all groups. */
function plainScore(vit: number[], tokens: number[], blocks: boolean): number {
  const n = vit.length;
  const steps = blocks ? Math.floor(n / RANKS) : Math.ceil(n / RANKS);
  const order = randperm(blocks ? steps : n, 0);
  let score = 0;
  for (let s = 0; s < steps; s++) {
    let mostVit = 0;
    let mostTokens = 0;
    let sumVit = 0;
    let sumTokens = 0;
    for (let r = 0; r < RANKS; r++) {
      const g = blocks ? r * steps + order[s] : order[(s * RANKS + r) % n];
      sumVit += vit[g];
      sumTokens += tokens[g];
      mostVit = Math.max(mostVit, vit[g]);
      mostTokens = Math.max(mostTokens, tokens[g]);
    }
    score += mostVit === 0 ? 0 : 1 - sumVit / (mostVit * RANKS);
    score += mostTokens === 0 ? 0 : 1 - sumTokens / (mostTokens * RANKS);
  }
  return score / Math.max(steps, 1);
}

function plainMeasure(input: Samples, row: Measured, rounds: number, blocks: boolean): number {
  const { maxVit, maxTokens, minTokens } = row;
  const { order, offsets } = plainIsfCsr(input, { maxVit, maxTokens, minVit: maxVit, minTokens, rounds, seed: 1024 });
  const vit: number[] = [];
  const tokens: number[] = [];
  for (let g = 0; g + 1 < offsets.length; g++) {
    let v = 0;
    let t = 0;
    for (let k = offsets[g]; k < offsets[g + 1]; k++) {
      v += input.vit[order[k]];
      t += input.tokens[order[k]];
    }
    vit.push(v);
    tokens.push(t);
  }
  return plainScore(vit, tokens, blocks);
}

/** Median time of `work`, in ms. */
async function time(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let k = 0; k < runs; k++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return median(times);
}

function same(a: number, b: number): void {
  if (Math.abs(a - b) > 1e-9) throw new Error(`the two do not do the same: scores ${a} and ${b}`);
}

const omnibal = await load();
const asked: SearchOptions = { ranks: RANKS, samplesPerGroup: 4, startWorker: startFromSource };
const many = generate("tiled:200000");
const rows: string[][] = [];
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

const walk = await omnibal.search(many, { ...asked, strategy: "reference" });
rows.push([
  `published steps (${walk.candidates.length}), tiled:200000`,
  seconds(await time(() => omnibal.search(many, { ...asked, strategy: "reference" }))),
  "-",
  seconds(
    await time(() => {
      for (const row of walk.candidates) same(plainMeasure(many, row, 50, true), row.score);
    }),
  ),
]);

const tried: Measured[] = [];
const scan = await omnibal.search(many, { ...asked, onProgress: ({ last }) => tried.push(last) });
const part = thin(omnibal.core, many);
rows.push([
  `scan (${tried.length - scan.candidates.length} on a part, ${scan.candidates.length} on all), tiled:200000`,
  seconds(await time(() => omnibal.search(many, { ...asked, workers: 0 }))),
  seconds(await time(() => omnibal.search(many, asked))),
  seconds(
    await time(() => {
      for (const [k, row] of tried.entries()) {
        const input = k < tried.length - scan.candidates.length ? part : many;
        // Which round is best shows after all of them: the plain rival is spared the second packing.
        plainMeasure(input, row, 50, false);
      }
    }),
  ),
]);

const some = generate("tiled:70000");
const exact = await omnibal.search(some, asked);
rows.push([
  `scan (${exact.candidates.length} on all), tiled:70000`,
  seconds(await time(() => omnibal.search(some, { ...asked, workers: 0 }))),
  seconds(await time(() => omnibal.search(some, asked))),
  "-",
]);

publish(
  "Search",
  `ranks ${RANKS}, 4 to 5 samples per group, 50 rounds at most; median of ${runs} runs, ${scan.workers} workers where there are workers.`,
  ["steps", "omnibal, no workers", "omnibal, workers", "plain TypeScript"],
  rows,
  [
    "The plain rival packs and measures the very candidates that the search tried, and is spared the second packing with the best number of rounds.",
    "Workers are started from source here, which takes them some tenths of a second more than from the package.",
  ],
);
