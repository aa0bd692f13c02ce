import { type Family, run } from "./family.ts";

export const paligemma: Family = {
  name: "paligemma",
  about: "PaliGemma, PaliGemma 2",
  counts: "tiles",
  checkpoints: ["paligemma", "PaliGemma"],
  published: {
    "paligemma-224": { image: { image_size: 224, image_seq_length: 256 } },
    "paligemma-448": { image: { image_size: 448, image_seq_length: 1024 } },
    "paligemma-896": { image: { image_size: 896, image_seq_length: 4096 } },
  },
  exif: "transpose",
  adds: ["<image>"],
  placeholders: (settings) => ({ image: settings.text("image_token", ["tokenizer:image_token"], "<image>") }),

  image(settings) {
    const imageSize = settings.whole("image_size", ["image:size", "config:vision_config.image_size"], 224);
    const patch = settings.whole("patch_size", ["config:vision_config.patch_size"], 14);
    const patches = Math.floor(imageSize / patch) ** 2;
    const tokens = settings.whole(
      "image_seq_length",
      ["image:image_seq_length", "config:vision_config.num_image_tokens"],
      patches,
    );
    const token = settings.text("image_token", ["tokenizer:image_token"], "<image>");
    return {
      parameters: settings.resolved,
      of: () => ({ vit: 1, tokens, attention: patches ** 2, frames: 0, ...run(token, tokens) }),
    };
  },
};
