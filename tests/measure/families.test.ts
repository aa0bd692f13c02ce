import { describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.ts";
import { families, familyNamed, Settings } from "../../src/measure/families/index.ts";
import { resize2d } from "../../src/measure/families/resize.ts";
import { golden, isOwn } from "./golden.ts";

type Size = [height: number, width: number];

interface Facts {
  readonly model: string;
  readonly params: Record<string, unknown>;
  readonly source: string;
  readonly images?: Size[];
  readonly video?: [frames: number, height: number, width: number, fps: number][];
  readonly samples?: Size[][];
  readonly sampled_frames?: number[];
  readonly visual: Record<string, unknown>;
  readonly tokens: unknown[];
}

/** The parameters of a record; lists that it only describes are the families' own. */
function settings({ params }: Facts): Settings {
  const values = Object.fromEntries(
    Object.entries(params).filter(
      ([name, value]) => !(/pinpoints|resolutions/.test(name) && typeof value === "string"),
    ),
  );
  return new Settings([{ role: "given", origin: "images.json", values }]);
}

/** The result of a rule, or null where it refuses. */
function orNull<T>(of: () => T): T | null {
  try {
    return of();
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

describe("images.json", () => {
  const records = golden<Facts[]>("images.json");
  for (const [i, record] of records.entries()) {
    const { model, params, visual, tokens } = record;
    const name = `${i} ${model} ${JSON.stringify(params).slice(0, 120)}`;
    const family = familyNamed(model);
    if (family === undefined) throw new Error(`images.json: no family for ${model}`);
    const [load] = Object.keys(visual);
    const expected = visual[load];

    if (record.images) {
      test(name, () => {
        expect(family.counts).toBe(load);
        const rule = family.image(settings(record));
        const got = record.images!.map(([h, w]) => orNull(() => rule.of(h, w, { images: 1 })));
        expect(got.map((one) => one?.vit ?? null)).toEqual(expected);
        expect(got.map((one) => one?.tokens ?? null)).toEqual(tokens);
      });
    }

    if (record.samples) {
      test(name, () => {
        const rule = family.image(settings(record));
        const got = record.samples!.map((sizes) => sizes.map(([h, w]) => rule.of(h, w, { images: sizes.length })));
        expect(got.map((sample) => sample.map((one) => one.tokens))).toEqual(tokens);
        if (Array.isArray(expected)) expect(got.map((sample) => sample.map((one) => one.vit))).toEqual(expected);
      });
    }

    if (record.video) {
      test(name, () => {
        const rule = family.video!(settings(record));
        const got = record.video!.map(([frames, height, width, fps]) =>
          orNull(() => rule.of(rule.sample(frames, fps), { frames, height, width, fps })),
        );
        if (record.sampled_frames) expect(got.map((one) => one?.frames ?? null)).toEqual(record.sampled_frames);
        expect(got.map((one) => one?.vit ?? null)).toEqual(expected);
        expect(got.map((one) => one?.tokens ?? null)).toEqual(tokens);
      });
    }
  }

  test.skipIf(isOwn)("every family has a record", () => {
    const seen = new Set(records.map(({ model }) => familyNamed(model)?.name));
    expect(families.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
  });
});

describe("tiles.json", () => {
  interface Tiles {
    readonly sizes_width_height: [number, number][];
    readonly internvl_tiles_448: { min: number; max: number; thumbnail: boolean; tiles: number[] }[];
    readonly qwen_smart_resize: {
      factor: number;
      min_pixels: number;
      max_pixels: number;
      resized_height_width: ([number, number] | string)[];
    }[];
  }
  const facts = golden<Tiles>("tiles.json");
  const sizes = facts.sizes_width_height;

  for (const { min, max, thumbnail, tiles } of facts.internvl_tiles_448) {
    test(`internvl ${min} to ${max} tiles, thumbnail ${thumbnail}`, () => {
      const values = { image_size: 448, min_patches: min, max_patches: max, use_thumbnail: thumbnail };
      const rule = familyNamed("internvl")!.image(new Settings([{ role: "given", origin: "tiles.json", values }]));
      expect(sizes.map(([w, h]) => rule.of(h, w, { images: 1 }).vit)).toEqual(tiles);
    });
  }

  for (const { factor, min_pixels, max_pixels, resized_height_width } of facts.qwen_smart_resize) {
    test(`qwen sizes, factor ${factor}, ${min_pixels} to ${max_pixels} pixels`, () => {
      const got = sizes.map(([w, h]) => orNull(() => resize2d(h, w, factor, { least: min_pixels, most: max_pixels })));
      expect(got).toEqual(resized_height_width.map((size) => (typeof size === "string" ? null : size)));
    });
  }
});
