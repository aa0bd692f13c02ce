// A profile estimated from a Hugging Face config.json: the FLOPs and bytes of each layer, by the formulas in `about`.
import { InputError, OptionError, show } from "../core/errors.ts";
import { type NamesOf, OWN, onlyNames, type Spec, take } from "../core/options.ts";
import {
  checkProfile,
  PROFILE_FORMAT,
  PROFILE_VERSION,
  type Profile,
  type ProfileLayer,
  type Quantity,
} from "./profile.ts";

/** A device, and the link that usually connects pipeline stages on it. */
export interface Gpu {
  /** For people: it is copied to the profile's `device.name`. */
  readonly name: string;
  /** Peak dense bfloat16 operations per second. */
  readonly flops: number;
  /** Bytes of memory. */
  readonly memory: number;
  /** The link between neighbouring stages. */
  readonly link: {
    /** Bytes per second, each way. */
    readonly bytesPerSecond: number;
    /** Fixed time per transfer, in milliseconds. */
    readonly latencyMs: number;
  };
}

/** Known devices by name, with 400 and 200 Gbit/s per device between nodes. A new one is a line here. */
export const GPUS: Readonly<Record<string, Gpu>> = {
  h100: { name: "H100", flops: 989e12, memory: 80e9, link: { bytesPerSecond: 50e9, latencyMs: 0.02 } },
  a100: { name: "A100", flops: 312e12, memory: 80e9, link: { bytesPerSecond: 25e9, latencyMs: 0.02 } },
};

/**
 * A device from text: a name in `GPUS`, or FLOPS,BYTES such as 989e12,80e9 (with the link of an H100). FLOPS is
 * 1e9 .. 1e18, BYTES 1e6 .. 2^43.
 *
 * @throws OptionError INVALID_OPTION for anything else.
 */
export function parseGpu(text: string): Gpu {
  if (Object.hasOwn(GPUS, text)) return GPUS[text];
  const parts = text.split(",").map((part) => (/^[\d.]+(e\d+)?$/i.test(part) ? Number(part) : Number.NaN));
  const [flops, memory] = parts;
  if (parts.length !== 2 || !(flops >= 1e9 && flops <= 1e18) || !(memory >= 1e6 && memory <= 2 ** 43)) {
    const names = Object.keys(GPUS).join(", ");
    throw new OptionError(
      "INVALID_OPTION",
      `gpu is ${show(text)}, expected ${names} or FLOPS,BYTES such as 989e12,80e9`,
    );
  }
  return { name: "device", flops, memory, link: GPUS.h100.link };
}

/** One load of a micro-batch: 0 < mean <= max <= 2^31. */
export interface LoadRange {
  /** Its average over micro-batches, for which times are planned. */
  readonly mean: number;
  /** Its largest value, for which memory is planned. */
  readonly max: number;
}

/** What `profileFromConfig` assumes of the hardware, the parallelism and the micro-batches. */
export interface ConfigOptions {
  /** What every stage runs on: one of `GPUS`, or one that `parseGpu` made. */
  readonly gpu: Gpu;
  /** Share of the device's peak that layers reach, above 0, at most 1. Default: 0.5. */
  readonly efficiency?: number;
  /** Tokens in a micro-batch. Default: 4,096 in each. */
  readonly tokens?: LoadRange;
  /**
   * Tiles in a micro-batch, or patches for encoders of native resolution. Default: 9 tiles or 12,288 patches in each.
   */
  readonly vit?: LoadRange;
  /** Samples in a micro-batch, which do not attend to each other. Default: 1. */
  readonly samples?: number;
  /** Devices that share each layer and its activations (tensor parallelism with sequence parallelism). Default: 1. */
  readonly tensorParallel?: number;
  /** Data-parallel ranks that shard the optimizer state. Default: 1. */
  readonly dataParallel?: number;
  /** Devices that share the experts of a layer. Default: 1. */
  readonly expertParallel?: number;
  /** The link between neighbouring stages. Default: that of `gpu`. */
  readonly link?: {
    /** Bytes per second, each way: 1 .. 1e15. */
    readonly bytesPerSecond: number;
    /** Fixed time per transfer, in milliseconds: 0 .. 1e7. */
    readonly latencyMs: number;
  };
}

const AMOUNT = { kind: "integer", low: 1, high: 2 ** 20, default: 1 } as const;

