// K loads at native resolution: groups over the linear bound, CPU time and mix of the balanced packing over seeds 1 to 5,
// beside ISF, a greedy knapsack and best-fit-decreasing. `tsx bench/loads.ts 200000` runs the short half alone.
import { type Lengths, load } from "../src/index.ts";
import { native } from "./inputs.ts";
import { bestFitDecreasing, greedyKnapsack } from "./k-rivals.ts";
import { median, publish } from "./results.ts";

const SEEDS = [1, 2, 3, 4, 5];
const SIZES = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [200_000, 1_200_000];
/** With more samples than this, the competitors are not run. */
const RIVALS_UP_TO = 200_000;

interface Case {
  readonly max: Readonly<Record<string, number>>;
  /** At most: percent over the linear bound, or groups over it; microseconds a sample. At least: mix. */
  readonly over?: number;
  readonly groups?: number;
  readonly us: number;
  readonly mix?: number;
}

const cases: readonly Case[] = [
  { max: { patches: 65536, tokens: 16384 }, groups: 4, us: 0.12, mix: 0.95 },
  { max: { patches: 40000, tokens: 16384 }, over: 0.34, us: 0.8, mix: 0.85 },
  { max: { patches: 60000, tokens: 32768 }, over: 0.02, us: 1.5 },
  { max: { patches: 12000, tokens: 4096 }, over: 0.3, us: 1.5, mix: 0.9 },
  { max: { patches: 20000, tokens: 8192 }, over: 1.7, us: 1.5 },
  { max: { patches: 40000, tokens: 16384, audio: 6800 }, over: 0.4, us: 1.5 },
  { max: { patches: 40000, tokens: 16384, audio: 12000, "tokens^2": 1e8, labels: 6000 }, over: 0.3, us: 1.5 },
  { max: { patches: 40000, tokens: 16384, audio: 7200, "tokens^2": 4e7, labels: 3200 }, over: 1.3, us: 1.5 },
];

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds of CPU time, and what came out. */
function timed<T>(run: () => T): [number, T] {
  const start = cpuMicroseconds();
  const result = run();
  return [cpuMicroseconds() - start, result];
}

const omnibal = await load();
const show = (x: number) => x.toLocaleString("en-US");
const percent = (groups: number, bound: number) => `${(100 * (groups / bound - 1)).toFixed(3)} %`;
const missed: string[] = [];

function row(n: number, columns: Lengths, { max, over, groups, us, mix }: Case): string[] {
  const bounds = Object.values(max);
  const label = `${show(n)} ${bounds.map(show).join(" / ")}`;
  const { best, kind, linear } = omnibal.lowerBound(columns, { max });
  const runs = SEEDS.map((seed) => {
    const options = { max, method: "balanced", lowerBound: "linear", seed } as const;
    const [time, packing] = timed(() => omnibal.pack(columns, options));
    return { groups: packing.length, us: time / packing.indices.length, mix: packing.mix ?? 0 };
  });
  const mid = { groups: median(runs.map((r) => r.groups)), us: median(runs.map((r) => r.us)) };
  const worst = Math.max(...runs.map((r) => r.groups));
  const least = Math.min(...runs.map((r) => r.mix));
  const most = groups === undefined ? Math.floor(linear * (1 + over! / 100)) : linear + groups;
  const faults = [
    ...(mid.groups > most ? ["groups"] : []),
    ...(worst > most + linear * 0.0003 ? ["worst"] : []),
    ...(mid.us > us ? ["time"] : []),
    ...(mix !== undefined && least < mix ? ["mix"] : []),
  ];
  if (faults.length > 0) missed.push(`${label}: ${faults.join(", ")}`);
  const [isfTime, isf] = timed(() => omnibal.pack(columns, { max, seed: 1024 }));
  const names = Object.keys(max);
  const all = names.map((name) => columns[name] ?? Float64Array.from(columns.tokens, (x) => x * x));
  const rivals = [greedyKnapsack, bestFitDecreasing].map((pack) =>
    n > RIVALS_UP_TO ? "-" : percent(pack(all, bounds, names.indexOf("tokens")), linear),
  );
  return [
    label,
    show(linear),
    best > linear ? `${show(best)} (${kind})` : "-",
    show(mid.groups),
    `${percent(mid.groups, linear)} (${percent(worst, linear)})`,
    groups === undefined ? `${over} %` : `+ ${groups}`,
    `${mid.us.toFixed(3)} (${us})`,
    `${least.toFixed(3)}${mix === undefined ? "" : ` (${mix})`}`,
    `${percent(isf.length, linear)}, ${(isfTime / isf.indices.length).toFixed(3)}`,
    ...rivals,
  ];
}

const rows = SIZES.flatMap((n) => {
  const { patches, tokens, audio, labels } = native(n);
  return cases.map((test) => row(n, { patches, tokens, audio, labels }, test));
});

publish(
  "Loads",
  "`native`, bounds on patches / tokens / audio / tokens^2 / labels; medians of seeds 1 to 5 (the worst in brackets), CPU time " +
    "of a call of `pack`. Mix is that of tokens, the least of the five. Over is percent above the linear bound; targets stand " +
    "in brackets or beside. ISF keeps groups at 99 % of a load, tokens at their bound less 128. What else there is has no " +
    "random order to keep: greedy knapsack and best-fit-decreasing on tokens.",
  [
    "samples, bounds",
    "linear bound",
    "better bound",
    "groups",
    "over",
    "target",
    "µs a sample",
    "mix",
    "ISF: over, µs",
    "greedy",
    "BFD",
  ],
  rows,
  [`targets missed: ${missed.length === 0 ? "none" : missed.join("; ")}`],
);
