// Packers of streams of any loads, through the public surface.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { native } from "../../bench/inputs.ts";
import { load, type PackedGroup, type Packer } from "../../src/index.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const NAMES = ["patches", "tokens", "audio", "frames", "labels", "vit", "a=b", "8"];

const problems = fc
  .record({
    bounds: fc.array(
      fc.oneof(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 1, max: 2 ** 40 }),
      ),
      {
        minLength: 0,
        maxLength: 7,
      },
    ),
    first: fc.integer({ min: 1, max: 5000 }),
    carried: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    n: fc.nat(120),
    buffer: fc.integer({ min: 1, max: 40 }),
    cuts: fc.array(fc.nat(120), { maxLength: 3 }),
    seed: fc.nat(),
  })
  .chain(({ first, bounds, carried, n, ...rest }) => {
    const all = [first, ...bounds];
    const value = (b: number) => fc.oneof(fc.nat(b), fc.nat(Math.ceil(b / 4)), fc.nat(Math.ceil(b * 1.05)));
    return fc.tuple(...all.map((b) => fc.array(value(b), { minLength: n, maxLength: n }))).map((columns) => {
      const isCarried = (k: number) => k > 0 && carried[k];
      const names = NAMES.slice(0, all.length);
      return {
        ...rest,
        n,
        columns: Object.fromEntries(names.map((name, k) => [name, columns[k]])),
        max: Object.fromEntries(names.flatMap((name, k) => (isCarried(k) ? [] : [[name, all[k]]]))),
        carry: names.filter((_, k) => isCarried(k)),
      };
    });
  });

type Columns = Record<string, number[]>;

function feed(
  packer: Packer,
  columns: Columns,
  cuts: readonly number[],
  out: PackedGroup[] = [],
  oversize: number[] = [],
) {
  const n = Object.values(columns)[0].length;
  const ends = [...cuts.filter((cut) => cut < n).sort((a, b) => a - b), n];
  let from = packer.taken;
  for (const end of ends) {
    if (end < from) continue;
    const piece = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values.slice(from, end)]));
    const own = packer.push(piece);
    out.push(...own.groups);
    oversize.push(...own.oversize);
    from = end;
  }
  return { groups: out, oversize };
}