export const CONFIG_OPTIONS = {
  gpu: {
    kind: "own",
    argument: "GPU",
    about: `${Object.keys(GPUS).join(", ")}, or its operations per second in bfloat16 and its bytes of memory, as 989e12,80e9`,
  },
  efficiency: {
    kind: "own",
    argument: "X",
    about: "share of the peak that layers reach, above 0, at most 1",
    usual: "0.5",
  },
  tokens: {
    kind: "own",
    argument: "N[,MAX]",
    about: "tokens in a micro-batch, on average and at most",
    usual: "4096",
  },
  vit: {
    kind: "own",
    argument: "N[,MAX]",
    about: "its tiles, or patches for native resolution",
    usual: "9, or 12288",
  },
  samples: { ...AMOUNT, about: "its samples, which do not attend to each other" },
  tensorParallel: { ...AMOUNT, about: "devices that share each layer" },
  dataParallel: { ...AMOUNT, about: "ranks that shard the optimizer state" },
  expertParallel: { ...AMOUNT, about: "devices that share the experts" },
  link: OWN,
} as const satisfies NamesOf<ConfigOptions, Spec>;

type Json = Record<string, unknown>;

/** Reads members of a config; errors say where they were found. */
class Config {
  readonly #name: string;
  readonly #at: string;
  readonly json: Json;

  constructor(name: string, at: string, value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new InputError("INVALID_INPUT", `${name}: ${at || "the config"} is ${show(value)}, expected an object`);
    }
    this.#name = name;
    this.#at = at;
    this.json = value as Json;
  }

  /** The first of these members that is set. */
  find(...keys: string[]): [string, unknown] | undefined {
    const key = keys.find((candidate) => this.json[candidate] !== undefined && this.json[candidate] !== null);
    return key === undefined ? undefined : [key, this.json[key]];
  }

  fail(key: string, expected: string, seen: unknown): never {
    const what =
      seen === undefined ? "is missing" : `is ${show(typeof seen === "object" ? JSON.stringify(seen) : seen)}`;
    const at = this.#at === "" ? key : `${this.#at}.${key}`;
    throw new InputError("INVALID_INPUT", `${this.#name}: ${at} ${what}, expected ${expected}`);
  }

  /** A whole number of at least 1, under one of these names; `otherwise` if none is set. */
  count(keys: string | readonly string[], otherwise?: number, high = 2 ** 31): number {
    const names = typeof keys === "string" ? [keys] : keys;
    const [key, value] = this.find(...names) ?? [names.join(" or "), otherwise];
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > high) {
      this.fail(key, `a whole number from 1 to ${high}`, value);
    }
    return value as number;
  }

  part(...keys: string[]): Config | undefined {
    const found = this.find(...keys);
    if (found === undefined || found[1] === false) return undefined;
    return new Config(this.#name, this.#at === "" ? found[0] : `${this.#at}.${found[0]}`, found[1]);
  }

  text(key: string): string {
    const value = this.json[key];
    return typeof value === "string" ? value : "";
  }
}

/** Names of modules in a model's code. */
interface Names {
  readonly patch: string;
  readonly vit: string;
  readonly projector: string;
  readonly embedding: string;
  readonly decoder: string;
  readonly norm: string;
  readonly head: string;
}

/** The first family whose `type` matches `model_type` applies. A new one is an entry here. */
const FAMILIES: readonly { readonly type: RegExp; readonly names: (text: Config) => Names }[] = [
  {
    type: /^internvl_chat$/,
    names: (text) => {
      const isInternLm =
        text.text("model_type") === "internlm2" || /InternLM2/.test(String(text.json.architectures ?? ""));
      return {
        ...{ patch: "vision_model.embeddings", vit: "vision_model.encoder.layers", projector: "mlp1" },
        embedding: `language_model.model.${isInternLm ? "tok_embeddings" : "embed_tokens"}`,
        ...{ decoder: "language_model.model.layers", norm: "language_model.model.norm" },
        head: `language_model.${isInternLm ? "output" : "lm_head"}`,
      };
    },
  },
  {
    type: /^qwen\d*(_\d+)?_vl/,
    names: () => ({
      ...{ patch: "model.visual.patch_embed", vit: "model.visual.blocks", projector: "model.visual.merger" },
      ...{ embedding: "model.language_model.embed_tokens", decoder: "model.language_model.layers" },
      ...{ norm: "model.language_model.norm", head: "lm_head" },
    }),
  },
  {
    type: /./,
    names: () => ({
      ...{ patch: "model.vision_tower.embeddings", vit: "model.vision_tower.encoder.layers" },
      projector: "model.multi_modal_projector",
      ...{ embedding: "model.language_model.embed_tokens", decoder: "model.language_model.layers" },
      ...{ norm: "model.language_model.norm", head: "lm_head" },
    }),
  },
];

