// The module as a WASI command gives what the Node command line gives: the same bytes, the same complaints, the same codes.
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { readLengths } from "../../src/read/index.ts";
import { MAIN, widest } from "../cli/run.ts";
import { testFolder } from "../folder.ts";
import { needs } from "../needs.ts";
import { type NpyShape, npy } from "../npy-bytes.ts";
import { samples } from "../samples.ts";
import { commandLine, type End, node, type Run, type WasiHost, wasmtime } from "./wasi.ts";
import { python, wasm } from "./wasmtime.ts";
import { whenThere } from "./when-there.ts";

const folder = testFolder();
const bounds = ["--max-vit", "9", "--max-tokens", "4096"];
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const hosts = [wasmtime, node, commandLine];

/** wasmtime's command line may be missing everywhere: the same engine is in the row before, which may not. */
function when(host: WasiHost): ReturnType<typeof whenThere> {
  const missing = host.missing();
  if (host !== commandLine) return whenThere(missing);
  return (name, body) => test(name, needs(missing), body);
}

const runner = fileURLToPath(new URL("wasmtime_run.py", import.meta.url));

function sha256(pieces: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

/** Processes that run at the same time. */
const AT_ONCE = 4;

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return name;
}

type Rows = readonly (readonly [number, number])[];

function records(rows: Rows): string[] {
  return rows.map(([vit_num, token_num]) => JSON.stringify({ vit_num, token_num, image_flags: vit_num }));
}

const small: Rows = [
  [5, 2000],
  [0, 1558],
  [9, 93],
  [12, 93],
  [4, 5000],
];
const { vit, tokens } = samples("tiled:20000");
const tiled: Rows = Array.from(vit, (v, i) => [v, tokens[i]]);
file("small.json", `[${records(small).join(", ")}]\n`);
file("a.json", `[${records(small.slice(0, 2))}]`);
file("b.jsonl", records(small.slice(2)).join("\n"));
file("none.json", " [ ] ");
file("tiled.json", `[${records(tiled)}]`);
file("tiled.jsonl", records(tiled).join("\r\n"));
file("wide.json", `[${records([...tiled.slice(0, 3000), [2147483647, 0], [0, 2147483647], [40_000, 2_000_000]])}]`);
file("fields.json", `[{"t\\u00efles":2,"note":"}]","\\"":{"a":[[]]},"length":100.0},{"length":7,"tïles":0}]`);
// All of five tiles, which leave groups of nine half empty.
file("fives.json", `[${records(Array.from({ length: 60 }, (_, i) => [5, 1300 + ((i * 37) % 200)] as const))}]`);
file("thin.json", `[${records(tiled.filter((_, i) => i % 40 === 0))}]`);
file(
  "many.npy",
  npy(
    Array.from({ length: 100_001 }, (_, i) => tiled[(i * 7919) % tiled.length]),
    { descr: "<i4" },
  ),
);
const forms: Record<string, NpyShape> = {
  "int64.npy": { descr: "<i8" },
  "fortran.npy": { descr: "<i4", fortran: true },
  "big.npy": { descr: ">f8", version: 3 },
};
for (const [name, form] of Object.entries(forms)) file(name, npy(tiled, form));

const row = '{"vit_num":1,"token_num":1}';
/** Native resolution: patches of any number, text-only samples, a load beyond 32 bits. */
file(
  "native.jsonl",
  Array.from({ length: 3000 }, (_, i) => {
    const patches = i % 7 === 0 ? 0 : 64 + ((i * 7919) % 9000);
    const tokens = 40 + Math.floor(patches / 4) + ((i * 104_729) % 1500);
    return JSON.stringify({ patches, tokens, frames: i % 11, labels: tokens >> 2, large: 2 ** 33 + i });
  }).join("\n"),
);
file(
  "fine.json",
  `[${records(Array.from({ length: 400 }, (_, i) => [(i * 37) % 97, 300 + ((i * 91) % 700)] as const))}]`,
);
file(
  "invalid.jsonl",
  ['{"vit_num":-1,"token_num":-1}', '{"tokens":90,"vit":3,"token_num":7}', '{"vit":-1,"tokens":-1.0}', row].join("\n"),
);
file("invalid.npy", npy([[-1, -1], [4, 700], [-1, -1], [12, 1], [-1, -1]], { descr: "<i8", fortran: true })); // biome-ignore format: one

