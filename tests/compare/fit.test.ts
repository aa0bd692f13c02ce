// `fitCost` against logs whose costs are known, and against a plain least-squares of the same rows.
import { describe, expect, test } from "vitest";
import { fitCost } from "../../src/compare/fit/fit.ts";
import { nonNegative, normalOf } from "../../src/compare/fit/least-squares.ts";
import { type LogRecord, readLog } from "../../src/compare/fit/log.ts";
import { draws } from "../../src/compare/random.ts";

const TRUE: Readonly<Record<string, number>> = { vit: 6, tokens: 0.02, group: 9.4, step: 30 };

function random(seed: number) {
  const draw = draws(seed);
  const uniform = () => draw(2 ** 30) / 2 ** 30;
  const normal = () => Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform());
  return { draw, uniform, normal };
}

type Loads = Record<string, number>;
type Make = (draw: (end: number) => number) => Loads;

const free: Make = (draw) => ({ vit: draw(10), tokens: 500 + draw(3600) });
/** Tokens follow tiles: a text is a handful of tokens beside 256 a tile. */
const tied: Make = (draw) => {
  const vit = 1 + draw(9);
  return { vit, tokens: 256 * vit + draw(40) };
};

const time = (loads: Loads) => Object.entries(loads).reduce((ms, [name, x]) => ms + TRUE[name] * x, TRUE.group);

interface LogOptions {
  readonly seed?: number;
  readonly noise?: number;
  readonly stragglers?: number;
  readonly warmUp?: number;
  readonly make?: Make;
}

/** What a run does to a time: noise, a straggler now and then, a warm-up that fades. */
function disturbed({ seed = 1, noise = 0.05, stragglers = 0.02, warmUp = 40 }: LogOptions) {
  const { draw, uniform, normal } = random(seed);
  const of = (ms: number, i: number) => {
    const slow = uniform() < stragglers ? 1.3 + 3 * uniform() : 1;
    const warm = i < warmUp ? 1 + 3 * Math.exp((-4 * i) / warmUp) : 1;
    return ms * slow * warm * (1 + noise * normal());
  };
  return { draw, of };
}

function groupLog(n: number, options: LogOptions = {}): LogRecord[] {
  const { draw, of } = disturbed(options);
  return Array.from({ length: n }, (_, i) => {
    const loads = (options.make ?? free)(draw);
    return { ...loads, ms: of(time(loads), i) };
  });
}

function stepLog(n: number, ranks: number, options: LogOptions = {}): LogRecord[] {
  const { draw, of } = disturbed(options);
  return Array.from({ length: n }, (_, i) => {
    const own = Array.from({ length: ranks }, () => (options.make ?? free)(draw));
    const ms = of(Math.max(...own.map(time)) + TRUE.step, i);
    return { vit: own.map(({ vit }) => vit), tokens: own.map(({ tokens }) => tokens), ms };
  });
}

describe("costs that are known come back within 3 %", () => {
  test.each([1, 2, 3, 4, 5, 6])("per group, seed %i: noise, stragglers and a warm-up", (seed) => {
    const seen = fitCost(groupLog(6000, { seed }));
    for (const { name, ms, within } of seen.costs) {
      expect(Math.abs(ms / TRUE[name] - 1), name).toBeLessThan(0.03);
      expect(within, name).toBeLessThan(0.03);
    }
    expect(seen.certain).toBe(true);
    expect(seen.warnings).toEqual([]);
    expect(seen.warmUp).toBeGreaterThanOrEqual(25);
    expect(seen.warmUp).toBeLessThanOrEqual(60);
    expect(seen.outliers / 6000).toBeGreaterThan(0.014);
    expect(seen.outliers / 6000).toBeLessThan(0.026);
    expect(Math.abs(seen.noise / 0.05 - 1)).toBeLessThan(0.05);
    expect(seen.heldOut.rows).toBe(Math.floor((6000 - seen.warmUp) / 5));
    // The median of |noise| of 5 %, and no bias.
    expect(Math.abs(seen.heldOut.median / (0.05 * 0.6745) - 1)).toBeLessThan(0.15);
    expect(Math.abs(seen.heldOut.bias)).toBeLessThan(0.004);
  });

  test.each([
    [2, 1],
    [2, 2],
    [8, 3],
  ])("per step of %i ranks, seed %i", (ranks, seed) => {
    const seen = fitCost(stepLog(16_000, ranks, { seed }));
    const constants = TRUE.group + TRUE.step;
    expect(Math.abs((seen.cost.vit as number) / TRUE.vit - 1)).toBeLessThan(0.03);
    expect(Math.abs((seen.cost.tokens as number) / TRUE.tokens - 1)).toBeLessThan(0.03);
    expect(Math.abs((seen.cost.step as number) / constants - 1)).toBeLessThan(0.03);
    expect(seen.cost).not.toHaveProperty("group");
    expect(seen.warnings).toEqual([
      "All ranks have as many groups in every step: what a group takes by itself is part of step.",
    ]);
  });

  test("groups and steps together tell the constants apart", () => {
    const seen = fitCost([groupLog(8000, { seed: 3 }), stepLog(8000, 8, { seed: 4 })]);
    for (const [name, value] of Object.entries(seen.cost))
      expect(Math.abs(value / TRUE[name] - 1), name).toBeLessThan(0.03);
    expect(Object.keys(seen.cost)).toEqual(["vit", "tokens", "group", "step"]);
  });

  test("exactly, where nothing disturbs", () => {
    const still = { noise: 0, stragglers: 0, warmUp: 0 };
    expect(fitCost(groupLog(100, still)).cost).toEqual({ vit: 6, tokens: 0.02, group: 9.4 });
    const { cost, warmUp, outliers } = fitCost(stepLog(300, 4, still));
    expect(cost).toEqual({ vit: 6, tokens: 0.02, step: 39.4 });
    expect([warmUp, outliers]).toEqual([0, 0]);
  });

  test("several groups in a row, and a cost that is 0", () => {
    const { draw, uniform } = random(8);
    const log = Array.from({ length: 400 }, () => {
      const groups = 1 + draw(4);
      const tokens = 1000 * groups + draw(2000);
      return { groups, tokens, frames: draw(50), ms: (0.02 * tokens + 9.4 * groups) * (1 + 0.01 * (uniform() - 0.5)) };
    });
    const { cost } = fitCost(log);
    expect(Math.abs(cost.tokens / 0.02 - 1)).toBeLessThan(0.01);
    expect(Math.abs(cost.group / 9.4 - 1)).toBeLessThan(0.03);
    expect(cost.frames * 25).toBeLessThan(0.1);
  });
});