const TEXT_ALONE: Names = {
  ...{ patch: "", vit: "", projector: "", embedding: "model.embed_tokens", decoder: "model.layers" },
  ...{ norm: "model.norm", head: "lm_head" },
};

/** What a layer computes and holds, per unit of its load. */
interface Work {
  /** Multiply-adds count as two. */
  readonly flops: number;
  /** FLOPs of attention, whose backward takes 2.5 times its forward. */
  readonly attention: number;
  /** The same per unit squared. */
  readonly attentionSquared: number;
  readonly kept: number;
  /** Bytes of its input and of its output. */
  readonly input: number;
  readonly output: number;
  readonly parameters: number;
  /** How many of the parameters belong to experts. */
  readonly experts: number;
}

const BYTES = 2;

function times(rate: number, squared: number, load: string): Quantity {
  return { per: { [load]: rate }, ...(squared > 0 ? { perSquare: { [load]: squared } } : {}) };
}

function attentionShape(text: Config, hidden: number) {
  const heads = text.count("num_attention_heads");
  const keyHeads = text.count("num_key_value_heads", heads);
  const size = text.count("head_dim", Math.max(1, Math.floor(hidden / heads)));
  if (text.find("kv_lora_rank") === undefined) {
    const query = heads * size;
    const key = keyHeads * size;
    return {
      parameters: hidden * (query + 2 * key) + query * hidden,
      // Scores, and their product with the values: 4 * size per pair of tokens, for half of the pairs.
      pairs: 2 * heads * size,
      kept: BYTES * (2 * query + 2 * key) + 4 * heads,
      about: `${heads} heads of ${size}, ${keyHeads} of keys and values`,
    };
  }
  // Multi-head latent attention: low-rank projections of queries, keys and values.
  const rank = text.count("kv_lora_rank");
  const plain = text.count("qk_nope_head_dim");
  const rotary = text.count("qk_rope_head_dim");
  const value = text.count("v_head_dim");
  const queryRank = text.find("q_lora_rank") === undefined ? 0 : text.count("q_lora_rank");
  const query = heads * (plain + rotary);
  return {
    parameters:
      (queryRank === 0 ? hidden * query : hidden * queryRank + queryRank * query) +
      hidden * (rank + rotary) +
      rank * heads * (plain + value) +
      heads * value * hidden,
    pairs: heads * (plain + rotary + value),
    kept: BYTES * (queryRank + rank + rotary + 2 * query + 2 * heads * value) + 4 * heads,
    about: `${heads} heads, latent keys and values of rank ${rank}`,
  };
}

interface Decoder {
  readonly hidden: number;
  readonly vocabulary: number;
  readonly layers: readonly Work[];
  readonly isMoe: readonly boolean[];
  readonly about: readonly string[];
}

