// The command lines and the call that make what the page shows.
import { type ByLoad, START, type View } from "../view.ts";

/** A word as a POSIX shell takes it. */
export function quoted(word: string): string {
  if (/^[\w@%+=:,./^-]+$/.test(word)) return word;
  if (!/\p{Cc}/u.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = word.replaceAll(/[\\']/g, "\\$&");
  return `$'${escaped.replaceAll(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}'`;
}

const SHORT = {
  max: { vit: "--max-vit", tokens: "--max-tokens" },
  min: { vit: "--min-vit", tokens: "--min-tokens" },
} as const;

/** Bounds on these alone have options of their own. */
function isUsual(names: readonly string[]): boolean {
  return names.every((name) => Object.hasOwn(SHORT.max, name));
}

/** --max-vit 9 --max-tokens 4096, or --max patches=40000,tokens=16384 */
function boundWords(which: "max" | "min", bounds: ByLoad, loads: readonly string[]): string[] {
  const names = Object.keys(bounds);
  if (names.length === 0) return [];
  if (loads.length === 2 && isUsual(loads)) {
    return names.map((name) => `${SHORT[which][name as "vit" | "tokens"]} ${bounds[name]}`);
  }
  return [`--${which} ${quoted(names.map((name) => `${name}=${bounds[name]}`).join(","))}`];
}

function packWords(view: View): string[] {
  const { method, effort, rounds, seed } = view;
  const loads = Object.keys(view.max);
  const words = boundWords("max", view.max, loads);
  if (method === "isf") words.push(...boundWords("min", view.min, loads));
  if (method !== START.method) words.push(`--method ${method}`);
  if (method === "balanced" && effort !== START.effort) words.push(`--effort ${effort}`);
  if (method === "isf" && rounds !== START.rounds) words.push(`--rounds ${rounds}`);
  if (seed !== START.seed) words.push(`--seed ${seed}`);
  return words;
}

/** A line per option, for a terminal of 80 columns. */
function command(name: string, words: readonly string[], paths: readonly string[]): string {
  const isDashed = paths.some((path) => path.startsWith("-") && path !== "-");
  const files = paths.map(quoted);
  const all = isDashed ? [...words, "--", ...files] : [...files, ...words];
  const lines = [`omnibal ${name}`];
  for (const word of all) {
    const last = lines[lines.length - 1];
    if (last.length + 1 + word.length <= 78) lines[lines.length - 1] += ` ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines.join(" \\\n");
}

export function packCommand(view: View, paths: readonly string[]): string {
  return command("pack", [...packWords(view), "-o groups.json"], paths);
}

function timesOf({ cost }: View): readonly [string, number][] {
  return Object.entries(cost).filter(([, each]) => each > 0);
}

export function planCommand(view: View, paths: readonly string[]): string {
  const words = packWords(view);
  // Where it is not named, plan packs with another method than pack does.
  if (view.method === START.method) words.push(`--method ${view.method}`);
  words.push(`--ranks ${view.ranks}`);
  if (view.microBatch !== 1) words.push(`--micro-batch ${view.microBatch}`);
  if (view.aim === "time")
    words.push(
      `--cost ${timesOf(view)
        .map(([name, each]) => `${COST_NAMES[name] ?? name}=${each}`)
        .join(",")}`,
    );
  return command("plan", [...words, "-o plan.json"], paths);
}

/** What the command line calls the cost of one of a load. */
const COST_NAMES: Readonly<Record<string, string>> = {
  vit: "ms-per-tile",
  tokens: "ms-per-token",
  "tokens^2": "ms-per-token2",
};

/** A key of an object, quoted where it is no name. */
function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function object(entries: readonly (readonly [string, unknown])[]): string {
  return `{ ${entries.map(([name, value]) => `${key(name)}: ${value}`).join(", ")} }`;
}

export function callText(view: View, paths: readonly string[]): string {
  const { max, min, method, effort, rounds, seed, ranks, microBatch, aim, cost } = view;
  const options: [string, unknown][] = [["max", object(Object.entries(max))]];
  if (method !== START.method) options.push(["method", JSON.stringify(method)]);
  if (method === "balanced" && effort !== START.effort) options.push(["effort", effort]);
  if (method === "isf" && Object.keys(min).length > 0) options.push(["min", object(Object.entries(min))]);
  if (method === "isf" && rounds !== START.rounds) options.push(["rounds", rounds]);
  if (seed !== START.seed) options.push(["seed", seed]);
  const plan: [string, unknown][] = [["ranks", ranks]];
  if (microBatch !== 1) plan.push(["microBatch", microBatch]);
  if (seed !== START.seed) plan.push(["seed", seed]);
  if (aim === "time") {
    const { vit = 0, tokens = 0, "tokens^2": squared = 0 } = cost;
    plan.push([
      "balance",
      object([
        ["msPerTile", vit],
        ["msPerToken", tokens],
        ["msPerTokenSquared", squared],
      ]),
    ]);
  }
  const names = Object.keys(max);
  const loads = names.length === 2 && isUsual(names) ? "" : `, { loads: ${JSON.stringify(names)} }`;
  return `import { load } from "omnibal";
import { readLengths } from "omnibal/read";

const omnibal = await load();
const lengths = await readLengths([${paths.map((path) => JSON.stringify(path)).join(", ")}]${loads});
const packing = omnibal.pack(lengths, ${object(options)});
const plan = omnibal.plan(packing, ${object(plan)});
`;
}
