import { describe, expect, test } from "vitest";
import { GPUS, parseGpu, profileFromConfig } from "../../src/model/config.ts";
import type { Profile } from "../../src/model/index.ts";
import { quantityOf } from "../../src/model/profile.ts";
import { modelConfig, modelProfile } from "./models.ts";

/** Parameters in billions: 18 bytes each. */
function billions({ layers }: Profile, type?: string): number {
  return (
    layers.filter((layer) => type === undefined || layer.type === type).reduce((sum, l) => sum + l.parameterBytes, 0) /
    18e9
  );
}

describe("parameters, as the models' cards have them", () => {
  test.each([
    // 5.5 B of the ViT, 19.9 B of the language model.
    ["internvl-6-20b", 25.2, 25.8],
    ["internvl-6-34b", 39.7, 40.5],
    ["qwen2.5-vl-72b", 73.0, 73.6],
    ["qwen3-vl-235b-a22b", 234, 237],
    ["deepseek-v3", 668, 674],
  ])("%s", (name, low, high) => {
    const all = billions(modelProfile(name));
    expect(all).toBeGreaterThan(low);
    expect(all).toBeLessThan(high);
  });

  test("by part", () => {
    const profile = modelProfile("internvl-6-20b");
    expect(billions(profile, "vit")).toBeCloseTo(5.54, 1);
    expect(billions(profile, "decoder")).toBeCloseTo(18.7, 1);
    expect(billions(profile, "head")).toBeCloseTo(0.569, 2);
    expect(billions(profile, "projector")).toBeCloseTo(0.117, 2);
  });
});

test("layers in order, with the names of the model's modules", () => {
  const names = (name: string) => modelProfile(name).layers.map((layer) => `${layer.type} ${layer.name}`);
  const internvl = names("internvl-6-20b");
  expect(internvl).toHaveLength(1 + 45 + 1 + 1 + 48 + 1);
  expect([internvl[0], internvl[1], internvl[45], internvl[46], internvl[47], internvl[48], internvl[96]]).toEqual([
    "vit vision_model.embeddings",
    "vit vision_model.encoder.layers.0",
    "vit vision_model.encoder.layers.44",
    "projector mlp1",
    "embedding language_model.model.tok_embeddings",
    "decoder language_model.model.layers.0",
    "head language_model.output",
  ]);
  const qwen = names("qwen2.5-vl-72b");
  expect(qwen.slice(32, 36)).toEqual([
    "vit model.visual.blocks.31",
    "projector model.visual.merger",
    "embedding model.language_model.embed_tokens",
    "decoder model.language_model.layers.0",
  ]);
  expect(names("deepseek-v3")[0]).toBe("embedding model.embed_tokens");
});

test("time: 2 operations per weight and token, attention of a sample alone squared", () => {
  const tokens = { mean: 4096, max: 4096 };
  const flops = (profile: Profile, l: number) =>
    quantityOf(profile.layers[l].forwardMs, { tokens: { sum: 4096, squares: 4096 ** 2 }, vit: { sum: 9 } }) *
    GPUS.a100.flops *
    0.5 *
    1e-3;
  const dense = modelProfile("internvl-6-34b", { tokens });
  // A decoder layer of Yi-34B: 556 M weights (q and o of 7168 x 7168, k and v of 7168 x 1024, MLP of 3 x 7168 x 20480).
  const weights = 2 * 7168 * 7168 + 2 * 7168 * 1024 + 3 * 7168 * 20480;
  expect(flops(dense, 60) / (2 * weights * 4096 + 2 * 7168 * 4096 ** 2)).toBeCloseTo(1, 9);
  // Of 235 B parameters 22 B work on a token.
  const moe = modelProfile("qwen3-vl-235b-a22b", { tokens });
  const active = moe.layers
    .map((layer, l) => (layer.type === "decoder" || layer.type === "head" ? flops(moe, l) : 0))
    .reduce((sum, own) => sum + own, 0);
  const attention = 94 * 2 * 64 * 128 * 4096 ** 2;
  expect((active - attention) / (2 * 4096) / 1e9).toBeGreaterThan(20.5);
  expect((active - attention) / (2 * 4096) / 1e9).toBeLessThan(22.5);
  // Four samples of the same tokens in all: a quarter of the attention.
  const four = modelProfile("internvl-6-34b", { tokens, samples: 4 });
  expect(four.loads?.tokens.meanSquares).toBe(4096 ** 2 / 4);
});

test("windows: 28 of Qwen2.5-VL's 32 ViT layers cost nothing per square", () => {
  const { layers } = modelProfile("qwen2.5-vl-72b");
  const squared = layers.filter(
    (layer) => layer.type === "vit" && typeof layer.forwardMs === "object" && layer.forwardMs.perSquare,
  );
  expect(squared.map((layer) => layer.name.split(".").pop())).toEqual(["7", "15", "23", "31"]);
});