function readDecoder(text: Config): Decoder {
  const hidden = text.count("hidden_size", undefined, 2 ** 20);
  const count = text.count("num_hidden_layers", undefined, 1000);
  const vocabulary = text.count("vocab_size", undefined, 2 ** 26);
  const attention = attentionShape(text, hidden);
  const experts = text.find("num_experts", "num_local_experts", "n_routed_experts");
  const total = experts === undefined ? 0 : text.count([experts[0]], undefined, 2 ** 16);
  const dense =
    total > 0 && text.find("intermediate_size") === undefined ? 0 : text.count("intermediate_size", undefined, 2 ** 24);
  const isMoe = Array.from({ length: count }, (_, l) => {
    if (total === 0) return false;
    const only = text.json.mlp_only_layers;
    const first = text.find("first_k_dense_replace") === undefined ? 0 : Number(text.json.first_k_dense_replace);
    return (
      l >= first && !(Array.isArray(only) && only.includes(l)) && (l + 1) % text.count("decoder_sparse_step", 1) === 0
    );
  });
  const used = total === 0 ? 0 : text.count(["num_experts_per_tok", "moe_topk"], undefined, total);
  const expert = total === 0 ? 0 : text.count(["moe_intermediate_size", "intermediate_size"], undefined, 2 ** 24);
  const shared =
    text.find("shared_expert_intermediate_size") !== undefined
      ? text.count("shared_expert_intermediate_size", undefined, 2 ** 24)
      : Number(text.json.n_shared_experts ?? 0) * expert || 0;
  const layers = isMoe.map((moe): Work => {
    const mlp = moe ? hidden * total + 3 * hidden * (used * expert + shared) : 3 * hidden * dense;
    const all = moe ? 3 * hidden * total * expert : 0;
    return {
      flops: 2 * (attention.parameters + mlp),
      ...{ attention: 0, attentionSquared: attention.pairs },
      kept:
        BYTES * 4 * hidden +
        attention.kept +
        (moe ? 4 * total + used * BYTES * (2 * hidden + 3 * expert) + BYTES * 3 * shared : BYTES * 3 * dense),
      ...{ input: BYTES * hidden, output: BYTES * hidden },
      parameters: attention.parameters + 2 * hidden + (moe ? hidden * total + 3 * hidden * shared + all : mlp),
      experts: all,
    };
  });
  const mlp =
    total === 0
      ? `a gated MLP of ${dense}`
      : `${isMoe.filter(Boolean).length} with ${used} of ${total} experts of ${expert}${shared > 0 ? ` and a shared ${shared}` : ""}, the others with a gated MLP of ${dense}`;
  return {
    ...{ hidden, vocabulary, layers, isMoe },
    about: [`decoder: ${count} layers of ${hidden}, ${attention.about}, ${mlp}; vocabulary ${vocabulary}`],
  };
}

interface Vision {
  readonly unit: "tiles" | "patches";
  readonly patch: Work;
  readonly layers: readonly Work[];
  readonly projector: Work;
  readonly about: readonly string[];
}

function readVision(top: Config, vision: Config, hidden: number): Vision {
  const own = vision.count(["embed_dim", "hidden_size"], undefined, 2 ** 20);
  const count = vision.count(["num_hidden_layers", "depth"], undefined, 1000);
  const heads = vision.count(["num_attention_heads", "num_heads"], undefined, own);
  const ratio = vision.find("mlp_ratio")?.[1];
  const inner = vision.count("intermediate_size", typeof ratio === "number" ? Math.round(ratio * own) : 4 * own);
  const patch = vision.count("patch_size", undefined, 1024);
  const isGated = vision.text("hidden_act") === "silu" || /^qwen2_5/.test(top.text("model_type"));
  const merge = vision.find("spatial_merge_size") === undefined ? 0 : vision.count("spatial_merge_size", undefined, 64);
  const size = Array.isArray(vision.json.image_size) ? vision.json.image_size[0] : vision.json.image_size;
  const isTiled = merge === 0;
  const side = isTiled ? Math.floor(top.count("force_image_size", Number(size) || undefined, 2 ** 16) / patch) : 0;
  if (isTiled && side < 1) vision.fail("image_size", `a multiple of patch_size, ${patch}`, size);
  /** The encoder's tokens per unit, and how many of them attend to each other. */
  const tokens = isTiled ? side * side + 1 : 1;
  const windowSide = Math.floor(vision.count("window_size", patch) / patch);
  const window = windowSide > 1 ? windowSide * windowSide : 0;
  const full = vision.json.fullatt_block_indexes;
  const weights = 4 * own * own + (isGated ? 3 : 2) * own * inner;
  const layers = Array.from({ length: count }, (_, l): Work => {
    const isWindowed = window > 0 && Array.isArray(full) && !full.includes(l);
    const pairs = 4 * own;
    return {
      flops: tokens * 2 * weights,
      attention: isTiled ? pairs * tokens * tokens : isWindowed ? pairs * window : 0,
      attentionSquared: isTiled || isWindowed ? 0 : pairs,
      kept: tokens * (BYTES * (8 * own + (isGated ? 3 : 2) * inner) + 4 * heads),
      ...{ input: tokens * BYTES * own, output: tokens * BYTES * own },
      ...{ parameters: weights + 4 * own, experts: 0 },
    };
  });
  const shrink = Number(top.json.downsample_ratio ?? 1) || 1;
  const joined = isTiled ? Math.round(1 / (shrink * shrink)) : merge * merge;
  /** Tokens per unit that reach the language model, each joined from `joined` of the encoder's. */
  const sent = (isTiled ? side * side : 1) / joined;
  const wide = joined * own;
  const middle = isTiled ? hidden : wide;
  const projected = wide * middle + middle * hidden;
  const channels = 3 * (vision.find("temporal_patch_size") === undefined ? 1 : vision.count("temporal_patch_size"));
  const pixels = channels * patch * patch;
  const none = { attention: 0, attentionSquared: 0, experts: 0 };
  return {
    unit: isTiled ? "tiles" : "patches",
    patch: {
      flops: tokens * 2 * pixels * own,
      ...none,
      ...{ kept: tokens * BYTES * pixels, input: tokens * BYTES * pixels, output: tokens * BYTES * own },
      parameters: pixels * own + (isTiled ? tokens * own : 0),
    },
    layers,
    projector: {
      flops: sent * 2 * projected,
      ...none,
      kept: sent * BYTES * (2 * wide + 2 * middle),
      ...{ input: sent * BYTES * wide, output: sent * BYTES * hidden, parameters: projected + 2 * wide },
    },
    about: [
      `ViT: ${count} layers of ${own}, ${heads} heads, ${isGated ? "a gated" : "an"} MLP of ${inner}, ${
        isTiled
          ? `${tokens} tokens a tile`
          : window > 0
            ? `a token a patch, attention in windows of ${window} but for layers ${String(full)}`
            : "a token a patch"
      }`,
      `projector: ${joined} encoder tokens to one of ${hidden}, ${sent} tokens a ${isTiled ? "tile" : "patch"}`,
    ],
  };
}

