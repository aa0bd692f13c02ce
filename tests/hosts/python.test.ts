// The batch sampler in examples/python, run by wasmtime and numpy.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect } from "vitest";
import { load } from "../../src/index.ts";
import { samples } from "../samples.ts";
import { example, python, pythonMissing, wasm } from "./wasmtime.ts";
import { whenThere } from "./when-there.ts";

type Batches = number[][];
type Call = readonly [name: string, ...args: unknown[]];
interface Run {
  readonly vit: number[];
  readonly tokens: number[];
  readonly dtype: string;
  readonly options: Record<string, unknown>;
  readonly calls: readonly Call[];
}

const host = fileURLToPath(new URL("sampler_host.py", import.meta.url));
const input = samples("tiled:1000");
const bounds = { max_vit: 9, max_tokens: 4096 };
const omnibal = await load();
const packing = omnibal.pack(input, { maxVit: 9, maxTokens: 4096 });
const groups: Batches = Array.from(packing, (group) => Array.from(group));
const test = whenThere(pythonMissing());

/** Samplers over tiled:1000, one per run; what each call gave, or the error. */
function sample(runs: readonly (Partial<Run> & Pick<Run, "calls">)[]): unknown[] {
  const full = runs.map((run) => ({
    vit: Array.from(input.vit),
    tokens: Array.from(input.tokens),
    dtype: "int32",
    ...run,
    options: { ...bounds, ...run.options },
  }));
  const answer = execFileSync(python, [host, example, wasm], {
    input: JSON.stringify(full),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return JSON.parse(answer) as unknown[];
}

/** One epoch's batches, rank by rank. */
function epoch(world_size: number, number = 0, more: Record<string, unknown> = {}): Batches[] {
  const runs = Array.from({ length: world_size }, (_, rank) => ({
    options: { rank, world_size, ...more },
    calls: [
      ["set_epoch", number],
      ["take", null],
    ] as const,
  }));
  return (sample(runs) as [null, Batches][]).map(([, batches]) => batches);
}

/** The ranks' batches in the order of the permutation. */
function dealt(ranks: readonly Batches[]): Batches {
  return ranks[0].flatMap((_, step) => ranks.map((batches) => batches[step]));
}

/** Groups in the order of torch.randperm by a generator with this seed, from the module in Node. */
function shuffled(seed: number): Batches {
  const { abi } = omnibal;
  const top = abi.mark();
  const at = abi.alloc(groups.length * 4) >>> 0;
  const order = new Uint32Array(abi.memory.buffer, at, groups.length);
  for (let g = 0; g < groups.length; g++) order[g] = g;
  abi.mtSeed(seed);
  abi.mtTorchShuffle(at, groups.length);
  const out = Array.from(order, (g) => groups[g]);
  abi.release(top);
  return out;
}

describe("the batch sampler in Python", () => {
  test("one rank: Node's groups in the order of torch.randperm, by seed + epoch", async () => {
    expect(epoch(1)).toEqual([shuffled(1024)]);
    expect(epoch(1, 3)).toEqual([shuffled(1027)]);
    expect(shuffled(1024)).not.toEqual(shuffled(1027));
  });

  test("its permutations are torch's", async () => {
    const vectors = new URL("../vectors/isf.json", import.meta.url);
    const { torch_randperm } = JSON.parse(readFileSync(vectors, "utf8")).prng as {
      torch_randperm: { seed: number; n: number; first10: number[]; last: number }[];
    };
    const small = torch_randperm.filter(({ n }) => n <= 100_000);
    expect(small.length).toBeGreaterThan(3);
    const [given] = sample([{ calls: small.map(({ n, seed }) => ["module", "permutation", n, seed]) }]) as [number[][]];
    expect(given.map((order) => [order.slice(0, 10), order.at(-1)])).toEqual(small.map((v) => [v.first10, v.last]));
  });

  test("all ranks take as many steps, and together every group once and the front of the order again", async () => {
    for (const world of [2, 3, 7]) {
      const ranks = epoch(world, 1);
      const steps = Math.ceil(groups.length / world);
      expect(ranks.map((batches) => batches.length)).toEqual(ranks.map(() => steps));
      const order = shuffled(1025);
      expect(dealt(ranks)).toEqual([...order, ...order.slice(0, steps * world - groups.length)]);
    }
    expect(groups.length % 7).not.toBe(0);
  });

  test("a rank has the batches of the random sampler in JavaScript", async () => {
    for (const tail of ["repeat", "drop"] as const) {
      const ranks = epoch(7, 2, { drop_last: tail === "drop" });
      const same = ranks.map((_, rank) => {
        const sampler = omnibal.sampler(packing, { kind: "random", ranks: 7, rank, seed: 1024, epoch: 2, tail });
        return Array.from(sampler, ([group]) => groups[group]);
      });
      expect(ranks).toEqual(same);
    }
  });

  test("even: a rank has the batches of the plan in JavaScript", async () => {
    for (const tail of ["repeat", "drop"] as const) {
      const ranks = epoch(7, 2, { even: true, drop_last: tail === "drop" });
      const plan = omnibal.plan(packing, { ranks: 7, epoch: 2, seed: 1024, tail });
      const same = ranks.map((_, rank) => Array.from(plan.rank(rank), ([group]) => groups[group]));
      expect(ranks).toEqual(same);
    }
  });

  test("drop_last leaves out the end of the order", async () => {
    const ranks = epoch(7, 0, { drop_last: true });
    expect(dealt(ranks)).toEqual(shuffled(1024).slice(0, Math.floor(groups.length / 7) * 7));
  });

  test("more ranks than groups, and no samples at all", async () => {
    const few = { vit: [9, 9], tokens: [5, 6] };
    const ranks = Array.from({ length: 5 }, (_, rank) => ({
      ...few,
      options: { rank, world_size: 5 },
      calls: [["take", null] as const],
    }));
    const batches = (sample(ranks) as [Batches][]).flatMap(([b]) => b.flat());
    expect(batches.length).toBe(5);
    expect(new Set(batches)).toEqual(new Set([0, 1]));
    expect(sample([{ vit: [], tokens: [], calls: [["take", null], ["len"]] }])).toEqual([[[], 0]]);
  });

  /** What state_dict gives at a step of an epoch, of 3 ranks. */
  const stateAt = (epoch: number, step: number) => ({
    ...{ version: 2, epoch, step, packing: omnibal.made(packing).packing },
    ...{ world_size: 3, seed: 1024, drop_last: false, even: false },
  });

  test("resumed at a step, it gives the rest of the epoch and then whole epochs", async () => {
    const options = { rank: 1, world_size: 3 };
    const whole = epoch(3, 2)[1];
    const next = epoch(3, 3)[1];
    const n = whole.length;
    const cuts = [0, 1, 40, n - 1, n];
    const before = sample(
      cuts.map((step) => ({ options, calls: [["set_epoch", 2], ["take", step], ["state_dict"]] as const })),
    ) as unknown[][];
    expect(before.map(([, batches]) => batches)).toEqual(cuts.map((step) => whole.slice(0, step)));
    expect(before.map(([, , state]) => state)).toEqual(cuts.map((step) => stateAt(2, step)));
    const after = sample(
      before.map(([, , state]) => ({
        options,
        calls: [
          ["load_state_dict", state],
          ["set_epoch", 2],
          ["take", null],
          ["state_dict"],
          ["set_epoch", 3],
          ["take", null],
        ] as const,
      })),
    ) as unknown[][];
    expect(after.map((given) => given[2])).toEqual(cuts.map((step) => whole.slice(step)));
    expect(after.map((given) => given[3])).toEqual(cuts.map(() => stateAt(2, n)));
    expect(after.map((given) => given[5])).toEqual(cuts.map(() => next));
  });

  test("a state of 2 ranks is not loaded on 4, nor one of another packing or other options", async () => {
    const [[state]] = sample([{ options: { rank: 1, world_size: 2 }, calls: [["state_dict"]] }]) as Record<
      string,
      unknown
    >[][];
    const load = (options: Record<string, unknown>, more: Partial<Run> = {}, seen: unknown = state) => {
      const calls = [["load_state_dict", seen]] as const;
      return sample([{ ...more, options: { rank: 0, world_size: 2, ...options }, calls }])[0];
    };
    expect(load({})).toEqual([null]);
    expect(load({ rank: 1 })).toEqual([null]);
    const taken = "ValueError: state was taken with";
    expect(load({ world_size: 4 })).toBe(`${taken} world_size 2, this sampler has 4`);
    expect(load({ drop_last: true })).toBe(`${taken} drop_last False, this sampler has True`);
    expect(load({ even: true })).toBe(`${taken} even False, this sampler has True`);
    const { packing: own } = omnibal.made(packing);
    const turned = { vit: Array.from(input.vit).reverse(), tokens: Array.from(input.tokens).reverse() };
    const { packing: other } = omnibal.made(omnibal.pack(turned, { maxVit: 9, maxTokens: 4096 }));
    expect(load({}, turned)).toBe(`${taken} packing '${own}', this sampler has '${other}'`);
    expect(load({}, {}, { epoch: 0, step: 0 })).toBe("ValueError: state has version None, expected 2");
  });

  test("a packing with oversize samples has the fingerprint that it has in JavaScript", async () => {
    const wide = { vit: [5, 4, 10, 1], tokens: [900, 800, 1, 5000] };
    const [[state]] = sample([{ ...wide, calls: [["state_dict"]] }]) as Record<string, unknown>[][];
    const { packing: expected } = omnibal.made(omnibal.pack(wide, { maxVit: 9, maxTokens: 4096 }));
    expect(state.packing).toBe(expected);
  });

  test("iterating again starts at the front, as a loader that is opened twice does", async () => {
    const [given] = sample([{ calls: [["take", 5], ["take", null], ["len"]] }]) as unknown[][];
    expect((given[0] as Batches).length).toBe(5);
    expect(given[1]).toEqual(shuffled(1024));
    expect(given[2]).toBe(groups.length);
  });

  test("other integer types and other seeds", async () => {
    const calls = [["take", null]] as const;
    const [a, b, c] = sample([
      { dtype: "int64", calls },
      { dtype: "uint16", calls },
      { options: { seed: 4294967295 }, calls },
    ]) as [Batches][];
    expect(a[0]).toEqual(shuffled(1024));
    expect(b).toEqual(a);
    const wrapped = omnibal.pack(input, { maxVit: 9, maxTokens: 4096, seed: 4294967295 });
    const bySample = (batches: Batches) => [...batches].sort((x, y) => x[0] - y[0]);
    expect(bySample(c[0])).toEqual(bySample(Array.from(wrapped, (group) => Array.from(group))));
  });

  test("the sampler dropped oversize samples without a word: it lists them, and rank 0 warns", async () => {
    const vit = [5, 10, 9, 12, 1, 1, 10];
    const tokens = [900, 800, 2500, 1, 4097, 7, 1];
    const calls = [["oversize"], ["warnings"], ["take", null], ["module", "pack", vit, tokens, 9, 4096]] as const;
    const [first, second, none] = sample([
      { vit, tokens, calls },
      { vit, tokens, calls, options: { rank: 1, world_size: 2 } },
      { calls },
    ]) as [number[], string[], Batches, number[][]][];
    const own = omnibal.pack({ vit, tokens }, { maxVit: 9, maxTokens: 4096 });
    const oversize = Array.from(own.oversize);
    expect(oversize).toEqual([1, 3, 4, 6]);
    const warning = "UserWarning: 4 of 7 samples in no group (max_vit 9, max_tokens 4096): 1, 3, 4, ...";
    expect(first.slice(0, 2)).toEqual([oversize, [warning]]);
    expect(first[2].flat().sort()).toEqual([0, 2, 5]);
    expect(first[3]).toEqual([own.offsets, own.indices, own.oversize].map((array) => Array.from(array)));
    expect(second.slice(0, 2)).toEqual([oversize, []]);
    expect(none.slice(0, 2)).toEqual([[], []]);
  });

  test("every status of the module had one text: each has its own", async () => {
    const plan = (vit: number[], tokens: number[], ranks: number) => ({
      calls: [["module", "plan", vit, tokens, [1, 1], ranks, 1, 0]] as const,
    });
    const status = (code: number) => ({ calls: [["module", "_check", code]] as const });
    expect(
      sample([
        plan([1, -1], [1, 1], 1),
        plan([1, 1], [-1, 1], 1),
        plan([1, 1], [1, 1], 0),
        status(1),
        status(3),
        status(4),
        status(17),
      ]),
    ).toEqual([
      "ValueError: vit of group 1 is beyond its range, expected 0 to 2^62",
      "ValueError: tokens of group 0 is beyond its range, expected 0 to 2^62",
      "ValueError: the module refused an argument that the checks here had passed",
      "MemoryError: the samples do not fit: a WebAssembly memory ends at 4 GiB, about 170 million samples",
      "ValueError: vit: a value is beyond its range, expected whole numbers from 0 to 2147483647",
      "ValueError: tokens: a value is beyond its range, expected whole numbers from 0 to 2147483647",
      "RuntimeError: the module answered 17: it is of another version than this file",
    ]);
  });

  test("what it refuses", async () => {
    const whole = "expected one whole number from 0 to 2147483647 per sample";
    const calls = [] as const;
    expect(
      sample([
        { vit: [1, -1], tokens: [1, 1], calls },
        { vit: [1], tokens: [2147483648], dtype: "int64", calls },
        { vit: [1.5], tokens: [1], dtype: "float64", calls },
        { vit: [1], tokens: [1, 2], calls },
        { options: { rank: 2, world_size: 2 }, calls },
        { options: { max_vit: 0 }, calls },
        { options: { max_tokens: 4294967296 + 4096 }, calls },
        { options: { rounds: 0 }, calls },
      ]),
    ).toEqual([
      `ValueError: vit: ${whole}`,
      `ValueError: tokens: ${whole}`,
      `ValueError: vit: ${whole}`,
      "ValueError: vit has 1 values and tokens 2",
      "ValueError: rank is 2, expected 0 to 1",
      "ValueError: max_vit is 0, expected a whole number from 1 to 2147483647",
      "ValueError: max_tokens is 4294971392, expected a whole number from 1 to 2147483647",
      "ValueError: bounds (9, 4096, 9, 3968), rounds 0 or seed 1024 out of range",
    ]);
  });
});