test("what devices share", () => {
  const sum = (profile: Profile) => profile.layers.reduce((all, layer) => all + layer.parameterBytes, 0);
  const one = sum(modelProfile("qwen3-vl-235b-a22b"));
  expect(sum(modelProfile("qwen3-vl-235b-a22b", { tensorParallel: 8 }))).toBeCloseTo(one / 8, -4);
  expect(sum(modelProfile("qwen3-vl-235b-a22b", { dataParallel: 4 })) / one).toBeCloseTo((6 + 3) / 18, 9);
  // 227 B of 235 are experts.
  expect(sum(modelProfile("qwen3-vl-235b-a22b", { expertParallel: 8 })) / one).toBeCloseTo(
    (235 - 227.1 * (7 / 8)) / 235,
    2,
  );
});

test("the formulas are printed", () => {
  const about = (modelProfile("internvl-6-20b", { tensorParallel: 2, dataParallel: 4 }).about ?? []).join("\n");
  for (const part of [
    "ViT: 45 layers of 3200, 25 heads, an MLP of 12800, 1025 tokens a tile",
    "projector: 4 encoder tokens to one of 6144, 256 tokens a tile",
    "decoder: 48 layers of 6144, 48 heads of 128, 8 of keys and values, a gated MLP of 16384; vocabulary 92553",
    "A100: 312 TFLOP/s x 0.5 reached x 2 tensor-parallel devices",
    "backward = 2 x forward, of attention 2.5 x",
    "9 bytes a parameter: weight 2, gradient 4, Adam in float32 12 / 4 data-parallel ranks, / 2",
  ]) {
    expect(about).toContain(part);
  }
  const moe = (modelProfile("deepseek-v3").about ?? []).join("\n");
  expect(moe).toContain("latent keys and values of rank 512");
  expect(moe).toContain("58 with 8 of 256 experts of 2048 and a shared 2048, the others with a gated MLP of 18432");
  expect(
    (
      profileFromConfig({ ...(modelConfig("qwen2.5-vl-72b") as object), tie_word_embeddings: true }, { gpu: GPUS.h100 })
        .about ?? []
    ).join(),
  ).toContain("embeddings are tied");
});

test("GPUs", () => {
  expect(parseGpu("h100")).toMatchObject({ flops: 989e12, memory: 80e9 });
  expect(parseGpu("1e15,141e9")).toMatchObject({ flops: 1e15, memory: 141e9 });
  for (const text of ["", "b200", "1e15", "1,2", "1e15,80GB", "1e15,80e9,3", "NaN,1e9", "constructor"]) {
    expect(() => parseGpu(text)).toThrow(/^gpu is ".*", expected h100, a100 or FLOPS,BYTES/);
  }
});

describe("configs that are not", () => {
  const with_ = (change: object) => ({ ...(modelConfig("deepseek-v3") as object), ...change });
  test.each([
    [null, "c.json: the config is null, expected an object"],
    [[], "c.json: the config is [], expected an object"],
    [{}, "c.json: hidden_size is missing, expected a whole number from 1 to 1048576"],
    [with_({ hidden_size: "7168" }), 'c.json: hidden_size is "7168", expected a whole number'],
    [with_({ num_hidden_layers: 0 }), "c.json: num_hidden_layers is 0, expected a whole number from 1 to 1000"],
    [
      with_({ num_hidden_layers: 1e9 }),
      "c.json: num_hidden_layers is 1000000000, expected a whole number from 1 to 1000",
    ],
    [with_({ vocab_size: null }), "c.json: vocab_size is missing"],
    [
      with_({ num_experts_per_tok: 1000 }),
      "c.json: num_experts_per_tok is 1000, expected a whole number from 1 to 256",
    ],
    [with_({ vision_config: 3 }), "c.json: vision_config is 3, expected an object"],
    [with_({ vision_config: {} }), "c.json: vision_config.embed_dim or hidden_size is missing"],
    [
      with_({ vision_config: { hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4, patch_size: 14 } }),
      "c.json: force_image_size is missing, expected a whole number",
    ],
    [with_({ hidden_size: 1 << 20, intermediate_size: 1 << 24, num_hidden_layers: 1000 }), "parameterBytes is "],
  ])("%j", (config, why) => {
    expect(() => profileFromConfig(config, { gpu: GPUS.h100 }, "c.json")).toThrow(why);
  });

  test("options", () => {
    const config = modelConfig("deepseek-v3");
    expect(() => profileFromConfig(config, { gpu: GPUS.h100, efficiency: 0 })).toThrow(
      "efficiency is 0, expected above 0 up to 1",
    );
    expect(() => profileFromConfig(config, { gpu: GPUS.h100, tensorParallel: 1.5 })).toThrow("tensorParallel is 1.5");
    expect(() => profileFromConfig(config, { gpu: GPUS.h100, tokens: { mean: 2, max: 1 } })).toThrow(
      "tokens is 2 to 1",
    );
  });
});
