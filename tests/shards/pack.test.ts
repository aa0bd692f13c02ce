// Packing in shards: every sample once, within bounds, in groups that depend on samples and options alone.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { load, type Packing, packShards, packShardsInSteps, shard } from "../../src/index.ts";
import { omnibal as command } from "../cli/run.ts";
import { testFolder } from "../folder.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const { core } = omnibal;
const bounds = { maxVit: 9, maxTokens: 4096 };
const methods = ["isf", "balanced"] as const;
const flat = (packing: Packing) => [...packing.indices, ...packing.oversize].sort((a, b) => a - b);

describe.each(methods)("%s", (method) => {
  const options = { ...bounds, method, seed: 7 } as const;

  test("one shard is what pack makes", () => {
    const input = samples("tiled:5000");
    for (const shards of [1, "auto"] as const) {
      const packing = packShards(core, input, { ...options, shards });
      expect(packing.parts).toEqual(omnibal.pack(input, options).parts);
    }
  });

  test("any samples and shards: every sample once, sums that are right and within bounds", () => {
    const row = fc.tuple(fc.nat(11), fc.nat(4500), fc.nat(100));
    fc.assert(
      fc.property(fc.array(row, { maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (rows, shards) => {
        const input = {
          vit: Int32Array.from(rows, ([v]) => v),
          tokens: Int32Array.from(rows, ([, t]) => t),
          labels: Int32Array.from(rows, ([, , l]) => l),
        };
        const packing = packShards(core, input, { ...options, carry: ["labels"], shards });
        expect(flat(packing)).toEqual(rows.map((_, i) => i));
        expect([...packing.oversize]).toEqual(rows.flatMap(([v, t], i) => (v > 9 || t > 4096 ? [i] : [])));
        for (let g = 0; g < packing.length; g++) {
          const group = packing.group(g);
          const sum = (k: 0 | 1 | 2) => group.reduce((total, i) => total + rows[i][k], 0);
          expect([packing.vit[g], packing.tokens[g], packing.loads.labels[g]]).toEqual([sum(0), sum(1), sum(2)]);
          expect(sum(0) <= 9 && sum(1) <= 4096 && group.length > 0).toBe(true);
        }
        expect(packing.length).toBeGreaterThanOrEqual(packing.bound);
      }),
      { numRuns: 40 },
    );
  });

  test("groups are numbered shard by shard, but for the last, and few more than without shards", () => {
    const input = samples("tiled:60000");
    const packing = packShards(core, input, { ...options, shards: 4 });
    const whole = omnibal.pack(input, options);
    expect(flat(packing)).toEqual(flat(whole));
    expect(packing.length / whole.length).toBeLessThan(1.002);
    const of = Array.from(packing, (group) => new Set(group.map((i) => shard(i, { shards: 4, seed: 7 }))));
    const own = of.slice(0, packing.length - 4 * 16);
    expect(own.every(({ size }) => size === 1)).toBe(true);
    const order = own.map((shards) => [...shards][0]);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(new Set(order).size).toBe(4);
    expect(packing.settings).toEqual({ ...whole.settings, shards: 4 });
    expect(packing.rounds).toBe(method === "isf" ? 50 : 0);
  });

  test("the same groups for ever", () => {
    const packing = packShards(core, samples("tiled:20000"), { ...options, shards: 8 });
    expect(omnibal.made(packing).packing).toBe(FOREVER[method]);
  });
});

const FOREVER = { isf: "ba9b0850f0213623", balanced: "e90ace29dc5972e6" };

test("progress rises to the end, and an abort ends it", () => {
  const input = samples("tiled:20000");
  const steps = [...packShardsInSteps(core, input, { ...bounds, shards: 3 })];
  expect(steps.length).toBeGreaterThan(4);
  for (const [i, { done, samples: all }] of steps.entries()) {
    expect(done).toBeGreaterThanOrEqual(i === 0 ? 0 : steps[i - 1].done);
    expect(done).toBeLessThanOrEqual(1);
    expect(all).toBe(20000);
  }
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error("enough"));
  expect(() => packShards(core, input, { ...bounds, shards: 3, signal: controller.signal, onProgress })).toThrow(
    "enough",
  );
  expect(omnibal.pack(input, bounds).length).toBeGreaterThan(0);
});

test("samples that are -1 in every load are invalid, wherever they are", () => {
  const { vit, tokens } = samples("tiled:2000");
  const input = { vit: vit.slice(), tokens: tokens.slice() };
  for (const i of [0, 77, 1999]) input.vit[i] = input.tokens[i] = -1;
  const packing = packShards(core, input, { ...bounds, shards: 5 });
  expect([...packing.invalid]).toEqual([0, 77, 1999]);
  expect([...flat(packing), 0, 77, 1999].sort((a, b) => a - b)).toEqual([...vit.keys()]);
  expect(omnibal.made(packing).samples).toBe(2000);
});

test("errors name the sample of the whole, and options that are none", () => {
  const input = { vit: new Int32Array(100).fill(1), tokens: new Int32Array(100).fill(5) };
  input.tokens[77] = -1;
  expect(() => packShards(core, input, { ...bounds, shards: 5 })).toThrow("index 77: tokens is -1");
  const wrong = (shards: unknown) => () => packShards(core, samples("tiled:100"), { ...bounds, shards } as never);
  expect(wrong(0)).toThrow("shards is 0, expected a whole number from 1");
  expect(wrong("many")).toThrow('shards is "many", expected a whole number or auto');
  expect(() => packShards(core, input, { ...bounds, shards: 2, round: 3 } as never)).toThrow("did you mean rounds?");
});

describe("omnibal pack --shards", () => {
  const folder = testFolder();
  const input = samples("tiled:3000");
  const records = Array.from(input.vit, (vit, i) => ({ vit_num: vit, token_num: input.tokens[i] }));
  writeFileSync(join(folder, "lengths.json"), JSON.stringify(records));
  const run = (...args: string[]) => command(args, { cwd: folder });
  const packed = (...args: string[]) => run("pack", "lengths.json", "--max-vit=9", "--max-tokens=4096", ...args);

  test("makes those groups, says so, and they are read back", () => {
    const { code, err } = packed("--shards=4", "--method=balanced", "-o", "groups.json");
    expect([code, /^shards +4$/m.test(err)]).toEqual([0, true]);
    const seen = JSON.parse(readFileSync(join(folder, "groups.json"), "utf8"));
    const packing = packShards(core, input, { ...bounds, method: "balanced", shards: 4 });
    expect(seen.groups).toEqual(Array.from(packing, (group) => [...group]));
    expect(seen.made).toMatchObject({ seed: 1024, shards: 4, method: "balanced", samples: 3000 });
    expect(run("evaluate", "lengths.json", "--packing=groups.json", "--ranks=8").code).toBe(0);
  });

  test("auto is one shard for so few: what it makes without", () => {
    packed("-q", "--shards=auto", "-o", "auto.json");
    packed("-q", "-o", "plain.json");
    expect(readFileSync(join(folder, "auto.json"), "utf8")).toBe(readFileSync(join(folder, "plain.json"), "utf8"));
  });

  test("another value is wrong usage", () => {
    expect(packed("--shards=0")).toMatchObject({ code: 2, err: expect.stringContaining('--shards is "0", expected') });
    expect(packed("--shards=some").code).toBe(2);
  });
});
