// Each rule against a second, slow one, on sizes that look for trouble: sides at and beside multiples of tiles and
// patches, strips, tiny and huge pictures.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.ts";
import { arangeLength, floorDivide, oneDecimal, roundHalfEven } from "../../src/measure/families/arithmetic.ts";
import { families, familyNamed, Settings } from "../../src/measure/families/index.ts";
import { area3d, type Loads, slowRules } from "./slow-rules.ts";

const side = fc.oneof(
  fc.integer({ min: 1, max: 60 }),
  fc.integer({ min: 1, max: 9000 }),
  fc
    .tuple(
      fc.constantFrom(14, 16, 28, 32, 48, 256, 266, 336, 364, 384, 448, 512),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: -1, max: 1 }),
    )
    .map(([step, n, off]) => Math.max(1, step * n + off)),
  fc.tuple(fc.constantFrom(14, 28, 32), fc.integer({ min: 0, max: 60 })).map(([step, n]) => step * n + step / 2),
);
const sizes = fc.oneof(
  fc.tuple(side, side),
  // The same shape at several scales, where ties of ratios are decided by area.
  fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 500 }))
    .map(([a, b, k]) => [a * k, b * k] as [number, number]),
);

function given(values: Record<string, unknown>): Settings {
  return new Settings([{ role: "given", origin: "test", values }]);
}

function loads(of: () => { vit: number; tokens: number }): Loads | null {
  try {
    const { vit, tokens } = of();
    return [vit, tokens];
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

describe("images", () => {
  test("every family has a slow rule", () => {
    expect(families.map(({ name }) => name).filter((name) => !(name in slowRules))).toEqual([]);
  });

  for (const [name, cases] of Object.entries(slowRules)) {
    for (const [values, slow] of cases) {
      test(`${name} ${JSON.stringify(values)}`, () => {
        const rule = familyNamed(name)!.image(given(values));
        fc.assert(
          fc.property(sizes, ([h, w]) => {
            expect(loads(() => rule.of(h, w, { images: 1 }))).toEqual(slow(h, w));
          }),
          { numRuns: 2000, seed: 7 },
        );
      });
    }
  }
});

describe("videos", () => {
  const clip = fc.record({
    frames: fc.integer({ min: 1, max: 20000 }),
    height: fc.integer({ min: 20, max: 2200 }),
    width: fc.integer({ min: 20, max: 2200 }),
    fps: fc.constantFrom(1, 10, 15, 23.976, 24, 25, 29.97, 30, 50, 60),
  });

  test("the frames that are taken are some of the video, and cost what area3d says", () => {
    const rule = familyNamed("qwen3-vl")!.video!(given({ shortest_edge: 4096, longest_edge: 25165824 }));
    fc.assert(
      fc.property(clip, ({ frames, height, width, fps }) => {
        const taken = rule.sample(frames, fps);
        const n = Math.min(Math.max(Math.trunc((frames / fps) * 2), 4), 768, frames);
        expect(taken.length).toBe(n);
        expect(loads(() => rule.of(taken, { frames, height, width, fps }))).toEqual(
          area3d(n, 32, 16, 4096, 25165824)(height, width),
        );
      }),
      { numRuns: 500, seed: 7 },
    );
  });

  for (const family of families) {
    const video = family.video;
    if (video === undefined) continue;
    test(`${family.name}: frames ascend within the video; the text has what the tokens count`, () => {
      const rule = video(given({ do_sample_frames: true }));
      fc.assert(
        fc.property(clip, ({ frames, height, width, fps }) => {
          const found = loads(() => {
            const taken = rule.sample(frames, fps);
            expect(taken.every((index, i) => index >= 0 && index < frames && (i === 0 || index >= taken[i - 1]))).toBe(
              true,
            );
            const visual = rule.of(taken, { frames, height, width, fps });
            expect(visual.frames).toBe(taken.length);
            expect(visual.omitted).toBeGreaterThanOrEqual(0);
            return visual;
          });
          if (found !== null) expect(found.every((load) => Number.isSafeInteger(load) && load > 0)).toBe(true);
        }),
        { numRuns: 100, seed: 7 },
      );
    });
  }
});

describe("arithmetic", () => {
  test("halves go to the even neighbour", () => {
    expect([0.5, 1.5, 2.5, 3.5, 4.49, 4.51, -0.5, -1.5].map((x) => roundHalfEven(x) + 0)).toEqual([
      0, 2, 2, 4, 4, 5, 0, -2,
    ]);
  });

  test("a // b of floats is not the floor of the quotient", () => {
    // Python: 1.0 // 0.1 is 9.0, as 0.1 is a little more than a tenth; 1.0 / 0.1 is 10.0.
    expect(floorDivide(1, 0.1)).toBe(9);
    expect(Math.floor(1 / 0.1)).toBe(10);
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 300, noNaN: true }),
        fc.double({ min: 1.1, max: 7, noNaN: true }),
        (a, b) => {
          const k = floorDivide(a, b);
          expect(k * b <= a * (1 + 1e-15)).toBe(true);
          expect((k + 1) * b > a * (1 - 1e-15)).toBe(true);
        },
      ),
    );
  });

  test("a range of floats can have a value more", () => {
    expect(arangeLength(0, 81, 81 / 6)).toBe(6);
    expect([3, 7, 49].map((n) => arangeLength(0, 49 * n, (49 * n) / n))).toEqual([3, 7, 49]);
    const longer = Array.from({ length: 3000 }, (_, i) => i + 1).filter((n) => arangeLength(0, 1001, 1001 / n) !== n);
    expect(longer.length).toBeGreaterThan(0);
    expect(longer.every((n) => arangeLength(0, 1001, 1001 / n) === n + 1)).toBe(true);
  });

  test("one decimal, ties to the even digit", () => {
    expect([0.25, 0.75, 1.25, 2.75, 12.35, 0, 3].map(oneDecimal)).toEqual([
      "0.2",
      "0.8",
      "1.2",
      "2.8",
      "12.3",
      "0.0",
      "3.0",
    ]);
  });
});