interface Case extends Omit<Run, "folders"> {
  /** What the Node command line is given, where that differs. */
  readonly node?: readonly string[];
}

/** Standard input, and the same file by its name. */
function bothWays(name: string, args: readonly string[]): Case[] {
  return [{ args, input: name, node: [...args, "-"] }, { args: [...args, name] }];
}

const optionSets = [
  [],
  ["--format=jsonl"],
  ["--min-vit=8", "--min-tokens", "3000", "--rounds", "3", "--seed=4294967295"],
  ["--min-tokens=0", "--rounds=1"],
  ["--max-vit=1", "--max-tokens=2147483647", "-q", "--format", "json"],
  ["--method=balanced"],
  ["--method", "balanced", "--effort=0", "--seed=3", "--format=jsonl"],
  ["--method=isf", "--rounds=2"],
  ["--max-vit=40000", "--max-tokens=0000000002000000", "--rounds=2147483647", "--min-vit=1"],
];
const searches = [
  "--samples-per-group=4e0 --candidates=30",
  "--samples-per-group 2.5-4. --max-vit-limit 40 --candidates=30 --slack=.05",
  "--max-vit-limit=9 --max-left-out=60 --candidates=20 --rounds=3",
  "--max-tokens-limit=8192 --max-vit-limit=18 --candidates=12 --seed=7 -q",
  "--strategy=reference --samples-per-group=3 --rounds=5",
  "--strategy reference --samples-per-group 5e-1-2.25E+0 --max-tokens-limit=5000 --rounds=2",
];
const fields = ["--vit-field=tïles", "--token-field", "length"];
const good: Case[] = [
  ...optionSets.flatMap((options) =>
    ["small.json", "tiled.json", "wide.json"].flatMap((name) => bothWays(name, ["pack", ...bounds, ...options])),
  ),
  ...["tiled.jsonl", "none.json", ...Object.keys(forms)].flatMap((name) => [
    ...bothWays(name, ["pack", ...bounds, "--rounds=4"]),
    ...bothWays(name, ["stats", "--json"]),
  ]),
  ...["small.json", "tiled.json", "wide.json"].flatMap((name) => bothWays(name, ["stats", "-q", "--json"])),
  // Bounds that do not suit, with others that would.
  ...bothWays("tiled.json", ["pack", "--max-vit=9", "--max-tokens=8192", "--rounds=2"]),
  { args: ["pack", "--max-vit=18", "--max-tokens=4096", "--method=balanced", "tiled.json"] },
  { args: ["pack", ...bounds, "fives.json"] },
  ...bothWays("fields.json", ["pack", ...bounds, ...fields]),
  {
    args: ["pack", "tiled.json", "fortran.npy", "--", "a.json", "b.jsonl", "-"]
      .concat(bounds)
      .filter((a) => a !== "--"),
    input: "tiled.jsonl",
  },
  { args: ["stats", "--json", "--", "fortran.npy", "a.json", "none.json", "./b.jsonl"] },
  { args: ["stats", "--json", "-", "a.json"], input: "int64.npy" },
  ...searches.map((options) => ({ args: ["search", "--json", "--ranks=4", ...options.split(" "), "thin.json"] })),
  ...bothWays("thin.json", ["search", "--json", "--ranks", "500", "--samples-per-group=3", "--candidates=30"]),
  { args: ["search", "--json", "--ranks=500", "--strategy=reference", "--samples-per-group=3", "thin.json", "a.json"] },
  // Any loads.
  ...[
    "--max patches=40000,tokens=16384",
    "--max=tokens=16384,patches=40000,attention=1e8 --min=patches=3.6e4 --carry labels,frames --rounds=3",
    "--max patches=40000,tokens=16384,frames=60,tokens^2=200000000,labels=6000 --method=balanced --effort=0 --align=64",
    "--max tokens=9007199254740991 --carry=large,frames^2 --format=jsonl",
    "--max-tokens 16384 --max=patches=40000 --min-tokens=16000 --min=patches=9007199254740991 --rounds=2",
    "--max patches=20000 --load=patches=patches --seed=3 --format jsonl",
    "--max n=30000,tokens=9000 --load n=patches,tokens=tokens",
  ].flatMap((options) => bothWays("native.jsonl", ["pack", ...options.split(" ")])),
  { args: ["pack", "--max=vit=9,tokens=4096", "tiled.json"] },
  { args: ["pack", "--max-vit=100", "--max-tokens=4096", "fine.json"] },
  { args: ["pack", "--max=tokens=4096", "--align=128", "tiled.json", "invalid.jsonl"] },
  { args: ["pack", ...bounds, "--format=jsonl", "invalid.jsonl", "a.json", "invalid.npy", "invalid.jsonl"] },
  { args: ["pack", ...bounds, "--method=balanced", "-q", "a.json", "invalid.npy"] },
  { args: ["pack", "--max=patches=40000,nothing=1", "--missing=0", "native.jsonl"] },
  { args: ["stats", "--json", "--load=patches,tokens=tokens,frames,large", "native.jsonl"] },
  { args: ["stats", "--json", "--missing", "0", "--load=vit,frames,none", "native.jsonl", "a.json"] },
  { args: ["stats", "--json", "invalid.jsonl", "invalid.npy"] },
  { args: ["search", "--json", "--ranks=4", "--samples-per-group=3", "--candidates=12", "invalid.jsonl", "thin.json"] },
  // So many that most candidates are tried on a part of them.
  {
    args: [
      "search",
      "--json",
      "--ranks=64",
      "--max-vit-limit=9",
      "--max-tokens-limit=4096",
      "--candidates=10",
      "--rounds=3",
      "many.npy",
    ],
  },
];

