import { type Family, run } from "./family.ts";
import type { Settings } from "./settings.ts";

/** `image_token` is the processor's own in some checkpoints, the tokenizer's in others. */
export function llavaToken(settings: Settings): string {
  return settings.text("image_token", ["tokenizer:image_token", "processor:image_token"], "<image>");
}

/** How many tokens the encoder gives that the language model does not get: "default" drops the class token. */
export function droppedTokens(settings: Settings, fallback: "default" | "full"): number {
  const strategy = settings.text(
    "vision_feature_select_strategy",
    ["processor:vision_feature_select_strategy", "config:vision_feature_select_strategy"],
    fallback,
  );
  return strategy === "default" ? 1 : 0;
}

export const llava: Family = {
  name: "llava",
  about: "LLaVA-1.5",
  counts: "tiles",
  checkpoints: ["llava", "vipllava", "Llava"],
  published: {
    "llava-1.5": { image: { crop_size: 336 }, processor: { patch_size: 14, num_additional_image_tokens: 1 } },
  },
  exif: "transpose",
  placeholders: (settings) => ({ image: llavaToken(settings) }),

  image(settings) {
    const size = settings.whole(
      "crop_size",
      ["image:crop_size", "image:size.shortest_edge", "config:vision_config.image_size"],
      336,
    );
    const patch = settings.whole("patch_size", ["processor:patch_size", "config:vision_config.patch_size"], 14);
    const extra = settings.whole("num_additional_image_tokens", ["processor:num_additional_image_tokens"], 1, 0);
    const dropped = droppedTokens(settings, "default");
    const patches = Math.floor(size / patch) ** 2;
    const tokens = patches + extra - dropped;
    const token = llavaToken(settings);
    return {
      parameters: settings.resolved,
      of: () => ({ vit: 1, tokens, attention: patches ** 2, frames: 0, ...run(token, tokens) }),
    };
  },
};
