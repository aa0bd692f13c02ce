import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Samples } from "../../bench/inputs.ts";
import { InputError, load, OptionError } from "../../src/index.ts";
import { needs } from "../needs.ts";
import { noRealData, samples } from "../samples.ts";

const omnibal = await load();

/** The fewest groups there can be, by trying every way: for a handful of samples. */
function fewestGroups({ vit, tokens }: Samples, maxVit: number, maxTokens: number): number {
  const fitting = Array.from(vit.keys()).filter((i) => vit[i] <= maxVit && tokens[i] <= maxTokens);
  let best = fitting.length;
  const freeVit: number[] = [];
  const freeTokens: number[] = [];
  const place = (k: number): void => {
    if (freeVit.length >= best) return;
    if (k === fitting.length) {
      best = freeVit.length;
      return;
    }
    const v = vit[fitting[k]];
    const t = tokens[fitting[k]];
    for (let g = 0; g < freeVit.length; g++) {
      if (freeVit[g] < v || freeTokens[g] < t) continue;
      freeVit[g] -= v;
      freeTokens[g] -= t;
      place(k + 1);
      freeVit[g] += v;
      freeTokens[g] += t;
    }
    freeVit.push(maxVit - v);
    freeTokens.push(maxTokens - t);
    place(k + 1);
    freeVit.pop();
    freeTokens.pop();
  };
  place(0);
  return best;
}

function of(loads: readonly (readonly [number, number])[]): Samples {
  return { vit: Int32Array.from(loads, (l) => l[0]), tokens: Int32Array.from(loads, (l) => l[1]) };
}

describe("against trying everything", () => {
  const few = fc.array(fc.tuple(fc.nat(13), fc.nat(13)), { maxLength: 8 });

  test("no bound is above the fewest groups possible", () => {
    fc.assert(
      fc.property(few, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (loads, maxVit, maxTokens) => {
        const input = of(loads);
        const { kind, best, ...bounds } = omnibal.lowerBound(input, { maxVit, maxTokens });
        expect([best, bounds[kind]]).toEqual(Array(2).fill(Math.max(...Object.values(bounds))));
        expect(best).toBeLessThanOrEqual(fewestGroups(input, maxVit, maxTokens));
      }),
      { numRuns: 1500 },
    );
  });

  // For up to 9 samples the linear programme rounded up is the fewest groups (Kartak et al., minimal proper non-IRUP
  // instances of the one-dimensional cutting stock problem).
  test("the pattern bound is the fewest groups where vit alone binds", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(1, 7, 1000, 178_956_970),
        (vits, capacity, scale) => {
          const input = of(vits.map((v) => [v * scale, 0]));
          const maxVit = capacity * scale;
          const { pattern } = omnibal.lowerBound(input, { maxVit, maxTokens: 1 });
          expect(pattern).toBe(fewestGroups(input, maxVit, 1));
        },
      ),
      { numRuns: 1500 },
    );
  });

  test("samples above half of a bound are counted, and what fits beside none of them", () => {
    // Three of 6 tokens leave 4 each; four of 5 fit beside none, two to a group.
    const input = of([6, 6, 6, 5, 5, 5, 5].map((t) => [0, t]));
    const { linear, half } = omnibal.lowerBound(input, { maxVit: 1, maxTokens: 10 });
    expect([linear, half]).toEqual([4, 5]);
    expect(fewestGroups(input, 1, 10)).toBe(5);
  });
});

describe("figures", () => {
  test("two samples of 5 tiles never share 9", () => {
    const input = of(Array.from({ length: 100 }, () => [5, 1] as const));
    const options = { maxVit: 9, maxTokens: 4096 };
    expect(omnibal.lowerBound(input, options)).toEqual({
      ...{ linear: 56, pattern: 100, half: 100, difference: 38 },
      ...{ best: 100, kind: "pattern" },
    });
    expect(omnibal.pack(input, options).bound).toBe(56);
    expect(omnibal.pack(input, { ...options, lowerBound: "tight" }).bound).toBe(100);
    expect(omnibal.pack(input, { ...options, method: "balanced" }).bound).toBe(100);
    expect(omnibal.pack(input, { ...options, method: "balanced", lowerBound: "linear" }).bound).toBe(56);
  });

  test.each([
    [9, 4096, 12_697, 14_085],
    [10, 4096, 11_428, 12_004],
    [13, 4416, 8_791, 9_003],
    [14, 4736, 8_163, 8_451],
    [16, 5376, 7_143, 7_202],
    [18, 6016, 6_349, 6_349],
  ])("synthdog at %i / %i", needs(noRealData), (maxVit, maxTokens, linear, pattern) => {
    expect(omnibal.lowerBound(samples("synthdog_en"), { maxVit, maxTokens })).toMatchObject({ linear, pattern });
  });

  test("nothing, and samples without load", () => {
    const options = { maxVit: 9, maxTokens: 9 };
    expect(omnibal.lowerBound([], options).best).toBe(0);
    expect(omnibal.lowerBound(of([[0, 0]]), options).best).toBe(1);
    expect(omnibal.lowerBound(of([[10, 0]]), options).best).toBe(0);
  });
});

test("what it refuses", () => {
  const options = { maxVit: 9, maxTokens: 9 };
  expect(() => omnibal.lowerBound(of([[1, -1]]), options)).toThrow(InputError);
  expect(() => omnibal.lowerBound(of([[1, -1]]), options)).toThrow("index 0: tokens is -1");
  expect(() => omnibal.lowerBound([], { maxVit: 0, maxTokens: 9 })).toThrow(OptionError);
});