const wrongInputs = [
  "",
  " \n",
  "[",
  `[${row}`,
  `[${row},`,
  `[${row},]`,
  `[${row}]]`,
  `[${row}] ${row}`,
  `${row}${row}`,
  `${row}\n${row},`,
  "[1]",
  '["a"]',
  "[{}]",
  `[${row},{"vit_num":1}]`,
  '{"token_num":1}',
  '[{"vit_num":-1,"token_num":1}]',
  '[{"vit_num":1.5,"token_num":1}]',
  '[{"vit_num":9007199254740992,"token_num":1}]',
  '[{"vit_num":1e3,"token_num":1}]',
  '[{"vit_num":null,"token_num":1}]',
  '[{"vit_num":{},"token_num":1}]',
  '[{"vit_num":[],"token_num":1}]',
  '[{"vit_num":"a\\u0001 – \\"x\\"","token_num":1}]',
  `[{"vit_num":"${"é".repeat(40)}","token_num":1}]`,
  `[{"vit_num":"a${"é".repeat(40)}","token_num":1}]`,
  '[{"vit_num":"\u007f","token_num":1}]',
  '[{"vit_num":01,"token_num":1}]',
  '[{"vit_num":1,"token_num":}]',
  '[{"vit_num" 1}]',
  "[{vit_num:1}]",
  '[{"vit_num":1,}]',
  '[{"vit_num":1 "token_num":1}]',
  '[{"a":"\n"}]',
  '[{"a":"\\x"}]',
  '[{"a":"\\u00g0"}]',
  '[{"a":tru}]',
  '[{"a":[1,]}]',
  '[{"a":[1 2]}]',
  '[{"a":-}]',
  '[{"a":1.}]',
  `[{"a":${"[".repeat(600)}}]`,
  '[{"a":"',
  Buffer.from([0x93]),
  npy([[1, 2]], { descr: "<i4" }).slice(0, -1),
  Buffer.concat([npy([[1, 2]], { descr: "<i4" }), Buffer.from("x")]),
  npy([[1, -2]], { descr: "<i4" }),
  npy([[1, 2.25]], { descr: "<f8" }),
  npy([[1, 2]], { descr: "<i4", shape: "(2,)" }),
  npy([[1, 2]], { descr: "<i4", shape: "(99999999999, 2)" }),
  npy([[1, 2]], { descr: "<i4", shape: "(2000000000, 2)" }),
  npy([[1, 2]], { descr: "<i4", dict: "{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1, 2), }" }),
  npy([[1, 2]], { descr: "<i4", dict: "nothing" }),
];
const bad: Case[] = [
  ...wrongInputs.flatMap((content, k) => {
    const name = file(`wrong-${k}.json`, content);
    return k % 2 === 0 ? [{ args: ["stats", "--json", name] }] : bothWays(name, ["pack", ...bounds]);
  }),
  { args: ["stats", "--json", "a.json", "missing.json"] },
  { args: ["stats", "--json", "a.json/b"] },
  { args: ["pack", ...bounds, "."] },
  { args: ["pack", ...bounds, "-", "-"] },
  { args: ["stats", "--json", "--vit-field=other", "a.json"] },
  // Usage.
  { args: [] },
  { args: ["plot"] },
  { args: ["--plot"] },
  { args: [""] },
  { args: ["stats", "--max-vit", "9", "a"] },
  { args: ["stats", "-x", "a"] },
  { args: ["stats", "-qé", "a"] },
  { args: ["stats", "--json=1", "a"] },
  { args: ["stats", "--quiet=", "a"] },
  { args: ["stats", "--json", "--vit-field=", "a"] },
  { args: ["stats", "--json", "--vit-field=token_num", "a"] },
  { args: ["stats", "--json", "--vit-field", '"\\\b\f\n\r\t\u0001', "--token-field", '"\\\b\f\n\r\t\u0001', "a"] },
  { args: ["stats", "--json", "--vit-field"] },
  { args: ["stats", "--json", "--vit-field", "--", "a"] },
  ...[
    "--load=,a",
    "--load=vit=",
    "--load=vit=a=b",
    "--load=vit,tokens,vit",
    "--load=vit=a,tokens=b --vit-field=c",
    "--load=vit --token-field=c",
    "--load=a=x,b=x",
    "--missing=1",
    "--missing=",
  ].map((options) => ({ args: ["stats", "--json", ...options.split(" "), "a.json"] })),
  ...[
    "--max=patches",
    "--max=patches=0",
    "--max==3",
    "--max=patches=1.5",
    "--max=patches=9007199254740992",
    "--max=patches=3,",
    "--max=patches=3,patches=4",
    "--max=tokens^2=3,attention=4",
    "--max=patches=3 --min=patches=-1",
    "--max=patches=3 --min=patches=x",
    "--max=patches=3 --carry=a,,b",
    "--max=patches=3 --carry=",
    "--max=patches=3 --min=patches=2,patches=2",
    "--max=patches=3 --align=0",
    "--max=patches=3 --load=other=x",
    "--max=patches=3 --vit-field=x",
    "--max=patches=3 --max-vit=0",
    "--max=patches=3 --method=balanced --min=patches=1",
  ].map((options) => ({ args: ["pack", ...options.split(" "), "native.jsonl"] })),
  { args: ["pack", "--max=patches=40000", "a.json"] },
  { args: ["pack", "--max=patches=40000,nothing=1", "native.jsonl"] },
  { args: ["stats", "--json", file("partly.jsonl", '{"vit_num":1,"token_num":1}\n{"vit_num":-1,"token_num":0}')] },
  { args: ["stats", "--json", file("partly.npy", npy([[1, 2], [3, -1]], { descr: "<i4" }))] }, // biome-ignore format: one
  { args: ["pack", "a", "--max-tokens=9"] },
  { args: ["pack", "a", "--max-vit=9"] },
  ...["--effort=1", "--method=best", "--method=", "--method=isf --effort=0"].map((options) => ({
    args: ["pack", "a", ...bounds, ...options.split(" ")],
  })),
  ...["--effort=4", "--effort=x", "--rounds=3", "--min-tokens=3 --min-vit=x", "--rounds=1 --min-vit=1"].map(
    (options) => ({
      args: ["pack", "a", ...bounds, "--method=balanced", ...options.split(" ")],
    }),
  ),
  { args: ["pack", "a", "--max-vit"] },
  { args: ["pack", "a", "--max-vit", "-9"] },
  { args: ["pack", "a", "-o"] },
  { args: ["pack", "a", "-qo", "-x"] },
  ...["--max-vit=0", "--max-tokens=0", "--max-tokens=2147483648", "--min-vit=", "--min-tokens=-1", "--rounds=0"].map(
    (option) => ({ args: ["pack", "a", ...bounds, option] }),
  ),
  ...["--rounds=1e3", "--rounds= 1", "--seed=4294967296", "--seed=99999999999999999999", "--seed=\u00b2"].map(
    (option) => ({ args: ["pack", "a", ...bounds, option] }),
  ),
];

