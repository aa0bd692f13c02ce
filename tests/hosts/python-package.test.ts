// The Python package beside the others: the same module, the same options and texts, and a build that says what it lacks.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { load, OmnibalError } from "../../src/index.ts";
import { testFolder } from "../folder.ts";
import { root } from "./app.ts";
import { python, pythonMissing, wasm } from "./wasmtime.ts";
import { whenThere } from "./when-there.ts";

const source = join(root, "python");
const folder = testFolder();
const omnibal = await load();
const testPython = whenThere(pythonMissing());

test("the package has the module, byte for byte", () => {
  expect(readFileSync(join(source, "omnibal/omnibal.wasm")).equals(readFileSync(wasm))).toBe(true);
});

test("the package has the version of this one, and its licence", () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(/^version = "(.*)"$/m.exec(readFileSync(join(source, "pyproject.toml"), "utf8"))?.[1]).toBe(version);
  expect(/^__version__ = "(.*)"$/m.exec(readFileSync(join(source, "omnibal/__init__.py"), "utf8"))?.[1]).toBe(version);
  expect(readFileSync(join(source, "LICENSE"), "utf8")).toBe(readFileSync(join(root, "LICENSE"), "utf8"));
});

test("what acts on a terminal is the same list", () => {
  const listed = (path: string, pattern: RegExp) =>
    Array.from(readFileSync(join(root, path), "utf8").matchAll(pattern), ([, a, b]) => [Number(a), Number(b)]);
  const own = listed("python/omnibal/_errors.py", /^ {4}\((0x\w+), (0x\w+)\),$/gm);
  expect(own).toEqual(listed("src/core/printable.ts", /^ {2}\[(0x\w+), (0x\w+)\],/gm));
  expect(own.length).toBeGreaterThan(9);
});

testPython("without the module it is not installed, and the reason is said", async () => {
  cpSync(source, join(folder, "python"), { recursive: true, filter: (path) => !/\.wasm$|build$|egg-info$/.test(path) });
  expect(readdirSync(join(folder, "python/omnibal"))).not.toContain("omnibal.wasm");
  const options = ["--no-build-isolation", "--no-deps", "--disable-pip-version-check", "-w", folder];
  const { status, stdout, stderr } = spawnSync(python, ["-m", "pip", "wheel", ...options, join(folder, "python")], {
    encoding: "utf8",
  });
  expect(status).not.toBe(0);
  expect((stdout + stderr).replaceAll(/\s+/g, " ")).toContain(
    "omnibal/omnibal.wasm is not there. `npm ci && npm run build` in the repository compiles it and puts it there; then install again.",
  );
});

const samples = { vit: [5, 4, 9, 10], tokens: [900, 800, 2500, 1] };
const bounds = { maxVit: 9, maxTokens: 4096 };
const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Calls that both refuse: function, its first argument, options. */
const REFUSED: readonly [fn: "pack" | "plan" | "evaluate" | "search", first: object, options: object][] = [
  ["pack", { vit: [1, -1], tokens: [1, 1] }, bounds],
  ["pack", { vit: [1], tokens: [1.5] }, bounds],
  ["pack", samples, { ...bounds, maxVit: 0 }],
  ["pack", samples, { max: { tokens: 2 ** 53 } }],
  ["pack", samples, { ...bounds, max: { vit: 3 } }],
  ["pack", samples, { max: 7 }],
  ["pack", samples, { max: {} }],
  ["pack", samples, { ...bounds, min: { frames: 3 } }],
  ["pack", samples, { ...bounds, carry: ["vit"] }],
  ["pack", samples, { ...bounds, carry: ["a", "b", "c", "d", "e", "f", "g"] }],
  ["pack", samples, { ...bounds, carry: "vit" }],
  ["pack", samples, { max: { vit: 3 }, align: 8 }],
  ["pack", samples, { ...bounds, align: 0 }],
  ["pack", { vit: [1], tokens: [1, 2] }, bounds],
  ["pack", samples, { ...bounds, seed: -1 }],
  ["pack", samples, { ...bounds, rounds: 0 }],
  ["pack", samples, { ...bounds, method: "best" }],
  ["pack", samples, { ...bounds, method: "balanced", effort: 4 }],
  ["pack", samples, { ...bounds, method: "balanced", rounds: 4 }],
  ["pack", samples, { ...bounds, lowerBound: "none" }],
  ["plan", samples, { ranks: 0 }],
  ["plan", samples, { ranks: 2 ** 31 - 1, microBatch: 2 }],
  ["plan", samples, { ranks: 2, epoch: -1 }],
  ["plan", samples, { ranks: 2, balance: { vit: -1 } }],
  ["plan", samples, { ranks: 2, balance: { vit: 0 } }],
  ["plan", samples, { ranks: 2, balance: { tiles: 1 } }],
  ["plan", samples, { ranks: 64, tail: "drop" }],
  ["evaluate", samples, { ranks: 2, window: 0 }],
  ["evaluate", samples, { ranks: 64, compat: "reference" }],
  ["search", samples, { ranks: 2 }],
  ["search", samples, { ranks: 2, samplesPerGroup: 4, slack: 2 }],
  ["search", samples, { ranks: 2, samplesPerGroup: 4, candidates: 9 }],
  ["search", samples, { ranks: 2, samplesPerGroup: 4, strategy: "reference", maxLeftOut: 1 }],
];