describe("a packer of 1 to 8 loads", () => {
  test("each sample once, all bounds hold, sums are right, and how pushes are cut does not matter", () => {
    fc.assert(
      fc.property(problems, ({ columns, max, carry, n, buffer, cuts, seed }) => {
        const make = () => omnibal.packer({ max, carry, buffer, seed });
        const packer = make();
        const { groups, oversize } = feed(packer, columns, cuts);
        groups.push(...packer.flush().groups);
        const places = [...groups.flatMap(({ indices }) => [...indices]), ...oversize].sort((a, b) => a - b);
        expect(places).toEqual(Array.from({ length: n }, (_, i) => i));
        const names = [
          ...Object.keys(max).filter((name) => name === "vit"),
          ...Object.keys(max).filter((name) => name !== "vit"),
          ...carry,
        ];
        for (const { indices, loads, tokens } of groups) {
          expect(Object.keys(loads)).toEqual(Object.keys(Object.fromEntries(names.map((name) => [name, 0]))));
          for (const name of names) {
            const sum = Array.from(indices).reduce((total, i) => total + columns[name][i], 0);
            expect([name, loads[name]]).toEqual([name, sum]);
            if (Object.hasOwn(max, name)) expect(sum).toBeLessThanOrEqual(max[name]);
          }
          expect(tokens).toBe(loads.tokens ?? 0);
        }
        for (const i of oversize)
          expect(Object.entries(max).some(([name, bound]) => columns[name][i] > bound)).toBe(true);
        const whole = make();
        expect([...feed(whole, columns, []).groups, ...whole.flush().groups]).toEqual(groups);
      }),
      { numRuns: 150 },
    );
  });

  test("saved anywhere and loaded it goes on the same, and knows its loads", () => {
    fc.assert(
      fc.property(problems, ({ columns, max, carry, n, buffer, cuts, seed }) => {
        const packer = omnibal.packer({ max, carry, buffer, seed });
        const { groups } = feed(packer, columns, cuts);
        groups.push(...packer.flush().groups);
        const first = omnibal.packer({ max, carry, buffer, seed });
        const half = Object.fromEntries(
          Object.entries(columns).map(([name, values]) => [name, values.slice(0, n >> 1)]),
        );
        const before = feed(first, half, []);
        const state = first.save();
        const second = omnibal.loadPacker(state, { max, carry, buffer, seed });
        expect(second.save()).toEqual(state);
        const rest = feed(second, columns, [], before.groups, before.oversize);
        expect([...rest.groups, ...second.flush().groups]).toEqual(groups);
      }),
      { numRuns: 100 },
    );
  });

  test("loads that never bind change no group, and the usual two are as before", () => {
    const input = samples("tiled:5000");
    const plain = omnibal.packer({ maxVit: 9, maxTokens: 4096, buffer: 500 });
    const named = omnibal.packer({ max: { tokens: 4096, vit: 9 }, buffer: 500 });
    const more = omnibal.packer({ max: { vit: 9, tokens: 4096, frames: 2 ** 50 }, carry: ["labels"], buffer: 500 });
    const columns = { ...input, frames: input.vit, labels: input.tokens };
    const out = [plain, named, more].map((packer) => [...packer.push(columns).groups, ...packer.flush().groups]);
    expect(out[1]).toEqual(out[0]);
    expect(out[2].map(({ indices }) => indices)).toEqual(out[0].map(({ indices }) => indices));
    expect([plain.save()[4], more.save()[4]]).toEqual([1, 2]);
    expect([{ ...plain }, { ...more }]).toEqual([
      { maxVit: 9, maxTokens: 4096, seed: 1024 },
      { max: { vit: 9, tokens: 4096, frames: 2 ** 50 }, carry: ["labels"], seed: 1024 },
    ]);
  });

  test("fine values: native resolution within 3 % of the lower bound, where ISF needs 5 % more", () => {
    const { patches, tokens } = native(40_000);
    const max = { patches: 65_536, tokens: 16_384 };
    const packer = omnibal.packer({ max });
    const groups = packer.push({ patches, tokens }).groups.length + packer.flush().groups.length;
    expect(groups / omnibal.lowerBound({ patches, tokens }, { max }).best).toBeLessThan(1.03);
  });

  test("align and squares", () => {
    const input = samples("tiled:3000");
    const packer = omnibal.packer({ max: { tokens: 4096, "tokens^2": 6_000_000 }, align: 128, buffer: 300 });
    for (const { indices, loads } of [...packer.push(input).groups, ...packer.flush().groups]) {
      const rounded = Array.from(indices, (i) => Math.ceil(input.tokens[i] / 128) * 128);
      expect(loads).toEqual({
        tokens: rounded.reduce((sum, own) => sum + own, 0),
        "tokens^2": rounded.reduce((sum, own) => sum + own * own, 0),
      });
      expect(loads["tokens^2"]).toBeLessThanOrEqual(6_000_000);
    }
  });
});

describe("what is refused", () => {
  const max = { patches: 9, tokens: 9 };
  const state = omnibal.packer({ max, carry: ["labels"], align: 2 }).save();

  test.each<[object, string]>([
    [{ max: { patches: 8 } }, "the state is of a packer with max.patches 9, expected 8"],
    [{ max: { frames: 8 } }, "the state is of a packer without max.frames, expected 8"],
    [{ maxVit: 8 }, "the state is of a packer without maxVit, expected 8"],
    [{ carry: [] }, 'the state is of a packer with carry labels, expected ""'],
    [{ align: 1 }, "the state is of a packer with align 2, expected 1"],
    [{ seed: 1 }, "the state is of a packer with seed 1024, expected 1"],
  ])("a state of other options: %j", (expected, why) => {
    expect(() => omnibal.loadPacker(state, expected)).toThrow(why);
  });

  test("any byte of a state altered, or cut", () => {
    for (let at = 8; at < state.length; at++) {
      const other = state.slice();
      other[at] ^= 1 << (at % 8);
      expect(() => omnibal.loadPacker(other)).toThrow("bytes of a packer's state that are cut short or altered");
      expect(() => omnibal.loadPacker(state.subarray(0, at))).toThrow("cut short or altered");
    }
  });

  test("a negative load anywhere, and none is taken; loads that cannot guide", () => {
    const packer = omnibal.packer({ max, carry: ["labels"] });
    const labels = Int32Array.of(1, -4);
    expect(() => packer.push({ patches: [1, 2], tokens: [1, 2], labels })).toThrow("index 1: labels is -4");
    expect(packer.taken).toBe(0);
    expect(() => omnibal.packer({ max: { tokens: 2 ** 31 } })).toThrow(
      "a packer needs a load with a bound of at most 2147483647",
    );
  });
});