// Nothing found is an answer too, with a line and a code of its own.
for (const options of [
  "--max-vit-limit=4 small.json thin.json",
  "--max-vit-limit=4 --max-tokens-limit=4999 small.json",
  "--max-tokens-limit=4999 b.jsonl a.json",
  "--samples-per-group=3 none.json",
  "--samples-per-group=3 --strategy=reference none.json",
  "--samples-per-group=9e9 thin.json --candidates=10",
  "--samples-per-group=00.4e1-400.0e-2 thin.json --candidates=10 --slack=1e-3",
  // Usage.
  "a",
  "--strategy=reference a",
  "--strategy=walk a",
  "--samples-per-group=3 --strategy=reference --max-left-out=0 a",
  ...["0", "", "-", "4-", "-4", "4-3", "1-2-3", "1e", "e1", ".", "1e999", "0x4", "4_0", "NaN", "+4", "1.2.3"].map(
    (text) => `--samples-per-group=${text} a`,
  ),
  ...["--slack=1.01", "--slack=x", "--slack=-0", "--candidates=9", "--max-left-out=-1", "--max-vit-limit=0"].map(
    (option) => `--samples-per-group=3 ${option} a`,
  ),
]) {
  bad.push({ args: ["search", "--json", "--ranks=4", ...options.split(" ")] });
}
bad.push(
  { args: ["search", "--json", "--samples-per-group=3", "a"] },
  { args: ["search", "--json", "--ranks=0", "a"] },
);