describe("errors have the codes and texts of this package, options their names in Python", () => {
  const script = `
import json, sys
import omnibal
def ask(fn, first, options):
    try:
        given = first if fn in ("pack", "search") else omnibal.pack(first, max_vit=9, max_tokens=4096)
        getattr(omnibal, fn)(given, **options)
    except omnibal.OmnibalError as error:
        return [type(error).__name__, error.code, str(error)]
print(json.dumps([ask(*call) for call in json.load(sys.stdin)]))
`;
  const inPython = () => {
    const calls = REFUSED.map(([fn, first, options]) => [
      fn,
      first,
      Object.fromEntries(Object.entries(options).map(([name, value]) => [snake(name), value])),
    ]);
    return JSON.parse(execFileSync(python, ["-c", script], { cwd: source, input: JSON.stringify(calls) }).toString());
  };

  testPython("every one of them", async () => {
    const here = [];
    for (const [fn, first, options] of REFUSED) {
      try {
        const given = fn === "pack" || fn === "search" ? first : omnibal.pack(first as typeof samples, bounds);
        await (omnibal[fn] as (first: object, options: object) => unknown)(given, options);
        here.push(null);
      } catch (error) {
        if (!(error instanceof OmnibalError)) throw error;
        here.push([error.name, error.code, error.message.replaceAll(/\b[a-z]+(?:[A-Z][a-z]+)+\b/g, snake)]);
      }
    }
    expect(inPython()).toEqual(here);
  });
});

describe("packings of any loads are the same", () => {
  const patches = Array.from({ length: 4000 }, (_, i) => (i * 7919) % 1301);
  const tokens = Array.from({ length: 4000 }, (_, i) => 1 + ((i * 104729) % 2003));
  const audio = Array.from({ length: 4000 }, (_, i) => (i % 11) * 2 ** 31);
  const input = { patches, tokens, audio };
  const CALLS = [
    { max: { patches: 5000, tokens: 8192 } },
    { max: { patches: 5000, tokens: 8192, "tokens^2": 3e7 }, carry: ["audio"], align: 64 },
    { max: { tokens: 8192, patches: 5000, attention: 3e7 }, method: "balanced", seed: 7 },
    { max: { audio: 2 ** 36 }, carry: ["tokens"], method: "balanced", lowerBound: "linear" },
    { max: { tokens: 8192 }, min: { tokens: 8000 }, rounds: 3, lowerBound: "tight" },
  ] as const;
  const script = `
import json, sys
import omnibal
lengths, calls = json.load(sys.stdin)
def ask(options):
    packing = omnibal.pack(lengths, **options)
    loads = {name: sums.tolist() for name, sums in packing.loads.items()}
    return [packing.made, packing.bound, packing.rounds, packing.oversize.tolist(), loads]
print(json.dumps([ask(options) for options in calls]))
`;

  testPython("and so is what they say they were made of", async () => {
    const calls = CALLS.map((options) =>
      Object.fromEntries(Object.entries(options).map(([name, value]) => [snake(name), value])),
    );
    const there = execFileSync(python, ["-c", script], {
      cwd: source,
      input: JSON.stringify([input, calls]),
      maxBuffer: 1 << 26,
    });
    const here = CALLS.map((options) => {
      const packing = omnibal.pack(input, options);
      const names = [...Object.keys(packing.settings?.bounds ?? {}), ...(packing.settings?.carry ?? [])];
      const loads = Object.fromEntries(names.map((name) => [name, Array.from(packing.loads[name])]));
      return [omnibal.made(packing), packing.bound, packing.rounds, Array.from(packing.oversize), loads];
    });
    expect(JSON.parse(there.toString())).toEqual(JSON.parse(JSON.stringify(here)));
  });
});