describe("it says so when it cannot", () => {
  test("loads that go together", () => {
    const seen = fitCost(groupLog(2000, { make: tied }));
    expect(seen.certain).toBe(false);
    expect(seen.warnings.join("\n")).toMatch(
      /tokens is known to [\d.]+ % only: in this log it goes with vit \(correlation [\d.]+\); log groups/,
    );
    // How far they are known covers the truth, and the sum of both is known well.
    for (const { name, ms, within } of seen.costs) {
      expect(Math.abs(ms - TRUE[name]), name).toBeLessThan(2 * (within ?? 0) * ms + 1e-9);
    }
    const { vit, tokens, group } = seen.cost;
    const sum = 5 * vit + (5 * 256 + 20) * tokens + group;
    expect(Math.abs(sum / (5 * TRUE.vit + (5 * 256 + 20) * TRUE.tokens + TRUE.group) - 1)).toBeLessThan(0.01);
  });

  test("a load that is the same in every group", () => {
    const seen = fitCost(groupLog(2000, { make: (draw) => ({ vit: 9, tokens: 500 + draw(3600) }) }));
    expect(seen.certain).toBe(false);
    expect(Math.abs(seen.cost.tokens / TRUE.tokens - 1)).toBeLessThan(0.03);
    expect(seen.warnings).toEqual(["vit is much the same in every row: its cost cannot be told from that of group."]);
  });

  test("few rows, and how many it takes", () => {
    const seen = fitCost(groupLog(200, { warmUp: 0 }));
    expect(seen.certain).toBe(false);
    expect(seen.warnings.join("\n")).toMatch(/group is known to \d+ % only: 3\.0 % takes about [\d,]+ rows like these/);
  });

  test("loads that explain nothing", () => {
    const { draw } = random(5);
    const log = Array.from({ length: 500 }, () => ({ tokens: draw(4000), ms: 10 + draw(500) }));
    expect(fitCost(log).warnings.join("\n")).toContain("The loads explain the time badly");
  });

  test("a load that nobody has", () => {
    const { warnings } = fitCost(groupLog(500, { make: (draw) => ({ ...free(draw), vit: 0 }) }));
    expect(warnings).toContain("vit is 0 in every row: its cost is not known.");
  });
});

test("how far a cost is known holds for 95 % of logs", () => {
  let inside = 0;
  let all = 0;
  for (let seed = 1; seed <= 60; seed++) {
    for (const { name, ms, within } of fitCost(groupLog(400, { seed })).costs) {
      all++;
      if (Math.abs(ms - TRUE[name]) <= (within ?? 0) * ms) inside++;
    }
  }
  expect(inside / all).toBeGreaterThan(0.9);
  expect(inside / all).toBeLessThan(0.995);
});