/** The Node command line on the same; the times, which only it tells, are left out. */
function byNode({ args, input, node = args }: Case): Promise<End> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [MAIN, ...node],
      { cwd: folder, encoding: "buffer", maxBuffer: 1 << 28 },
      (error, out, err) => {
        done({ code: error?.code ?? 0, out, err: err.toString().replace(/^time {9}.*\n/m, "") });
      },
    );
    // It may have ended before it has read.
    child.stdin!.on("error", () => {});
    child.stdin!.end(input === undefined ? "" : readFileSync(join(folder, input)));
  });
}

const shared = [...good, ...bad];
/** How the Node command line ends on every case. */
const byNodeAll: End[] = [];
for (let k = 0; k < shared.length; k += AT_ONCE) {
  byNodeAll.push(...(await Promise.all(shared.slice(k, k + AT_ONCE).map(byNode))));
}

function inFolder({ args, input }: Run): Run {
  return { args, folders: { ".": folder }, ...(input === undefined ? {} : { input: join(folder, input) }) };
}

test("the cases are good and bad ones", () => {
  const ends = byNodeAll;
  expect(ends.slice(0, good.length).map(({ code }) => code)).toEqual(good.map(() => 0));
  expect(new Set(ends.slice(good.length).map(({ code }) => code))).toEqual(new Set([1, 2]));
});

test("bounds that would suit are named", () => {
  const lines = byNodeAll.flatMap(({ err }) => /^bounds {7}.*$/m.exec(err)?.[0] ?? []);
  expect(lines.filter((line) => line.includes(" or ")).length).toBeGreaterThanOrEqual(3);
  expect(lines).toContain("bounds       do not suit: --max-vit 10 --max-tokens 3084 would");
});

/** The cases that did not end as with the Node command line. */
function differing(ends: readonly End[]) {
  expect(ends.length).toBe(shared.length);
  const shown = ({ code, out, err }: End) => ({ code, out: out.toString().slice(0, 300), err });
  return byNodeAll.flatMap((expected, k) => {
    const { code, out, err } = ends[k];
    const same = code === expected.code && err === expected.err && out.equals(expected.out);
    return same ? [] : [{ args: shared[k].args, got: shown(ends[k]), expected: shown(expected) }];
  });
}