function rangeOption(name: string, range: LoadRange): LoadRange {
  if (!(range.mean > 0 && range.max >= range.mean && range.max <= 2 ** 31)) {
    throw new OptionError(
      "INVALID_OPTION",
      `${name} is ${range.mean} to ${range.max}, expected 0 < mean <= max <= 2^31`,
    );
  }
  return range;
}

/**
 * Estimates a profile from a Hugging Face config, such as parsed JSON: patch embedding, ViT, projector, token
 * embedding, decoder (dense or MoE, also with latent attention) and loss head. A place to start: right in proportion,
 * which decides where to cut, rather than in milliseconds. The profile's `about` lists the formulas. `name` is what
 * errors call the config. O(layers).
 *
 * @throws InputError INVALID_INPUT naming the member that is missing or out of range; OptionError for the options.
 */
export function profileFromConfig(config: unknown, options: ConfigOptions, name = "config.json"): Profile {
  onlyNames("profileFromConfig", options, CONFIG_OPTIONS);
  const top = new Config(name, "", config);
  const { gpu } = options;
  const efficiency = options.efficiency ?? 0.5;
  if (!(efficiency > 0 && efficiency <= 1)) {
    throw new OptionError("INVALID_OPTION", `efficiency is ${show(efficiency)}, expected above 0 up to 1`);
  }
  const shared = take(CONFIG_OPTIONS, "tensorParallel", options);
  const dataParallel = take(CONFIG_OPTIONS, "dataParallel", options);
  const expertParallel = take(CONFIG_OPTIONS, "expertParallel", options);
  const samples = take(CONFIG_OPTIONS, "samples", options);
  const visionConfig = top.part("vision_config", "visual");
  const text = top.part("llm_config", "text_config", "language_config") ?? top;
  const decoder = readDecoder(text);
  const vision = visionConfig === undefined ? undefined : readVision(top, visionConfig, decoder.hidden);
  const names =
    vision === undefined
      ? TEXT_ALONE
      : (FAMILIES.find(({ type }) => type.test(top.text("model_type") || "-"))?.names(text) as Names);
  const tokens = rangeOption("tokens", options.tokens ?? { mean: 4096, max: 4096 });
  const vit = rangeOption(
    "vit",
    options.vit ?? (vision?.unit === "patches" ? { mean: 12288, max: 12288 } : { mean: 9, max: 9 }),
  );
  const speed = (gpu.flops * efficiency * shared) / 1000;
  const perParameter = 6 + 12 / dataParallel;
  const layer = (own: string, type: string, load: string, work: Work, modules?: readonly string[]): ProfileLayer => {
    const { flops, attention, attentionSquared, kept, input, output, parameters, experts } = work;
    return {
      ...{ name: own, type },
      forwardMs: times((flops + attention) / speed, attentionSquared / speed, load),
      backwardMs: times((2 * flops + 2.5 * attention) / speed, (2.5 * attentionSquared) / speed, load),
      keptBytes: { per: { [load]: kept / shared } },
      recomputedBytes: { per: { [load]: Math.min(input, kept) / shared } },
      parameterBytes: Math.ceil(((parameters - experts + experts / expertParallel) * perParameter) / shared),
      outputBytes: { per: { [load]: output / shared } },
      ...(modules === undefined ? {} : { modules }),
    };
  };
  const layers: ProfileLayer[] = [];
  if (vision !== undefined) {
    layers.push(layer(names.patch, "vit", "vit", { ...vision.patch, input: vision.patch.kept }));
    for (const [l, work] of vision.layers.entries()) layers.push(layer(`${names.vit}.${l}`, "vit", "vit", work));
    layers.push(layer(names.projector, "projector", "vit", vision.projector));
  }
  const { hidden, vocabulary } = decoder;
  const wide = { attention: 0, attentionSquared: 0, experts: 0, parameters: hidden * vocabulary };
  layers.push(
    layer(names.embedding, "embedding", "tokens", { ...wide, flops: 0, kept: 0, input: 0, output: BYTES * hidden }),
  );
  for (const [l, work] of decoder.layers.entries()) {
    layers.push(layer(`${names.decoder}.${l}`, "decoder", "tokens", work));
  }
  const logits = 2 * BYTES * hidden + (BYTES + 4) * vocabulary;
  layers.push(
    layer(
      names.head,
      "head",
      "tokens",
      { ...wide, flops: 2 * hidden * vocabulary, kept: logits, input: logits, output: 0 },
      [names.norm, names.head],
    ),
  );
  const isTied = (text.json.tie_word_embeddings ?? top.json.tie_word_embeddings) === true;
  const squares = (range: LoadRange) => ({
    ...range,
    meanSquares: range.mean ** 2 / samples,
    maxSquares: range.max ** 2 / samples,
  });
  const profile: Profile = {
    format: PROFILE_FORMAT,
    version: PROFILE_VERSION,
    name: top.text("_name_or_path") || top.text("model_type") || name,
    about: [
      `estimated from ${name}, not measured`,
      ...(vision?.about ?? []),
      ...decoder.about,
      `${gpu.name}: ${gpu.flops / 1e12} TFLOP/s x ${efficiency} reached${shared > 1 ? ` x ${shared} tensor-parallel devices, whose transfers are not counted` : ""}`,
      "forward = (2 x weights used per token + attention) / operations per second; attention per token squared = 2 x heads x head size (causal), 4 x width in a ViT",
      "backward = 2 x forward, of attention 2.5 x",
      `kept bytes per token${shared > 1 ? ` / ${shared}` : ""} = inputs of norms, matrices, attention and activation in bfloat16: 4 x width + queries, keys, values, attention's output + 2 x (plain MLP) or 3 x (gated) its width, 2 bytes each, and 4 a head`,
      `recomputed bytes = a layer's input, 2 x width${shared > 1 ? ` / ${shared}` : ""}; head: logits in bfloat16 and softmax in float32, always kept`,
      `${perParameter} bytes a parameter: weight 2, gradient 4, Adam in float32 12${dataParallel > 1 ? ` / ${dataParallel} data-parallel ranks` : ""}${shared > 1 ? `, / ${shared}` : ""}${expertParallel > 1 ? `, experts / ${expertParallel}` : ""}`,
      ...(isTied ? ["embeddings are tied: the first and the last stage hold a copy each"] : []),
      `a micro-batch: ${tokens.mean} tokens on average, ${tokens.max} at most, of ${samples} sample${samples === 1 ? "" : "s"}${vision === undefined ? "" : `; ${vit.mean} ${vision.unit}, ${vit.max} at most`}`,
    ],
    loads: { ...(vision === undefined ? {} : { vit: squares(vit) }), tokens: squares(tokens) },
    device: { name: gpu.name, memory: gpu.memory },
    link: options.link ?? gpu.link,
    layers,
  };
  return checkProfile(profile, name);
}
