// Profiles that the tests plan for: models by their public configs, and small ones.
import { readFileSync } from "node:fs";
import { GPUS, profileFromConfig } from "../../src/model/config.ts";
import type { ConfigOptions, Profile } from "../../src/model/index.ts";

export function modelConfig(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/model/${name}.json`, import.meta.url), "utf8"));
}

export function modelProfile(name: string, options: Partial<ConfigOptions> = {}): Profile {
  return profileFromConfig(modelConfig(name), { gpu: GPUS.a100, ...options }, name);
}

/** A profile of plain numbers: two encoder layers, an embedding, six decoder layers and a head. */
export function smallProfile(): Profile {
  const layer = (name: string, type: string, ms: number, kept: number) => ({
    ...{
      name,
      type,
      forwardMs: ms,
      backwardMs: 2 * ms,
      keptBytes: kept * 1e6,
      recomputedBytes: Math.min(kept, 100) * 1e6,
    },
    ...{ parameterBytes: 1e9, outputBytes: 1e5 },
  });
  return {
    ...{ format: "omnibal-profile", version: 1, name: "small" },
    device: { memory: 20e9 },
    link: { bytesPerSecond: 1e9, latencyMs: 0.1 },
    layers: [
      layer("vit.0", "vit", 3, 1500),
      layer("vit.1", "vit", 3, 1500),
      layer("embed", "embedding", 0, 0),
      ...Array.from({ length: 6 }, (_, l) => layer(`layers.${l}`, "decoder", 2, 1000)),
      layer("head", "head", 1, 300),
    ],
  };
}