describe("as the Node command line", () => {
  for (const host of hosts) {
    when(host)(host.name, async () => {
      expect(differing(host.run(shared.map(inFolder)))).toEqual([]);
    });
  }
});

/** What the command does that the Node command line does not, or does in another way. */
const own: readonly (readonly [args: readonly string[], code: number, err: string, input?: string])[] = [
  [["stats", "small.json"], 2, "--json is missing: this command draws no tables (see omnibal stats --help)"],
  [
    ["search", "--ranks=4", "--samples-per-group=4", "small.json"],
    2,
    "--json is missing: tables are drawn by omnibal in Node, this command draws none (see omnibal search --help)",
  ],
  [
    ["pack", ...bounds, "-o", "out.json", "small.json"],
    2,
    "--output is not for this command: redirect standard output (see omnibal pack --help)",
  ],
  ...["npy", "xtuner", "xml", ""].map(
    (format) =>
      [
        ["pack", ...bounds, "--format", format, "small.json"],
        2,
        `--format is "${format}", expected one of json, jsonl (see omnibal pack --help)`,
      ] as const,
  ),
  [
    ["stats", "--json", `--vit-field=${"x".repeat(4097)}`, "small.json"],
    1,
    "--vit-field is too long, expected a name of 1 to 4096 bytes",
  ],
  [
    ["stats", "--json", "/small.json"],
    1,
    "/small.json: is in no folder that the host opens: wasmtime run --dir=FOLDER",
  ],
  [["stats", "--json", "../small.json"], 1, "../small.json: not allowed to read it"],
  [
    ["stats", "--json"],
    1,
    "stdin: record 0, byte 0: found v, expected an array of records or a record: [ or {",
    "a.csv",
  ],
];
file("a.csv", "vit_num,token_num\n1,2\n");

/** Ways to say where small.json is. */
const places: readonly (readonly [folders: Record<string, string>, path: string, found: boolean])[] = [
  [{ ".": folder }, "small.json", true],
  [{ ".": folder }, "././/small.json", true],
  [{ [folder]: folder }, join(folder, "small.json"), true],
  [{ "/": folder }, "/small.json", true],
  [{ "/": folder }, "small.json", false],
  [{ data: folder }, "data/small.json", true],
  [{ "./data/": folder }, "data//small.json", true],
  [{ data: folder }, "dat/small.json", false],
  [{ data: folder }, "data2/small.json", false],
  [{ data: folder }, "small.json", false],
  [{ ".": join(folder, "none"), "data/more": folder }, "data/more/small.json", true],
  [{ "data/more": folder, data: join(folder, "none") }, "data/more/small.json", true],
  [{}, "small.json", false],
];
mkdirSync(join(folder, "none"));

/** One seeded run is the same on every machine. */
const fuzzed = { seed: 20, numRuns: 800 };

/** Documents that are right but for a few bytes; what Node would take for CSV or for a meta file is not among them. */
function documents(): Buffer[] {
  const right = ["small.json", "a.json", "b.jsonl", "none.json", "fields.json"].map((name) =>
    readFileSync(join(folder, name)),
  );
  right.push(...Object.values(forms).map((form) => Buffer.from(npy(small, form))));
  const byte = fc.oneof(fc.constantFrom(...Buffer.from('{}[]",:\\ue0-1.\n')), fc.nat(255));
  const edits = fc.array(fc.tuple(fc.nat(), byte, fc.constantFrom(0, 1, 2)), { maxLength: 4 });
  const mutated = fc.tuple(fc.constantFrom(...right), edits, fc.nat(20)).map(([document, places, cut]) => {
    let bytes = document;
    for (const [place, value, kind] of places) {
      const at = 1 + (place % (bytes.length - 1));
      // Replaces, inserts or takes out.
      const put = kind === 2 ? [] : [value];
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(kind === 1 ? at : at + 1)]);
    }
    return cut < 5 ? bytes.subarray(0, bytes.length - cut) : bytes;
  });
  return fc.sample(
    mutated.filter((bytes) => /^[ \t\r\n]*[[{\x93]/.test(bytes.toString("latin1"))),
    fuzzed,
  );
}

/** Any bytes: only that they do no harm is known. */
function noise(): Buffer[] {
  return fc.sample(fc.uint8Array({ maxLength: 200 }), fuzzed).map((bytes) => Buffer.from(bytes));
}

function argumentLists(): string[][] {
  const words = [
    "pack",
    "stats",
    "--json",
    "--max-vit",
    "--max-vit=9",
    "--max-tokens",
    "4096",
    "--max-tokens=99",
    "--seed",
  ];
  words.push(
    "--rounds=7",
    "--format",
    "jsonl",
    "-q",
    "-qq",
    "-h",
    "-",
    "--",
    "small.json",
    "none",
    ".",
    "..",
    "/",
    "",
    "-o",
    "--=",
  );
  words.push(
    "--vit-field=token_num",
    "--token-field",
    "--vit-field",
    "--help",
    "=",
    "--min-vit=2147483647",
    "--method=balanced",
    "--effort=0",
  );
  const word = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...words) },
    fc.string({ unit: "grapheme", maxLength: 6 }),
  );
  return fc.sample(
    fc.array(
      word.filter((text) => !text.includes("\0")),
      { maxLength: 8 },
    ),
    fuzzed,
  );
}