test("non-negative least squares: no single step makes it better", () => {
  const { draw, normal } = random(6);
  for (let k = 0; k < 200; k++) {
    const unknowns = 1 + draw(5);
    const n = 3 + draw(20);
    const rows = Float64Array.from({ length: n * unknowns }, () => (draw(4) === 0 ? 0 : normal()));
    // Columns that are alike, and columns of zeros.
    if (unknowns > 1 && k % 3 === 0) for (let i = 0; i < n; i++) rows[i * unknowns + 1] = 2 * rows[i * unknowns];
    if (k % 5 === 0) for (let i = 0; i < n; i++) rows[i * unknowns] = 0;
    const y = Float64Array.from({ length: n }, () => normal());
    const weights = Float64Array.from({ length: n }, () => 0.1 + draw(3));
    const x = nonNegative(normalOf(rows, unknowns, y, weights));
    const loss = (at: Float64Array) =>
      y.reduce((sum, value, i) => {
        const seen = at.reduce((own, each, j) => own + each * rows[i * unknowns + j], 0);
        return sum + weights[i] * (value - seen) ** 2;
      }, 0);
    const least = loss(x);
    for (let j = 0; j < unknowns; j++) {
      expect(x[j]).toBeGreaterThanOrEqual(0);
      for (const step of [1e-3, -1e-3]) {
        const near = x.slice();
        near[j] = Math.max(0, near[j] + step);
        expect(loss(near)).toBeGreaterThan(least - 1e-7);
      }
    }
  }
});

describe("logs", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const rows = [
    { vit: 9, tokens: 3900, ms: 131.5 },
    { vit: 8, tokens: 3000, ms: 120 },
  ];

  test("as JSON Lines, a list, CSV, and gzip", async () => {
    const lines = rows.map((row) => JSON.stringify(row)).join("\n");
    const csv = "vit,tokens,ms\n9,3900,131.5\n8,3000,120\n";
    for (const text of [
      lines,
      `${lines}\n\n`,
      JSON.stringify(rows),
      csv,
      csv.replaceAll(",", ";"),
      csv.replaceAll(",", "\t"),
    ]) {
      expect(await readLog(bytes(text))).toEqual(rows);
    }
    const { gzipSync } = await import("node:zlib");
    expect(await readLog(gzipSync(bytes(csv)))).toEqual(rows);
    expect(await readLog(bytes('step,vit,ms\n0,"[9, 8]",5\n1,7 6,4\n'))).toEqual([
      { step: 0, vit: [9, 8], ms: 5 },
      { step: 1, vit: [7, 6], ms: 4 },
    ]);
  });

  test("as Parquet", async () => {
    const { parquetWriteBuffer } = await import("hyparquet-writer");
    const file = parquetWriteBuffer({
      columnData: [
        { name: "vit", data: [9n, 8n], type: "INT64" },
        { name: "tokens", data: [3900, 3000], type: "INT32" },
        { name: "ms", data: [131.5, 120], type: "DOUBLE" },
      ],
    });
    expect(await readLog(new Uint8Array(file))).toEqual([
      { vit: 9n, tokens: 3900, ms: 131.5 },
      { vit: 8n, tokens: 3000, ms: 120 },
    ]);
  });

  test("a row for each rank of a step is the same as lists", () => {
    const lists = stepLog(400, 4, { seed: 2 });
    const long = lists.flatMap(({ vit, tokens, ms }, step) =>
      (vit as number[]).map((own, rank) => ({ step, rank, vit: own, tokens: (tokens as number[])[rank], ms })),
    );
    expect(fitCost(long)).toEqual(fitCost(lists));
    // As groups by themselves they are other logs.
    expect(fitCost(long, { per: "group" }).rows).toBe(1600);
  });

  test("what is wrong with them is said", async () => {
    const log = groupLog(100);
    const at = (i: number, change: object) => log.map((row, k) => (k === i ? { ...row, ...change } : row));
    expect(() => fitCost([])).toThrow("the log has no rows");
    expect(() => fitCost(log.slice(0, 19))).toThrow("the log has 19 rows, expected at least 20 for vit, tokens, group");
    expect(() => fitCost(log, { time: "seconds" })).toThrow('row 0: seconds is missing, it has "vit", "tokens", "ms"');
    expect(() => fitCost(log, { loads: ["frames"] })).toThrow("row 0: frames is missing");
    expect(() => fitCost(at(7, { ms: 0 }))).toThrow("row 7: ms is 0, expected a time above 0, in ms");
    expect(() => fitCost(at(7, { vit: -1 }), { loads: ["vit"] })).toThrow(
      "row 7: vit is -1, expected a load of each rank",
    );
    expect(() => fitCost(at(7, { groups: 0 }))).toThrow("row 7: groups is 0, expected a number of groups above 0");
    expect(() => fitCost(log, { per: "rank" as never })).toThrow('per is "rank", expected group or step');
    expect(() => fitCost(log, { warmup: 3 } as never)).toThrow('fitCost has no option "warmup": did you mean warmUp?');
    await expect(readLog(bytes('{"ms":1}\n{"ms":'))).rejects.toThrow("log: line 2: not JSON");
    await expect(readLog(bytes("[3]"))).rejects.toThrow("log: entry 0 is 3, expected an object");
    await expect(readLog(new Uint8Array([255, 254, 0]))).rejects.toThrow("log: is neither text nor Parquet");
    await expect(readLog("nowhere.jsonl")).rejects.toThrow("nowhere.jsonl: cannot be read (ENOENT)");
  });
});
