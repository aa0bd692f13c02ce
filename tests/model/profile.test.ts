import { describe, expect, test } from "vitest";
import { InputError, load, OptionError } from "../../src/index.ts";
import { checkProfile, type Profile, parseProfile, planModel } from "../../src/model/index.ts";
import { quantityOf, toCoreLayers } from "../../src/model/profile.ts";
import { smallProfile } from "./models.ts";

const core = await load();

// biome-ignore lint/suspicious/noExplicitAny: profiles are spoilt here in every way
type Loose = any;

type Spoil = (profile: Loose) => unknown;

/** Puts a value at a place such as layers[3].name, or takes away what is there. */
function put(place: string, value: unknown): Spoil {
  return (profile) => {
    const keys = place.split(/[.[\]]+/).filter((key) => key !== "");
    const last = keys.pop() as string;
    const at = keys.reduce((object, key) => object[key], profile);
    if (value === undefined) delete at[last];
    else at[last] = value;
    return profile;
  };
}

function instead(value: unknown): Spoil {
  return () => value;
}

function failure(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was wrong");
}

const quantity = "layers[3].forwardMs";

describe("what is wrong is said: where, what is there, what was expected", () => {
  const cases: [why: string, spoil: Spoil][] = [
    ["the profile is null, expected an object", instead(null)],
    ['the profile is "profile", expected an object', instead("profile")],
    ["the profile is a list of 2, expected an object", instead([1, 2])],
    [
      'the profile has "layer", expected one of format, version, name, about, loads, device, link, layers',
      put("layer", []),
    ],
    [
      'the profile has "__proto__", expected one of',
      instead(JSON.parse('{"__proto__": {"format": "omnibal-profile"}}')),
    ],
    ['format is missing, expected "omnibal-profile"', put("format", undefined)],
    ["version is 2, expected 1", put("version", 2)],
    ['version is "1", expected 1', put("version", "1")],
    ["device is missing, expected an object", put("device", undefined)],
    ["device.memory is 0, expected a number from 1 to 8796093022208", put("device.memory", 0)],
    ['device.memory is "80GB", expected a number', put("device.memory", "80GB")],
    ["link.bytesPerSecond is 0, expected a number from 1", put("link.bytesPerSecond", 0)],
    ["link.latencyMs is -1, expected a number from 0", put("link.latencyMs", -1)],
    ["layers is missing, expected a list of layers", put("layers", undefined)],
    ["layers is a list of 0, expected 1 to 1024 layers", put("layers", [])],
    [
      "layers is a list of 1025, expected 1 to 1024 layers",
      put("layers", new Array(1025).fill(smallProfile().layers[0])),
    ],
    ["layers[3] is null, expected an object", put("layers[3]", null)],
    ['layers[3] has "forwardMS", expected one of name, type, forwardMs', put("layers[3].forwardMS", 1)],
    ["layers[3].name is missing, expected a text of 1 to 400 characters", put("layers[3].name", undefined)],
    ['layers[4].name is "layers.0", expected another name than that of layers[3]', put("layers[4].name", "layers.0")],
    ["layers[3].name is", put("layers[3].name", "a\u001b[2Jb")],
    ["expected a text without control characters", put("layers[3].type", "dec\u202eoder")],
    [`${quantity} is missing, expected a number from 0 to 10000000`, put("layers[3].forwardMs", undefined)],
    [`${quantity} is -1, expected`, put("layers[3].forwardMs", -1)],
    [`${quantity} is NaN, expected`, put("layers[3].forwardMs", Number.NaN)],
    [`${quantity} is Infinity, expected`, put("layers[3].forwardMs", Number.POSITIVE_INFINITY)],
    [`${quantity} is 1e+300, expected`, put("layers[3].forwardMs", 1e300)],
    [`${quantity} has "perToken", expected one of fixed, per, perSquare`, put("layers[3].forwardMs", { perToken: 1 })],
    [`${quantity}.per is a list of 1, expected an object`, put("layers[3].forwardMs", { per: [1] })],
    [`${quantity}.per["tokens"] is "x", expected a number`, put("layers[3].forwardMs", { per: { tokens: "x" } })],
    [`${quantity}.per has "a b", expected the name of a load`, put("layers[3].forwardMs", { per: { "a b": 1 } })],
    [
      `loads["tokens"] is missing, expected its mean and max: ${quantity}.per names it`,
      put("layers[3].forwardMs", { per: { tokens: 1 } }),
    ],
    [
      `loads["tokens"].meanSquares is missing, expected the mean and max of its sum of squares: ${quantity}.perSquare names it`,
      (p) => {
        put("loads", { tokens: { mean: 1, max: 2 } })(p);
        return put("layers[3].forwardMs", { perSquare: { tokens: 1e-6 } })(p);
      },
    ],
    ['loads["tokens"].max is 1, expected a number from 2', put("loads", { tokens: { mean: 2, max: 1 } })],
    ['loads["tokens"].maxSquares is missing', put("loads", { tokens: { mean: 2, max: 3, meanSquares: 4 } })],
    [
      'loads has "__proto__", expected the name of a load',
      put("loads", JSON.parse('{"__proto__": {"mean": 1, "max": 1}}')),
    ],
    [
      "layers[3].recomputedBytes is 1001000000 for the largest micro-batch, expected at most keptBytes, 1000000000",
      put("layers[3].recomputedBytes", 1.001e9),
    ],
    [
      "layers[3]: its forward for a micro-batch is too large",
      (p) => {
        put("loads", { tokens: { mean: 1e12, max: 1e12 } })(p);
        return put("layers[3].forwardMs", { per: { tokens: 1e6 } })(p);
      },
    ],
    [
      "a micro-batch takes 1320",
      (p) => ({ ...p, layers: p.layers.map((layer: Loose) => ({ ...layer, forwardMs: 66_000 })) }),
    ],
    ['layers[3].modules is "norm", expected a list of texts', put("layers[3].modules", "norm")],
    ["about[1] is 3, expected a text", put("about", ["measured", 3])],
  ];
  test.each(cases)("%s", (why, spoil) => {
    const error = failure(() => checkProfile(spoil(structuredClone(smallProfile())), "p.json"));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toContain(why);
    expect(error.message.startsWith("p.json: ")).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may reach a terminal
    expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  test("no JSON, deep JSON, JSON cut short", () => {
    for (const text of ["", "{", '{"format":', "[".repeat(100_000), "\0"]) {
      expect(failure(() => parseProfile(text, "p.json"))).toMatchObject({ code: "INVALID_FILE" });
    }
  });
});

test("loads that a profile names must be given", () => {
  const quantity = { per: { tokens: 1 }, perSquare: { vit: 1 } };
  expect(() => quantityOf(quantity, {})).toThrow('loads have no "tokens", expected the sum that the profile names');
  expect(() => quantityOf(quantity, { tokens: { sum: 1 }, vit: { sum: 1 } })).toThrow(
    'loads have no "vit", expected the sum of squares that the profile names',
  );
  expect(() => quantityOf({ per: { constructor: 1 } }, {})).toThrow(InputError);
});

test("a profile comes back as it is, and through JSON", () => {
  const profile = { ...smallProfile(), loads: {} };
  expect(checkProfile(profile)).toEqual(profile);
  expect(parseProfile(JSON.stringify(profile))).toEqual(profile);
});

test("quantities: fixed, per load, per sum of squares", () => {
  const loads = { tokens: { sum: 30, squares: 500 }, vit: { sum: 4 } };
  expect(quantityOf(7, loads)).toBe(7);
  expect(quantityOf({ fixed: 1, per: { tokens: 2, vit: 10 }, perSquare: { tokens: 0.5 } }, loads)).toBe(
    1 + 60 + 40 + 250,
  );
  const profile: Profile = {
    ...smallProfile(),
    loads: { tokens: { mean: 10, max: 20, meanSquares: 60, maxSquares: 400 } },
  };
  const [first] = profile.layers;
  const [layer] = toCoreLayers(
    {
      ...profile,
      layers: [
        {
          ...first,
          forwardMs: { fixed: 1, perSquare: { tokens: 0.1 } },
          keptBytes: { per: { tokens: 100.5 } },
          recomputedBytes: 100.2,
        },
      ],
    },
    { mean: { tokens: { sum: 10, squares: 60 } }, max: { tokens: { sum: 20, squares: 400 } } },
  );
  // Times at the mean in nanoseconds, bytes at the most; 100 kB at 1 GB/s after 0.1 ms.
  expect(layer).toEqual({
    forward: 7e6,
    backward: 6e6,
    kept: 2010,
    recomputed: 101,
    parameters: 1e9,
    transfer: 200_000,
  });
});

describe("options", () => {
  const profile = smallProfile();
  test.each([
    [{ stages: 0 }, "stages is 0, expected a whole number from 1 to 256"],
    [{ stages: 257 }, "stages is 257"],
    [{ stages: 11 }, "10 layers are too few for 11 stages of a layer or more each"],
    [{ microBatches: 0.5 }, "microBatches is 0.5"],
    [{ memory: Number.NaN }, "memory is NaN, expected bytes from 1 to 2^50"],
    [{ memory: -1 }, "memory is -1"],
    [{ schedule: "zb" }, 'schedule is "zb", expected gpipe, 1f1b, interleaved'],
    [{ chunks: 2 }, "chunks is 2, but 1f1b has one per stage"],
    [{ schedule: "interleaved", chunks: 1 }, "chunks is 1, expected 2 or more for interleaved"],
    [
      { schedule: "interleaved", microBatches: 7 },
      "microBatches is 7, expected a multiple of the 2 stages for interleaved",
    ],
    [
      { schedule: "interleaved", partition: "paper" },
      "partition and recompute of the paper are not for interleaved stages",
    ],
    [{ partition: "best" }, 'partition is "best", expected exact, paper'],
    [{ recompute: "some" }, 'recompute is "some", expected exact, paper, full, none'],
    [{ effort: 3 }, "effort is 3"],
    [
      { firstLeast: 10 },
      "10 layers are too few for 2 stages of a layer or more each (the first has 10 or more, the last 1)",
    ],
  ] as [object, string][])("%j", (options, why) => {
    const error = failure(() => planModel(core, profile, { stages: 2, microBatches: 4, ...options }));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toContain(why);
  });

  test("what does not fit says what would, and that is right to a thousandth", () => {
    for (const recompute of ["exact", "full", "none"] as const) {
      const options = { stages: 3, microBatches: 6, recompute };
      const error = failure(() => planModel(core, profile, { ...options, memory: 2e9 }));
      expect(error).toMatchObject({ code: "INFEASIBLE", name: "OptionError" });
      const [, seen] =
        /^nothing fits 3 stages of 2\.0 GB (?:whatever|with) .*: about ([\d.]+) GB would do, or more stages$/.exec(
          error.message,
        ) ?? [];
      expect(planModel(core, profile, { ...options, memory: Number(seen) * 1e9 }).fits).toBe(true);
      expect(() => planModel(core, profile, { ...options, memory: (Number(seen) - 0.11) * 1e9 })).toThrow(
        "nothing fits",
      );
    }
  });
});