/** Nobody can tell what is in it, but a run ends with a code of its own and one line. */
function ended({ code, out, err }: End): boolean {
  if (code === 0) return true;
  return (code === 1 || code === 2) && out.length === 0 && /^omnibal: .+\n$/s.test(err);
}

for (const host of hosts) {
  const there = when(host);
  const run = (runs: readonly Run[]) => host.run(runs.map(inFolder));

  describe(host.name, () => {
    there("help and version", async () => {
      const texts = run(
        [["--help"], ["-h"], ["pack", "-h"], ["stats", "--json", "--help", "x"], ["-V"], ["--version"]].map((args) => ({
          args,
        })),
      );
      expect(texts.every(({ code, err }) => code === 0 && err === "")).toBe(true);
      const [help, ...others] = texts.map(({ out }) => out.toString());
      expect(help).toMatch(/^Usage: omnibal [\s\S]*\n$/);
      expect(widest(help)).toBeLessThanOrEqual(80);
      for (const name of [
        "max-vit",
        "max-tokens",
        "min-vit",
        "min-tokens",
        "rounds",
        "seed",
        "format",
        "method",
        "effort",
        "ranks",
        "samples-per-group",
        "max-vit-limit",
        "max-tokens-limit",
        "strategy",
        "candidates",
        "slack",
        "max-left-out",
      ]) {
        expect(help).toContain(`--${name} `);
      }
      expect(others).toEqual([help, help, help, `${version}\n`, `${version}\n`]);
    });

    there("what is its own", async () => {
      const ends = run(own.map(([args, , , input]) => (input === undefined ? { args } : { args, input })));
      const expected = own.map(([, code, err]) => ({ code, out: "", err: `omnibal: ${err}\n` }));
      expect(ends.map(({ code, out, err }) => ({ code, out: out.toString(), err }))).toEqual(expected);
    });

    there("a file in a folder that is open to it, by every name it has there", async () => {
      const ends = host.run(places.map(([folders, path]) => ({ args: ["stats", "--json", path], folders })));
      expect(ends.map(({ out }) => out.toString().startsWith('{"samples":5,'))).toEqual(
        places.map(([, , found]) => found),
      );
      expect(ends.every(ended)).toBe(true);
    });

    // A process for each of thousands of runs would take minutes.
    if (host === commandLine) return;

    there("wrong documents end as they do in Node", async () => {
      const core = await load();
      const inputs = documents();
      const runs = inputs.map((document, k) => ({
        args: ["stats", "--json"],
        input: file(`fuzz-${k}`, document),
      }));
      const ends = run(runs);
      let wrong = 0;
      for (const [k, document] of inputs.entries()) {
        const expected = await readLengths(["-"], {
          stdin: (async function* () {
            yield document;
          })(),
        }).then(
          (lengths) => ({ code: 0, out: core.statsText(lengths), err: "" }),
          (error: Error) => ({ code: 1, out: "", err: `omnibal: ${error.message}\n` }),
        );
        wrong += expected.code;
        const { code, out, err } = ends[k];
        expect({ code, out: out.toString(), err }, document.toString("latin1")).toEqual(expected);
      }
      expect(wrong).toBeGreaterThan(inputs.length / 4);
      expect(wrong).toBeLessThan(inputs.length);
    });

    there("no bytes and no arguments make it trap", async () => {
      const bytes = noise().map((document, k) => ({ args: ["pack", ...bounds], input: file(`noise-${k}`, document) }));
      const lists = argumentLists().map((args) => ({ args, input: "small.json" }));
      const ends = run([...bytes, ...lists]);
      expect(ends.filter((end) => !ended(end))).toEqual([]);
      expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([0, 1, 2]));
    });
  });
}

