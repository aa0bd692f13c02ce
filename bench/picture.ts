// Draws docs/idea.svg: one training step of 8 ranks, three ways, from generated samples. `npm run picture`.
import { writeFileSync } from "node:fs";
import { load } from "../src/index.ts";
import { tiled } from "./inputs.ts";

const RANKS = 8;
/** What the vision encoder spends on a tile, in tokens of the language model. */
const TILE = 512;
const lengths = tiled(20_000);
const bounds = { maxVit: 9, maxTokens: 4096 };
const omnibal = await load();

interface Load {
  readonly vit: number;
  readonly tokens: number;
}
const cost = ({ vit, tokens }: Load) => TILE * vit + tokens;
type Step = readonly Load[];

/** Share of all ranks' time spent waiting, over all steps. */
function idle(steps: readonly Step[]): number {
  const most = (step: Step) => Math.max(...step.map(cost));
  const all = steps.reduce((sum, step) => sum + most(step) * step.length, 0);
  const work = steps.reduce((sum, step) => sum + step.reduce((own, load) => own + cost(load), 0), 0);
  return 1 - work / all;
}

const percent = (share: number) => `${(share * 100).toFixed(share < 0.01 ? 2 : 1)} %`;

function steps(count: number, loadOf: (step: number, rank: number) => Load): Step[] {
  return Array.from({ length: count }, (_, step) => Array.from({ length: RANKS }, (_, rank) => loadOf(step, rank)));
}

const packing = omnibal.pack(lengths, { ...bounds, method: "balanced" });
const plan = omnibal.plan(packing, { ranks: RANKS, tail: "drop", balance: { msPerTile: TILE, msPerToken: 1 } });
const each = Math.round(packing.stats.samplesPerGroup);
const batched = steps(Math.floor(lengths.vit.length / each / RANKS), (step, rank) => {
  const from = (step * RANKS + rank) * each;
  const sum = (values: Int32Array) => values.subarray(from, from + each).reduce((a, b) => a + b, 0);
  return { vit: sum(lengths.vit), tokens: sum(lengths.tokens) };
});
const groupLoad = (group: number): Load => ({ vit: packing.vit[group], tokens: packing.tokens[group] });
const packed = steps(Math.floor(packing.length / RANKS), (step, rank) => groupLoad(step * RANKS + rank));
const planned = steps(plan.length, (step, rank) => groupLoad(plan.batch(step, rank)[0]));

/** The step that is most like the whole: its share of waiting is nearest to that of all steps. */
function typical(all: readonly Step[]): Step {
  const mean = idle(all);
  return all.reduce((best, step) => (Math.abs(idle([step]) - mean) < Math.abs(idle([best]) - mean) ? step : best));
}

const panels = [
  { title: `${each} samples per rank, at random`, all: batched },
  { title: "packed within both bounds", all: packed },
  { title: "and planned step by step", all: planned },
];
const WIDTH = 760;
const HEIGHT = 250;
const PANEL = 232;
const GAP = 20;
const BAR = 22;
const PITCH = 28;
const BASE = 200;
const most = Math.max(...panels.flatMap(({ all }) => typical(all).map(cost)));
const scale = 140 / most;

const parts: string[] = [];
for (const [p, { title, all }] of panels.entries()) {
  const left = 12 + p * (PANEL + GAP);
  const step = typical(all);
  const end = Math.max(...step.map(cost));
  parts.push(`<text class="title" x="${left}" y="24">${title}</text>`);
  for (const [rank, load] of step.entries()) {
    const x = left + rank * PITCH;
    let y = BASE;
    for (const [name, value] of [
      ["vit", TILE * load.vit],
      ["tokens", load.tokens],
      ["idle", end - cost(load)],
    ] as const) {
      const height = value * scale;
      y -= height;
      if (height < 0.5) continue;
      parts.push(
        `<rect class="${name}" x="${x}" y="${y.toFixed(1)}" width="${BAR}" height="${height.toFixed(1)}" rx="1"/>`,
      );
    }
  }
  const share = `${percent(idle(all))} of the epoch is waiting`;
  parts.push(`<text class="share" x="${left}" y="${BASE + 22}">${share}</text>`);
}
const legend = [
  ["vit", "vision encoder"],
  ["tokens", "language model"],
  ["idle", "waiting for the slowest rank"],
] as const;
for (const [k, [name, text]] of legend.entries()) {
  const x = 12 + k * 155;
  parts.push(`<rect class="${name}" x="${x}" y="${HEIGHT - 16}" width="11" height="11" rx="1"/>`);
  parts.push(`<text class="key" x="${x + 17}" y="${HEIGHT - 6}">${text}</text>`);
}

const shares = panels.map(({ title, all }) => `${title}: ${percent(idle(all))}`).join("; ");
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="t d">
<title id="t">One training step on ${RANKS} ranks, three ways</title>
<desc id="d">Bars are the work of each rank; all wait for the tallest. Share of the epoch spent waiting: ${shares}.</desc>
<style>
text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }
.title { font-size: 13px; font-weight: 600 }
.share { font-size: 13px }
.key { font-size: 12px; fill: #57606a }
.vit { fill: #2f6fb5 }
.tokens { fill: #7fb3e6 }
.idle { fill: #d9480f; fill-opacity: .3; stroke: #d9480f; stroke-width: .8; stroke-dasharray: 2 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .key { fill: #9da7b3 }
  .vit { fill: #4a90d9 }
  .tokens { fill: #a5d0f7 }
  .idle { fill: #ff8a4c; stroke: #ff8a4c }
}
</style>
${parts.join("\n")}
</svg>
`;
const out = new URL("../docs/idea.svg", import.meta.url);
writeFileSync(out, svg);
process.stdout.write(`docs/idea.svg: ${shares}\n`);
