// The packer of streams against ISF on all samples at once: groups for buffers of several sizes, and samples per second.
import { load, type Omnibal } from "../src/index.ts";
import { generate, type Samples } from "./inputs.ts";
import { median, publish } from "./results.ts";

const BUFFERS = [100, 1_000, 10_000, 100_000] as const;
const CHUNK = 10_000;
const RUNS = 5;
const CASES = [
  ["tiled:1200000", 9, 4096],
  ["tiled:1200000", 18, 8192],
  ["uniform:200000", 9, 4096],
] as const;

const omnibal = await load();

/** Groups, and milliseconds from the first push to the last group. */
function run(omnibal: Omnibal, input: Samples, maxVit: number, maxTokens: number, buffer: number) {
  const start = performance.now();
  const packer = omnibal.packer({ maxVit, maxTokens, buffer });
  let groups = 0;
  for (let at = 0; at < input.vit.length; at += CHUNK) {
    const vit = input.vit.subarray(at, at + CHUNK);
    groups += packer.push({ vit, tokens: input.tokens.subarray(at, at + CHUNK) }).groups.length;
  }
  groups += packer.flush().groups.length;
  return { groups, ms: performance.now() - start };
}

const rows: string[][] = [];
const notes: string[] = [];
for (const [name, maxVit, maxTokens] of CASES) {
  const input = generate(name);
  const n = input.vit.length;
  const offline = omnibal.pack(input, { maxVit, maxTokens });
  for (const buffer of BUFFERS) {
    const runs = Array.from({ length: RUNS }, () => run(omnibal, input, maxVit, maxTokens, buffer));
    const { groups } = runs[0];
    const rate = n / median(runs.map((r) => r.ms)) / 1000;
    rows.push([
      `${name}, ${maxVit} / ${maxTokens}`,
      String(buffer),
      String(groups),
      `${((groups / offline.bound - 1) * 100).toFixed(2)} %`,
      `${((groups / offline.length - 1) * 100).toFixed(2)} %`,
      rate.toFixed(2),
    ]);
    if (name === "tiled:1200000" && maxVit === 9 && buffer === 10_000) {
      notes.push(
        `${name}, ${maxVit} / ${maxTokens}, buffer ${buffer}: ${groups} groups (target 297732), ` +
          `${rate.toFixed(2)} M samples/s (target 1)`,
      );
    }
  }
  notes.push(`${name}, ${maxVit} / ${maxTokens}: at least ${offline.bound} groups; ISF, T = 50: ${offline.length}`);
}
publish(
  "Streams",
  `\`omnibal.packer\`, pushes of ${CHUNK} samples, objects for the groups included; medians of ${RUNS} runs.`,
  ["", "buffer", "groups", "over the linear bound", "over ISF offline", "M samples/s"],
  rows,
  notes,
);