const MEGABYTES = process.platform === "darwin" ? 1 << 20 : 1 << 10;
/** Runs its arguments, and says on standard error what the largest of them took. */
const measure = `
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)`;

/** 100 MB as the reference writes it. */
function largeFile(): { path: string; lengths: { vit: number[]; tokens: number[] } } {
  const path = join(folder, "large.json");
  const lengths = { vit: [] as number[], tokens: [] as number[] };
  const out = openSync(path, "w");
  const { vit, tokens } = samples("tiled:200000");
  let bytes = writeSync(out, "[");
  for (let k = 0; bytes < 100_000_000; k++) {
    const text = Array.from(vit, (v, i) => {
      lengths.vit.push(v);
      lengths.tokens.push(tokens[i]);
      return `{"vit_num": ${v}, "token_num": ${tokens[i]}, "image_flags": ${v}}`;
    }).join(", ");
    bytes += writeSync(out, k > 0 ? `, ${text}` : text);
  }
  writeSync(out, "]");
  closeSync(out);
  return { path, lengths };
}

whenThere(wasmtime.missing())("100 MB of JSON within 150 MB of the whole process", async () => {
  const core = await load();
  const { path, lengths } = largeFile();
  const packing = core.pack(lengths, { maxVit: 9, maxTokens: 4096, lowerBound: "tight" });
  const expected = [
    { args: ["stats", "--json"], hash: sha256([new TextEncoder().encode(core.statsText(lengths))]) },
    { args: ["pack", "-q", ...bounds], hash: sha256(core.packingText(packing, "json")) },
  ];
  for (const { args, hash } of expected) {
    const input = openSync(path, "r");
    const { status, stdout, stderr } = spawnSync(python, ["-c", measure, python, runner, wasm, ...args], {
      stdio: [input, "pipe", "pipe"],
      maxBuffer: 1 << 28,
    });
    closeSync(input);
    expect(status).toBe(0);
    expect(sha256([stdout])).toBe(hash);
    const megabytes = Number(stderr.toString()) / MEGABYTES;
    expect(megabytes).toBeGreaterThan(10);
    expect(megabytes).toBeLessThan(150);
  }
  // Of that, the module's own memory is less than 100 MB.
  const [end] = wasmtime.run([{ args: ["pack", "-q", ...bounds], input: path, memory: 100_000_000 }]);
  expect([end.code, end.err, sha256([end.out])]).toEqual([0, "", expected[1].hash]);
});

whenThere(wasmtime.missing())("a memory that is too small: one line, code 1", async () => {
  const file = join(folder, "tiled.json");
  for (const args of [
    ["pack", ...bounds, "-q"],
    ["pack", ...bounds, "-q", "--method=balanced", "--effort=0"],
    ["stats", "--json"],
  ]) {
    // From what the module starts with to enough, by pages: every block that it asks for is refused once.
    const pages = Array.from({ length: 60 }, (_, k) => 4 + k);
    const ends = wasmtime.run(pages.map((n) => ({ args, memory: n << 16, input: file })));
    const enough = ends.findIndex(({ code }) => code === 0);
    expect(enough).toBeGreaterThan(8);
    expect(ends.slice(enough).every(({ code }) => code === 0)).toBe(true);
    for (const { code, out, err } of ends.slice(0, enough)) {
      expect([code, out.length, err]).toEqual([
        1,
        0,
        expect.stringMatching(/^omnibal: out of memory after \d+ samples\n$/),
      ]);
    }
  }
});
